"""Lists handed in without a shell: judged, started by whoever handed them in, enrolled piece by piece, stopped and gone on with."""

from dataclasses import replace
from datetime import timedelta

import pytest

import ca.bulk.lists
from authz.directory import Directory, DirectoryFile
from ca.bulk.errors import BadTable, ListNeedsCommand, NothingToEnrol, NotYourList, WrongListState
from ca.bulk.models import ListState, State
from ca.bulk.run import Run
from kms.sign import KeySigner
from yinxin.act import SYSTEM
from yinxin.authz import Denied

from .conftest import AUDITOR, CLERK, OFFICER, PROVINCE, REGISTRAR, Site
from .test_bulk import HEAD, people, request
from .test_status import gone


@pytest.fixture
def peopled(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site with people to enrol, and lists of which two rows go at a time."""
    people(site)
    monkeypatch.setattr(ca.bulk.lists, "SLICE", 2)
    return site


def handed_in(count: int = 5, *more: str) -> bytes:
    rows = [f'p-{n},clerk-a,person-signing,"{request()}",r-{n}' for n in range(count)]
    return "\r\n".join([HEAD, *rows, *more, ""]).encode()


def state(site: Site, id_: str) -> tuple[str, int]:
    found = site.ca.lists.show(REGISTRAR, id_)
    return found.row.state, found.done


def test_a_list_is_judged_first_and_then_enrolled_piece_by_piece(peopled: Site) -> None:
    lists, data = peopled.ca.lists, handed_in(5, 'p-6,clerk-b,person-signing,"x",')
    kept = lists.hand_in(REGISTRAR, "名册.csv", data)
    assert (kept.rows, kept.refused, kept.by_command) == (6, 1, 1)
    assert peopled.rows(profile="person-signing") == []
    told = list(lists.rows(REGISTRAR, kept.id, State.REFUSED))
    assert [(each["row"], each["code"]) for each in told] == [(7, "ca.row_needs_command")]
    with pytest.raises(ListNeedsCommand):
        lists.start(REGISTRAR, kept.id)
    assert lists.tend() == 0
    wrong = f'li,clerk-b,person-signing,"{request()}",'
    kept = lists.hand_in(REGISTRAR, "2.csv", handed_in(5, wrong))
    lists.start(REGISTRAR, kept.id)
    seen = [state(peopled, kept.id)]
    while lists.tend():
        seen.append(state(peopled, kept.id))
    assert seen == [("running", 0), ("running", 2), ("running", 4), ("ended", 6)]
    told = list(lists.rows(REGISTRAR, kept.id))
    assert [each["state"] for each in told] == ["issued"] * 5 + ["refused"]
    assert told[5]["holder"] == "person:li"
    assert {row.serial for row in peopled.rows(profile="person-signing")} == {
        each["serial"] for each in told[:5]
    }
    with pytest.raises(WrongListState):
        lists.start(REGISTRAR, kept.id)


def test_stopped_it_stays_so_and_goes_on_where_it_was(peopled: Site) -> None:
    lists = peopled.ca.lists
    kept = lists.hand_in(REGISTRAR, "1.csv", handed_in())
    lists.start(REGISTRAR, kept.id)
    lists.tend()
    lists.stop(OFFICER, kept.id)
    assert lists.tend() == 0
    assert state(peopled, kept.id) == ("stopped", 2)
    lists.start(REGISTRAR, kept.id)
    while lists.tend():
        pass
    assert state(peopled, kept.id) == ("ended", 5)
    assert len(peopled.rows(profile="person-signing")) == 5


def test_cut_off_anywhere_it_goes_on_by_itself(peopled: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies is one whose timer never comes back: what is in the tables is all that the next one knows."""
    lists = peopled.ca.lists
    kept = lists.hand_in(REGISTRAR, "1.csv", handed_in())
    lists.start(REGISTRAR, kept.id)
    with monkeypatch.context() as patched:
        patched.setattr(Run, "_settle", _dies)
        with pytest.raises(KeyboardInterrupt):
            lists.tend()
    again = ca.bulk.Lists(peopled.ca.ctx, peopled.ca.decider, peopled.ca.bulk)
    while again.tend():
        pass
    assert state(peopled, kept.id) == ("ended", 5)
    assert len(peopled.rows(profile="person-signing")) == 5


def _dies(*_: object) -> None:
    raise KeyboardInterrupt


def test_while_the_module_is_away_it_waits_a_minute(peopled: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = peopled.ca.lists
    kept = lists.hand_in(REGISTRAR, "1.csv", handed_in(2))
    lists.start(REGISTRAR, kept.id)
    with monkeypatch.context() as patched:
        patched.setattr(KeySigner, "sign", gone)
        lists.tend()
    lists.tend()
    assert state(peopled, kept.id) == ("running", 0)
    peopled.clock.advance(timedelta(seconds=61))
    peopled.ca.reconcile()
    lists.tend()
    assert state(peopled, kept.id) == ("ended", 2)


def test_it_is_no_easier_way_than_the_command(peopled: Site) -> None:
    """Who may not issue hands nothing in; nobody starts another's; who may not issue any more has her list stopped."""
    lists = peopled.ca.lists
    for person in (CLERK, AUDITOR):
        with pytest.raises(Denied):
            lists.hand_in(person, "1.csv", handed_in(1))
    assert [event["error"] for event in peopled.events()[-2:]] == ["authz.denied"] * 2
    with pytest.raises(BadTable):
        lists.hand_in(REGISTRAR, "1.csv", b"a,b\r\n")
    assert peopled.events()[-1]["verb"] == "ca.hand-in-list"
    kept = lists.hand_in(REGISTRAR, "1.csv", handed_in(2))
    with pytest.raises(NotYourList):
        lists.start(OFFICER, kept.id)
    assert peopled.events()[-1]["error"] == "ca.not_your_list"
    with pytest.raises(Denied):
        lists.show(CLERK, kept.id)
    with pytest.raises(Denied):
        lists.search(replace(REGISTRAR, organ="county-b"), "county-a")
    lists.start(REGISTRAR, kept.id)
    values = {name: [*rows] for name, rows in PROVINCE.items()}
    over = {"valid_to": "2026-01-01T00:00:00+08:00"}
    values["appointments"] = [
        each | over if each["person"] == "wu" else each for each in values["appointments"]
    ]
    Directory(peopled.store).load(SYSTEM, DirectoryFile.parse(values))
    lists.tend()
    assert lists.show(AUDITOR, kept.id).row.state == ListState.STOPPED
    assert peopled.rows(profile="person-signing") == []


def test_a_list_without_a_good_row_is_not_started(peopled: Site) -> None:
    row = f'li,clerk-b,person-signing,"{request()}",'
    kept = peopled.ca.lists.hand_in(REGISTRAR, "1.csv", handed_in(0, row))
    with pytest.raises(NothingToEnrol):
        peopled.ca.lists.start(REGISTRAR, kept.id)


def test_lists_are_found_newest_first_in_the_region(peopled: Site) -> None:
    lists = peopled.ca.lists
    made = []
    for name in ("1.csv", "2.csv", "3.csv"):
        peopled.clock.advance(timedelta(seconds=1))
        made.append(lists.hand_in(REGISTRAR, name, handed_in(1)).id)
    assert [each.row.id for each in lists.search(AUDITOR)] == made[::-1]
    assert [each.row.id for each in lists.search(OFFICER, after=made[2], limit=1)] == [made[1]]
    assert lists.search(AUDITOR, "county-b") == []
    assert lists.search(AUDITOR, state="running") == []
