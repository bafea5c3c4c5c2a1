"""The token is initialised anew by another process while we use it: said once and for good, and nothing is made in its place."""

import shutil

import pytest

from kms.errors import KeyLost, TokenBlank, TokenNotOurs, WrongPin
from kms.find import find_key
from tests.support.softhsm import initialise_anew
from yinxin.act import SYSTEM
from yinxin.errors import YinxinError

from .conftest import World

#: python-pkcs11 tries to end what it could not begin, and says so on standard error
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

CONTEXT = {"for": "test"}


@pytest.fixture
def used(world: World) -> World:
    """A centre with a key in the token, one beside it, and its session open; the token as it is is kept in `kept`."""
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="ecdsa-p256")
    world.centre.create(SYSTEM, label="sm", purpose="seal", algorithm="sm2")
    shutil.copytree(world.folder / "tokens", world.root / "kept")
    return world


def anew(world: World, pin: str | None) -> None:
    so_pin = (world.secrets / "hsm-so-pin").read_text().strip()
    initialise_anew(world.folder / "softhsm2.conf", "yinxin", so_pin, pin)


def restored(world: World) -> None:
    shutil.rmtree(world.folder / "tokens")
    shutil.copytree(world.root / "kept", world.folder / "tokens")


@pytest.mark.parametrize("processes", [0, 1])
@pytest.mark.parametrize("pin", ["the same", "another", None])
def test_every_use_says_so_for_good_and_the_backup_brings_it_back(
    used: World, pin: str | None, processes: int
) -> None:
    own = used.pin_file.read_text().strip()
    kind: type[YinxinError] = {"the same": KeyLost, "another": WrongPin, None: TokenBlank}[pin]
    used.restarted(processes=processes)
    secret = used.centre.protect(SYSTEM, CONTEXT, b"kept")
    signers = [used.centre.signer(label) for label in ("seal", "sm")]
    for each in signers:
        each.sign(b"x")
    anew(used, own if pin == "the same" else pin)

    uses = (
        *(lambda each=each: each.sign(b"x") for each in signers),
        lambda: used.centre.reveal(CONTEXT, secret),
        lambda: used.centre.protect(SYSTEM, CONTEXT, b"x"),
        used.centre.escrow.fill,
    )
    for use in (*uses, *uses):
        with pytest.raises(kind) as caught:
            use()
        assert not caught.value.retryable
    told = TokenNotOurs if pin == "the same" else kind
    health = used.centre.health()
    assert (health.ok, health.facts["error"]) == (False, told.code)
    assert "Tokens" in health.text.en
    assert "《令牌》" in health.text.zh

    for making in (
        lambda: used.centre.create(SYSTEM, label="new", purpose="seal", algorithm="ecdsa-p256"),
        lambda: used.centre.generations.rotate(SYSTEM),
    ):
        with pytest.raises(told):
            making()
    assert find_key(used.store, "new") is None
    assert used.centre.generations.get(1).state == "current"
    (refused,) = (each for each in used.events("kms.create") if each["subject"] == "key:new")
    assert (refused["outcome"], refused["error"]) == ("refused", told.code)

    restored(used)
    if pin == "another":
        used.pin_file.write_text(own)
    for each in signers:
        each.sign(b"x")
    assert used.centre.reveal(CONTEXT, secret) == b"kept"
    assert used.centre.health().ok


def test_a_token_that_lost_one_key_takes_others(used: World) -> None:
    """After a backup that is older than some keys was put back, what is lost is founded anew in the same token."""
    used.centre.engine.destroy(used.centre.key("seal").reference)
    assert used.centre.health().facts["missing"] == ["seal"]
    assert "error" not in used.centre.health().facts
    used.centre.create(SYSTEM, label="seal-2", purpose="seal", algorithm="ecdsa-p256")
    used.centre.signer("seal-2").sign(b"x")


def test_a_first_key_needs_no_token_of_ours(world: World) -> None:
    world.centre.create(SYSTEM, label="first", purpose="seal", algorithm="ecdsa-p256")
    assert world.centre.health().ok
