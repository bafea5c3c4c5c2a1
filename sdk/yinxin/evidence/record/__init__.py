"""Evidence records (RFC 4998): proof that outlives the certificates and algorithms of its timestamps, by renewing them in time."""

from yinxin.crypto.ages import Ages
from yinxin.evidence.record.errors import MalformedRecord, RecordBroken, RecordLapsed, RenewedTooLate
from yinxin.evidence.record.form import EvidenceRecord, Link
from yinxin.evidence.record.form import Path as HashPath
from yinxin.evidence.record.renew import hash_preimage, joined, renewed
from yinxin.evidence.record.verify import Followed, end_of, fits, follow, names_of

__all__ = [
    "Ages",
    "EvidenceRecord",
    "Followed",
    "HashPath",
    "Link",
    "MalformedRecord",
    "RecordBroken",
    "RecordLapsed",
    "RenewedTooLate",
    "end_of",
    "fits",
    "follow",
    "hash_preimage",
    "joined",
    "names_of",
    "renewed",
]
