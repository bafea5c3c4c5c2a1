# ruff: noqa: S608 - the statements are this file's own constants
"""An insider with full rights on the database: every table whose rows the log accounts for, a row at a time.

Rows are altered, removed, put in and reordered, each with the triggers gone, and the check names table and row. Put back, all is
well again, so each finding is that change's own.

Seen to fail when: a table is not held against the log; the order of orders is not looked at; a decision's signatures are not.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from audit import Filters
from audit.archive.proposals import RETAIN, RetentionContent
from audit.errors import StateBroken
from audit.personal.proposals import HOLD, HoldContent
from audit.question import keep_for, share_for
from audit.renewal.keep import keep
from audit.report import make as making
from audit.report.make import Wanted, make_for
from audit.report.schedule import begin_for
from audit.witness import LogContradicted
from audit.witness.contradiction import Contradiction, Kind, record
from audit.witness.errors import WitnessRolledBack
from yinxin.act import SYSTEM
from yinxin.crypto.suite import INTL
from yinxin.tlog import Note

from .deciding import BASIS, Decided, carried_out
from .neighbourhood import grow
from .people import actor
from .test_reports import Around

pytestmark = pytest.mark.engines("any")
AUDITOR = actor("auditor")


class Above(Around, Decided):
    """The floors above: proposals are remembered, and reports sealed."""

    def __init__(self, url):
        Around.__init__(self)
        Decided.__init__(self, url)


@pytest.fixture
def lived(witnessed, clock, monkeypatch):
    """A site on which everything was done once."""
    site, now = witnessed, clock.now()
    log = site.log
    log.around = Above(site.url)
    monkeypatch.setattr(making, "paint", lambda content: b"%PDF " + content["id"].encode())
    carried_out(site, RETAIN, RetentionContent(scope="ca.", days=3650, since=now, basis=BASIS), "r1")
    for number, (person, held) in enumerate((("p-1", True), ("p-2", True), ("p-2", False)), 1):
        carried_out(site, HOLD, HoldContent(person=person, held=held), f"h{number}")
        clock.advance(timedelta(seconds=1))
    question = keep_for(log, AUDITOR, "拒绝", Filters(outcome="refused"), days=7)
    share_for(log, AUDITOR, question.id, shared=True)
    begin_for(log, AUDITOR, "refusals", "month")
    log.index.catch_up()
    make_for(log, AUDITOR, Wanted("refusals", now - timedelta(days=1), now))
    keep(log, SYSTEM, b"a bundle")
    witness = next(iter(log.witnesses.policy(INTL).witnesses.values())).verifier
    found = Contradiction("sha256", witness.name, Kind.FORKED, 3, 4, proven=True, at=clock.now())
    record(log.store, log.settings.origin, witness, found, log.signed().encode())
    grow(site, 1)
    return site


def held(site, *, name=None):
    """Nothing is wrong but what the witness says; or this row is."""
    if name is None:
        with pytest.raises(LogContradicted):
            site.log.check()
        return
    with pytest.raises(StateBroken) as broken:
        site.log.check()
    assert name in (broken.value.facts["row"], broken.value.facts["table"].en), broken.value
    for language in ("zh", "en"):
        assert broken.value.text(language)


#: table, the row, and what is done to it: SET …, or nothing where it is removed
CHANGES = [
    ("audit_retention", "proposal = 'r1'", "days = 184", "r1"),
    ("audit_retention", "proposal = 'r1'", "days = NULL", "r1"),
    ("audit_retention", "proposal = 'r1'", "scope = ''", "r1"),
    ("audit_retention", "proposal = 'r1'", "since = '2020-01-01 00:00:00.000000'", "r1"),
    ("audit_retention", "proposal = 'r1'", "basis = 'none'", "r1"),
    ("audit_retention", "proposal = 'r1'", None, "r1"),
    ("audit_hold", "proposal = 'h1'", None, "h1"),
    ("audit_hold", "proposal = 'h1'", "held = false", "h1"),
    ("audit_hold", "proposal = 'h1'", "person = 'p-9'", "h1"),
    ("audit_hold", "proposal = 'h1'", "basis = 'none'", "h1"),
    ("audit_hold", "proposal = 'h3'", "since = '2020-01-01 00:00:00.000000'", "h1"),
    ("audit_hold", "proposal = 'h3'", "proposal = 'h9'", "h9"),
    ("audit_policy", "tree = 'sm3'", None, "the policies of witnesses"),
    ("audit_policy", "tree = 'sm3'", "policy = CAST('quorum none' AS BLOB)", "the policies of witnesses"),
    ("audit_policy", "tree = 'sha256'", "number = 99", "the policies of witnesses"),
    ("audit_question", "shared", "shared = false", "the saved questions"),
    ("audit_question", "shared", "filters = '{}'", "the saved questions"),
    ("audit_question", "shared", "days = 1", "the saved questions"),
    ("audit_question", "shared", None, "the saved questions"),
    ("audit_schedule", "kind = 'refusals'", "kind = 'backups'", "the schedules of reports"),
    ("audit_schedule", "kind = 'refusals'", "ended = created", "the schedules of reports"),
    ("audit_schedule", "kind = 'refusals'", None, "the schedules of reports"),
    ("audit_report", "kind = 'refusals'", "entries = 99", "the reports"),
    ("audit_report", "kind = 'refusals'", "entry = 'x'", "the reports"),
    ("audit_report_file", "name = 'report.json'", "data = CAST('{}' AS BLOB)", "the reports"),
    ("audit_report_file", "name = 'entries.jsonl'", "data = CAST('{}' AS BLOB)", "the reports"),
    ("audit_report_file", "name = 'report.pdf'", "data = CAST('{}' AS BLOB)", "the reports"),
    ("audit_report_file", "name = 'report.pdf'", None, "the reports"),
    ("audit_contradiction", "theirs = 4", None, "what witnesses contradict"),
    ("audit_contradiction", "theirs = 4", "note = NULL", "what witnesses contradict"),
    ("audit_contradiction", "theirs = 4", "size = 4", "what witnesses contradict"),
    ("audit_kept", "kind = 'bundle'", None, "what is in keeping"),
]


def test_every_row_is_held_against_the_log(lived):
    if lived.engine.dialect.name != "sqlite":
        pytest.skip("the statements are SQLite's")
    lived.drop_triggers()
    held(lived)
    for table, where, change, name in CHANGES:
        with lived.engine.begin() as connection:
            before = connection.execute(sa.text(f"SELECT * FROM {table}")).mappings().all()
        lived.execute(
            f"DELETE FROM {table} WHERE {where}"
            if change is None
            else f"UPDATE {table} SET {change} WHERE {where}"
        )
        try:
            held(lived, name=name)
        except BaseException as error:
            raise AssertionError((table, where, change)) from error
        with lived.engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            connection.exec_driver_sql(f"DELETE FROM {table}")
            for row in before:
                columns = ", ".join(f'"{column}"' for column in row)
                values = ", ".join(f":{column}" for column in row)
                connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), dict(row))
    held(lived)


def test_a_row_that_nobody_decided(lived):
    """A row that the log has no word of; and one with a record of her own making, which no proposal bears out."""
    lived.drop_triggers()
    row = {"basis": BASIS, "since": lived.store.clock.now().strftime("%Y-%m-%d %H:%M:%S.%f")}
    lived.execute("INSERT INTO audit_hold VALUES ('h9', 'p-1', false, :basis, :since)", **row)
    held(lived, name="h9")
    document = Decided(lived.url).done["h1"]
    facts = {
        "kind": "audit.hold",
        "digest": "0",
        "approvals": [{"certificate": "c-1"}, {"certificate": "c-2"}],
    }
    with lived.store.act(SYSTEM, "authz.execute", "proposal:h9", **facts) as act:
        act.facts["outcome"] = {"person": "p-1", "held": False}
    held(lived, name="h9")
    known = replace(document, digest="0", content={"person": "p-1", "held": False})
    for forged in (replace(known, signed=frozenset()), replace(known, kind="audit.retain")):
        lived.log.around.done["h9"] = forged
        held(lived, name="h9")
    lived.log.around.done["h9"] = known
    held(lived)


def test_what_is_witnessed_here(lived, neighbours):
    """At the witness: whose log it watches, by which keys, and what it has cosigned last."""
    jia = neighbours[0]
    lived.log.witnesses.gather(at_once=True)
    jia.log.check()
    jia.drop_triggers()
    for change in ("keys = 'x'", "stopped = since", "origin = 'other'", "proposal = 'p9'"):
        with jia.engine.begin() as connection:
            before = connection.execute(sa.text("SELECT * FROM audit_witnessed_log")).mappings().all()
        jia.execute(f"UPDATE audit_witnessed_log SET {change} WHERE tree = 'sha256'")
        with pytest.raises(StateBroken):
            jia.log.check()
        jia.execute("DELETE FROM audit_witnessed_log")
        with pytest.raises(StateBroken):
            jia.log.check()
        with jia.engine.begin() as connection:
            for row in before:
                names = ", ".join(f":{name}" for name in row)
                connection.execute(sa.text(f"INSERT INTO audit_witnessed_log VALUES ({names})"), dict(row))
        jia.log.check()
    with jia.engine.begin() as connection:
        (note,) = connection.execute(
            sa.text("SELECT note FROM audit_witnessed WHERE origin NOT LIKE '%sm3'")
        ).one()
    good = Note.decode(bytes(note))
    for forged in (Note(good.text, ()), Note(good.text.replace("\n", "x\n", 1), good.signatures)):
        jia.execute(
            "UPDATE audit_witnessed SET note = :note WHERE origin NOT LIKE '%sm3'",
            note=forged.encode() if forged.signatures else forged.text.encode(),
        )
        with pytest.raises(StateBroken):
            jia.log.check()
    # turned back to nothing, the file apart remembers
    jia.execute("DELETE FROM audit_witnessed")
    with pytest.raises(WitnessRolledBack):
        jia.log.check()
