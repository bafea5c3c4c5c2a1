"""Copies outward, to a receiver that is not ours: nothing acknowledged is missing, whoever dies when.

Seen to fail when: the cursor moves before the acknowledgement; the acknowledgement is not waited for; a lease is not
looked at; the digest of what was sent is not kept.
"""

import json
import logging
import signal
import socket
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from audit import AuditSettings
from audit.forward import cursor
from audit.forward.errors import (
    LeaseLost,
    NotAcknowledged,
    ReceiverRefused,
    ReceiverSecretUnreadable,
    ReceiverUnreachable,
    UnknownReceiver,
)
from audit.forward.models import CopyRow, CursorRow
from tests.audit import process
from tests.support import forked
from tests.support.fluent import Receiver
from yinxin import canonical, steps
from yinxin.crypto.suite import INTL, SHA256, SM
from yinxin.tlog import Checkpoint, Frontier, Note, leaf_hash

ROOT = Path(__file__).parents[2]


def there(receiver, **more):
    """Settings that send to `receiver`."""
    return {
        "receivers": {
            "hall": {"host": "127.0.0.1", "port": receiver.port, "tls": False, "timeout": 5, **more}
        }
    }


def settle(site, count=1, verb="test.act"):
    """Acts, entered and signed."""
    for number in range(count):
        site.act(f"thing:{number}", verb)
    site.log.sequence()
    site.log.checkpoint()


def indexes(receiver):
    return [each["index"] for each in receiver.events() if each["kind"] == "entry"]


@pytest.fixture
def receiver(tmp_path):
    with Receiver(tmp_path / "received.jsonl") as running:
        yield running


@pytest.fixture
def sending(receiver, another):
    site = another(forward=there(receiver))
    site.create()
    site.log.start()
    return site


def sent_on(site, clock):
    """Send until it is refused; whether all went."""
    try:
        site.log.forward.send("hall")
    except (NotAcknowledged, ReceiverUnreachable):
        clock.advance(timedelta(minutes=1))
        return False
    return True


def test_killed_in_mid_stream_again_and_again(sending, receiver, clock, monkeypatch):
    monkeypatch.setattr("audit.forward.courier.BATCH", 16)
    settle(sending, 150)
    for die in (10, 16, 40):  # within a batch, after a batch was written and not acknowledged, later
        receiver.kill()
        receiver.start(die=die)
        before = len(indexes(receiver))
        assert not sent_on(sending, clock)
        assert receiver.died()
        assert len(indexes(receiver)) == before + die
        acknowledged = sending.log.forward.facts()["receivers"]["hall"]["acknowledged"]
        assert set(range(acknowledged)) <= set(indexes(receiver))
    receiver.start()
    assert sent_on(sending, clock)
    entries = [each for each in receiver.events() if each["kind"] == "entry"]
    assert {each["index"] for each in entries} == set(range(150))
    assert len({json.dumps(each, sort_keys=True) for each in entries}) == 150  # what came twice is the same
    for each in entries:
        assert leaf_hash(SHA256, each["record"].encode()).hex() == each["leaf_sha256"]
    assert sending.log.forward.send("hall") == 0
    settle(sending)
    assert sending.log.forward.send("hall") == 1


STEPS = ["audit.forward.1-read", "audit.forward.2-acknowledged", "audit.forward.3-noted"]


class Killed(BaseException):
    """Ends everything, as SIGKILL does; what would be tidied up is left as it is."""


@pytest.mark.parametrize("step", STEPS)
def test_the_sender_dies(sending, receiver, clock, monkeypatch, step):
    settle(sending, 20)

    def die(name):
        if name == step:
            raise Killed

    steps.listen(die)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("audit.forward.cursor.release", lambda *_: None)
            with pytest.raises(Killed):
                sending.log.forward.send("hall")
    finally:
        steps.listen(None)
    goes_on(sending, receiver, clock, step)


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_the_sender_is_killed(sending, receiver, clock, step):
    settle(sending, 20)
    (sending.data / "settings.json").write_text(json.dumps({"forward": there(receiver)}))
    assert forked.run(process.forward, sending.url, sending.data, step) == -signal.SIGKILL
    goes_on(sending, receiver, clock, step)


def goes_on(site, receiver, clock, step):
    """From the cursor; what was acknowledged and not noted comes twice."""
    noted = step.endswith("noted")
    assert site.log.forward.facts()["receivers"]["hall"]["acknowledged"] == (20 if noted else 0)
    assert site.log.forward.send("hall") == 0  # the dead one's lease still runs
    clock.advance(timedelta(days=36_500))
    assert site.log.forward.send("hall") == (0 if noted else 20)
    assert set(indexes(receiver)) == set(range(20))
    assert len(indexes(receiver)) == (40 if step.endswith("acknowledged") else 20)


def test_one_sender_at_a_time(sending, another, receiver, clock):
    settle(sending, 3)
    store = sending.store
    held = cursor.claim(store, "hall")
    other = another(forward=there(receiver))
    assert cursor.claim(other.store, "hall") is None
    assert other.log.forward.send("hall") == 0
    clock.advance(cursor.LEASE + timedelta(seconds=1))
    assert other.log.forward.send("hall") == 3  # whoever held it is taken to be dead
    with pytest.raises(LeaseLost):
        cursor.advance(store, held, 3, [bytes(32)] * 3)
    assert cursor.fail(store, held, "x") is None
    assert sending.log.forward.facts()["receivers"]["hall"]["acknowledged"] == 3


@pytest.mark.engines("any")
def test_a_receiver_that_fails_stops_nothing_and_is_spoken_of(sending, receiver, clock):
    receiver.kill()
    settle(sending, 5)
    waits = []
    for _ in range(12):
        before = clock.now()
        with pytest.raises(ReceiverUnreachable):
            sending.log.forward.send("hall")
        with sending.store.read() as session:
            waits.append((session.get(CursorRow, "hall").due - before).total_seconds())
        assert sending.log.forward.send("hall") == 0  # not before the wait is over
        clock.advance(timedelta(seconds=waits[-1]))
        settle(sending)  # acts go on
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]

    def alarms():
        sending.log.sequence()
        return [
            (each.outcome, each.subject)
            for each in sending.log.entries()
            if each.verb == "audit.copies-alarm"
        ]

    assert alarms() == [("failed", "receiver:hall")]  # once, however long
    health = sending.log.health()
    assert not health.ok
    assert "hall" in health.text.en
    assert health.facts["forward"]["receivers"]["hall"]["error"] == "audit.receiver_unreachable"
    receiver.start()
    clock.advance(timedelta(minutes=5))
    assert sending.log.forward.send("hall") > 5
    assert alarms() == [("done", "receiver:hall"), ("failed", "receiver:hall")]
    assert sending.log.health().ok


@pytest.mark.engines("any")
def test_how_much_each_receiver_is_told(another, receiver, tmp_path):
    files = {"whole": receiver}
    for name in ("header", "hash", "only-ca"):
        files[name] = Receiver(tmp_path / f"{name}.jsonl").start()
    try:
        given = {
            name: there(each)["receivers"]["hall"]
            | {"content": name if name in ("header", "hash") else "whole"}
            for name, each in files.items()
        }
        given["only-ca"]["modules"] = ["ca"]
        site = another(forward={"receivers": given})
        site.create()
        site.log.start()
        site.act("document:7", "document.seal")
        site.act("certificate:1", "ca.issue")
        settle(site)
        for name in files:
            assert site.log.forward.send(name) == 3
        received = {name: each.events() for name, each in files.items()}
    finally:
        for each in files.values():
            each.stop()
    plain = {"kind", "site", "index", "leaf_sha256", "leaf_sm3"}
    header = plain | {"id", "time", "verb", "outcome"}
    assert [set(each) for each in received["hash"][:3]] == [plain] * 3
    assert [set(each) for each in received["header"][:3]] == [header] * 3
    assert [set(each) for each in received["whole"][:3]] == [header | {"record"}] * 3
    assert [set(each) for each in received["only-ca"][:3]] == [plain, header | {"record"}, plain]
    assert canonical.decode(received["whole"][0]["record"].encode())["subject"] == "document:7"
    # with the checkpoint at its end, every one of them can judge the whole log
    for events in received.values():
        for suite in (INTL, SM):
            frontier = Frontier(suite.hash)
            for each in events[:3]:
                frontier.append(bytes.fromhex(each[f"leaf_{suite.hash.name}"]))
            note = Note.decode(events[3][suite.hash.name].encode())
            checkpoint, _ = Checkpoint.open(note, [site.log.verifiers[suite.hash.name]], strict=True)
            assert (checkpoint.size, checkpoint.root) == (3, frontier.root())


@pytest.mark.engines("any")
def test_time_is_exact(sending, receiver, clock):
    clock.advance(timedelta(microseconds=123_457))
    settle(sending)
    sending.log.forward.send("hall")
    assert receiver.lines()[0][:2] == ["yinxin.audit", [int(clock.now().timestamp()), 123_457_000]]


@pytest.mark.engines("any")
def test_in_the_background(sending, receiver):
    settle(sending, 5)
    sending.log.forward.tick()
    sending.log.forward.tick()
    for thread in sending.log.forward._threads.values():
        thread.join()
    assert indexes(receiver) == list(range(5))


# --- who the receiver is -----------------------------------------------------------------------------------------


@pytest.mark.engines("any")
def test_both_sides_prove_the_shared_key(another, tmp_path):
    for name, text in (("key", "s3cret"), ("other", "guess"), ("password", "pw\n"), ("empty", "\n")):
        (tmp_path / name).write_text(text)
    security = {
        "serverHostname": "hall.example",
        "sharedKey": "s3cret",
        "authorize": True,
        "userDict": {"yinxin": "pw"},
    }
    with Receiver(tmp_path / "received.jsonl", security=security) as receiver:
        user = {"username": "yinxin", "password_file": str(tmp_path / "password")}
        right = {"shared_key_file": str(tmp_path / "key"), **user}
        wrong = [
            (right | {"shared_key_file": str(tmp_path / "other")}, ReceiverRefused),
            (right | {"password_file": str(tmp_path / "other")}, ReceiverRefused),
            ({"shared_key_file": str(tmp_path / "key")}, ReceiverRefused),
            (right | {"shared_key_file": str(tmp_path / "none")}, ReceiverSecretUnreadable),
            (right | {"shared_key_file": str(tmp_path / "empty")}, ReceiverSecretUnreadable),
        ]
        site = another(forward=there(receiver, **right))
        site.create()
        settle(site, 2)
        for more, kind in wrong:
            with pytest.raises(kind) as refusal:
                another(forward=there(receiver, **more)).log.forward.send("hall")
            assert "s3cret" not in str(refusal.value)
            site.execute("DELETE FROM audit_cursor")
        assert not receiver.events()
        assert site.log.forward.send("hall") == 2
        assert indexes(receiver) == [0, 1]


def peer(*answers):
    """A server on loopback that says these octets, one after each thing it hears."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            for answer in answers:
                connection.sendall(answer)
                if not connection.recv(1 << 20):
                    return
            connection.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener, thread


HELO = b"\x92\xa4HELO\x81\xa5nonce\xc4\x02ab"
PONG = b"\x95\xa4PONG\xc3\xa0\xa4hall\xa4fake"


@pytest.mark.engines("any")
@pytest.mark.parametrize(
    ("answers", "kind", "key"),
    [
        ((HELO, PONG), ReceiverRefused, True),  # it does not know the key itself
        ((HELO, b"\xc0"), ReceiverRefused, True),
        ((b"\x81\xa3ack\xa1x",), ReceiverRefused, True),  # no HELO
        ((b"\xc1",), ReceiverUnreachable, True),  # no message at all
        ((b"\xdb\x7f\xff\xff\xff",), ReceiverUnreachable, True),  # one without end
        ((b"", b"\x81\xa3ack\xa5wrong"), NotAcknowledged, False),
        ((b"", b"\x01"), NotAcknowledged, False),
    ],
)
def test_false_receivers(another, tmp_path, answers, kind, key):
    (tmp_path / "key").write_text("s3cret")
    listener, thread = peer(*answers)
    try:
        more = {"shared_key_file": str(tmp_path / "key")} if key else {}
        more |= {"host": "127.0.0.1", "port": listener.getsockname()[1], "tls": False, "timeout": 1}
        site = another(forward={"receivers": {"hall": more}})
        site.create()
        settle(site)
        with pytest.raises(kind):
            site.log.forward.send("hall")
        assert site.log.forward.facts()["receivers"]["hall"]["acknowledged"] == 0
    finally:
        thread.join()
        listener.close()


@pytest.mark.engines("any")
def test_tls_is_verified_both_ways(another, tmp_path, openssl):
    for name in ("server", "client", "foreign"):
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "36500", "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-noenc" if name != "client" else "-passout", *(("pass:pw",) if name == "client" else ())),
            *("-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.pem")),
        )  # fmt: skip
    (tmp_path / "pw").write_text("pw\n")

    def path(name):
        return str(tmp_path / name)

    tls = {"key": path("server.key"), "cert": path("server.pem"), "ca": path("client.pem")}
    with Receiver(tmp_path / "received.jsonl", tls=tls) as receiver:
        right = {"tls": True, "ca_file": path("server.pem"), "certificate_file": path("client.pem")}
        right |= {"key_file": path("client.key"), "key_password_file": path("pw")}
        site = another(forward=there(receiver, **right))
        site.create()
        settle(site, 2)
        wrong = [
            (right | {"ca_file": path("foreign.pem")}, ReceiverRefused),
            (right | {"server_name": "hall.example"}, ReceiverRefused),
            (right | {"certificate_file": path("foreign.pem"), "key_file": path("foreign.key")}, None),
            ({"tls": True, "ca_file": path("server.pem")}, None),
            (right | {"key_password_file": ""}, ReceiverSecretUnreadable),
            (right | {"ca_file": path("none.pem")}, ReceiverSecretUnreadable),
            ({"tls": False}, NotAcknowledged),
        ]
        for more, kind in wrong:
            # in TLS 1.3 the server refuses our certificate after we have begun to speak
            kinds = kind or (ReceiverRefused, ReceiverUnreachable, NotAcknowledged)
            with pytest.raises(kinds):
                another(forward=there(receiver, **more)).log.forward.send("hall")
            site.execute("DELETE FROM audit_cursor")
        assert not receiver.events()
        assert site.log.forward.send("hall") == 2
    assert indexes(receiver) == [0, 1]


@pytest.mark.engines("any")
@pytest.mark.parametrize(
    "given",
    [
        {"receivers": {"hall": {"host": "logs.example", "tls": False}}},
        {"receivers": {"hall": {"host": "10.0.0.1", "tls": False}}},
        {"receivers": {"Hall!": {"host": "logs.example"}}},
        {"receivers": {"hall": {"host": ""}}},
        {"receivers": {"hall": {"host": "logs.example", "certificate_file": "c.pem"}}},
        {"receivers": {"hall": {"host": "logs.example", "username": "u"}}},
        {"receivers": {"hall": {"host": "logs.example", "username": "u", "password_file": "p"}}},
        {"receivers": {"hall": {"host": "logs.example", "content": "everything"}}},
        {"operational": {"host": "logs.example"}},
    ],
)
def test_settings_that_are_refused(given):
    with pytest.raises(ValidationError):
        AuditSettings(forward=given)


@pytest.mark.engines("any")
def test_unknown_receiver(sending):
    with pytest.raises(UnknownReceiver, match="hall"):
        sending.log.forward.send("elsewhere")


def test_ranges_follow_each_other(sending, receiver, monkeypatch):
    monkeypatch.setattr("audit.forward.courier.BATCH", 4)
    settle(sending, 10)
    sending.log.forward.send("hall")
    with sending.store.read() as session:
        rows = session.execute(sa.select(CopyRow.first, CopyRow.end).order_by(CopyRow.first)).all()
    assert [tuple(row) for row in rows] == [(0, 4), (4, 8), (8, 10)]


@pytest.mark.engines("any")
def test_large_entries_go_in_smaller_batches(sending, receiver, monkeypatch):
    monkeypatch.setattr("audit.forward.courier.LARGEST", 3000)
    for _ in range(5):
        sending.act("thing:1", text="字" * 700)
    settle(sending, 0)
    assert sending.log.forward.send("hall") == 5
    with sending.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(CopyRow)) == 3


@pytest.mark.engines("any")
def test_a_fault_of_the_log_is_not_sent(sending, receiver):
    settle(sending, 5)
    sending.drop_triggers()
    sending.execute('DELETE FROM audit_entry WHERE "index" = 2')
    with pytest.raises(Exception, match=r"audit\.tampered"):
        sending.log.forward.send("hall")
    assert logging.getLogger("yinxin").level == logging.CRITICAL
    assert not receiver.events()
