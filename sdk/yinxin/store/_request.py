"""What belongs to the request under way: its identifier, what was recorded for it, and who joins its records."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa

from yinxin.act import Event

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
ENTRIES: ContextVar[list[str] | None] = ContextVar("entries", default=None)
#: joins the transaction of a record, and undoes it by raising; one whose class has `together` can do so with others of its class
Mark = Callable[[sa.Connection, Event], None]
MARK: ContextVar[Mark | None] = ContextVar("mark", default=None)


@contextmanager
def marking(mark: Mark | None) -> Iterator[None]:
    """Every act inside calls `mark` in its own transaction, which is undone when that raises; refusals do not."""
    token = MARK.set(mark)
    try:
        yield
    finally:
        MARK.reset(token)


def mark_all(connection: sa.Connection, marks: Sequence[tuple[Mark, Event]]) -> None:
    """Have each mark join the transaction of its record; those that can do so together are asked once."""
    several: dict[Callable[[sa.Connection, Sequence[tuple[Any, Event]]], None], list[tuple[Mark, Event]]] = {}
    for mark, record in marks:
        together = getattr(type(mark), "together", None)
        if together is None:
            mark(connection, record)
        else:
            several.setdefault(together, []).append((mark, record))
    for together, theirs in several.items():
        together(connection, theirs)


@contextmanager
def request_scope(request: str) -> Iterator[list[str]]:
    """Everything recorded inside carries `request`; yields the growing list of entry identifiers."""
    entries: list[str] = []
    tokens = REQUEST.set(request), ENTRIES.set(entries)
    try:
        yield entries
    finally:
        REQUEST.reset(tokens[0])
        ENTRIES.reset(tokens[1])


def current_entries() -> tuple[str, ...]:
    """Identifiers of the audit entries written so far in this request."""
    return tuple(ENTRIES.get() or ())
