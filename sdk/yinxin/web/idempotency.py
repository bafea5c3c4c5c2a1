"""One Idempotency-Key, one act: an answer is kept and given again; an act is never done twice.

A request claims its key under a lease and is the key's holder. The holder's first recorded act marks the claim in
the act's own transaction: from then on nobody else may carry the request out, even if the holder dies. Because the
mark demands that the claim is still held, a holder that overslept its lease has its act rolled back.

Where an operation does nothing at all before its first recorded act, that act can be the claim (`Hold`): of several
requests with one key only one can write it down, and nothing is left of the others. Its answer can then be kept by the
transaction that completes the work (`answering`). Several requests that share their transactions claim their keys, and
have their answers kept, by one statement each (`Hold.together`); one that another has undoes them all, and each goes alone.

An answer that holds a secret is kept nowhere. Its key stays used up: whoever asks again hears AnswerLost. So does whoever
comes again after a request that did something and then failed; one that only meant to, or did nothing, gives its key back.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context as Surroundings
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from operator import itemgetter
from typing import Any, cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from yinxin.act import Actor, Event, Outcome
from yinxin.store import (
    Base,
    Sql,
    Store,
    Within,
    current_entries,
    housekeeping,
    listed,
    marking,
    request_scope,
)
from yinxin.text import Text
from yinxin.web.errors import LOOK, AnswerLost, IdempotencyKeyReused, RequestUnderWay

#: characters of a key, at most
LONGEST_KEY = 128
#: how long a holder may take before another may try; longer than any server lets a request run
LEASE = timedelta(minutes=5)
_hold: ContextVar["Hold | None"] = ContextVar("hold", default=None)


def fit(key: str) -> bool:
    """Whether a key is one: visible characters of ASCII, not too many."""
    return 1 <= len(key) <= LONGEST_KEY and all("!" <= character <= "~" for character in key)


def caller_of(actor: Actor) -> str:
    """Whose key it is."""
    return f"{actor.kind}:{actor.id}:{actor.post or ''}"


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
    """A key held by one request.

    `secret` says what to do about a lost answer, where the answer holds a secret and is therefore not kept. `meant` are the
    entries, written down or not, that record no more than an intent or a failure.
    """

    caller: str
    key: str
    digest: str
    request: str
    secret: Text | None = None
    meant: set[str] = field(default_factory=set, compare=False)

    def mark(self, record: Event) -> bool:
        """Whether `record` says that something was done."""
        done = record.outcome is Outcome.DONE
        if not done:
            self.meant.add(record.id)
        return done


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer given before."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Hold:
    """A request that will claim its key by its first act, or has; `kept` is its answer once an act has kept it."""

    def __init__(self, claim: Claim, now: datetime) -> None:
        self.claim = claim
        self.kept: Kept | None = None
        #: whether the claim was, or may have been, written down
        self.tried = False
        self._now = now
        #: by the transaction of the act that it goes with
        self._made: WeakKeyDictionary[sa.Connection, Kept] = WeakKeyDictionary()
        #: in them, from wherever the act is carried out, it is told what this request recorded so far
        self._surroundings = copy_context()

    def answer(self, session: Session, status: int, body: bytes) -> None:
        """Keep this JSON as the answer with the act of `session`, if that is committed."""
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        bound = session.bind
        within = bound if isinstance(bound, sa.Connection) else session.connection()
        self._made[within] = Kept(status, headers, body)

    def __call__(self, connection: sa.Connection, record: Event) -> None:
        """Claim, in the transaction that records the act; raises RequestUnderWay, which undoes it, when another has."""
        self.together(connection, [(self, record)])

    @staticmethod
    def together(connection: sa.Connection, marks: Sequence[tuple["Hold", Event]]) -> None:
        """The same for the keys of several requests, claimed by one statement: when another has one of them, all is undone."""
        rows: dict[Sql, list[dict[str, Any]]] = {}
        answers = []
        for hold, record in marks:
            put, values, kept = hold.putting(connection, record)
            rows.setdefault(put, []).append(values)
            answers.append((hold, kept))
        for put, alike in rows.items():
            # in one order everywhere: groups of two processes never wait for each other
            alike.sort(key=_PLACE)
            if put.run_many(connection, alike) != len(alike):
                raise RequestUnderWay
        for hold, kept in answers:
            hold.kept = kept or hold.kept

    def putting(self, connection: sa.Connection, record: Event) -> tuple[Sql, dict[str, Any], Kept | None]:
        """What writes the claim down with the act that is recorded so, the values of its row, and the answer among them."""
        self.tried = True
        kept = self._made.pop(connection, None)
        if kept is not None:
            told = ", ".join([*self._surroundings.run(current_entries), record.id])
            kept = Kept(kept.status, {**kept.headers, "Audit-Entry": told}, kept.body)
        done = self.claim.mark(record)
        put, values = _putting(connection, self.claim, self._now, entry=record.id, done=done, kept=kept)
        return put, values, kept


class Answers:
    """The table of claims and kept answers; `kept` is how long an answer is given again."""

    def __init__(self, store: Store, *, kept: timedelta) -> None:
        self.store = store
        self._kept = kept

    def claim(self, claim: Claim) -> Kept | None:
        """Take the key, or give the kept answer; raises IdempotencyKeyReused, RequestUnderWay or AnswerLost."""
        now = self.store.clock.now()
        try:
            # the act that follows brings the claim along to the disk; without the act the claim is worth nothing
            with self.store.housekeep(lasting=False) as session:
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

    def look(self, claim: Claim) -> Kept | Hold:
        """The kept answer, or a hold on a key that nobody has; raises as `claim`."""
        now = self.store.clock.now()
        with self.store.look() as look:
            found = _CREATED.first(look, {"of": claim.caller, "known": claim.key})
        hold = Hold(claim, now)
        if found is None:
            return hold
        # somebody has it, or had: that is settled with the row in hand
        hold.tried = True
        return self.claim(claim) or hold

    def keep(self, claim: Claim, answer: Kept) -> None:
        """Store the answer, if the claim is still held or nobody has the key; one that holds a secret is not stored."""
        with self.store.housekeep() as session:
            if claim.secret is None:
                _put(session.connection(), claim, self.store.clock.now(), kept=answer)
            else:
                _use_up(session, claim, self.store.clock.now(), frozenset())

    def release(self, claim: Claim) -> None:
        """After a refusal: where nothing was done the same key may try again, else it stays used up."""
        release(self.store, claim)

    def sweep(self) -> None:
        """Forget answers older than they are kept."""
        with self.store.housekeep() as session:
            oldest = self.store.clock.now() - self._kept
            session.execute(sa.delete(AnswerRow).where(AnswerRow.created <= oldest))


@contextmanager
def holding(held: Claim | Hold | None) -> Iterator[None]:
    """Acts recorded inside mark the claim; with None, no claim at all (a request inside another starts so)."""
    hold = held if isinstance(held, Hold) else None
    token = _hold.set(hold)
    try:
        with marking(hold or (partial(_mark, held) if isinstance(held, Claim) else None)):
            yield
    finally:
        _hold.reset(token)


@dataclass(frozen=True, slots=True)
class Begun:
    """A request whose first act will claim its key, and the surroundings in which whatever is recorded is recorded for it."""

    hold: Hold
    surroundings: Surroundings
    #: what was recorded for it so far
    entries: list[str]


def begun(claim: Claim, now: datetime) -> Begun:
    """A request on the quick way, in surroundings of its own, as `holding` and `request_scope` make them for one in a thread."""
    with request_scope(claim.request) as entries:
        hold = Hold(claim, now)
        with holding(hold):
            return Begun(hold, copy_context(), entries)


def known(within: Within, claims: Sequence[Claim]) -> frozenset[tuple[str, str]]:
    """Those of the keys, each with whose it is, that somebody has or had: what that means is settled with the row in hand."""
    asked = {
        "callers": sorted({each.caller for each in claims}),
        "keys": sorted({each.key for each in claims}),
    }
    return frozenset((row.caller, row.key) for row in _KNOWN.all(within, asked))


def release(store: Store, claim: Claim) -> None:
    """As `Answers.release`."""
    with store.housekeep(lasting=False) as session:
        _use_up(session, claim, store.clock.now(), claim.meant)


def answering() -> Hold | None:
    """The hold of the present request, which can be given the answer within its act; None when it has none."""
    return _hold.get()


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
        raise AnswerLost(act=row.entry, remedy=claim.secret or LOOK)
    row.request, row.leased_until = claim.request, now + LEASE
    return None


def _held(claim: Claim) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        AnswerRow.caller == claim.caller,
        AnswerRow.key == claim.key,
        AnswerRow.request == claim.request,
    )


def _use_up(session: Session, claim: Claim, now: datetime, meant: Collection[str]) -> None:
    """End the lease: what was done is never done again. A key under which nothing was, or was only `meant`, is free."""
    nothing = sa.or_(AnswerRow.entry.is_(None), AnswerRow.entry.in_(meant))
    session.execute(sa.delete(AnswerRow).where(*_held(claim), nothing))
    session.execute(sa.update(AnswerRow).where(*_held(claim)).values(leased_until=now))


def _mark(claim: Claim, connection: sa.Connection, record: Event) -> None:
    """Mark the claim in the transaction that records the act; a claim that is no longer ours undoes the act."""
    named = {"of": claim.caller, "known": claim.key, "holder": claim.request}
    mark = _MARK if claim.mark(record) else _MARK_MEANT
    if mark.run(connection, named | {"marked": record.id}) != 1:
        raise RequestUnderWay


def _put(connection: sa.Connection, claim: Claim, now: datetime, *, kept: Kept) -> bool:
    """Write the claim down with its answer; False, and nothing is written, when another request has the key."""
    put, values = _putting(connection, claim, now, kept=kept)
    return put.run(connection, values) == 1


def _putting(
    connection: sa.Connection,
    claim: Claim,
    now: datetime,
    *,
    entry: str | None = None,
    done: bool = True,
    kept: Kept | None = None,
) -> tuple[Sql, dict[str, Any]]:
    """What writes the claim down, or what is new of it, where no other request has the key; and the values of the row."""
    values = dict(
        zip(_CLAIMED, (claim.caller, claim.key, claim.digest, claim.request, now + LEASE, now), strict=True)
    )
    new: dict[str, Any] = {} if entry is None else {"entry": entry}
    if kept is not None:
        new |= {"status": kept.status, "headers": dict(kept.headers), "body": kept.body}
    return _put_of(connection.dialect.name, tuple(new), done), values | new


@cache
def _put_of(dialect: str, new: tuple[str, ...], done: bool) -> Sql:  # noqa: FBT001 - a key of the cache
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(_TABLE)
    changed: dict[str, Any] = {name: insert.excluded[name] for name in new}
    if "entry" in changed and not done:  # what was only meant never hides what was done
        changed["entry"] = sa.func.coalesce(_TABLE.c.entry, insert.excluded.entry)
    put = insert.on_conflict_do_update(
        index_elements=[_TABLE.c.caller, _TABLE.c.key],
        set_=changed,
        where=_TABLE.c.request == insert.excluded.request,
    )
    return Sql(put, *_CLAIMED, *new)


#: by which rows are ordered
_PLACE = itemgetter("caller", "key")
_TABLE = cast("sa.Table", AnswerRow.__table__)
_NAMED = (_TABLE.c.caller == sa.bindparam("of"), _TABLE.c.key == sa.bindparam("known"))
_CLAIMED = ("caller", "key", "digest", "request", "leased_until", "created")
_CREATED = Sql(sa.select(_TABLE.c.created).where(*_NAMED))
_KNOWN = Sql(
    sa.select(_TABLE.c.caller, _TABLE.c.key).where(
        listed(_TABLE.c.caller, "callers"), listed(_TABLE.c.key, "keys")
    )
)
_OURS = sa.update(_TABLE).where(*_NAMED, _TABLE.c.request == sa.bindparam("holder"))
_MARK = Sql(_OURS.values(entry=sa.bindparam("marked")))
_MARK_MEANT = Sql(_OURS.values(entry=sa.func.coalesce(_TABLE.c.entry, sa.bindparam("marked"))))
