"""Online certificate status (RFC 6960): questions, answers, and who may answer.

Answers name their responder by the SHA-1 of its key in every suite, and carry the responder's certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NoReturn, Self

from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate, algorithm_of
from yinxin.crypto.errors import (
    BadSignature,
    KeyMismatch,
    Malformed,
    MalformedRequest,
    MalformedStatus,
    ResponderNotAuthorized,
    StatusNotCurrent,
    StatusRefused,
    UnsupportedAlgorithm,
    WrongIssuer,
)
from yinxin.crypto.keys import Signer
from yinxin.crypto.oids import Extension
from yinxin.crypto.status.words import Good, Reason, Revoked, Status, Unknown
from yinxin.crypto.suite import SHA1, SHA256, SM3, HashAlgorithm

_MOST_NONCE = 128  # octets, RFC 9654 2.1
_HASHES: tuple[HashAlgorithm, ...] = (SHA1, SHA256, SM3)


class OcspError(IntEnum):
    """Answers that are no answer (RFC 6960 4.2.1)."""

    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    SIG_REQUIRED = 5
    UNAUTHORIZED = 6


@dataclass(frozen=True)
class CertId:
    """Which certificate is meant (RFC 6960 4.1.1): hashes of the issuer's name and key, and the serial number."""

    hash: HashAlgorithm
    name_hash: bytes
    key_hash: bytes
    serial: int
    #: the octets as asked, so that an answer repeats them exactly
    der: bytes

    @classmethod
    def of(cls, serial: int, issuer: Certificate, hash_: HashAlgorithm = SHA1) -> Self:
        """The identifier of the certificate that `issuer` gave this serial number."""
        name_hash, key_hash = _hashes(issuer, hash_)
        algorithm = der.sequence(der.oid(hash_.oid), der.null())
        encoded = der.sequence(algorithm, der.octets(name_hash), der.octets(key_hash), der.integer(serial))
        return cls(hash_, name_hash, key_hash, serial, encoded)

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read one CertID; raises MalformedDer, ValueError or UnsupportedAlgorithm."""
        algorithm, name_hash, key_hash, serial = der.elements(encoded)
        dotted = der.dotted(der.elements(algorithm)[0])
        hash_ = next((each for each in _HASHES if each.oid == dotted), None)
        if hash_ is None:
            raise UnsupportedAlgorithm(what="OCSP certificate identifier", algorithm=dotted)
        return cls(
            hash_,
            der.content(name_hash, der.OCTET_STRING),
            der.content(key_hash, der.OCTET_STRING),
            der.number(serial),
            encoded,
        )

    def is_from(self, issuer: Certificate) -> bool:
        """Whether it names a certificate of `issuer`."""
        return (self.name_hash, self.key_hash) == _hashes(issuer, self.hash)


def _hashes(issuer: Certificate, hash_: HashAlgorithm) -> tuple[bytes, bytes]:
    key = der.octets_of_bits(der.elements(issuer.public_key.spki)[1])
    return hash_.digest(issuer.subject.der), hash_.digest(key)


@dataclass(frozen=True)
class OcspRequest:
    """A question about one or several certificates."""

    ids: tuple[CertId, ...]
    nonce: bytes | None = None

    @classmethod
    def build(cls, ids: Sequence[CertId], nonce: bytes | None = None) -> bytes:
        """The unsigned request in DER; `nonce` 1 to 128 octets (RFC 9654), 32 recommended."""
        requests = der.sequence(*(der.sequence(each.der) for each in ids))
        return der.sequence(der.sequence(requests, der.explicit(2, _nonce(nonce)) if nonce else b""))

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read a request; raises MalformedRequest or UnsupportedAlgorithm. A signature on it is not looked at."""
        try:
            der.check(data)
            fields = der.elements(der.elements(data)[0])
            (requests,) = (field for field in fields if field[0] == der.SEQUENCE)
            ids = tuple(CertId.read(der.elements(each)[0]) for each in der.elements(requests))
            nonce = _read_nonce([field for field in fields if field[0] == 0xA2])
        except (Malformed, ValueError, IndexError) as error:
            raise MalformedRequest(kind="OCSP", reason=str(error)) from error
        if not ids:
            raise MalformedRequest(kind="OCSP", reason="it asks nothing")
        return cls(ids, nonce)


def _nonce(nonce: bytes) -> bytes:
    return der.sequence(Extension(oids.OCSP_NONCE, False, der.octets(nonce)).der)


def _read_nonce(fields: Sequence[bytes]) -> bytes | None:
    nonce = None
    for each in fields:
        for extension in map(Extension.read, der.elements(der.content(each))):
            if extension.oid == oids.OCSP_NONCE:
                nonce = der.content(extension.value, der.OCTET_STRING)
                if not 0 < len(nonce) <= _MOST_NONCE:
                    raise ValueError("the nonce has a forbidden length")
            elif extension.critical:
                raise ValueError(f"unknown critical extension {extension.oid}")
    return nonce


@dataclass(frozen=True)
class OcspAnswer:
    """What is said of one certificate, and for how long."""

    id: CertId
    status: Status
    this_update: datetime
    next_update: datetime | None

    @property
    def der(self) -> bytes:
        """SingleResponse (RFC 6960 4.2.1)."""
        until = der.explicit(0, der.generalized(self.next_update)) if self.next_update else b""
        return der.sequence(self.id.der, _status(self.status), der.generalized(self.this_update), until)

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read one SingleResponse; raises MalformedDer, ValueError or UnsupportedAlgorithm."""
        cert_id, status, this_update, *rest = der.elements(encoded)
        until = next((der.instant(der.tagged(each, 0)) for each in rest if each[0] == 0xA0), None)
        _read_nonce([each for each in rest if each[0] == 0xA1])
        return cls(CertId.read(cert_id), _read_status(status), der.instant(this_update), until)


def _status(status: Status) -> bytes:
    if isinstance(status, Good):
        return der.tlv(0x80, b"")
    if isinstance(status, Unknown):
        return der.tlv(0x82, b"")
    reason = der.explicit(0, der.enumerated(status.reason.code)) if status.reason else b""
    return der.implicit(1, der.sequence(der.generalized(status.at), reason))


def _read_status(encoded: bytes) -> Status:
    if encoded in (b"\x80\x00", b"\x82\x00"):
        return Good() if encoded[0] == 0x80 else Unknown()
    if encoded[0] != 0xA1:
        raise ValueError("no certificate status")
    at, *reason = der.elements(encoded, 0xA1)
    return Revoked(der.instant(at), Reason.of(der.number(der.tagged(reason[0], 0))) if reason else None)


def build_ocsp_response(
    *,
    signer: Signer,
    responder: Certificate,
    answers: Sequence[OcspAnswer],
    produced_at: datetime,
    nonce: bytes | None = None,
    include_certificate: bool = True,
) -> bytes:
    """A signed OCSPResponse in DER; `responder` is the issuer's own certificate, or one it issued for OCSPSigning.

    Raises KeyMismatch when `signer` is not the key of `responder`.
    """
    if signer.public_key != responder.public_key:
        raise KeyMismatch(subject=responder.subject.text)
    data = der.sequence(
        der.explicit(2, der.octets(responder.public_key.key_id)),
        der.generalized(produced_at),
        der.sequence(*(each.der for each in answers)),
        der.explicit(1, _nonce(nonce)) if nonce else b"",
    )
    certificates = der.explicit(0, der.sequence(responder.der)) if include_certificate else b""
    algorithm = signer.public_key.signature_algorithm.identifier
    basic = der.sequence(data, algorithm, der.bits(signer.sign(data)), certificates)
    return der.sequence(
        der.enumerated(0), der.explicit(0, der.sequence(der.oid(oids.OCSP_BASIC), der.octets(basic)))
    )


def build_ocsp_error(error: OcspError) -> bytes:
    """An unsigned OCSPResponse that says why there is no answer."""
    return der.sequence(der.enumerated(error))


class OcspResponse:
    """A successful response, read strictly. Immutable. `status_of` verifies before it tells."""

    def __init__(self, encoded: bytes) -> None:
        """Read DER; raises MalformedStatus, UnsupportedAlgorithm, or StatusRefused when it is an error."""
        try:
            der.check(encoded)
            status, *rest = der.elements(encoded)
            if der.number(status):
                raise StatusRefused(reason=_error_name(der.number(status)))
            kind, octets = der.elements(der.tagged(rest[0], 0))
            der.require(der.dotted(kind) == oids.OCSP_BASIC, "not a basic response")
            self._read_basic(der.content(octets, der.OCTET_STRING))
        except (Malformed, ValueError, IndexError) as error:
            raise MalformedStatus(kind="OCSP", reason=str(error)) from error
        self.der = encoded

    def _read_basic(self, basic: bytes) -> None:
        der.check(basic)
        self._data, algorithm, signature, *certificates = der.elements(basic)
        self._signature = der.octets_of_bits(signature)
        self.signature_algorithm = algorithm_of(algorithm, "OCSP response")
        listed = der.elements(der.tagged(certificates[0], 0)) if certificates else []
        self.certificates = tuple(Certificate(each) for each in listed)
        fields = der.elements(self._data)
        if fields[0][0] == 0xA0:
            raise ValueError("not version 1")
        self._responder, produced_at, answers, *extensions = fields
        self.produced_at = der.instant(produced_at)
        self.answers = tuple(OcspAnswer.read(each) for each in der.elements(answers))
        self.nonce = _read_nonce(extensions)

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read DER; raises MalformedStatus, UnsupportedAlgorithm, or StatusRefused when it is an error."""
        return cls(data)

    def verify(self, issuer: Certificate, at: datetime | None = None) -> None:
        """Verify the signature of one who may answer for `issuer`; with `at`, that every answer is current then.

        A delegate must have `ocsp-nocheck`: whether another was revoked, only a path with its evidence can tell. Raises ResponderNotAuthorized, BadSignature or StatusNotCurrent.
        """
        responder = self.verify_signature(issuer)
        if responder != issuer and oids.OCSP_NOCHECK not in responder.extensions:
            self.refuse_responder(issuer)
        if at is None:
            return
        for answer in self.answers:
            until = answer.next_update or answer.this_update
            if not answer.this_update <= at <= until:
                raise StatusNotCurrent(
                    kind="OCSP answer", this_update=answer.this_update, next_update=until, at=at
                )

    def verify_signature(self, issuer: Certificate) -> Certificate:
        """Verify the signature of the issuer or a delegate of its own, and tell whose it is.

        Whether a delegate's certificate was revoked is not asked. Raises ResponderNotAuthorized, BadSignature or
        UnsupportedAlgorithm.
        """
        responder = self._find_responder(issuer)
        what = "OCSP response"
        responder.public_key.verify(self._signature, self._data, self.signature_algorithm, what=what)
        return responder

    def refuse_responder(self, issuer: Certificate) -> NoReturn:
        """Raise ResponderNotAuthorized: a delegate that may have been revoked itself."""
        raise ResponderNotAuthorized(issuer=issuer.subject.text, reason="its certificate has no ocsp-nocheck")

    def speaks_of(self, certificate: Certificate, issuer: Certificate) -> tuple[OcspAnswer, ...]:
        """The answers about a certificate of `issuer`, before anything is verified."""
        serial = certificate.serial
        return tuple(each for each in self.answers if each.id.serial == serial and each.id.is_from(issuer))

    def status_of(self, certificate: Certificate, issuer: Certificate) -> OcspAnswer | None:
        """What it says of a certificate of `issuer`, after `verify`; None when it speaks of others."""
        self.verify(issuer)
        return next(iter(self.speaks_of(certificate, issuer)), None)

    def _find_responder(self, issuer: Certificate) -> Certificate:
        for candidate in (issuer, *self.certificates):
            if self._is_responder(candidate):
                if candidate != issuer:
                    self._check_delegate(candidate, issuer)
                return candidate
        raise ResponderNotAuthorized(
            issuer=issuer.subject.text, reason="its certificate is not in the response"
        )

    def _is_responder(self, candidate: Certificate) -> bool:
        value = der.content(self._responder)
        if self._responder[0] == 0xA2:
            return der.content(value, der.OCTET_STRING) == candidate.public_key.key_id
        return self._responder[0] == 0xA1 and value == candidate.subject.der

    def _check_delegate(self, delegate: Certificate, issuer: Certificate) -> None:
        """RFC 6960 4.2.2.2: issued by the issuer itself, for this purpose, valid, and free of further checking."""
        name = issuer.subject.text
        try:
            delegate.issued_by(issuer)
        except (WrongIssuer, BadSignature, UnsupportedAlgorithm) as error:
            raise ResponderNotAuthorized(issuer=name, reason="not issued by it") from error
        if "OCSPSigning" not in (delegate.extended_key_usage or ()):
            raise ResponderNotAuthorized(issuer=name, reason="its certificate is not for OCSPSigning")
        if not delegate.not_before <= self.produced_at <= delegate.not_after:
            raise ResponderNotAuthorized(issuer=name, reason="its certificate was not valid then")


def _error_name(code: int) -> str:
    try:
        return OcspError(code).name.lower().replace("_", " ")
    except ValueError:
        return str(code)
