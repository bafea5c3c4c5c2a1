"""Who sent a message, by its protection (RFC 9810 5.1.3), and the protection of our answers."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ca.cmp.errors import Unprotected
from ca.cmp.message import Header, Message, assemble
from ca.enrolment import Credential, Protocol
from ca.enrolment.credential import spelled
from ca.enrolment.errors import CredentialRefused
from ca.enrolment.renew import holder_of, signs, standing
from ca.models import CertificateRow
from yinxin.act import Actor
from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate, algorithm_of
from yinxin.crypto.errors import BadSignature
from yinxin.crypto.password_mac import PBM, PBMAC1, PasswordMac

if TYPE_CHECKING:
    from ca.service import Authority


@dataclass(frozen=True)
class Sender:
    """Whose message it is: a credential, or a certificate of ours; `actor` acts."""

    actor: Actor
    credential: Credential | None = None
    certificate: Certificate | None = None
    row: CertificateRow | None = None
    #: which password-based MAC protected the message
    kind: str = ""

    @property
    def name(self) -> str:
        """What a transaction belongs to."""
        return self.credential.id if self.credential else self.actor.certificate or "-"


def sender_of(authority: "Authority", message: Message) -> Sender:
    """Who protected the message; raises Unprotected, CredentialRefused, and what `signs` and `standing` raise of a certificate."""
    header = message.header
    if message.protection is None or not header.protection:
        raise Unprotected
    if der.dotted(der.elements(header.protection)[0]) in (PBM, PBMAC1):
        return _by_mac(authority, message, message.protection)
    return _by_signature(authority, message, message.protection)


def _by_mac(authority: "Authority", message: Message, protection: bytes) -> Sender:
    way = PasswordMac.read(message.header.protection)
    known = authority.enrolment.usable(message.header.sender_key.decode("ascii", "replace"), Protocol.CMP)
    secret = spelled(authority.enrolment.secret(known)).encode()
    try:
        way.verify(secret, message.protected, protection)
    except BadSignature:
        raise CredentialRefused from None
    return Sender(known.actor, credential=known, kind=way.kind)


def _by_signature(authority: "Authority", message: Message, protection: bytes) -> Sender:
    certificate = _signer(message, protection)
    row = standing(authority.ctx, certificate)
    return Sender(holder_of(row, Protocol.CMP), certificate=certificate, row=row)


def past_signer(authority: "Authority", message: Message) -> Sender | None:
    """Whose signature protects a message by a certificate of ours, whatever became of that; None when there is none.

    It counts for what the sender had asked before. Raises what `_signer` raises.
    """
    certificate = _signer(message, message.protection or b"")
    with authority.ctx.store.read() as session:
        query = sa.select(CertificateRow).where(CertificateRow.fingerprint == certificate.fingerprint)
        row = session.scalars(query).one_or_none()
    return Sender(holder_of(row, Protocol.CMP), certificate=certificate, row=row) if row is not None else None


def _signer(message: Message, protection: bytes) -> Certificate:
    """The certificate that the message shows and that its protection verifies under.

    Raises Unprotected, BadSignature, UnsupportedAlgorithm, UsageNotAllowed.
    """
    algorithm = algorithm_of(message.header.protection, "message protection")
    wanted = message.header.sender_key
    for certificate in message.certificates():
        if wanted and certificate.subject_key_id != wanted:
            continue
        certificate.public_key.verify(protection, message.protected, algorithm, what="message")
        signs(certificate)
        return certificate
    raise Unprotected


def protect(
    authority: "Authority", sender: Sender | None, header: Header, body: bytes, extra: tuple[Certificate, ...]
) -> bytes:
    """The answer, protected as its request was: by the same secret, or by the authority's agent's signature.

    Without a sender, or when no MAC can be made, it leaves unprotected.
    """
    if sender is not None and sender.credential is not None:
        way = PasswordMac.fresh(sender.kind, authority.ctx.store.randomness.token(16))
        written = _with(header, way.identifier, sender.credential.id.encode())
        secret = spelled(authority.enrolment.secret(sender.credential)).encode()
        return assemble(written, body, way.mac(secret, der.sequence(written.der, body)), extra)
    if sender is not None and sender.certificate is not None:
        agent = authority.agents.signing(sender.certificate.public_key.suite.name)
        algorithm = agent.certificate.public_key.signature_algorithm
        written = _with(header, algorithm.identifier, agent.certificate.public_key.key_id)
        signature = agent.signer.sign(der.sequence(written.der, body))
        own = (agent.certificate, *agent.chain[:-1])
        return assemble(written, body, signature, (*own, *(each for each in extra if each not in own)))
    return assemble(header, body, None, extra)


def _with(header: Header, protection: bytes, key: bytes) -> Header:
    return replace(header, protection=protection, sender_key=key)
