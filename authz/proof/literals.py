"""What policies name: the roles and the values that they could tell apart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

from authz.policy_set import PolicySet
from authz.roles import MACHINE_ROLES, POWERS, ROLES

#: who asks: everybody's `id`, and the organ everybody belongs to
SELF, OWN = "self", "own"
OTHER = "other"


@dataclass(frozen=True)
class Account:
    """Who asks: the roles of her post, a power she holds in another post, whether she is appointed, and whether her organ is a tenant."""

    roles: frozenset[str]
    elsewhere: frozenset[str] = frozenset()
    appointed: bool = True
    tenant: bool = False

    @property
    def simple(self) -> bool:
        """At most one role, and appointed: enough where secrecy is the question, as no policy of it looks at roles."""
        return len(self.roles) < 2 and not self.elsewhere and self.appointed and not self.tenant


class Literals:
    """What policies name, by action: roles and values of attributes."""

    def __init__(self, *sets: PolicySet) -> None:
        self._sets = sets

    def accounts(self, action: str) -> list[Account]:
        """No role, every role and every pair of roles that the action's policies can tell apart.

        All but the pairs stand here again with every power in another post besides, without their appointment, and in a tenant.
        """
        held = [frozenset(each) for size in (0, 1, 2) for each in combinations(self._roles(action), size)]
        few = [each for each in held if len(each) < 2]
        return [
            *(Account(each) for each in held),
            *(Account(each, frozenset({power})) for each in few for power in sorted(POWERS - each)),
            *(Account(each, appointed=False) for each in few),
            *(Account(each, tenant=True) for each in few),
        ]

    def values(self, action: str, owner: str, name: str, kind: Mapping[str, Any]) -> list[Any]:
        """The values of an attribute of `owner` (`resource`, `context`) that make a difference to the action."""
        beside = list(chain.from_iterable(_beside(each, owner, name) for each in self._bodies(action)))
        names = naming(kind)
        if not any(mentions(each, owner, name) for each in self._bodies(action)):
            return [OTHER, SELF] if names == "person" and self._approves(action) else [_unmentioned(kind)]
        if kind["type"] == "Boolean":
            return [False, True]
        if kind["type"] == "Long":
            # a number may be held against another attribute, so every number that the action's policies name counts
            return sorted({each for body in self._bodies(action) for each in _numbers(body)} or {0, 1})
        if names == "role":
            return [[OTHER], *([each] for each in self._roles(action))]
        texts = {each for each in beside if isinstance(each, str)} | {OTHER}
        if names is not None or any(_is_variable(each, "principal") for each in beside):
            texts |= {OWN} if names == "organ" else {SELF}
        return [[each] for each in sorted(texts)] if kind["type"] == "Set" else sorted(texts)

    def _roles(self, action: str) -> list[str]:
        """The roles that the action's policies name, the three powers, and one of all others."""
        known = ROLES.keys() | MACHINE_ROLES.keys()
        named = {text for each in self._bodies(action) for text in _texts(each)} & known
        unnamed = sorted(ROLES.keys() - named - POWERS)[:1]
        return sorted(named | POWERS | set(unnamed))

    def _approves(self, action: str) -> bool:
        return any(action in each.actions and "approval" in each.groups(action) for each in self._sets)

    def _bodies(self, action: str) -> Iterator[Any]:
        for policies in self._sets:
            if action in policies.actions:
                for policy in policies.concerning(action).values():
                    yield policy["conditions"]


def naming(declared: Mapping[str, Any]) -> str | None:
    """What an attribute names, as the schema's annotation says.

    A `person` whose own the thing is, a `party` to it (who may decide on it herself), an `organ`, a `role`, or nothing.
    """
    named: str | None = declared.get("annotations", {}).get("names")
    return named


def _unmentioned(kind: Mapping[str, Any]) -> Any:
    return {"Boolean": False, "Long": 0, "Set": []}.get(kind["type"], OTHER)


def _texts(node: Any) -> Iterator[str]:
    """Every text that an expression (Cedar's JSON) holds as a value."""
    for value in _literals(node):
        if isinstance(value, str):
            yield value


def _is_variable(value: Any, name: str) -> bool:
    return isinstance(value, dict) and value == {"Var": name}


def _literals(node: Any) -> Iterator[Any]:
    """The values in an expression, and the variables it speaks of (as `{"Var": name}`)."""
    if isinstance(node, dict):
        for name, each in node.items():
            if name == "Value":
                yield from each if isinstance(each, list) else [each]
            elif name == "Var":
                yield node
            else:
                yield from _literals(each)
    elif isinstance(node, list):
        for each in node:
            yield from _literals(each)


def _numbers(node: Any) -> Iterator[int]:
    """The numbers on both sides of each that an expression compares something with."""
    if isinstance(node, dict):
        for operator, each in node.items():
            if operator in (">=", "<", ">", "<=", "==", "!=") and isinstance(each, dict):
                for side in (each.get("left", {}), each.get("right", {})):
                    if type(number := side.get("Value")) is int:
                        yield number
                        yield number - 1 if operator in (">=", "<") else number + 1
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in parts:
        yield from _numbers(each)


def _is(node: Any, owner: str, name: str) -> bool:
    return isinstance(node, dict) and node.get(".") == {"left": {"Var": owner}, "attr": name}


def mentions(node: Any, owner: str, name: str) -> bool:
    """Whether an expression (Cedar's JSON) speaks of an attribute of `owner` (`resource`, `context`)."""
    if _is(node, owner, name):
        return True
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(mentions(each, owner, name) for each in parts)


def _beside(node: Any, owner: str, name: str) -> Iterator[Any]:
    """The values an attribute is held against, wherever an expression has it for one side."""
    if isinstance(node, dict):
        sides = [node.get("left"), node.get("right")]
        for one, other in (sides, sides[::-1]):
            if _is(one, owner, name):
                yield from _literals(other)
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in parts:
        yield from _beside(each, owner, name)
