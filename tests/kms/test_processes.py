"""An engine in processes of its own: asked in octets, many at once, and none the worse for a process that is killed."""

import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

import msgpack
import pytest

from kms.engine import KeyReference, ProtectedKey
from kms.engine.engine import Rewrapping
from kms.engine.messages import OPERATIONS, answer, question, value_of
from kms.engine.process import _MAIN as MAIN
from kms.engine.process import ProcessEngine
from kms.engine.worker import send
from kms.errors import BadEngineMessage, KeyLost, OpenedBeforeFork, WrappedKeyAltered, WrongPin
from yinxin.act import SYSTEM

from .conftest import World
from .test_token import in_child


@pytest.fixture
def centre(world: World) -> World:
    world.restarted(processes=2)
    return world


def test_what_one_process_does_two_do(centre: World) -> None:
    """The whole of the engine through its messages: made, signed, wrapped, opened, listed, destroyed."""
    for label, algorithm in (("p256", "ecdsa-p256"), ("ed", "ed25519"), ("sm", "sm2")):
        info = centre.centre.create(SYSTEM, label=label, purpose="seal", algorithm=algorithm)
        assert info.public_key is not None
        info.public_key.verify(centre.centre.signer(label).sign(b"x"), b"x")
    secret = centre.centre.protect(SYSTEM, {"for": "test"}, b"a secret")
    assert centre.centre.reveal({"for": "test"}, secret) == b"a secret"
    with pytest.raises(WrappedKeyAltered, match="kek-1"):
        centre.centre.reveal({"for": "another"}, secret)
    health = centre.centre.health()
    assert health.ok, health.facts
    key = centre.centre.key("p256")
    centre.centre.engine.destroy(key.reference)
    with pytest.raises(KeyLost, match="p256"):
        centre.centre.signer("p256").sign(b"x")
    assert centre.centre.health().facts["missing"] == ["p256"]


@pytest.mark.slow
def test_every_key_in_the_module_stays_there(centre: World) -> None:
    for label, algorithm in (("a", "ecdsa-p256"), ("b", "ecdsa-p384"), ("c", "ed25519"), ("d", "sm2")):
        centre.centre.create(SYSTEM, label=label, purpose="seal", algorithm=algorithm)
    held = centre.centre.engine.inventory()
    assert len(held) == 4  # three pairs, and the key that wraps the fourth
    assert all(each.stays for each in held)


@pytest.mark.engines("any")
def test_a_process_whose_server_is_gone_before_it_is_ready_ends_quietly(centre: World) -> None:
    """Seen to fail when it says that it is ready outside of what ends it: a traceback in the server's last lines."""
    engine = centre.centre.engine
    assert isinstance(engine, ProcessEngine)
    ours, theirs = socket.socketpair()
    with theirs:
        started = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", MAIN, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stderr=subprocess.PIPE,
        )
    send(ours, engine._told)
    ours.close()
    assert started.communicate(timeout=60) == (None, b"")
    assert started.returncode == 0


@pytest.mark.slow
def test_a_process_that_is_killed_is_replaced(centre: World) -> None:
    centre.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    signer = centre.centre.signer("seal")
    engine = centre.centre.engine
    assert isinstance(engine, ProcessEngine)
    failures: list[BaseException] = []
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                signer.sign(b"x")
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    killed = 0
    while killed < 5:
        for process in engine.workers()[:1]:
            os.kill(process, signal.SIGKILL)
            killed += 1
        stop.wait(0.2)
    stop.set()
    for each in threads:
        each.join()
    assert failures == []


def test_a_wrong_pin_is_tried_once_over_all_processes(centre: World) -> None:
    """Seen in the note that every process reads: the second one refuses without asking the token."""
    centre.pin_file.write_text("not-the-pin")
    for _ in range(4):
        with pytest.raises(WrongPin):
            centre.centre.engine.facts()


def test_processes_do_not_cross_a_fork(centre: World) -> None:
    centre.centre.engine.facts()
    assert in_child(centre.centre.engine.facts) == OpenedBeforeFork.code


def test_the_processes_end_with_the_centre(centre: World) -> None:
    centre.centre.engine.facts()
    engine = centre.centre.engine
    assert isinstance(engine, ProcessEngine)
    (number,) = engine.workers()
    centre.centre.close()
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


# --- the messages

KEY = KeyReference("a", "ecdsa-p256", b"a")


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xc1",
        msgpack.packb("sign"),
        msgpack.packb(["close", []]),
        msgpack.packb(["__init__", []]),
        msgpack.packb(["call", ["facts"]]),
        msgpack.packb(["sign", [b"x"]]),
        msgpack.packb(["sign", [b"x", b"y"]]),
        msgpack.packb(["sign", [{"record": "KeyReference", "fields": {"label": "a"}}, b"y"]]),
        msgpack.packb(["sign", [{"record": "Path", "fields": {}}, b"y"]]),
        question("sign", (KEY, "text")),
        question("decrypt", (KEY, ProtectedKey("a", b"", b"", "text"))),  # type: ignore[arg-type]
        question("rewrap", (KEY, KEY, [b"x"])),
        question("rewrap", (KEY, KEY, [Rewrapping(b"x", b"", b"")])),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_question_is_refused(world: World, octets: bytes) -> None:
    """Nothing of it reaches the engine, which is none here."""
    nobody: Any = object()
    with pytest.raises(BadEngineMessage):
        value_of(answer(nobody, octets))


def test_what_fails_unforeseen_says_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def facts(self) -> None:
            raise ZeroDivisionError("the secret")

    failing: Any = Failing()
    said = answer(failing, question("facts", ()))
    assert b"secret" not in said
    assert "engine failed" in caplog.text


def test_every_operation_is_one_of_the_engine() -> None:
    assert set(OPERATIONS) >= {"facts", "sign", "make_key", "encrypt", "decrypt", "destroy", "inventory"}
    assert "close" not in OPERATIONS
