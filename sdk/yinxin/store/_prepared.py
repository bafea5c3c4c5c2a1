"""Statements that are made once and carried out past SQLAlchemy, for what every request asks.

SQLAlchemy takes five to ten times as long over a statement as the database does: it looks the statement up, binds each
value, tells its listeners, wraps the answer. Here all of that is done once for each kind of database, with SQLAlchemy's
own types, and what is left is the driver's.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache, partial
from operator import eq, itemgetter
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import iterate

from yinxin.store._base import Instant
from yinxin.store.errors import UnrecordedChange

#: execution option: which tables a transaction may change (`yinxin.store._guard`); an act's has none
GUARD = "yinxin_guard"
#: execution option: the rows that the transaction's act has changed (`yinxin.store._rows`)
ROWS = "yinxin_rows"

#: rows that are read together where not all are
_AT_ONCE = 500
#: lengths of lists for which a statement is kept; when there are more it begins anew
_KEEP = 200

#: rows that are asked for by one question, and the name that their keys are given under
_TOGETHER, _KEYS = 100, "yinxin_keys"

_Values = Mapping[str, Any]


def _none(_table: sa.Table) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Raw:
    """A transaction of the driver's own (`Store.look`, `Store.jot`), and which tables it may change."""

    driver: Any
    dialect: Dialect
    allowed: Callable[[sa.Table], bool] = _none


#: in whose transaction a statement is carried out
Within = Session | sa.Connection | Raw


class Sql:
    """A SELECT of columns, or a change of one table; values are named by its bind parameters.

    An INSERT names its columns in `columns`. A list (`expanding=True`) is prepared once for each of its lengths. Values and answers are converted as SQLAlchemy would; rows are named tuples.
    What a session has not written yet is written first. Each method raises what SQLAlchemy raises of the database, and
    UnrecordedChange where the transaction may not change the table.
    """

    def __init__(self, statement: sa.Select[Any] | sa.UpdateBase, *columns: str) -> None:
        self._statement = statement
        self._columns = columns
        self._changes: sa.Table | None = getattr(statement, "table", None)
        #: whether it is given all that the rows will say, so that the database adds nothing
        self._whole = isinstance(statement, sa.Insert) and {*statement.table.columns.keys()} == {*columns}
        #: the keys of the rows that a change of rows that are there will meet; made when an act first asks
        self._met: _Met | None = None
        self._lists = [each.key for each in _given(statement) if each.expanding]
        self._forms: dict[tuple[Any, ...], _Form] = {}

    def all(self, within: Within, values: _Values) -> list[Any]:
        """Every row."""
        form, driver, dialect, held = self._begun(within, values)
        rows = form.rows(_asked(driver, dialect, form.text, form.given(values)).fetchall())
        held(len(rows))
        return rows

    def each(self, within: Within, values: _Values) -> Iterator[Any]:
        """Every row, read as it is asked for: never more than some hundreds of them are in memory.

        PostgreSQL has one such reading at a time in a transaction.
        """
        form, driver, dialect, _ = self._begun(within, values)
        # SQLite reads on when it is asked for more; PostgreSQL sends everything, but to a cursor with a name
        reading = driver.cursor("each") if dialect.name == "postgresql" else driver.cursor()
        try:
            with closing(reading):
                reading.execute(form.text, form.given(values))
                while found := reading.fetchmany(_AT_ONCE):
                    yield from form.rows(found)
        except dialect.loaded_dbapi.Error as error:
            raise _failure(driver, dialect, form.text, error) from error

    def first(self, within: Within, values: _Values) -> Any | None:
        """The first row, or None."""
        found = self.all(within, values)
        return found[0] if found else None

    def scalars(self, within: Within, values: _Values) -> list[Any]:
        """The first column of every row."""
        return [row[0] for row in self.all(within, values)]

    def run(self, within: Within, values: _Values) -> int:
        """Carry out a change; the number of rows it met."""
        form, driver, dialect, held = self._begun(within, values)
        number = int(_asked(driver, dialect, form.text, form.given(values)).rowcount)
        held(number)
        return number

    def run_many(self, within: Within, values: Sequence[_Values], whole: Sequence[_Values] = ()) -> int:
        """Carry out a change with each of these values; the number of rows met.

        `whole` is all that each row says afterwards, for whoever knows it: of rows that a statement names by their keys an act
        then says that, and reads none. RowsMoved is raised where it meets some of them only.
        """
        form, driver, dialect, held = self._begun(within, {}, values, whole)
        given = [form.given(each) for each in values]
        number = int(_asked(driver, dialect, form.text, given, many=True).rowcount)
        held(number)
        return number

    def _begun(
        self,
        within: Within,
        values: _Values,
        many: Sequence[_Values] | None = None,
        whole: Sequence[_Values] = (),
    ) -> tuple["_Form", Any, Dialect, Callable[[int], None]]:
        held: Callable[[int], None] = _counted
        if isinstance(within, Raw):
            driver, dialect = within.driver, within.dialect
            allowed: Any = within.allowed
        else:
            if isinstance(within, Session):
                within.flush()
                # an act's session is of its connection; asking the session for it takes longer than the statement does
                bound = within.bind
                within = bound if isinstance(bound, sa.Connection) else within.connection()
            driver, dialect = within.connection.driver_connection, within.dialect
            options = within.get_execution_options()
            allowed, changed = options.get(GUARD), options.get(ROWS)
            if changed is not None and changed.accounts(self._changes):
                held = self._note(within, changed, [values] if many is None else many, whole)
        if self._changes is not None and allowed is not None and not allowed(self._changes):
            raise UnrecordedChange(table=self._changes.name)
        sizes = {each: len(values[each]) for each in self._lists}
        key = (dialect.name, *sizes.values())
        form = self._forms.get(key)
        if form is None:
            if len(self._forms) >= _KEEP:
                self._forms.clear()
            form = self._forms[key] = _Form(self._statement, self._columns, dialect, sizes)
        return form, driver, dialect, held

    def _note(
        self, within: sa.Connection, changed: Any, many: Sequence[_Values], whole: Sequence[_Values]
    ) -> Callable[[int], None]:
        """Tell an act which rows it will have changed; whom to tell afterwards how many they were."""
        table = cast("sa.Table", self._changes)
        key = list(table.primary_key.columns)
        if isinstance(self._statement, sa.Insert):
            keys = [tuple([each[part.key] for part in key]) for each in many]
            changed.new(table, self._statement, keys, many if self._whole else ())
            return _counted
        if self._met is None:
            self._met = _Met(cast("sa.Update | sa.Delete", self._statement))
        named = self._met.named(many) if len(many) == 1 or whole else None
        if named is not None:
            return partial(changed.counted, table, named, whole)
        changed.found(table, self._met.keys(within, many))
        return partial(changed.held, table)


class _Met:
    """The keys of the rows that an UPDATE or DELETE will meet, asked for before it is carried out; or told by their number after it."""

    def __init__(self, statement: sa.Update | sa.Delete) -> None:
        table, criteria = cast("sa.Table", statement.table), statement._where_criteria  # noqa: SLF001 - the only way to ask for it
        key = list(table.primary_key.columns)
        which = sa.select(*key).with_for_update(key_share=True)
        self._each = Sql(which.where(*criteria))
        #: where all that is given with each row is its key: the name it is given by, and one question for many
        self._named: str | None = None
        named = [(each, _names(each, key[0])) for each in criteria]
        others = [each for each, name in named if name is None]
        #: the same whatever else it asks, and what such a key is to the database as well, where the statement does not alter it
        self._only: str | None = None
        self._kind = _EXACT.get(type(key[0].type))
        if len(key) == 1 and len(others) == len(named) - 1:
            self._only = next(name for _, name in named if name is not None)
            if not any(map(_asks, others)):
                self._named = self._only
                self._many = Sql(which.where(*others, listed(key[0], _KEYS)))
            if _alters(statement, key[0]):
                self._only = None

    def named(self, many: Sequence[_Values]) -> list[tuple[Any, ...]] | None:
        """The keys of all rows that it may meet, each at most once; None where that cannot be told."""
        if self._only is None:
            return None
        given = [each[self._only] for each in many]
        if len(set(given)) != len(given) or any(type(each) is not self._kind for each in given):
            return None
        return [(each,) for each in given]

    def keys(self, within: sa.Connection, many: Sequence[_Values]) -> list[tuple[Any, ...]]:
        """Of a statement that is carried out with each of these values."""
        if self._named is not None and len(many) > 1:
            given = [each[self._named] for each in many]
            if len(set(given)) == len(given):
                parts = [given[at : at + _TOGETHER] for at in range(0, len(given), _TOGETHER)]
                return [tuple(row) for part in parts for row in self._many.all(within, {_KEYS: part})]
        return [tuple(row) for each in many for row in self._each.all(within, each)]


def _names(criterion: sa.ColumnElement[Any], key: sa.Column[Any]) -> str | None:
    """The parameter by which a criterion names a row, where it is that its key is what is given."""
    if isinstance(criterion, sa.BinaryExpression) and criterion.operator is eq and criterion.left is key:
        given = criterion.right
        if isinstance(given, sa.BindParameter) and given.required:
            return given.key
    return None


def _asks(criterion: sa.ColumnElement[Any]) -> bool:
    """Whether it needs something that is given at each use."""
    return any(isinstance(each, sa.BindParameter) and each.required for each in iterate(criterion))


def _alters(statement: sa.Update | sa.Delete, key: sa.Column[Any]) -> bool:
    """Whether it may give rows another key."""
    if isinstance(statement, sa.Delete):
        return False
    values = statement._values  # noqa: SLF001 - the only way to ask for it
    return values is None or any(each is key or each == key.key for each in values)


#: what a key is by its column's type, where both databases compare it as it is given: no text with a number's column
_EXACT: Mapping[type, type] = {sa.String: str, sa.Text: str, sa.Integer: int, sa.BigInteger: int}


def _counted(_number: int) -> None:
    """Nobody has to know how many rows a statement met."""


def listed(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """Whether the column holds one of the values that a statement is given under `name`."""
    many: sa.BindParameter[Any] = sa.bindparam(name, expanding=True)
    return column.in_(many)


def _given(statement: sa.Select[Any] | sa.UpdateBase) -> Iterator[sa.BindParameter[Any]]:
    """The parameters that are given at each use, and not in the statement itself."""
    for each in iterate(statement):
        if isinstance(each, sa.BindParameter) and each.required:
            yield each


class _Form:
    """A statement as one kind of database takes it, with lists of these `sizes`."""

    def __init__(
        self,
        statement: sa.Select[Any] | sa.UpdateBase,
        columns: tuple[str, ...],
        dialect: Dialect,
        sizes: Mapping[str, int],
    ) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
        if compiled.literal_execute_params or compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError("a statement whose text or values are not settled before it is carried out")
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        blank = {name: None for name, bind in binds.items() if bind.required}
        made = compiled.construct_expanded_state(
            {**blank, **{name: [None] * size for name, size in sizes.items()}}
        )
        self.text = made.statement
        spread = made.parameter_expansion
        self._spread = {name: spread[name] for name in sizes}
        of = {name: bind for name, bind in binds.items() if name not in spread}
        of |= {each: binds[name] for name, names in spread.items() for each in names}
        self._fixed = {name: made.parameters[name] for name, bind in of.items() if not bind.required}
        self._positional = made.positiontup is not None
        self._order = list(made.positiontup if made.positiontup is not None else of)
        processes = [_given_as(of[name].type, dialect) for name in self._order]
        self._processes: list[tuple[int, Callable[[Any], Any]]] = [
            (at, process) for at, process in enumerate(processes) if process is not None
        ]
        # `itemgetter` of one name gives a value and of none an error, of several a tuple
        self._ordered: Callable[[_Values], Sequence[Any]] = (
            itemgetter(*self._order)
            if len(self._order) > 1
            else lambda values: [values[name] for name in self._order]
        )
        answer = list(statement.exported_columns)
        row = namedtuple("row", [str(each.key) for each in answer], rename=True)  # type: ignore[misc]  # noqa: PYI024 - its fields are the statement's
        self._make: Callable[..., Any] = row._make
        read = [_read_as(each.type, dialect) for each in answer]
        self._read = [(at, process) for at, process in enumerate(read) if process is not None]

    def given(self, values: _Values) -> Any:
        """The values as the driver takes them."""
        known = values
        if self._fixed or self._spread:
            known = {**self._fixed, **values}
            for name, names in self._spread.items():
                known.update(zip(names, values[name], strict=True))
        ordered = self._ordered(known)
        if self._processes:
            ordered = list(ordered)
            for at, process in self._processes:
                ordered[at] = process(ordered[at])
        return ordered if self._positional else dict(zip(self._order, ordered, strict=True))

    def rows(self, found: list[tuple[Any, ...]]) -> list[Any]:
        """The driver's rows as they are handed out."""
        if not self._read:
            return [self._make(each) for each in found]
        made = []
        for each in found:
            values = list(each)
            for at, process in self._read:
                values[at] = process(values[at])
            made.append(self._make(values))
        return made


def _given_as(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What a value of this type is made into for the driver, None where it is given as it is."""
    impl = kind.dialect_impl(dialect)
    # SQLite's driver takes octets; the view of them that SQLAlchemy makes is one more object for the collector
    if dialect.name == "sqlite" and isinstance(impl, sa.LargeBinary):
        return None
    process = impl.bind_processor(dialect)
    if process is None or dialect.name != "sqlite" or not isinstance(kind, Instant):
        return process
    # what is done together happens at one instant; equal ones of a zone with summer time need not be the same one
    written, known = process, lru_cache(maxsize=64)(process)
    return lambda value: known(value) if value is None or value.tzinfo is UTC else written(value)


def _read_as(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What the driver's value is made into, None where it is handed out as it is."""
    process = kind.dialect_impl(dialect).result_processor(dialect, None)
    if process is None or dialect.name != "sqlite" or not isinstance(kind, Instant):
        return process
    return lru_cache(maxsize=64)(process)  # of texts, of which the rows of one transaction have few


def _asked(driver: Any, dialect: Dialect, text: str, given: Any, *, many: bool = False) -> Any:
    try:
        if not many:
            return driver.execute(text, given)
        cursor = driver.cursor()
        cursor.executemany(text, given)
    except dialect.loaded_dbapi.Error as error:
        raise _failure(driver, dialect, text, error) from error
    return cursor


def _failure(driver: Any, dialect: Dialect, text: str, error: Any) -> Exception:
    """What SQLAlchemy raises in the place of the driver's own error."""
    errors: Any = dialect.loaded_dbapi.Error
    gone = dialect.is_disconnect(error, driver, None)
    raised: Exception = DBAPIError.instance(
        text, None, error, errors, hide_parameters=True, connection_invalidated=gone, dialect=dialect
    )
    return raised
