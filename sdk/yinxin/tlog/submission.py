"""What a log hands to a witness (c2sp.org/tlog-witness, `add-checkpoint`), by HTTPS or in a file.

old <size that the witness has cosigned last>
<base64 hash>                  the consistency proof from there
(empty line)
<the signed checkpoint>
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from yinxin.tlog.checkpoint import Checkpoint, decimal
from yinxin.tlog.errors import MalformedNote, MalformedSubmission
from yinxin.tlog.note import LARGEST_NOTE, Note, Signature, decode_base64, encode_base64

#: lines of a consistency proof (the specification's limit)
MOST_HASHES = 63
#: octets: the longest proof, the longest note, and the first line
LARGEST_SUBMISSION = LARGEST_NOTE + 46 * MOST_HASHES + 64
SIZE_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint, and the proof that it continues the log's first `old` entries."""

    old: int
    hashes: tuple[bytes, ...]
    checkpoint: Note

    def encode(self) -> bytes:
        """The request body's octets."""
        lines = (f"old {self.old}", *map(encode_base64, self.hashes), "", "")
        return "\n".join(lines).encode() + self.checkpoint.encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a request body in its one spelling; raises MalformedSubmission, MalformedNote."""
        head, blank, note = data.partition(b"\n\n")
        if not blank or len(data) > LARGEST_SUBMISSION:
            raise MalformedSubmission(reason="no proof, empty line and checkpoint, or too long")
        try:
            old, *hashes = head.decode("ascii").split("\n")
            found = cls(
                decimal(old.removeprefix("old ")), tuple(map(decode_base64, hashes)), Note.decode(note)
            )
        except (ValueError, IndexError) as error:
            raise MalformedSubmission(reason="its head is not the old size and hashes") from error
        if len(hashes) > MOST_HASHES or any(len(each) != 32 for each in found.hashes):
            raise MalformedSubmission(reason="too many hashes, or hashes of another size")
        if found.encode() != data:
            raise MalformedSubmission(reason="another spelling of the same submission")
        if found.old > Checkpoint.parse(found.checkpoint.text).size:
            raise MalformedSubmission(reason="the old size is larger than the checkpoint's")
        return found


def encode_lines(text: str, lines: Iterable[Signature]) -> bytes:
    """Signature lines over a note text, as a witness answers."""
    return Note(text, tuple(lines)).encode()[len(text.encode()) + 1 :]


def decode_lines(text: str, data: bytes) -> tuple[Signature, ...]:
    """Read a witness's answer about a note text; raises MalformedNote."""
    if len(data) > LARGEST_NOTE:
        raise MalformedNote(reason="too long")
    return Note.decode(text.encode() + b"\n" + data).signatures
