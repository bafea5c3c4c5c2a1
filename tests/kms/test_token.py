"""The token: found, opened once, shared, lost and found again; and its PIN, which is nobody's business."""

import errno
import gc
import os
import shutil
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from pkcs11 import Attribute, ObjectClass

from kms.errors import (
    HsmGone,
    HsmMissing,
    HsmSlow,
    InitialisingFailed,
    KeyLost,
    OpenedBeforeFork,
    PinExpired,
    PinLocked,
    PinNotTried,
    WrongPin,
)
from kms.secrets.errors import SecretFileLoose, SecretFileMissing
from kms.token import Token
from tests.crypto.test_own_token import furnish
from tests.support.softhsm import init_token
from yinxin.act import SYSTEM
from yinxin.crypto.own_token import identity_on
from yinxin.errors import YinxinError

from .conftest import World, furnished


class Counting:
    """A token whose log-ins are counted, and may be answered in its place."""

    def __init__(self, token: Any, answer: Exception | None = None) -> None:
        self.token, self.answer = token, answer
        self.tries = 0

    def open(self, **how: Any) -> Any:
        self.tries += 1
        if self.answer is not None:
            raise self.answer
        return self.token.open(**how)


def counted(monkeypatch: pytest.MonkeyPatch, token: Token, answer: Exception | None = None) -> list[Counting]:
    made: list[Counting] = []
    find = token._find

    def finding() -> Counting:
        made.append(Counting(find(), answer))
        return made[-1]

    monkeypatch.setattr(token, "_find", finding)
    return made


def test_one_session_serves_every_use(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    logins = counted(monkeypatch, world.centre.token)
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    signer = world.centre.signer("seal")
    for _ in range(5):
        signer.sign(b"x")
    assert [each.tries for each in logins] == [1]


def test_nothing_is_opened_before_it_is_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    logins = counted(monkeypatch, world.centre.token)
    assert world.centre.register() == []
    assert logins == []


def test_two_tokens_of_one_library_in_one_process(world: World, tmp_path: Path, soft_token: Path) -> None:
    """As two installations have in one program: each has its own keys, and the end of one is not the other's.

    Seen to fail while a token took the library as it was: its keys were made in the other's token, and lost when that one was closed.
    """
    (tmp_path / "other").mkdir()
    other = furnished(f"sqlite:///{tmp_path / 'other.sqlite'}", tmp_path / "other", soft_token)
    for each, label in ((world, "one"), (other, "another")):
        each.centre.create(SYSTEM, label=label, purpose="seal", algorithm="ecdsa-p256")
    for _ in range(2):
        world.centre.signer("one").sign(b"x")
        other.centre.signer("another").sign(b"x")
    assert [len(each.centre.engine.inventory()) for each in (world, other)] == [1, 1]
    world.centre.close()
    other.centre.signer("another").sign(b"x")
    other.close()
    world.centre.signer("one").sign(b"x")


def test_a_token_that_is_forgotten_does_not_keep_the_library(
    world: World, tmp_path: Path, soft_token: Path
) -> None:
    """Nobody closed it, and nothing holds it any more. Seen to fail while the library forgot it too: the other's key was made in it."""
    forgotten = world.another()
    forgotten.token.open()
    del forgotten
    gc.collect()
    (tmp_path / "other").mkdir()
    other = furnished(f"sqlite:///{tmp_path / 'other.sqlite'}", tmp_path / "other", soft_token)
    other.centre.create(SYSTEM, label="another", purpose="seal", algorithm="ecdsa-p256")
    assert [len(each.centre.engine.inventory()) for each in (world, other)] == [0, 1]
    other.close()


def test_a_card_of_the_same_library_in_the_same_process(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The centre loses its session to no card, nor a card its own; each finds its own keys.

    Seen to fail while the library was taken as it was, and let go under whoever had it.
    """
    (tmp_path / "hsm").mkdir(mode=0o700)
    card = init_token(tmp_path / "hsm")
    pin, configuration = card.pin_file.read_text("ascii"), card.environment["SOFTHSM2_CONF"]
    monkeypatch.setenv("SOFTHSM2_CONF", configuration)
    furnish(card, "card", b"1")
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    centre = world.restarted(deadline=0.1)
    for _ in range(2):
        centre.signer("seal").sign(b"x")
        monkeypatch.setenv("SOFTHSM2_CONF", configuration)
        with identity_on(card.module, card.label, pin) as own:
            with pytest.raises(HsmSlow):
                centre.signer("seal").sign(b"x")
            own.key.sign(b"x")
    centre.signer("seal").sign(b"x")


def test_one_at_a_time_is_in_a_library(world: World, tmp_path: Path, soft_token: Path) -> None:
    """Whichever token it is for: it was initialised without locking. Seen to fail while each token had a lock of its own."""
    (tmp_path / "other").mkdir()
    other = furnished(f"sqlite:///{tmp_path / 'other.sqlite'}", tmp_path / "other", soft_token)
    token = other.restarted(deadline=0.1).token
    with pytest.raises(HsmSlow):
        world.centre.token.use(lambda _session: token.open())
    token.open()
    other.close()


def test_keys_stay_in_the_module(world: World) -> None:
    info = world.centre.create(SYSTEM, label="ca", purpose="ca", algorithm="ecdsa-p256")
    kek = world.centre.create(SYSTEM, label="kek-1", purpose="kek", algorithm="aes-256")

    def look(session: Any) -> None:
        for each, kind, secret in (
            (info, ObjectClass.PRIVATE_KEY, Attribute.VALUE),
            (kek, ObjectClass.SECRET_KEY, Attribute.VALUE),
        ):
            (key,) = session.get_objects({Attribute.ID: each.handle, Attribute.CLASS: kind})
            assert key[Attribute.SENSITIVE] is True
            assert key[Attribute.ALWAYS_SENSITIVE] is True
            assert key[Attribute.EXTRACTABLE] is False
            assert key[Attribute.NEVER_EXTRACTABLE] is True
            assert key[Attribute.PRIVATE] is True
            with pytest.raises(pkcs11.AttributeSensitive):
                key[secret]
            with pytest.raises(pkcs11.PKCS11Error):
                key[Attribute.EXTRACTABLE] = True
        wrapping = session.generate_key(
            pkcs11.KeyType.AES, 256, capabilities=pkcs11.MechanismFlag.WRAP, store=False
        )
        (key,) = session.get_objects({Attribute.ID: info.handle, Attribute.CLASS: ObjectClass.PRIVATE_KEY})
        with pytest.raises(pkcs11.KeyUnextractable):
            wrapping.wrap_key(key, mechanism=pkcs11.Mechanism.AES_KEY_WRAP_PAD)

    world.centre.token.use(look)


def test_a_wrong_pin_is_tried_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pin_file = world.pin_file
    right = pin_file.read_bytes()
    pin_file.write_text("not-the-pin")
    logins = counted(monkeypatch, world.centre.token)
    for _ in range(3):
        with pytest.raises(WrongPin) as caught:
            world.centre.token.open()
    assert "not-the-pin" not in str(caught.value)
    after_restart = world.restarted()
    again = counted(monkeypatch, after_restart.token)
    with pytest.raises(WrongPin):
        after_restart.token.open()
    assert sum(each.tries for each in (*logins, *again)) == 1
    pin_file.write_bytes(right)
    after_restart.token.open()


def test_a_locked_pin_is_said_to_be_locked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counted(monkeypatch, world.centre.token, pkcs11.PinLocked())
    with pytest.raises(PinLocked):
        world.centre.token.open()


def test_a_try_that_cannot_be_counted_is_not_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk must not make of one try as many as there are callers."""
    world.centre.token.open()  # which writes the library's configuration
    world.centre.close()
    logins = counted(monkeypatch, world.centre.token)

    def no_space(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("kms.token.files.replace", no_space)
    for _ in range(3):
        with pytest.raises(PinNotTried, match="No space left"):
            world.centre.token.open()
    assert sum(each.tries for each in logins) == 0
    assert world.centre.health().facts["error"] == PinNotTried.code
    monkeypatch.undo()
    world.centre.token.open()
    assert not (world.folder / "pin-refused").exists()


def test_a_crash_at_the_log_in_leaves_one_try_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the module had refused it the dead process cannot say: one crash throws no right PIN away, two wear out a wrong one."""

    class Killed(BaseException):
        pass

    killed = [counted(monkeypatch, world.centre.token, Killed())]  # type: ignore[arg-type]
    with pytest.raises(Killed):
        world.centre.token.open()
    world.restarted().token.open()
    for _ in range(2):
        killed.append(counted(monkeypatch, world.restarted().token, Killed()))  # type: ignore[arg-type]
        with pytest.raises(Killed):
            world.centre.token.open()
    for _ in range(3):
        with pytest.raises(WrongPin):
            world.restarted().token.open()
    assert [each.tries for tries in killed for each in tries] == [1, 1, 1]


def test_a_log_in_that_fails_for_another_reason_wears_nothing_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(monkeypatch, world.centre.token, pkcs11.exceptions.DeviceError())
    for _ in range(3):
        with pytest.raises(HsmGone):
            world.centre.token.open()
    monkeypatch.undo()
    world.centre.token.open()


def test_a_note_of_an_earlier_version_still_counts(world: World) -> None:
    with world.source.read("hsm-pin") as pin:
        (world.folder / "pin-refused").write_text(pin.state)
    with pytest.raises(WrongPin):
        world.centre.token.open()


def test_a_pin_that_has_expired(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    counted(monkeypatch, world.centre.token, pkcs11.exceptions.PinExpired())
    with pytest.raises(PinExpired) as caught:
        world.centre.token.open()
    assert not caught.value.retryable


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o622, 0o610])
def test_a_loose_pin_file_is_not_used(world: World, mode: int) -> None:
    world.pin_file.chmod(mode)
    with pytest.raises(SecretFileLoose, match=f"{mode:04o}"):
        world.centre.token.open()


def test_a_pin_file_of_somebody_else_is_not_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to give a file away")
    os.chown(world.pin_file, 65534, -1)
    with pytest.raises(SecretFileLoose, match="65534"):
        world.centre.token.open()


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe", b"x" * 400])
def test_a_pin_file_without_a_pin(world: World, content: bytes | None) -> None:
    pin_file = world.pin_file
    pin_file.unlink()
    if content is not None:
        pin_file.write_bytes(content)
        pin_file.chmod(0o600)
    with pytest.raises(SecretFileMissing):
        world.centre.token.open()


def test_a_missing_library(world: World, tmp_path: Path) -> None:
    centre = world.restarted(library=str(tmp_path / "none.so"))
    with pytest.raises(HsmMissing, match=r"none\.so"):
        centre.token.open()


def test_a_file_that_is_no_library(world: World, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("text")
    with pytest.raises(HsmMissing, match=r"text\.so"):
        world.restarted(library=str(tmp_path / "text.so")).token.open()


def test_a_missing_token(world: World) -> None:
    with pytest.raises(HsmMissing, match="another"):
        world.restarted(token="another").token.open()
    health = world.centre.health()
    assert not health.ok
    assert health.facts["error"] == "kms.hsm_missing"


def test_a_restored_token_may_lie_elsewhere(world: World, tmp_path: Path) -> None:
    info = world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    world.centre.close()
    shutil.move(world.folder, tmp_path / "restored")
    world.folder = tmp_path / "restored"
    signature = world.restarted().signer("seal").sign(b"x")
    assert info.public_key is not None
    info.public_key.verify(signature, b"x")


# python-pkcs11 tries to end the search that it could not begin, and says so on standard error
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lost_session_is_opened_once_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    signer = world.centre.signer("seal")
    logins = counted(monkeypatch, world.centre.token)
    world.centre.token._session.close()
    signer.sign(b"x")
    assert len(logins) == 1


def test_a_token_that_goes_and_comes_back(world: World) -> None:
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    signer = world.centre.signer("seal")
    signer.sign(b"x")
    shutil.move(world.folder / "tokens", world.root / "away")
    for _ in range(3):
        with pytest.raises(HsmGone) as caught:
            signer.sign(b"x")
        assert caught.value.retryable
    assert world.centre.health().facts["error"] == HsmGone.code
    shutil.move(world.root / "away", world.folder / "tokens")
    signer.sign(b"x")
    assert world.centre.health().ok


def test_a_key_that_the_token_lost(world: World) -> None:
    info = world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    world.centre.token.use(
        lambda session: [each.destroy() for each in list(session.get_objects({Attribute.ID: info.handle}))]
    )
    centre = world.restarted()
    with pytest.raises(KeyLost, match="seal"):
        centre.signer("seal").sign(b"x")
    health = centre.health()
    assert not health.ok
    assert health.facts["missing"] == ["seal"]


def test_eight_threads_sign(world: World) -> None:
    labels = ("p256", "p384", "ed", "sm")
    for label, algorithm in zip(labels, ("ecdsa-p256", "ecdsa-p384", "ed25519", "sm2"), strict=True):
        world.centre.create(SYSTEM, label=label, purpose="seal", algorithm=algorithm)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            signer = world.centre.signer(labels[number % 4])
            for turn in range(40):
                message = f"{number}/{turn}".encode()
                signer.public_key.verify(signer.sign(message), message)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []


def test_the_module_is_entered_by_one_thread_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    logins = counted(monkeypatch, world.centre.token)
    inside: list[int] = []
    together: list[int] = []
    start = threading.Barrier(8)

    def look(_session: Any) -> None:
        inside.append(1)
        together.extend(len(inside) for _ in range(2000))
        inside.pop()

    def work() -> None:
        start.wait()
        for _ in range(5):
            world.centre.token.use(look)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(together) == 8 * 5 * 2000
    assert set(together) == {1}
    assert len(logins) == 1


def in_child(work: Any) -> str:
    """What `work` says, or the code of what it raises, in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = str(work())
        except YinxinError as error:
            said = error.code
        except BaseException as error:  # noqa: BLE001 - the child must end here
            said = repr(error)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as stream:
        return stream.read()


def test_a_session_does_not_cross_a_fork(world: World) -> None:
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    signer = world.centre.signer("seal")
    signer.sign(b"x")
    assert in_child(lambda: signer.sign(b"x")) == OpenedBeforeFork.code
    assert in_child(world.centre.close) == OpenedBeforeFork.code
    signer.sign(b"the parent goes on")


def test_no_token_of_a_library_that_was_open_is_opened_after_a_fork(
    world: World, tmp_path: Path, soft_token: Path
) -> None:
    """Another installation's neither. Seen to fail while the child took the library as it was: it found the parent's key."""
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    (tmp_path / "other").mkdir()
    other = furnished(f"sqlite:///{tmp_path / 'other.sqlite'}", tmp_path / "other", soft_token)

    def found() -> int:
        return len(other.centre.engine.inventory())

    assert in_child(found) == OpenedBeforeFork.code
    assert in_child(lambda: in_child(found)) == OpenedBeforeFork.code
    world.centre.token.open()
    world.centre.close()
    assert in_child(found) == "0"
    other.close()


def test_after_closing_every_process_opens_its_own(world: World) -> None:
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    signer = world.centre.signer("seal")
    world.centre.close()
    assert in_child(lambda: len(signer.sign(b"x")) > 60) == "True"
    signer.sign(b"x")


def test_a_lock_held_elsewhere_does_not_hang_a_forked_child(world: World) -> None:
    world.centre.token.open()

    def held(_session: Any) -> str:
        return in_child(world.centre.token.open)

    assert world.centre.token.use(held) == OpenedBeforeFork.code


# --- making the token


def test_initialising_twice_makes_one_token(tmp_path: Path) -> None:
    made = World(f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path)
    assert [made.centre.initialise(SYSTEM) for _ in range(2)] == [True, False]
    assert len(list((made.folder / "tokens").iterdir())) == 1
    assert [each["outcome"] for each in made.events("kms.initialise")] == ["intent", "done"]
    made.close()


def test_the_leavings_of_a_crash_do_no_harm(tmp_path: Path) -> None:
    """As a crash inside `softhsm2-util` leaves them: the PINs, half a token, a temporary configuration."""
    made = World(f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path)
    half = made.folder / ".tokens" / "half"
    half.mkdir(parents=True)
    (half / "token.object").write_bytes(b"\x00" * 7)
    (made.folder / ".softhsm2.conf").write_text("directories.tokendir = /nowhere\n")
    made.secrets.mkdir()
    (made.secrets / "hsm-so-pin").touch(0o600)
    (made.secrets / "hsm-so-pin").write_text("an-earlier-so-pin")
    made.centre.initialise(SYSTEM)
    assert (made.secrets / "hsm-so-pin").read_text() == "an-earlier-so-pin"
    assert sorted(path.name for path in made.folder.iterdir() if path.is_dir()) == ["tokens"]
    made.centre.token.open()
    made.close()


def test_token_and_pins_are_private(world: World) -> None:
    world.centre.create(SYSTEM, label="sm", purpose="seal", algorithm="sm2")
    for path in (world.folder, world.secrets, *world.folder.rglob("*"), *world.secrets.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_pins_never_stand_on_a_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for softhsm2-util notes its arguments and environment, then becomes the real one."""
    bin_folder, log = tmp_path / "bin", tmp_path / "log"
    bin_folder.mkdir()
    real = shutil.which("softhsm2-util")
    wrapper = bin_folder / "softhsm2-util"
    wrapper.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        f"open({str(log)!r}, 'w').write(repr(sys.argv) + repr(dict(os.environ)))\n"
        f"os.execv({real!r}, sys.argv)\n"
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    made = World(f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path)
    made.centre.initialise(SYSTEM)
    said = log.read_text()
    for name in ("hsm-pin", "hsm-so-pin"):
        pin = (made.secrets / name).read_text().strip()
        assert len(pin) >= 20
        assert pin not in said
        assert pin not in Path("/proc/self/environ").read_text()
        assert pin not in repr(os.environ)
    made.centre.token.open()
    made.close()


def test_initialising_without_softhsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    made = World(f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path)
    with pytest.raises(InitialisingFailed):
        made.centre.initialise(SYSTEM)
    assert [each["outcome"] for each in made.events("kms.initialise")] == ["intent", "refused"]
    monkeypatch.undo()
    assert made.centre.initialise(SYSTEM) is True
    made.close()
