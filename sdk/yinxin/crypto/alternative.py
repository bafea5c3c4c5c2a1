"""A second signature in one certificate (X.509 (10/2019) 9.8): by another algorithm, in extensions that old readers pass over.

A certificate signed so says with which algorithm (altSignatureAlgorithm) and holds the signature (altSignatureValue); an
authority's also holds the second key that makes such signatures (subjectAltPublicKeyInfo). None of them is critical.

The alternative signature is over PreTBSCertificate: the TBSCertificate without its field `signature` and without
altSignatureValue. The first signature is over the whole TBSCertificate, and so over the alternative one as well. Hence the
order of making: everything but the value, the alternative signature, the value put in, the first signature.
"""

from collections.abc import Sequence
from itertools import pairwise

from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate, algorithm_of
from yinxin.crypto.errors import (
    AlternativeMissing,
    BadAlternative,
    BadSignature,
    Malformed,
    UnsupportedAlgorithm,
)
from yinxin.crypto.oids import Extension
from yinxin.crypto.public_key import PublicKey
from yinxin.crypto.suite import SignatureAlgorithm

_SIGNATURE, _EXTENSIONS = 2, 0xA3  # place of the field `signature` in a TBSCertificate; tag of its extensions


def second_key(key: PublicKey) -> Extension:
    """subjectAltPublicKeyInfo: the subject's other key."""
    return Extension(oids.ALTERNATIVE_KEY, critical=False, value=key.spki)


def announced(algorithm: SignatureAlgorithm) -> Extension:
    """altSignatureAlgorithm: how the alternative signature is made."""
    return Extension(oids.ALTERNATIVE_ALGORITHM, critical=False, value=algorithm.identifier)


def pre_tbs(tbs: bytes) -> bytes:
    """PreTBSCertificate of a TBSCertificate with or without its alternative signature: what that one is over."""
    fields = der.elements(_with_value(tbs, None))
    return der.sequence(*fields[:_SIGNATURE], *fields[_SIGNATURE + 1 :])


def without_value(tbs: bytes) -> bytes:
    """The TBSCertificate without its alternative signature, if it has one: what is settled before that one is made."""
    return _with_value(tbs, None)


def completed(tbs: bytes, signature: bytes) -> bytes:
    """The TBSCertificate with this alternative signature as its last extension, in place of another if it has one."""
    return _with_value(tbs, signature)


def _with_value(tbs: bytes, signature: bytes | None) -> bytes:
    *fields, extensions = der.elements(tbs)
    der.require(extensions[0] == _EXTENSIONS, "no extensions")
    kept = [
        each
        for each in der.elements(der.tagged(extensions, 3))
        if Extension.read(each).oid != oids.ALTERNATIVE_SIGNATURE
    ]
    if signature is not None:
        kept.append(Extension(oids.ALTERNATIVE_SIGNATURE, critical=False, value=der.bits(signature)).der)
    return der.sequence(*fields, der.explicit(3, der.sequence(*kept)))


def key_of(certificate: Certificate) -> PublicKey | None:
    """The subject's second key; None when it has none. Raises MalformedKey or UnsupportedAlgorithm."""
    found = certificate.extensions.get(oids.ALTERNATIVE_KEY)
    return PublicKey(found.value) if found else None


def algorithm_in(certificate: Certificate) -> SignatureAlgorithm | None:
    """The algorithm of the alternative signature; None when there is none. Raises UnsupportedAlgorithm or MalformedDer."""
    found = certificate.extensions.get(oids.ALTERNATIVE_ALGORITHM)
    return algorithm_of(found.value, "alternative signature") if found else None


def verify(certificate: Certificate, key: PublicKey) -> None:
    """Verify the alternative signature under the issuer's second key; raises AlternativeMissing or BadAlternative."""
    name, value = certificate.subject.text, certificate.extensions.get(oids.ALTERNATIVE_SIGNATURE)
    try:
        algorithm = algorithm_in(certificate)
        if algorithm is None or value is None:
            raise AlternativeMissing(subject=name)
        signature = der.octets_of_bits(value.value)
        key.verify(signature, pre_tbs(certificate.tbs), algorithm, what="alternative signature")
    except (BadSignature, Malformed, UnsupportedAlgorithm, ValueError, IndexError) as error:
        raise BadAlternative(subject=name) from error


def require(chain: Sequence[Certificate]) -> None:
    """Hold every certificate of a path, from the leaf up to the anchor, to the second key of the one above it.

    For a path that `path.validate` found: alone it proves nothing about names, time or usage. The anchor is trusted with
    both its keys. Raises AlternativeMissing or BadAlternative.
    """
    for below, above in pairwise(chain):
        key = _key(above)
        if key is None:
            raise AlternativeMissing(subject=above.subject.text)
        verify(below, key)


def _key(authority: Certificate) -> PublicKey | None:
    try:
        return key_of(authority)
    except (Malformed, UnsupportedAlgorithm) as error:
        raise BadAlternative(subject=authority.subject.text) from error
