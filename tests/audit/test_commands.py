"""`yinxin audit find | timeline | question | report | reindex`: what they print, for people and for machines."""

import hashlib
import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from audit.cli import group
from audit.report import make as making
from tests.support.databases import create_tables
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.evidence import page

from .people import Deciding, actor
from .test_ask import Context
from .test_reports import Around

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def run(site, clock, monkeypatch):
    """A command as somebody: its output, or what it raised."""
    create_tables(site.engine)
    site.log.decider = Deciding(site.store)
    site.log.around = Around()
    monkeypatch.setattr(making, "paint", lambda content: b"%PDF " + content["id"].encode())
    with site.store.act(actor("clerk"), "document.seal", "document:7", holder="person:neighbour"):
        pass
    site.act("certificate:1", "ca.issue")
    site.log.sequence()
    clock.advance(timedelta(seconds=1))

    def command(*arguments, who="auditor"):
        done = CliRunner().invoke(group, arguments, obj=Context(site, who))
        if done.exception is not None:
            raise done.exception
        return done.output

    return command


def _lines(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def test_finding_and_writing_files(run, clock, tmp_path):
    found = _lines(run("find", "--post", "post-clerk", "--verb", "document.", "--json"))
    assert [each["event"]["subject"] for each in found] == ["document:7"]
    assert "document:7" in run("find", "--object", "person:neighbour")
    assert run("find", "--until", "2020-01-01T00:00:00Z") == ""
    with pytest.raises(SystemExit):
        run("find", "--since", "yesterday")
    out = tmp_path / "it.jsonl"
    run("find", "--kind", "certificate", "--out", str(out), "--format", "jsonl")
    assert json.loads(out.read_bytes())["verb"] == "ca.issue"
    with pytest.raises(Denied):
        run("find", who="officer")


def test_a_misspelt_outcome_proves_nothing(run, tmp_path):
    """It would "prove" that nothing was done. Seen to fail while the option took any text."""
    out = tmp_path / "none.stretch"
    times = ("--since", "2026-01-01T00:00:00Z", "--until", "2026-01-02T00:00:00Z")
    with pytest.raises(SystemExit):
        run("prove", *times, "--outcome", "refusd", "--none", "--out", str(out))
    assert not out.exists()


def test_the_verifier_is_told_by_its_digest(run, tmp_path):
    out = tmp_path / "verify.py"
    told = json.loads(run("verifier", "--out", str(out), "--json"))
    assert told == {"file": str(out), "sha256": hashlib.sha256(out.read_bytes()).hexdigest()}
    told = json.loads(run("verifier", "--page", "--out", str(out), "--json"))
    assert (told["sha256"], out.read_bytes()) == (hashlib.sha256(page.build()).hexdigest(), page.build())


def test_timelines(run):
    told = _lines(run("timeline", "person", "neighbour", "--json"))
    assert [(each["part"], each["event"]["verb"]) for each in told] == [("named", "document.seal")]
    assert run("timeline", "object", "document:7").startswith("subject")


def test_saved_questions(run):
    kept = json.loads(run("question", "keep", "seals", "--verb", "document.seal", "--days", "3", "--json"))
    assert [each["id"] for each in _lines(run("question", "list", "--json"))] == [kept["id"]]
    assert [each["event"]["verb"] for each in _lines(run("question", "ask", kept["id"], "--json"))] == [
        "document.seal"
    ]
    assert json.loads(run("question", "share", kept["id"], "--json"))["shared"] is True
    assert "done     document.seal" in run("question", "ask", kept["id"])
    assert json.loads(run("question", "delete", kept["id"], "--json")) == {
        "question": kept["id"],
        "deleted": True,
    }
    assert run("question", "list") == ""


def test_reports_and_schedules(run, clock, tmp_path):
    since = rfc3339(clock.now() - timedelta(days=1))
    out = tmp_path / "report.pdf"
    made = json.loads(run("report", "make", "certificates", "--since", since, "--out", str(out), "--json"))
    assert (made["entries"], out.read_bytes()[:4]) == (1, b"%PDF")
    assert [each["id"] for each in _lines(run("report", "list", "--kind", "certificates", "--json"))] == [
        made["id"]
    ]
    assert "ledger.csv" in run("report", "show", made["id"])
    assert "certificate:1" in run("report", "show", made["id"], "--file", "ledger.csv")
    assert len(run("report", "kinds").splitlines()) == 17
    begun = json.loads(run("report", "schedule", "begin", "refusals", "month", "--json"))
    assert begun["id"] in run("report", "schedule", "list")
    assert begun["id"] in run("report", "schedule", "end", begun["id"])
    assert run("report", "schedule", "list") == ""


def test_the_index_is_made_anew_by_whom_the_log_may_be_checked(run):
    assert json.loads(run("reindex", "--json", who="administrator"))["entries"] >= 2
    with pytest.raises(Denied):
        run("reindex", who="clerk")
