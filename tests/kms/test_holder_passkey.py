"""A passkey opens a signing key for one signature it was shown, and by a secret that only its authenticator computes."""

import json
from dataclasses import dataclass, field

import pytest
from sqlalchemy.orm import Session

from kms.holder import HolderKey, Signing
from kms.holder.errors import (
    HolderKeyEnded,
    HolderKeyLocked,
    HolderPasskeyKnown,
    NoPasskeySecret,
    PasskeyNotAdded,
    WrongHolderPasskey,
    WrongHolderPin,
)
from kms.holder.key import HELD, lock_of
from kms.holder.models import Way
from tests.support.authenticator import Authenticator, text
from yinxin.act import Actor
from yinxin.crypto.suite import SM
from yinxin.errors import NotAuthenticated

from .conftest import KEEPER, OFFICER, World
from .test_holder import MESSAGE, OTHER, PIN, made, sign

pytestmark = pytest.mark.engines("any")


class Unbelieved(NotAuthenticated):
    code = "kms_test.unbelieved"
    zh = "不可信。"
    en = "Not believed."


@dataclass
class Attested:
    passkey: str

    def count(self, session: Session) -> None:
        """Nothing to count."""


@dataclass
class Site:
    """Passkeys that are believed when they answered the challenge; `authz.passkey` verifies them for real."""

    known: dict[str, Actor] = field(default_factory=dict)
    given: int = 0

    def nonce(self) -> str:
        self.given += 1
        return f"nonce-{self.given}"

    def attest(self, actor: Actor, credential: str, nonce: str, challenge: bytes) -> Attested:
        said = json.loads(credential)
        client = json.loads(decoded(said["response"]["clientDataJSON"]))
        if client["challenge"] != text(challenge) or self.known.get(said["id"]) != actor:
            raise Unbelieved
        return Attested(said["id"])


def decoded(given: str) -> bytes:
    from yinxin.crypto.jose import decode64

    return decode64(given, "test")


@pytest.fixture
def key(world: World) -> HolderKey:
    found = made(world, SM)
    world.centre.holders.passkeys = Site()
    return found


def enrolled(world: World, actor: Actor = KEEPER) -> Authenticator:
    made_ = Authenticator("trust.example.gov.cn", "https://trust.example.gov.cn")
    site = world.centre.holders.passkeys
    assert isinstance(site, Site)
    site.known[text(made_.identifier)] = actor
    return made_


def wanted(key: HolderKey, subject: str = "document:42") -> Signing:
    return Signing(key.public_key.prehash(MESSAGE), "document.sign-off", subject)


def add(world: World, key: HolderKey, device: Authenticator, pin: str = PIN) -> None:
    asked = world.centre.holders.challenge(KEEPER, key.id, None)
    answer = device.agree(asked.challenge, asked.salt)
    world.centre.holders.add_passkey(KEEPER, key.id, pin, nonce=asked.nonce, credential=answer)


def by_passkey(world: World, key: HolderKey, device: Authenticator, *, shown: Signing | None = None) -> bytes:
    asked = world.centre.holders.challenge(KEEPER, key.id, shown or wanted(key))
    answer = device.agree(asked.challenge, asked.salt)
    done = world.centre.holders.sign_by_passkey(
        KEEPER, key.id, wanted(key), nonce=asked.nonce, credential=answer
    )
    return done.signature


def test_it_signs_what_it_was_shown_and_nothing_else(world: World, key: HolderKey) -> None:
    """Seen to fail when the challenge leaves out the digest or the subject."""
    device = enrolled(world)
    with pytest.raises(PasskeyNotAdded):
        by_passkey(world, key, device)
    add(world, key, device)
    key.public_key.verify(by_passkey(world, key, device), MESSAGE)
    assert [each.way for each in world.centre.holders.uses(KEEPER, key.id)] == ["passkey"]
    for shown in (wanted(key, "document:43"), Signing(bytes(32), "document.sign-off", "document:42")):
        with pytest.raises(WrongHolderPasskey):
            by_passkey(world, key, device, shown=shown)
    assert world.events("kms.sign-as-holder")[-1]["error"] == "kms.wrong_holder_passkey"
    with pytest.raises(HolderPasskeyKnown):
        add(world, key, enrolled(world))
    key.public_key.verify(sign(world, key), MESSAGE)


def test_the_pin_and_the_passkey_are_locked_each_by_itself(world: World, key: HolderKey) -> None:
    """Seen to fail when: a try at one way is counted for both; a key whose passkey is locked too is said to open by it."""
    device = enrolled(world)
    add(world, key, device)
    show = world.centre.holders.show
    for _ in range(5):
        with pytest.raises(WrongHolderPin):
            sign(world, key, OTHER)
    assert show(KEEPER, key.id).state(5) == "pin-locked"
    with pytest.raises(HolderKeyLocked) as caught:
        sign(world, key)
    assert "the passkey still opens it" in caught.value.text("en")
    key.public_key.verify(by_passkey(world, key, device), MESSAGE)
    # what the passkey opened is no pardon for the PIN
    with pytest.raises(HolderKeyLocked):
        sign(world, key)
    device.secret = bytes(32)
    for _ in range(5):
        with pytest.raises(WrongHolderPasskey):
            by_passkey(world, key, device)
    with pytest.raises(HolderKeyLocked) as caught:
        by_passkey(world, key, device)
    assert "passkey of the holder key" in caught.value.text("en")
    assert "make a new key" in caught.value.text("en")
    facts = show(KEEPER, key.id).fields(5)
    assert facts["state"] == "locked"
    assert facts["passkey"]
    assert facts["attempts_left"] == facts["passkey_attempts_left"] == 0


def test_guesses_at_the_passkey_leave_the_pin(world: World, key: HolderKey) -> None:
    device = enrolled(world)
    add(world, key, device)
    device.secret = bytes(32)
    for _ in range(5):
        with pytest.raises(WrongHolderPasskey):
            by_passkey(world, key, device)
    with pytest.raises(HolderKeyLocked) as caught:
        by_passkey(world, key, device)
    assert "use the PIN" in caught.value.text("en")
    key.public_key.verify(sign(world, key), MESSAGE)
    facts = world.centre.holders.show(KEEPER, key.id).fields(5)
    assert facts["state"] == "active"
    assert (facts["attempts_left"], facts["passkey_attempts_left"]) == (5, 0)


def test_its_secret_is_part_of_the_wrapping(world: World, key: HolderKey) -> None:
    """An answer that is believed opens nothing without it. Seen to fail when the inner key does not depend on it."""
    device = enrolled(world)
    add(world, key, device)
    lock = lock_of(world.store, key, Way.PASSKEY)
    assert lock.derivation["name"] == "hkdf-sha256"
    device.secret = bytes(32)
    with pytest.raises(WrongHolderPasskey) as caught:
        by_passkey(world, key, device)
    assert "秘密" in caught.value.text("zh")
    asked = world.centre.holders.challenge(KEEPER, key.id, wanted(key))
    for answer in (device.agree(asked.challenge), device.agree(asked.challenge).replace("{}", '{"prf": 1}')):
        with pytest.raises(NoPasskeySecret):
            world.centre.holders.sign_by_passkey(
                KEEPER, key.id, wanted(key), nonce=asked.nonce, credential=answer
            )


def test_it_is_added_with_the_pin_and_removed_without(world: World, key: HolderKey) -> None:
    device = enrolled(world)
    with pytest.raises(WrongHolderPin):
        add(world, key, device, OTHER)
    with pytest.raises(PasskeyNotAdded):
        world.centre.holders.remove_passkey(KEEPER, key.id)
    add(world, key, device)
    world.centre.holders.change_pin(KEEPER, key.id, PIN, OTHER)
    by_passkey(world, key, device)
    stranger = enrolled(world, OFFICER)
    with pytest.raises(WrongHolderPasskey):
        by_passkey(world, key, stranger)
    other = enrolled(world)
    with pytest.raises(PasskeyNotAdded):
        by_passkey(world, key, other)
    world.centre.holders.remove_passkey(KEEPER, key.id)
    with pytest.raises(PasskeyNotAdded):
        by_passkey(world, key, device)
    world.centre.holders.end(KEEPER, key.id)
    with pytest.raises(HolderKeyEnded):
        by_passkey(world, key, device)


def test_a_new_wrapping_key_takes_both_locks_along(world: World, key: HolderKey) -> None:
    device = enrolled(world)
    add(world, key, device)
    world.centre.generations.held = lambda: (HELD,)
    world.centre.generations.rotate(OFFICER)
    assert world.centre.generations.rewrap() == 2
    by_passkey(world, key, device)
    sign(world, key)
