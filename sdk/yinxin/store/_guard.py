"""Which tables a transaction may change: an act's all, others none, or those that may change without a record."""

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import ExecutionContext
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler

from yinxin.store._number import SourceRow
from yinxin.store._outbox import OutboxRow
from yinxin.store._prepared import GUARD
from yinxin.store.errors import UnrecordedChange


def is_nothing(_table: sa.Table) -> bool:
    """No table at all, for whoever reads."""
    return False


def is_housekeeping(table: sa.Table) -> bool:
    """A table that may change without a record."""
    return bool(table.info.get("housekeeping"))


def is_note(table: sa.Table) -> bool:
    """Such a table, or those of the record itself."""
    return table in (OutboxRow.__table__, SourceRow.__table__) or is_housekeeping(table)


def guard(
    connection: sa.Connection,
    _cursor: object,
    statement: str,
    _parameters: object,
    context: ExecutionContext,
    _many: bool,  # noqa: FBT001 - SQLAlchemy's signature
) -> None:
    """Refuse, in Python and with a name, every change to a table that this transaction may not touch.

    It listens where every statement passes, the session's, the connection's and raw text alike.
    """
    allowed: Callable[[sa.Table], bool] = connection.get_execution_options()[GUARD]
    compiled = context.compiled
    if not isinstance(compiled, SQLCompiler) or isinstance(compiled.statement, sa.TextClause):
        if not statement.lstrip().upper().startswith(_READS):
            raise UnrecordedChange(table=statement.lstrip()[:40])
    elif compiled.isinsert or compiled.isupdate or compiled.isdelete:
        table = getattr(compiled.statement, "table", None)
        if not isinstance(table, sa.Table) or not allowed(table):
            raise UnrecordedChange(table=getattr(table, "name", "?"))


#: how raw text begins that changes nothing
_READS = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


def nothing_left(session: Session) -> None:
    """A change that was made to objects and never written would be lost without a word."""
    changed = (*session.new, *session.deleted, *(each for each in session.dirty if session.is_modified(each)))
    for instance in changed:
        raise UnrecordedChange(table=getattr(sa.inspect(type(instance)).local_table, "name", "?"))
