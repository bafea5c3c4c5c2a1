"""Processes killed with SIGKILL while a person's signing key is made, used, changed or ended: all of it, or nothing.

A try that was counted stays counted, so nobody gains one by killing us.
"""

import pytest

from kms.holder import Signing, Unlock
from kms.holder.errors import HolderKeyEnded, PasskeyNotAdded
from kms.holder.key import lock_of
from kms.holder.models import Way
from tests.support.authenticator import Authenticator, text
from yinxin.crypto.suite import INTL

from .conftest import KEEPER, World
from .test_holder_passkey import Site, by_passkey
from .test_holder_passkey import add as add_passkey
from .test_keyring_crash import killed

pytestmark = pytest.mark.engines("any")
PIN, OTHER = "杭州西湖-2718", "wrong-horse-9"


def create(world: World) -> None:
    world.restarted(holder_work=14)
    world.centre.holders.create(KEEPER, INTL, PIN)


def sign(world: World, pin: str = PIN) -> None:
    (key,) = world.centre.holders.own(KEEPER)
    wanted = Signing(key.public_key.prehash(b"x"), "document.sign-off", "document:42")
    done = world.centre.holders.sign(KEEPER, key.id, Unlock.pin(pin), wanted)
    key.public_key.verify(done.signature, b"x")


def state(world: World) -> tuple[int, int]:
    """Tries counted, and signatures on record."""
    (key,) = world.centre.holders.own(KEEPER)
    return key.attempts, len(world.centre.holders.uses(KEEPER, key.id))


@pytest.mark.slow
def test_a_key_is_made_whole_or_not_at_all(world: World) -> None:
    killed(world, "kms.create-holder-key.1-made", create)
    assert world.centre.holders.own(KEEPER) == []
    killed(world, "kms.create-holder-key.2-done", create)
    assert len(world.events("kms.create-holder-key")) == 1
    sign(world)


@pytest.mark.slow
def test_a_signature_is_on_record_or_was_never_made(world: World) -> None:
    create(world)
    killed(world, "kms.open-holder-key.1-counted", sign)
    assert state(world) == (1, 0)
    killed(world, "kms.sign-as-holder.1-signed", sign)
    assert state(world) == (2, 0)
    killed(world, "kms.sign-as-holder.2-recorded", sign)
    assert state(world) == (0, 1)
    killed(world, "kms.open-holder-key.1-counted", lambda there: sign(there, OTHER))
    assert state(world) == (1, 1)
    sign(world)


@pytest.mark.slow
def test_a_pin_is_the_old_one_or_the_new_one(world: World) -> None:
    def change(there: World) -> None:
        (key,) = there.centre.holders.own(KEEPER)
        there.centre.holders.change_pin(KEEPER, key.id, PIN, OTHER)

    create(world)
    killed(world, "kms.change-holder-pin.1-wrapped", change)
    sign(world, PIN)
    killed(world, "kms.change-holder-pin.2-done", change)
    sign(world, OTHER)


@pytest.mark.slow
def test_a_passkey_is_added_or_is_not(world: World) -> None:
    device = Authenticator("trust.example.gov.cn", "https://trust.example.gov.cn")
    site = Site({text(device.identifier): KEEPER})

    def add(there: World) -> None:
        there.centre.holders.passkeys = site
        (key,) = there.centre.holders.own(KEEPER)
        add_passkey(there, key, device)

    create(world)
    killed(world, "kms.add-holder-passkey.1-wrapped", add)
    (key,) = world.centre.holders.own(KEEPER)
    with pytest.raises(PasskeyNotAdded):
        lock_of(world.store, key, Way.PASSKEY)
    killed(world, "kms.add-holder-passkey.2-done", add)
    world.centre.holders.passkeys = site
    by_passkey(world, key, device)
    sign(world)


@pytest.mark.slow
def test_what_ended_has_ended(world: World) -> None:
    def end(there: World) -> None:
        there.centre.holders.end(KEEPER, there.centre.holders.own(KEEPER)[0].id)

    create(world)
    killed(world, "kms.end-holder-key.1-done", end)
    with pytest.raises(HolderKeyEnded):
        sign(world)
