"""Making a person's signing key, changing its PIN, and ending it."""

from typing import Protocol

import sqlalchemy as sa

from kms.engine import Engine
from kms.holder.errors import HolderKeyExists, HolderKeyMoved, PasskeyNotAdded
from kms.holder.key import HolderKey, standing, standing_key
from kms.holder.lock import Unlock, about, bound, derivation, enclose
from kms.holder.models import HolderKeyRow, HolderLockRow, Way
from kms.info import KeyInfo
from kms.wrap import wrap_octets
from yinxin.act import Actor
from yinxin.authz import Decision
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Act, Store

CREATE = "kms.create-holder-key"
END = "kms.end-holder-key"


class Keys(Protocol):
    """The key centre, as far as it is needed here."""

    engine: Engine

    def wrapping_key(self, actor: Actor) -> KeyInfo:
        """The one that wraps new secrets, made when it is first needed."""
        ...

    def key(self, label: str) -> KeyInfo:
        """The active key of this label; raises KeyUnknown or KeyNotActive."""
        ...


def create(
    store: Store,
    keys: Keys,
    actor: Actor,
    suite: Suite,
    unlock: Unlock,
    *,
    organ: str,
    work: int,
    decision: Decision,
) -> HolderKey:
    """A new key of the actor's own, which opens by what she gives and no otherwise.

    1. Made in memory, enclosed under what she gave, and that wrapped under the wrapping key; forgotten.
    2. The rows, and their record.

    Raises HolderKeyExists while she has one of this suite that has not ended, or as `Token.use`; then nothing is stored.
    """
    id_ = store.identifier()
    subject = f"holder-key:{id_}"
    try:
        if (known := standing_key(store, actor.id, suite)) is not None:
            raise HolderKeyExists(suite=suite.name, key=known.id)
        made = PrivateKey.generate(suite)
        row = HolderKeyRow(
            id=id_,
            holder=actor.id,
            organ=organ,
            suite=suite.name,
            algorithm=made.public_key.algorithm,
            spki=made.public_key.spki,
            created=store.clock.now(),
            ended=None,
            standing=standing(actor.id, suite),
        )
        key = HolderKey.of(row, 0)
        secret = made.pkcs8()
        del made
        try:
            lock = new_lock(store, keys, actor, key, unlock, secret=secret, work=work)
        finally:
            cleanse(secret)
    except YinxinError as error:
        store.refuse(actor, CREATE, subject, error)
        raise
    step("kms.create-holder-key.1-made")

    def quicker() -> YinxinError:
        """She was so herself, elsewhere."""
        known = standing_key(store, actor.id, suite)
        return HolderKeyExists(suite=suite.name, key=known.id if known is not None else "-")

    with store.act(actor, CREATE, subject, taken=quicker, suite=suite.name, way=unlock.way.value) as act:
        act.decision = decision.record()
        act.facts["key_id"] = key.public_key.key_id.hex()
        act.session.add(row)
        act.session.flush()
        act.session.add(lock)
        act.session.flush()
    step("kms.create-holder-key.2-done")
    return key


def new_lock(
    store: Store, keys: Keys, actor: Actor, key: HolderKey, unlock: Unlock, *, secret: bytes, work: int
) -> HolderLockRow:
    """The row of a new lock on the key whose secret this is, to be stored; raises as `Token.use`."""
    id_, derived = store.identifier(), derivation(unlock, work, store.randomness)
    told = about(
        key=key.id,
        holder=key.holder,
        suite=key.suite.name,
        algorithm=key.algorithm,
        lock=id_,
        way=unlock.way,
    )
    enclosed = enclose(unlock, derived, told, key.suite, secret)
    kek = keys.wrapping_key(actor)
    wrapped = wrap_octets(keys.engine, kek, bound(told, kek.label), enclosed, store.randomness)
    return HolderLockRow(
        id=id_,
        key=key.id,
        way=unlock.way.value,
        about=told,
        derivation=derived,
        attempts=0,
        created=store.clock.now(),
        kek=wrapped.kek,
        nonce=wrapped.nonce,
        blob=wrapped.blob,
    )


def replace_lock(act: Act, key: HolderKey, old: str, new: HolderLockRow) -> None:
    """The new lock in the place of the old one; raises HolderKeyMoved when that is no longer there."""
    gone = act.session.execute(sa.delete(HolderLockRow).where(HolderLockRow.id == old))
    if getattr(gone, "rowcount", 0) != 1:
        raise HolderKeyMoved(key=key.id)
    act.session.flush()
    act.session.add(new)
    act.session.flush()


def end(store: Store, actor: Actor, key: HolderKey, decision: Decision) -> HolderKey:
    """Destroy the key's secret: every lock goes with the record. Repeating it changes nothing. Raises HolderKeyEnded."""
    with store.act(actor, END, key.subject, holder=key.holder) as act:
        act.decision = decision.record()
        row = act.session.get_one(HolderKeyRow, key.id, with_for_update=True)
        HolderKey.of(row, 0).usable()
        act.session.execute(sa.delete(HolderLockRow).where(HolderLockRow.key == key.id))
        row.ended, row.standing = store.clock.now(), None
        act.session.flush()
        done = HolderKey.of(row, 0)
    step("kms.end-holder-key.1-done")
    return done


def remove_passkey(store: Store, actor: Actor, key: HolderKey, verb: str, decision: Decision) -> None:
    """Take the passkey's lock away; raises PasskeyNotAdded, HolderKeyEnded."""
    with store.act(actor, verb, key.subject) as act:
        act.decision = decision.record()
        key.usable()
        gone = sa.delete(HolderLockRow).where(
            HolderLockRow.key == key.id, HolderLockRow.way == Way.PASSKEY.value
        )
        if act.session.connection().execute(gone).rowcount != 1:
            raise PasskeyNotAdded(key=key.id)
