"""Keys made ahead, so that nobody waits while a module makes one; and the giving of one to a holder."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kms.engine import Engine
from kms.escrow.errors import UserKeyElsewhere
from kms.escrow.keys import UserKey, make
from kms.escrow.models import Standing, UserKeyRow, Why
from kms.info import KeyInfo
from kms.models import EncryptionAlgorithm
from yinxin.act import SYSTEM, Actor
from yinxin.steps import step
from yinxin.store import Store, alone, as_good

_log = logging.getLogger("yinxin.kms")

MAKE = "kms.make-user-keys"
GIVE = "kms.give-user-key"
ARCHIVE = "kms.archive-user-key"
#: keys made and stored together; a crash loses at most these, and nobody has them yet
BATCH = 50
#: keys that go into the history in one act
TOGETHER = 200


#: of kinds that take seconds to make: fewer, so that little is lost and a stretch is kept to
FEW = 5
#: how long the timer makes keys at a time, so that other work of the server does not wait for it
STRETCH = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Wanted:
    """For whom an encryption key is wanted. The same `reference` gets the same key."""

    reference: str
    algorithm: EncryptionAlgorithm
    holder_kind: str
    holder: str
    organ: str


@dataclass(frozen=True, slots=True)
class Pool:
    """Keys of one kind on standby: how many there are, are kept (`high`), and are too few (below `low`)."""

    algorithm: EncryptionAlgorithm
    level: int
    low: int
    high: int

    @property
    def state(self) -> str:
        """`full`, `filling`, `low`; `off` where none are kept."""
        if not self.high:
            return "off"
        if self.level >= self.high:
            return "full"
        return "low" if self.level < self.low else "filling"

    def fields(self) -> dict[str, Any]:
        """The pool as JSON."""
        return {
            "algorithm": self.algorithm,
            "level": self.level,
            "low": self.low,
            "high": self.high,
            "state": self.state,
        }


def fill(
    store: Store, engine: Engine, kek: Callable[[], KeyInfo], pools: Sequence[Pool], stretch: timedelta
) -> int:
    """Make keys until each pool is full or `stretch` is over, the emptiest first; the number made.

    One process at a time, so that no pool has more than it shall. Raises as `Token.use`.
    """
    made, until = 0, store.clock.now() + stretch
    with alone(store.engine, MAKE) as only:
        for each in sorted(pools, key=lambda pool: pool.level / pool.high) if only else ():
            most = FEW if each.algorithm.startswith("rsa-") else BATCH
            while (missing := each.high - count(store, each.algorithm)) > 0:
                if store.clock.now() >= until:
                    return made
                made += _batch(store, engine, kek(), each.algorithm, min(missing, most))
    return made


def count(store: Store, algorithm: str) -> int:
    """Keys of this kind on standby."""
    standby = sa.select(sa.func.count()).where(
        UserKeyRow.standing == Standing.STANDBY, UserKeyRow.algorithm == algorithm
    )
    with store.read() as session:
        return session.scalar(standby) or 0


def _batch(store: Store, engine: Engine, kek: KeyInfo, algorithm: EncryptionAlgorithm, number: int) -> int:
    rows = [make(store, engine, kek, algorithm) for _ in range(number)]
    step("kms.make-user-keys.1-made")
    with store.act(SYSTEM, MAKE, f"pool:{algorithm}", number=number, kek=kek.label) as act:
        act.session.add_all(rows)
    return number


def give(
    store: Store,
    engine: Engine,
    kek: Callable[[], KeyInfo],
    actor: Actor,
    wanted: Wanted,
    *,
    decision: Mapping[str, Any] | None,
) -> UserKey:
    """The encryption key of this reference, durably in escrow before anybody sees its public part.

    One from the pool, or a new one when the pool is empty. Raises UserKeyElsewhere, or as `Token.use`.
    """
    while (known := of_reference(store, wanted)) is None:
        wrapping = kek()  # asked for each time: its generation may have ended meanwhile
        try:
            with store.act(actor, GIVE, f"reference:{wanted.reference}", taken=as_good) as act:
                act.decision = dict(decision) if decision else None
                row = _standby(act.session, wanted.algorithm)
                if row is None:
                    row = make(store, engine, wrapping, wanted.algorithm)
                    act.session.add(row)
                row.reference, row.standing = wanted.reference, Standing.IN_USE.value
                row.holder_kind, row.holder, row.organ = wanted.holder_kind, wanted.holder, wanted.organ
                row.given = store.clock.now()
                act.session.flush()
                act.facts |= UserKey.of(row).fields()
        except IntegrityError:  # another worker took the reference in the same instant
            _log.debug("reference %s was given a key by another worker", wanted.reference)
        step("kms.give-user-key.1-given")
    return known


def _standby(session: Session, algorithm: str) -> UserKeyRow | None:
    standby = (
        sa.select(UserKeyRow)
        .where(UserKeyRow.standing == Standing.STANDBY, UserKeyRow.algorithm == algorithm)
        .order_by(UserKeyRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # two givers take two keys; SQLite has one writer at a time anyhow
    )
    return session.scalars(standby).first()


def of_reference(store: Store, wanted: Wanted) -> UserKey | None:
    """The key that the reference was given; raises UserKeyElsewhere when that was for something else."""
    with store.read() as session:
        row = session.scalars(
            sa.select(UserKeyRow).where(UserKeyRow.reference == wanted.reference)
        ).one_or_none()
    if row is None:
        return None
    asked = (wanted.algorithm, wanted.holder_kind, wanted.holder, wanted.organ)
    if (row.algorithm, row.holder_kind, row.holder, row.organ) != asked:
        raise UserKeyElsewhere(reference=wanted.reference)
    return UserKey.of(row)


def certified(session: Session, id_: str, serial: str, expires: datetime) -> None:
    """Within the caller's act: the certificate that was issued over the key, and when it ends."""
    over = sa.update(UserKeyRow).where(UserKeyRow.id == id_, UserKeyRow.standing == Standing.IN_USE)
    session.execute(over.values(certificate=serial, expires=expires))


def to_history(session: Session, id_: str, at: datetime, why: Why, keep: timedelta) -> None:
    """Within the caller's act: the key encrypts no more, and is kept for what it encrypted; `keep` from its end on."""
    row = session.get(UserKeyRow, id_, with_for_update=True)
    if row is None or row.standing != Standing.IN_USE:
        return
    row.standing, row.ended, row.why = Standing.HISTORY.value, at, why.value
    row.keep_until = max(at, row.expires or at) + keep
    session.flush()


def archive(store: Store, keep: timedelta) -> int:
    """Keys in use whose certificates have ended go into the history; the number of them. For the timer."""
    archived = 0
    while True:
        now = store.clock.now()
        late = sa.select(UserKeyRow.id).where(
            UserKeyRow.standing == Standing.IN_USE, UserKeyRow.expires <= now
        )
        with store.read() as session:
            ids = list(session.scalars(late.order_by(UserKeyRow.expires).limit(TOGETHER)))
        if not ids:
            return archived
        with store.act(SYSTEM, ARCHIVE, f"user-key:{ids[0]}") as act:
            for id_ in ids:
                to_history(act.session, id_, now, Why.EXPIRED, keep)
                if id_ != ids[0]:
                    act.each(store.identifier(), f"user-key:{id_}")
        archived += len(ids)
