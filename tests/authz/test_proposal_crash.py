"""Processes killed with SIGKILL at every step of a proposal: what is approved is carried out once, or not at all."""

from collections.abc import Callable

import pytest

from tests.authz import killing
from tests.authz.conftest import Site
from tests.authz.killing import PROCESSES, another
from tests.authz.offices import ONE, Office


def _another(office: Office, url: str) -> Office:
    """The same office as another process sees it."""
    return _of(another(office.site, url), office)


def _of(site: Site, office: Office) -> Office:
    other = Office.of(site, load=False)
    other.identities = office.identities
    return other


def killed(office: Office, url: str, step: str, act: Callable[[Office], object]) -> None:
    """Run `act` in a process that dies by its own hand at `step`."""
    killing.killed(office.site, url, step, lambda site: act(_of(site, office)))


@pytest.fixture
def office(office: Office) -> Office:
    for person in ("zhao", "qin", "han", "wei"):
        office.actor(person)  # certificates before any process begins
    return office


@pytest.mark.parametrize("kind", ["test.within", "test.apart"])
@pytest.mark.parametrize("step", ["1-claimed", "2-carried-out", "3-recorded"])
def test_killed_while_it_is_carried_out(office: Office, database_url: str, kind: str, step: str) -> None:
    """Seen to fail when: `_claim` does not go on with what is left executing."""
    id_ = office.approved(kind=kind)
    killed(office, database_url, f"authz.execute.{step}", lambda other: other.execute(id_))
    if office.state(id_) != "executed":
        assert office.execute(id_) == "executed"
    assert office.notes.written() == ["甲"]


@ONE
@pytest.mark.parametrize("step", ["1-claimed", "2-carried-out"])
def test_what_cannot_be_repeated_is_not_after_a_death_either(
    office: Office, database_url: str, step: str
) -> None:
    from authz.proposal.errors import ProposalClosed

    id_ = office.approved(kind="test.once")
    killed(office, database_url, f"authz.execute.{step}", lambda other: other.execute(id_))
    before = office.notes.written()
    with pytest.raises(ProposalClosed):
        office.execute(id_)
    shown = office.proposals.show(office.actor("zhao"), id_)
    assert (shown.state.value, "authz.execution_interrupted" in shown.row.note) == ("failed", True)
    assert office.notes.written() == before


@ONE
@pytest.mark.parametrize("step", ["1-judged", "2-stamped", "3-recorded"])
def test_killed_while_it_is_approved(office: Office, database_url: str, step: str) -> None:
    id_ = office.propose()
    office.approve(id_, "qin")
    killed(office, database_url, f"authz.approve.{step}", lambda other: other.approve(id_, "han"))
    assert office.state(id_) == ("approved" if step == "3-recorded" else "open")
    if step != "3-recorded":
        assert office.approve(id_, "han") == "approved"
    assert office.execute(id_) == "executed"


@ONE
def test_killed_while_it_is_proposed(office: Office, database_url: str) -> None:
    killed(office, database_url, "authz.propose.2-recorded", lambda other: other.propose())
    (found,) = office.proposals.search(office.actor("zhao"))
    assert found["state"] == "open"


@pytest.mark.parametrize("kind", ["test.within", "test.apart"])
def test_two_processes_carry_it_out_at_once(office: Office, database_url: str, kind: str) -> None:
    """Seen to fail when: `move` does not compare the state."""
    ids = [office.approved(kind=kind, text=str(number)) for number in range(4)]
    office.site.store.engine.dispose()
    gate = PROCESSES.Barrier(3)

    def child() -> None:
        from yinxin.errors import YinxinError

        other = _another(office, database_url)
        gate.wait()
        for id_ in ids:
            try:
                other.execute(id_)
            except YinxinError:
                continue

    children = [PROCESSES.Process(target=child) for _ in range(3)]
    for process in children:
        process.start()
    for process in children:
        process.join(60)
        assert process.exitcode == 0
    for id_ in ids:
        if office.state(id_) != "executed":  # every process found another one at it
            office.execute(id_)
    assert office.notes.written() == ["0", "1", "2", "3"]
