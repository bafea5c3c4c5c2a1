"""A lock that dies with its process, for work that is longer than a transaction and must not be done twice at once."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from yinxin.crypto.suite import INTL
from yinxin.store._trouble import translated


@contextmanager
def alone(engine: sa.Engine, name: str) -> Iterator[bool]:
    """Whether this is the only holder of `name` on this database, for as long as the block lasts; never waits.

    PostgreSQL's own advisory lock, held by a connection; a locked file beside the database of SQLite, which one
    machine has. Either is gone with the process, however it ends. Raises StoreUnavailable.
    """
    if engine.dialect.name == "postgresql":
        key = int.from_bytes(INTL.hash.digest(name.encode())[:8], signed=True)
        with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            held = bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(key))))
            try:
                yield held
            finally:
                if held:
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(key)))
        return
    with open(f"{engine.url.database}.{name}.lock", "w") as file:  # noqa: PTH123 - the database's name, and a suffix
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
