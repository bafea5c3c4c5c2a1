"""Cedar's expressions as conditions in SQL, with everything about the asker already known.

An expression is worked out as far as it speaks of the asker alone; what is left speaks of the row. Whatever has no
place here raises NotExpressible: a list is refused rather than guessed.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from authz.models import OrganClosure
from authz.visible.columns import Columns
from authz.visible.errors import NotExpressible
from yinxin.authz import LEVELS, PLATFORM

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
class Asker:
    """The asker as an entity: attributes (Cedar's JSON), and all entities she is in."""

    id: str
    attributes: Mapping[str, Any]
    within: frozenset[Entity]
    #: her organ and those above it
    path: tuple[str, ...]


@dataclass(frozen=True)
class Translation:
    """One policy's expressions over one table. `wide` organs have so many below them that rows are asked one by one."""

    policy: str
    type: str
    declared: Mapping[str, Any]
    asker: Asker
    columns: Columns
    wide: frozenset[str]
    #: the action and the groups it is in
    action: frozenset[Entity]

    def condition(self, node: Mapping[str, Any]) -> bool | sa.ColumnElement[bool]:
        """An expression that is true or false."""
        value = self._value(node)
        if isinstance(value, bool | sa.ColumnElement):
            return value
        raise self._refusal(node)

    def within(self, organ: str) -> sa.ColumnElement[bool]:
        """Whether the row belongs to the organ or one below it."""
        owner = self.columns.organ
        if organ == PLATFORM:
            return owner == PLATFORM
        below = sa.select(OrganClosure.organ).where(OrganClosure.ancestor == organ)
        if organ in self.wide:
            return sa.exists(below.where(OrganClosure.organ == owner).correlate_except(OrganClosure))
        return owner.in_(below)

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
            return _not(self.condition(body["arg"]))
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
        if name in ("region", "sharing") and getattr(self.columns, name) is not None:
            return _Column("single", name)
        if name in self.columns.attributes:
            return _Column("single", name)
        if name in self.columns.contains:
            return _Column("set", name)
        raise self._refusal(node)

    def _has(self, node: Mapping[str, Any], owner: Any, name: str) -> bool | sa.ColumnElement[bool]:
        if owner == _Variable("context"):
            return False  # a list is asked without a context
        if owner == _Variable("principal"):
            return name in self.asker.attributes
        if owner != _Variable("resource"):
            raise self._refusal(node)
        if name in ("region", "sharing"):
            column: sa.ColumnElement[Any] | None = getattr(self.columns, name)
            if column is None:
                return False
            present: sa.ColumnElement[bool] = column.is_not(None)
            return present
        if name == "shared_with":
            # an empty set is left out of the entity; nothing is in it either way
            return name in self.columns.contains
        declared = self.declared.get(name)
        if declared is not None and not declared.get("required", True):
            raise self._refusal(node)
        return declared is not None

    def _is(self, node: Mapping[str, Any], body: Mapping[str, Any]) -> bool | sa.ColumnElement[bool]:
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

    def _joined(self, name: str, body: Mapping[str, Any]) -> bool | sa.ColumnElement[bool]:
        """As Cedar: the right side counts only when the left does not settle it."""
        settles = name == "||"
        left = self.condition(body["left"])
        if isinstance(left, bool):
            return left if left is settles else self.condition(body["right"])
        right = self.condition(body["right"])
        if isinstance(right, bool):
            return right if right is settles else left
        return sa.or_(left, right) if settles else sa.and_(left, right)

    def _relation(self, node: Mapping[str, Any], name: str, body: Mapping[str, Any]) -> Any:
        if name not in ("==", "!=", "in", "contains", "containsAny", "containsAll", *_COMPARISONS):
            raise self._refusal(node)
        left, right = self._value(body["left"]), self._value(body["right"])
        if name == "==":
            return self._equal(node, left, right)
        if name == "!=":
            return _not(self._equal(node, left, right))
        if name == "in":
            return self._in(node, left, right)
        if name == "contains":
            return self._contains(node, left, right)
        if name in ("containsAny", "containsAll"):
            return self._contains_some(node, name, left, right)
        return self._compare(node, name, left, right)

    def _equal(self, node: Mapping[str, Any], left: Any, right: Any) -> bool | sa.ColumnElement[bool]:
        if isinstance(right, _Column) and not isinstance(left, _Column):
            left, right = right, left
        if not isinstance(left, _Column):
            if isinstance(left, _Variable) or isinstance(right, _Variable):
                raise self._refusal(node)
            return bool(left == right)
        if left.kind == "organ" and isinstance(right, Entity):
            return self.columns.organ == right.id if right.type == "Organ" else False
        if left.kind == "level" and isinstance(right, int):
            return self.columns.level.in_([LEVELS[right]] if 0 <= right < len(LEVELS) else [])
        if left.kind == "single" and isinstance(right, str | bool | int):
            return self._single(left) == right
        raise self._refusal(node)

    def _in(self, node: Mapping[str, Any], left: Any, right: Any) -> bool | sa.ColumnElement[bool]:
        if isinstance(right, list):
            parts = [self._in(node, left, each) for each in right]
            settled = [each for each in parts if isinstance(each, bool)]
            return True if any(settled) else _any([each for each in parts if not isinstance(each, bool)])
        if isinstance(right, Entity):
            if left in (_Variable("principal"), _Variable("action")):
                return right in (self.asker.within if left.name == "principal" else self.action)
            if left == _Variable("resource") or (isinstance(left, _Column) and left.kind == "organ"):
                return self.within(right.id) if right.type == "Organ" else False
            if left == self._own_organ:
                return right.type == "Organ" and right.id in self.asker.path
        if isinstance(right, _Column) and right.kind == "organ" and left == self._own_organ:
            return self.columns.organ.in_(self.asker.path)
        raise self._refusal(node)

    def _contains(self, node: Mapping[str, Any], whole: Any, part: Any) -> bool | sa.ColumnElement[bool]:
        if isinstance(whole, list) and not _of_the_row(whole):
            if isinstance(part, _Column) and part.kind == "single":
                return self._single(part).in_(whole)
            if isinstance(part, _Column) and part.kind == "organ":
                return self.columns.organ.in_([each.id for each in whole if isinstance(each, Entity)])
            if not isinstance(part, _Column | _Variable):
                return part in whole
        if isinstance(whole, _Column) and whole.kind == "set" and isinstance(part, str):
            return self.columns.contains[whole.name](part)
        raise self._refusal(node)

    def _contains_some(
        self, node: Mapping[str, Any], name: str, whole: Any, parts: Any
    ) -> bool | sa.ColumnElement[bool]:
        if isinstance(whole, list) and isinstance(parts, list) and not _of_the_row([*whole, *parts]):
            return (any if name == "containsAny" else all)(each in whole for each in parts)
        if isinstance(whole, _Column) and whole.kind == "set" and isinstance(parts, list):
            found = [self._contains(node, whole, each) for each in parts]
            columns = [each for each in found if not isinstance(each, bool)]
            if name == "containsAny":
                return _any(columns)
            return sa.and_(sa.true(), *columns)
        raise self._refusal(node)

    def _compare(
        self, node: Mapping[str, Any], name: str, left: Any, right: Any
    ) -> bool | sa.ColumnElement[bool]:
        if isinstance(right, _Column) and not isinstance(left, _Column):
            left, right, name = right, left, _MIRRORED[name]
        if isinstance(left, int) and isinstance(right, int):
            return bool(_COMPARISONS[name](left, right))
        if isinstance(left, _Column) and isinstance(right, int):
            if left.kind == "level":
                fitting = [level for at, level in enumerate(LEVELS) if _COMPARISONS[name](at, right)]
                return self.columns.level.in_(fitting)
            if left.kind == "single":
                compared: sa.ColumnElement[bool] = _COMPARISONS[name](self._single(left), right)
                return compared
        raise self._refusal(node)

    def _single(self, column: _Column) -> sa.ColumnElement[Any]:
        if column.name in self.columns.attributes:
            return self.columns.attributes[column.name]
        graded: sa.ColumnElement[Any] = getattr(self.columns, column.name)
        return graded

    def _refusal(self, node: Mapping[str, Any]) -> NotExpressible:
        return NotExpressible(policy=self.policy, part=next(iter(node)))


def _not(condition: bool | sa.ColumnElement[bool]) -> bool | sa.ColumnElement[bool]:  # noqa: FBT001 - a value, not a switch
    return not condition if isinstance(condition, bool) else sa.not_(condition)


def _any(conditions: list[sa.ColumnElement[bool]]) -> bool | sa.ColumnElement[bool]:
    return sa.or_(*conditions) if conditions else False


def _of_the_row(parts: list[Any]) -> bool:
    return any(isinstance(each, _Column | _Variable) for each in parts)
