"""Distribution with receipts: one object, sent from an organ to others, each with a copy that must be answered for.

    COPIES = Distribution("document", Text("公文", "document"))
    LIFE = Life(name="document", …, transitions=(…, *COPIES.transitions(("dispatched",))))
    with DOCUMENTS.move(desk, id, "document.dispatch") as (act, row):
        COPIES.send(desk, act, id, recipients(main, copies), term=term, calendar=calendar)
    with DOCUMENTS.move(desk, id, "document.receive", signed=proof) as (act, row):
        COPIES.receive(desk, act, id)

Every verb joins the act that the application has begun on its object, which holds the object's row: of two who answer for the
same copy at once one is done, and the other is told what it is by then. Who may is in the application's policies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from yinxin.calendar import Calendar
from yinxin.deadline import Period, Term, count
from yinxin.distribution.choose import Recipient
from yinxin.distribution.errors import (
    AlreadyAnswered,
    NobodyNew,
    NotARecipient,
    NothingOpen,
    NotReceived,
    ToBeGivenBack,
    UrgedEnough,
)
from yinxin.distribution.models import HELD, OPEN, Copy, Role, State
from yinxin.flow import Core, Desk, Transition
from yinxin.module import Verb
from yinxin.store import Act, Kept, Lead
from yinxin.text import Text

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Distribution:
    """The copies of the objects of one life, `flow`; `thing` is what people call such an object.

    A recipient is urged `urges` times at most, `rest` apart.
    """

    flow: str
    thing: Text
    urges: int = 5
    rest: timedelta = timedelta(hours=4)

    # --- declaring ---

    def transitions(self, during: tuple[str, ...]) -> tuple[Transition, ...]:
        """What people do to copies while the object is in one of these states, for its life; the object stays as it is."""

        def of(verb: str, text: Text, *, signed: bool = False, reason: bool = False) -> Transition:
            return Transition(f"{self.flow}.{verb}", text, during, signed=signed, reason=reason, beside=True)

        return (
            of("receive", Text("签收", "sign for"), signed=True),
            of("return", Text("退文", "return"), signed=True, reason=True),
            of("urge", Text("催收", "urge")),
            of("withdraw", Text("撤回", "withdraw"), reason=True),
            of("redispatch", Text("转发下级", "pass down")),
            of("recall", Text("清退", "recall copies"), reason=True),
            of("give-back", Text("交回", "give back"), signed=True),
        )

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What the platform itself records of copies, for the module's registration."""
        thing = self.thing
        return (
            Verb(f"{self.flow}.carry", Text(f"{thing.zh}已交换发出", f"a {thing.en} taken to another site")),
            Verb(
                f"{self.flow}.learn",
                Text(f"{thing.zh}的外站回执", f"a receipt of another site for a {thing.en}"),
            ),
            Verb(
                f"{self.flow}.recount-receipts",
                Text("重新计算签收期限", "count the time to sign for copies again"),
            ),
        )

    # --- the sender's acts ---

    def send(
        self,
        desk: Desk[Core],
        act: Act,
        item: str,
        to: Sequence[Recipient],
        *,
        term: Term,
        calendar: Calendar,
        elsewhere: frozenset[str] = NOBODY,
    ) -> list[str]:
        """Give each recipient a copy who has none; the organs that got one. Raises NobodyNew.

        Those of this site have it at once, and the act is its proof; those `elsewhere` wait for the carrier.
        """
        now, sender = desk.store.clock.now(), desk.caller.actor.organ or ""
        there = {each.organ for each in self.copies(act.session, item)}
        new = [each for each in to if each.organ not in there]
        if not new:
            raise NobodyNew(thing=self.thing, record=item)
        for each in new:
            away = each.organ in elsewhere
            row = Copy(flow=self.flow, item=item, organ=each.organ, sender=sender, role=each.role, away=away)
            row.made_at, row.urged = now, 0
            row.state = State.WAITING if away else State.DELIVERED
            row.sent_at = row.delivered_at = None if away else now
            time_for(row, Period(term, now), calendar)
            act.session.add(row)
        act.facts["recipients"] = [each.organ for each in new]
        act.facts["copied_to"] = [each.organ for each in new if each.role is Role.COPY]
        return [each.organ for each in new]

    def withdraw(
        self, desk: Desk[Core], act: Act, item: str, reason: str, organs: Sequence[str] = ()
    ) -> list[str]:
        """Take back what nobody has answered for, of these organs or of all; those that have lost it.

        What is at another site is asked back there: its answer decides which was first. Raises AlreadyAnswered of an organ that is
        named, NothingOpen.
        """
        now, gone = desk.store.clock.now(), []
        for row in self._mine(desk, act, item, organs, "withdraw"):
            row.reason = reason
            if row.away:
                row.asked_back_at = now
            else:
                row.state, row.answered_at = State.WITHDRAWN, now
                gone.append(row.organ)
        act.facts["withdrawn"] = gone
        return gone

    def urge(self, desk: Desk[Core], act: Act, item: str, organs: Sequence[str] = ()) -> list[str]:
        """Note that those who have not answered were urged, and who they are; raises UrgedEnough of one named, or if all were.

        It shows with the recipient's copy, at another site too.
        """
        now, told = desk.store.clock.now(), []
        rows = self._mine(desk, act, item, organs, "urge")
        for row in rows:
            if row.urged < self.urges and (row.urged_at is None or row.urged_at + self.rest <= now):
                row.urged, row.urged_at = row.urged + 1, now
                told.append(row.organ)
            elif organs:
                raise self._enough(row)
        if not told:
            raise self._enough(rows[0])
        act.facts["urged"] = told
        return told

    def recall(
        self, desk: Desk[Core], act: Act, item: str, reason: str, organs: Sequence[str] = ()
    ) -> list[str]:
        """Have copies given back that were signed for (清退), those at other sites too; raises NothingOpen."""
        now = desk.store.clock.now()
        rows = self._mine(desk, act, item, organs, "recall")
        for row in rows:
            row.recalled_at, row.reason = row.recalled_at or now, reason
        act.facts["recalled"] = [row.organ for row in rows]
        return [row.organ for row in rows]

    # --- the recipient's acts ---

    def receive(self, desk: Desk[Core], act: Act, item: str) -> Copy:
        """The recipient has signed for it; raises NotARecipient, AlreadyAnswered."""
        return self._answered(desk, act, item, State.RECEIVED)

    def return_(self, desk: Desk[Core], act: Act, item: str, reason: str) -> Copy:
        """The recipient sends it back; raises NotARecipient, AlreadyAnswered."""
        row = self._answered(desk, act, item, State.RETURNED)
        row.reason = reason
        return row

    def give_back(self, desk: Desk[Core], act: Act, item: str) -> Copy:
        """The recipient has it no longer; raises NotARecipient, NotReceived unless it was recalled."""
        row = self.held(desk, act.session, item)
        if row.recalled_at is None:
            raise NothingOpen(thing=self.thing, record=item, verb=Text("交回", "give back"))
        row.state, row.answered_at = State.GIVEN_BACK, desk.store.clock.now()
        return row

    def held(self, desk: Desk[Core], session: Session, item: str) -> Copy:
        """The copy that the person's organ has signed for, locked; raises NotARecipient, NotReceived."""
        row = self._own(desk, session, item)
        if row.state != State.RECEIVED:
            raise NotReceived(organ=row.organ, thing=self.thing, record=item, state=State(row.state).text)
        return row

    def passed_on(self, desk: Desk[Core], session: Session, item: str) -> Copy:
        """The copy that the person's organ may pass down, locked; raises as `held`, and ToBeGivenBack once it is recalled."""
        row = self.held(desk, session, item)
        if row.recalled_at is not None:
            raise ToBeGivenBack(thing=self.thing, record=item)
        return row

    # --- looking ---

    def copies(self, session: Session, item: str) -> list[Copy]:
        """Every recipient's copy: main recipients first, in the order of organs."""
        mine = (Copy.flow == self.flow, Copy.item == item)
        query = sa.select(Copy).where(*mine).order_by(Copy.role.desc(), Copy.organ)
        return list(session.scalars(query))

    def sent_to(self, organ: str, item: Kept) -> Lead:
        """What leads to the objects (`item` is their identifier) that an organ has a copy of to read."""
        return self._lead(organ, item, Copy.state.in_(HELD))

    def to_sign_for(self, organ: str, item: Kept) -> Lead:
        """What leads to the objects that an organ has to sign for."""
        # nothing is registered that was not signed for; said, it lets one index give them in order, whatever else there is
        return self._lead(organ, item, Copy.state == State.DELIVERED, Copy.registered_at.is_(None))

    def to_give_back(self, organ: str, item: Kept) -> Lead:
        """What leads to the objects that an organ has signed for and is to give back."""
        return self._lead(organ, item, Copy.state == State.RECEIVED, Copy.recalled_at.is_not(None))

    def to_register(self, organ: str, item: Kept) -> Lead:
        """What leads to the objects that an organ has signed for and not yet entered in its own books."""
        return self._lead(organ, item, Copy.state == State.RECEIVED, Copy.registered_at.is_(None))

    def _lead(self, organ: str, item: Kept, *standing: sa.ColumnElement[bool]) -> Lead:
        on = sa.and_(Copy.item == item, Copy.flow == self.flow, Copy.organ == organ, *standing)
        return Lead(Copy, on, Copy.item)

    def overdue(self, now: datetime) -> sa.ColumnElement[bool]:
        """A condition on copies: nobody has answered in time."""
        return sa.and_(Copy.flow == self.flow, Copy.state.in_(OPEN), Copy.due <= now)

    # --- within ---

    def _own(self, desk: Desk[Core], session: Session, item: str) -> Copy:
        organ = desk.caller.actor.organ or ""
        row = session.get(Copy, (self.flow, item, organ), with_for_update=True)
        if row is None:
            raise NotARecipient(thing=self.thing, record=item, organ=organ)
        return row

    def _answered(self, desk: Desk[Core], act: Act, item: str, state: State) -> Copy:
        row = self._own(desk, act.session, item)
        if row.state != State.DELIVERED:
            raise self._over(row)
        row.state, row.answered_at = state, desk.store.clock.now()
        return row

    def _mine(self, desk: Desk[Core], act: Act, item: str, organs: Sequence[str], verb: str) -> list[Copy]:
        """The copies that the person's organ sent, in a state that the verb is for, locked; of organs that are named, each must be."""
        mine = (Copy.flow == self.flow, Copy.item == item, Copy.sender == (desk.caller.actor.organ or ""))
        query = sa.select(Copy).where(*mine).order_by(Copy.organ).with_for_update()
        sent = {row.organ: row for row in act.session.scalars(query)}
        wanted = (State.RECEIVED,) if verb == "recall" else OPEN
        for organ in organs:
            if organ not in sent:
                raise NotARecipient(thing=self.thing, record=item, organ=organ)
            if sent[organ].state not in wanted:
                raise self._over(sent[organ])
        found = [row for row in sent.values() if row.state in wanted and (not organs or row.organ in organs)]
        if not found:
            text = next(each.text for each in self.transitions(()) if each.verb == f"{self.flow}.{verb}")
            raise NothingOpen(thing=self.thing, record=item, verb=text)
        return found

    def _over(self, row: Copy) -> AlreadyAnswered:
        state = State(row.state).text
        return AlreadyAnswered(thing=self.thing, record=row.item, organ=row.organ, state=state)

    def _enough(self, row: Copy) -> UrgedEnough:
        hours = int(self.rest / timedelta(hours=1))
        return UrgedEnough(organ=row.organ, most=self.urges, hours=hours)


def time_for(row: Copy, period: Period, calendar: Calendar) -> bool:
    """Write down how long there is to sign for a copy, and when that is over by this calendar; whether that has changed."""
    due = count(period, calendar)
    changed = (row.due, row.provisional) != (due.at, due.provisional)
    row.period, row.due, row.provisional, row.calendar = (
        period.fields(),
        due.at,
        due.provisional,
        calendar.digest,
    )
    return changed


def arrive(act: Act, copy: Copy, period: Period | None, calendar: Calendar, now: datetime) -> None:
    """A copy that another site sent is here since now, for an organ of ours to answer."""
    copy.made_at = copy.sent_at = copy.delivered_at = now
    copy.away, copy.urged, copy.state, copy.provisional = False, 0, State.DELIVERED, False
    if period is not None:
        time_for(copy, Period(period.term, now), calendar)
    act.session.add(copy)
    act.session.flush()
