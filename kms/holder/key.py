"""What a person's signing key is, as the rest of the platform sees it, and reading it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from kms.generation.held import Held
from kms.holder.errors import HolderKeyEnded, HolderKeyMoved, HolderKeyUnknown, PasskeyNotAdded
from kms.holder.lock import bound
from kms.holder.models import HolderKeyRow, HolderLockRow, HolderUseRow, Way
from kms.info import Wrapped
from yinxin.authz import Resource
from yinxin.clock import rfc3339
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.suite import Suite
from yinxin.crypto.suite import suite as suite_of
from yinxin.store import Store
from yinxin.wire import base64_text


@dataclass(frozen=True, slots=True)
class HolderKey:
    """A person's signing key: everything but its secret.

    `attempts` are the tries since the PIN last opened it, `passkey_attempts` those since its passkey did; None without one.
    """

    id: str
    holder: str
    organ: str
    suite: Suite
    algorithm: str
    public_key: PublicKey
    created: datetime
    ended: datetime | None
    attempts: int
    passkey_attempts: int | None = None

    @classmethod
    def of(cls, row: HolderKeyRow, attempts: int | None, passkey_attempts: int | None = None) -> Self:
        """The key in this row, with the tries at its PIN and at its passkey."""
        return cls(
            id=row.id,
            holder=row.holder,
            organ=row.organ,
            suite=suite_of(row.suite),
            algorithm=row.algorithm,
            public_key=PublicKey.load(row.spki),
            created=row.created,
            ended=row.ended,
            attempts=attempts or 0,
            passkey_attempts=passkey_attempts,
        )

    @property
    def passkey(self) -> bool:
        """Whether a passkey was added to it."""
        return self.passkey_attempts is not None

    @property
    def resource(self) -> Resource:
        """The key as policies see it."""
        return Resource("HolderKey", self.id, organ=self.organ, attributes={"holder": self.holder})

    @property
    def subject(self) -> str:
        """The key as records name it."""
        return f"holder-key:{self.id}"

    def usable(self) -> None:
        """Raise HolderKeyEnded unless it is there."""
        if self.ended is not None:
            raise HolderKeyEnded(key=self.id)

    def state(self, most: int) -> str:
        """`active`; `locked` after `most` tries at the PIN, `pin-locked` where its passkey still opens it; or `ended`."""
        if self.ended is not None:
            return "ended"
        if self.attempts < most:
            return "active"
        return "pin-locked" if self.passkey_left(most) else "locked"

    def passkey_left(self, most: int) -> int:
        """How many tries are left at its passkey; 0 without one."""
        return max(0, most - self.passkey_attempts) if self.passkey_attempts is not None else 0

    def fields(self, most: int) -> dict[str, Any]:
        """The key as JSON: identifiers and public facts."""
        return {
            "id": self.id,
            "holder": self.holder,
            "organ": self.organ,
            "suite": self.suite.name,
            "algorithm": self.algorithm,
            "state": self.state(most),
            "attempts_left": 0 if self.ended else max(0, most - self.attempts),
            "passkey": self.passkey,
            "passkey_attempts_left": self.passkey_left(most) if self.passkey else None,
            "created": rfc3339(self.created),
            "ended": rfc3339(self.ended) if self.ended else None,
            "key_id": self.public_key.key_id.hex(),
            "public_key": base64_text(self.public_key.spki),
        }


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as it lies."""

    id: str
    about: dict[str, Any]
    derivation: dict[str, Any]
    wrapped: Wrapped = field(repr=False)


@dataclass(frozen=True, slots=True)
class Use:
    """A signature that was made."""

    id: str
    at: datetime
    way: str
    purpose: str
    subject: str
    digest: str

    def fields(self) -> dict[str, Any]:
        """The use as JSON; `entry` is its place in the log."""
        told = {"way": self.way, "purpose": self.purpose, "subject": self.subject, "digest": self.digest}
        return {"entry": self.id, "at": rfc3339(self.at), **told}


#: how the outer ciphertexts are bound, for rewrapping
HELD = Held(HolderLockRow, lambda row, kek: bound(row.about, kek))
_BY_PASSKEY = aliased(HolderLockRow)
_WITH_LOCKS = (
    sa.select(HolderKeyRow, HolderLockRow.attempts, _BY_PASSKEY.attempts)
    .outerjoin(HolderLockRow, (HolderLockRow.key == HolderKeyRow.id) & (HolderLockRow.way == Way.PIN.value))
    .outerjoin(_BY_PASSKEY, (_BY_PASSKEY.key == HolderKeyRow.id) & (_BY_PASSKEY.way == Way.PASSKEY.value))
)


def key_of(store: Store, id_: str) -> HolderKey:
    """The key of this identifier, whatever its state; raises HolderKeyUnknown."""
    with store.read() as session:
        found = session.execute(_WITH_LOCKS.where(HolderKeyRow.id == id_[:26])).one_or_none()
        if found is None or found[0].id != id_:
            raise HolderKeyUnknown(key=id_[:40])
        return HolderKey.of(*found)


def standing_key(store: Store, holder: str, suite: Suite) -> HolderKey | None:
    """The person's key of this suite that has not ended; None without one."""
    with store.read() as session:
        found = session.execute(
            _WITH_LOCKS.where(HolderKeyRow.standing == standing(holder, suite))
        ).one_or_none()
        return HolderKey.of(*found) if found is not None else None


def standing(holder: str, suite: Suite) -> str:
    """What only one key at a time may hold."""
    return f"{holder}/{suite.name}"


def keys_of(store: Store, holder: str) -> list[HolderKey]:
    """A person's keys, oldest first; they are few."""
    with store.read() as session:
        found = session.execute(_WITH_LOCKS.where(HolderKeyRow.holder == holder).order_by(HolderKeyRow.id))
        return [HolderKey.of(*each) for each in found]


def ways_of(store: Store, key: HolderKey) -> frozenset[Way]:
    """By what the key opens."""
    with store.read() as session:
        found = session.scalars(sa.select(HolderLockRow.way).where(HolderLockRow.key == key.id))
        return frozenset(map(Way, found))


def lock_of(store: Store, key: HolderKey, way: Way) -> Lock:
    """The key's lock of this kind; raises HolderKeyEnded, or HolderKeyMoved when it went meanwhile."""
    key.usable()
    chosen = sa.select(HolderLockRow).where(HolderLockRow.key == key.id, HolderLockRow.way == way.value)
    with store.read() as session:
        row = session.scalar(chosen)
        if row is None:
            raise PasskeyNotAdded(key=key.id) if way is Way.PASSKEY else HolderKeyMoved(key=key.id)
        return Lock(row.id, row.about, row.derivation, Wrapped(row.kek, row.nonce, row.blob))


def uses_of(store: Store, key: HolderKey, *, before: str = "", limit: int = 50) -> Sequence[Use]:
    """What the key signed, the newest first, from before this entry on."""
    row = HolderUseRow
    chosen = sa.select(row).where(row.key == key.id)
    if before:
        chosen = chosen.where(row.id < before)
    with store.read() as session:
        rows = session.scalars(chosen.order_by(row.id.desc()).limit(limit))
        return [Use(each.id, each.at, each.way, each.purpose, each.subject, each.digest) for each in rows]
