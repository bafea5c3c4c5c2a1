"""This site as a witness: the specification's answers, and what must never be cosigned."""

import signal
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from audit import CheckpointFileMissing
from audit.witness import LogNotWitnessed, NotContinued, NotSignedByLog, SizeMoved, WitnessRolledBack
from audit.witness.cosigner import address_of
from audit.witness.errors import WitnessClockBehind
from audit.witness.face import routes
from audit.witness.models import SuspectRow, WitnessedLogRow
from tests.audit import process
from tests.support import forked
from yinxin import steps
from yinxin.act import SYSTEM
from yinxin.clock import SystemClock
from yinxin.crypto.suite import INTL, SM
from yinxin.tlog import CosignatureSigner, Note, NoteSigner, Signature, Submission, cosigned
from yinxin.tlog.submission import decode_lines
from yinxin.web import WebSettings, create_app

from .other_log import OtherLog, watched
from .people import People

pytestmark = pytest.mark.engines("any")

ROOT = Path(__file__).parents[2]
STEPS = ("audit.cosign.1-signed", "audit.cosign.2-moved", "audit.cosign.3-remembered")


@pytest.fixture
def log(site):
    log = OtherLog().grow("a", "b", "c")
    watched(site, log)
    return log


def held(site, note, answer):
    """Who cosigned, by the witness's own keys."""
    return cosigned(Note(note.text, decode_lines(note.text, answer)), site.log.cosigner.keys)


def suspects(site):
    with site.store.read() as session:
        return session.execute(sa.select(SuspectRow.proven, SuspectRow.size)).all()


def test_the_log_grows_and_is_cosigned_each_time(site, log, clock):
    cosigner = site.log.cosigner
    first = cosigner.add(log.submission().encode())
    (found,) = held(site, log.note(), first)
    assert (found.by.name, found.at) == ("yinxin.local/log/witness", clock.now())
    assert found.by.public_key.algorithm == "ed25519"
    log.grow("d", "e", "f", "g")
    clock.advance(timedelta(seconds=9))
    stranger = NoteSigner("elsewhere.example", site.signers[0].key)
    submission = log.submission(3)
    decorated = Note(
        submission.checkpoint.text,
        (stranger.sign(submission.checkpoint.text), *submission.checkpoint.signatures),
    )
    (found,) = held(site, log.note(), cosigner.add(Submission(3, submission.hashes, decorated).encode()))
    assert found.at == clock.now()
    # the same again at once is answered with what was said; later, with a later word
    again = cosigner.add(log.submission(7).encode())
    clock.advance(timedelta(seconds=5))
    assert cosigner.add(log.submission(7).encode()) == again
    assert held(site, log.note(), again) == (found,)
    clock.advance(timedelta(hours=1))
    (found,) = held(site, log.note(), cosigner.add(log.submission(7).encode()))
    assert found.at == clock.now()
    shown = Note.decode(cosigner.newest(address_of("log.example")))
    assert [each.name for each in shown.signatures] == ["log.example", "yinxin.local/log/witness"]
    assert shown.text == log.note().text
    assert [(each.origin, each.size) for each in cosigner.logs()] == [("log.example", 7)]
    # nothing of it became an entry: two sites that witness each other would never come to rest
    site.log.sequence()
    assert {entry.verb for entry in site.log.entries()} == {"test.watch"}


def test_a_log_in_sm3_is_cosigned_with_sm2(site):
    log = OtherLog(SM, "log.example/sm3").grow("a", "b")
    watched(site, log)
    (found,) = held(site, log.note(), site.log.cosigner.add(log.submission().encode()))
    assert found.by.public_key.suite is SM
    log.grow("c")
    held(site, log.note(), site.log.cosigner.add(log.submission(2).encode()))


@pytest.mark.engines("both")
def test_what_is_never_cosigned(site, log, clock):
    cosigner = site.log.cosigner
    twin = OtherLog(like=log).grow("x", "y")
    log.grow("d", "e")
    cosigner.add(log.submission().encode())

    def refused(error, submission, **facts):
        data = submission if isinstance(submission, bytes) else submission.encode()
        with pytest.raises(error) as refusal:
            cosigner.add(data)
        assert facts.items() <= refusal.value.facts.items()

    # a fork at the same size: the one thing that needs no proof, whatever size it comes with
    refused(NotContinued, twin.submission(5), held=5)
    refused(SizeMoved, twin.submission(0), size=5)
    assert suspects(site) == [(True, 5)]
    # another history, longer; and the honest one with a proof that is none
    twin.grow("z")
    refused(NotContinued, twin.submission(5))
    log.grow("f")
    good = log.submission(5)
    refused(NotContinued, Submission(5, good.hashes[:-1], good.checkpoint))
    refused(NotContinued, Submission(5, (), good.checkpoint))
    refused(NotContinued, Submission(5, good.hashes[::-1], good.checkpoint))
    assert sorted(suspects(site)) == [(False, 6), (True, 5)]  # of a kind, one an hour
    clock.advance(timedelta(hours=2))
    refused(NotContinued, twin.submission(5))
    assert len(suspects(site)) == 3
    # older, or from elsewhere
    refused(SizeMoved, log.submission(0), size=5)
    refused(SizeMoved, log.submission(3, 4), size=5)
    refused(SizeMoved, log.submission(6), size=5)
    # dated before the last word on it
    clock.advance(-timedelta(hours=3))
    refused(WitnessClockBehind, good)
    clock.advance(timedelta(hours=3))
    # of nobody we know; of the right name by the wrong key; with a signature of the right key over something else
    refused(LogNotWitnessed, OtherLog(origin="log.example/2").grow("a").submission())
    forged = NoteSigner("log.example", site.signers[0].key)
    refused(NotSignedByLog, Submission(5, good.hashes, Note.sign(good.checkpoint.text, [forged])))
    mixed = Note(good.checkpoint.text, twin.note().signatures)
    refused(NotSignedByLog, Submission(5, good.hashes, mixed))
    with site.store.act(SYSTEM, "test.stop", "log") as act:
        act.session.get_one(WitnessedLogRow, "log.example").stopped = clock.now()
    refused(LogNotWitnessed, good)
    site.log.sequence()
    recorded = [entry for entry in site.log.entries() if entry.verb == "audit.suspect-log"]
    assert {entry.subject for entry in recorded} == {"log:log.example"}
    assert len(recorded) == 3


def test_an_empty_log(site):
    log = OtherLog()
    watched(site, log)
    lying = NoteSigner("log.example", log.signer.key)
    text = log.checkpoint().text().replace(log.checkpoint().text().split("\n")[2], "A" * 43 + "=")
    with pytest.raises(NotContinued):
        site.log.cosigner.add(Submission(0, (), Note.sign(text, [lying])).encode())
    site.log.cosigner.add(log.submission().encode())
    with pytest.raises(NotContinued):
        site.log.cosigner.add(Submission(0, (bytes(32),), log.grow("a").note()).encode())
    site.log.cosigner.add(log.submission().encode())


@pytest.mark.engines("both")
def test_a_race_of_submissions_is_won_once(site, log):
    """Many at once, of different sizes, from the same old size: one is cosigned, and nothing ever goes back."""
    cosigner = site.log.cosigner
    for old in (0, 3):
        log.grow(*(f"{old}/{number}" for number in range(8)))
        sizes = range(len(log.leaves) - 7, len(log.leaves) + 1)
        outcomes, gate = [], threading.Barrier(len(sizes))

        def race(size, old=old, outcomes=outcomes, gate=gate):
            data = log.submission(old, size).encode()
            gate.wait()
            try:
                cosigner.add(data)
            except SizeMoved:
                outcomes.append(None)
            else:
                outcomes.append(size)

        threads = [threading.Thread(target=race, args=(size,)) for size in sizes]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        won = [each for each in outcomes if each is not None]
        assert len(won) == 1
        assert len(outcomes) == 8
        assert cosigner.logs()[0].size == won[0]
        site.drop_triggers()
        site.execute("DELETE FROM audit_witnessed")
        (cosigner.folder / address_of("log.example")).unlink()
        log.leaves = log.leaves[:3]
        cosigner.add(log.submission().encode())


@pytest.mark.engines("both")
def test_a_witness_that_was_rolled_back_knows(site, log):
    cosigner = site.log.cosigner
    cosigner.add(log.submission().encode())
    with site.engine.connect() as connection:
        row = dict(connection.execute(sa.text("SELECT * FROM audit_witnessed")).mappings().one())
    twin = OtherLog(like=log).grow("x")
    log.grow("d")
    cosigner.add(log.submission(3).encode())
    for statement in ("UPDATE audit_witnessed SET size = 3", "DELETE FROM audit_witnessed"):
        with pytest.raises(DBAPIError, match="only moves forward"):
            site.execute(statement)
    site.drop_triggers()
    site.execute(
        "UPDATE audit_witnessed SET size = :size, root = :root, note = :note",
        size=row["size"],
        root=bytes(row["root"]),
        note=bytes(row["note"]),
    )
    for each in (twin, log):
        with pytest.raises(WitnessRolledBack):
            cosigner.add(each.submission(3).encode())
    (cosigner.folder / address_of("log.example")).write_bytes(b"damaged")
    with pytest.raises(CheckpointFileMissing):
        cosigner.add(log.submission(3).encode())


class Stop(Exception):
    pass


def after_a_crash(log, twin, again):
    """Whatever the log asks of it next, it is never made to cosign a fork of what it may have handed out."""
    size = again.logs()[0].size
    if size == 4:
        with pytest.raises(NotContinued):
            again.add(twin.submission(4).encode())
    again.add(log.submission(size).encode())
    assert again.logs()[0].size == 4
    return size


@pytest.mark.parametrize("step", STEPS)
def test_stopped_in_the_middle_it_cosigns_one_history(site, log, another, step):
    site.log.cosigner.add(log.submission().encode())
    twin = OtherLog(like=log).grow("x")
    log.grow("d")

    def stop(name):
        if name == step:
            raise Stop

    steps.listen(stop)
    try:
        with pytest.raises(Stop):
            site.log.cosigner.add(log.submission(3).encode())
    finally:
        steps.listen(None)
    assert after_a_crash(log, twin, another().log.cosigner) == (3 if step == STEPS[0] else 4)


def test_killed_before_it_remembers(site, log, another, clock):
    site.log.cosigner.add(log.submission().encode())
    twin = OtherLog(like=log).grow("x")
    log.grow("d")
    (site.data / "submission").write_bytes(log.submission(3).encode())
    assert forked.run(process.cosign, site.url, site.data, STEPS[1]) == -signal.SIGKILL
    clock.advance(SystemClock().now() - clock.now())  # the process had the machine's
    assert after_a_crash(log, twin, another().log.cosigner) == 4


@pytest.fixture
def http(site, log, clock):
    app = create_app(authenticator=People(), store=site.store, clock=clock, settings=WebSettings())
    for blueprint in routes(site.log):
        app.register_blueprint(blueprint)
    return app.test_client()


def test_the_specifications_answers(site, log, http):
    def post(submission):
        data = submission if isinstance(submission, bytes) else submission.encode()
        return http.post("/witness/add-checkpoint", data=data)

    where = f"/witness/{address_of('log.example')}/checkpoint"
    assert http.get(where).status_code == 404
    answer = post(log.submission())
    assert (answer.status_code, answer.data.count(b"\n")) == (200, 1)
    assert answer.data.startswith("— yinxin.local/log/witness ".encode())
    assert len(held(site, log.note(), answer.data)) == 1
    shown = http.get(where)
    assert shown.status_code == 200
    assert shown.data == log.note().encode() + answer.data
    moved = post(log.submission())
    assert (moved.status_code, moved.data, moved.headers["Content-Type"]) == (409, b"3\n", "text/x.tlog.size")
    fork = OtherLog().grow("a", "b", "x")
    assert post(fork.submission(3)).status_code == 422
    assert post(OtherLog(origin="other.example").grow("a").submission()).status_code == 404
    unsigned = Note(log.note().text, (Signature("log.example", b"abcd", b"x" * 64),))
    assert post(Submission(3, (), unsigned)).status_code == 403
    broken = Note(log.note().text, fork.note().signatures)
    assert post(Submission(3, (), broken)).status_code == 403
    good = log.submission(3).encode()
    for data in (
        b"",
        good[:-1],
        good.replace(b"old 3", b"old 4"),
        good.replace(b"old 3", b"old 03"),
        b"\xff" * 99,
    ):
        assert post(data).status_code == 400
    extended = Note.sign(log.note().text + "extension\n", [log.signer])
    assert post(Submission(3, (), extended).encode()).status_code == 400
    assert post(b"old 0\n" + b"A" * 400_000).status_code == 413
    assert http.get("/witness/add-checkpoint").status_code == 405
    # our own keys' cosignature does not pass for the log's signature
    own = CosignatureSigner("log.example", site.witness_signers[0])
    text = log.note().text
    assert (
        post(Submission(3, (), Note(text, (own.sign(log.checkpoint(), site.store.clock.now()),)))).status_code
        == 403
    )
    assert INTL is log.suite
