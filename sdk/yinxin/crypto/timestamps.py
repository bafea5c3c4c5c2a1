"""Timestamps (RFC 3161, RFC 5816): requests, the authority's answers, and tokens verified years later."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, Self, get_args

from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import (
    AnswerMismatch,
    DigestMismatch,
    Malformed,
    MalformedRequest,
    MalformedSignature,
    TimestampRefused,
    TimestampRejected,
    UnsupportedAlgorithm,
)
from yinxin.crypto.keys import Signer
from yinxin.crypto.path import RevocationEvidence, Usage, ValidatedPath, validate
from yinxin.crypto.signed_data import SignedData, build
from yinxin.crypto.suite import HashAlgorithm, hash_algorithm

_KIND = "timestamp"

#: why a request is not granted (RFC 3161 2.4.2) → its bit in PKIFailureInfo
Failure = Literal[
    "badAlg",
    "badRequest",
    "badDataFormat",
    "timeNotAvailable",
    "unacceptedPolicy",
    "unacceptedExtension",
    "addInfoNotAvailable",
    "systemFailure",
]
_FAILURES: dict[str, int] = dict(zip(get_args(Failure), (0, 2, 5, 14, 15, 16, 17, 25), strict=True))


# --- asking ----------------------------------------------------------------------------------------------------


def request(
    hash_: HashAlgorithm,
    digest: bytes,
    nonce: int | None = None,
    *,
    certificates: bool = True,
    policy: str | None = None,
) -> bytes:
    """TimeStampReq in DER; `digest` is `hash_`'s of the data, `nonce` 64 random bits or more."""
    if len(digest) != hash_.size:
        raise MalformedRequest(kind=_KIND, reason=f"a {hash_.name} digest has {hash_.size} octets")
    return der.sequence(
        der.integer(1),
        _imprint(hash_, digest),
        der.oid(policy) if policy else b"",
        der.integer(nonce) if nonce is not None else b"",
        der.boolean(True) if certificates else b"",
    )


def _imprint(hash_: HashAlgorithm, digest: bytes) -> bytes:
    return der.sequence(der.sequence(der.oid(hash_.oid), der.null()), der.octets(digest))


@dataclass(frozen=True)
class TimestampRequest:
    """A request as it came; `imprint` is its MessageImprint, octet for octet, for the answer to repeat."""

    hash: HashAlgorithm
    digest: bytes
    imprint: bytes
    policy: str | None
    nonce: int | None
    certificates: bool

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read DER; raises TimestampRefused with the failure that the answer must name."""
        try:
            der.check(data)
            version, imprint, *rest = der.elements(data)
            der.require(version == der.integer(1), "not version 1")
            hash_, digest = _read_imprint(imprint)
        except UnsupportedAlgorithm as error:
            raise TimestampRefused(failure="badAlg") from error
        except (Malformed, ValueError) as error:
            raise TimestampRefused(failure="badDataFormat") from error
        fields = {each[0]: each for each in rest}
        if 0xA0 in fields:
            raise TimestampRefused(failure="unacceptedExtension")
        if len(fields) != len(rest) or fields.keys() - {der.OID, der.INTEGER, der.BOOLEAN}:
            raise TimestampRefused(failure="badDataFormat")
        return cls(
            hash=hash_,
            digest=digest,
            imprint=imprint,
            policy=der.dotted(fields[der.OID]) if der.OID in fields else None,
            nonce=der.number(fields[der.INTEGER]) if der.INTEGER in fields else None,
            certificates=der.BOOLEAN in fields and fields[der.BOOLEAN] == der.boolean(True),
        )


def _read_imprint(imprint: bytes) -> tuple[HashAlgorithm, bytes]:
    algorithm, digest = der.elements(imprint)
    name, *_ = der.elements(algorithm)
    hash_ = hash_algorithm(der.dotted(name), what="timestamp imprint")
    value = der.content(digest, der.OCTET_STRING)
    der.require(len(value) == hash_.size, "the digest has another length")
    return hash_, value


# --- answering -------------------------------------------------------------------------------------------------


def build_response(
    request_der: bytes,
    *,
    signer: Signer,
    certificate: Certificate,
    chain: Sequence[Certificate] = (),
    policy: str,
    serial: int,
    at: datetime,
    accuracy: timedelta | None = None,
) -> bytes:
    """A granted TimeStampResp in DER for a request, stating the instant `at` (kept to the millisecond).

    `serial` is unique for the authority. `certificate` must be for timeStamping alone; it and `chain` go in when the
    request asks for certificates. Raises TimestampRefused (answer with `build_rejection`) or KeyMismatch.
    """
    asked = TimestampRequest.load(request_der)
    if asked.policy not in (None, policy):
        raise TimestampRefused(failure="unacceptedPolicy")
    info = der.sequence(
        der.integer(1),
        der.oid(policy),
        asked.imprint,
        der.integer(serial),
        der.generalized(at, fraction=True),
        _accuracy(accuracy) if accuracy else b"",
        der.integer(asked.nonce) if asked.nonce is not None else b"",
    )
    token = build(
        signer=signer,
        certificate=certificate,
        certificates=(certificate, *chain) if asked.certificates else (),
        content=info,
        embed=True,
        content_type=oids.TST_INFO,
    )
    return der.sequence(der.sequence(der.integer(0)), token)


def _accuracy(accuracy: timedelta) -> bytes:
    seconds, micros = divmod(accuracy // timedelta(microseconds=1), 1_000_000)
    millis, micros = divmod(micros, 1000)
    return der.sequence(
        der.integer(seconds) if seconds else b"",
        der.implicit(0, der.integer(millis)) if millis else b"",
        der.implicit(1, der.integer(micros)) if micros else b"",
    )


def build_rejection(failure: Failure) -> bytes:
    """A TimeStampResp that refuses, naming the failure (RFC 3161 2.4.2)."""
    return der.sequence(der.sequence(der.integer(2), der.named_bits([_FAILURES[failure]])))


# --- believing -------------------------------------------------------------------------------------------------


class Token:
    """A timestamp token, read strictly. Immutable. What it says counts after `verify`."""

    def __init__(self, encoded: bytes) -> None:
        """Read the ContentInfo in DER; raises MalformedSignature or UnsupportedAlgorithm."""
        self._data = SignedData.load(encoded, _KIND)
        if self._data.content_type != oids.TST_INFO or self._data.content is None:
            raise MalformedSignature(kind=_KIND, reason="not a timestamp token")
        try:
            der.check(self._data.content)
            version, policy, imprint, serial, at, *rest = der.elements(self._data.content)
            der.require(version == der.integer(1), "not version 1")
            self.hash, self.digest = _read_imprint(imprint)
            self.policy = der.dotted(policy)
            self.serial = der.number(serial)
            #: the instant stated (genTime), aware, UTC
            self.at: datetime = der.instant(at)
            self.nonce = next((der.number(each) for each in rest if each[0] == der.INTEGER), None)
            self.accuracy = _read_accuracy(rest)
        except (Malformed, ValueError, IndexError) as error:
            raise MalformedSignature(kind=_KIND, reason=str(error)) from error
        if any(each[0] == 0xA1 for each in rest):
            raise MalformedSignature(kind=_KIND, reason="it has extensions, which are not processed here")
        self.der = encoded

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read the ContentInfo in DER; raises MalformedSignature or UnsupportedAlgorithm."""
        return cls(data)

    @classmethod
    def from_response(cls, response: bytes, request_der: bytes) -> Self:
        """The token of a TimeStampResp, held against the request: same imprint, nonce and policy.

        Raises TimestampRejected, AnswerMismatch or MalformedSignature.
        """
        try:
            der.check(response)
            status, *token = der.elements(response)
            granted = der.number(der.elements(status)[0]) in (0, 1)
        except (Malformed, ValueError, IndexError) as error:
            raise MalformedSignature(kind=_KIND, reason=str(error)) from error
        if not granted or not token:
            raise TimestampRejected(reason=_reason(der.elements(status)))
        found, asked = cls(token[0]), TimestampRequest.load(request_der)
        for field, fits in (
            ("imprint", (found.hash, found.digest) == (asked.hash, asked.digest)),
            ("nonce", found.nonce == asked.nonce),
            ("policy", asked.policy in (None, found.policy)),
        ):
            if not fits:
                raise AnswerMismatch(kind=_KIND, field=field)
        return found

    @property
    def signer_hash(self) -> HashAlgorithm:
        """The hash of the token's own signature, which need not be that of its imprint."""
        return self._data.signer.hash

    @cached_property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates inside."""
        return self._data.certificates

    def check_imprint(self, message: bytes) -> None:
        """Raise DigestMismatch unless the token is over `message`."""
        if not hmac.compare_digest(self.hash.digest(message), self.digest):
            raise DigestMismatch(what="timestamped content")

    def check_signature(self, certificates: Sequence[Certificate] = ()) -> Certificate:
        """Verify the token's own signature; gives the authority's certificate, not yet trusted. Raises BadSignature."""
        return self._data.verify(None, _KIND, also=certificates)

    def verify(
        self,
        message: bytes | None = None,
        *,
        imprint: bytes | None = None,
        anchors: Iterable[Certificate],
        intermediates: Iterable[Certificate] = (),
        at: datetime | None = None,
        revocation: RevocationEvidence | None = None,
        require_revocation: bool = True,
    ) -> ValidatedPath:
        """Verify everything: imprint, signature, and the authority's path for timestamping.

        Give the `message`, or its digest as `imprint`. The path is judged at the time the token states, or at `at`
        (a later, trusted time, where the token itself is protected by a younger one).
        Raises DigestMismatch, BadSignature or what `path.validate` raises.
        """
        if (message is None) == (imprint is None):
            raise ValueError("give the message or its imprint")
        if message is not None:
            self.check_imprint(message)
        elif imprint is not None and not hmac.compare_digest(imprint, self.digest):
            raise DigestMismatch(what="timestamped content")
        intermediates = tuple(intermediates)
        return validate(
            self.check_signature(intermediates),
            (*self.certificates, *intermediates),
            anchors,
            at=at or self.at,
            usage=Usage.TIMESTAMP,
            revocation=revocation,
            require_revocation=require_revocation,
        )

    def __repr__(self) -> str:
        return f"<Token {self.serial:x} at {self.at:%Y-%m-%dT%H:%M:%SZ}>"


def _read_accuracy(fields: Sequence[bytes]) -> timedelta | None:
    """Accuracy (RFC 3161 2.4.2), told from `tsa` by its tag; None when not stated."""
    found = next((each for each in fields if each[0] == der.SEQUENCE), None)
    if found is None:
        return None
    units = {der.INTEGER: "seconds", 0x80: "milliseconds", 0x81: "microseconds"}
    parts = {
        units[each[0]]: int.from_bytes(der.content(each)) for each in der.elements(found) if each[0] in units
    }
    return timedelta(**parts)


def _reason(status: Sequence[bytes]) -> str:
    failure = next((der.content(each) for each in status if each[0] == der.BIT_STRING), b"")
    given = int.from_bytes(failure[1:].ljust(4, b"\0"), "big")
    names = [name for name, position in _FAILURES.items() if given >> (31 - position) & 1]
    texts = [
        der.content(text).decode("utf-8", "replace")
        for each in status
        if each[0] == der.SEQUENCE
        for text in der.elements(each)
    ]
    return ", ".join((*names, *texts)) or "no reason given"
