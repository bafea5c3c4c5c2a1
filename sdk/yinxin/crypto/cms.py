"""Signatures on documents (CMS, RFC 5652; GM/T 0010 for the sm suite).

A verified signature says which certificate's key signed these very octets. Whether that certificate was to be
trusted, at the moment that counts, `path.validate` decides: the two are separate on purpose, as the moment is the
caller's to choose (the timestamp's, where there is one).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from yinxin.crypto import oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import MalformedSignature
from yinxin.crypto.keys import Identity
from yinxin.crypto.signed_data import SignedData, add_unsigned, build
from yinxin.crypto.signed_data import to_sign as attributes_of
from yinxin.crypto.timestamps import Token

#: given the signature value, the DER of a timestamp token over it
Timestamper = Callable[[bytes], bytes]
_KIND = "CMS signature"


@dataclass(frozen=True)
class SignedBy:
    """Who signed, as far as the signature itself tells."""

    certificate: Certificate
    #: claimed by the signer; None when it claims nothing
    signing_time: datetime | None
    #: the other certificates that came with the signature, in no order and not yet trusted
    chain: tuple[Certificate, ...]
    #: the timestamp over the signature, its imprint and signature verified, its authority not yet trusted
    timestamp_token: Token | None


def sign_detached(
    identity: Identity, content: bytes, *, signed_at: datetime | None, timestamp: Timestamper | None = None
) -> bytes:
    """A CMS signature over `content`, which stays apart; `signed_at` becomes the claimed signing time.

    With `timestamp`, the signature value is timestamped and the token put in (RFC 3161 appendix A).
    """
    return _sign(identity, content, embed=False, signed_at=signed_at, timestamp=timestamp)


def to_sign(certificate: Certificate, content: bytes, *, signed_at: datetime | None) -> bytes:
    """The very octets that `sign_detached` would have the key of `certificate` sign, for whoever is asked before it does."""
    data = certificate.public_key.suite.cms_data
    return attributes_of(certificate, content, content_type=data, signing_time=signed_at)


def sign_attached(
    identity: Identity, content: bytes, *, signed_at: datetime | None, timestamp: Timestamper | None = None
) -> bytes:
    """As `sign_detached`, with the content inside."""
    return _sign(identity, content, embed=True, signed_at=signed_at, timestamp=timestamp)


def _sign(
    identity: Identity,
    content: bytes,
    *,
    embed: bool,
    signed_at: datetime | None,
    timestamp: Timestamper | None,
) -> bytes:
    suite = identity.certificate.public_key.suite
    signed = build(
        signer=identity.key,
        certificate=identity.certificate,
        certificates=(identity.certificate, *identity.chain),
        content=content,
        embed=embed,
        content_type=suite.cms_data,
        signed_data=suite.cms_signed_data,
        signing_time=signed_at,
    )
    if timestamp is None:
        return signed
    data = SignedData.load(signed, _KIND)
    return _stamped(data, timestamp(data.signer.signature))


def signature_value(cms: bytes) -> bytes:
    """The signature value of a CMS signature: what a timestamp over it must cover. Raises MalformedSignature."""
    return SignedData.load(cms, _KIND).signer.signature


def with_timestamp(cms: bytes, token: bytes) -> bytes:
    """The same signature with a timestamp token over its value (RFC 3161 appendix A).

    Raises MalformedSignature, or DigestMismatch when the token is over something else.
    """
    return _stamped(SignedData.load(cms, _KIND), token)


def _stamped(data: SignedData, token: bytes) -> bytes:
    if oids.SIGNATURE_TIMESTAMP in data.signer.unsigned:
        raise MalformedSignature(kind=_KIND, reason="it already has a timestamp")
    Token.load(token).check_imprint(data.signer.signature)
    return add_unsigned(data.der, oids.SIGNATURE_TIMESTAMP, token)


def verify_detached(cms: bytes, content: bytes, *, certificates: Sequence[Certificate] = ()) -> SignedBy:
    """Verify a signature over `content`, and its timestamp if it has one; tell who signed, not yet trusted.

    `certificates` are more places to look for the signer's. Raises MalformedSignature, DigestMismatch, BadSignature
    or UnsupportedAlgorithm.
    """
    return _signed_by(SignedData.load(cms, _KIND), content, certificates)


def verify_attached(cms: bytes, *, certificates: Sequence[Certificate] = ()) -> tuple[bytes, SignedBy]:
    """As `verify_detached` with the content inside; gives the content too."""
    data = SignedData.load(cms, _KIND)
    signed_by = _signed_by(data, None, certificates)
    return data.content or b"", signed_by


def _signed_by(data: SignedData, content: bytes | None, certificates: Sequence[Certificate]) -> SignedBy:
    if data.content_type not in (oids.DATA, oids.GM_DATA):
        raise MalformedSignature(kind=_KIND, reason=f"it signs content of the type {data.content_type}")
    certificate = data.verify(content, _KIND, also=certificates)
    token = None
    if found := data.signer.unsigned.get(oids.SIGNATURE_TIMESTAMP):
        if len(found) != 1:
            raise MalformedSignature(kind=_KIND, reason="several timestamps")
        token = Token.load(found[0])
        token.check_imprint(data.signer.signature)
        token.check_signature((*data.certificates, *certificates))
    chain = tuple(each for each in data.certificates if each != certificate)
    return SignedBy(certificate, data.signing_time, chain, token)
