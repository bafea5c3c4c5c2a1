"""What cannot go to another site rests, ever longer, and holds up nothing else: neither another copy nor another site."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from yinxin.distribution.carrier import Key
from yinxin.distribution.models import Rest
from yinxin.errors import InternalError, YinxinError
from yinxin.store import Store

_log = logging.getLogger("yinxin.distribution")
#: after the first failure, and at most: what was mended goes soon
FIRST, LONGEST = timedelta(seconds=5), timedelta(minutes=15)


def rested(
    flow: str, item: sa.ColumnElement[str], organ: sa.ColumnElement[str], now: datetime
) -> sa.ColumnElement[bool]:
    """That what these columns name may be tried now."""
    return ~sa.exists().where(Rest.flow == flow, Rest.item == item, Rest.organ == organ, Rest.due > now)


class Turns:
    """The tries of one round: each by itself, whatever becomes of the others."""

    def __init__(self, store: Store, flow: str) -> None:
        self._store = store
        self._flow = flow
        self.failed: list[YinxinError] = []
        with store.read() as session:
            rows = session.execute(sa.select(Rest.item, Rest.organ).where(Rest.flow == flow))
            self._failed_before = {(item, organ) for item, organ in rows}

    @contextmanager
    def turn(self, item: str, organ: str) -> Iterator[None]:
        """Try one: when it fails it rests, and this does not raise."""
        key = Key(self._flow, item, organ)
        try:
            yield
        except YinxinError as error:
            self.failed.append(error)
            rest(self._store, key, error)
        except Exception as error:  # noqa: BLE001 - a fault of ours, or a file that is gone: the others go all the same
            _log.exception("%s %s for %s failed", key.flow, key.item, key.organ)
            told = InternalError()
            told.__cause__ = error
            self.failed.append(told)
            rest(self._store, key, told)
        else:
            if (item, organ) in self._failed_before:
                gone(self._store, key)


def rest(store: Store, key: Key, error: YinxinError) -> None:
    """It could not go: let it rest, twice as long as the last time."""
    now = store.clock.now()
    with store.housekeep(lasting=False) as session:
        row = session.get(Rest, (key.flow, key.item, key.organ))
        if row is None:
            row = Rest(flow=key.flow, item=key.item, organ=key.organ, since=now, failures=0)
            session.add(row)
            _log.warning("%s %s for %s cannot go yet: %s", key.flow, key.item, key.organ, error)
        row.due = now + min(FIRST * 2 ** min(row.failures, 10), LONGEST)
        row.failures, row.error = row.failures + 1, error.code[:80]


def gone(store: Store, key: Key) -> None:
    """It has gone, or need not any more."""
    with store.housekeep(lasting=False) as session:
        session.execute(
            sa.delete(Rest).where(Rest.flow == key.flow, Rest.item == key.item, Rest.organ == key.organ)
        )


def longest(store: Store, *flows: str) -> tuple[int, datetime | None, str | None]:
    """How many rest after a failure, since when the first of them, and why it does."""
    mine = Rest.flow.in_(flows)
    with store.read() as session:
        number = session.scalar(sa.select(sa.func.count()).where(mine)) or 0
        first = session.scalars(sa.select(Rest).where(mine).order_by(Rest.since).limit(1)).first()
        return (number, None, None) if first is None else (number, first.since, first.error)
