"""Lists handed in without a shell: judged, started by whoever handed them in, enrolled piece by piece, stopped and gone on with."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

import ca.bulk.lists
import ca.bulk.run
from authz.directory import Directory, DirectoryFile
from ca.bulk.errors import (
    BadTable,
    ListNeedsCommand,
    ListsBusy,
    NothingToEnrol,
    NotYourList,
    UnknownList,
    WrongListState,
)
from ca.bulk.forget import KEPT
from ca.bulk.models import BatchRow, ListFileRow, ListRow, ListState, State
from ca.bulk.run import Run
from ca.bulk.service import Bulk
from kms.sign import KeySigner
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.store.errors import StoreUnavailable

from .conftest import AUDITOR, CLERK, OFFICER, PROVINCE, REGISTRAR, Site
from .test_bulk import HEAD, PEOPLE, people, request
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


def two(site: Site) -> tuple[str, str]:
    """Lists of one row and of two, one after the other."""
    first = site.ca.lists.hand_in(REGISTRAR, "1.csv", handed_in(1)).id
    site.clock.advance(timedelta(seconds=1))
    return first, site.ca.lists.hand_in(REGISTRAR, "2.csv", handed_in(2)).id


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


def test_rows_that_nothing_can_be_done_about_keep_no_others_waiting(
    peopled: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: the same first rows were tried every minute, and none behind them ever was."""
    lists, real = peopled.ca.lists, ca.bulk.run.issue_many

    def some(ctx, actor, wanted):  # type: ignore[no-untyped-def]
        stuck = [each.request.holder.id in {"p-0", "p-1"} for each in wanted]
        made = iter(real(ctx, actor, [each for each, is_ in zip(wanted, stuck, strict=True) if not is_]))
        return [StoreUnavailable() if is_ else next(made) for is_ in stuck]

    kept = lists.hand_in(REGISTRAR, "1.csv", handed_in(5))
    lists.start(REGISTRAR, kept.id)
    with monkeypatch.context() as patched:
        patched.setattr(ca.bulk.run, "issue_many", some)
        for _ in range(4):
            lists.tend()
            peopled.clock.advance(timedelta(seconds=61))
        assert state(peopled, kept.id) == ("running", 3)
    for _ in range(3):
        lists.tend()
        peopled.clock.advance(timedelta(seconds=61))
    assert state(peopled, kept.id) == ("ended", 5)


def test_whatever_is_wrong_with_one_list_the_others_go_on(
    peopled: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lists, real = peopled.ca.lists, ca.bulk.lists.Lists._table
    broken, sound = two(peopled)
    for each in (broken, sound):
        lists.start(REGISTRAR, each)

    def table(self, row):  # type: ignore[no-untyped-def]
        return None if row.id == broken else real(self, row)

    monkeypatch.setattr(ca.bulk.lists.Lists, "_table", table)
    lists.tend()
    assert "could not be gone on with" in caplog.text
    assert lists.show(REGISTRAR, sound).row.state == ListState.ENDED


def test_what_is_stopped_while_another_has_its_turn_goes_no_further(
    peopled: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists, real = peopled.ca.lists, Bulk.enrol
    first, second = two(peopled)
    for each in (first, second):
        lists.start(REGISTRAR, each)

    def enrol(self, *arguments, **named):  # type: ignore[no-untyped-def]
        if lists.show(OFFICER, second).row.state == ListState.RUNNING:
            lists.stop(OFFICER, second)
        return real(self, *arguments, **named)

    monkeypatch.setattr(Bulk, "enrol", enrol)
    lists.tend()
    assert (state(peopled, first), state(peopled, second)) == (("ended", 1), ("stopped", 0))


def test_it_stops_when_the_certificate_that_started_it_is_revoked(peopled: Site) -> None:
    """Whoever took a card has no session any more once its certificate is revoked; a list that she began would have gone on."""
    lists = peopled.ca.lists
    card = peopled.ca.issue(REGISTRAR, peopled.request())
    thief = replace(REGISTRAR, certificate=card.certificate.fingerprint)
    kept = lists.hand_in(thief, "1.csv", handed_in(3))
    lists.start(thief, kept.id)
    lists.tend()
    peopled.ca.suspend(REGISTRAR, card.serial)
    lists.tend()
    assert state(peopled, kept.id) == ("stopped", 2)
    peopled.ca.resume(REGISTRAR, card.serial)
    lists.start(thief, kept.id)
    peopled.ca.revoke(REGISTRAR, card.serial, "keyCompromise")
    lists.tend()
    assert state(peopled, kept.id) == ("stopped", 2)
    stranger = replace(REGISTRAR, certificate="0" * 64)
    lists.start(stranger, kept.id)
    lists.tend()
    assert state(peopled, kept.id) == ("stopped", 2)


def test_one_list_is_judged_at_a_time(peopled: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    lists, real = peopled.ca.lists, Bulk.judge

    def judge(self, *arguments):  # type: ignore[no-untyped-def]
        monkeypatch.setattr(Bulk, "judge", real)
        with pytest.raises(ListsBusy):
            lists.hand_in(REGISTRAR, "2.csv", handed_in(1))
        return real(self, *arguments)

    monkeypatch.setattr(Bulk, "judge", judge)
    lists.hand_in(REGISTRAR, "1.csv", handed_in(1))
    assert [event.get("error") for event in peopled.events()[-2:]] == ["ca.lists_busy", None]
    with pytest.raises(BadTable):
        lists.hand_in(REGISTRAR, "3.csv", b"")
    lists.hand_in(REGISTRAR, "2.csv", handed_in(1))


def test_lists_long_over_are_forgotten_and_what_they_brought_is_not(peopled: Site) -> None:
    lists, store = peopled.ca.lists, peopled.store
    made = [lists.hand_in(REGISTRAR, f"{n}.csv", handed_in(n)).id for n in (1, 2, 3)]
    never, running, ended = made
    peopled.clock.advance(KEPT)
    for each in (running, ended):
        lists.start(REGISTRAR, each)
    while lists.show(REGISTRAR, ended).row.state != ListState.ENDED:
        lists.tend()
    with store.act(SYSTEM, "ca.start-list", "enrolment-list:x") as act:  # as one that waits for its module
        act.session.execute(sa.update(ListRow).where(ListRow.id == running).values(state=ListState.RUNNING))
    assert lists.forget() == 0
    peopled.clock.advance(timedelta(seconds=1))
    assert lists.forget() == 1
    assert peopled.events()[-1]["facts"]["forgotten"] is True
    with pytest.raises(UnknownList):
        lists.show(REGISTRAR, never)
    peopled.clock.advance(KEPT)
    assert (lists.forget(), lists.forget()) == (1, 0)
    with store.read() as session:
        assert session.scalars(sa.select(ListRow.id)).all() == [running]
        assert session.scalars(sa.select(ListFileRow.list)).all() == [running]
        assert session.scalar(sa.select(sa.func.count()).select_from(BatchRow)) == 2
    assert len(peopled.rows(profile="person-signing")) == 3


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


def test_the_same_file_again_promises_nothing_that_it_does_not_keep(peopled: Site) -> None:
    """What was refused stays so in this file, whatever was mended meanwhile. Seen to fail: it was said to be one that can be issued."""
    lists, new = peopled.ca.lists, f'p-{PEOPLE},clerk-a,person-signing,"{request()}",r-x'
    data = handed_in(1, new)
    for _ in range(2):
        kept = lists.hand_in(REGISTRAR, "1.csv", data)
        assert kept.refused == 1
        lists.start(REGISTRAR, kept.id)
        while lists.tend():
            pass
        people(peopled, PEOPLE + 1)
    kept = lists.hand_in(REGISTRAR, "1.csv", data)
    (told,) = lists.rows(REGISTRAR, kept.id, State.REFUSED)
    assert (told["row"], told["code"]) == (3, "ca.row_refused_before")
    assert lists.hand_in(REGISTRAR, "1.csv", data + b"\r\n").refused == 0


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
