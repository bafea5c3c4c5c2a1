"""Which token it is, whether it is still the same, and what it can do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kms.capability import KINDS, way_of
from kms.errors import FaultySignature, HsmMissing, KeyLost, TokenAmbiguous, WrongPin
from kms.probe import probe
from yinxin.act import SYSTEM
from yinxin.crypto.libcrypto import library

from .conftest import World


def second_token(world: World) -> dict[str, str]:
    """Another token of the same label beside the first; serial numbers by who made it."""
    first = world.centre.engine.facts().serial
    world.centre.close()
    made = subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "yinxin", "--pin", "5678", "--so-pin", "5678"],
        env={**os.environ, "SOFTHSM2_CONF": str(world.folder / "softhsm2.conf")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return {"first": first}


def test_two_tokens_of_one_label_are_told_apart_by_serial_number(world: World) -> None:
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    first = second_token(world)["first"]
    with pytest.raises(TokenAmbiguous) as caught:
        world.restarted().token.open()
    assert first in caught.value.facts["serials"]
    assert "kms.serial" in caught.value.text("en")
    assert world.centre.health().facts["error"] == TokenAmbiguous.code
    world.restarted(serial=first).signer("seal").sign(b"x")
    with pytest.raises(HsmMissing):
        world.restarted(serial="0000").token.open()


def test_a_token_that_comes_after_the_first_look_is_found(world: World) -> None:
    """Seen to fail when the library stays initialised after it found no token."""
    world.centre.close()
    shutil.move(world.folder / "tokens", world.root / "away")
    with pytest.raises(HsmMissing):
        world.centre.token.open()
    shutil.move(world.root / "away", world.folder / "tokens")
    world.centre.token.open()


def test_a_token_initialised_anew_under_us(world: World) -> None:
    """Its keys are gone and its PIN is another: the first call says so, and nothing is tried twice."""
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    signer = world.centre.signer("seal")
    signer.sign(b"x")
    shutil.rmtree(world.folder / "tokens")
    made = subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "yinxin", "--pin", "5678", "--so-pin", "5678"],
        env={**os.environ, "SOFTHSM2_CONF": str(fresh(world))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    with pytest.raises(WrongPin):
        signer.sign(b"x")
    assert world.centre.health().facts["error"] == WrongPin.code
    world.pin_file.write_text("5678")
    with pytest.raises(KeyLost, match="seal"):
        signer.sign(b"x")
    health = world.centre.health()
    assert not health.ok
    assert health.facts["missing"] == ["seal"]


def fresh(world: World) -> Path:
    (world.folder / "tokens").mkdir(mode=0o700)
    return world.folder / "softhsm2.conf"


def test_another_key_in_the_place_of_ours(world: World) -> None:
    """Whoever can write to the token puts his own key under our identifier: status says so, and no signature leaves."""
    info = world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    world.centre.engine.destroy(info.reference)
    world.centre.engine.make_key(info.reference)
    health = world.centre.health()
    assert not health.ok
    assert health.facts["altered"] == ["seal"]
    with pytest.raises(FaultySignature):
        world.centre.signer("seal").sign(b"x")


@pytest.mark.slow
def test_the_probe_says_what_the_library_bears(world: World) -> None:
    """Whatever threads do to it, they do it to a process of their own."""
    world.centre.token.open()
    world.centre.close()
    one, threads, two = probe(world.centre.settings, world.folder, world.centre.secrets, seconds=0.3)
    assert one.failure is None
    assert (one.rate or 0) > 0
    assert (threads.rate is None) == (threads.failure is not None)
    assert two.failure is None
    world.centre.token.open()


def test_the_report_on_a_token(world: World) -> None:
    (report,) = world.centre.health().facts["tokens"]
    assert report["in_use"] is True
    assert {"ecdsa-p256", "rsa-3072", "ed25519", "aes-256"} <= set(report["native"])
    assert {"sm2", "ml-dsa-65"} <= set(report["beside"])
    assert report["shares"] is True
    assert {way_of(report, kind) for kind in KINDS} == {"native", "beside"}


def test_the_module_leaves_no_error_behind(world: World) -> None:
    """SoftHSM leaves some in the thread's queue, where the next TLS connection of the thread would take them for its own."""
    world.centre.close()
    library().ERR_clear_error()
    world.centre.token.open()
    assert library().ERR_get_error() == 0
