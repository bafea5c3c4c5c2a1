"""A soft province for sealing: both suites, root, issuing authority, responder, timestamp authority; keys in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from yinxin import pdf
from yinxin.crypto import cms, timestamps
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import OCSP_NO_CHECK
from yinxin.crypto.status import CertId, Good, OcspAnswer, Revoked, build_crl, build_ocsp_response
from yinxin.crypto.suite import Suite
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed

#: the day everything is sealed and signed
AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
YEAR = 365 * DAY
POLICY = "1.2.156.10197.99.1"

_ORGAN = [("C", "CN"), ("O", "河源省人民政府")]
_SIGN = frozenset({"digitalSignature", "contentCommitment"})


@dataclass
class Authority:
    """One suite's authorities and what they issued; `at` is the time they all live at, and may be moved."""

    suite: Suite
    at: datetime = AT
    revoked: dict[int, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._serials = count(1 << 100)
        name = self.suite.name
        ca = frozenset({"keyCertSign", "cRLSign"})
        self.root = self._issue([*_ORGAN, ("CN", f"河源根 {name}")], None, 20, ca=True, key_usage=ca)
        self.issuing = self._issue(
            [*_ORGAN, ("CN", f"河源签发 {name}")], self.root, 10, ca=True, path_length=0, key_usage=ca
        )
        self.responder = self._issue(
            [*_ORGAN, ("CN", f"证书状态服务 {name}")],
            self.issuing,
            1,
            extended_key_usage=("OCSPSigning",),
            extensions=(OCSP_NO_CHECK,),
        )
        self.tsa = self._issue(
            [*_ORGAN, ("CN", f"时间戳服务 {name}")], self.issuing, 5, extended_key_usage=("timeStamping",)
        )
        self.seal = self.organ_seal("河源省人民政府印章")

    def organ_seal(self, name: str) -> Identity:
        return self._issue(
            [*_ORGAN, ("organizationIdentifier", "11430000000000000A"), ("CN", name)],
            self.issuing,
            5,
            key_usage=_SIGN,
            extended_key_usage=("documentSigning",),
        )

    def seal_maker(self) -> Identity:
        return self._issue(
            [*_ORGAN, ("CN", "制章者")],
            self.issuing,
            5,
            key_usage=_SIGN,
            extended_key_usage=("documentSigning",),
        )

    def keeper(self) -> Identity:
        return self._issue([*_ORGAN, ("CN", "证据服务")], self.issuing, 5, key_usage=_SIGN)

    def person(self, ident: str, name: str, organ: str, post: str) -> Identity:
        subject = [("C", "CN"), ("O", organ), ("OU", post), ("CN", name), ("serialNumber", ident)]
        return self._issue(
            subject, self.issuing, 3, key_usage=_SIGN, extended_key_usage=("clientAuth", "documentSigning")
        )

    def _issue(self, subject, by, years, *, key_usage=frozenset({"digitalSignature"}), **more) -> Identity:
        key = PrivateKey.generate(self.suite)
        name = Name.of(subject)
        tbs = to_be_signed(
            CertificateTemplate(
                name, AT - 30 * DAY, AT - 30 * DAY + years * YEAR, key_usage=key_usage, **more
            ),
            spki=key.public_key.spki,
            issuer_name=by.certificate.subject if by else name,
            issuer_key_id=(by.certificate if by else key).public_key.key_id,
            serial=next(self._serials),
            algorithm=self.suite.signature,
        )
        certificate = Certificate(assemble(tbs, self.suite.signature, (by.key if by else key).sign(tbs)))
        return Identity(key, certificate, (by.certificate, *by.chain) if by else ())

    # --- services ---

    def revoke(self, certificate: Certificate, at: datetime) -> None:
        self.revoked[certificate.serial] = at

    def ocsp(self, certificate: Certificate) -> bytes:
        known = self.revoked.get(certificate.serial)
        answer = OcspAnswer(
            CertId.of(certificate.serial, self.issuing.certificate),
            Revoked(known) if known and known <= self.at else Good(),
            self.at,
            self.at + DAY,
        )
        return build_ocsp_response(
            signer=self.responder.key,
            responder=self.responder.certificate,
            answers=[answer],
            produced_at=self.at,
        )

    def crl(self, issuer: Identity) -> bytes:
        listed = [(serial, Revoked(at)) for serial, at in self.revoked.items() if at <= self.at]
        return build_crl(
            signer=issuer.key,
            issuer=issuer.certificate,
            number=1,
            this_update=self.at,
            next_update=self.at + 7 * DAY,
            revoked=listed if issuer is self.issuing else [],
        )

    def timestamp(self, request: bytes) -> bytes:
        return timestamps.build_response(
            request,
            signer=self.tsa.key,
            certificate=self.tsa.certificate,
            chain=self.tsa.chain[:-1],
            policy=POLICY,
            serial=next(self._serials),
            at=self.at,
        )

    # --- what is made with them ---

    def validity(self, seal: Identity | None = None) -> pdf.Validity:
        seal = seal or self.seal
        return pdf.Validity(
            root=self.root.certificate,
            others=(seal.certificate, self.tsa.certificate, self.issuing.certificate),
            ocsps=(self.ocsp(seal.certificate), self.ocsp(self.tsa.certificate)),
            crls=(self.crl(self.root), self.crl(self.issuing)),
        )

    def seal_pdf(
        self,
        document: bytes,
        *,
        place: pdf.Place | None = None,
        picture: bytes | None = None,
        attachments: Sequence[pdf.Attachment] = (),
        seal: Identity | None = None,
    ) -> bytes:
        seal = seal or self.seal
        return pdf.seal(
            document,
            signer=seal.key,
            certificate=seal.certificate,
            validity=self.validity(seal),
            timestamp=self.timestamp,
            at=self.at,
            place=place,
            picture=picture,
            attachments=attachments,
            reason="河政〔2026〕12号",
        )

    def sign(self, identity: Identity, content: bytes) -> bytes:
        """A detached CMS signature with a timestamp, as the document application makes it."""
        bare = Identity(identity.key, identity.certificate, ())
        return cms.sign_detached(bare, content, signed_at=self.at, timestamp=self.token)

    def token(self, message: bytes) -> bytes:
        hash_ = self.suite.hash
        request = timestamps.request(hash_, hash_.digest(message))
        return timestamps.Token.from_response(self.timestamp(request), request).der
