"""A seal put on something (SES_Signature): whoever may use the seal signs digest, time and the seal itself.

What is signed is any octets; in an OFD they are its `Signature.xml`, and `scope` says where that stands. Made as
version 4 (GB/T 38540-2020) or 5 (GM/T 0031-2025), as the seal is; read in version 1 (GM/T 0031-2014) too.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime

from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.cms import Timestamper
from yinxin.crypto.errors import BadSignature, DigestMismatch, Malformed
from yinxin.crypto.keys import Identity
from yinxin.crypto.path import Usage
from yinxin.crypto.seal.errors import MalformedSeal, SealTimeUnproved, SealUserUntrusted
from yinxin.crypto.seal.form import Seal, Version, check_extensions, ia5
from yinxin.crypto.seal.form import read as read_seal
from yinxin.crypto.seal.verify import SKEW, Known, proved
from yinxin.crypto.seal.verify import verify as verify_seal
from yinxin.crypto.suite import SignatureAlgorithm, signature_algorithm
from yinxin.crypto.timestamps import Token
from yinxin.errors import YinxinError
from yinxin.text import Text


@dataclass(frozen=True)
class SealSignature:
    """One seal on something, as read. What it says counts after `verify`."""

    der: bytes = field(repr=False)
    seal: Seal
    #: when it was put on, as its user claims
    claimed_at: datetime
    digest: bytes
    #: what the digest is of (propertyInfo): in an OFD the path of Signature.xml
    scope: str
    certificate: Certificate
    algorithm: SignatureAlgorithm
    #: what the user signed, and the signature value
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    timestamp: Token | None = field(compare=False)


@dataclass(frozen=True)
class Sealed:
    """A seal that holds: which one, put on by whose key, when, and whether a timestamp proves that."""

    seal: Seal
    certificate: Certificate
    at: datetime
    proved: bool


def build(
    seal: Seal,
    user: Identity,
    content: bytes,
    *,
    scope: str,
    at: datetime,
    timestamp: Timestamper | None = None,
) -> bytes:
    """Put `seal` on `content`: the SES_Signature in DER, signed by `user` at `at` (kept to the second), who must be one of its users.

    `scope` (ASCII) says what is covered. With `timestamp` its token over the signature value goes in.

    Raises NotASealUser, SealNotInForce, MalformedSeal for a seal of version 1 or a scope that cannot be written, and
    whatever the user's key raises.
    """
    seal.check_user(user.certificate)
    seal.check_time(at)
    if seal.version == Version.GMT_2014:
        raise MalformedSeal(reason="seals of version 1 are read and no longer used")
    algorithm = user.key.public_key.signature_algorithm
    try:
        to_sign = der.sequence(
            der.integer(seal.version),
            seal.der,
            der.generalized(at),
            der.bits(algorithm.hash.digest(content)),
            der.ia5(scope),
        )
    except UnicodeEncodeError as error:
        raise MalformedSeal(reason=str(error)) from error
    signature = user.key.sign(to_sign)
    return der.sequence(
        to_sign,
        der.octets(user.certificate.der),
        der.oid(algorithm.oid),
        der.bits(signature),
        der.explicit(0, der.bits(timestamp(signature))) if timestamp else b"",
    )


def read(encoded: bytes) -> SealSignature:
    """Read an SES_Signature in DER; raises MalformedSeal or UnsupportedAlgorithm."""
    try:
        der.check(encoded)
        signed, *rest = der.elements(encoded)
        version, seal, time, digest, scope, *more = der.elements(signed)
        found = read_seal(seal)
        der.require(der.number(version) == found.version, "seal and signature are of different versions")
        old = found.version == Version.GMT_2014
        if old:
            certificate, algorithm, signature, *stamp = *more, *rest
            der.require(not stamp, "more fields than its version has")
        else:
            certificate, algorithm, signature, *stamp = rest
            der.require(len(more) <= 1 and len(stamp) <= 1, "more fields than its version has")
            for each in more:
                check_extensions(der.tagged(each, 0))
            der.require(time[0] == der.GENERALIZED_TIME, "a time of another version")
        return SealSignature(
            der=encoded,
            seal=found,
            claimed_at=_old_time(time) if old else der.instant(time),
            digest=der.octets_of_bits(digest),
            scope=ia5(scope),
            certificate=Certificate(der.content(certificate, der.OCTET_STRING)),
            algorithm=signature_algorithm(der.dotted(algorithm), what="seal signature"),
            signed=signed,
            signature=der.octets_of_bits(signature),
            timestamp=Token.load(der.octets_of_bits(der.tagged(stamp[0], 0))) if stamp else None,
        )
    except (Malformed, ValueError, IndexError) as error:
        raise MalformedSeal(reason=str(error)) from error


def verify(
    encoded: bytes, content: bytes, known: Known, *, at: datetime, require_timestamp: bool = True
) -> Sealed:
    """Check everything about a seal on `content`; `at` is when it is checked.

    1. The content has the digest that was signed. 2. The user's key signed it. 3. A timestamp over the signature value
    proves when; without one, unless `require_timestamp`, the time that the user claims is taken. 4. The seal held at
    that time (`yinxin.crypto.seal.verify`). 5. It is bound to the user's certificate. 6. That certificate led to an
    anchor and was not revoked at that time.

    Raises MalformedSeal, DigestMismatch, BadSignature, SealTimeUnproved, SealMakerUntrusted, SealNotInForce,
    NotASealUser or SealUserUntrusted.
    """
    given = read(encoded)
    seal, by = given.seal, given.certificate
    if not hmac.compare_digest(given.algorithm.hash.digest(content), given.digest):
        raise DigestMismatch(what="sealed content")
    if given.algorithm.family != by.public_key.signature_algorithm.family:
        raise BadSignature(what="seal signature")
    by.public_key.verify(given.signature, given.signed, given.algorithm, what="seal signature")
    instant = _instant(given, known, at, require_timestamp=require_timestamp)
    verify_seal(seal, known, at=instant)
    seal.check_user(by)
    try:
        known.path(by, Usage.SIGNATURE, instant)
    except YinxinError as error:
        raise SealUserUntrusted(seal=seal.name, reason=error) from error
    return Sealed(seal, by, instant, given.timestamp is not None)


def _instant(given: SealSignature, known: Known, at: datetime, *, require_timestamp: bool) -> datetime:
    """When the seal was put on, as far as that is shown; raises SealTimeUnproved."""
    token = given.timestamp
    if token is None and require_timestamp:
        reason = Text("没有时间戳。", "there is none.")
        raise SealTimeUnproved(seal=given.seal.name, reason=reason)
    instant = proved(token, given.signature, known, given.seal.name) if token else given.claimed_at
    if given.claimed_at > instant + SKEW or instant > at + SKEW:
        reason = Text(
            "签章时间晚于时间戳或核验时间。",
            "it claims to be later than its timestamp or than the time of checking.",
        )
        raise SealTimeUnproved(seal=given.seal.name, reason=reason)
    return instant


def _old_time(element: bytes) -> datetime:
    """The timeInfo of version 1: a UTCTime or a timestamp in a BIT STRING.

    What such a timestamp covers is not said, and it stands within what it would prove: its time is taken as claimed.
    """
    held = der.octets_of_bits(element)
    if held[0] == der.SEQUENCE:
        return Token.load(held).at
    der.check(held)
    return der.instant(held)
