"""Two tokens that hold the same keys: either is enough, and what becomes of them is on record."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kms.engine.mirror import MirroredEngine
from kms.engine.process import ProcessEngine
from kms.errors import MirrorBehind
from kms.models import Place, State
from tests.support.softhsm import initialise_anew
from yinxin.act import SYSTEM

from .conftest import World

KINDS = {"p256": "ecdsa-p256", "ed": "ed25519", "sm": "sm2"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tokens whose receiving key is made: the dear part, done once."""
    root = tmp_path_factory.mktemp("pair")
    world = World(f"sqlite:///{root / 'test.sqlite'}", root)
    world.restarted(mirror=[{}])
    world.centre.initialise(SYSTEM)
    engines(world)[2].receiver()
    world.close()
    return root


@pytest.fixture
def pair(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    for name in ("token", "secrets"):
        shutil.copytree(prepared / name, tmp_path / name)
    world = World(f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path)
    world.restarted(mirror=[{}])
    yield world
    world.close()


def engines(world: World) -> tuple[MirroredEngine, ProcessEngine, ProcessEngine]:
    engine = world.centre.engine
    assert isinstance(engine, MirroredEngine)
    first, second = engine.members
    assert isinstance(first, ProcessEngine)
    assert isinstance(second, ProcessEngine)
    return engine, first, second


def away(world: World, *, first: bool = True) -> None:
    folder = world.folder if first else world.folder / "mirror-1"
    shutil.move(folder / "tokens", world.root / "away")


def back(world: World, *, first: bool = True) -> None:
    folder = world.folder if first else world.folder / "mirror-1"
    shutil.move(world.root / "away", folder / "tokens")


def make(world: World) -> None:
    for label, algorithm in KINDS.items():
        world.centre.create(SYSTEM, label=label, purpose="seal", algorithm=algorithm)


def use(world: World) -> None:
    for label in KINDS:
        info = world.centre.key(label)
        assert info.public_key is not None
        info.public_key.verify(world.centre.signer(label).sign(b"x"), b"x")
    secret = world.centre.protect(SYSTEM, {"for": "test"}, b"a secret")
    assert world.centre.reveal({"for": "test"}, secret) == b"a secret"


@pytest.mark.slow
def test_either_token_is_enough(pair: World) -> None:
    make(pair)
    _, first, second = engines(pair)
    held = [{each.identifier: each for each in member.inventory()} for member in (first, second)]
    names = set(held[0])
    assert names == set(held[1]) - {b"receiver"}
    assert all(each.stays for inventory in held for each in inventory.values())
    assert all(held[0][each].spki == held[1][each].spki for each in names)
    # what modules will not wrap for one another lies beside them, under the key they share
    assert pair.centre.key("ed").place is Place.WRAPPED
    use(pair)
    for one in (True, False):
        away(pair, first=one)
        for member in (first, second):
            member.close()
        use(pair)
        back(pair, first=one)
        assert all(each.error is None for each in pair.centre.engine.tokens())


def test_no_call_is_lost_when_the_first_token_dies_under_load(pair: World) -> None:
    """Its processes are killed and its token is taken away while eight threads sign."""
    pair.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    _, first, _ = engines(pair)
    signer = pair.centre.signer("seal")
    failures: list[BaseException] = []
    signed: list[int] = []
    gone, stop = threading.Event(), threading.Event()

    def work() -> None:
        try:
            while not stop.is_set():
                signer.public_key.verify(signer.sign(b"x"), b"x")
                signed.append(gone.is_set())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test must see it
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for each in threads:
        each.start()
    stop.wait(0.5)
    away(pair)
    for process in first.workers():
        os.kill(process, signal.SIGKILL)
    gone.set()
    while signed.count(True) < 50 and not failures:
        stop.wait(0.1)
    stop.set()
    for each in threads:
        each.join()
    assert failures == []
    back(pair)


@pytest.mark.slow
def test_what_becomes_of_the_tokens_is_on_record(pair: World) -> None:
    make(pair)
    away(pair)
    engines(pair)[1].close()
    use(pair)
    pair.centre.watch()
    health = pair.centre.health()
    assert not health.ok
    assert [each["error"] for each in health.facts["tokens"]] == ["kms.hsm_missing", None]
    assert [each["in_use"] for each in health.facts["tokens"]] == [False, True]
    back(pair)
    pair.centre.watch()
    assert pair.centre.health().ok
    facts = [event["facts"] for event in pair.events("kms.fail-over")]
    assert [(each["token"], each.get("error"), each["in_use"]) for each in facts] == [
        (0, "kms.hsm_missing", 1),
        (0, None, 1),
    ]


@pytest.mark.slow
def test_a_key_is_made_in_both_or_not(pair: World) -> None:
    make(pair)
    away(pair, first=False)
    engines(pair)[2].close()
    with pytest.raises(MirrorBehind) as caught:
        pair.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256")
    assert caught.value.retryable
    back(pair, first=False)
    info = pair.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256")
    assert info.state is State.ACTIVE
    inventories = [
        [each for each in member.inventory() if each.identifier == info.handle]
        for member in engines(pair)[1:]
    ]
    assert [len(each) for each in inventories] == [1, 1]


@pytest.mark.slow
def test_a_token_that_lost_a_key_does_not_stand_by(pair: World) -> None:
    make(pair)
    engine, _, second = engines(pair)
    second.destroy(pair.centre.key("p256").reference)
    engine._fail(1, MirrorBehind(token="second", reason="test"))
    assert [each.error for each in engine.tokens()] == [None, "kms.key_lost"]
    use(pair)


@pytest.mark.slow
# python-pkcs11 tries to end what it could not begin, and says so on standard error
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("keeps_its_pin", [True, False])
def test_the_other_token_takes_over_from_one_that_was_emptied(pair: World, *, keeps_its_pin: bool) -> None:
    make(pair)
    so_pin, pin = ((pair.secrets / name).read_text().strip() for name in ("hsm-so-pin", "hsm-pin"))
    shutil.copytree(pair.folder / "tokens", pair.root / "kept")
    initialise_anew(pair.folder / "softhsm2.conf", "yinxin", so_pin, pin if keeps_its_pin else None)
    use(pair)
    pair.centre.watch()
    assert [each.error for each in pair.centre.engine.tokens()] == [
        "kms.key_lost" if keeps_its_pin else "kms.token_blank",
        None,
    ]
    shutil.rmtree(pair.folder / "tokens")
    shutil.move(pair.root / "kept", pair.folder / "tokens")
    pair.centre.watch()
    assert pair.centre.health().ok
