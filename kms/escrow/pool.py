"""Keys made ahead, so that nobody waits while a module makes one; and the giving of one to a holder."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kms.escrow.errors import UserKeyElsewhere
from kms.escrow.keys import UserKey, make
from kms.escrow.models import Standing, UserKeyRow
from kms.info import KeyInfo
from kms.token import Token
from yinxin.act import SYSTEM, Actor
from yinxin.steps import step
from yinxin.store import Store

_log = logging.getLogger("yinxin.kms")

MAKE = "kms.make-user-keys"
GIVE = "kms.give-user-key"
#: keys made and stored together; a crash loses at most these, and nobody has them yet
BATCH = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """For whom an encryption key is wanted. The same `reference` gets the same key."""

    reference: str
    algorithm: str
    holder_kind: str
    holder: str
    organ: str


def fill(store: Store, token: Token, kek: KeyInfo, levels: Mapping[str, int]) -> int:
    """Make keys until each algorithm has as many on standby as `levels` says; the number made."""
    made = 0
    for algorithm, level in levels.items():
        while (missing := level - count(store, algorithm)) > 0:
            made += _batch(store, token, kek, algorithm, min(missing, BATCH))
    return made


def count(store: Store, algorithm: str) -> int:
    """Keys of this kind on standby."""
    standby = sa.select(sa.func.count()).where(
        UserKeyRow.standing == Standing.STANDBY, UserKeyRow.algorithm == algorithm
    )
    with store.read() as session:
        return session.scalar(standby) or 0


def _batch(store: Store, token: Token, kek: KeyInfo, algorithm: str, number: int) -> int:
    rows = [make(store, token, kek, algorithm) for _ in range(number)]
    step("kms.make-user-keys.1-made")
    with store.act(SYSTEM, MAKE, f"pool:{algorithm}", number=number, kek=kek.label) as act:
        act.session.add_all(rows)
    return number


def give(
    store: Store,
    token: Token,
    kek: KeyInfo,
    actor: Actor,
    wanted: Wanted,
    *,
    decision: Mapping[str, Any] | None,
) -> UserKey:
    """The encryption key of this reference, durably in escrow before anybody sees its public part.

    One from the pool, or a new one when the pool is empty. Raises UserKeyElsewhere, NotAnEncryptionKey, or as
    `Token.use`.
    """
    while (known := of_reference(store, wanted)) is None:
        try:
            with store.act(actor, GIVE, f"reference:{wanted.reference}") as act:
                act.decision = dict(decision) if decision else None
                row = _standby(act.session, wanted.algorithm)
                if row is None:
                    row = make(store, token, kek, wanted.algorithm)
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


def to_history(session: Session, id_: str, at: datetime) -> None:
    """Within the caller's act: the key encrypts no more, and is kept for what it encrypted."""
    ended = sa.update(UserKeyRow).where(UserKeyRow.id == id_, UserKeyRow.standing == Standing.IN_USE)
    session.execute(ended.values(standing=Standing.HISTORY.value, ended=at))
