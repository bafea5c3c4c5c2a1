"""Reports: what they rest on, what they say when there is no source, made once, finished when they were cut off."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from audit.entries import Filters
from audit.report import make as making
from audit.report.errors import AboutWhat, NoPeriod, ReportNotFound, ReportTooLarge, UnknownKind
from audit.report.kinds import KINDS
from audit.report.make import Wanted, file_for, finish_all, make_for, report_for, reports_for
from audit.report.paint import _shares
from audit.report.schedule import begin_for, end_for, make_due, period_of, schedules_for
from audit.surroundings import Alone
from tests.support.databases import create_tables
from yinxin import canonical, steps
from yinxin.act import SYSTEM, Outcome
from yinxin.authz import Denied
from yinxin.errors import Unavailable
from yinxin.text import Text

from .people import POSTS, Deciding, actor

pytestmark = pytest.mark.engines("any")
AUDITOR = actor("auditor")


class Away(Unavailable):
    code = "test.hsm_away"
    zh = en = "x"


class Around(Alone):
    """The floors above: which acts are recorded, and a seal that can be away. The real one is tried in tests/laws."""

    def __init__(self, *verbs):
        self.known, self.away, self.sealed = verbs, False, 0

    def verbs(self):
        return [(name, Text(name, name)) for name in self.known]

    def seal(self, pdf, files, reason):
        if self.away:
            raise Away
        self.sealed += 1
        return pdf + b"%" + ",".join(name for name, _, _ in files).encode()


@pytest.fixture
def reporting(another):
    """The site as one more process has it, ready to report."""

    def make(*verbs):
        site = another()
        site.create()
        create_tables(site.engine)
        site.log.start()
        site.log.decider = Deciding(site.store)
        site.log.around = Around(*verbs)
        return site

    return make


@pytest.fixture(autouse=True)
def _blank(monkeypatch):
    """Pages are laid out by the real engine where they are looked at."""
    monkeypatch.setattr(making, "paint", lambda content: b"%PDF " + content["id"].encode())


def _wanted(site, kind, about=None):
    now = site.store.clock.now()
    return Wanted(kind, now - timedelta(days=1), now, about)


def _said(site, made):
    _, content = report_for(site.log, AUDITOR, made.id)
    return content


def test_what_it_rests_on_is_what_happened_in_the_period(reporting, clock):
    site = reporting()
    site.act("certificate:early", "ca.issue")
    clock.advance(timedelta(days=2))
    inside = [
        site.act(f"certificate:{n}", verb) for n, verb in enumerate(("ca.issue", "ca.revoke", "kms.sign"))
    ]
    clock.advance(timedelta(seconds=1))
    made = make_for(site.log, AUDITOR, _wanted(site, "certificates"))
    lines = file_for(site.log, AUDITOR, made.id, "entries.jsonl")[1].splitlines()
    assert [canonical.decode(line)["id"] for line in lines] == inside[:2]
    content = _said(site, made)
    assert content["indexes"] == [1, 2]
    assert {"zh": "所据的日志记录", "en": "entries it rests on", "value": "2"} in content["summary"]
    assert file_for(site.log, AUDITOR, made.id, "ledger.csv")[1].count(b"certificate:") == 2


def test_a_dossier_of_somebody_unknown_says_so(reporting, clock):
    """Otherwise a misspelt identifier reads like somebody who did nothing. Seen to fail without the note."""
    site = reporting()
    site.act("person:quiet", "authz.enter-person")
    clock.advance(timedelta(days=2))

    def never(about):
        notes = _said(site, make_for(site.log, AUDITOR, _wanted(site, "person", about)))["notes"]
        return [note["en"] for note in notes if "at any time" in note["en"]]

    assert never("quite") == ["The log has no entry of quite at any time: check the identifier."]
    assert never("quiet") == []


def test_a_kind_without_a_source_says_so(reporting):
    """An empty table would say that all is well. Seen to fail when `missing` is left out of the notes."""
    site = reporting()

    def missing(kind):
        about = {"person": "p-1", "object": "key:1"}.get(kind.about)
        notes = _said(site, make_for(site.log, AUDITOR, _wanted(site, kind.name, about)))["notes"]
        return sum("没有这一项的数据来源" in note["zh"] for note in notes)

    assert {name: missing(kind) for name, kind in KINDS.items()} == {
        name: len(kind.sources) for name, kind in KINDS.items()
    }
    for kind in filter(lambda kind: kind.sources, KINDS.values()):
        prefixes = [source.prefix for source in kind.sources]
        site.log.around.known = [f"{each}x" if each.endswith(".") else each for each in prefixes]
        assert missing(kind) == 0


def test_a_source_that_comes_fills_its_report(reporting, clock):
    site = reporting("backup.drill")
    site.act("drill:1", "backup.drill", result="restored")
    clock.advance(timedelta(seconds=1))
    content = _said(site, make_for(site.log, AUDITOR, _wanted(site, "backups")))
    assert (content["entries"], content["notes"]) == (1, [])


def test_proposals_are_told_by_kind(reporting, clock):
    site = reporting()
    for kind, name in (("kms.recover", "1"), ("ca.ceremony", "2")):
        site.act(f"proposal:{name}", "authz.propose", kind=kind)
        site.act(f"proposal:{name}", "authz.approve", approver={"person": "p-9", "post": "post-9"})
    clock.advance(timedelta(seconds=1))
    content = _said(site, make_for(site.log, AUDITOR, _wanted(site, "key-recovery")))
    table = content["tables"][0]
    at = [column["name"] for column in table["columns"]].index("subject")
    assert [row[at] for row in table["rows"]] == ["proposal:1", "proposal:1"]
    assert any("p-9" in row for row in table["rows"])


def test_the_log_is_told_whole_or_not(reporting):
    site = reporting()
    site.log.settle(site.act())
    holds = _said(site, make_for(site.log, AUDITOR, _wanted(site, "completeness")))["summary"]
    assert holds[0]["value"] == "成立 holds"
    site.drop_triggers()
    site.execute("UPDATE audit_entry SET subject = 'x' WHERE \"index\" = 0")
    broken = _said(site, make_for(site.log, AUDITOR, _wanted(site, "completeness")))["summary"]
    assert "audit.tampered" in broken[0]["value"]


def test_what_cannot_be_made_is_refused_and_nothing_is_kept(reporting, monkeypatch):
    site = reporting()
    for _ in range(3):
        site.act("certificate:1", "ca.issue")
    site.store.clock.advance(timedelta(seconds=1))
    now, day = site.store.clock.now(), timedelta(days=1)
    monkeypatch.setattr("audit.report.gather.MOST", 2)
    for refusal, wanted in (
        (UnknownKind, Wanted("weather", now - day, now)),
        (AboutWhat, Wanted("person", now - day, now)),
        (AboutWhat, Wanted("refusals", now - day, now, "p-1")),
        (NoPeriod, Wanted("refusals", now, now)),
        (NoPeriod, Wanted("refusals", now, now + day)),
        (ReportTooLarge, Wanted("certificates", now - day, now)),
    ):
        with pytest.raises(refusal):
            make_for(site.log, AUDITOR, wanted)
    assert reports_for(site.log, AUDITOR) == ()
    with pytest.raises(ReportNotFound):
        file_for(site.log, AUDITOR, "nothing", "report.pdf")


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("at", ["1-recorded", "2-signed", "3-kept"])
def test_a_report_that_was_cut_off_is_finished_once(reporting, clock, at):
    site = reporting()
    site.act("certificate:1", "ca.issue")
    clock.advance(timedelta(seconds=1))

    def kill(step):
        if step == f"audit.make-report.{at}":
            raise Killed

    steps.listen(kill)
    try:
        with pytest.raises(Killed):
            make_for(site.log, AUDITOR, _wanted(site, "certificates"))
    finally:
        steps.listen(None)
    finish_all(site.log)
    assert finish_all(site.log) == 0
    (made,) = reports_for(site.log, AUDITOR)
    assert made.sealed is not None
    assert b"record.tlog-proof" in file_for(site.log, AUDITOR, made.id, "report.pdf")[1]
    site.log.sequence()
    acts = [entry.verb for entry in site.log.entries(Filters(subject=f"report:{made.id}"), limit=50)]
    assert (acts.count("audit.make-report"), acts.count("audit.sign-report")) == (1, 1)


def test_what_cannot_be_signed_now_is_signed_later(reporting):
    site = reporting()
    site.log.around.away = True
    made = make_for(site.log, AUDITOR, _wanted(site, "refusals"))
    assert made.sealed is None
    with pytest.raises(Away):
        make_due(site.log)
    site.log.around.away = False
    make_due(site.log)
    assert [each.sealed is not None for each in reports_for(site.log, AUDITOR)] == [True]


@pytest.mark.engines("both")
def test_each_period_once_whoever_makes_it(reporting, clock):
    """Four processes at once. Seen to make twelve without the uniqueness of schedule and period."""
    sites = [reporting() for _ in range(4)]
    begun = begin_for(sites[0].log, AUDITOR, "refusals", "day")
    make_due(sites[0].log)
    assert reports_for(sites[0].log, AUDITOR) == ()  # the day is not over
    clock.advance(timedelta(days=3))
    failures = []

    def work(site):
        try:
            make_due(site.log)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(site,)) for site in sites]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    made = reports_for(sites[0].log, AUDITOR)
    assert len(made) == 3
    assert len({each.until for each in made}) == 3
    assert all(each.sealed and each.schedule == begun.id and each.by == SYSTEM.id for each in made)
    assert make_due(sites[1].log) == 0
    end_for(sites[0].log, AUDITOR, begun.id)
    clock.advance(timedelta(days=2))
    assert make_due(sites[1].log) == 0
    assert schedules_for(sites[0].log, AUDITOR) == ()


def test_a_period_is_reported_when_nothing_of_it_is_on_its_way(reporting, clock):
    site = reporting()
    begin_for(site.log, AUDITOR, "refusals", "day")
    _, end = period_of("day", clock.now())
    clock.advance(end - clock.now() + timedelta(seconds=59))
    assert make_due(site.log) == 0
    clock.advance(timedelta(seconds=1))
    assert make_due(site.log) == 1


@pytest.mark.parametrize(
    ("every", "begin", "end"),
    [
        ("day", "2027-12-31", "2028-01-01"),
        ("week", "2027-12-27", "2028-01-03"),
        ("month", "2027-12-01", "2028-01-01"),
        ("quarter", "2027-10-01", "2028-01-01"),
        ("year", "2027-01-01", "2028-01-01"),
    ],
)
def test_periods_are_of_beijing(every, begin, end):
    at = datetime(2027, 12, 30, 17, tzinfo=UTC)  # 1 o'clock on the 31st in Beijing
    found = period_of(every, at)
    assert [each.isoformat() for each in found] == [f"{begin}T00:00:00+08:00", f"{end}T00:00:00+08:00"]


def test_reports_are_for_auditors(reporting):
    site = reporting()
    made = make_for(site.log, AUDITOR, _wanted(site, "refusals"))
    questions = (
        lambda asking: make_for(site.log, asking, _wanted(site, "refusals")),
        lambda asking: reports_for(site.log, asking),
        lambda asking: report_for(site.log, asking, made.id),
        lambda asking: file_for(site.log, asking, made.id, "report.pdf"),
        lambda asking: begin_for(site.log, asking, "refusals", "day"),
        lambda asking: schedules_for(site.log, asking),
        lambda asking: end_for(site.log, asking, "x"),
    )
    for name in sorted(set(POSTS) - {"auditor"}):
        for question in questions:
            with pytest.raises(Denied):
                question(actor(name))
        site.log.sequence()
        assert len(site.log.entries(Filters(actor=name, outcome=Outcome.REFUSED))) == len(questions)


def test_a_column_is_as_wide_as_what_stands_in_it():
    """Seen to fail when: a long cell takes what it would; a heading is not looked at; a time is measured as it is kept;
    a short column shrinks with the long."""
    columns = [
        {"name": "index", "zh": "序号", "en": "Index"},
        {"name": "time", "zh": "时间", "en": "Time"},
        {"name": "subject", "zh": "对象", "en": "Object"},
        {"name": "organ", "zh": "所属机关名称", "en": "Organ"},
    ]
    rows = [["7", "2026-11-22T01:30:00.123456Z", "长" * 500, "o"]]
    wanted = [2 + 1.25 * 5, 2 + 19, 2 + 26, 2 + 1.25 * 12]
    assert _shares(columns, rows) == pytest.approx([100 * each / sum(wanted) for each in wanted])
    assert sum(_shares(columns, [])) == pytest.approx(100)
    many = _shares([columns[0], *[columns[2]] * 9], [["7", *["长" * 500] * 9]])
    assert many[0] == pytest.approx(100 * (2 + 1.25 * 5) / 200), (
        "a line that is full takes from the long ones"
    )
