"""What another process does in the database of a site under test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from yinxin.store import open_engine


def committed(url: str, *changes: Any) -> None:
    """Commit these changes; each must meet a row."""
    engine = open_engine(url)
    with engine.begin() as connection:
        for each in changes:
            assert connection.execute(each).rowcount > 0
    engine.dispose()


@contextmanager
def changed(url: str, *changes: Any) -> Iterator[None]:
    """Commit these changes, and take them back: their tables hold the rows that they held."""
    tables = {change.table for change in changes}
    engine = open_engine(url)
    with engine.begin() as connection:
        saved = {table: connection.execute(sa.select(table)).mappings().all() for table in tables}
    committed(url, *changes)
    yield
    with engine.begin() as connection:
        for table, rows in saved.items():
            keys = [each.name for each in table.primary_key]
            before = [{name: row[name] for name in keys} for row in rows]
            for row in connection.execute(sa.select(table)).mappings().all():
                own = {name: row[name] for name in keys}
                if own not in before:
                    connection.execute(sa.delete(table).where(*(table.c[n] == own[n] for n in keys)))
            for row in rows:
                named = [each == row[each.name] for each in table.primary_key]
                if not connection.execute(sa.update(table).where(*named).values(**row)).rowcount:
                    connection.execute(sa.insert(table).values(**row))
    engine.dispose()
