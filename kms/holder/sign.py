"""Using a person's signing key: one unlocking, one signature over one stated digest.

A try is counted, and that is committed, before what the holder gave is tried: however many try at once and whenever the
process dies, nobody makes more tries than are allowed. What needs the module comes before the counting, so that a module
that does not answer costs no try.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kms.errors import BadDigest, FaultySignature, WrappedKeyAltered
from kms.holder.create import Keys, new_lock, replace_lock
from kms.holder.errors import (
    HolderKeyLocked,
    HolderKeyMoved,
    HolderPasskeyKnown,
    PasskeyNotAdded,
    WrongHolderPasskey,
    WrongHolderPin,
)
from kms.holder.key import HolderKey, Lock, lock_of, ways_of
from kms.holder.lock import Unlock, about, bound, disclose
from kms.holder.models import HolderKeyRow, HolderLockRow, HolderUseRow, Way
from kms.wrap import unwrap_octets
from yinxin.act import Actor, Outcome
from yinxin.authz import Decision
from yinxin.crypto.errors import BadSignature, CannotDecrypt
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.steps import step
from yinxin.store import Act, Store
from yinxin.text import Text

SIGN = "kms.sign-as-holder"
CHANGE_PIN = "kms.change-holder-pin"
_WAYS = {Way.PIN: Text("口令", "PIN"), Way.PASSKEY: Text("通行密钥", "passkey")}
#: what is left to do when one way is locked: use the other, or begin anew
_OTHER_WAY = {
    Way.PIN: Text("请改用口令；也可删除这一通行密钥", "use the PIN; the passkey can be removed"),
    Way.PASSKEY: Text(
        "通行密钥仍可使用；如仍需口令，请停用此密钥，另建新的密钥并申请证书",
        "the passkey still opens it; for a PIN again, end it, make a new key and have it certified",
    ),
}
_ANEW = Text("请停用它，建立新的密钥并申请证书", "end it, make a new key and have it certified")
_OTHER_SECRET = Text("它给出的秘密打不开密钥", "its secret does not open the key")


@dataclass(frozen=True, slots=True)
class Signing:
    """What is to be signed: what `PublicKey.prehash` gave, the act it is for, and what it is about (`document:…`)."""

    digest: bytes
    purpose: str
    subject: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature, how it was made, and the audit entry that records it."""

    signature: bytes
    algorithm: str
    entry: str


@dataclass(frozen=True, slots=True)
class Opening:
    """One try at a key: whose, with what, under which decision, and how many tries there are."""

    store: Store
    keys: Keys
    actor: Actor
    key: HolderKey
    unlock: Unlock
    decision: Decision
    most: int
    #: what else is done in the transaction of the outcome
    also: Callable[[Session], None] = lambda _: None


def sign(opening: Opening, wanted: Signing) -> Signed:
    """The signature over `wanted`, handed out once it is on record.

    1. The try is counted; from here on it has been made, whatever happens.
    2. What the holder gave opens the key, which signs and is forgotten; the signature verifies.
    3. The record, in whose transaction the key must still be there under the same lock.

    Raises BadDigest, HolderKeyEnded, HolderKeyLocked, WrongHolderPin, HolderKeyMoved, FaultySignature,
    WrappedKeyAltered, or as `Token.use`; all on record.
    """
    store, key = opening.store, opening.key
    facts: dict[str, Any] = {
        "digest": wanted.digest.hex(),
        "purpose": wanted.purpose,
        "for": wanted.subject,
        "way": opening.unlock.way.value,
    }
    with opening.store.refusing(opening.actor, SIGN, opening.key.subject):
        public = key.public_key
        if len(wanted.digest) != public.prehash_size:
            raise BadDigest(
                size=len(wanted.digest), label=key.id, algorithm=key.algorithm, expected=public.prehash_size
            )
        with opened(opening, SIGN, **facts) as (lock, secret):
            signature = _signed(key, secret, wanted.digest)
        step("kms.sign-as-holder.1-signed")
        with store.act(opening.actor, SIGN, key.subject, **facts) as act:
            act.decision = opening.decision.record()
            _still(act, opening, lock)
            act.session.add(
                HolderUseRow(
                    id=act.id,
                    key=key.id,
                    at=store.clock.now(),
                    way=opening.unlock.way.value,
                    purpose=wanted.purpose,
                    subject=wanted.subject,
                    digest=wanted.digest.hex(),
                )
            )
            act.session.flush()
    step("kms.sign-as-holder.2-recorded")
    return Signed(signature, public.signature_algorithm.name, act.id)


def add_lock(opening: Opening, new: Unlock, verb: str) -> None:
    """Another way to open the same key, by one that opens it; raises HolderPasskeyKnown, and as `sign`."""
    store, key = opening.store, opening.key
    with opening.store.refusing(opening.actor, verb, opening.key.subject):
        if ways_of(store, key) & {new.way}:
            raise HolderPasskeyKnown(key=key.id)
        with opened(opening, verb) as (lock, secret):
            fresh = new_lock(store, opening.keys, opening.actor, key, new, secret=secret, work=0)
        step("kms.add-holder-passkey.1-wrapped")
        known = partial(HolderPasskeyKnown, key=key.id)
        with store.act(opening.actor, verb, key.subject, taken=known, passkey=new.passkey) as act:
            act.decision = opening.decision.record()
            _still(act, opening, lock)
            act.session.add(fresh)
            act.session.flush()
    step("kms.add-holder-passkey.2-done")


def change_pin(opening: Opening, new: Unlock, *, work: int) -> None:
    """The same key under another PIN; the old one opens it no more. Raises as `sign`."""
    store, key = opening.store, opening.key
    with opening.store.refusing(opening.actor, CHANGE_PIN, opening.key.subject):
        with opened(opening, CHANGE_PIN) as (lock, secret):
            fresh = new_lock(store, opening.keys, opening.actor, key, new, secret=secret, work=work)
        step("kms.change-holder-pin.1-wrapped")
        with store.act(opening.actor, CHANGE_PIN, key.subject) as act:
            act.decision = opening.decision.record()
            _still(act, opening, lock)
            replace_lock(act, key, lock.id, fresh)
    step("kms.change-holder-pin.2-done")


@contextmanager
def opened(opening: Opening, verb: str, **facts: Any) -> Iterator[tuple[Lock, bytes]]:
    """The secret (PKCS#8) for as long as it is held, cleansed after; the try is counted before it is made."""
    store, key = opening.store, opening.key
    lock = lock_of(store, key, opening.unlock.way)
    if lock.derivation.get("passkey", "") != opening.unlock.passkey:
        raise PasskeyNotAdded(key=key.id)
    # a key that somebody made another person's in the table, or a lock of another key's: told before a try is counted
    if lock.about != about(
        key=key.id,
        holder=key.holder,
        suite=key.suite.name,
        algorithm=key.algorithm,
        lock=lock.id,
        way=opening.unlock.way,
    ):
        raise WrappedKeyAltered(label=f"holder-key {key.id}")
    kek = opening.keys.key(lock.wrapped.kek)
    enclosed = unwrap_octets(
        opening.keys.engine, kek, bound(lock.about, kek.label), lock.wrapped, f"holder-key {key.id}"
    )
    tried = _count(opening, lock, verb, **facts)
    step("kms.open-holder-key.1-counted")
    try:
        secret = disclose(opening.unlock, lock.derivation, lock.about, key.suite, enclosed)
    except CannotDecrypt:
        if opening.unlock.way is Way.PASSKEY:
            raise WrongHolderPasskey(key=key.id, reason=_OTHER_SECRET) from None
        raise WrongHolderPin(key=key.id, left=opening.most - tried) from None
    try:
        yield lock, secret
    finally:
        cleanse(secret)


def _count(opening: Opening, lock: Lock, verb: str, **facts: Any) -> int:
    """Count a try, as the intent on record; how many there were since the last that opened it."""
    key, row = opening.key, HolderLockRow
    counted = (
        sa.update(row)
        .where(row.id == lock.id, row.attempts < opening.most)
        .values(attempts=row.attempts + 1)
        .returning(row.attempts)
    )
    with opening.store.act(opening.actor, verb, key.subject, outcome=Outcome.INTENT, **facts) as act:
        act.decision = opening.decision.record()
        tried = act.session.connection().execute(counted).scalar_one_or_none()
        if tried is None:
            if act.session.get(row, lock.id) is None:
                raise HolderKeyMoved(key=key.id)
            raise _locked(act.session, opening, lock)
    return int(tried)


def _locked(session: Session, opening: Opening, lock: Lock) -> HolderKeyLocked:
    """What is locked, and what is left: the PIN and the passkey are tried and locked each by itself.

    A passkey is nothing that is guessed, so tries at the PIN say nothing against it; and if they locked it too, whoever has her session for a
    minute could destroy the key that she could still use.
    """
    row = HolderLockRow
    other = sa.select(row.way).where(
        row.key == opening.key.id, row.id != lock.id, row.attempts < opening.most
    )
    left = session.scalar(other)
    remedy = _ANEW if left is None else _OTHER_WAY[Way(left)]
    return HolderKeyLocked(
        key=opening.key.id, attempts=opening.most, way=_WAYS[opening.unlock.way], remedy=remedy
    )


def _still(act: Act, opening: Opening, lock: Lock) -> None:
    """The key has not ended and its lock is the one that was opened, whose tries are over; raises HolderKeyMoved."""
    key = opening.key
    act.session.get_one(HolderKeyRow, key.id, with_for_update=True)
    opening.also(act.session)
    opened_now = sa.update(HolderLockRow).where(HolderLockRow.id == lock.id).values(attempts=0)
    if act.session.connection().execute(opened_now).rowcount != 1:
        raise HolderKeyMoved(key=key.id)


def _signed(key: HolderKey, secret: bytes, digest: bytes) -> bytes:
    signature = PrivateKey.load(secret, proved=True).sign_prehashed(digest)
    try:
        key.public_key.verify_prehashed(signature, digest)
    except BadSignature as error:
        raise FaultySignature(label=key.id) from error
    return signature
