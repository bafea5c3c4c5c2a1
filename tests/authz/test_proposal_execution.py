"""Carrying out exactly once: what fails, what is tried again, and everybody at the same moment (law 3)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa

from authz.proposal import Shown, State
from authz.proposal.errors import ApproverTwice, ExecutionUnderWay, ProposalClosed
from authz.proposal.models import ApprovalRow
from tests.authz.offices import ONE, Broken, Events, Office
from yinxin.errors import YinxinError


@pytest.mark.parametrize("kind", ["test.within", "test.apart"])
def test_what_fails_says_why_and_is_tried_again(office: Office, events: Events, kind: str) -> None:
    id_ = office.approved(kind=kind)
    office.notes.broken = True
    with pytest.raises(Broken):
        office.execute(id_)
    shown = office.proposals.show(office.actor("zhao"), id_)
    assert (shown.state, shown.row.attempts, "test.broken" in shown.row.note) == (State.FAILED, 1, True)
    assert office.notes.written() == []
    last = events()[-1]
    assert (last["outcome"], last["facts"]["error"]) == ("failed", "test.broken")
    office.notes.broken = False
    assert office.execute(id_) == "executed"
    assert office.notes.written() == ["甲"]
    late = office.approved(kind=kind)
    office.notes.broken = True
    with pytest.raises(Broken):
        office.execute(late)
    office.notes.broken = False
    office.site.clock.advance(timedelta(days=30))
    with pytest.raises(ProposalClosed):
        office.execute(late)


@ONE
def test_what_cannot_be_repeated_is_not(office: Office) -> None:
    id_ = office.approved(kind="test.once")

    def fails() -> None:
        raise Broken

    office.notes.during = fails
    with pytest.raises(Broken):
        office.execute(id_)
    office.notes.during = lambda: None
    with pytest.raises(ProposalClosed):
        office.execute(id_)
    assert office.notes.written() == []


# --- at once -----------------------------------------------------------------------------------------------------


def _all(*acts: Callable[[], object]) -> list[object]:
    """What each gave or refused, begun together."""

    def told(act: Callable[[], object]) -> object:
        try:
            return act()
        except YinxinError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return [each.result() for each in [pool.submit(told, act) for act in acts]]


@pytest.mark.parametrize("kind", ["test.within", "test.apart"])
def test_many_carry_it_out_at_once(office: Office, kind: str) -> None:
    """Seen to fail when: `move` does not compare the state; when `alone` always says yes (test.once)."""
    id_ = office.approved(kind=kind)
    office.actor("zhao")
    given = _all(*[lambda: office.execute(id_)] * 8)
    assert given.count("executed") == 1
    assert all(isinstance(each, ProposalClosed | ExecutionUnderWay) for each in given if each != "executed")
    assert office.notes.written() == ["甲"]


def test_many_approve_at_once(office: Office) -> None:
    id_ = office.propose()
    people = ("qin", "han", "wei", "bo")
    for person in people:
        office.actor(person)
    given = _all(*[lambda person=person: office.approve(id_, person) for person in people * 2])
    assert sum(isinstance(each, ApproverTwice) for each in given) == 4
    assert given.count("approved") >= 3
    with office.site.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ApprovalRow)) == 4
    assert office.state(id_) == "approved"


def test_approved_refused_and_carried_out_at_once(office: Office) -> None:
    """However they fall, one of refusal and execution is, and not both."""
    for person in ("zhao", "qin", "han", "wei"):
        office.actor(person)
    for number in range(6):
        id_ = office.approved(text=str(number))
        ended, executed = _all(
            partial(office.proposals.refuse, office.actor("wei"), id_, "依据不足"),
            partial(office.execute, id_),
        )
        refused = ended.state if isinstance(ended, Shown) else ended
        assert {refused, executed} & {"refused", "executed"}
        assert (refused == "refused") != (executed == "executed")
        assert (str(number) in office.notes.written()) == (executed == "executed")
        assert office.state(id_) == ("executed" if executed == "executed" else "refused")
    race = office.propose("last")
    office.approve(race, "qin")
    _all(
        lambda: office.approve(race, "han"),
        lambda: office.proposals.refuse(office.actor("wei"), race, "依据不足"),
    )
    assert office.state(race) == "refused"


def test_two_processes_with_the_lock(office: Office) -> None:
    """A second process that comes while the first is at it is told so, and nothing is done twice."""
    id_ = office.approved(kind="test.once")
    seen: list[object] = []

    def second() -> None:
        office.notes.during = lambda: None
        seen.append(_all(lambda: office.execute(id_))[0])

    office.notes.during = second
    assert office.execute(id_) == "executed"
    assert isinstance(seen[0], ExecutionUnderWay)
    assert office.notes.written() == ["甲"]
