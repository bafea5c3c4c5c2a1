"""Several tokens that hold the same keys, used as one: when the one in use fails, the next answers the same call.

Making a key needs all of them, so that they never differ; using one needs any of them. There is no going back by
itself: the token that took over stays in use until it fails in its turn, and one that failed is looked at again by
`tokens`, which takes it back only when it is the same token and holds every key that the one in use holds.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any, Protocol

from kms.engine.calls import Calls
from kms.engine.engine import Engine, HeldKey, KeyReference, SharedKey, TokenFacts, TokenStanding
from kms.engine.gcm import NONCE
from kms.engine.share import RECEIVER
from kms.errors import (
    HsmFull,
    HsmGone,
    HsmMissing,
    HsmSlow,
    KeyLost,
    MirrorBehind,
    PinExpired,
    PinLocked,
    PinNotTried,
    TokenAmbiguous,
    TokenBlank,
    WrongPin,
)
from kms.mechanisms import NATIVE
from kms.secrets.errors import SecretFileLoose, SecretFileMissing
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.text import Text

_TRIAL = b"yinxin: is this the same key?"
_log = logging.getLogger("yinxin.kms")

#: what is wrong with one token only, so that another may answer
FAILURES = (
    HsmGone,
    HsmMissing,
    HsmSlow,
    HsmFull,
    KeyLost,
    TokenAmbiguous,
    TokenBlank,
    WrongPin,
    PinLocked,
    PinExpired,
    PinNotTried,
    SecretFileLoose,
    SecretFileMissing,
)


class KeptCopies(Protocol):
    """Where copies of keys are kept for a token that takes a lost one's place."""

    def receiver(self) -> bytes:
        """The receiving key of the vault token; empty where there is none."""
        ...

    def keep(self, key: KeyReference, shared: SharedKey) -> None:
        """Keep the copy of a key that was made."""
        ...

    def drop(self, key: KeyReference) -> None:
        """Drop the copy of a key that was destroyed."""
        ...


class Member(Engine, Protocol):
    """An engine that can pass keys on and take them."""

    label: str


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a token of the mirror: it failed (`error` is the code), or it is back."""

    token: int
    label: str
    error: str | None
    in_use: int


class MirroredEngine(Calls):
    """`kms.engine.Engine` on several. Safe to share between threads."""

    def __init__(self, members: Sequence[Member], copies: KeptCopies | None = None) -> None:
        self.members = tuple(members)
        self._copies = copies
        self._lock = Lock()
        self._in_use = 0
        self._failed: dict[int, str] = {}
        self._serials: dict[int, str] = {}
        #: what happened and is not on record yet
        self._changes: list[Change] = []

    def call(self, operation: str, *arguments: Any) -> Any:
        """Ask the token in use, then the other; raises what the first of them raised."""
        failures: list[tuple[int, YinxinError]] = []
        for number in self._order():
            try:
                value = getattr(self.members[number], operation)(*arguments)
            except FAILURES as error:
                failures.append((number, error))
                continue
            for failed, reason in failures:
                self._fail(failed, reason)
            self._use(number)
            return value
        for failed, reason in failures:
            if not isinstance(reason, KeyLost):  # a key that no token has says nothing against any of them
                self._fail(failed, reason)
        raise failures[0][1]

    def facts(self) -> TokenFacts:
        """What the token in use says, without the mechanisms whose keys cannot be shared.

        Of hardware it says nothing: what one of two tokens has is not known of whatever either has made.
        """
        facts: TokenFacts = self.call("facts")
        unshared = {NATIVE[name].use.name for name in NATIVE if not NATIVE[name].shared}
        return TokenFacts(
            facts.label, facts.serial, facts.manufacturer, facts.library, facts.mechanisms - unshared
        )

    def make_key(self, key: KeyReference) -> bytes | None:
        """Make the key in the first token and take it into the second; raises MirrorBehind unless both answer."""
        first, second = self.members
        held = [self._all(number, partial(self._held, number, key)) for number in (0, 1)]
        if None not in held and self.same_key(held[0], held[1]):
            known: bytes | None = held[0].spki
            return known
        receiving = self._all(1, second.receiver)
        vault = self._copies.receiver() if self._copies else b""
        shared = self._all(0, lambda: first.make_shared(key, receiving, vault))
        if self._copies:
            self._copies.keep(key, shared)
        step("kms.mirror.1-made")
        self._all(1, lambda: second.take_shared(key, shared))
        spki: bytes | None = shared.spki
        return spki

    def destroy(self, key: KeyReference) -> None:
        """Destroy the key in every token; raises MirrorBehind unless all of them answer."""
        for number, member in enumerate(self.members):
            self._all(number, partial(member.destroy, key))
        if self._copies:
            self._copies.drop(key)

    def tokens(self) -> list[TokenStanding]:
        """How each token is; one that failed and is well again stands by."""
        found = []
        for number, member in enumerate(self.members):
            try:
                facts = member.facts()
                self._same(number, facts)
                self._whole(number)
                self._back(number)
                found.append(TokenStanding(number, facts.label, number == self._in_use, None, facts))
            except FAILURES as error:
                self._fail(number, error)
                found.append(TokenStanding(number, member.label, number == self._in_use, error.code, None))
        # the one in use may have changed while they were asked
        return [replace(each, in_use=each.number == self._in_use) for each in found]

    def joined(self, number: int) -> None:
        """Another token has taken this one's place, and was given its keys: it is known by its own serial number from here on."""
        with self._lock:
            self._serials.pop(number, None)

    def record(self, keep: Callable[[Change], None]) -> None:
        """Give each thing that happened to `keep`, once; what it could not keep is given again next time."""
        while self._changes:
            keep(self._changes[0])
            self._changes.pop(0)

    def close(self) -> None:
        """See `Engine.close`."""
        for member in self.members:
            member.close()

    def _order(self) -> list[int]:
        with self._lock:
            rest = [number for number in range(len(self.members)) if number != self._in_use]
            return [self._in_use, *rest]

    def _use(self, number: int) -> None:
        if number == self._in_use and number not in self._failed:
            return
        with self._lock:
            self._in_use = number
            if self._failed.pop(number, None) is not None:
                self._changes.append(Change(number, self.members[number].label, None, number))

    def _fail(self, number: int, error: YinxinError) -> None:
        with self._lock:
            if number in self._failed:
                return
            self._failed[number] = error.code
            if number == self._in_use:
                well = [each for each in range(len(self.members)) if each not in self._failed]
                self._in_use = well[0] if well else number
            self._changes.append(Change(number, self.members[number].label, error.code, self._in_use))
        _log.warning("token %s of the mirror failed: %s", self.members[number].label, error)

    def _back(self, number: int) -> None:
        with self._lock:
            if self._failed.pop(number, None) is not None:
                self._changes.append(Change(number, self.members[number].label, None, self._in_use))

    def _all(self, number: int, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except FAILURES as error:
            self._fail(number, error)
            raise MirrorBehind(token=self.members[number].label, reason=error.code) from error

    def _same(self, number: int, facts: TokenFacts) -> None:
        """Raise HsmMissing when another token has taken this one's place since it was first seen."""
        if self._serials.setdefault(number, facts.serial) != facts.serial:
            raise HsmMissing(
                what=facts.label,
                reason=Text(f"序列号已变为 {facts.serial}", f"its serial number is now {facts.serial}"),
            )

    def _whole(self, number: int) -> None:
        """Raise KeyLost unless this token holds the keys that the one in use holds."""
        if number == self._in_use or self._in_use in self._failed:
            return
        here = {each.identifier: each for each in self.members[number].inventory()}
        for wanted in self.members[self._in_use].inventory():
            if wanted.identifier == RECEIVER:
                continue
            other = here.get(wanted.identifier)
            if other is None or not self.same_key(wanted, other):
                raise KeyLost(label=wanted.identifier.decode("ascii", "replace"))

    def _held(self, number: int, key: KeyReference) -> HeldKey | None:
        """The key in this token, if it is there, once, and stays."""
        found = [each for each in self.members[number].inventory() if each.identifier == key.identifier]
        return found[0] if len(found) == 1 and found[0].stays else None

    def same_key(self, one: HeldKey, other: HeldKey) -> bool:
        """Whether both tokens hold the same key: their public keys say so, or what they make of the same octets."""
        if one.spki is not None or other.spki is not None:
            return one.spki == other.spki
        key = KeyReference(one.identifier.decode("ascii", "replace"), "aes-256", one.identifier)
        nonce = secrets.token_bytes(NONCE)
        first, second = (member.encrypt(key, nonce, _TRIAL, _TRIAL) for member in self.members)
        return first == second
