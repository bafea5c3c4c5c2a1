"""Recovery of an encryption key: proposed with its basis, approved by several (law 3), delivered once.

What it gives is one envelope, made when the proposal is carried out, in that very transaction, and kept: asked for
again it is the same octets, and nobody but the holder of the recipient's key can open them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from kms.escrow.errors import RecoveryUnknown, UserKeyUnknown
from kms.escrow.keys import UserKey
from kms.escrow.models import RecoveredKeyRow, Standing, UserKeyRow
from yinxin.act import Actor
from yinxin.crypto.certificates import Certificate
from yinxin.store import Store

DELIVER = "kms.deliver-recovery"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whose a certificate of this site is."""

    kind: str
    id: str
    post: str | None
    organ: str | None


class Enveloper(Protocol):
    """The authority above, which knows certificates and forms of envelopes; handed in at assembly."""

    def receives(self, recipient: Certificate, dialect: str) -> None:
        """Raise unless it is a certificate of this site in force whose key opens envelopes of this form."""
        ...

    def holder_of(self, recipient: Certificate) -> Recipient:
        """Whose that certificate is; raises UnknownCertificate and what else `receives` raises of it."""
        ...

    def certified(self, key: UserKey) -> Certificate:
        """The certificate over a key, signed by one of our authorities and naming the holder; raises when tables were altered."""
        ...

    def envelop(self, key: UserKey, recipient: Certificate, dialect: str) -> bytes:
        """The key, encrypted to the recipient; raises as `receives`, and what the token raises."""
        ...


def key_of(store: Store, id_: str) -> UserKey:
    """A key that was given to somebody; raises UserKeyUnknown."""
    with store.read() as session:
        row = session.get(UserKeyRow, id_[:26])
    if row is None or row.standing == Standing.STANDBY:
        raise UserKeyUnknown(key=id_[:64])
    return UserKey.of(row)


def recovered(store: Store, proposal: str) -> RecoveredKeyRow:
    """What a recovery gave; raises RecoveryUnknown."""
    with store.read() as session:
        row = session.get(RecoveredKeyRow, proposal[:26])
        if row is None:
            raise RecoveryUnknown(recovery=proposal[:40])
        session.expunge(row)
    return row


def deliver(store: Store, actor: Actor, row: RecoveredKeyRow, decision: Mapping[str, Any]) -> bytes:
    """The envelope, each time on the record."""
    with store.act(actor, DELIVER, f"proposal:{row.proposal}", key=row.key) as act:
        act.decision = dict(decision)
    return row.envelope
