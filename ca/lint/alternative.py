"""Rules about alternative signatures (X.509 (10/2019) 9.8); that they are not critical is among those of RFC 5280."""

from collections.abc import Iterator

from ca.lint.case import Case, Rules
from yinxin.crypto import alternative, der, oids
from yinxin.errors import YinxinError

rules = Rules()


@rules("X.509 9.8.2: subjectAltPublicKeyInfo")
def second_key(case: Case) -> Iterator[str]:
    """Only of an authority, of a kind that signs, and not the key that it stands beside."""
    certificate = case.certificate
    try:
        key = alternative.key_of(certificate)
    except YinxinError:
        yield "the second key is not a readable key"
        return
    if key is None:
        return
    if not certificate.is_ca or not key.signs:
        yield "a second key is for authorities, and signs"
    if key.algorithm == certificate.public_key.algorithm:
        yield "the second key is of the same kind as the first"


@rules("X.509 9.8.3 and 9.8.4: altSignatureAlgorithm, altSignatureValue")
def signature(case: Case) -> Iterator[str]:
    """Both or neither, by the way in which the issuer's second key signs, and last of all extensions."""
    extensions, second = case.certificate.extensions, case.issuer.second
    told, value = (extensions.get(oid) for oid in (oids.ALTERNATIVE_ALGORITHM, oids.ALTERNATIVE_SIGNATURE))
    if (told is None) != (value is None):
        yield "an alternative signature goes with its algorithm"
    if told is None or value is None:
        return
    if second is None or told.value != second.algorithm.identifier:
        yield "the alternative signature is not in the way of the issuer's second key"
    if list(extensions)[-1] != oids.ALTERNATIVE_SIGNATURE:
        yield "the alternative signature is not the last extension"
    try:
        der.octets_of_bits(value.value)
    except (YinxinError, ValueError):
        yield "the alternative signature is no BIT STRING"


@rules("profile: alternative")
def wanted(case: Case) -> Iterator[str]:
    """There when the profile says so, by that kind of key; and in the certificate of an authority that has a second key."""
    given = oids.ALTERNATIVE_SIGNATURE in case.certificate.extensions
    needed = bool(case.profile.alternative) or oids.ALTERNATIVE_KEY in case.certificate.extensions
    if given != needed:
        yield "an alternative signature is missing, or not the profile's"
    second = case.issuer.second
    kind = second.public_key.algorithm if second else "none"
    if case.profile.alternative not in ("", kind):
        yield f"the issuer's second key is {kind}, not {case.profile.alternative}"
