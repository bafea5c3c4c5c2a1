"""Evidence: one file that proves an act to a stranger, offline, years later."""

from yinxin.evidence.bundle import Bundle, SignedAct, pack, to_sign
from yinxin.evidence.container import MEDIA_TYPE
from yinxin.evidence.errors import (
    EvidenceAltered,
    EvidenceMismatch,
    MalformedEvidence,
    TrustMissing,
    UnknownFile,
)
from yinxin.evidence.trust import Trust
from yinxin.evidence.verify import verify

__all__ = [
    "MEDIA_TYPE",
    "Bundle",
    "EvidenceAltered",
    "EvidenceMismatch",
    "MalformedEvidence",
    "SignedAct",
    "Trust",
    "TrustMissing",
    "UnknownFile",
    "pack",
    "to_sign",
    "verify",
]
