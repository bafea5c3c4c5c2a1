"""The records of one application: begun, read, moved from state to state, listed.

`move` is the one way a record changes: the decision is asked first, outside any transaction; then, in one recorded act,
the row is locked, found unmoved, changed, its clocks are turned, and the step is added to the timeline. Of two who act
at once on what both have seen, one is done and the other hears MovedOn or WrongState.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from yinxin.act import SYSTEM
from yinxin.authz import Resource
from yinxin.calendar import Calendar
from yinxin.deadline import Period, Term
from yinxin.errors import NotPermitted
from yinxin.evidence import SIGNED_DELEGATION, SignedDelegation
from yinxin.flow.clocks import ClockState, Turn, counted, rows_of, stale, states_of
from yinxin.flow.core import Core, Desk
from yinxin.flow.errors import MovedOn, NoSuchRecord, SignatureMissing
from yinxin.flow.life import Life, Transition
from yinxin.flow.models import ClockRow, Item, Signature, Step
from yinxin.flow.sign import Proof
from yinxin.store import Act, Columns, Road, Store, Taken, newest, newest_by

R = TypeVar("R", bound=Item)


@dataclass(frozen=True, kw_only=True)
class Records(Generic[R]):
    """A life, and the table whose rows live it.

    `resource` shows a row to the policies, and `columns` says where the table keeps the same. `terms` gives, for each
    clock, how long a record has: terms are data, from the settings or a table of the application's own.
    """

    life: Life
    table: type[R]
    resource: Callable[[R], Resource]
    columns: Columns
    terms: Mapping[str, Callable[[R], Term]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a life with a clock of which nobody says how long it runs."""
        if missing := set(self.life.clocks) - set(self.terms):
            raise TypeError(f"{self.life.name}: no term for {min(missing)}")

    # --- one record ---

    def subject(self, record: str) -> str:
        """A record as the log names it."""
        return f"{self.life.name}:{record}"

    def load(self, session: Session, record: str, *, lock: bool = False) -> R:
        """The row; raises NoSuchRecord."""
        row = session.get(self.table, record, with_for_update=lock or None)
        if row is None:
            raise NoSuchRecord(thing=self.life.thing, record=record)
        return row

    def snapshot(self, desk: Desk[Core], record: str) -> R:
        """The record as it stands, detached; nobody has asked yet whether this person may see it."""
        with desk.store.read() as session:
            row = self.load(session, record)
            session.expunge(row)
            return row

    def read(self, desk: Desk[Core], record: str) -> R:
        """The record, if this person may read it; a refusal does not tell whether it exists to those who may not."""
        row = self.snapshot(desk, record)
        try:
            desk.core.require(self.life.read, self.resource(row))
        except NotPermitted as error:
            hidden = NoSuchRecord(thing=self.life.thing, record=record)
            hidden.entry = error.entry
            raise hidden from error
        return row

    def in_turn(self, row: R, verb: str) -> Transition:
        """The transition; raises WrongState unless it leads on from where the record is."""
        return self.life.in_turn(row.id, row.state, verb)

    # --- acts ---

    @contextmanager
    def begin(
        self,
        desk: Desk[Core],
        row: R,
        verb: str,
        *,
        signed: Proof | None = None,
        taken: Taken | None = None,
        **facts: Any,
    ) -> Iterator[Act]:
        """Begin `row`; raises NotPermitted or what the block raises. `taken` as `Store.act` has it.

        What the policies are told of it is filled in before, the rest may be in the block. A block that adds what
        hangs on the row adds the row first.
        """
        transition = self.life.transition(verb)
        if transition.sources or transition.to is None:
            raise TypeError(f"{verb} begins no record")
        now = desk.store.clock.now()
        row.state, row.version, row.created_at, row.updated_at = transition.to, 1, now, now
        self._sound(transition, None, signed)
        decision = desk.core.require(verb, self.resource(row))
        calendar = desk.core.calendar() if transition.timed else Calendar()
        with desk.store.act(desk.caller.actor, verb, self.subject(row.id), taken=taken, **facts) as act:
            act.decision = dict(decision)
            yield act
            act.session.add(row)
            act.session.flush()
            self._step(desk, act, row, transition, signed=signed)
            self._turn(act, row, transition, calendar)
            _leave(act, row)

    @contextmanager
    def move(
        self,
        desk: Desk[Core],
        record: str,
        verb: str,
        *,
        seen: R | None = None,
        comment: str | None = None,
        signed: Proof | None = None,
        more: int = 0,
        **facts: Any,
    ) -> Iterator[tuple[Act, R]]:
        """Change a record by `verb`; raises NotPermitted, WrongState, MovedOn, ReasonMissing or what the caller's block raises.

        `seen` is the record as it stood when what is now to be stored was made from it: it must not have moved since.
        `more` is by how much an extension makes a clock's term longer. Whoever may not even read the record is told
        that there is none.
        """
        transition = self.life.transition(verb)
        self._sound(transition, comment, signed)
        seen = seen or self.snapshot(desk, record)
        try:
            decision = desk.core.require(verb, self.resource(seen))
        except NotPermitted:
            self.read(desk, record)
            raise
        calendar = desk.core.calendar() if transition.timed else Calendar()
        with desk.store.act(desk.caller.actor, verb, self.subject(record), **facts) as act:
            act.decision = dict(decision)
            row = self.load(act.session, record, lock=True)
            self.in_turn(row, verb)
            if row.version != seen.version and not transition.beside:
                raise MovedOn(thing=self.life.thing, record=record)
            yield act, row
            if transition.to is not None and row.state not in transition.instead:
                row.state = transition.to
            row.version += not transition.beside
            row.updated_at = desk.store.clock.now()
            self._step(desk, act, row, transition, comment=comment, signed=signed)
            self._turn(act, row, transition, calendar, reason=comment or "", more=more)
            _leave(act, row)

    def _sound(self, transition: Transition, comment: str | None, signed: Proof | None) -> None:
        transition.demand_reason(comment)
        if transition.signed and signed is None:
            raise SignatureMissing(verb=transition.text)

    def _step(
        self,
        desk: Desk[Core],
        act: Act,
        row: R,
        transition: Transition,
        *,
        comment: str | None = None,
        signed: Proof | None,
    ) -> None:
        """Add to the timeline, and the signed statement to its step, within the act."""
        place = {"flow": self.life.name, "item": row.id}
        last = sa.select(sa.func.max(Step.position)).where(Step.flow == self.life.name, Step.item == row.id)
        position = (act.session.scalar(last) or 0) + 1
        actor, now = desk.caller.actor, desk.store.clock.now()
        who = {"person": actor.id, "organ": actor.organ}
        act.session.add(
            Step(
                **place,
                **who,
                position=position,
                verb=transition.verb,
                post=actor.post,
                at=now,
                comment=comment,
                entry=act.id,
            )
        )
        if signed is not None and signed.delegation:
            act.facts[SIGNED_DELEGATION] = SignedDelegation.decode(signed.delegation).sha256
        if signed is not None:
            act.session.add(
                Signature(
                    **place,
                    person=actor.id,
                    organ=actor.organ or "",
                    position=position,
                    type=transition.verb,
                    statement=signed.statement,
                    cms=signed.cms,
                    ocsp=signed.ocsp,
                    attributes=signed.attributes or None,
                    delegation=signed.delegation or None,
                    at=now,
                )
            )

    def _turn(
        self, act: Act, row: R, transition: Transition, calendar: Calendar, *, reason: str = "", more: int = 0
    ) -> None:
        if not self.life.clocks:
            return
        turn = Turn(self.life, row.id, act.session, row.updated_at, calendar)
        terms = {name: self.terms[name](row) for name in transition.starts}
        ended = transition.ends if not transition.instead or row.state in transition.instead else ()
        over = self.life.ended(row.state)
        due = turn.turn(transition, terms, reason, ends=over, more=more, ended=ended)
        if transition.timed:
            act.facts["due"] = due

    # --- what is kept of them ---

    def steps(self, session: Session, record: str) -> list[Step]:
        """The timeline, in order."""
        mine = (Step.flow == self.life.name, Step.item == record)
        return list(session.scalars(sa.select(Step).where(*mine).order_by(Step.position)))

    def signatures(self, session: Session, record: str) -> list[Signature]:
        """The signed statements, in order."""
        mine = (Signature.flow == self.life.name, Signature.item == record)
        return list(session.scalars(sa.select(Signature).where(*mine).order_by(Signature.position)))

    def clocks(self, desk: Desk[Core], records: Sequence[str]) -> dict[str, list[ClockState]]:
        """The clocks of some records, by record."""
        with desk.store.read() as session:
            rows = rows_of(session, self.life, records)
            session.expunge_all()
        # the core is asked outside any transaction, and not at all when there is nothing to count
        return states_of(rows, desk.core.calendar(), desk.store.clock.now()) if rows else {}

    def recount(self, store: Store, calendar: Calendar) -> int:
        """Count the clocks again that were counted by another calendar, recorded; how many are due at another time.

        For a job: a provisional deadline is made good when its year is published.
        """
        changed = 0
        while True:
            with store.read() as session:
                if not stale(session, self.life, calendar, lock=False):
                    return changed
            with store.act(SYSTEM, self.life.recount, f"{self.life.name}s") as act:
                moved = [
                    row.item
                    for row in stale(act.session, self.life, calendar, lock=True)
                    if counted(row, Period.of(row.period), calendar)
                ]
                act.facts |= {"calendar": calendar.digest, "moved": moved}
            changed += len(moved)

    # --- lists ---

    def overdue(self, store: Store) -> sa.ColumnElement[bool]:
        """A condition on the table's rows: some clock of theirs is over."""
        late = sa.select(ClockRow.item).where(
            ClockRow.flow == self.life.name,
            ClockRow.ended_at.is_(None),
            ClockRow.due <= store.clock.now(),
        )
        found: sa.ColumnElement[bool] = self._id().in_(late)
        return found

    def page(
        self,
        desk: Desk[Core],
        query: sa.Select[Any] | Sequence[Road],
        *,
        after: str | None = None,
        limit: int = 50,
    ) -> tuple[list[R], str | None]:
        """A page of the rows of `query` that this person may read, newest first, and the cursor of the next page.

        A record may be above her clearance: which ones she may read is asked once, and is part of the query. Lists that have
        indexes of their own are given as roads, and stay quick however many records there are.
        """
        permitted, key = desk.core.visible(self.life.read), self._id()
        with desk.store.read() as session:
            rows: list[R]
            if isinstance(query, sa.Select):
                wanted = query.where(key < after) if after else query
                rows = newest(session, wanted, permitted, self.columns, key=key, limit=limit + 1)
            else:
                roads = [each.before(key, after) for each in query] if after else query
                rows = newest_by(session, roads, permitted, self.columns, key=key, limit=limit + 1)
            session.expunge_all()
        page = rows[:limit]
        return page, page[-1].id if len(rows) > limit else None

    def every(self, desk: Desk[Core], query: sa.Select[Any], *, most: int) -> Iterator[R]:
        """The rows of all pages, `most` at most: for files."""
        after: str | None = None
        while most > 0:
            rows, after = self.page(desk, query, after=after, limit=min(most, 200))
            yield from rows
            most -= len(rows)
            if after is None:
                return

    def _id(self) -> Any:
        """The column of identifiers, which are in order of time."""
        return cast("Any", self.table).id


def _leave(act: Act, row: Item) -> None:
    """Write it, and let the caller keep it as it is now: after the commit it could not be looked at any more."""
    act.session.flush()
    act.session.expunge(row)
