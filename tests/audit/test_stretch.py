"""What was done in a time, and what was not: every entry between two checkpoints, and every way to leave one out."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from click.testing import CliRunner

from audit.cli import group
from audit.errors import (
    ActorUnknown,
    KindUnknown,
    NoCheckpointThen,
    StretchTooLong,
    TimeReversed,
    VerbUnknown,
)
from audit.stretch import prove, prove_for
from audit.surroundings import Alone
from yinxin import canonical, evidence
from yinxin.authz import Denied
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import YinxinError
from yinxin.evidence import (
    EvidenceMismatch,
    MalformedEvidence,
    OutsideStretch,
    Question,
    QuestionUnclear,
    SomethingDone,
)
from yinxin.evidence.standalone import verify as standalone
from yinxin.text import Text
from yinxin.tlog import (
    BadNoteSignature,
    Checkpoint,
    NotConsistent,
    Note,
    NoteSigner,
    Policy,
    QuorumMissed,
    UntrustedNote,
)

from .neighbourhood import app_of, grow
from .people import Deciding, actor

pytestmark = pytest.mark.engines("any")
HOUR = timedelta(hours=1)


@pytest.fixture
def period(witnessed, clock):
    """A time of an hour, with a case applied for, other acts, and no answer; cosigned before and after."""
    grow(witnessed, 3)
    witnessed.log.witnesses.gather()
    clock.advance(timedelta(minutes=2))
    since = clock.now()
    witnessed.act("case:7", "approval.apply")
    witnessed.act("case:8", "approval.apply")
    grow(witnessed, 1)
    clock.advance(HOUR)
    witnessed.log.witnesses.gather()
    witnessed.act("case:8", "approval.answer")
    clock.advance(HOUR)
    until = clock.now()
    clock.advance(timedelta(minutes=3))
    grow(witnessed, 0)
    witnessed.log.witnesses.gather()
    witnessed.act("case:7", "approval.answer")
    grow(witnessed, 1)
    return witnessed, since, until


def trust_of(site, *suites, policies=True):
    logs = tuple(site.log.verifiers.values())
    files = [site.log.witnesses.policy(suite) for suite in suites or (INTL, SM)]
    return evidence.Trust((), logs, tuple(files) if policies else ())


def checked(stretch, trust):
    held = []
    evidence.verify(stretch.encode(), trust, at=stretch.question.until, held=held)
    return held


def answer_to(case, since, until, **parts):
    return Question(since, until, subject=case, verbs=("approval.answer",), **parts)


@pytest.mark.engines("both")
def test_nothing_was_done_in_time(period):
    for suite in (INTL, SM):
        nothing_was_done(suite, *period)


def nothing_was_done(suite, site, since, until):
    stretch = prove(site.log, answer_to("case:7", since, until, none=True), suite)
    held = checked(stretch, trust_of(site))
    assert len(held) == 3
    assert "齐全" in held[0].zh
    assert "witnesses had seen" in held[1].en
    assert held[2].en == "not one of them matches: subject case:7, verb approval.answer"
    # the same question about the case that was answered, and about a time that is not over by the witnesses' clocks
    with pytest.raises(SomethingDone):
        checked(prove(site.log, answer_to("case:8", since, until, none=True), suite), trust_of(site))
    with pytest.raises(NoCheckpointThen):
        prove(site.log, answer_to("case:7", since, until + HOUR, none=True), suite)
    with pytest.raises(NoCheckpointThen):
        prove(site.log, answer_to("case:7", since - HOUR, until, none=True), suite)
    with pytest.raises(TimeReversed):
        prove(site.log, answer_to("case:7", until, since, none=True), suite)


def test_everything_is_there(period):
    site, since, until = period
    held = checked(prove(site.log, Question(since, until, verbs=("approval.",))), trust_of(site))
    assert held[2].en == "3 of them match: verb approval."
    assert [each.en.split()[1:3] for each in held[3:]] == [
        ["approval.apply", "case:7"],
        ["approval.apply", "case:8"],
        ["approval.answer", "case:8"],
    ]


def test_no_entry_can_be_left_out(period):
    """Whoever makes the file may try anything with it: each time it is said that it does not hold."""
    site, since, until = period
    whole = prove(site.log, answer_to("case:8", since, until, none=True))
    trust = trust_of(site)
    at = next(n for n, each in enumerate(whole.entries) if b"approval.answer" in each)
    entries = whole.entries
    other = entries[at].replace(b"case:8", b"case:9")
    for changed in (
        entries[:at] + entries[at + 1 :],
        (*entries[:at], other, *entries[at + 1 :]),
        (*entries[:at], entries[at - 1], *entries[at + 1 :]),
        entries[::-1],
        (*entries, entries[0]),
        (),
    ):
        with pytest.raises(NotConsistent):
            checked(replace(whole, entries=changed), trust)
    for edge in (
        (),
        whole.edge[:-1],
        (*whole.edge, bytes(32)),
        whole.edge[::-1],
        tuple(b"x" for _ in whole.edge),
    ):
        if edge != whole.edge:
            with pytest.raises(NotConsistent):
                checked(replace(whole, edge=edge), trust)
    # another begin, signed by the log's own key: what the entries continue is no tree that anybody has seen
    own = NoteSigner(site.log.settings.origin, site.signers[0].key)
    size = Checkpoint.parse(whole.begin.text).size
    forged = Note.sign(Checkpoint(own.name, size, bytes(32)).text(), [own])
    with pytest.raises(NotConsistent):
        checked(replace(whole, begin=forged), trust)
    # another end: the log's own word, which no witness has cosigned, or cosigned too early
    longer = replace(whole, end=site.log.signed(), entries=more(site, whole), witnesses=())
    with pytest.raises(QuorumMissed):
        checked(longer, trust)
    with pytest.raises(OutsideStretch):
        checked(replace(whole, question=replace(whole.question, since=since - HOUR)), trust)
    with pytest.raises(OutsideStretch):
        checked(replace(whole, question=replace(whole.question, until=until + HOUR)), trust)
    both = prove(site.log, answer_to("case:7", since, until, none=True), SM)
    with pytest.raises(EvidenceMismatch):
        checked(replace(whole, end=both.end, witnesses=(*whole.witnesses, *both.witnesses)), trust)
    with pytest.raises(UntrustedNote):
        checked(whole, evidence.Trust((), (site.log.verifiers["sm3"],), ()))


def more(site, stretch):
    """The entries from where the stretch begins to the newest checkpoint."""
    every = [each.data for each in reversed(site.log.entries(limit=1000))]
    return tuple(every[every.index(stretch.entries[0]) : Checkpoint.parse(site.log.signed().text).size])


def test_times_are_the_witnesses_alone(period):
    site, since, until = period
    stretch = prove(site.log, answer_to("case:7", since, until, none=True))
    held = checked(stretch, trust_of(site, policies=False))
    assert "was not judged" in held[1].en
    assert [isinstance(each, evidence.NotJudged) for each in held[:2]] == [False, True]
    key, *rest = stretch.witnesses
    assert rest
    with pytest.raises(UntrustedNote):
        checked(replace(stretch, witnesses=(key,)), trust_of(site, policies=False))
    lines = [each for each in stretch.end.signatures if each.name != key.name]
    fewer = replace(stretch.end, signatures=tuple(lines))
    with pytest.raises(QuorumMissed):
        checked(replace(stretch, end=fewer), trust_of(site))
    broken = replace(lines[-1], value=bytes(8) + lines[-1].value[8:])
    with pytest.raises(BadNoteSignature):
        checked(replace(stretch, end=replace(fewer, signatures=(*lines[:-1], broken))), trust_of(site))
    stranger = Policy.parse(b"quorum none\n")
    assert "not judged" in checked(stretch, replace(trust_of(site), policies=(stranger,)))[1].en


def test_no_byte_changes_what_it_proves(period):
    """Every octet but the question's is bound; the question is the reader's own, and is looked for in what is bound."""
    site, since, until = period
    data = prove(site.log, answer_to("case:7", since, until, none=True)).encode()
    trust = trust_of(site)
    asked = data.index(b'"question":'), data.index(b'"type":')
    for at in range(0, len(data), 5):
        if asked[0] <= at < asked[1]:
            continue
        changed = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        with pytest.raises(YinxinError):
            evidence.verify(changed, trust, at=until, held=[])


MALFORMED = (
    lambda body: body | {"v": 2},
    lambda body: body | {"type": "other"},
    lambda body: body | {"more": 1},
    lambda body: body | {"edge": "x"},
    lambda body: body | {"entries": [1]},
    lambda body: body | {"question": body["question"] | {"verbs": "abc"}},
    lambda body: body | {"question": body["question"] | {"other": 1}},
    lambda body: body | {"question": body["question"] | {"since": "yesterday"}},
    lambda body: {name: body[name] for name in body if name != "end"},
)


def test_malformed_files(period):
    site, since, until = period
    body = canonical.decode(prove(site.log, answer_to("case:7", since, until)).encode())
    for change in MALFORMED:
        with pytest.raises(MalformedEvidence):
            evidence.verify(canonical.encode(change(body)), trust_of(site), at=until, held=[])


#: a question by which nothing was ever done, and what a reader would have been told of it
FAKED = (
    {"actor": ""},
    {"subject": ""},
    {"subject": 0},
    {"subject": "case:8\u200b"},
    {"subject": " case:8"},
    {"actor": ["zhang"]},
    {"verbs": ("",)},
    {"verbs": ("approval",)},
    {"verbs": ("\u0430pproval.",)},
    {"outcome": "success"},
    {"none": 1, "outcome": "failed"},
)


def test_no_question_can_be_chosen_so_that_nothing_was_ever_done(period, alone):
    """Whoever writes the file writes the question. With an actor of no letters it said: not one matches any entry.

    And a time that ends before it begins is enclosed by every stretch: a quiet second would do for a month.
    """
    site, since, until = period
    whole = prove(site.log, Question(since, until))
    keys = [standalone.Key.read(key.encode()) for key in site.log.verifiers.values()]
    believed = standalone.Policy.read(site.log.witnesses.policy_file(INTL).decode())
    turned = {"since": until + 99 * HOUR, "until": since - 99 * HOUR, "subject": "case:7"}
    for parts in (*FAKED, turned):
        question = replace(whole.question, **{"none": True} | parts)
        faked = replace(whole, question=question)
        with pytest.raises(QuestionUnclear):
            checked(faked, trust_of(site))
        with pytest.raises(standalone.Broken):
            alone.verify(faked.encode(), keys, believed)
        with pytest.raises((QuestionUnclear, TimeReversed)):
            prove(site.log, question)


def test_a_letter_that_looks_like_another_is_spelt(period, alone):
    site, since, until = period
    lookalike = replace(answer_to("c\u0430se:8", since, until), none=True)
    stretch = prove(site.log, lookalike)
    assert "(c\\u0430se:8)" in checked(stretch, trust_of(site))[2].en
    keys = [standalone.Key.read(key.encode()) for key in site.log.verifiers.values()]
    assert "c\\u0430se:8" in alone.verify(stretch.encode(), keys, None)[-1][1]


def test_who_may_and_how(period, tmp_path, monkeypatch):
    site, since, until = period
    question = answer_to("case:7", since, until, none=True)
    with pytest.raises(Denied):
        prove_for(site.log, actor("clerk"), question)
    prove_for(site.log, actor("auditor"), question)
    site.log.sequence()
    (done, *_) = site.log.entries()
    assert (done.verb, done.outcome, done.fields()["facts"]["question"]["subject"]) == (
        "audit.prove-stretch",
        "done",
        "case:7",
    )

    class Run:
        def platform(self):
            class Platform:
                audit = site.log

            return Platform

        def actor(self):
            return actor("auditor")

    out = tmp_path / "stretch"
    times = ["--since", since.isoformat(), "--until", until.isoformat()]
    told = CliRunner().invoke(
        group,
        [
            "prove",
            *times,
            "--subject",
            "case:7",
            "--verb",
            "approval.answer",
            "--none",
            "--out",
            str(out),
            "--json",
        ],
        obj=Run(),
        catch_exceptions=False,
    )
    assert json.loads(told.output)["entries"] == len(prove(site.log, question).entries)
    assert out.read_bytes() == prove(site.log, question).encode()
    asked = {"since": since.isoformat(), "until": until.isoformat(), "subject": "case:7", "none": "true"}
    http = app_of(site).test_client()
    got = http.get("/api/audit/v1/stretch", query_string=asked, headers={"Authorization": "Bearer auditor"})
    assert evidence.Stretch.decode(got.data).question.none
    refused = http.get("/api/audit/v1/stretch", query_string=asked, headers={"Authorization": "Bearer clerk"})
    assert refused.status_code == 403
    # a misspelt outcome would "prove" that nothing was done
    wrong = http.get(
        "/api/audit/v1/stretch",
        query_string=asked | {"outcome": "refusd"},
        headers={"Authorization": "Bearer auditor"},
    )
    assert (wrong.status_code, "outcome" in wrong.text) == (422, True)
    monkeypatch.setattr("audit.stretch.MOST_ENTRIES", 2)
    with pytest.raises(StretchTooLong):
        prove(site.log, question)


class Known(Alone):
    """What the floors above the log would say."""

    def verbs(self):
        return (
            ("approval.apply", Text("申请", "apply")),
            ("approval.answer", Text("答复", "answer")),
            ("ca.issue", Text("签发", "issue")),
        )

    def person(self, id):  # noqa: A002 - the protocol's name
        return id == "p-zhang"


def test_nothing_is_proved_of_what_cannot_be(site, clock):
    """A misspelt name matches no entry; without this it was proved that nothing had been done. What the log has seen may be asked for."""
    site.log.decider, site.log.around = Deciding(site.store), Known()
    site.log.settle(site.act())
    clock.advance(HOUR)
    since = clock.now()
    site.log.settle(site.act("case:7", "approval.apply"))
    clock.advance(HOUR)
    until = clock.now()
    site.log.settle(site.act())

    def asked(*, anybody=False, **parts):
        question = Question(since, until, none=True, **parts)
        return prove_for(site.log, actor("auditor"), question, anybody=anybody)

    for parts, error, near in (
        ({"verbs": ("aproval.answer",)}, VerbUnknown, "approval.answer, approval.apply"),
        ({"verbs": ("approval.answer", "ca.isue")}, VerbUnknown, "ca.issue"),
        ({"verbs": ("aproval.",)}, VerbUnknown, "approval."),
        ({"verbs": ("zzz.qqq",)}, VerbUnknown, ""),
        ({"subject": "documnet:1"}, KindUnknown, "document"),
        ({"subject": "7"}, KindUnknown, ""),
        ({"actor": "p-zhnag"}, ActorUnknown, None),
    ):
        with pytest.raises(error) as refused:
            asked(**parts)
        if near is not None:
            assert refused.value.facts["near"].en == (f"; near it are {near}" if near else "")
        site.log.sequence()
        (entry, *_) = site.log.entries()
        assert (entry.verb, entry.outcome) == ("audit.prove-stretch", "refused")
        assert entry.fields()["error"] == error.code
    for parts in (
        {"verbs": ("approval.answer", "ca.")},
        {"verbs": ("test.act", "test.")},  # nobody records it any more; the log has it
        {"subject": "document:1"},
        {"subject": "case:7", "verbs": ("approval.answer",)},
        {"actor": "p-zhang"},
        {"actor": "system", "verbs": ("approval.answer",)},
        {"actor": "auditor"},
        {"actor": "p-erased", "anybody": True},
    ):
        assert asked(**parts).question.none
    with pytest.raises(TimeReversed):
        prove_for(site.log, actor("auditor"), Question(until, since, none=True))


def test_a_log_without_witnesses_proves_what_it_can(site, clock):
    site.log.settle(site.act())
    clock.advance(HOUR)
    since = clock.now()
    site.log.settle(site.act("case:7", "approval.apply"))
    clock.advance(HOUR)
    until = clock.now()
    site.log.settle(site.act())
    stretch = prove(site.log, answer_to("case:7", since, until, none=True))
    held = checked(stretch, evidence.Trust((), tuple(site.log.verifiers.values()), ()))
    assert "was not judged" in held[1].en
    assert len(stretch.entries) == 2


def test_with_nothing_but_python(period, tmp_path, alone):
    """The single file says the same as the kit, of the proof of an entry and of a stretch, and refuses what the kit does."""
    site, since, until = period
    written = CliRunner().invoke(
        group, ["verifier", "--out", str(tmp_path / "verify.py")], catch_exceptions=False
    )
    assert written.exit_code == 0
    policy = site.log.witnesses.policy_file(INTL)
    (tmp_path / "log.vkey").write_text("".join(f"{key.encode()}\n" for key in site.log.verifiers.values()))
    (tmp_path / "log.policy").write_bytes(policy)
    stretch = prove(site.log, answer_to("case:7", since, until, none=True))
    event = canonical.decode(stretch.entries[0])["id"]

    def run(data, *more):
        (tmp_path / "file").write_bytes(data)
        command = [
            sys.executable,
            "-I",
            "-S",
            "verify.py",
            "file",
            "--log",
            "log.vkey",
            "--lang",
            "en",
            *more,
        ]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    done = run(stretch.encode(), "--policy", "log.policy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "are all here" in done.stdout
    assert '0 of them match: {"none": true' in done.stdout
    done = run(site.log.proof(event).encode(), "--policy", "log.policy")
    assert done.returncode == 0, done.stdout
    assert "approval.apply case:7 done" in done.stdout
    # in the process, as starting one for each change would take its time
    keys = [standalone.Key.read(key.encode()) for key in site.log.verifiers.values()]
    believed = standalone.Policy.read(policy.decode())
    for data in (stretch.encode(), site.log.proof(event).encode()):
        alone.verify(data, keys, believed)
        asked = data.find(b'"question":'), data.find(b'"type":')
        for at in range(0, len(data), 61):
            if asked[0] <= at < asked[1]:
                continue
            with pytest.raises(standalone.Broken):
                alone.verify(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :], keys, believed)
    some = prove(site.log, answer_to("case:8", since, until, none=True))
    for broken in (
        some,
        replace(stretch, entries=stretch.entries[:-1]),
        replace(stretch, question=replace(stretch.question, until=until + HOUR)),
        replace(stretch, end=replace(stretch.end, signatures=stretch.end.signatures[:2])),
    ):
        with pytest.raises(standalone.Broken):
            alone.verify(broken.encode(), keys, believed)
    told = alone.verify(stretch.encode(), keys, None)
    assert "not judged" in told[1][1]
    assert [isinstance(each, standalone.NotJudged) for each in told] == [False, True, False]
    with pytest.raises(standalone.Broken):
        alone.verify(stretch.encode(), keys[1:], believed)
