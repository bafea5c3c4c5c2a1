"""The service: a pkiMessage in, a CertRep out (RFC 8894 section 3.3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from ca.enrolment import Protocol
from ca.enrolment.agent import SCEP_LABEL
from ca.enrolment.errors import CredentialRefused, RequestOver
from ca.enrolment.renew import renew, signs, standing
from ca.errors import IssuanceUnderWay, UnknownCertificate
from ca.hierarchy.chains import collection
from ca.issue import VERB
from ca.models import AuthorityRow, CertificateRow, State
from ca.request import Application
from ca.scep.errors import NoNextAuthority, NothingPending, OtherKey
from ca.scep.message import (
    FAIL_INFO,
    FAIL_INFO_TEXT,
    MESSAGE_TYPE,
    PKI_STATUS,
    RECIPIENT_NONCE,
    SENDER_NONCE,
    TRANSACTION_ID,
    Header,
    PkiMessage,
    Type,
    attribute,
    header_of,
)
from ca.scep.refusal import failure_of
from ca.service import Authority
from ca.services import Service
from ca.status import crl
from yinxin.act import STRANGER
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import ContentCipher, EnvelopedData, envelop
from yinxin.crypto.errors import Malformed, MalformedRequest
from yinxin.crypto.names import Name
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.signed_data import build, certificates_only
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.text import Text

_NONCE = 16
_SUCCESS, _FAILURE, _PENDING = "0", "2", "3"
#: whose certificates anybody of ours may fetch: a person's travel with what she signs
_OPEN = ("organ", "service")


@dataclass(frozen=True)
class Question:
    """A verified message, opened."""

    header: Header
    message: PkiMessage
    content: bytes
    cipher: ContentCipher

    def reference(self, kind: str = "") -> str:
        """The reference of its issuance: the transaction belongs to the key that signs it."""
        whose = INTL.hash.digest(self.message.signer.public_key.spki).hex()
        return "scep/" + INTL.hash.digest(f"{kind}/{whose}/{self.header.transaction}".encode()).hex()


class Scep:
    """Answers messages; one per process, shared by its threads."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.ctx = authority.ctx

    def certificates(self) -> bytes:
        """GetCACert (RFC 8894 4.2.1.2): the agent that opens and signs messages, then the authorities above it."""
        agent = self.authority.agents.deciphering()
        issuing = self.ctx.issuers.issuing("intl-issuing")
        above = [each for each in collection(self.ctx, issuing.name) if each != agent.certificate]
        return certificates_only((agent.certificate, *above))

    def next_certificates(self) -> bytes:
        """GetNextCACert (RFC 8894 4.7.1): the generation that will sign, told in advance, signed by the agent.

        Raises NoNextAuthority while none is made that begins later.
        """
        name = self.next_authority()
        if name is None:
            raise NoNextAuthority
        agent = self.authority.agents.deciphering()
        content = certificates_only(self.ctx.issuers.get(name).chain)
        return self._signed(agent, content, ())

    def next_authority(self) -> str | None:
        """The generation of the issuing authority that is made and whose time has not come."""
        row = AuthorityRow
        query = sa.select(row.name).where(
            row.line == "intl-issuing", row.serial.is_not(None), row.active_from > self.ctx.store.clock.now()
        )
        with self.ctx.store.read() as session:
            return session.scalar(query.order_by(row.generation).limit(1))

    def answer(self, encoded: bytes) -> bytes:
        """The CertRep for a pkiMessage, both DER; raises BadScepMessage for what nothing can be answered to."""
        most = self.ctx.settings.most_request_bytes
        if len(encoded) > most:
            reason = Text(f"超过 {most} 字节", f"more than {most} octets")
            raise MalformedRequest(kind="SCEP", reason=reason)
        header, signer = header_of(encoded)
        agent = self.authority.agents.deciphering()
        try:
            message = PkiMessage.verified(encoded, header)
            signs(message.signer)
            envelope = EnvelopedData.load(message.envelope)
            content = self.authority.keys.open_envelope(SCEP_LABEL, envelope, agent.certificate)
            question = Question(header, message, content, envelope.cipher)
            given = self._handler(message.kind)(question)
        except IssuanceUnderWay:
            return self._reply(agent, header, _PENDING)
        except YinxinError as error:
            self.ctx.rejections.record(STRANGER, VERB, "scep", error)
            return self._reply(agent, header, _FAILURE, error=error)
        # to whom: the key that signed the question (RFC 8894 3.1), which the message proved
        return self._reply(
            agent, header, _SUCCESS, content=envelop(given, signer, cipher=envelope.cipher, oaep=False)
        )

    # --- the message types -------------------------------------------------------------------------------------

    def _handler(self, kind: Type) -> Callable[[Question], bytes]:
        return {
            Type.PKCS_REQ: self._enrol,
            Type.RENEWAL_REQ: self._renew,
            Type.CERT_POLL: self._poll,
            Type.GET_CERT: self._certificate,
            Type.GET_CRL: self._list,
        }[kind]

    def _enrol(self, question: Question) -> bytes:
        """PKCSReq: the challenge password is the credential; the message is signed by the new key itself."""
        request = CertificationRequest.load(question.content)
        signer = question.message.signer
        if request.public_key != signer.public_key:
            raise OtherKey
        identifier, colon, secret = (request.challenge_password or "").partition(":")
        if not colon:
            raise CredentialRefused
        known = self.authority.enrolment.proved(identifier, secret, Protocol.SCEP)
        issued = self.authority.enrolment.issue(known, question.reference(), Application.of(request))
        return self._in_force(issued.serial)

    def _renew(self, question: Question) -> bytes:
        """RenewalReq: signed by a certificate of ours, for the same names (RFC 8894 3.3.1.2).

        Clients give the name they once asked for, without what the profile added to it.
        """
        old, asked = question.message.signer, Application.of(CertificationRequest.load(question.content))
        if set(asked.subject.pairs) <= set(old.subject.pairs):
            asked = Application(asked.public_key, old.subject, asked.san or old.san)
        issued = renew(self.ctx, old, question.reference("renewal"), asked, Protocol.SCEP)
        return self._in_force(issued.serial)

    def _poll(self, question: Question) -> bytes:
        """CertPoll: what PKCSReq or RenewalReq of the same key and transaction gave (RFC 8894 3.3.3)."""
        references = [question.reference(), question.reference("renewal")]
        query = sa.select(CertificateRow.serial, CertificateRow.state).where(
            CertificateRow.reference.in_(references), CertificateRow.state != State.ABANDONED
        )
        with self.ctx.store.read() as session:
            row = session.execute(query).first()
        if row is None:
            raise NothingPending(transaction=question.header.transaction)
        if row.state == State.INTENT:
            raise IssuanceUnderWay(reference=references[0], seconds=1)
        return self._in_force(row.serial)

    def _certificate(self, question: Question) -> bytes:
        """GetCert: for holders of certificates of ours (RFC 8894 3.3.4)."""
        own = standing(self.ctx, question.message.signer)
        issuer, serial = _named(question.content)
        with self.ctx.store.read() as session:
            row = session.get(CertificateRow, f"{serial:x}"[:40])
        shown = row is not None and (row.holder_kind in _OPEN or row.holder == own.holder)
        if row is None or row.der is None or not shown or Certificate(row.der).issuer != issuer:
            raise UnknownCertificate(certificate=f"{serial:x}"[:80])
        return certificates_only([Certificate(row.der)])

    def _list(self, question: Question) -> bytes:
        """GetCRL: of the authority that issued the certificate named (RFC 8894 3.3.5)."""
        issuer, serial = _named(question.content)
        for name in self.ctx.issuers.names():
            if self.ctx.issuers.get(name).subject == issuer:
                return certificates_only((), [crl.current(self.ctx, name).der])
        raise UnknownCertificate(certificate=f"{serial:x}"[:80])

    def _in_force(self, serial: str) -> bytes:
        """The certificate and those above it; raises RequestOver when it has ended."""
        with self.ctx.store.read() as session:
            row = session.get_one(CertificateRow, serial)
        if row.revoked_at is not None or row.not_after < self.ctx.store.clock.now():
            raise RequestOver(serial=serial)
        certificate = Certificate(row.der or b"")
        return certificates_only((certificate, *self.ctx.issuers.get(row.authority).chain[:-1]))

    # --- answers -----------------------------------------------------------------------------------------------

    def _reply(
        self,
        agent: Service,
        header: Header,
        status: str,
        *,
        content: bytes = b"",
        error: YinxinError | None = None,
    ) -> bytes:
        """CertRep, signed by the agent; its content is there on success only (RFC 8894 3.2.2)."""
        attributes = [
            attribute(MESSAGE_TYPE, der.printable(Type.CERT_REP)),
            attribute(PKI_STATUS, der.printable(status)),
            attribute(TRANSACTION_ID, der.printable(header.transaction)),
            attribute(RECIPIENT_NONCE, der.octets(header.nonce)),
            attribute(SENDER_NONCE, der.octets(self.ctx.store.randomness.token(_NONCE))),
        ]
        if error is not None:
            words = f"{error.text('en')} {error.text('zh')}"
            attributes.append(attribute(FAIL_INFO, der.printable(failure_of(error))))
            attributes.append(attribute(FAIL_INFO_TEXT, der.utf8(words)))
        return self._signed(agent, content, attributes)

    def _signed(self, agent: Service, content: bytes, attributes: Sequence[bytes]) -> bytes:
        return build(
            signer=agent.signer,
            certificate=agent.certificate,
            certificates=(agent.certificate,),
            content=content,
            embed=bool(content),
            content_type=oids.DATA,
            attributes=attributes,
        )


def _named(content: bytes) -> tuple[Name, int]:
    """IssuerAndSerialNumber; raises MalformedRequest."""
    try:
        issuer, serial = der.elements(content)
        return Name(issuer), der.number(serial)
    except (Malformed, ValueError, IndexError) as error:
        raise MalformedRequest(kind="IssuerAndSerialNumber", reason=str(error)) from error
