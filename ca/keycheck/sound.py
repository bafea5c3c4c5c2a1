"""Whether a key may be certified at all: of a kind and size that the profile certifies, and not one that can be broken."""

from functools import lru_cache

from ca.errors import WeakKey
from ca.keycheck.edwards import check_point
from ca.keycheck.rsa import check_rsa
from ca.profile import Profile
from yinxin.crypto import der
from yinxin.crypto.keys import PublicKey

#: keys whose verdict is remembered: renewals and retries bring the same ones
_REMEMBERED = 4096


def sound(key: PublicKey, profile: Profile) -> None:
    """Raises WeakKey or one of its kin: UnfitExponent, FactorKnown, RocaKey, CloseFactors, UnfitPoint."""
    # what is wrong with the key itself first: a new one of the same make and another size would be no better
    if key.algorithm in _CHECKS:
        _check(key.algorithm, key.spki)
    size, least, most = bits(key), profile.smallest_rsa, profile.largest_rsa
    if key.algorithm not in profile.keys or (key.algorithm == "rsa" and not least <= size <= most):
        accepted = ", ".join(f"{k}-{least}–{most}" if k == "rsa" else k for k in profile.keys)
        raise WeakKey(algorithm=key.algorithm, bits=size, profile=profile.name, accepted=accepted)


def bits(key: PublicKey) -> int:
    """Size of an RSA modulus (RFC 8017 A.1.1), of a point's coordinate, or of another key's public half."""
    if key.algorithm == "rsa":
        return rsa_numbers(key.spki)[0].bit_length()
    public = _public(key.spki)
    return 4 * (len(public) - 1) if key.algorithm.startswith(("ecdsa", "sm2")) else 8 * len(public)


def rsa_numbers(spki: bytes) -> tuple[int, int]:
    """(modulus, exponent) of an RSA key's SubjectPublicKeyInfo (RFC 8017 A.1.1)."""
    modulus, exponent = der.elements(_public(spki))
    return der.number(modulus), der.number(exponent)


def _public(spki: bytes) -> bytes:
    return der.octets_of_bits(der.elements(spki)[1])


_CHECKS = {
    "rsa": lambda spki: check_rsa(*rsa_numbers(spki)),
    "ed25519": lambda spki: check_point(_public(spki)),
}


@lru_cache(maxsize=_REMEMBERED)
def _check(algorithm: str, spki: bytes) -> None:
    """A good verdict is remembered; a refusal is found again each time."""
    _CHECKS[algorithm](spki)
