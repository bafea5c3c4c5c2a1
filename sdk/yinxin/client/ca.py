"""Certificates, their status, and timestamps."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from yinxin.client._http import Connection, segment
from yinxin.client.registrations import Registrations
from yinxin.clock import parse_rfc3339
from yinxin.crypto import cms
from yinxin.crypto.attribute import AttributeCertificate
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PublicKey, Signer
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.renewal import renewal_statement
from yinxin.wire import Reply, base64_text

_PATH = "/api/ca/v1/certificates"
_ATTRIBUTES = "/api/ca/v1/attribute-certificates"


class CertificateRecord(Reply):
    """What the register says of a certificate; `pem` and `chain_pem` are there once it is issued and asked for alone."""

    serial: str
    authority: str
    profile: str
    subject: str
    holder_kind: str
    holder: str
    organ: str | None
    state: str
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None
    reason: str | None = None
    pem: str | None = None
    chain_pem: str | None = None

    def load(self) -> Certificate:
        """The certificate itself; raises ValueError when it is not there."""
        if self.pem is None:
            raise ValueError(f"no certificate came with serial number {self.serial}")
        return Certificate.load(self.pem.encode())


class Refusal(Reply):
    """Why one request of a batch was refused."""

    code: str
    status: int
    zh: str
    en: str
    entry: str | None = None


class BatchAnswer(Reply):
    """What came of one request of a batch: a certificate with its chain, or a refusal."""

    reference: str
    serial: str | None = None
    pem: str | None = None
    chain_pem: str | None = None
    refusal: Refusal | None = None


class PairRecord(Reply):
    """A pair: two certificates of one holder that are revoked, suspended and renewed together."""

    reference: str
    signing: str
    encryption: str
    state: str
    user_key: str
    superseded_by: str | None = None
    signing_pem: str
    encryption_pem: str
    chain_pem: str


class AttributeCertificateRecord(Reply):
    """An attribute certificate; `claims` and `bundle_pem` are there when it was asked for alone.

    The bundle is all that `yinxin verify`, or `yinxin.crypto.attribute.verify`, needs beside the trusted roots.
    """

    serial: str
    state: str
    certificate: str
    person: str
    post: str
    organ: str
    not_before: datetime
    not_after: datetime
    revocable: bool
    revoked_at: datetime | None = None
    reason: str | None = None
    pem: str | None = None
    bundle_pem: str | None = None
    claims: dict[str, Any] | None = None

    def load(self) -> AttributeCertificate:
        """The attribute certificate itself; raises ValueError when it is not there."""
        if self.pem is None:
            raise ValueError(f"no attribute certificate came with serial number {self.serial}")
        return AttributeCertificate.load(self.pem.encode())


class Ca:
    """Calls to the certificate authority."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        #: applications for certificates
        self.registrations = Registrations(connection)

    def certificate(self, serial: str) -> CertificateRecord:
        """The register's entry by serial number (hexadecimal), its present status included."""
        return CertificateRecord.model_validate(self._connection.json("GET", f"{_PATH}/{segment(serial)}"))

    def certificates(self, **query: str) -> Iterator[CertificateRecord]:
        """The register's entries that match.

        holder, organ (with those below), profile, authority, state, serial, name (part of one), prefix (of the serial
        number), key (digest), ends_from, ends_to, sort.
        """
        return (CertificateRecord.model_validate(item) for item in self._connection.pages(_PATH, query))

    def own(self) -> tuple[Certificate, ...]:
        """The certificate that opened this session and those above it, up to and with the root."""
        found = self._connection.json("GET", "/api/ca/v1/own-certificate")
        return tuple(Certificate.load(each.encode()) for each in found["certificates"])

    def issue_batch(self, requests: Sequence[Mapping[str, Any]]) -> list[BatchAnswer]:
        """Certificates for up to 200 requests, each answered for itself, in their order.

        A request has reference, profile, csr_pem, holder (kind, id, post, organ) and, if wanted, days. Asked again with
        the same references, the same certificates come back.
        """
        answer = self._connection.json(
            "POST", "/api/ca/v1/certificate-batches", json={"requests": [dict(each) for each in requests]}
        )
        return [BatchAnswer.model_validate(each) for each in answer["answers"]]

    def revoke(self, serial: str, reason: str) -> datetime:
        """Revoke for good, for a reason of RFC 5280 5.3.1; since when it is revoked."""
        answer = self._connection.json(
            "POST", f"{_PATH}/{segment(serial)}/revocation", json={"reason": reason}
        )
        return parse_rfc3339(answer["revoked_at"])

    def suspend(self, serial: str) -> None:
        """Suspend a certificate until it is resumed or revoked; what is done with it meanwhile is void for ever."""
        self._connection.json("POST", f"{_PATH}/{segment(serial)}/suspension", json={})

    def resume(self, serial: str) -> None:
        """Lift a certificate's suspension."""
        self._connection.json("POST", f"{_PATH}/{segment(serial)}/resumption", json={})

    def pair(self, reference: str, csr: CertificationRequest, **asked: str) -> PairRecord:
        """A signing certificate for the key of `csr`, and an encryption certificate whose key is kept in escrow.

        `asked`: profile (the signing one), holder_kind, holder, post, renews. The same reference gives the same pair.
        """
        body = {"profile": "person-signing", "holder_kind": "person", **asked}
        answer = self._connection.json(
            "POST", "/api/ca/v1/pairs", json={**body, "reference": reference, "csr_pem": csr.pem}
        )
        return PairRecord.model_validate(answer)

    def pair_envelope(self, name: str, dialect: str | None = None) -> bytes:
        """The encryption key of a pair for its signing key; open it with `yinxin.crypto.received_key`."""
        path = f"/api/ca/v1/pair-envelopes/{quote(name)}"
        answer = self._connection.json("POST", path, json={"dialect": dialect} if dialect else {})
        return base64.b64decode(answer["envelope_base64"])

    def issue_attribute_certificate(
        self, certificate: str, *, reference: str, **asked: Any
    ) -> AttributeCertificateRecord:
        """Posts, roles and grants of whom `certificate` (serial number or fingerprint) belongs to, as a signed object.

        `asked`: hours, targets and groups (lists of text), digest, suite. The same reference gives the same one.
        """
        body = {**asked, "certificate": certificate, "reference": reference}
        answer = self._connection.json("POST", _ATTRIBUTES, json=body)
        return AttributeCertificateRecord.model_validate(answer)

    def attribute_certificate(self, serial: str) -> AttributeCertificateRecord:
        """One by serial number or fingerprint, with what offline verification needs."""
        answer = self._connection.json("GET", f"{_ATTRIBUTES}/{segment(serial)}")
        return AttributeCertificateRecord.model_validate(answer)

    def attribute_certificates(self, **query: str) -> Iterator[AttributeCertificateRecord]:
        """Those that match: person, organ (with those below), certificate, state."""
        found = self._connection.pages(_ATTRIBUTES, query)
        return (AttributeCertificateRecord.model_validate(item) for item in found)

    def revoke_attribute_certificate(self, serial: str, reason: str) -> datetime:
        """Take one back, for a reason of RFC 5280 5.3.1; since when it is revoked."""
        path = f"{_ATTRIBUTES}/{segment(serial)}/revocation"
        return parse_rfc3339(self._connection.json("POST", path, json={"reason": reason})["revoked_at"])

    def attribute_list(self, label: str) -> bytes:
        """The newest DER list of revoked attribute certificates of an authority, such as intl-attributes."""
        return self._connection.send("GET", f"/ca/{segment(label)}.acrl", public=True).content

    def renew(self, old: Identity, key: Signer, *, supersede: bool = False) -> Identity:
        """The successor of `old` for `key`, the same one or another, within the time before it ends; needs no session.

        With `supersede` and another key the old certificate is then revoked. Again with the same key, the same
        certificate comes back.
        """
        csr = CertificationRequest.build(key, {})
        signature = cms.sign_detached(old, renewal_statement(csr.der), signed_at=None)
        body = {"csr_pem": csr.pem, "signature": base64_text(signature), "supersede": supersede}
        answer = self._connection.json("POST", "/api/ca/v1/renewals", public=True, json=body)
        chain = tuple(Certificate.load_many(answer["chain_pem"].encode()))
        return Identity(key, Certificate.load(answer["pem"].encode()), chain)

    def authority(self, name: str) -> Certificate:
        """The certificate of a certification authority, such as intl-issuing."""
        path = f"/ca/{segment(name)}.crt"
        return Certificate.load(self._connection.send("GET", path, public=True).content)

    def authority_of(self, key: PublicKey) -> str:
        """The name of the certification authority whose key this is; raises ValueError when it is none."""
        name = self._by_key(key)["authority"]
        if name is None:
            raise ValueError("the key of no certification authority")
        return str(name)

    def chain_of(self, key: PublicKey) -> tuple[Certificate, ...]:
        """The certificate in force for a key of an organ or service, and those above up to and with the root.

        Raises NotFound.
        """
        return tuple(Certificate.load(each.encode()) for each in self._by_key(key)["certificates"])

    def _by_key(self, key: PublicKey) -> Mapping[str, Any]:
        digest = INTL.hash.digest(key.spki).hex()
        found: Mapping[str, Any] = self._connection.json(
            "GET", f"/api/ca/v1/keys/{segment(digest)}", public=True
        )
        return found

    def ocsp(self, request: bytes) -> bytes:
        """The DER answer to a DER OCSP request (RFC 6960 appendix A)."""
        return self._protocol("/ocsp", request, "application/ocsp-request")

    def crl(self, name: str) -> bytes:
        """The newest DER CRL of a certification authority, such as intl-issuing."""
        return self._connection.send("GET", f"/crl/{segment(name)}.crl", public=True).content

    def timestamp(self, request: bytes, *, suite: str = "intl") -> bytes:
        """The DER response to a DER timestamp request (RFC 3161 section 3.4)."""
        return self._protocol(f"/tsa/{segment(suite)}", request, "application/timestamp-query")

    def _protocol(self, path: str, request: bytes, media_type: str) -> bytes:
        headers = {"Content-Type": media_type}
        return self._connection.send("POST", path, public=True, content=request, headers=headers).content
