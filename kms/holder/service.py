"""People's signing keys as one service: every call asks the policies first."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from kms.holder import create as creating
from kms.holder import sign as signing
from kms.holder.create import Keys
from kms.holder.errors import NoPasskeySecret, NotAPerson
from kms.holder.key import HolderKey, Use, key_of, keys_of, uses_of
from kms.holder.lock import Unlock, check_pin
from kms.holder.passkey import ADD, REMOVE, Challenge, Passkeys, adding, attested, challenge_of
from kms.holder.sign import Opening, Signed, Signing
from kms.settings import KmsSettings
from yinxin.act import Actor, Kind
from yinxin.authz import Decider, Decision, Resource
from yinxin.crypto.suite import Suite
from yinxin.store import Store

T = TypeVar("T")

READ = "kms.read-holder-keys"


class HolderKeys:
    """The signing keys of people. One per process, on its key centre."""

    def __init__(self, store: Store, settings: KmsSettings, decider: Decider, keys: Keys) -> None:
        self._store = store
        self._settings = settings
        self._decider = decider
        self._keys = keys
        #: tries at a PIN, and at a passkey, before it is locked
        self.most = settings.holder_attempts
        #: characters that a PIN has at least
        self.least = settings.holder_pin_least
        #: the passkeys of this site, where it has any
        self.passkeys: Passkeys | None = None

    def create(self, actor: Actor, suite: Suite, pin: str) -> HolderKey:
        """A new key of the actor's own under this PIN; see `kms.holder.create.create`. Raises Denied, NotAPerson, BadHolderPin besides."""
        new = f"holder-key:{actor.id}"
        with self._store.refusing(actor, creating.CREATE, new):
            organ = _organ(actor)
        asked = Resource("HolderKey", "new", organ=organ, attributes={"holder": actor.id})
        decision = self._decider.require(actor, creating.CREATE, asked)
        with self._store.refusing(actor, creating.CREATE, new):
            check_pin(pin, self.least)
        return creating.create(
            self._store,
            self._keys,
            actor,
            suite,
            Unlock.pin(pin),
            organ=organ,
            work=self._settings.holder_work,
            decision=decision,
        )

    def sign(self, actor: Actor, id_: str, unlock: Unlock, wanted: Signing) -> Signed:
        """One signature of the actor's own; see `kms.holder.sign.sign`. Raises HolderKeyUnknown, Denied besides."""
        key, decision = self._known(actor, signing.SIGN, id_)
        return signing.sign(self._opening(actor, key, unlock, decision), wanted)

    def change_pin(self, actor: Actor, id_: str, old: str, new: str) -> None:
        """The actor's own key under another PIN; see `kms.holder.sign.change_pin`. Raises HolderKeyUnknown, Denied, BadHolderPin besides."""
        key, decision = self._known(actor, signing.CHANGE_PIN, id_)
        with self._store.refusing(actor, signing.CHANGE_PIN, key.subject):
            check_pin(new, self.least)
        opening = self._opening(actor, key, Unlock.pin(old), decision)
        signing.change_pin(opening, Unlock.pin(new), work=self._settings.holder_work)

    def challenge(self, actor: Actor, id_: str, wanted: Signing | None) -> Challenge:
        """What the actor's passkey is asked, to sign `wanted`, or without it to be added; raises HolderKeyUnknown, Denied."""
        key, _ = self._known(actor, signing.SIGN, id_)
        return challenge_of(key, self._passkeys().nonce(), wanted or adding(key))

    def add_passkey(self, actor: Actor, id_: str, pin: str, *, nonce: str, credential: str) -> None:
        """Let the actor's own key open by a passkey of hers too; it takes the PIN, and counts as a try at it.

        Raises HolderKeyUnknown, Denied, WrongHolderPasskey, NoPasskeySecret, HolderPasskeyKnown, and as `sign`.
        """
        key, decision = self._known(actor, ADD, id_)
        with self._store.refusing(actor, ADD, key.subject):
            unlock, count = attested(
                self._passkeys(), actor, key, nonce=nonce, credential=credential, wanted=adding(key)
            )
        opening = self._opening(actor, key, Unlock.pin(pin), decision)
        signing.add_lock(replace(opening, also=count), unlock, ADD)

    def sign_by_passkey(
        self, actor: Actor, id_: str, wanted: Signing, *, nonce: str, credential: str
    ) -> Signed:
        """As `sign`, by a passkey that said yes to this very signature; raises WrongHolderPasskey, NoPasskeySecret, PasskeyNotAdded besides."""
        key, decision = self._known(actor, signing.SIGN, id_)
        with self._store.refusing(actor, signing.SIGN, key.subject):
            unlock, count = attested(
                self._passkeys(), actor, key, nonce=nonce, credential=credential, wanted=wanted
            )
        opening = self._opening(actor, key, unlock, decision)
        return signing.sign(replace(opening, also=count), wanted)

    def remove_passkey(self, actor: Actor, id_: str) -> None:
        """Let the key open by the PIN alone again; raises HolderKeyUnknown, Denied, PasskeyNotAdded."""
        key, decision = self._known(actor, REMOVE, id_)
        creating.remove_passkey(self._store, actor, key, REMOVE, decision)

    def end(self, actor: Actor, id_: str) -> HolderKey:
        """Destroy a key, one's own or as an officer; raises HolderKeyUnknown, Denied, HolderKeyEnded."""
        key, decision = self._known(actor, creating.END, id_)
        return creating.end(self._store, actor, key, decision)

    def own(self, actor: Actor) -> list[HolderKey]:
        """The actor's own keys, oldest first."""
        return keys_of(self._store, actor.id)

    def keys_of(self, actor: Actor, holder: str) -> list[HolderKey]:
        """A person's keys, oldest first, as far as the actor may see them."""
        found = keys_of(self._store, holder)
        if holder == actor.id:
            return found
        return [each for each in found if self._decider.check(actor, READ, each.resource).allowed]

    def show(self, actor: Actor, id_: str) -> HolderKey:
        """One key; raises HolderKeyUnknown, Denied."""
        return self._known(actor, READ, id_)[0]

    def uses(self, actor: Actor, id_: str, *, before: str = "", limit: int = 50) -> Sequence[Use]:
        """What a key signed, the newest first; raises HolderKeyUnknown, Denied."""
        return uses_of(self._store, self.show(actor, id_), before=before, limit=limit)

    def _passkeys(self) -> Passkeys:
        if self.passkeys is None:
            raise NoPasskeySecret
        return self.passkeys

    def _opening(self, actor: Actor, key: HolderKey, unlock: Unlock, decision: Decision) -> Opening:
        return Opening(self._store, self._keys, actor, key, unlock, decision, self.most)

    def _known(self, actor: Actor, verb: str, id_: str) -> tuple[HolderKey, Decision]:
        """The key, and the decision that permits; raises HolderKeyUnknown, Denied, both recorded."""
        with self._store.refusing(actor, verb, f"holder-key:{id_[:26]}"):
            key = key_of(self._store, id_)
        return key, self._decider.require(actor, verb, key.resource)


def _organ(actor: Actor) -> str:
    if actor.kind is not Kind.PERSON or actor.organ is None:
        raise NotAPerson(actor=actor.id)
    return actor.organ
