"""Distribution with receipts, by a small application that sends notes: who answers, once, in time, and at another site.

Seen to fail when: `_answered` does not ask whether it is still delivered; `beside` moves the record's version; a withdrawal may follow
a receipt (`_AFTER`); `withdraw` takes a copy at another site back by itself; `below` goes down one step only; what could not
go is tried again at once, or everything rests with it.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session

from tests.support.databases import create_tables
from yinxin import canonical
from yinxin.act import Actor, Kind
from yinxin.authz import Resource
from yinxin.calendar import Calendar, notice, read
from yinxin.clock import ManualClock
from yinxin.condition import Condition
from yinxin.deadline import Term, Unit
from yinxin.distribution import (
    AlreadyAnswered,
    Copy,
    Distribution,
    Key,
    NobodyNew,
    NotARecipient,
    NotBelow,
    NothingOpen,
    NotReceived,
    Parcel,
    Receipt,
    RecipientTwice,
    Report,
    Role,
    State,
    ToBeGivenBack,
    UrgedEnough,
    below,
    carry,
    demand_below,
    learn,
    longest,
    recipients,
    recount,
)
from yinxin.errors import Unavailable
from yinxin.flow import Desk, Item, Life, Proof, ReasonMissing, Records, SignatureMissing, Step, Transition
from yinxin.randomness import SystemRandomness
from yinxin.store import Columns, OutboxRow, Store, open_engine
from yinxin.text import Text
from yinxin.web.caller import Caller


#: what an organ has a copy of to read
def sent_to(organ):
    return sa.select(Copy.item).where(COPIES.sent_to(organ, Copy.item).on)


#: a Friday in office hours
AT = datetime(2026, 3, 6, 2, 0, tzinfo=UTC)
YEARS = [read(notice(year).encode()) for year in (2025, 2026)]
HOUR = timedelta(hours=1)
DAY_AND_TERM = Term(1, Unit.WORKING_DAYS)
PROOF = Proof(None, b"statement", b"cms", b"ocsp", b"")


class Local(DeclarativeBase):
    """Not the product's metadata: no other test sees it."""


class Note(Item, Local):
    __tablename__ = "note"


THING = Text("便函", "note")
COPIES = Distribution("note", THING, urges=2, rest=4 * HOUR)
LIFE = Life(
    name="note",
    thing=THING,
    states={"written": Text("已拟", "written"), "sent": Text("已发", "sent")},
    transitions=(
        Transition("note.write", Text("拟写", "write"), to="written"),
        Transition("note.send", Text("发出", "send"), ("written",), "sent"),
        *COPIES.transitions(("sent",)),
    ),
)
NOTES = Records(
    life=LIFE,
    table=Note,
    resource=lambda row: Resource("Note", row.id, organ=row.organ),
    columns=Columns(Note.organ, Note.level),
)


class Core:
    """A core that permits everything."""

    def require(self, action, resource):
        return {"allowed": True, "action": action}

    def visible(self, action):
        return Condition(True)

    def calendar(self):
        return Calendar(YEARS)


@pytest.fixture
def desks(database_url):
    """The desk of anybody's registrar, by organ."""
    engine = open_engine(database_url)
    create_tables(engine)
    Local.metadata.create_all(engine)
    store = Store(engine, clock=ManualClock(AT), randomness=SystemRandomness())
    words = Text("收发", "Registrar")

    def desk(organ):
        actor = Actor(Kind.PERSON, f"p-{organ}", post=f"{organ}-registrar", organ=organ)
        return Desk(store, Core(), Caller(actor, "session", frozenset({"registrar"}), "某", words, words))

    yield desk
    engine.dispose()


def sent(desk, main, copies=(), elsewhere=frozenset()):
    note = Note(id=desk.store.identifier(), organ=desk.caller.actor.organ, level="internal")
    with NOTES.begin(desk, note, "note.write"):
        pass
    with NOTES.move(desk, note.id, "note.send") as (act, _):
        to = recipients(main, copies)
        calendar = desk.core.calendar()
        COPIES.send(desk, act, note.id, to, term=DAY_AND_TERM, calendar=calendar, elsewhere=elsewhere)
    return note.id


def do(desk, note, verb, *, seen=None, comment=None, signed=None, organs=()):
    with NOTES.move(desk, note, f"note.{verb}", seen=seen, comment=comment, signed=signed) as (act, _):
        match verb:
            case "receive":
                COPIES.receive(desk, act, note)
            case "return":
                COPIES.return_(desk, act, note, comment)
            case "give-back":
                COPIES.give_back(desk, act, note)
            case "withdraw":
                return COPIES.withdraw(desk, act, note, comment, organs)
            case "urge":
                return COPIES.urge(desk, act, note, organs)
            case "recall":
                return COPIES.recall(desk, act, note, comment, organs)
            case "redispatch":
                COPIES.passed_on(desk, act.session, note)
                to = recipients(organs)
                return COPIES.send(desk, act, note, to, term=DAY_AND_TERM, calendar=desk.core.calendar())
    return None


def stands(desk, note):
    with desk.store.read() as session:
        return {each.organ: each.state for each in COPIES.copies(session, note)}


def events(desk):
    with desk.store.read() as session:
        rows = session.scalars(sa.select(OutboxRow.data).order_by(OutboxRow.number))
        return [canonical.decode(data) for data in rows]


def test_a_copys_whole_life(desks):
    office = desks("office")
    note = sent(office, ["a", "b", "c"], ["d"])
    assert stands(office, note) == dict.fromkeys("abcd", State.DELIVERED)
    with pytest.raises(SignatureMissing):
        do(desks("a"), note, "receive")
    do(desks("a"), note, "receive", signed=PROOF)
    with pytest.raises(ReasonMissing):
        do(desks("b"), note, "return", signed=PROOF)
    do(desks("b"), note, "return", comment="缺页", signed=PROOF)
    for organ, verb in (("a", "return"), ("b", "receive")):
        with pytest.raises(AlreadyAnswered):
            do(desks(organ), note, verb, comment="再来", signed=PROOF)
    with pytest.raises(NotARecipient):
        do(desks("stranger"), note, "receive", signed=PROOF)

    # only the sender follows, only what is open, and not too often
    with pytest.raises(NothingOpen):
        do(desks("a"), note, "urge")
    assert do(office, note, "urge") == ["c", "d"]
    with pytest.raises(UrgedEnough):
        do(office, note, "urge", organs=("c",))
    office.store.clock.advance(4 * HOUR)
    assert do(office, note, "urge", organs=("c",)) == ["c"]
    office.store.clock.advance(4 * HOUR)
    assert do(office, note, "urge") == ["d"]
    with pytest.raises(UrgedEnough):
        do(office, note, "urge")

    # withdrawn before the receipt only
    with pytest.raises(AlreadyAnswered):
        do(office, note, "withdraw", comment="误发", organs=("a",))
    assert do(office, note, "withdraw", comment="误发") == ["c", "d"]
    with pytest.raises(AlreadyAnswered):
        do(desks("c"), note, "receive", signed=PROOF)
    with pytest.raises(NothingOpen):
        do(office, note, "withdraw", comment="误发")

    # what was signed for is recalled, and given back with a signature
    with pytest.raises(NothingOpen):
        do(desks("a"), note, "give-back", signed=PROOF)
    assert do(office, note, "recall", comment="涉密件清退") == ["a"]
    with pytest.raises(ToBeGivenBack):
        do(desks("a"), note, "redispatch", organs=["e"])
    do(desks("a"), note, "give-back", signed=PROOF)
    assert stands(office, note) == {
        "a": State.GIVEN_BACK,
        "b": State.RETURNED,
        "c": State.WITHDRAWN,
        "d": State.WITHDRAWN,
    }
    with office.store.read() as session:
        assert session.scalars(sent_to("a")).all() == []
        assert session.scalars(sent_to("b")).all() == [note]
        steps = {each.entry for each in NOTES.steps(session, note)}
    done = {each["id"] for each in events(office) if each["outcome"] == "done"}
    assert steps == done, "a step without its record, or the reverse"


def test_each_answers_once_however_many_try(desks):
    """Twelve at once, two organs, all of what they saw before anybody answered: one receipt each, and nobody has moved it for the other."""
    office = desks("office")
    note = sent(office, ["a", "b"])
    seen = NOTES.snapshot(office, note)
    barrier = threading.Barrier(12)

    def answer(number):
        barrier.wait()
        organ = "ab"[number % 2]
        try:
            do(desks(organ), note, "receive", seen=seen, signed=PROOF)
        except AlreadyAnswered:
            return f"{organ} heard"
        return f"{organ} signed"

    with ThreadPoolExecutor(12) as pool:
        assert Counter(pool.map(answer, range(12))) == {
            "a signed": 1,
            "b signed": 1,
            "a heard": 5,
            "b heard": 5,
        }
    with office.store.read() as session:
        verbs = session.scalars(sa.select(Step.verb).where(Step.item == note)).all()
    assert Counter(verbs)["note.receive"] == 2
    assert len({each["id"] for each in events(office) if each["verb"] == "note.receive" and each["outcome"] == "done"}) == 2  # fmt: skip


@dataclass(frozen=True)
class Organ:
    id: str
    parent: str | None
    level: str


TREE = [
    Organ("province", None, "province"),
    Organ("jia", "province", "city"),
    Organ("zi", "jia", "county"),
    Organ("town", "zi", "township"),
    Organ("yi", "province", "city"),
    Organ("yin", "yi", "county"),
    Organ("chou", "jia", "county"),
]


@pytest.mark.engines("any")
def test_down_the_tree(desks):
    assert below(TREE, "jia") == ["zi", "town", "chou"]
    assert below(TREE, "jia", "county") == ["zi", "chou"]
    demand_below(TREE, "jia", ["town"])
    with pytest.raises(NotBelow):
        demand_below(TREE, "jia", ["zi", "yin"])
    with pytest.raises(RecipientTwice):
        recipients(["a", "b"], ["a"])

    note = sent(desks("province"), ["jia", "zi"])
    with pytest.raises(NotReceived):
        do(desks("jia"), note, "redispatch", organs=["chou"])
    do(desks("jia"), note, "receive", signed=PROOF)
    # who has a copy already gets no second one
    assert do(desks("jia"), note, "redispatch", organs=["zi", "chou"]) == ["chou"]
    with pytest.raises(NobodyNew):
        do(desks("jia"), note, "redispatch", organs=["zi", "chou"])
    assert do(desks("jia"), note, "urge") == ["chou"]
    assert do(desks("province"), note, "urge") == ["zi"]


@pytest.mark.engines("any")
def test_time_to_sign(desks):
    """Sent on a Friday: due at the end of Monday; overdue then, and told so."""
    office = desks("office")
    note = sent(office, ["a", "b"])
    do(desks("a"), note, "receive", signed=PROOF)
    now = office.store.clock.now
    with office.store.read() as session:
        late = {each.organ: each for each in COPIES.copies(session, note)}["b"]
        session.expunge_all()
    assert late.due == datetime(2026, 3, 9, 16, tzinfo=UTC)
    assert not late.overdue(now())
    office.store.clock.advance(late.due - now())
    assert late.standing(now()).zh == "逾期未签收"
    with office.store.read() as session:
        assert session.scalars(sa.select(Copy.organ).where(COPIES.overdue(now()))).all() == ["b"]
    # a day off is published: what is open is counted again, once, and nothing else
    other = replace_holiday()
    assert recount(COPIES, office.store, other) == 1
    assert recount(COPIES, office.store, other) == 0
    (again,) = [each for each in events(office) if each["verb"] == "note.recount-receipts"]
    assert again["facts"]["moved"] == [f"{note}/b"]


def replace_holiday():
    """The year in which the Monday is a day off."""
    year = YEARS[1]
    first = year.holidays[0]
    moved = first.model_copy(
        update={"first": AT.date() + timedelta(days=3), "last": AT.date() + timedelta(days=3), "work": ()}
    )
    return Calendar([YEARS[0], year.model_copy(update={"holidays": (moved, *year.holidays[1:])})])


class OtherSite:
    """A carrier that may fail after it has taken a parcel, as a process may die then."""

    def __init__(self):
        self.taken, self.recalled, self.broken, self.pressed = {}, [], set(), []

    def elsewhere(self, organs):
        return frozenset(organs) & {"far", "farther"}

    def carry(self, parcel):
        self.taken.setdefault(parcel.key, []).append(parcel)
        if parcel.key.organ in self.broken:
            raise Unavailable

    def recall(self, key, reason):
        self.recalled.append((key, reason))
        return key in self.taken

    def urge(self, key, number):
        self.pressed.append((key.organ, number))

    def call_in(self, key, reason):
        self.pressed.append((key.organ, reason))


def packed(copy):
    return Parcel(
        Key(copy.flow, copy.item, copy.organ),
        copy.sender,
        Role(copy.role),
        "internal",
        "0" * 64,
        copy.period,
        {"title": "便函"},
        (),
    )


def test_at_another_site(desks):
    """Taken once however often it is tried; what comes back is believed once, in its order, and the first of receipt and withdrawal wins."""
    office, site = desks("office"), OtherSite()
    store, calendar = office.store, Calendar(YEARS)
    note = sent(office, ["near", "far"], ["farther"], elsewhere=site.elsewhere(["near", "far", "farther"]))
    assert stands(office, note) == {"near": State.DELIVERED, "far": State.WAITING, "farther": State.WAITING}
    site.broken = {"far"}
    taken, failed = carry(COPIES, store, site, packed)
    assert (taken, len(failed)) == (1, 1)
    tries = site.taken[Key("note", note, "far")]
    # what cannot go rests, ever longer, and holds up no other
    for wait, number in ((5, 1), (10, 2), (20, 3), (40, 4)):
        other = sent(office, ["farther"], elsewhere=frozenset({"farther"}))
        assert carry(COPIES, store, site, packed) == (1, [])
        assert Key("note", other, "farther") in site.taken
        assert len(tries) == number, "it was tried while it rested"
        store.clock.advance(timedelta(seconds=wait))
        assert len(carry(COPIES, store, site, packed)[1]) == 1
    assert longest(store, "note")[::2] == (1, Unavailable.code)
    site.broken = set()
    store.clock.advance(timedelta(seconds=80))
    assert carry(COPIES, store, site, packed) == (1, [])
    assert carry(COPIES, store, site, packed) == (0, [])
    assert len(tries) == 6, "it was not offered again after a failure"
    assert longest(store, "note") == (0, None, None)

    with Session(store.engine) as session:
        assert session.scalars(sent_to("far")).all() == [], "read here by nobody of the other site"
    far, farther = Key("note", note, "far"), Key("note", note, "farther")
    store.clock.advance(timedelta(days=7))
    arrived = Report(far, State.DELIVERED, store.clock.now(), b"gateway")
    assert learn(COPIES, store, calendar, arrived)
    assert not learn(COPIES, store, calendar, arrived)
    with store.read() as session:
        row = session.get_one(Copy, ("note", note, "far"))
        assert row.due == datetime(2026, 3, 16, 16, tzinfo=UTC), "its time runs since it arrived"

    # asked back; its receipt was on the way already, and stands
    assert do(office, note, "withdraw", comment="误发", organs=("far", "farther")) == []
    assert carry(COPIES, store, site, packed) == (0, [])
    assert {key.organ for key, _ in site.recalled} == {"far", "farther"}
    assert learn(COPIES, store, calendar, Report(far, State.RECEIVED, store.clock.now(), b"signed"))
    assert not learn(COPIES, store, calendar, Report(far, State.WITHDRAWN, store.clock.now(), b"too late"))
    assert learn(COPIES, store, calendar, Report(farther, State.WITHDRAWN, store.clock.now(), b"taken back"))
    assert not learn(COPIES, store, calendar, replace(arrived, state=State.RETURNED, key=farther))
    assert stands(office, note) == {
        "near": State.DELIVERED,
        "far": State.RECEIVED,
        "farther": State.WITHDRAWN,
    }
    with store.read() as session:
        kept = {(each.organ, each.state): each.data for each in session.scalars(sa.select(Receipt))}
    assert kept["far", "received"] == b"signed"
    assert kept["far", "delivered"] == b"gateway"

    # 清退 and urging are passed on, each once
    assert do(office, note, "recall", comment="范围有误", organs=("far",)) == ["far"]
    third = sent(office, ["far"], elsewhere=frozenset({"far"}))
    do(office, third, "urge")
    for _ in range(3):
        carry(COPIES, store, site, packed)
    assert site.pressed == [("far", "范围有误"), ("far", 1)]
    store.clock.advance(timedelta(days=1))
    do(office, third, "urge")
    carry(COPIES, store, site, packed)
    carry(COPIES, store, site, packed)
    assert site.pressed[2:] == [("far", 2)]

    # what was never taken is withdrawn here
    second = sent(office, ["far"], elsewhere=frozenset({"far"}))
    do(office, second, "withdraw", comment="误发")
    assert carry(COPIES, store, site, packed) == (0, [])
    assert stands(office, second) == {"far": State.WITHDRAWN}
    assert carry(COPIES, store, site, packed) == (0, [])
