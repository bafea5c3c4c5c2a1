"""Keys that are in other hands, and keys in use: what the history of a key allows.

There is one list. A revocation for keyCompromise puts its key there in its own transaction; an officer adds keys that
were found elsewhere; whole lists of known weak keys are imported. Issuance asks in the transaction of its intent, and
again in the one that makes the certificate: whoever blocks a key and then looks for its certificates finds every one
that was not stopped.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.errors import CompromisedKey, KeyInUse
from ca.keycheck.models import BlockedKeyRow
from ca.keycheck.sound import rsa_numbers
from ca.models import CertificateRow
from yinxin.clock import rfc3339
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.status import Reason
from yinxin.crypto.suite import INTL

if TYPE_CHECKING:
    from ca.request import Order


def spki_digest(key: PublicKey) -> str:
    """SHA-256 of a key's SubjectPublicKeyInfo, hexadecimal: its name on the list."""
    return INTL.hash.digest(key.spki).hex()


def digests_of(key: PublicKey) -> tuple[str, ...]:
    """Every name under which a key may stand on the list."""
    if key.algorithm != "rsa":
        return (spki_digest(key),)
    line = f"Modulus={rsa_numbers(key.spki)[0]:X}\n".encode()
    return spki_digest(key), hashlib.sha1(line, usedforsecurity=False).hexdigest()[20:]


def block(session: Session, digest: str, reason: str, *, at: datetime, by: str, note: str = "") -> bool:
    """Put a key on the list, inside the caller's act; False when it stands there already."""
    if session.get(BlockedKeyRow, digest) is not None:
        return False
    session.add(BlockedKeyRow(digest=digest, reason=reason, since=at, by=by, note=note))
    session.flush()
    return True


def blocked(session: Session, keys: Iterable[PublicKey]) -> None:
    """None of the keys is on the list; raises CompromisedKey."""
    names = {digest for key in keys for digest in digests_of(key)}
    query = sa.select(BlockedKeyRow).where(BlockedKeyRow.digest.in_(names)).limit(1)
    if (row := session.scalars(query).first()) is not None:
        raise CompromisedKey(key=row.digest, reason=row.reason, since=rfc3339(row.since))


def unburdened(session: Session, order: "Order") -> None:
    """The key's history allows it; raises CompromisedKey or KeyInUse.

    A holder may renew with the same key under the same profile, and an authority has several certificates for its one
    key; nobody else's key, and no blocked key, is certified again.
    """
    blocked(session, [order.public_key])
    row = CertificateRow
    query = sa.select(row.serial, row.holder_kind, row.holder, row.profile)
    mine = (order.holder.kind, order.holder.id)
    for serial, *theirs, profile in session.execute(query.where(row.spki_digest == order.spki_digest)):
        if tuple(theirs) != mine or (profile != order.profile.name and not order.profile.ca):
            raise KeyInUse(serial=serial)


def holding(session: Session, digest: str, now: datetime) -> Sequence[str]:
    """Serial numbers of what a blocked key still has: intents, and certificates that are neither revoked nor expired."""
    row = CertificateRow
    standing = sa.or_(row.revoked_at.is_(None), row.reason == Reason.CERTIFICATE_HOLD)
    query = sa.select(row.serial).where(row.spki_digest == digest, standing, row.not_after >= now)
    return session.scalars(query.order_by(row.serial)).all()
