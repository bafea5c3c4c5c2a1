"""Recovery of an encryption key: proposed with its basis, approved by several (law 3), delivered once.

What it gives is one envelope, made when the proposal is carried out, in that very transaction, and kept: asked for
again it is the same octets, and nobody but the holder of the recipient's key can open them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import Field
from sqlalchemy.orm import Session

from kms.escrow.errors import NoEnveloper, RecoveryUnknown, UserKeyUnknown
from kms.escrow.keys import UserKey
from kms.escrow.models import RecoveredKeyRow, Standing, UserKeyRow
from yinxin.act import Actor
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL
from yinxin.proposal import About, Approved, Outcome, ProposalKind, Terms
from yinxin.store import Store
from yinxin.text import Text
from yinxin.wire import Model

if TYPE_CHECKING:
    from kms.service import KeyCentre

NAME = "kms.recover"
DELIVER = "kms.deliver-recovery"


class Basis(StrEnum):
    """On what a key is recovered: the holder's own wish, her organ's need, or a court's order."""

    HOLDER = "holder"
    ORGAN = "organ"
    JUDICIAL = "judicial"


BASES: Mapping[Basis, Text] = {
    Basis.HOLDER: Text("持有者本人的意愿", "the holder's own wish"),
    Basis.ORGAN: Text("所在机关的需要", "the organ's need"),
    Basis.JUDICIAL: Text("司法机关的要求", "a court's order"),
}


class RecoveryContent(Model):
    """What is proposed: the key of this identifier, for the holder of the recipient's certificate."""

    key: str = Field(min_length=1, max_length=26)
    """Identifier of the key in escrow, as a pair names it."""
    basis: Literal["holder", "organ", "judicial"]
    """On what it rests."""
    recipient_pem: str = Field(max_length=65536)
    """Certificate of whoever shall have the key, in PEM."""
    dialect: str = Field(default="", max_length=40)
    """Form of the envelope; the usual one for the recipient's key when left out."""

    @property
    def recipient(self) -> Certificate:
        """The certificate; raises MalformedCertificate."""
        return Certificate.load(self.recipient_pem.encode())


class Enveloper(Protocol):
    """The authority above, which knows certificates and forms of envelopes; handed in at assembly."""

    def receives(self, recipient: Certificate, dialect: str) -> None:
        """Raise unless it is a certificate of this site in force whose key opens envelopes of this form."""
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


# --- the kind --------------------------------------------------------------------------------------------------


def _terms(centre: "KeyCentre") -> Terms:
    return centre.escrow.recovery_terms


def _about(centre: "KeyCentre", content: RecoveryContent) -> About:
    key = centre.escrow.key(content.key)
    return About(key.organ or "", key.holder or "")


def _enveloper(centre: "KeyCentre") -> Enveloper:
    if centre.escrow.enveloper is None:
        raise NoEnveloper
    return centre.escrow.enveloper


def _check(centre: "KeyCentre", content: RecoveryContent) -> None:
    centre.escrow.key(content.key)
    _enveloper(centre).receives(content.recipient, content.dialect)


def _describe(centre: "KeyCentre", content: RecoveryContent) -> tuple[Text, ...]:
    key, recipient = centre.escrow.key(content.key), content.recipient
    basis = BASES[Basis(content.basis)]
    return (
        Text(
            f"把 {key.holder}（{key.organ}）的加密密钥 {key.id} 交给证书“{recipient.subject.text}”的持有者",
            f"give the encryption key {key.id} of {key.holder} ({key.organ}) to the holder of the certificate “{recipient.subject.text}”",
        ),
        Text(f"理由类别：{basis.zh}", f"it rests on {basis.en}"),
        Text(
            f"接收证书指纹：{recipient.fingerprint}",
            f"fingerprint of that certificate: {recipient.fingerprint}",
        ),
    )


def _recover(centre: "KeyCentre", approved: Approved[RecoveryContent], session: Session) -> Outcome:
    content = approved.content
    key, recipient = UserKey.of(session.get_one(UserKeyRow, content.key)), content.recipient
    envelope = _enveloper(centre).envelop(key, recipient, content.dialect)
    row = RecoveredKeyRow(
        proposal=approved.proposal,
        key=key.id,
        organ=key.organ or "",
        recipient=recipient.der,
        delivered_at=centre.escrow.now(),
        delivered_by=approved.actor.id,
        envelope=envelope,
    )
    session.add(row)
    session.flush()
    digest = INTL.hash.digest(envelope).hex()
    return {"key": key.id, "recipient": recipient.fingerprint, "envelope": digest}


RECOVER: ProposalKind["KeyCentre", Any] = ProposalKind(
    name=NAME,
    title=Text("恢复加密密钥", "recover an encryption key"),
    content=RecoveryContent,
    proposers=frozenset({"registration-officer", "security-officer"}),
    approvers=frozenset({"security-officer", "leader"}),
    executors=frozenset({"registration-officer", "security-officer", "leader"}),
    terms=_terms,
    about=_about,
    check=_check,
    describe=_describe,
    within=_recover,
    key=True,
    proposer_approves=False,
)
