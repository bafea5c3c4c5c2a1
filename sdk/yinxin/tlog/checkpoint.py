"""Checkpoints (c2sp.org/tlog-checkpoint v1.0.0): a log's name, size and root, as the text of a signed note."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from yinxin.crypto.suite import Suite
from yinxin.tlog.errors import MalformedNote, UntrustedNote
from yinxin.tlog.note import Note, NoteVerifier, decode_base64, encode_base64

#: sizes beyond this are no honest log's, and would not fit a database's integer
LARGEST_SIZE = 2**63 - 1


def decimal(text: str) -> int:
    """A size or index in ASCII decimal without leading zeros; raises ValueError."""
    if not (text.isascii() and text.isdigit()) or (text[0] == "0" and text != "0") or len(text) > 19:
        raise ValueError("not a decimal number")
    number = int(text)
    if number > LARGEST_SIZE:
        raise ValueError("the number is too large")
    return number


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: `origin` names it, `root` is the root hash (32 octets) over its first `size` entries."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text."""
        return f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a note text; raises MalformedNote. Extension lines are refused: nobody can audit them."""
        try:
            origin, size, root, end = text.split("\n")
            checkpoint = cls(origin, decimal(size), decode_base64(root))
        except ValueError as error:
            raise MalformedNote(reason="not origin, size and root hash") from error
        if not origin or end or len(checkpoint.root) != 32:
            raise MalformedNote(reason="not origin, size and root hash")
        return checkpoint

    @classmethod
    def open(cls, note: Note, trusted: Iterable[NoteVerifier], *, strict: bool = False) -> tuple[Self, Suite]:
        """The checkpoint of a note signed by its own log's trusted key, and that key's suite.

        The suite's hash is the tree's. Raises MalformedNote, BadNoteSignature, UntrustedNote: no trusted key of the
        name that the origin line gives has signed, or keys of two suites have.
        """
        signed = note.verify(trusted, strict=strict)
        checkpoint = cls.parse(note.text)
        suites = {
            each.public_key.suite.name: each.public_key.suite
            for each in signed
            if each.name == checkpoint.origin
        }
        if len(suites) != 1:
            raise UntrustedNote(reason=f"not signed by a trusted key of {checkpoint.origin}")
        return checkpoint, suites.popitem()[1]
