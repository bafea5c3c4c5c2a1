"""This site's log and those that witness it: asked over HTTP and by file, and what their refusals bring to light."""

import gzip
import json
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.exc import DBAPIError

from audit import ask
from audit.cli import group
from audit.errors import RecordsMissing
from audit.witness import CosignatureBroken, LogContradicted
from audit.witness.errors import BadWitnessing, NothingToTake, UnknownWitness
from audit.witness.proposals import QuorumContent, StopContent, WitnessContent
from tests.support.codes import read_code
from yinxin import canonical, steps
from yinxin.authz import Denied
from yinxin.crypto.suite import INTL, SM
from yinxin.tlog import (
    BadNoteSignature,
    MalformedPolicy,
    Note,
    Policy,
    QuorumMissed,
    Submission,
    UntrustedNote,
)

from .neighbourhood import app_of, decide, grow, policy, roll_back, size
from .people import actor
from .test_tampering import rebuilt

pytestmark = pytest.mark.engines("any")
#: a few kilobytes that become megabytes
BOMB = gzip.compress(bytes(4_000_000))


@pytest.mark.engines("both")
def test_both_trees_are_cosigned_and_served_with_a_quorum(witnessed, neighbours, net, clock):
    log = witnessed.log
    grow(witnessed, 3)
    assert size(log.published()) == log.health().facts["signed"]  # nothing has a quorum yet
    assert log.witnesses.gather() == 4
    cosigned = size(log.signed())
    for suite in (INTL, SM):
        read = Policy.parse(policy(witnessed, neighbours, suite).encode())
        assert set(read.check(log.published(suite), strict=True).cosigned) == {"jia", "yi"}
    # asked again at once, nobody is; when there is something new, each is, once a minute, from where it stands
    grow(witnessed, 5)
    assert log.witnesses.gather() == 0
    clock.advance(timedelta(seconds=61))
    net.down.add("yi.example")
    net.calls.clear()
    assert log.witnesses.gather() == 2
    assert len(net.calls) == 4
    # a quorum is what readers are shown, until the newer one has one too
    assert size(log.published()) == cosigned
    with pytest.raises(QuorumMissed):
        Policy.parse(policy(witnessed, neighbours).encode()).check(log.signed())
    http = app_of(witnessed).test_client()
    assert http.get("/log/checkpoint").data == log.published().encode()
    assert size(Note.decode(http.get("/log/sm3/checkpoint").data)) == cosigned
    net.down.clear()
    net.calls.clear()
    clock.advance(timedelta(seconds=61))
    assert log.witnesses.gather() == 0  # who failed is asked less often
    clock.advance(timedelta(seconds=61))
    assert log.witnesses.gather() == 2
    assert size(log.published()) == size(log.signed())
    # an idle log's witnesses say so once an hour
    clock.advance(timedelta(hours=1))
    assert log.witnesses.gather() == 4
    report = log.check()
    assert report.cosignatures == 12
    assert log.health().ok
    facts = log.witnesses.facts()
    assert {each["witness"]: each["error"] for each in facts["witnesses"]} == {"jia": None, "yi": None}
    assert facts["witnessed"] == {"sha256": size(log.signed()), "sm3": size(log.signed())}


def test_witnessing_each_other_comes_to_rest(witnessed, neighbours, net, clock):
    """Cosigning and being cosigned leave no entries, or two logs would make each other grow for ever."""
    jia = neighbours[0]
    key = jia.log.verifiers["sha256"].encode()
    decide(witnessed, "audit.witness-log", WitnessContent(keys=(key,)))
    net.apps["ours.example"] = app_of(witnessed)
    mine = next(each for each in witnessed.log.cosigner.keys if each.public_key.suite is INTL)
    text = f"log {key}\nwitness ours {mine.encode()} https://ours.example/witness\nquorum ours\n"
    jia.log.witnesses._gatherer._http = net.client
    decide(jia, "audit.set-quorum", QuorumContent(suite="intl", policy=text))
    sizes = []
    for _ in range(3):
        for site in (witnessed, jia):
            site.log.sequence()
            site.log.checkpoint()
            site.log.witnesses.gather()
        clock.advance(timedelta(seconds=61))
        sizes.append([site.log.health().facts["size"] for site in (witnessed, jia)])
    assert sizes[0] == sizes[2]
    assert size(jia.log.published()) == sizes[2][1]


@pytest.mark.engines("both")
@pytest.mark.parametrize("kind", ["rolled-back", "forked"])
def test_a_rolled_back_machine_is_found_out(witnessed, another, net, clock, kind):
    """Nothing on the machine can know; the witness does, and shows what our own key had signed."""
    grow(witnessed, 3)
    kept = witnessed.data / "kept"
    shutil.copy(witnessed.log.checkpoint_file, kept)
    before = size(witnessed.log.signed())
    grow(witnessed, 5)
    assert witnessed.log.witnesses.gather() == 4
    seen = size(witnessed.log.signed())
    roll_back(witnessed, before)
    shutil.copy(kept, witnessed.log.checkpoint_file)
    restored = another(http=net.client)
    restored.log.start()
    grow(restored, 9 if kind == "forked" else 2, "test.other")
    restored.log.check()
    clock.advance(timedelta(hours=2))
    assert restored.log.witnesses.gather() == 0
    found = restored.log.witnesses.contradictions()
    assert {(each.kind, each.theirs, each.proven) for each in found} == {(kind, seen, True)}
    assert {each.tree for each in found} == {"sha256", "sm3"}
    health = restored.log.health()
    assert not health.ok
    assert "refused to cosign" in health.text.en
    with pytest.raises(LogContradicted) as contradicted:
        restored.log.check()
    assert ("forked" if kind == "forked" else "rolled back") in contradicted.value.text("en")
    restored.log.sequence()
    entries = [each for each in restored.log.entries() if each.verb == "audit.find-contradiction"]
    assert len(entries) == 4
    # once found it stands, and is not told again and again
    clock.advance(timedelta(hours=2))
    restored.log.witnesses.gather()
    restored.log.sequence()
    assert len([each for each in restored.log.entries() if each.verb == "audit.find-contradiction"]) == 4
    restored.act()  # an alarm, not a stop
    with restored.store.read() as session:
        notes = session.scalars(sa.text("SELECT note FROM audit_contradiction")).all()
    for note in notes:
        assert size(Note.decode(bytes(note))) == seen


@pytest.mark.engines("both")
@pytest.mark.parametrize("change", ["altered", "removed", "inserted", "reordered"])
def test_a_history_made_anew_is_named_by_the_witness(witnessed, another, net, clock, change):
    """The insider makes entries, hashes and tiles anew, throws away checkpoints and the file apart, and has all of it signed again."""
    grow(witnessed, 8)
    assert witnessed.log.witnesses.gather() == 4
    seen = size(witnessed.log.signed())
    data = [entry.data for entry in reversed(witnessed.log.entries(limit=1000))]
    at = len(data) - 5
    foreign = data[at].replace(canonical.decode(data[at])["id"].encode(), b"0" * 26)
    rebuilt(
        witnessed,
        {
            "altered": [*data[:at], data[at].replace(b"test.act", b"test.add"), *data[at + 1 :]],
            "removed": [*data[:at], *data[at + 1 :]],
            "inserted": [*data[:at], foreign, *data[at:]],
            "reordered": [*data[:at], data[at + 1], data[at], *data[at + 2 :]],
        }[change],
    )
    for table in ("audit_checkpoint", "audit_cosignature"):
        witnessed.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this test
    witnessed.execute("UPDATE audit_asked SET size = 0")
    witnessed.log.checkpoint_file.unlink()
    restored = another(http=net.client)
    restored.log.index.rebuild()
    restored.log.start()
    grow(restored, 4)
    clock.advance(timedelta(hours=2))
    assert restored.log.witnesses.gather() == 0
    found = restored.log.witnesses.contradictions()
    assert {(each.kind, each.theirs, each.proven) for each in found} == {("forked", seen, True)}
    with pytest.raises((LogContradicted, RecordsMissing)):
        restored.log.check()


def test_a_forked_log_is_cosigned_by_one_witness_only(witnessed, neighbours, net, tmp_path, another):
    """Two histories shown to two witnesses: neither has a quorum, and each witness keeps its own."""
    grow(witnessed, 3)
    net.down.add("yi.example")
    witnessed.log.witnesses.gather()
    mine = witnessed.log.signed()
    roll_back(witnessed, size(mine) - 2)
    twin = another(http=net.client)
    twin.log.start()
    grow(twin, 2, "test.other")
    assert size(twin.log.signed()) == size(mine)
    net.down = {"jia.example"}
    twin.log.witnesses.gather(at_once=True)
    for site in (witnessed, twin):
        with pytest.raises(QuorumMissed):
            Policy.parse(policy(witnessed, neighbours).encode()).check(site.log.signed())
    net.down.clear()
    twin.log.witnesses.gather(at_once=True)
    assert {(each.witness[:3], each.proven) for each in twin.log.witnesses.contradictions()} == {
        ("jia", True)
    }
    # the witness that has seen both keeps the proof, and says so
    assert neighbours[0].log.cosigner.suspects() > 0


def test_an_unproven_refusal_is_an_alarm_until_the_witness_cosigns_again(witnessed, net, clock):
    grow(witnessed, 2)
    log = witnessed.log
    net.answer = lambda request: (
        httpx.Response(409, headers={"Content-Type": "text/x.tlog.size"}, content=b"999\n")
        if request.method == "POST"
        else httpx.Response(404)
    )
    assert log.witnesses.gather() == 0
    assert {(each.kind, each.proven) for each in log.witnesses.contradictions()} == {("rolled-back", False)}
    assert not log.health().ok
    net.answer = None
    clock.advance(timedelta(hours=1))
    log.sequence()
    log.checkpoint()
    assert log.witnesses.gather() == 4
    assert log.health().ok
    log.check()


def test_one_witness_cannot_keep_the_log_in_alarm_against_the_quorum(witnessed, neighbours, net, clock):
    """It refuses without proof, names another size each time, and shows nothing: its failure is shown as its own."""
    log, sizes = witnessed.log, iter(range(900, 1000))
    for suite in (INTL, SM):
        one = policy(witnessed, neighbours, suite, quorum="group one any jia yi\nquorum one\n")
        decide(witnessed, "audit.set-quorum", QuorumContent(suite=suite.name, policy=one))

    def refusing(request):
        if request.method != "POST":
            return httpx.Response(404)
        size = f"{next(sizes)}\n".encode()
        return httpx.Response(409, headers={"Content-Type": "text/x.tlog.size"}, content=size)

    net.others["jia.example"] = refusing
    net.down = {"yi.example"}
    grow(witnessed, 2)
    assert log.witnesses.gather() == 0
    assert not log.health().ok  # nobody speaks for the log yet
    net.down = set()
    clock.advance(timedelta(minutes=5))
    grow(witnessed, 1)
    for _ in range(3):
        assert log.witnesses.gather(at_once=True) == 2
        grow(witnessed, 1)
    assert log.health().ok
    log.check()
    assert log.witnesses.contradictions() == ()
    errors = {each.name: each.error for each in log.witnesses.standing()}
    assert errors == {"jia": "rolled-back", "yi": None}
    # and it does not fill the log: one finding a tree
    assert sum(each.verb == "audit.find-contradiction" for each in log.entries(limit=200)) == 2


def test_answers_that_help_nobody(witnessed, neighbours, net, clock):
    log = witnessed.log
    grow(witnessed, 2)
    foreign = neighbours[1].log.cosigner
    stale = None

    def old_cosignature(request):
        return httpx.Response(200, content=stale)

    answers = [
        (lambda request: httpx.Response(200, content=b""), "tlog.malformed_note"),
        (lambda request: httpx.Response(200, content=b"x" * 200_000), "too long an answer"),
        (lambda request: httpx.Response(200, content="— someone AAAAAAA=\n".encode()), "no cosignature"),
        (
            lambda request: httpx.Response(200, content=BOMB, headers={"Content-Encoding": "gzip"}),
            "an encoded answer",
        ),
        (lambda request: httpx.Response(500), "HTTP 500"),
        (lambda request: httpx.Response(302, headers={"Location": "https://yi.example/"}), "HTTP 302"),
        (lambda request: httpx.Response(409, content=b"7\n"), "HTTP 409"),
        (
            lambda request: httpx.Response(
                409, headers={"Content-Type": "text/x.tlog.size"}, content=b"-7\n"
            ),
            "no size in the answer",
        ),
        # no database holds it: seen to keep every witness after this one from being asked, and to be tried again at once
        (
            lambda request: (
                httpx.Response(
                    409, headers={"Content-Type": "text/x.tlog.size"}, content=b"9999999999999999999\n"
                )
                if request.method == "POST"
                else httpx.Response(404)
            ),
            "no size in the answer",
        ),
    ]
    for answer, error in answers:
        net.answer = answer
        assert log.witnesses.gather(at_once=True) == 0
        assert {each.error for each in log.witnesses.standing()} == {error}
    net.answer = None
    # a replayed cosignature of an older checkpoint, and one by another witness, are of no use
    assert log.witnesses.gather(at_once=True) == 4
    stale = log.signed().encode().split(b"\n")[-3] + b"\n"
    grow(witnessed, 1)
    net.answer = old_cosignature
    assert log.witnesses.gather(at_once=True) == 0
    assert "tlog.bad_signature" in {each.error for each in log.witnesses.standing()}
    # a refusal by a witness whose own view of the log is ours: no reason for an alarm
    apps = net.apps
    net.answer = lambda request: (
        httpx.Response(422)
        if request.method == "POST"
        else httpx.Response(200, content=apps[request.url.host].test_client().get(request.url.path).data)
    )
    assert log.witnesses.gather(at_once=True) == 0
    assert {each.error for each in log.witnesses.standing()} == {"refused without cause"}
    assert log.witnesses.facts()["contradictions"] == []
    assert foreign.keys
    log.check()


def test_proofs_carry_the_quorum_and_the_policy_is_public(witnessed, neighbours, net, clock):
    event = witnessed.act()
    grow(witnessed, 2)
    log = witnessed.log
    assert len(log.proof(event).checkpoint.signatures) == 1
    log.witnesses.gather()
    net.down = {"yi.example"}
    clock.advance(timedelta(minutes=2))
    late = witnessed.act()
    grow(witnessed, 2)
    log.witnesses.gather()
    http = app_of(witnessed).test_client()
    for suite in (INTL, SM):
        own = Policy.parse(http.get(f"/api/audit/v1/policy?suite={suite.name}").data)
        assert own.source.decode() == policy(witnessed, neighbours, suite)
        proof = log.proof(event, suite)
        keys = [each.verifier for each in own.witnesses.values()]
        proof.verify([log.verifiers[suite.hash.name]], keys)
        assert set(own.check(proof.checkpoint, strict=True).cosigned) == {"jia", "yi"}
        with pytest.raises(UntrustedNote):
            proof.verify([log.verifiers[suite.hash.name]])
        # one that no checkpoint with a quorum covers yet is proved all the same
        assert len(log.proof(late, suite).checkpoint.signatures) == 2
    assert http.get("/api/audit/v1/policy?suite=pq").status_code == 422
    seen = http.get("/api/audit/v1/witnesses", headers={"Authorization": "Bearer auditor"}).json
    assert {(each["tree"], each["witness"]) for each in seen["witnesses"]} == {
        (tree, name) for tree in ("sha256", "sm3") for name in ("jia", "yi")
    }
    assert seen["keys"] == {
        "sha256": witnessed.log.cosigner.keys[0].encode(),
        "sm3": witnessed.log.cosigner.keys[1].encode(),
    }
    refused = http.get("/api/audit/v1/witnesses", headers={"Authorization": "Bearer clerk"})
    assert refused.status_code == 403


@pytest.mark.engines("both")
def test_cosignatures_cannot_be_altered_unnoticed(witnessed):
    grow(witnessed, 2)
    witnessed.log.witnesses.gather()
    for statement in (
        "UPDATE audit_cosignature SET size = 1",
        "DELETE FROM audit_policy",
        "DELETE FROM audit_cosignature",
    ):
        with pytest.raises(DBAPIError, match="insert-only"):
            witnessed.execute(statement)
    witnessed.drop_triggers()
    witnessed.execute("UPDATE audit_cosignature SET name = 'other.example/witness' WHERE tree = 'sm3'")
    with pytest.raises(CosignatureBroken):
        witnessed.log.check()


def run(site, who, *arguments):
    class Run:
        def platform(self):
            class Platform:
                audit = site.log

            return Platform

        def actor(self):
            return actor(who)

    return CliRunner().invoke(group, ["witness", *arguments], obj=Run(), catch_exceptions=True)


def test_by_file(ours, neighbours, tmp_path, clock):
    """No line between the sites: three files travel, and the result is the same."""
    text = policy(ours, neighbours, quorum="group one any jia yi\nquorum one\n", url="")
    (tmp_path / "policy").write_text(text)
    drafted = run(ours, "officer", "draft", str(tmp_path / "policy"), "--out", str(tmp_path / "content.json"))
    assert "1 of (jia, yi)" in drafted.output
    content = QuorumContent.model_validate_json((tmp_path / "content.json").read_bytes())
    decide(ours, "audit.set-quorum", content)
    grow(ours, 3)
    out, answer, code = (str(tmp_path / name) for name in ("out", "answer", "code.svg"))
    made = run(ours, "officer", "export", "jia", "--out", out, "--qr", code, "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.output)["old"] == 0
    submission = Submission.decode(Path(out).read_bytes())
    # what travels is what a scanner reads off the paper, both ways
    assert read_code(Path(code)) == Path(out).read_bytes()
    back = str(tmp_path / "back.svg")
    assert run(neighbours[0], "officer", "cosign", out, "--out", answer, "--qr", back).exit_code == 0
    Path(answer).write_bytes(read_code(Path(back)))
    taken = run(ours, "administrator", "import", answer, "--json")
    assert json.loads(taken.output) == {
        "tree": "sha256",
        "size": size(submission.checkpoint),
        "witnesses": ["jia.example/log/witness"],
    }
    assert run(ours, "administrator", "import", answer).exit_code == 0  # once more changes nothing
    assert size(ours.log.published()) == size(submission.checkpoint)
    assert len(ours.log.published().signatures) == 2
    # the witness is further than the log's side knows, or somewhere else
    again = run(neighbours[0], "officer", "cosign", out, "--out", answer)
    assert again.exception.facts == {"size": size(submission.checkpoint)}
    grow(ours, 2)
    assert (
        run(ours, "officer", "export", "jia", "--out", out, "--old", "999").exception.code
        == "audit.nothing_to_take"
    )
    assert isinstance(run(ours, "officer", "export", "nobody", "--out", out).exception, UnknownWitness)
    assert run(ours, "auditor", "policy", "--out", str(tmp_path / "log.policy")).exit_code == 0
    assert (tmp_path / "log.policy").read_text() == text
    shown = json.loads(run(ours, "auditor", "show", "--json").output)
    assert [each["size"] for each in shown["witnesses"]] == [size(submission.checkpoint), None]
    assert run(ours, "auditor", "show").exit_code == 0
    theirs = json.loads(run(neighbours[0], "auditor", "show", "--json").output)
    assert {each["origin"]: each["size"] for each in theirs["logs"]}["yinxin.local/log"] == size(
        submission.checkpoint
    )
    # who may not
    for who, command in (
        ("clerk", ("show",)),
        ("auditor", ("ask",)),
        ("auditor", ("import", answer)),
        ("administrator", ("cosign", out, "--out", answer)),
    ):
        assert isinstance(run(ours, who, *command).exception, Denied)
    for site in (ours, neighbours[0]):
        site.log.sequence()
    verbs = [(each.verb, each.outcome) for each in neighbours[0].log.entries()]
    assert verbs.count(("audit.cosign", "done")) == 1
    assert verbs.count(("audit.cosign", "refused")) == 1
    assert ask.check_for(ours.log, actor("auditor")).cosignatures == 1


def test_files_that_bring_nothing(witnessed, neighbours):
    grow(witnessed, 2)
    log = witnessed.log
    note = log.signed()
    with pytest.raises(NothingToTake):
        log.witnesses.take(note.encode())
    other = neighbours[0]
    other.act()
    other.log.sequence()
    other.log.checkpoint()
    with pytest.raises(NothingToTake):
        log.witnesses.take(other.log.signed().encode())
    log.witnesses.gather()
    cosigned = log.signed()
    grow(witnessed, 1)
    newer = log.signed()
    with pytest.raises(BadNoteSignature):
        log.witnesses.take(Note(newer.text, (*newer.signatures, *cosigned.signatures[1:])).encode())
    unknown = Note(newer.text.replace(f"\n{size(newer)}\n", "\n99\n"), cosigned.signatures)
    with pytest.raises(NothingToTake):
        log.witnesses.take(unknown.encode())


def test_what_may_not_be_proposed(ours, neighbours):
    good = policy(ours, neighbours)
    own = next(each for each in ours.log.cosigner.keys if each.public_key.suite is INTL)
    for text, error in (
        (good.replace("quorum both", "quorum nobody"), MalformedPolicy),
        (good.replace(f"log {ours.log.verifiers['sha256'].encode()}\n", ""), BadWitnessing),
        (good.replace("https://jia.example/witness", "ftp://jia.example/"), BadWitnessing),
        (good.replace("https://jia.example/witness", "https://a@jia.example/"), BadWitnessing),
        (good.replace("https://jia.example/witness", "https://[/"), BadWitnessing),
        (f"{good[: good.index('group')]}witness own {own.encode()}\nquorum own\n", BadWitnessing),
    ):
        with pytest.raises(error):
            decide(ours, "audit.set-quorum", QuorumContent(suite="intl", policy=text))
    with pytest.raises(BadWitnessing):
        decide(ours, "audit.set-quorum", QuorumContent(suite="sm", policy=good))
    keys = [each.encode() for each in neighbours[0].log.verifiers.values()]
    for given in (keys, [each.encode() for each in ours.log.verifiers.values()][:1]):
        with pytest.raises(BadWitnessing):
            decide(ours, "audit.witness-log", WitnessContent(keys=tuple(given)))
    decide(ours, "audit.witness-log", WitnessContent(keys=(keys[0],)))
    decide(ours, "audit.stop-witnessing", StopContent(origin="jia.example/log"))
    with pytest.raises(Exception, match="log_not_witnessed"):
        decide(ours, "audit.stop-witnessing", StopContent(origin="jia.example/log"))


def test_asking_keeps_nobody_waiting(witnessed, net, clock, monkeypatch):
    """The job returns at once; one asks at a time; who sends an answer drop by drop is given up."""
    log = witnessed.log
    grow(witnessed, 2)
    waiting, answered = threading.Event(), threading.Event()

    def slow(request):
        waiting.set()
        assert answered.wait(30)
        return httpx.Response(404)

    net.answer = slow
    log.witnesses.tick()
    assert waiting.wait(30)
    log.witnesses.tick()
    answered.set()
    log.witnesses.close()
    assert len(net.calls) == 4
    log.witnesses.tick()  # nobody is due
    log.witnesses.close()
    assert len(net.calls) == 4
    net.answer = None
    clock.advance(timedelta(hours=1))
    monkeypatch.setattr("audit.witness.gather._PATIENCE", -1.0)
    assert log.witnesses.gather() == 0
    assert {each.error for each in log.witnesses.standing()} == {"too slow an answer"}
    monkeypatch.undo()
    clock.advance(timedelta(hours=1))
    log.witnesses.tick()
    log.witnesses.close()
    assert {each.error for each in log.witnesses.standing()} == {None}


def test_nothing_calls_out_unless_configured(ours, net):
    grow(ours, 2)
    assert ours.log.witnesses.gather(at_once=True) == 0
    assert net.calls == []
    assert steps._listener is None
