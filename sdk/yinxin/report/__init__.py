"""Audit reports: a sealed PDF that carries the entries it was made from, and the proof of each (extra `yinxin[pdf]`)."""

from yinxin.report.files import (
    ENTRIES,
    POLICY,
    PROOFS,
    RECORD,
    REPORT,
    TYPE,
    Place,
    decode_proofs,
    encode_proofs,
    is_report,
)
from yinxin.report.verify import verify

__all__ = [
    "ENTRIES",
    "POLICY",
    "PROOFS",
    "RECORD",
    "REPORT",
    "TYPE",
    "Place",
    "decode_proofs",
    "encode_proofs",
    "is_report",
    "verify",
]
