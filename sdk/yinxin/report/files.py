"""The files inside a report, and the one spelling of its proofs.

| file | holds |
| --- | --- |
| `report.json` | the report itself, canonical JSON (RFC 8785): what was asked, what is said, tables, and the digests of the other files |
| `entries.jsonl` | the entries it was made from, in the log's order: each line the octets of a leaf |
| `*.csv` | its tables |
| `proofs.json` | where in the log each line stands, all against one signed checkpoint |
| `record.tlog-proof` | the proof of the entry that records the making of this very report |
| `log.policy` | who the log's witnesses are, by its own word (c2sp.org/tlog-policy); absent where it has none |

The proofs are made after the report is recorded, so its digests do not cover the last three; each proves itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from yinxin import canonical, pdf
from yinxin.canonical import NotCanonical
from yinxin.evidence.errors import EvidenceMismatch
from yinxin.pdf import PdfNotSealed
from yinxin.text import Text
from yinxin.tlog import LogProof, Note
from yinxin.tlog.note import decode_base64, encode_base64

REPORT, ENTRIES, PROOFS, RECORD = "report.json", "entries.jsonl", "proofs.json", "record.tlog-proof"
#: the log's own policy of witnesses, where it has one: it tells whose cosignatures the checkpoints carry
POLICY = "log.policy"
#: what a report says that it is
TYPE = "audit-report"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the log an entry stands, and the hashes that lead from it to the root."""

    index: int
    hashes: tuple[bytes, ...]


def encode_proofs(checkpoint: bytes, places: Sequence[Place]) -> bytes:
    """The proofs of a report's entries, in their order, against one signed checkpoint."""
    return canonical.encode(
        {
            "v": 1,
            "checkpoint": checkpoint.decode(),
            "entries": [
                {"index": place.index, "hashes": [encode_base64(each) for each in place.hashes]}
                for place in places
            ],
        }
    )


def decode_proofs(data: bytes, leaves: Sequence[bytes]) -> list[LogProof]:
    """A proof of each line; raises EvidenceMismatch when they are not as many, or of another form."""
    try:
        value: Any = canonical.decode(data)
        checkpoint = Note.decode(value["checkpoint"].encode())
        places = [
            Place(each["index"], tuple(decode_base64(hash_) for hash_ in each["hashes"]))
            for each in value["entries"]
        ]
        wrong = (
            value["v"] != 1
            or len(places) != len(leaves)
            or not all(type(each.index) is int for each in places)
        )
    except (KeyError, TypeError, ValueError, AttributeError, NotCanonical) as error:
        raise EvidenceMismatch(what=Text("证明的格式不符", "proofs of another form")) from error
    if wrong:
        raise EvidenceMismatch(what=Text("证明与记录的条数不符", "as many proofs as entries"))
    pairs = zip(leaves, places, strict=True)
    return [LogProof(leaf, place.index, place.hashes, checkpoint) for leaf, place in pairs]


def is_report(data: bytes) -> bool:
    """Whether these are the octets of a PDF that carries a report; whether it holds is for `verify`."""
    if not data.startswith(b"%PDF"):
        return False
    try:
        return REPORT in pdf.attachments(data)
    except PdfNotSealed:
        return False
