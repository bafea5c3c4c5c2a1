"""One Idempotency-Key, one act: an answer is kept and given again; an act is never done twice.

A request claims its key under a lease and is the key's holder. The holder's first recorded act marks the claim in
the act's own transaction: from then on nobody else may carry the request out, even if the holder dies. Because the
mark demands that the claim is still held, a holder that overslept its lease has its act rolled back.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from yinxin.act import Event
from yinxin.store import Base, Store, housekeeping, marking
from yinxin.web.errors import AnswerLost, IdempotencyKeyReused, RequestUnderWay

#: how long a holder may take before another may try; longer than any server lets a request run
LEASE = timedelta(minutes=5)


class AnswerRow(Base):
    """A claimed key, and its answer once there is one. `request` names the holder; `entry` what it recorded."""

    __tablename__ = "idempotency"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    caller: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    request: Mapped[str] = mapped_column(sa.String(40))
    leased_until: Mapped[datetime]
    created: Mapped[datetime] = mapped_column(index=True)
    entry: Mapped[str | None] = mapped_column(sa.String(40))
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None]
    body: Mapped[bytes | None]


@dataclass(frozen=True, slots=True)
class Claim:
    """A key held by one request."""

    caller: str
    key: str
    digest: str
    request: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer given before."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Answers:
    """The table of claims and kept answers; `kept` is how long an answer is given again."""

    def __init__(self, store: Store, *, kept: timedelta) -> None:
        self._store = store
        self._kept = kept

    def claim(self, claim: Claim) -> Kept | None:
        """Take the key, or give the kept answer; raises IdempotencyKeyReused, RequestUnderWay or AnswerLost."""
        now = self._store.clock.now()
        try:
            with self._store.housekeep() as session:
                row = session.get(AnswerRow, (claim.caller, claim.key), with_for_update=True)
                if row is not None and row.created <= now - self._kept:
                    session.delete(row)
                    session.flush()
                    row = None
                if row is None:
                    session.add(_new(claim, now))
                    return None
                return _take_over(row, claim, now)
        except IntegrityError as error:  # two first requests at once: the other one has it
            raise RequestUnderWay from error

    def keep(self, claim: Claim, answer: Kept) -> None:
        """Store the answer, if the claim is still held."""
        values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        with self._store.housekeep() as session:
            session.execute(sa.update(AnswerRow).where(*_held(claim)).values(values))

    def release(self, claim: Claim) -> None:
        """Give the key back after a refusal: nothing was done, the same key may try again."""
        with self._store.housekeep() as session:
            session.execute(sa.delete(AnswerRow).where(*_held(claim)))

    def sweep(self) -> None:
        """Forget answers older than they are kept."""
        with self._store.housekeep() as session:
            oldest = self._store.clock.now() - self._kept
            session.execute(sa.delete(AnswerRow).where(AnswerRow.created <= oldest))


@contextmanager
def holding(claim: Claim | None) -> Iterator[None]:
    """Acts recorded inside mark `claim`; with None, no claim at all (a request inside another starts so)."""
    with marking(partial(_mark, claim) if claim is not None else None):
        yield


def _new(claim: Claim, now: datetime) -> AnswerRow:
    return AnswerRow(
        caller=claim.caller,
        key=claim.key,
        digest=claim.digest,
        request=claim.request,
        leased_until=now + LEASE,
        created=now,
    )


def _take_over(row: AnswerRow, claim: Claim, now: datetime) -> Kept | None:
    if row.digest != claim.digest:
        raise IdempotencyKeyReused(key=claim.key)
    if row.status is not None:
        return Kept(row.status, row.headers or {}, row.body or b"")
    if row.leased_until > now:
        raise RequestUnderWay
    if row.entry is not None:
        raise AnswerLost(act=row.entry)
    row.request, row.leased_until = claim.request, now + LEASE
    return None


def _held(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        AnswerRow.caller == claim.caller,
        AnswerRow.key == claim.key,
        AnswerRow.request == claim.request,
    )


def _mark(claim: Claim, session: Session, record: Event) -> None:
    """Mark the claim in the transaction that records the act; a claim that is no longer ours undoes the act."""
    marked = session.connection().execute(sa.update(AnswerRow).where(*_held(claim)).values(entry=record.id))
    if marked.rowcount != 1:
        raise RequestUnderWay
