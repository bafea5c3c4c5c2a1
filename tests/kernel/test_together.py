"""Acts of several requests in one transaction: each is recorded for itself, as it would be alone, or none is done."""

from typing import Any

import pytest
import sqlalchemy as sa

from tests.kernel.conftest import CLERK, Note, Visit, notes, recorded
from yinxin.act import Actor, Event, Kind, Outcome, Recurring
from yinxin.errors import Unavailable
from yinxin.personal import Personal, PersonalInClear
from yinxin.store import OutboxRow, Store, StoreUnavailable, UnrecordedChange, request_scope

#: a system, with everything that an actor can have, and letters that canonical JSON escapes
SYSTEM = Actor(Kind.SERVICE, 'client:\x1f档案"\\', "post", "o-机关", "ab" * 32, "app")
DECISION = {
    "allowed": True,
    "resource": {"id": "k/é\u2028", "n": [1, None, False]},
    "𝄞": "beyond",
    "\ue000": "bmp",
}


@pytest.mark.parametrize("actor", [CLERK, SYSTEM])
@pytest.mark.parametrize("decision", [None, {}, DECISION])
@pytest.mark.parametrize("request_", [None, "01krequest"])
@pytest.mark.parametrize("facts", [{}, {"number": 1, "digest": "ab", "versions": [1, 2], "名": "值\n"}])
def test_a_recurring_record_is_the_record(
    store: Store, actor: Actor, decision: Any, request_: str | None, facts: dict[str, Any]
) -> None:
    """Octet for octet. Seen to fail with facts written where there are none."""
    common = Recurring(actor, "test.write", "note:\u007f\U0001f600", decision)
    now = store.clock.now()
    event = Event(
        "01kid",
        now,
        actor,
        "test.write",
        "note:\u007f\U0001f600",
        Outcome.DONE,
        request=request_,
        decision=decision,
        facts=facts,
        source="writer-1",
        number=2**40,
    )
    assert common.row("01kid", now, request_, facts, ("writer-1", 2**40)) == event.row()


def test_each_is_recorded_for_itself_and_nobodys_surroundings_are(store: Store) -> None:
    common = Recurring(CLERK, "test.write", "note:1", None)
    woken: list[bool] = []
    store.recorded.append(lambda: woken.append(True))
    with request_scope("outer") as entries, store.together() as several:
        several.connection.execute(sa.insert(Note).values(id=1, text="a"))
        several.add(common, "e1", "r1", size=1)
        several.add(Recurring(SYSTEM, "test.write", "note:2", DECISION), "e2", None)
    assert (notes(store), entries, woken) == (["a"], [], [True])
    first, second = recorded(store)
    assert (first["id"], first["request"], first["facts"]) == ("e1", "r1", {"size": 1})
    assert (second["actor"]["id"], second["decision"], "request" in second) == (SYSTEM.id, DECISION, False)
    assert [each["number"] for each in (first, second)] == [1, 2]
    with store.act(CLERK, "test.write", "note:3"):
        pass
    assert recorded(store)[-1]["number"] == 3


class Trouble(Unavailable):
    code = "test.kernel_trouble"
    zh = "故障。"
    en = "Trouble."


def test_who_raises_leaves_nothing_not_even_a_refusal(store: Store) -> None:
    for trouble in (Trouble(), RuntimeError("a fault")):
        with pytest.raises(type(trouble)), store.together() as several:  # noqa: PT012 - all of it is undone
            several.connection.execute(sa.insert(Note).values(id=1, text="a"))
            several.add(Recurring(CLERK, "test.write", "note:1", None), "e1", None)
            raise trouble
    assert (notes(store), recorded(store)) == ([], [])


def test_a_change_that_nobody_recorded_is_undone(store: Store) -> None:
    """Law 1. Seen to fail without the rollback."""
    with store.together() as several:
        several.connection.execute(sa.insert(Note).values(id=1, text="a"))
    assert (notes(store), recorded(store)) == ([], [])


def test_a_closed_gate_stops_it_and_acts_do_not_nest(store: Store) -> None:
    """Law 7. Seen to fail when it asks no gate."""

    def closed() -> None:
        raise StoreUnavailable

    with store.act(CLERK, "test.write", "note:1"), pytest.raises(RuntimeError), store.together():
        pass
    with pytest.raises(RuntimeError), store.together(), store.act(CLERK, "test.write", "note:1"):
        pass
    store.gates.append(closed)
    with pytest.raises(StoreUnavailable), store.together():
        pass


def test_what_does_not_wait_for_the_disk_changes_housekeeping_only(store: Store) -> None:
    """As a note. Seen to fail on the engine of acts."""
    common = Recurring(CLERK, "test.look", "note:1", None)
    with store.together(lasting=False) as several:
        several.connection.execute(sa.insert(Visit).values(id=1))
        several.add(common, "e1", "r1")
    assert [each["id"] for each in recorded(store)] == ["e1"]
    with pytest.raises(UnrecordedChange), store.together(lasting=False) as several:
        several.connection.execute(sa.insert(Note).values(id=1, text="a"))


def test_no_personal_fact_goes_this_way(store: Store) -> None:
    """Neither as a commitment nor, by mistake, in the clear."""
    common = Recurring(CLERK, "test.write", "note:1", None)
    for fact, error in (({"note": Personal("x", "p")}, TypeError), ({"person_name": "张"}, PersonalInClear)):
        with pytest.raises(error), store.together() as several:
            several.add(common, "e1", None, **fact)
    with store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(OutboxRow)) == 0
