"""Making a seal: its maker signs picture, name and the certificates of those who may use it."""

from collections.abc import Sequence
from datetime import datetime

from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.cms import Timestamper
from yinxin.crypto.keys import Identity
from yinxin.crypto.seal.errors import MalformedSeal
from yinxin.crypto.seal.form import CERTIFICATES, DIGESTS, Picture, Seal, Version, read
from yinxin.crypto.suite import HashAlgorithm

#: who wrote it, for readers that tell implementations apart (SES_Header.Vid)
VENDOR = "YINXIN"
#: what a digest's type says; the standard leaves it to the maker
_DIGEST_TYPE = {"sm3": "SM3", "sha256": "SHA256"}


def make(
    maker: Identity,
    *,
    id: str,  # noqa: A002 - the structure's own word, esID
    type: int,  # noqa: A002 - the structure's own word
    name: str,
    users: Sequence[Certificate],
    picture: Picture,
    created: datetime,
    valid_from: datetime,
    valid_until: datetime,
    version: Version = Version.GBT_2020,
    by_digest: bool = False,
    timestamp: Timestamper | None = None,
) -> Seal:
    """A seal of version 4 (GB/T 38540-2020) or 5 (GM/T 0031-2025), signed by `maker`; times are kept to the second.

    `id` (ASCII) is unique for the maker. `by_digest` names the users by the digest of the maker's suite instead of by
    their certificates. `timestamp` is for version 5: its token over the signature value goes in.

    Raises MalformedSeal for what a seal cannot say, and whatever the maker's key raises.
    """
    if version == Version.GMT_2014 or (timestamp and version != Version.GMT_2025):
        raise MalformedSeal(reason=f"version {int(version)} is not written so")
    hash_ = maker.key.public_key.signature_algorithm.hash
    try:
        information = der.sequence(
            der.sequence(der.ia5("ES"), der.integer(version), der.ia5(VENDOR)),
            der.ia5(id),
            der.sequence(
                der.integer(type),
                der.utf8(name),
                der.integer(DIGESTS if by_digest else CERTIFICATES),
                der.sequence(
                    *(_digest(each, hash_) if by_digest else der.octets(each.der) for each in users)
                ),
                *(der.generalized(each) for each in (created, valid_from, valid_until)),
            ),
            der.sequence(
                der.ia5(picture.format),
                der.octets(picture.data),
                der.integer(picture.width),
                der.integer(picture.height),
            ),
        )
    except UnicodeEncodeError as error:
        raise MalformedSeal(reason=str(error)) from error
    signature = maker.key.sign(information)
    made = read(
        der.sequence(
            information,
            der.octets(maker.certificate.der),
            der.oid(maker.key.public_key.signature_algorithm.oid),
            der.bits(signature),
            der.explicit(0, der.bits(timestamp(signature))) if timestamp else b"",
        )
    )
    made.check_signature()  # a module that signs wrongly is found out here, and not by a stranger
    return made


def _digest(certificate: Certificate, hash_: HashAlgorithm) -> bytes:
    if hash_.name not in _DIGEST_TYPE:
        raise MalformedSeal(reason=f"users are not named by {hash_.name}")
    return der.sequence(der.printable(_DIGEST_TYPE[hash_.name]), der.octets(hash_.digest(certificate.der)))
