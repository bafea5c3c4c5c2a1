"""A module that fails, hangs, is full or has locked its PIN: each is said for what it is, and leaves nothing half done."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from pkcs11 import Attribute, KeyType

from kms.errors import HsmFull, HsmGone, HsmSlow, PinLocked, WrongPin
from kms.keyring.create import ServiceKeyRequest
from kms.models import Place, State
from kms.settings import KmsSettings
from tests.support import faulty_module as faulty
from tests.support.faulty_module import FaultyModule
from yinxin.act import SYSTEM
from yinxin.crypto.cryptoki import library_at
from yinxin.errors import YinxinError

from .conftest import World

#: python-pkcs11 tries to end what it could not begin, and says so on standard error
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def module(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FaultyModule:
    made = FaultyModule(tmp_path, monkeypatch)
    world.restarted(library=str(made.library))
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    return made


@pytest.mark.parametrize("processes", [0, 1])
@pytest.mark.parametrize(
    "fault",
    [
        (faulty.SIGN, faulty.DEVICE_ERROR, HsmGone, True),
        (faulty.SIGN, faulty.DEVICE_REMOVED, HsmGone, True),
        (faulty.SIGN_INIT, faulty.SESSION_HANDLE_INVALID, HsmGone, True),
        (faulty.SIGN, faulty.DEVICE_MEMORY, HsmFull, False),
        (faulty.LOGIN, faulty.PIN_LOCKED, PinLocked, False),
    ],
)
def test_a_failing_module(
    world: World, module: FaultyModule, processes: int, fault: tuple[int, int, type[YinxinError], bool]
) -> None:
    function, code, kind, retryable = fault
    world.restarted(library=str(module.library), processes=processes)
    signer = world.centre.signer("seal")
    if function != faulty.LOGIN:
        signer.sign(b"x")
    module.plan((function, code, 0))
    with pytest.raises(kind) as caught:
        signer.sign(b"x")
    assert caught.value.retryable is retryable
    module.plan()
    signer.sign(b"well again")
    assert world.centre.health().ok


@pytest.mark.parametrize("function", [faulty.GENERATE_PAIR, faulty.SIGN])
@pytest.mark.parametrize(("code", "kind"), [(faulty.DEVICE_MEMORY, HsmFull), (faulty.DEVICE_ERROR, HsmGone)])
def test_a_key_that_could_not_be_made_is_made_later_and_once(
    world: World, module: FaultyModule, function: int, code: int, kind: type[YinxinError]
) -> None:
    module.plan((function, code, 0))
    with pytest.raises(kind):
        world.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256")
    module.plan()
    assert world.centre.health().facts["unfinished"] == ["new"]
    info = world.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256")
    assert info.state is State.ACTIVE
    held = [each for each in world.centre.engine.inventory() if each.identifier == info.handle]
    assert len(held) == 1
    outcomes = [each["outcome"] for each in world.events("kms.create") if each["subject"] == "key:new"]
    assert outcomes == ["intent", "refused", "done"]


@pytest.mark.parametrize(
    "fault",
    [
        (faulty.FIND, faulty.DEVICE_ERROR, HsmGone, True),
        (faulty.FIND, faulty.DEVICE_MEMORY, HsmFull, False),
        (faulty.OPEN_SESSION, faulty.TOKEN_NOT_PRESENT, HsmGone, True),
        (faulty.LOGIN, faulty.PIN_LOCKED, PinLocked, False),
        (faulty.LOGIN, faulty.PIN_INCORRECT, WrongPin, False),
    ],
    ids=["gone", "full", "away", "pin-locked", "wrong-pin"],
)
def test_the_status_says_what_is_wrong(
    world: World, module: FaultyModule, fault: tuple[int, int, type[YinxinError], bool]
) -> None:
    """And whoever wants a key is told the same, whether to ask again, and finds it whole when all is well."""
    function, code, kind, retryable = fault
    world.restarted(library=str(module.library))
    module.plan((function, code, 0))
    health = world.centre.health()
    assert (health.ok, health.facts["reachable"], health.facts["error"]) == (False, False, kind.code)
    with pytest.raises(kind) as caught:
        world.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256")
    assert caught.value.retryable is retryable
    module.plan()
    if kind is WrongPin:
        assert world.centre.health().facts["error"] == kind.code, "one that was refused is not tried again"
        os.utime(world.pin_file)  # written anew
    assert world.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256").public_key
    assert world.centre.health().ok
    assert len(world.centre.engine.inventory()) == 2


def test_a_module_that_hangs_is_given_up(
    world: World, module: FaultyModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is ended: nobody else waits, and the next call finds a new one."""
    world.restarted(library=str(module.library), processes=1)
    signer = world.centre.signer("seal")
    signer.sign(b"x")
    (before,) = world.centre.engine.workers()
    module.plan((faulty.SIGN, 0, faulty.FOR_EVER))
    assert world.centre.health().ok, "what does not sign is still asked how it is"
    with monkeypatch.context() as impatient:
        impatient.setattr(world.centre.engine, "_settings", KmsSettings(deadline=0.1))
        with pytest.raises(HsmSlow) as caught:
            signer.sign(b"x")
    assert caught.value.retryable
    assert caught.value.facts["seconds"] == 0.1
    module.plan()
    signer.sign(b"x")
    assert world.centre.engine.workers() != [before]


def test_in_one_process_nobody_waits_for_ever(world: World, module: FaultyModule) -> None:
    """The call that hangs cannot be stopped there; those behind it are told so."""
    world.restarted(library=str(module.library), deadline=0.1)
    signer = world.centre.signer("seal")
    signer.sign(b"x")
    module.plan((faulty.SIGN, 0, faulty.FOR_EVER))
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(signer.sign, b"x")
        while not library_at(str(module.library)).lock.locked():
            assert not hanging.done()
        with pytest.raises(HsmSlow):
            signer.sign(b"x")
        module.plan()
        assert hanging.result()


# --- a token without room


class Room:
    """The file system under the token: full from `fill` to `clear`, to whoever asks how much is free."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch, self._real = monkeypatch, os.statvfs

    def fill(self) -> None:
        free = SimpleNamespace(f_bavail=0, f_frsize=4096, f_files=0, f_favail=0)
        self._monkeypatch.setattr("kms.folder.os.statvfs", lambda _: free)

    def clear(self) -> None:
        self._monkeypatch.setattr("kms.folder.os.statvfs", self._real)


#: what SoftHSM2 says of a disk that is full, wherever it makes an object
FULL = tuple((each, faulty.FUNCTION_FAILED, 0) for each in (faulty.GENERATE, faulty.GENERATE_PAIR))


def test_a_software_token_on_a_full_disk(
    world: World, module: FaultyModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What makes keys in it is told that it is full and leaves nothing half done; what only uses keys goes on."""
    signer = world.centre.signer("seal")
    secret = world.centre.protect(SYSTEM, {"for": "test"}, b"kept")
    room = Room(monkeypatch)
    module.plan(*FULL)
    room.fill()
    service_key = ServiceKeyRequest("data", "o-province", "records", "aes-256-gcm", place=Place.HSM)
    makings = (
        lambda: world.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256"),
        lambda: world.centre.generations.rotate(SYSTEM),
        lambda: world.centre.keyring.create(SYSTEM, service_key),
    )
    for making in (*makings, *makings):
        with pytest.raises(HsmFull) as caught:
            making()
        assert not caught.value.retryable
    signer.sign(b"x")
    assert world.centre.reveal({"for": "test"}, secret) == b"kept"
    assert world.centre.escrow.fill() == 40
    assert world.centre.generations.get(1).state == "current"
    assert world.centre.keyring.keys_of(SYSTEM, "o-province") == []
    health = world.centre.health()
    assert not health.ok
    assert HsmFull(token="yinxin", reason=str(world.folder)).text("en") == health.text.en

    module.plan()
    room.clear()
    for making in makings:
        making()
    assert world.centre.generations.get(2).state == "current"
    assert world.centre.health().ok
    held = world.centre.engine.inventory()
    assert len({each.identifier for each in held}) == len(held) == 5


def test_a_token_with_room_that_fails_is_not_called_full(world: World, module: FaultyModule) -> None:
    module.plan(*FULL)
    with pytest.raises(HsmGone):
        world.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256")


@pytest.mark.parametrize("code", [faulty.DEVICE_MEMORY, faulty.DEVICE_ERROR])
def test_a_pool_that_cannot_be_filled(world: World, module: FaultyModule, code: int) -> None:
    """Nothing of the batch is stored, and the next run of the timer fills the pool to its level and no further."""
    world.centre.protect(SYSTEM, {"for": "test"}, b"the wrapping key is there")
    module.plan((faulty.ENCRYPT, code, 0))
    with pytest.raises(HsmFull if code == faulty.DEVICE_MEMORY else HsmGone):
        world.centre.escrow.fill()
    assert sum(world.centre.escrow.levels().values()) == 0
    module.plan()
    assert world.centre.escrow.fill() == 40
    assert world.centre.escrow.fill() == 0


# --- keys that could leave


def test_a_key_that_could_leave_the_token_is_told(world: World) -> None:
    """Every key that the platform makes reports SENSITIVE and not EXTRACTABLE; one that somebody else put there does not."""
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    assert world.centre.health().facts["loose"] == []
    template = {Attribute.EXTRACTABLE: True, Attribute.SENSITIVE: False}
    world.centre.token.use(
        lambda session: session.generate_key(
            KeyType.AES, 256, id=b"smuggled", label="smuggled", store=True, template=template
        )
    )
    health = world.centre.health()
    assert (health.ok, health.facts["loose"]) == (False, ["smuggled"])
    assert "smuggled" in health.text.zh
    assert "smuggled" in health.text.en
