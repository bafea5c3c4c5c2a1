"""Whether a certificate was revoked: CRLs (RFC 5280 section 5) and OCSP (RFC 6960), made and read."""

from yinxin.crypto.status.crl import CertificateList, DistributionPoint, build_crl, entries_of, read_entries
from yinxin.crypto.status.ocsp import (
    CertId,
    OcspAnswer,
    OcspError,
    OcspRequest,
    OcspResponse,
    build_ocsp_error,
    build_ocsp_response,
)
from yinxin.crypto.status.words import Good, Reason, Revoked, Status, Unknown

__all__ = [
    "CertId",
    "CertificateList",
    "DistributionPoint",
    "Good",
    "OcspAnswer",
    "OcspError",
    "OcspRequest",
    "OcspResponse",
    "Reason",
    "Revoked",
    "Status",
    "Unknown",
    "build_crl",
    "build_ocsp_error",
    "build_ocsp_response",
    "entries_of",
    "read_entries",
]
