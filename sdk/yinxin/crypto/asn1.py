"""The national (GM/T 0006) object identifiers, made known to asn1crypto before its first use.

asn1crypto keeps its tables in class attributes and offers a registration call for curves only; the other tables are
extended here, once, in the one module that every reader of this room imports.
"""

from typing import Any

from asn1crypto import algos, cms, core, keys, tsp, x509

SM2_CURVE = "1.2.156.10197.1.301"
SM2_SIGNATURE = "1.2.156.10197.1.301.1"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
SM3 = "1.2.156.10197.1.401"

#: GM/T 0010 clause 6: content types of the national cryptographic message syntax
GM_DATA = "1.2.156.10197.6.1.4.2.1"
GM_SIGNED_DATA = "1.2.156.10197.6.1.4.2.2"


def _name(table: type[core.ObjectIdentifier], oid: str, name: str) -> None:
    table._map[oid] = name  # noqa: SLF001 - asn1crypto has no public way to extend a table
    table._reverse_map = None  # noqa: SLF001 - rebuilt on the next look-up


def _specify(table: Any, name: str, spec: Any) -> None:
    table._oid_specs[name] = spec  # noqa: SLF001 - as above


def _register() -> None:
    keys.NamedCurve.register("sm2p256v1", SM2_CURVE, 32)
    _name(algos.DigestAlgorithmId, SM3, "sm3")
    for oid, name in ((SM2_WITH_SM3, "sm3_sm2"), (SM2_SIGNATURE, "sm2")):
        algos.SignedDigestAlgorithmId._map[oid] = name  # noqa: SLF001 - no public way
        algos.SignedDigestAlgorithmId._reverse_map[name] = oid  # noqa: SLF001 - hand-made in asn1crypto
    _name(cms.ContentType, GM_DATA, "gm_data")
    _name(cms.ContentType, GM_SIGNED_DATA, "gm_signed_data")
    _specify(cms.ContentInfo, "gm_signed_data", cms.SignedData)
    _specify(cms.ContentInfo, "gm_data", core.OctetString)


_register()

__all__ = [
    "GM_DATA",
    "GM_SIGNED_DATA",
    "SM2_CURVE",
    "SM2_SIGNATURE",
    "SM2_WITH_SM3",
    "SM3",
    "algos",
    "cms",
    "core",
    "keys",
    "tsp",
    "x509",
]
