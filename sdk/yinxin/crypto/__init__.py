"""Suites, keys, certificates, path validation, CMS, timestamps and revocation status, for every suite alike."""

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.cms import (
    SignedBy,
    sign_attached,
    sign_detached,
    verify_attached,
    verify_detached,
    with_timestamp,
)
from yinxin.crypto.keys import Identity, PrivateKey, PublicKey, Signer
from yinxin.crypto.names import Name
from yinxin.crypto.path import RevocationEvidence, Usage, ValidatedPath, validate
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.status import CertificateList, Good, OcspRequest, OcspResponse, Reason, Revoked, Unknown
from yinxin.crypto.suite import INTL, PQ, SM, HashAlgorithm, SignatureAlgorithm, Suite
from yinxin.crypto.tbs import CertificateTemplate
from yinxin.crypto.timestamps import Token

__all__ = [
    "INTL",
    "PQ",
    "SM",
    "Certificate",
    "CertificateList",
    "CertificateTemplate",
    "CertificationRequest",
    "Good",
    "HashAlgorithm",
    "Identity",
    "Name",
    "OcspRequest",
    "OcspResponse",
    "PrivateKey",
    "PublicKey",
    "Reason",
    "RevocationEvidence",
    "Revoked",
    "SignatureAlgorithm",
    "SignedBy",
    "Signer",
    "Suite",
    "Token",
    "Unknown",
    "Usage",
    "ValidatedPath",
    "sign_attached",
    "sign_detached",
    "validate",
    "verify_attached",
    "verify_detached",
    "with_timestamp",
]
