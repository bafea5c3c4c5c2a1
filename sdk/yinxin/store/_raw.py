"""Connections of SQLite's driver for transactions of prepared statements alone, past SQLAlchemy's pool and its transactions.

Taking a connection from the pool, beginning, and giving it back costs five times what a statement does. These are handed from
one transaction to the next as they are; they end when the engine is disposed of.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

#: connections that are kept for the next; as many threads may be at it at once, and more take one for a while
_MOST = 32


class RawConnections:
    """The connections of one engine on SQLite; shared by threads, each connection used by one at a time."""

    def __init__(self, engine: sa.Engine, begin: str) -> None:
        self._engine = engine
        self._begin = begin
        self._free: deque[Any] = deque()
        event.listen(engine, "engine_disposed", self._let_go)

    @classmethod
    def of(cls, engine: sa.Engine, begin: str) -> "RawConnections | None":
        """Those of an engine; None where it is no SQLite's."""
        return cls(engine, begin) if engine.dialect.name == "sqlite" else None

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """A driver's connection in a transaction: committed, or rolled back when anything is raised.

        Raises what SQLAlchemy raises of the database.
        """
        free = self._free
        driver = self._taken(free)
        try:
            self._asked(driver, self._begin)
            yield driver
            self._asked(driver, "COMMIT")
        finally:
            if driver.in_transaction:
                driver.rollback()
            self._give_back(driver, free)

    def first(self, statement: str) -> Any:
        """The first column of the first row of a SELECT that is its own transaction; None without a row. Raises the same."""
        free = self._free
        driver = self._taken(free)
        try:
            rows = self._asked(driver, statement).fetchall()
        finally:
            self._give_back(driver, free)
        return rows[0][0] if rows else None

    def _taken(self, free: deque[Any]) -> Any:
        try:
            return free.pop()
        except IndexError:
            return self._new()

    def _give_back(self, driver: Any, free: deque[Any]) -> None:
        if self._free is free and len(free) < _MOST:
            free.append(driver)
        else:  # too many, or of an engine that was disposed of meanwhile
            driver.close()

    def _new(self) -> Any:
        errors: Any = self._engine.dialect.loaded_dbapi.Error
        try:  # which a database does not bear while another process puts it in order after a crash
            pooled = self._engine.raw_connection()
        except errors as error:
            raise self._failure(None, error) from error
        driver = pooled.driver_connection
        pooled.detach()
        return driver

    def _asked(self, driver: Any, statement: str) -> Any:
        errors: Any = self._engine.dialect.loaded_dbapi.Error
        try:
            return driver.execute(statement)
        except errors as error:
            raise self._failure(statement, error) from error

    def _failure(self, statement: str | None, error: Any) -> Exception:
        dialect = self._engine.dialect
        errors: Any = dialect.loaded_dbapi.Error
        raised: Exception = DBAPIError.instance(
            statement, None, error, errors, hide_parameters=True, dialect=dialect
        )
        return raised

    def _let_go(self, _engine: sa.Engine) -> None:
        ended, self._free = self._free, deque()
        while ended:
            ended.pop().close()
