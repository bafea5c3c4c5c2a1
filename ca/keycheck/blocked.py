"""Keys that are in other hands, and keys in use: what the history of a key allows.

There is one list. A revocation for keyCompromise puts its key there in its own transaction; an officer adds keys that
were found elsewhere; whole lists of known weak keys are imported. Issuance asks in the transaction of its intent, and
again in the one that makes the certificate: whoever blocks a key and then looks for its certificates finds every one
that was not stopped.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.models import PersonRow
from ca.errors import CompromisedKey, HolderTaken, KeyInUse
from ca.keycheck.models import BlockedKeyRow
from ca.keycheck.sound import rsa_numbers
from ca.models import CertificateRow, State
from yinxin.clock import rfc3339
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.status import Reason
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.store import Sql, Within, listed

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


def blocked(within: Within, keys: Iterable[PublicKey]) -> None:
    """None of the keys is on the list; raises CompromisedKey."""
    names = sorted({digest for key in keys for digest in digests_of(key)})
    for row in _LISTED.all(within, {"digests": names}):
        raise _compromised(row)


def held(session: Session, orders: "Iterable[Order]") -> None:
    """Until the caller's act ends nobody else judges these keys and holders: two that each find a key free would both certify it.

    Asked for before anything is judged, of all that the act will judge. PostgreSQL shows nobody what is not committed; SQLite
    has one writer at a time as it is.
    """
    if session.get_bind().dialect.name == "postgresql":
        names = {name for order in orders for name in (order.spki_digest, f"holder/{order.holder.id}")}
        session.execute(_HELD, {"places": sorted({INTL.hash.digest(each.encode())[0] for each in names})})


def unburdened(within: Within, order: "Order") -> None:
    """What is on record allows it; raises CompromisedKey, KeyInUse or HolderTaken.

    A holder may renew with the same key under the same profile, and an authority has several certificates for its one
    key; nobody else's key, and no blocked key, is certified again. No service is called like a person, and no person like a service.
    """
    if (burden := burdens(within, [order])[0]) is not None:
        raise burden


def burdens(within: Within, orders: "Sequence[Order]") -> list[YinxinError | None]:
    """As `unburdened`, for many orders by few questions: what stands against each, None where nothing does."""
    names = [digests_of(order.public_key) for order in orders]
    on_list = {
        row.digest: row
        for row in _LISTED.all(within, {"digests": sorted({each for key in names for each in key})})
    }
    history = defaultdict[str, list[_Use]](list)
    for digest, *use in _USES.all(within, {"digests": sorted({key[0] for key in names})}):
        history[digest].append(_Use(*use))
    taken = _taken(within, orders)
    found: list[YinxinError | None] = []
    for order, digests in zip(orders, names, strict=True):
        entry = next((on_list[each] for each in digests if each in on_list), None)
        other = next((use for use in history[digests[0]] if not use.allows(order)), None)
        if entry is not None:
            found.append(_compromised(entry))
        elif other is not None:
            found.append(KeyInUse(serial=other.serial))
        else:
            kind = taken.get((order.holder.kind, order.holder.id))
            found.append(HolderTaken(id=order.holder.id, kind=kind) if kind else None)
    return found


def _taken(within: Within, orders: "Sequence[Order]") -> Mapping[tuple[str, str], str]:
    """Of which other kind a holder of this identifier is: in the directory, or by any certificate there ever was or is to be."""
    found: dict[tuple[str, str], str] = {}
    for kind, other in (("service", "person"), ("person", "service")):
        ids = sorted({order.holder.id for order in orders if order.holder.kind == kind})
        if not ids:
            continue
        taken = set(_HOLDERS.scalars(within, {"ids": ids, "kind": other}))
        if kind == "service":
            taken |= set(_PERSONS.scalars(within, {"ids": ids}))
        found |= {(kind, each): other for each in taken}
    return found


class _Use(NamedTuple):
    """A certificate that a key has, or had."""

    serial: str
    holder_kind: str
    holder: str
    profile: str

    def allows(self, order: "Order") -> bool:
        same = (self.holder_kind, self.holder) == (order.holder.kind, order.holder.id)
        return same and (self.profile == order.profile.name or order.profile.ca)


#: in one order, so that two who hold several do not wait for each other; 256 places, so that many batches at once do not
#: fill the server's table of locks: others who come to the same place wait for one another's intents, no more
_HELD = sa.text(
    "SELECT pg_advisory_xact_lock(528007, place) "
    "FROM (SELECT unnest(CAST(:places AS int[])) AS place ORDER BY 1) AS places"
)
_ENTRY, _CERTIFICATE = (cast("sa.Table", each.__table__).c for each in (BlockedKeyRow, CertificateRow))
_HOLDERS = Sql(
    sa.select(_CERTIFICATE.holder)
    .distinct()
    .where(
        listed(_CERTIFICATE.holder, "ids"),
        _CERTIFICATE.holder_kind == sa.bindparam("kind"),
        _CERTIFICATE.state != State.ABANDONED,
    )
)
_PERSON = cast("sa.Table", PersonRow.__table__).c
_PERSONS = Sql(sa.select(_PERSON.id).where(listed(_PERSON.id, "ids")))
_LISTED = Sql(sa.select(*_ENTRY).where(listed(_ENTRY.digest, "digests")))
_USES = Sql(
    sa.select(
        _CERTIFICATE.spki_digest,
        _CERTIFICATE.serial,
        _CERTIFICATE.holder_kind,
        _CERTIFICATE.holder,
        _CERTIFICATE.profile,
    ).where(listed(_CERTIFICATE.spki_digest, "digests"))
)


def _compromised(entry: Any) -> CompromisedKey:
    return CompromisedKey(key=entry.digest, reason=entry.reason, since=rfc3339(entry.since))


def holding(session: Session, digest: str, now: datetime) -> Sequence[str]:
    """Serial numbers of what a blocked key still has: intents, and certificates that are neither revoked nor expired."""
    row = CertificateRow
    standing = sa.or_(row.revoked_at.is_(None), row.reason == Reason.CERTIFICATE_HOLD)
    query = sa.select(row.serial).where(row.spki_digest == digest, standing, row.not_after >= now)
    return session.scalars(query.order_by(row.serial)).all()
