"""The register of calendars: several people publish a year, anybody reads it, and what is not signed is not believed."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from tests.authz.hall import ORIGIN, Hall
from tests.support.databases import create_tables
from yinxin.act import Actor, Kind
from yinxin.calendar import Arrangement, Calendar, notice, read
from yinxin.calendar.register.cli import group
from yinxin.calendar.register.errors import CalendarForged, YearMoved, YearUnchanged, YearUnknown
from yinxin.calendar.register.models import YearRow
from yinxin.calendar.register.module import MODULE
from yinxin.calendar.register.proposal import PUBLISH
from yinxin.calendar.register.service import Calendars, statement
from yinxin.clock import ManualClock
from yinxin.crypto.keys import PrivateKey
from yinxin.proposal import Approved
from yinxin.randomness import SystemRandomness
from yinxin.store import OutboxRow, Store, open_engine
from yinxin.tlog import Note, NoteSigner

pytestmark = pytest.mark.engines("any")

REASON, BASIS = "按国务院通知公布下年安排", "国办发明电〔2025〕7号"
OFFICER = Actor(Kind.PERSON, "zhao", post="officer", organ="city")
TOLD = {"reason": REASON, "basis": BASIS}


@pytest.fixture(scope="module")
def signer():
    return NoteSigner("test.example/log/calendar", PrivateKey.generate("ed25519"))


@pytest.fixture(scope="module")
def hall(tmp_path_factory, signer):
    """A site with its officers, at which 2025 and 2026 are published."""
    made = Hall(tmp_path_factory.mktemp("hall"))
    calendars = made.platform.calendar = Calendars(made.store, lambda: [signer])
    made.authz.proposals.register(PUBLISH, calendars)
    for blueprint in MODULE.blueprints(calendars):
        made.client.application.register_blueprint(blueprint)
    for year in (2025, 2026):
        published(made, read(notice(year).encode()))
    yield made
    made.close()


@pytest.fixture
def register(database_url, signer):
    """A register without anybody around it."""
    engine = open_engine(database_url)
    create_tables(engine)
    store = Store(engine, clock=ManualClock(datetime(2026, 1, 5, tzinfo=UTC)), randomness=SystemRandomness())
    yield Calendars(store, lambda: [signer])
    engine.dispose()


def approved(proposal="p-1"):
    return Approved(proposal, "", None, OFFICER, ())


def published(hall, arrangement, replaces=0):
    """Proposed, approved and carried out over HTTP."""
    content = {"arrangement": arrangement.model_dump(mode="json"), "replaces": replaces}
    status, made = hall.api("zhao", "POST", "/proposals", {"kind": PUBLISH.name, "content": content, **TOLD})
    assert status == 201, made
    hall.agreed(made["id"])
    return made


def ask(hall, path):
    """As a stranger."""
    answer = hall.client.get(f"/api/calendar/v1{path}", base_url=ORIGIN)
    return answer.status_code, answer.get_json()


def run(hall, *arguments):
    """A command of the zone's security officer."""
    platform = SimpleNamespace(calendar=hall.platform.calendar, authz=hall.authz)
    context = SimpleNamespace(platform=lambda: platform, actor=lambda: hall.office.actor("zhao"))
    return CliRunner().invoke(group, arguments, obj=context, catch_exceptions=False)


def test_a_year_is_published_by_several_people_and_replaced(hall, signer):
    year = read(notice(2024).encode())
    calendars = hall.platform.calendar
    assert calendars.calendar().years == {2025, 2026}
    made = published(hall, year)
    assert "2024-05-01 至 2024-05-05 放假，2024-04-28、2024-05-11 上班" in str(made["describes"])
    assert calendars.calendar().years == {2024, 2025, 2026}
    with hall.store.read() as session:
        row = session.get_one(YearRow, (2024, 1))
        session.expunge(row)
    assert (row.proposal, row.author, row.arrangement) == (made["id"], "zhao", year.encode())
    note = Note.decode(row.signature.encode())
    note.verify([signer.verifier], strict=True)
    assert json.loads(note.text)["sha256"] == year.digest
    # a government may be given more days off by a later notice
    longer = year.model_copy(update={"document": "国办发明电〔2026〕1号"})
    published(hall, longer, replaces=1)
    assert [each.version for each in calendars.versions(2024)] == [2, 1]
    assert calendars.version(2024).arrangement.document == longer.document
    ended = calendars.version(2024, 1)
    assert (ended.in_force_until, ended.arrangement) == (calendars.version(2024).in_force_from, year)
    for replaces, error in ((1, YearMoved), (2, YearUnchanged)):
        with pytest.raises(error):
            calendars.check(longer, replaces)
    with pytest.raises(YearUnknown):
        calendars.version(2024, 3)
    content = {"arrangement": longer.model_dump(mode="json"), "replaces": 2}
    status, problem = hall.api(
        "zhao", "POST", "/proposals", {"kind": PUBLISH.name, "content": content, **TOLD}
    )
    assert (status, problem["code"]) == (409, "calendar.year_unchanged")
    record = next(each for each in reversed(records(hall)) if each["verb"] == "calendar.publish")
    assert (record["subject"], record["facts"]["version"]) == ("calendar:2024", 2)


def records(hall):
    with hall.store.read() as session:
        return [
            json.loads(each.data) for each in session.scalars(sa.select(OutboxRow).order_by(OutboxRow.number))
        ]


def test_carried_out_twice_it_is_published_once(register):
    """Seen to fail when `publish` does not look for the proposal first: the second meets its own version."""
    year = read(notice(2025).encode())
    assert register.publish(approved(), year, 0) == register.publish(approved(), year, 0)
    with pytest.raises(YearMoved):
        register.publish(approved("p-2"), year, 0)


@pytest.mark.engines("both")
def test_of_two_who_publish_at_once_one_is_done(register):
    years = [read(notice(2025).replace("12号", f"{at}号").encode()) for at in range(4)]
    barrier = threading.Barrier(len(years))

    def publish(at):
        barrier.wait()
        try:
            return register.publish(approved(f"p-{at}"), years[at], 0).version
        except YearMoved:
            return None

    with ThreadPoolExecutor(len(years)) as pool:
        done = [each for each in pool.map(publish, range(len(years))) if each]
    assert (done, len(register.versions(2025))) == ([1], 1)


@pytest.mark.parametrize("change", ["arrangement", "sha256", "in_force_from", "signature"])
def test_what_is_not_signed_is_not_believed(register, signer, change):
    """Whoever writes to the database moves no deadline."""
    year = read(notice(2025).encode())
    register.publish(approved(), year, 0)
    with register.store.act(OFFICER, "test.forge", "calendar:2025") as act:
        row = act.session.get_one(YearRow, (2025, 1))
        if change == "arrangement":
            row.arrangement = read(notice(2024).encode()).encode()
        elif change == "sha256":
            row.sha256 = "0" * 64
        elif change == "in_force_from":
            row.in_force_from = row.in_force_from.replace(year=2001)
        else:
            other = NoteSigner(signer.name, PrivateKey.generate("ed25519"))
            row.signature = Note.sign(statement(row), [other]).encode().decode()
    for asked in (register.calendar, register.in_force, lambda: register.version(2025)):
        with pytest.raises(CalendarForged):
            asked()


def test_an_earlier_version_is_not_brought_back_by_its_end(register):
    """Seen to fail when what is in force is found by what is not signed."""
    old = read(notice(2025).encode())
    new = old.model_copy(update={"document": "another"})
    register.publish(approved("p-1"), old, 0)
    register.publish(approved("p-2"), new, 1)
    with register.store.engine.begin() as connection:
        table = YearRow.__table__
        connection.execute(sa.update(table).where(table.c.version == 1).values(in_force_until=None))
        connection.execute(sa.update(table).where(table.c.version == 2).values(in_force_until=sa.func.now()))
    assert [each.version for each in register.in_force()] == [2]
    assert register.calendar().digest == Calendar([new]).digest


def test_anybody_may_ask(hall):
    status, page = ask(hall, "/years?limit=1")
    assert (status, [each["year"] for each in page["items"]]) == (200, [2026])
    assert ask(hall, f"/years?after={page['next']}")[1]["items"][0]["year"] == 2025
    _, shown = ask(hall, "/years/2026")
    assert Arrangement.model_validate(shown["arrangement"]).digest == shown["sha256"]
    assert ask(hall, "/years/2026/versions")[1]["items"] == [shown]
    assert ask(hall, "/years/1999")[0] == 404
    _, days = ask(hall, "/days?first=2026-02-13&last=2026-02-16")
    assert [(each["kind"], each["working"]) for each in days["items"]] == [("workday", True), ("made-up", True), ("holiday", False), ("holiday", False)]  # fmt: skip
    assert ask(hall, "/days?first=2026-02-13&last=2026-02-12")[0] == 422
    assert ask(hall, "/days?first=2026-01-01&last=2029-02-12")[0] == 422
    _, due = ask(hall, "/deadline?start=2026-02-13T10:00:00%2B08:00&amount=2&unit=working-days")
    assert due == {"last_day": "2026-02-24", "due": "2026-02-24T16:00:00.000000Z", "provisional": False}
    assert ask(hall, "/deadline?start=2026-02-13T10:00:00%2B08:00&amount=0&unit=weeks")[0] == 422


def test_commands(hall, tmp_path):
    text = run(hall, "notice", "2026").output
    assert text == notice(2026)
    file = tmp_path / "2026.toml"
    file.write_text(text.replace("7号", "8号"), "utf-8")
    told = ("propose", str(file), "--reason", REASON, "--basis", BASIS, "--json")
    assert json.loads(run(hall, *told, "--dry-run").output)["sound"] is True
    made = json.loads(run(hall, *told).output)
    assert (made["year"], made["replaces"]) == (2026, 1)
    (line,) = [each for each in run(hall, "list", "--json").output.splitlines() if '"year": 2026' in each]
    assert json.loads(line)["version"] == 1
    assert "2026-02-14" in run(hall, "show", "2026").output
    shown = json.loads(run(hall, "show", "2026", "--version", "1", "--json").output)
    assert shown["arrangement"]["document"] == "国办发明电〔2025〕7号"
    days = run(hall, "show", "2026", "--days", "--json").output.splitlines()
    assert (len(days), json.loads(days[44])["kind"]) == (365, "made-up")
    assert "放假 / holiday  元旦" in run(hall, "show", "2026", "--days").output
    assert shown["proposal"] in run(hall, "versions", "2026").output
    counted = run(hall, "deadline", "2026-03-02T10:00:00+08:00", "5", "working-days", "--stop", "2026-03-04T10:00:00+08:00/2026-03-06T10:00:00+08:00", "--json").output  # fmt: skip
    assert json.loads(counted)["last_day"] == "2026-03-11"
    with pytest.raises(YearUnknown):
        run(hall, "show", "2030")


def test_the_page_shows_the_year_and_takes_a_proposal(hall):
    page = hall.client.get("/calendar?year=2026&begun=2026-02-13&amount=2&unit=working-days", base_url=ORIGIN)
    assert page.status_code == 200, page.text
    for told in (
        "工作日 248 天，放假与周末 117 天",
        "国办发明电〔2025〕7号",
        "最后一日是 2026-02-24",
        "春节",
        "现行",
    ):
        assert told in page.text
    assert page.text.count('class="day-made-up') == 6
    assert "提出本年的安排" not in page.text
    assert "尚未公布" in hall.client.get("/calendar?year=2027", base_url=ORIGIN).text
    assert "暂定" in hall.client.get("/calendar?begun=2027-02-13", base_url=ORIGIN).text
    assert "Working-day calendar of 2026" in hall.page("zhao", "/calendar?year=2026", language="en").text
    assert hall.client.get("/calendar/2026.csv", base_url=ORIGIN).text.count("\n") == 366
    new = hall.page("zhao", "/console/calendar/proposal?year=2025")
    assert "国办发明电〔2024〕12号" in new.text
    wrong = hall.page("zhao", "/console/calendar/proposal", {"text": "year = 2025", **TOLD})
    assert (wrong.status_code, "放假安排的“document”有误" in wrong.text) == (422, True)
    changed = notice(2025).replace("12号", "13号")
    made = hall.page("zhao", "/console/calendar/proposal", {"text": changed, **TOLD})
    assert made.status_code == 303
    assert "以新的安排取代 2025 年工作日历第 1 版" in hall.page("qin", made.location).text
    assert hall.page("zhang", "/console/calendar/proposal", {"text": notice(2024), **TOLD}).status_code == 403


def test_the_client_counts_by_what_it_fetched(hall):
    """The arrangements as they are sent make the same calendar."""
    _, page = ask(hall, "/years")
    fetched = Calendar(Arrangement.model_validate(each["arrangement"]) for each in page["items"])
    here = hall.platform.calendar.calendar()
    assert [*fetched.months(2026)] == [*here.months(2026)]
