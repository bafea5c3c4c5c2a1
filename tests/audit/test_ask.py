"""Who may ask the log what, over HTTP and on the command line; and that asking is itself recorded."""

import json
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from audit import EntryNotFound, NobodyMayAsk, ask
from audit.api import routes
from audit.cli import group
from audit.models import EntryRow
from tests.support.databases import create_tables
from yinxin import canonical
from yinxin.authz import Denied
from yinxin.crypto.suite import INTL, SM
from yinxin.tlog import Checkpoint, LogProof, Note, Tile, leaf_hash
from yinxin.web import WebSettings, create_app

from .people import POSTS, Deciding, People, actor

ORIGIN = "https://trust.example.gov.cn"


@pytest.fixture
def decided(site):
    create_tables(site.engine)
    site.log.decider = Deciding(site.store)
    return site


@pytest.fixture
def event(decided):
    """An act of the clerk's, among others."""
    decided.act()
    with decided.store.act(actor("clerk"), "document.seal", "document:7") as act:
        pass
    decided.act()
    return act.id


@pytest.fixture
def http(decided, clock):
    app = create_app(
        authenticator=People(), store=decided.store, clock=clock, settings=WebSettings(public_url=ORIGIN)
    )
    for blueprint in routes(decided.log):
        app.register_blueprint(blueprint)

    def get(path, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return app.test_client().get(path, headers=headers, base_url=ORIGIN)

    return get


ALLOWED = {
    "read": {"auditor"},
    "check": {"auditor", "officer", "administrator"},
    # who was told an entry's identifier; not the administrator, who sees no business data, nor a stranger in no post
    "export": set(POSTS) - {"administrator"},
}


@pytest.mark.parametrize("name", [*POSTS, "stranger"])
def test_who_may_what(decided, event, name):
    asking = actor(name) if name in POSTS else actor("clerk").__class__(actor("clerk").kind, "stranger")
    questions = {
        "read": lambda: ask.entry_for(decided.log, asking, event),
        "check": lambda: ask.check_for(decided.log, asking),
        "export": lambda: ask.export_for(decided.log, asking, event),
    }
    for verb, question in questions.items():
        decided.log.sequence()
        before = decided.log.health().facts["size"]
        if name in ALLOWED[verb]:
            question()
            outcome = "done"
        else:
            with pytest.raises(Denied):
                question()
            outcome = "refused"
        decided.log.sequence()
        entries = decided.log.entries()
        assert entries[0].index == before  # exactly one entry tells of the question
        assert (entries[0].actor, entries[0].verb, entries[0].outcome) == (name, f"audit.{verb}", outcome)
        assert entries[0].fields()["decision"]["allowed"] is (outcome == "done")


def test_without_a_decider_nobody_asks(site):
    event = site.act()
    for question in (
        lambda: ask.entry_for(site.log, actor("auditor"), event),
        lambda: ask.check_for(site.log, actor("auditor")),
        lambda: ask.export_for(site.log, actor("auditor"), event),
    ):
        with pytest.raises(NobodyMayAsk):
            question()


def test_a_finding_is_recorded(decided, event):
    decided.log.settle(event)
    decided.drop_triggers()
    decided.execute("UPDATE audit_entry SET subject = 'x' WHERE \"index\" = 1")
    with pytest.raises(Exception, match=r"audit\.tampered"):
        ask.check_for(decided.log, actor("auditor"))
    decided.log.sequence()
    assert decided.log.entries()[0].fields()["error"] == "audit.tampered"


def test_proof_over_http(decided, http, event):
    for suite in (INTL, SM):
        answer = http(f"/api/audit/v1/entries/{event}/proof?suite={suite.name}", "clerk")
        assert answer.status_code == 200
        assert "entry.tlog-proof" in answer.headers["Content-Disposition"]
        proof = LogProof.decode(answer.data)
        proof.verify([decided.log.verifiers[suite.hash.name]])
        assert canonical.decode(proof.entry)["subject"] == "document:7"
    assert http(f"/api/audit/v1/entries/{event}/proof", "outsider").status_code == 200
    assert http(f"/api/audit/v1/entries/{event}/proof").status_code == 401
    assert http(f"/api/audit/v1/entries/{event}/proof?suite=md5", "clerk").status_code == 422
    problem = http("/api/audit/v1/entries/none/proof", "auditor").get_json()
    assert problem["type"].endswith(EntryNotFound.code)


def test_entries_over_http_page_by_page(decided, http, event):
    for number in range(7):
        decided.act(f"thing:{number}", "test.page")
    decided.log.sequence()
    found, after = [], ""
    while after is not None:
        page = http(
            f"/api/audit/v1/entries?verb=test.page&limit=3{after and '&after=' + after}", "auditor"
        ).get_json()
        found += [item["subject"] for item in page["items"]]
        after = page["next"]
    assert found == [f"thing:{number}" for number in reversed(range(7))]
    one = http(f"/api/audit/v1/entries/{event}", "auditor").get_json()
    assert (one["index"], one["actor"], one["event"]["actor"]["organ"]) == (1, "clerk", "o-office")
    assert one["time"].endswith("Z")
    since = http("/api/audit/v1/entries?since=2026-11-22T09:30:00%2B08:00&limit=200", "auditor")
    assert len(since.get_json()["items"]) >= 10
    assert http("/api/audit/v1/entries?since=yesterday", "auditor").status_code == 422
    assert http("/api/audit/v1/entries?after=x", "auditor").status_code == 400
    assert http("/api/audit/v1/entries", "clerk").status_code == 403
    assert http("/api/audit/v1/entries").status_code == 401


def test_public_checkpoint_and_tiles(decided, http, event):
    assert http("/log/checkpoint").status_code == 404
    decided.log.settle(event)
    for suite, prefix in ((INTL, "/log"), (SM, "/log/sm3")):
        answer = http(f"{prefix}/checkpoint")
        assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
        assert answer.data == http(f"/api/audit/v1/checkpoint?suite={suite.name}").data
        checkpoint, found = Checkpoint.open(
            Note.decode(answer.data), [decided.log.verifiers[suite.hash.name]], strict=True
        )
        assert (checkpoint.size, found) == (3, suite)
        tile = http(f"{prefix}/tile/{Tile(0, 0, 3).path()}")
        assert (tile.status_code, tile.content_type) == (200, "application/octet-stream")
        assert "immutable" in tile.headers["Cache-Control"]
        entry = decided.log.entry(event)
        assert tile.data[32:64] == leaf_hash(suite.hash, entry.data)
    for path in ("0/000", "0/000.p/4", "entries/000.p/3", "x", "0/0", "1/000.p/1"):
        assert http(f"/log/tile/{path}").status_code == 404


def test_policies_and_columns_agree_with_the_registration(decided):
    from audit.module import MODULE

    named = {verb.name for verb in MODULE.verbs}
    asked = {each for each in decided.log.decider.policies.actions if not each.startswith("authz.")}
    # what rests on one of these is recorded under a name of its own: saved questions, the index made anew
    assert {ask.READ, ask.EXPORT, ask.CHECK} < asked
    assert asked < named
    assert MODULE.backup(decided.log) == (decided.log.checkpoint_file,)
    assert EntryRow.__table__.c.subject.type.length == 300


@dataclass
class Context:
    """What the command line gives to commands."""

    site: object
    name: str

    def platform(self):
        return self

    @property
    def audit(self):
        return self.site.log

    def actor(self):
        return actor(self.name)


def run(site, name, *arguments):
    return CliRunner().invoke(group, arguments, obj=Context(site, name))


def test_commands(decided, event, tmp_path):
    decided.log.settle(event)
    tail = run(decided, "auditor", "tail", "-n", "2")
    assert tail.exit_code == 0, tail.output
    assert len(tail.output.splitlines()) == 2
    assert event in tail.output
    lines = run(decided, "auditor", "tail", "--verb", "document.", "--json").output.splitlines()
    assert [json.loads(line)["event"]["id"] for line in lines] == [event]
    assert json.loads(run(decided, "auditor", "show", event, "--json").output)["index"] == 1
    assert "日志完整" in run(decided, "officer", "check").output
    assert json.loads(run(decided, "auditor", "check", "--json").output)["size"] >= 3
    out = tmp_path / "act.tlog-proof"
    exported = run(decided, "officer", "export", event, "--out", str(out), "--suite", "sm", "--json")
    assert json.loads(exported.output)["key"] == decided.log.verifiers["sm3"].encode()
    LogProof.decode(out.read_bytes()).verify([decided.log.verifiers["sm3"]])
    assert run(decided, "officer", "export", event, "--out", str(out)).exit_code == 0
    assert isinstance(run(decided, "clerk", "tail").exception, Denied)
    assert isinstance(run(decided, "clerk", "check").exception, Denied)
