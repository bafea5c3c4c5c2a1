"""Which rows of a list somebody may see, as data: worked out by the platform, applied by whoever holds the table.

A tree of JSON: `true`, `false`, `["all", …]`, `["any", …]`, `["not", c]`, and of a row's attributes
`["in", name, [value, …]]`, `["<", name, number]` (also `<=`, `>`, `>=`), `["holds", name, text]` for one whose value is a
set, `["given", name]` for one that may be missing. `organ` is the owner's identifier, `level` the level's name.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from yinxin import canonical
from yinxin.crypto.suite import INTL
from yinxin.errors import Invalid

Node = Any
_ORDERS = ("<", "<=", ">", ">=")
#: how deep a condition may be nested
_DEEPEST = 40
#: permissions that are asked one by one
_WAYS = 8


class MalformedCondition(Invalid):
    """Something that is no condition, or one of a newer platform."""

    code = "authz.malformed_condition"
    zh = "列表条件的“{part}”无法识别：请升级开发包，使之与平台版本一致。"
    en = "The part “{part}” of a list's condition is not known: bring the kit up to the platform's version."


@dataclass(frozen=True, slots=True)
class Condition:
    """The rows of a type of resource that one person may do one act to, now."""

    tree: Node

    @classmethod
    def of(cls, tree: Node) -> Self:
        """The condition that the platform sent; raises MalformedCondition."""
        _check(tree, _DEEPEST)
        return cls(tree)

    @property
    def nothing(self) -> bool:
        """Whether it holds of no row at all."""
        return self.tree is False

    def ways(self) -> "tuple[Condition, ...]":
        """Conditions of which one at least holds where this one does: one for each permission, if they are few."""
        parts = self.tree[1:] if isinstance(self.tree, list) and self.tree[0] == "all" else [self.tree]
        for at, part in enumerate(parts):
            if isinstance(part, list) and part[0] == "any" and len(part) - 1 <= _WAYS:
                others = [*parts[:at], *parts[at + 1 :]]
                return tuple(Condition(every([each, *others])) for each in part[1:])
        return (self,)

    def owners(self) -> "tuple[list[str], Condition] | None":
        """The organs to one of which a row must belong, and what else must hold; None when any owner will do."""
        parts = self.tree[1:] if isinstance(self.tree, list) and self.tree[0] == "all" else [self.tree]
        for at, part in enumerate(parts):
            if isinstance(part, list) and part[:2] == ["in", "organ"]:
                return part[2], Condition(every([*parts[:at], *parts[at + 1 :]]))
        return None

    def held(self) -> list[tuple[str, str]]:
        """The set-valued attributes of which all rows must hold a text, with that text."""
        parts = self.tree[1:] if isinstance(self.tree, list) and self.tree[0] == "all" else [self.tree]
        return [(each[1], each[2]) for each in parts if isinstance(each, list) and each[0] == "holds"]

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of its canonical JSON."""
        return INTL.hash.digest(canonical.encode({"condition": self.tree})).hex()

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether it holds of a row given as its attributes; a missing one is left out or None."""
        return _holds(self.tree, row)


def either(parts: list[Node]) -> Node:
    """That one of the parts holds; lists of owners are put together, for a database has an index for one."""
    if True in [each for each in parts if isinstance(each, bool)]:
        return True
    rest = [each for each in parts if not isinstance(each, bool) and each[:2] != ["in", "organ"]]
    owners = {organ for each in parts if not isinstance(each, bool) and each not in rest for organ in each[2]}
    joined = [["in", "organ", sorted(owners)]] if owners else []
    return _joined("any", [*joined, *rest], empty=False)


def every(parts: list[Node]) -> Node:
    """That all the parts hold."""
    if False in [each for each in parts if isinstance(each, bool)]:
        return False
    flat: list[Node] = []
    for each in parts:
        if not isinstance(each, bool):
            flat += each[1:] if each[0] == "all" else [each]
    return _joined("all", flat, empty=True)


def no(part: Node) -> Node:
    """That the part does not hold."""
    return not part if isinstance(part, bool) else ["not", part]


def _joined(name: str, parts: list[Node], *, empty: bool) -> Node:
    if not parts:
        return empty
    return parts[0] if len(parts) == 1 else [name, *parts]


def _check(node: Node, left: int) -> None:
    if isinstance(node, bool):
        return
    if not isinstance(node, list) or not node or left == 0:
        raise MalformedCondition(part=str(node)[:80])
    name, *rest = node
    if name in ("all", "any") or (name == "not" and len(rest) == 1):
        for each in rest:
            _check(each, left - 1)
        return
    if not rest or not isinstance(rest[0], str):
        raise MalformedCondition(part=str(name)[:80])
    sound = {
        "in": len(rest) == 2
        and isinstance(rest[1], list)
        and all(isinstance(each, str | int) for each in rest[1]),
        "holds": len(rest) == 2 and isinstance(rest[1], str),
        "given": len(rest) == 1,
        **dict.fromkeys(_ORDERS, len(rest) == 2 and type(rest[1]) is int),
    }
    if not sound.get(str(name), False):
        raise MalformedCondition(part=str(name)[:80])


def _holds(node: Node, row: Mapping[str, Any]) -> bool:
    if isinstance(node, bool):
        return node
    name, *rest = node
    if name in ("all", "any"):
        return (all if name == "all" else any)(_holds(each, row) for each in rest)
    if name == "not":
        return not _holds(rest[0], row)
    value = row.get(rest[0])
    return value is not None and bool(_ASKED[name](value, *rest[1:]))


_ASKED: Mapping[str, Callable[..., bool]] = {
    "given": lambda _: True,
    "holds": operator.contains,
    "in": lambda value, among: value in among,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
