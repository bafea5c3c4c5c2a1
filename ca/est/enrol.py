"""The verbs of EST: enrol on a credential, renew by the certificate itself, have a key made."""

from dataclasses import dataclass

import sqlalchemy as sa

from ca.enrolment import Credential, Protocol
from ca.enrolment.errors import KeyHandedOut, RequestOver, UnsupportedRequest
from ca.enrolment.renew import renew, same_names
from ca.errors import ReferenceReused, UnknownCertificate
from ca.est.keygen import Delivery, seal
from ca.hierarchy.chains import collection
from ca.issue import Issued
from ca.models import CertificateRow, State
from ca.request import Application, application_of
from ca.service import Authority
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.text import Text

#: id-cmc-changeSubjectName (RFC 6402 2.8): a renewal under another name
_CHANGE_SUBJECT_NAME = "1.3.6.1.5.5.7.7.36"


@dataclass(frozen=True)
class Generated:
    """A key made for its holder: the certificate, and the key as it is delivered, of which nothing is kept."""

    issued: Issued
    delivery: Delivery


class Est:
    """The service behind the addresses of `ca.est.public`."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.ctx = authority.ctx

    def authorities(self, suite: str) -> tuple[Certificate, ...]:
        """The certificates of the suite's authorities, issuing ones first (RFC 7030 4.1.3); empty for an unknown suite.

        With every way from there to a root: the link certificates of a rollover, cross-certificates, outside roots.
        """
        issuers = [self.ctx.issuers.get(name) for name in self.ctx.issuers.names()]
        found = [
            each
            for issuer in issuers
            if issuer.suite.name == suite
            for each in collection(self.ctx, issuer.name)
        ]
        return tuple(sorted(dict.fromkeys(found), key=lambda each: each.is_self_issued))

    def enrol(self, known: Credential, csr: bytes, profile: str = "") -> Issued:
        """The certificate for a PKCS#10 in DER: one for each request, however often it comes (RFC 7030 4.2.1).

        Raises RequestOver when that certificate has ended, and what `Enrolment.issue` raises.
        """
        self._read(csr)
        reference = f"est/{known.id}/{_digest(csr)}"
        return self._in_force(self.authority.enrolment.issue(known, reference, csr, profile=profile))

    def renew(self, old: Certificate, csr: bytes) -> Issued:
        """The successor of the certificate that the client proved to hold (RFC 7030 4.2.2): same names, same profile.

        Raises as `ca.enrolment.renew.renew`.
        """
        self._read(csr)
        asked = application_of(csr, self.ctx.settings)
        reference = f"est/{old.fingerprint[:40]}/{_digest(csr)}"
        return self._in_force(renew(self.ctx, old, reference, asked, Protocol.EST))

    def renew_on(self, known: Credential, csr: bytes) -> Issued:
        """As `renew`, for a client that proved the credential on which the old certificate was had.

        Raises UnknownCertificate when none with these names is in force.
        """
        self._read(csr)
        asked = application_of(csr, self.ctx.settings)
        profile = self._predecessor(known, asked)
        reference = f"est/{known.id}/{_digest(csr)}"
        return self._in_force(self.authority.enrolment.issue(known, reference, asked, profile=profile))

    def generate(
        self, known: Credential, csr: bytes, profile: str = "", *, peer: Certificate | None = None
    ) -> Generated:
        """A key made here, and its certificate (RFC 7030 4.4); `peer` is the client's certificate, if it showed one.

        The key exists in this process for this call alone. Raises KeyHandedOut when this request was answered before,
        since the key is kept nowhere.
        """
        request = self._read(csr)
        # 1. for whom the key will be sealed is known before anything is issued
        recipient = Delivery.wanted(request, known, peer)
        key = PrivateKey.generate(request.public_key.suite)
        asked = Application(key.public_key, request.subject, request.san)
        reference = f"est/{known.id}/{_digest(csr)}"
        try:
            # 2. issued, or found to be issued already
            issued = self.authority.enrolment.issue(known, reference, asked, profile=profile)
        except ReferenceReused as error:
            refused = KeyHandedOut()
            refused.entry = error.entry
            raise refused from error
        # 3. sealed, and let go
        agent = self.authority.agents.signing() if recipient.sealed else None
        secret = self.authority.enrolment.secret(known) if recipient.shared else b""
        return Generated(issued, seal(recipient, key, agent, secret))

    def _read(self, csr: bytes) -> CertificationRequest:
        """The request, without what cannot be honoured; raises MalformedRequest, UnsupportedRequest."""
        request = CertificationRequest.load(csr)
        if request.challenge_password is not None:
            # RFC 7030 3.5: it would be tls-unique, which TLS 1.3 does not have (RFC 8446 appendix C.5) and which no
            # proxy hands on; to pass over it would be to say that it was checked
            raise UnsupportedRequest(
                what="challengePassword",
                remedy=Text("请去掉申请中的此属性", "leave this attribute out of the request"),
            )
        if _CHANGE_SUBJECT_NAME in request.attributes:
            raise UnsupportedRequest(
                what="changeSubjectName", remedy=Text("请以新名称重新注册", "enrol anew under the new name")
            )
        return request

    def _predecessor(self, known: Credential, asked: Application) -> str:
        """The profile of the newest certificate in force that was had on this credential under these names."""
        now = self.ctx.store.clock.now()
        query = sa.select(CertificateRow.profile, CertificateRow.der).where(
            CertificateRow.requested_by == known.actor.id,
            CertificateRow.subject == asked.subject.text,
            CertificateRow.state == State.ISSUED,
            CertificateRow.revoked_at.is_(None),
            CertificateRow.not_after >= now,
        )
        with self.ctx.store.read() as session:
            row = session.execute(query.order_by(CertificateRow.not_before.desc()).limit(1)).first()
        if row is None:
            raise UnknownCertificate(certificate=asked.subject.text[:80] or "-")
        same_names(Certificate(row.der), asked)
        return str(row.profile)

    def _in_force(self, issued: Issued) -> Issued:
        now = self.ctx.store.clock.now()
        with self.ctx.store.read() as session:
            row = session.get_one(CertificateRow, issued.serial)
        if row.revoked_at is not None or row.not_after < now:
            raise RequestOver(serial=issued.serial)
        return issued


def _digest(csr: bytes) -> str:
    """What tells one request from another in a reference."""
    return INTL.hash.digest(csr).hex()[:40]
