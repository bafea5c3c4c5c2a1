"""Filters of RFC 7644 3.4.2.2 as conditions in SQL: every value is a bound parameter, every attribute one of a list.

The grammar is the library's. What is not on the list cannot be looked for, so that nothing is learnt by asking: neither
a clearance nor a post in another part of the tree.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from scim2_models import InvalidFilterException, ScimFilter
from scim2_models.path import (
    STRING_OPERATORS,
    AttributeBinding,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Path,
    Present,
    ValuePath,
    coerce_value,
)

from authz.scim.errors import BadFilter
from yinxin.text import Text

Condition = sa.ColumnElement[bool]
#: characters, and brackets within brackets
LONGEST, DEEPEST = 4000, 12
_TERMS = 60
#: a text as filters write it; and what joins two terms, with or without a space at brackets
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_JOINED = re.compile(r"(?<![a-z0-9_$.:-])(?:and|or)(?![a-z0-9_$.:-])", re.IGNORECASE)


@dataclass(frozen=True)
class Many:
    """A multi-valued attribute: `within(condition)` is whether one of its values fulfils it, `values` its parts' columns."""

    within: Callable[[Condition], Condition]
    values: Mapping[str, Any]


#: what can be looked for, by the attribute's URN in small letters
Searchable = Mapping[str, "sa.ColumnElement[Any] | Many"]


def condition(text: str, model: Any, searchable: Searchable) -> Condition:
    """The filter over the resources of `model`; raises BadFilter."""
    measure(text)
    try:
        parsed = ScimFilter[model](text)
        return _Translation(parsed, model, searchable).visit(parsed.ast)
    except InvalidFilterException as error:
        raise BadFilter(reason=Text(f"无法理解：{error}", f"it is not understood: {error}")) from error


def column_of(path: str, model: Any, searchable: Searchable) -> sa.ColumnElement[Any] | None:
    """The column of a single-valued attribute, or None when it cannot be looked for."""
    binding = Path[model](path).resolve()
    found = searchable.get(binding.urn.lower()) if binding is not None else None
    return None if isinstance(found, Many) else found


def storable(text: str) -> bool:
    """Whether both databases can hold the text: no NUL, no half of a pair."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def measure(text: str) -> None:
    """Refuse what would keep the parser or the database busy, before anything is parsed; what stands in quotes counts for nothing."""
    bare = _QUOTED.sub('""', text[: LONGEST + 1])
    depth = deepest = 0
    for character in bare:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    if len(text) > LONGEST or deepest > DEEPEST or len(_JOINED.findall(bare)) >= _TERMS:
        raise BadFilter(
            reason=Text(
                f"过长或嵌套过深：至多 {LONGEST} 字、{DEEPEST} 层括号、{_TERMS} 个条件",
                f"too long or too deep: {LONGEST} characters, {DEEPEST} brackets within each other and {_TERMS} terms at most",
            )
        )


class _Translation(FilterVisitor[Condition]):
    """One filter over one table; inside a value selection, over the values of one attribute."""

    def __init__(self, parsed: ScimFilter[Any], model: Any, searchable: Searchable, within: str = "") -> None:
        self._parsed = parsed
        self._model = model
        self._searchable = searchable
        #: the multi-valued attribute whose values are looked at, when that is so
        self._within = within

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        parts = [self.visit(each) for each in node.terms]
        return sa.and_(*parts) if node.op == LogicalOperator.and_ else sa.or_(*parts)

    def visit_not(self, node: Not) -> Condition:
        return sa.not_(sa.func.coalesce(self.visit(node.expr), sa.false()))

    def visit_present(self, node: Present) -> Condition:
        binding, found = self._find(node, comparing=False)
        if isinstance(found, Many):
            part = found.values.get(_part(binding))
            return found.within(sa.true() if part is None else part.is_not(None))
        return found.is_not(None)

    def visit_comparison(self, node: Comparison) -> Condition:
        binding, found = self._find(node, comparing=True)
        value = coerce_value(binding, node.value, node.op)
        if not isinstance(found, Many):
            return _compare(found, binding, node.op, value)
        part = found.values.get(_part(binding))
        if part is None:
            raise self._unknown(node.attr_path)
        if node.op == CompareOperator.ne:  # no value equals it
            return sa.not_(found.within(_compare(part, binding, CompareOperator.eq, value)))
        return found.within(_compare(part, binding, node.op, value))

    def visit_value_path(self, node: ValuePath) -> Condition:
        _, found = self._find(node, comparing=False)
        if not isinstance(found, Many):
            raise self._unknown(node.attr_path)
        inner = _Translation(self._parsed, self._model, self._searchable, str(node.attr_path))
        return found.within(inner.visit(node.val_filter))

    def _find(
        self, node: Comparison | Present | ValuePath, *, comparing: bool
    ) -> tuple[AttributeBinding, "sa.ColumnElement[Any] | Many"]:
        path = node.attr_path
        if self._within:
            return self._find_within(path)
        resolve = self._parsed.resolve_comparison if comparing else self._parsed.resolve
        binding = resolve(path)
        if binding is None:
            raise self._unknown(path)
        whole = binding.urn.lower()
        head = whole.rpartition(".")[0] if binding.sub_field_name else whole
        found = self._searchable.get(whole)
        if found is None and isinstance(many := self._searchable.get(head), Many):
            found = many
        if found is None:
            raise self._unknown(path)
        partial = isinstance(found, Many) and not comparing and bool(binding.sub_field_name)
        if partial and isinstance(found, Many) and _part(binding) not in found.values:
            raise self._unknown(path)
        return binding, found

    def _find_within(self, path: AttrPath) -> tuple[AttributeBinding, sa.ColumnElement[Any]]:
        if path.sub_attr is not None or path.uri is not None:
            raise self._unknown(path)
        binding = Path[self._model](f"{self._within}.{path.attr}").resolve()  # type: ignore[name-defined]
        if binding is not None:
            many = self._searchable.get(binding.urn.lower().rpartition(".")[0])
            if isinstance(many, Many) and (column := many.values.get(_part(binding))) is not None:
                return binding, column
        raise self._unknown(path)

    @staticmethod
    def _unknown(path: AttrPath) -> BadFilter:
        return BadFilter(reason=Text(f"不能按 {path} 筛选", f"{path} cannot be looked for"))


def _part(binding: AttributeBinding) -> str:
    return binding.urn.rpartition(".")[2].lower() if binding.sub_field_name else ""


def _compare(
    column: sa.ColumnElement[Any], binding: AttributeBinding, op: CompareOperator, value: Any
) -> Condition:
    """One comparison; strings without regard to case unless the attribute is `caseExact`."""
    if value is None:
        return _with_nothing(column, binding, op)
    kind = binding.target_type
    if kind is datetime:
        return _ordered(column, binding, op, _instant(value))
    if kind is bool or isinstance(value, bool):
        return _ordered(column, binding, op, value)
    text = str(value)
    if not storable(text):
        raise BadFilter(reason=Text("含控制字符", "it has control characters"))
    if not binding.case_exact:
        column, text = sa.func.lower(column), text.lower()
    if op in STRING_OPERATORS:
        return _part_of(column, op, text)
    return _ordered(column, binding, op, text)


def _instant(value: Any) -> datetime:
    """The moment; raises BadFilter for one without a zone, or beyond the calendar."""
    try:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
    except OverflowError:
        pass
    example = "2026-05-01T08:30:00+08:00"
    raise BadFilter(reason=Text(f"时间须带时区，例如 {example}", f"a time has a zone, such as {example}"))


def _part_of(column: sa.ColumnElement[Any], op: CompareOperator, text: str) -> Condition:
    """Whether a text stands in the column; by functions that mean the same on both engines, unlike LIKE."""
    if not text:
        return column.is_not(None)
    if op == CompareOperator.co:
        found: Condition = sa.func.replace(column, text, "") != column
    elif op == CompareOperator.sw:
        found = sa.func.substr(column, 1, len(text)) == text
    else:
        begins = sa.func.length(column) - len(text) + 1
        found = sa.and_(begins > 0, sa.func.substr(column, begins) == text)
    return found


def _with_nothing(column: sa.ColumnElement[Any], binding: AttributeBinding, op: CompareOperator) -> Condition:
    if op == CompareOperator.eq:
        return column.is_(None)
    if op == CompareOperator.ne:
        return column.is_not(None)
    raise _not_so(binding, op)


def _ordered(
    column: sa.ColumnElement[Any], binding: AttributeBinding, op: CompareOperator, value: Any
) -> Condition:
    equal: Condition = column == value
    orders: Mapping[CompareOperator, Callable[[], Condition]] = {
        CompareOperator.gt: lambda: column > value,
        CompareOperator.ge: lambda: column >= value,
        CompareOperator.lt: lambda: column < value,
        CompareOperator.le: lambda: column <= value,
    }
    if op == CompareOperator.eq:
        return equal
    if op == CompareOperator.ne:
        return sa.or_(column != value, column.is_(None))
    if op not in orders or isinstance(value, bool):
        raise _not_so(binding, op)
    return orders[op]()


def _not_so(binding: AttributeBinding, op: CompareOperator) -> BadFilter:
    return BadFilter(
        reason=Text(
            f"{binding.urn} 不能用 {op.value} 比较", f"{binding.urn} cannot be compared by {op.value}"
        )
    )
