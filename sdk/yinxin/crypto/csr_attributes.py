"""What a certification request should contain, as EST (CsrAttrs, RFC 7030 4.5.2, RFC 8951 section 3) and CMP tell it."""

from collections.abc import Sequence

from yinxin.crypto import der, oids
from yinxin.crypto.suite import ECDSA_SHA256, ECDSA_SHA384, ED25519, RSA_SHA256, SM2_SM3

_RSA, _EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_CURVES = {"ecdsa-p256": "1.2.840.10045.3.1.7", "ecdsa-p384": "1.3.132.0.34", "sm2": oids.SM2_CURVE}
_SIGNATURES = {
    "ecdsa-p256": ECDSA_SHA256,
    "ecdsa-p384": ECDSA_SHA384,
    "rsa": RSA_SHA256,
    "ed25519": ED25519,
    "sm2": SM2_SM3,
}


def build_csr_attributes(keys: Sequence[str], smallest_rsa: int, extensions: Sequence[str]) -> bytes:
    """CsrAttrs in DER: the kinds of key (as in `PublicKey.algorithm`) that are certified, and the extensions to ask for.

    Curves stand as values of their key algorithm, the smallest modulus (bits) likewise; each extension and each way
    to sign as a bare object identifier.
    """
    told: list[bytes] = []
    if curves := [der.oid(_CURVES[key]) for key in keys if key in _CURVES]:
        told.append(der.sequence(der.oid(_EC), der.set_of(curves)))
    if "rsa" in keys:
        told.append(der.sequence(der.oid(_RSA), der.set_of([der.integer(smallest_rsa)])))
    told += [der.oid(_SIGNATURES[key].oid) for key in keys if key in _SIGNATURES]
    told += [der.oid(each) for each in extensions]
    return der.sequence(*told)


def key_specifications(keys: Sequence[str], smallest_rsa: int) -> bytes:
    """The same for CMP's certificate template (RFC 9810 5.3.19.16): regCtrl-algId for curves, regCtrl-rsaKeyLen for RSA."""
    control = "1.3.6.1.5.5.7.5.1"
    told = [
        der.sequence(der.oid(f"{control}.11"), der.sequence(der.oid(_EC), der.oid(_CURVES[key])))
        for key in keys
        if key in _CURVES
    ]
    if "rsa" in keys:
        told.append(der.sequence(der.oid(f"{control}.12"), der.integer(smallest_rsa)))
    return der.sequence(*told)
