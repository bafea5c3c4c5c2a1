"""The one form in which this kit signs content: SignedData (RFC 5652 section 5, GM/T 0010) with one signer.

Signed attributes are always there, and always name the signer's certificate (RFC 5035): nobody can put another
certificate for the same key in its place.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Self

from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate, algorithm_of
from yinxin.crypto.errors import (
    DigestMismatch,
    KeyMismatch,
    Malformed,
    MalformedSignature,
    UnsupportedAlgorithm,
)
from yinxin.crypto.keys import Signer
from yinxin.crypto.suite import (
    RSA_SHA256,
    RSA_SHA384,
    RSA_SHA512,
    SHA256,
    SM2_SM3,
    HashAlgorithm,
    SignatureAlgorithm,
    hash_algorithm,
)

_RSA = "1.2.840.113549.1.1.1"
_RSA_BY_HASH = {each.hash: each for each in (RSA_SHA256, RSA_SHA384, RSA_SHA512)}


def build(
    *,
    signer: Signer,
    certificate: Certificate,
    certificates: Sequence[Certificate],
    content: bytes,
    embed: bool,
    content_type: str,
    signed_data: str = oids.SIGNED_DATA,
    signing_time: datetime | None = None,
    attributes: Sequence[bytes] = (),
) -> bytes:
    """ContentInfo in DER: `content`, inside or apart, signed by `signer`, whose certificate is `certificate`.

    `content_type` and `signed_data` are the object identifiers of inner and outer type; `certificates` go in as they
    are given, in DER order; `attributes` are further signed ones. Raises KeyMismatch when `signer` is not the key of `certificate`.
    """
    if signer.public_key != certificate.public_key:
        raise KeyMismatch(subject=certificate.subject.text)
    algorithm = signer.public_key.signature_algorithm
    signed = to_sign(
        certificate, content, content_type=content_type, signing_time=signing_time, attributes=attributes
    )
    info = der.sequence(
        der.integer(1),
        der.sequence(certificate.issuer.der, der.integer(certificate.serial)),
        algorithm.hash.identifier,
        der.implicit(0, signed),
        _signature_identifier(algorithm, signed_data),
        der.octets(signer.sign(signed)),
    )
    listed = der.implicit(0, der.set_of(each.der for each in certificates)) if certificates else b""
    data = der.sequence(
        der.integer(1 if content_type in (oids.DATA, oids.GM_DATA) else 3),  # RFC 5652 5.1
        der.set_of([algorithm.hash.identifier]),
        der.sequence(der.oid(content_type), der.explicit(0, der.octets(content)) if embed else b""),
        listed,
        der.set_of([info]),
    )
    return der.sequence(der.oid(signed_data), der.explicit(0, data))


def to_sign(
    certificate: Certificate,
    content: bytes,
    *,
    content_type: str,
    signing_time: datetime | None = None,
    attributes: Sequence[bytes] = (),
) -> bytes:
    """The very octets that `build` has the key of `certificate` sign: the signed attributes (RFC 5652 5.4)."""
    hash_ = certificate.public_key.signature_algorithm.hash
    all_attributes = [
        *attributes,
        _attribute(oids.CONTENT_TYPE, der.oid(content_type)),
        _attribute(oids.MESSAGE_DIGEST, der.octets(hash_.digest(content))),
        _attribute(oids.SIGNING_CERTIFICATE_V2, _ess(certificate, hash_)),
    ]
    if signing_time:
        all_attributes.append(_attribute(oids.SIGNING_TIME, der.time(signing_time)))
    return der.set_of(all_attributes)


def certificates_only(certificates: Iterable[Certificate], crls: Iterable[bytes] = ()) -> bytes:
    """ContentInfo in DER that nobody signed and that only carries certificates, or CRLs in DER (RFC 5652 5.1, "certs-only").

    The certificates stand in the order given: readers of EST and SCEP take the first for the one they asked for.
    """
    carried = [(0, b"".join(each.der for each in certificates)), (1, b"".join(crls))]
    data = der.sequence(
        der.integer(1),
        der.set_of([]),
        der.sequence(der.oid(oids.DATA)),
        *(der.tlv(0xA0 | number, content) for number, content in carried if content),
        der.set_of([]),
    )
    return der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, data))


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of([value]))


def _ess(certificate: Certificate, hash_: HashAlgorithm) -> bytes:
    """SigningCertificateV2 (RFC 5035 section 3); SHA-256 is the default and left out."""
    algorithm = b"" if hash_ is SHA256 else hash_.identifier
    return der.sequence(der.sequence(der.sequence(algorithm, der.octets(hash_.digest(certificate.der)))))


def _signature_identifier(algorithm: SignatureAlgorithm, signed_data: str) -> bytes:
    if signed_data == oids.GM_SIGNED_DATA and algorithm is SM2_SM3:
        return der.sequence(
            der.oid(oids.SM2_SIGNATURE)
        )  # GM/T 0010 8.2 names the key's algorithm, not the pair
    if algorithm.family == "rsa":
        # RFC 5754 3.2 allows both; the key's own name is the one that every reader knows
        return der.sequence(der.oid(_RSA), der.null())
    return algorithm.identifier


@dataclass(frozen=True)
class SignerInfo:
    """What one signer wrote (RFC 5652 5.3)."""

    hash: HashAlgorithm
    algorithm: SignatureAlgorithm
    #: the signature value: what a signature timestamp covers
    signature: bytes
    #: IssuerAndSerialNumber, or [0] SubjectKeyIdentifier
    id: bytes
    #: the SET OF that was signed, and its single values by object identifier
    signed: bytes
    values: Mapping[str, bytes]
    #: values of unsigned attributes by object identifier
    unsigned: Mapping[str, tuple[bytes, ...]]
    #: the digest by which the signer named the certificate (RFC 5035); None where it did not
    digest: tuple[HashAlgorithm, bytes] | None

    @classmethod
    def read(cls, info: bytes, *, named: bool = True) -> Self:
        """Read one SignerInfo; raises MalformedDer, ValueError or UnsupportedAlgorithm.

        `named` False is for protocols older than the attribute that names the certificate (RFC 8894).
        """
        version, signer_id, digest, signed, algorithm, signature, *unsigned = der.elements(info)
        der.require(
            version == der.integer(1 if signer_id[0] == der.SEQUENCE else 3), "a wrong signer version"
        )
        der.require(signed[0] == 0xA0, "no signed attributes")
        hash_ = _read_hash(digest)
        values = _values(signed, 0xA0)
        der.require(all(len(each) == 1 for each in values.values()), "a signed attribute with several values")
        wanted = (oids.CONTENT_TYPE, oids.MESSAGE_DIGEST, oids.SIGNING_CERTIFICATE_V2)
        for name in wanted if named else wanted[:2]:
            der.require(name in values, f"no signed attribute {name}")
        return cls(
            hash=hash_,
            algorithm=_read_algorithm(algorithm, hash_),
            signature=der.content(signature, der.OCTET_STRING),
            id=signer_id,
            signed=bytes((der.SET,)) + signed[1:],  # RFC 5652 5.4: signed under its universal tag
            values={name: each[0] for name, each in values.items()},
            unsigned=_values(unsigned[0], 0xA1) if unsigned else {},
            digest=_digest(*values.get(oids.SIGNING_CERTIFICATE_V2, ())),
        )

    def names(self, certificate: Certificate) -> bool:
        """Whether this is the certificate the signer named, by its place and by its digest (RFC 5035)."""
        if self.id not in (_issuer_and_serial(certificate), _key_id(certificate)):
            return False
        if self.digest is None:
            return True  # by its place alone, where `read` was told that this is enough
        hash_, digest = self.digest
        return hmac.compare_digest(hash_.digest(certificate.der), digest)


@lru_cache(maxsize=256)
def _read(certificate: bytes) -> Certificate:
    """A certificate; those of an authority come with every signature made under it."""
    return Certificate(certificate)


@dataclass(frozen=True)
class SignedData:
    """A SignedData of one signer, read strictly. Nothing it says counts before `verify`."""

    der: bytes
    content_type: str
    #: the content when it is inside
    content: bytes | None
    certificates: tuple[Certificate, ...]
    signer: SignerInfo

    @classmethod
    def load(cls, data: bytes, kind: str, *, named: bool = True) -> Self:
        """Read a ContentInfo; raises MalformedSignature (naming `kind`) or UnsupportedAlgorithm.

        `named`: see `SignerInfo.read`.
        """
        try:
            der.check(data)
            outer, wrapped = der.elements(data)
            der.require(der.dotted(outer) in (oids.SIGNED_DATA, oids.GM_SIGNED_DATA), "not a SignedData")
            version, digests, encapsulated, *rest = der.elements(der.tagged(wrapped, 0))
            (info,) = der.elements(rest[-1], der.SET)
            listed = [each for field in rest[:-1] if field[0] == 0xA0 for each in der.elements(field, 0xA0)]
            inner, *content = der.elements(encapsulated)
            signer = SignerInfo.read(info, named=named)
            der.require(signer.values[oids.CONTENT_TYPE] == inner, "another content type was signed")
            plain = der.dotted(inner) in (oids.DATA, oids.GM_DATA) and signer.id[0] == der.SEQUENCE
            der.require(version == der.integer(1 if plain else 3), "a wrong version")
            der.require(
                signer.hash in map(_read_hash, der.elements(digests, der.SET)), "the digest is not announced"
            )
            return cls(
                der=data,
                content_type=der.dotted(inner),
                content=der.content(der.tagged(content[0], 0), der.OCTET_STRING) if content else None,
                certificates=tuple(_read(each) for each in listed if each[0] == der.SEQUENCE),
                signer=signer,
            )
        except (Malformed, ValueError, IndexError) as error:
            raise MalformedSignature(kind=kind, reason=str(error)) from error

    def verify(self, content: bytes | None, kind: str, *, also: Sequence[Certificate] = ()) -> Certificate:
        """Verify the signature and return the signer's certificate, of which nothing else is known yet.

        `content` is the signed content when it lies apart, None when it is inside; the certificate is looked for
        inside and among `also`. Raises MalformedSignature, DigestMismatch or BadSignature.
        """
        # 1. there is exactly one content
        data = content if self.content is None else self.content
        if data is None or (content is not None and self.content is not None):
            raise MalformedSignature(kind=kind, reason="the content must be inside or be given, and not both")
        # 2. its digest is the signed one
        digest = der.content(self.signer.values[oids.MESSAGE_DIGEST], der.OCTET_STRING)
        if not hmac.compare_digest(self.signer.hash.digest(data), digest):
            raise DigestMismatch(what=kind)
        # 3. the certificate is the one the signer named
        certificate = next((each for each in (*self.certificates, *also) if self.signer.names(each)), None)
        if certificate is None:
            raise MalformedSignature(kind=kind, reason="the signer's certificate is not there")
        # 4. its key signed the attributes
        signer = self.signer
        certificate.public_key.verify(signer.signature, signer.signed, signer.algorithm, what=kind)
        return certificate

    @property
    def signing_time(self) -> datetime | None:
        """What the signer claims (RFC 5652 11.3); only a timestamp proves it."""
        value = self.signer.values.get(oids.SIGNING_TIME)
        return der.instant(value) if value else None


def add_unsigned(data: bytes, oid: str, value: bytes) -> bytes:
    """The same ContentInfo with one more unsigned attribute; its signature stays as it was."""
    outer, wrapped = der.elements(data)
    *fields, infos = der.elements(der.tagged(wrapped, 0))
    (info,) = der.elements(infos, der.SET)
    *parts, last = der.elements(info)
    held = der.elements(last, 0xA1) if last[0] == 0xA1 else []
    kept = parts if held else [*parts, last]
    unsigned = der.implicit(1, der.set_of([*held, _attribute(oid, value)]))
    infos = der.set_of([der.sequence(*kept, unsigned)])
    return der.sequence(outer, der.explicit(0, der.sequence(*fields, infos)))


def _values(attributes: bytes, tag: int) -> dict[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in der.elements(attributes, tag):
        kind, values = der.elements(attribute)
        name = der.dotted(kind)
        der.require(name not in found, f"attribute {name} stands there twice")
        found[name] = tuple(der.elements(values, der.SET))
    return found


def _digest(named: bytes = b"") -> tuple[HashAlgorithm, bytes] | None:
    """Of SigningCertificateV2 (RFC 5035 section 3) the first certificate's digest."""
    if not named:
        return None
    (first, *_) = der.elements(der.elements(named)[0])
    hash_, digest = SHA256, b""
    for field in der.elements(first):
        if field[0] == der.SEQUENCE and not digest:
            hash_ = _read_hash(field)
        elif field[0] == der.OCTET_STRING:
            digest = der.content(field)
    return hash_, digest


def _read_hash(identifier: bytes) -> HashAlgorithm:
    name, *parameters = der.elements(identifier)
    der.require(parameters in ([], [der.null()]), "a digest algorithm with parameters")
    return hash_algorithm(der.dotted(name))


def _read_algorithm(identifier: bytes, hash_: HashAlgorithm) -> SignatureAlgorithm:
    dotted = der.dotted(der.elements(identifier)[0])
    if dotted == oids.SM2_SIGNATURE:
        used = SM2_SM3
    elif dotted == _RSA and hash_ in _RSA_BY_HASH:
        used = _RSA_BY_HASH[hash_]
    else:
        used = algorithm_of(identifier, "signature")
    if used.hash is not hash_:
        raise UnsupportedAlgorithm(what="signature", algorithm=f"{used.name} with {hash_.name}")
    return used


def _issuer_and_serial(certificate: Certificate) -> bytes:
    return der.sequence(certificate.issuer.der, der.integer(certificate.serial))


def _key_id(certificate: Certificate) -> bytes | None:
    key_id = certificate.subject_key_id
    return der.implicit(0, der.octets(key_id)) if key_id else None
