"""A condition on rows (`yinxin.condition`) as SQL for a table that keeps them."""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from yinxin.condition import Condition, Node
from yinxin.store.errors import NoColumn

_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
#: values that are written out one by one; more go as one parameter
_FEW = 20
#: owners whose newest rows are fetched owner by owner, on PostgreSQL
_EACH = 100
#: owners for whom an index is no help any more: who may see so much soon finds a page by walking, on SQLite
_MOST = 4000

Row = TypeVar("Row")
#: a column of a table, or the attribute of a class that stands for it
Kept = sa.ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Lead:
    """Rows of another table that lead to the rows wanted: that table, how the two are joined, and its column that holds their key."""

    table: Any
    on: sa.ColumnElement[bool]
    key: Kept

    @property
    def leads(self) -> sa.ColumnElement[bool]:
        """Whether it leads to a row."""
        return sa.exists().where(self.on).correlate_except(self.table)


@dataclass(frozen=True)
class Road:
    """A way in to rows that has an index of its own: what is selected, and what leads to it if that is not its own table."""

    query: sa.Select[Any]
    lead: Lead | None = None

    def where(self, *conditions: sa.ColumnElement[bool]) -> "Road":
        """The same, narrowed."""
        return Road(self.query.where(*conditions), self.lead)

    def before(self, key: Kept, value: Any) -> "Road":
        """The same from below a key on."""
        led = key if self.lead is None else self.lead.key
        return self.where(led < value)

    def keys(self, key: Kept) -> tuple[sa.Select[Any], Kept]:
        """The keys of its rows, not yet in order, and the column that they are read from."""
        if self.lead is None:
            return self.query.with_only_columns(key.label("key")), key
        query = self.query.join(self.lead.table, self.lead.on)
        return query.with_only_columns(self.lead.key.label("key")), self.lead.key


@dataclass(frozen=True)
class Columns:
    """The columns of a table whose rows are resources.

    `organ` and `level` hold the owner's identifier and the level's name; `attributes` the single-valued attributes of
    the type; `contains` tells for a set-valued one whether it holds a text, and `leads` what leads to the rows that hold it,
    where something does. Graded data has `region`, `sharing` (both nullable) and `contains["shared_with"]`; a table without
    them holds data that is not graded.
    """

    organ: Kept
    level: Kept
    attributes: Mapping[str, Kept] = field(default_factory=dict)
    contains: Mapping[str, Callable[[str], sa.ColumnElement[bool]]] = field(default_factory=dict)
    region: Kept | None = None
    sharing: Kept | None = None
    leads: Mapping[str, Callable[[str], Lead]] = field(default_factory=dict)

    def lead(self, way: Condition) -> Lead | None:
        """What leads to all rows that a way is about."""
        found = [(name, value) for name, value in way.held() if name in self.leads]
        return self.leads[found[0][0]](found[0][1]) if found else None

    def where(self, condition: Condition) -> sa.ColumnElement[bool]:
        """The rows that the condition holds of; raises NoColumn for an attribute that the table does not keep."""
        found = self._where(condition.tree)
        return (sa.true() if found else sa.false()) if isinstance(found, bool) else found

    def _where(self, node: Node) -> bool | sa.ColumnElement[bool]:
        if isinstance(node, bool):
            return node
        name, *rest = node
        if name in ("all", "any"):
            return self._several(rest, settles=name == "any")
        if name == "not":
            inner = self._where(rest[0])
            return not inner if isinstance(inner, bool) else sa.not_(inner)
        return self._given(rest[0]) if name == "given" else self._asked(name, *rest)

    def _asked(self, name: str, attribute: str, value: Any) -> sa.ColumnElement[bool]:
        if name == "holds":
            if attribute not in self.contains:
                raise NoColumn(attribute=attribute)
            return self.contains[attribute](value)
        column = self._column(attribute)
        asked: sa.ColumnElement[bool] = among(column, value) if name == "in" else _ORDERS[name](column, value)
        return asked

    def _several(self, nodes: Sequence[Node], *, settles: bool) -> bool | sa.ColumnElement[bool]:
        """In their order, and no further than is needed: what follows may speak of a column that is not there."""
        found = []
        for each in nodes:
            part = self._where(each)
            if part is settles:
                return settles
            if not isinstance(part, bool):
                found.append(part)
        if not found:
            return not settles
        return sa.or_(*found) if settles else sa.and_(*found)

    def _given(self, name: str) -> bool | sa.ColumnElement[bool]:
        if name in self.contains:
            return True
        column = {"region": self.region, "sharing": self.sharing}.get(name)
        if column is None:
            if name in ("region", "sharing", "shared_with"):
                return False
            raise NoColumn(attribute=name)
        present: sa.ColumnElement[bool] = column.is_not(None)
        return present

    def _column(self, name: str) -> Kept:
        own = {"organ": self.organ, "level": self.level, "region": self.region, "sharing": self.sharing}
        found = own.get(name, self.attributes.get(name))
        if found is None:
            raise NoColumn(attribute=name)
        return found


def among(column: Kept, values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Whether the column holds one of the values; of many texts as one parameter, whatever their number."""
    if len(values) == 1:
        return sa.and_(column == values[0])
    if len(values) <= _FEW or not all(isinstance(each, str) for each in values):
        return column.in_(values)
    held: sa.ColumnElement[bool] = _Among(column, sa.literal(list(values), _Texts()))
    return held if len(values) <= _MOST else _Walked(column, sa.literal(list(values), _Texts()))


def newest(
    session: Session,
    query: sa.Select[Row],
    condition: Condition,
    columns: Columns,
    *,
    key: Kept,
    limit: int,
) -> list[Row]:
    """The first rows of `query` (a SELECT of one entity) that the condition holds of, `key` from the highest down.

    Each way in which the condition can hold is followed by itself and no further than `limit` rows, so that each can use
    its own index: out of a million rows it takes milliseconds, whether few of them may be seen or nearly all. What
    helps is an index on the owner and the key together.
    """
    arrays = session.get_bind().dialect.name == "postgresql"
    ways = condition.ways()
    split = [each.owners() if arrays else None for each in ways]
    if len(ways) == 1 and (split[0] is None or len(split[0][0]) > _EACH):
        chosen = query.where(columns.where(condition))
    else:
        # one row more or less of a way changes nothing: the first of all are among the first of each
        found = [
            _way(query, way, owners, columns, key=key, limit=limit)
            for way, owners in zip(ways, split, strict=True)
        ]
        chosen = query.where(key.in_(sa.union_all(*found)))
    return list(session.scalars(chosen.order_by(key.desc()).limit(limit)))


def newest_by(
    session: Session, roads: Sequence[Road], condition: Condition, columns: Columns, *, key: Kept, limit: int
) -> list[Any]:
    """The first rows, `key` from the highest down, that some road leads to and the condition holds of.

    Each road is walked from its highest key until it has given `limit`. That is for lists most of whose rows may be seen, such
    as an organ's own: `newest` looks at the condition first, and would search such a list for what is seen for another reason.
    """
    allowed = columns.where(condition)
    ways = [_walked_down(road.where(allowed), key, limit) for road in roads]
    chosen = sa.select(key.class_).where(key.in_(sa.union_all(*ways)))
    return list(session.scalars(chosen.order_by(key.desc()).limit(limit)))


def _walked_down(road: Road, key: Kept, limit: int) -> sa.Select[Any]:
    keys, led = road.keys(key)
    return sa.select(keys.order_by(led.desc()).limit(limit).subquery().c.key)


def _way(
    query: sa.Select[Row],
    way: Condition,
    owners: tuple[list[str], Condition] | None,
    columns: Columns,
    *,
    key: Kept,
    limit: int,
) -> sa.Select[Any]:
    """The keys of the first rows of one way."""
    if (lead := columns.lead(way)) is not None:
        return _walked_down(Road(query.where(columns.where(way)), lead), key, limit)
    keys = query.with_only_columns(key.label("key")).order_by(key.desc()).limit(limit)
    if owners is None or len(owners[0]) > _EACH:
        return sa.select(keys.where(columns.where(way)).subquery().c.key)
    # PostgreSQL would rather walk through all rows from the newest on, and may meet none for long
    organs, rest = owners
    each = sa.func.unnest(sa.literal(organs, _Texts())).table_valued("organ").render_derived()
    its = keys.where(columns.where(rest), columns.organ == each.c.organ).lateral()
    return sa.select(its.c.key).select_from(each.join(its, sa.true())).order_by(its.c.key.desc()).limit(limit)


class _Texts(sa.types.TypeDecorator[list[str]]):
    """Texts as one parameter: an array where there are arrays, JSON elsewhere."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """An array of PostgreSQL, or text."""
        return dialect.type_descriptor(
            postgresql.ARRAY(sa.Text()) if dialect.name == "postgresql" else sa.Text()
        )

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        """As the driver takes it."""
        return value if dialect.name == "postgresql" else json.dumps(value, ensure_ascii=False)


class _Among(FunctionElement[bool]):
    """`column` among `values`."""

    type = sa.Boolean()
    inherit_cache = True
    name = "among"


class _Walked(_Among):
    """As `_Among`, and no index is to be used for it."""

    inherit_cache = True


@compiles(_Walked, "sqlite")
def _walked(element: _Walked, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{_as_json(element, compiler, **options)}"


@compiles(_Among)
def _as_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - a column and a parameter


@compiles(_Among, "postgresql")
@compiles(_Walked, "postgresql")
def _as_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY (CAST({values} AS text[]))"
