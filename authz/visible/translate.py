"""Cedar's expressions as conditions on rows (`yinxin.condition`), with everything about the asker already known.

An expression is worked out as far as it speaks of the asker alone; what is left speaks of the row. Whatever has no
place here raises NotExpressible: a list is refused rather than guessed.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authz.visible.errors import NotExpressible
from yinxin.authz import LEVELS
from yinxin.condition import Node, either, every, no

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Entity:
    """A known entity."""

    type: str
    id: str


@dataclass(frozen=True)
class _Variable:
    name: str


@dataclass(frozen=True)
class _Column:
    """An attribute of the row: `kind` is `organ`, `level`, `single` or `set`."""

    kind: str
    name: str


@dataclass(frozen=True)
class Row:
    """What is left to ask of the row."""

    tree: Node


Told = bool | Row


@dataclass(frozen=True)
class Asker:
    """The asker as an entity: attributes (Cedar's JSON), and all entities she is in."""

    id: str
    attributes: Mapping[str, Any]
    within: frozenset[Entity]
    #: her organ and those above it
    path: tuple[str, ...]


@dataclass(frozen=True)
class Translation:
    """One policy's expressions over one type of row; `below` tells an organ and all below it."""

    policy: str
    type: str
    declared: Mapping[str, Any]
    asker: Asker
    below: Callable[[str], Sequence[str]]
    #: the action and the groups it is in
    action: frozenset[Entity]

    def condition(self, node: Mapping[str, Any]) -> Told:
        """An expression that is true or false."""
        value = self._value(node)
        if isinstance(value, bool | Row):
            return value
        raise self._refusal(node)

    def within(self, organ: str) -> Told:
        """Whether the row belongs to the organ or one below it."""
        return _one_of("organ", self.below(organ))

    @property
    def _own_organ(self) -> Entity:
        return Entity("Organ", self.asker.path[0])

    # --- values ------------------------------------------------------------------------------------------------

    def _value(self, node: Mapping[str, Any]) -> Any:
        ((name, body),) = node.items()
        if name in ("Value", "Var", "Set"):
            return self._leaf(name, body)
        if name in (".", "has"):
            read = self._attribute if name == "." else self._has
            return read(node, self._value(body["left"]), body["attr"])
        if name == "is":
            return self._is(node, body)
        if name in ("!", "&&", "||", "if-then-else"):
            return self._logic(node, name, body)
        return self._relation(node, name, body)

    def _leaf(self, name: str, body: Any) -> Any:
        if name == "Set":
            return [self._value(each) for each in body]
        return _Variable(body) if name == "Var" else self._constant(body)

    def _logic(self, node: Mapping[str, Any], name: str, body: Mapping[str, Any]) -> Any:
        if name == "!":
            return told_not(self.condition(body["arg"]))
        if name != "if-then-else":
            return self._joined(name, body)
        chosen = self.condition(body["if"])
        if isinstance(chosen, bool):
            return self._value(body["then"] if chosen else body["else"])
        raise self._refusal(node)

    def _constant(self, body: Any) -> Any:
        if isinstance(body, dict) and "__entity" in body:
            return Entity(body["__entity"]["type"], body["__entity"]["id"])
        if isinstance(body, list):
            return [self._constant(each) for each in body]
        return body

    def _attribute(self, node: Mapping[str, Any], owner: Any, name: str) -> Any:
        if owner == _Variable("principal") and name in self.asker.attributes:
            return self._constant(self.asker.attributes[name])
        if owner != _Variable("resource"):
            raise self._refusal(node)
        if name in ("organ", "level"):
            return _Column(name, name)
        kind = self.declared.get(name, {}).get("type")
        if kind in ("String", "Long", "Boolean"):
            return _Column("single", name)
        if kind == "Set":
            return _Column("set", name)
        raise self._refusal(node)

    def _has(self, node: Mapping[str, Any], owner: Any, name: str) -> Told:
        if owner == _Variable("context"):
            return False  # a list is asked without a context
        if owner == _Variable("principal"):
            return name in self.asker.attributes
        if owner != _Variable("resource"):
            raise self._refusal(node)
        if name in ("region", "sharing", "shared_with"):
            # an empty set is left out of the entity; nothing is in it either way
            return Row(["given", name])
        declared = self.declared.get(name)
        if declared is not None and not declared.get("required", True):
            raise self._refusal(node)
        return declared is not None

    def _is(self, node: Mapping[str, Any], body: Mapping[str, Any]) -> Told:
        subject = self._value(body["left"])
        if subject == _Variable("principal"):
            right = bool(body["entity_type"] == "Person")
        elif subject == _Variable("resource"):
            right = bool(body["entity_type"] == self.type)
        else:
            raise self._refusal(node)
        if not right or "in" not in body:
            return right
        return self._in(node, subject, self._value(body["in"]))

    # --- relations ---------------------------------------------------------------------------------------------

    def _joined(self, name: str, body: Mapping[str, Any]) -> Told:
        """As Cedar: the right side counts only when the left does not settle it."""
        settles = name == "||"
        left = self.condition(body["left"])
        if isinstance(left, bool) and left is settles:
            return left
        return (told_either if settles else told_every)([left, self.condition(body["right"])])

    def _relation(self, node: Mapping[str, Any], name: str, body: Mapping[str, Any]) -> Any:
        if name not in ("==", "!=", "in", "contains", "containsAny", "containsAll", *_COMPARISONS):
            raise self._refusal(node)
        left, right = self._value(body["left"]), self._value(body["right"])
        if name == "==":
            return self._equal(node, left, right)
        if name == "!=":
            return told_not(self._equal(node, left, right))
        if name == "in":
            return self._in(node, left, right)
        if name == "contains":
            return self._contains(node, left, right)
        if name in ("containsAny", "containsAll"):
            return self._contains_some(node, name, left, right)
        return self._compare(node, name, left, right)

    def _equal(self, node: Mapping[str, Any], left: Any, right: Any) -> Told:
        if isinstance(right, _Column) and not isinstance(left, _Column):
            left, right = right, left
        if not isinstance(left, _Column):
            if isinstance(left, _Variable) or isinstance(right, _Variable):
                raise self._refusal(node)
            return bool(left == right)
        if left.kind == "organ" and isinstance(right, Entity):
            return _one_of("organ", [right.id]) if right.type == "Organ" else False
        if left.kind == "level" and isinstance(right, int):
            return _one_of("level", [LEVELS[right]] if 0 <= right < len(LEVELS) else [])
        if left.kind == "single" and isinstance(right, str | bool | int):
            return _one_of(left.name, [right])
        raise self._refusal(node)

    def _in(self, node: Mapping[str, Any], left: Any, right: Any) -> Told:
        if isinstance(right, list):
            return told_either([self._in(node, left, each) for each in right])
        if isinstance(right, Entity):
            if left in (_Variable("principal"), _Variable("action")):
                return right in (self.asker.within if left.name == "principal" else self.action)
            if left == _Variable("resource") or (isinstance(left, _Column) and left.kind == "organ"):
                return self.within(right.id) if right.type == "Organ" else False
            if left == self._own_organ:
                return right.type == "Organ" and right.id in self.asker.path
        if isinstance(right, _Column) and right.kind == "organ" and left == self._own_organ:
            return _one_of("organ", self.asker.path)
        raise self._refusal(node)

    def _contains(self, node: Mapping[str, Any], whole: Any, part: Any) -> Told:
        if isinstance(whole, list) and not _of_the_row(whole):
            if isinstance(part, _Column) and part.kind == "single":
                return _one_of(part.name, whole)
            if isinstance(part, _Column) and part.kind == "organ":
                return _one_of("organ", [each.id for each in whole if isinstance(each, Entity)])
            if not isinstance(part, _Column | _Variable):
                return part in whole
        if isinstance(whole, _Column) and whole.kind == "set" and isinstance(part, str):
            return Row(["holds", whole.name, part])
        raise self._refusal(node)

    def _contains_some(self, node: Mapping[str, Any], name: str, whole: Any, parts: Any) -> Told:
        if isinstance(whole, list) and isinstance(parts, list) and not _of_the_row([*whole, *parts]):
            return (any if name == "containsAny" else all)(each in whole for each in parts)
        if isinstance(whole, _Column) and whole.kind == "set" and isinstance(parts, list):
            found = [self._contains(node, whole, each) for each in parts]
            return (told_either if name == "containsAny" else told_every)(found)
        raise self._refusal(node)

    def _compare(self, node: Mapping[str, Any], name: str, left: Any, right: Any) -> Told:
        if isinstance(right, _Column) and not isinstance(left, _Column):
            left, right, name = right, left, _MIRRORED[name]
        if isinstance(left, int) and isinstance(right, int):
            return bool(_COMPARISONS[name](left, right))
        if isinstance(left, _Column) and isinstance(right, int):
            if left.kind == "level":
                fitting = [level for at, level in enumerate(LEVELS) if _COMPARISONS[name](at, right)]
                return _one_of("level", fitting)
            if left.kind == "single":
                return Row([name, left.name, right])
        raise self._refusal(node)

    def _refusal(self, node: Mapping[str, Any]) -> NotExpressible:
        return NotExpressible(policy=self.policy, part=next(iter(node)))


def told_not(told: Told) -> Told:
    """That it does not hold."""
    return not told if isinstance(told, bool) else _told(no(told.tree))


def told_either(parts: Iterable[Told]) -> Told:
    """That one of them holds."""
    return _told(either([_tree(each) for each in parts]))


def told_every(parts: Iterable[Told]) -> Told:
    """That all of them hold."""
    return _told(every([_tree(each) for each in parts]))


def _tree(told: Told) -> Node:
    return told if isinstance(told, bool) else told.tree


def _told(tree: Node) -> Told:
    return tree if isinstance(tree, bool) else Row(tree)


def _one_of(name: str, values: Iterable[Any]) -> Told:
    found = sorted(set(values))
    return Row(["in", name, found]) if found else False


def _of_the_row(parts: list[Any]) -> bool:
    return any(isinstance(each, _Column | _Variable) for each in parts)
