"""Evidence: one file that proves an act to a stranger, offline, years later."""

from yinxin.evidence.attached import Attached
from yinxin.evidence.attribute import Beside
from yinxin.evidence.bundle import Bundle, SignedAct, pack, to_sign
from yinxin.evidence.container import MEDIA_TYPE
from yinxin.evidence.delegation import SIGNED_DELEGATION, SignedDelegation
from yinxin.evidence.errors import (
    AlgorithmLapsed,
    BeyondAuthority,
    BeyondDelegation,
    DelegationMissing,
    EvidenceAltered,
    EvidenceMismatch,
    MalformedEvidence,
    TrustMissing,
    UnknownFile,
)
from yinxin.evidence.extract import Extract, ExtractedEntry
from yinxin.evidence.judged import NotJudged
from yinxin.evidence.record import Ages, EvidenceRecord
from yinxin.evidence.stretch import (
    OutsideStretch,
    Question,
    QuestionUnclear,
    RecordsMissed,
    SomethingDone,
    Stretch,
)
from yinxin.evidence.trust import Trust
from yinxin.evidence.verify import verify

__all__ = [
    "MEDIA_TYPE",
    "SIGNED_DELEGATION",
    "Ages",
    "AlgorithmLapsed",
    "Attached",
    "Beside",
    "BeyondAuthority",
    "BeyondDelegation",
    "Bundle",
    "DelegationMissing",
    "EvidenceAltered",
    "EvidenceMismatch",
    "EvidenceRecord",
    "Extract",
    "ExtractedEntry",
    "MalformedEvidence",
    "NotJudged",
    "OutsideStretch",
    "Question",
    "QuestionUnclear",
    "RecordsMissed",
    "SignedAct",
    "SignedDelegation",
    "SomethingDone",
    "Stretch",
    "Trust",
    "TrustMissing",
    "UnknownFile",
    "pack",
    "to_sign",
    "verify",
]
