"""A log proof: one entry, and everything needed to see offline that a log holds it (c2sp.org/tlog-proof v1).

    c2sp.org/tlog-proof@v1
    extra <base64 of the entry>
    index <position in the log>
    <base64 hash>                  one per level, from the leaf's sibling to the root's child
    (empty line)
    <the signed checkpoint>

The entry travels in the line that the format leaves to applications; it is bound by the proof itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from yinxin.tlog.checkpoint import Checkpoint, decimal
from yinxin.tlog.cosignature import CosignatureVerifier, cosigned
from yinxin.tlog.errors import MalformedProof
from yinxin.tlog.merkle import leaf_hash, verify_inclusion
from yinxin.tlog.note import LARGEST_NOTE, Note, NoteVerifier, decode_base64, encode_base64

FORMAT = "c2sp.org/tlog-proof@v1"
#: octets; entries are records of acts, a few hundred octets each
LARGEST_PROOF = 16 * 1024 * 1024
#: more levels than a tree of 2^63 leaves has
_MOST_HASHES = 63


@dataclass(frozen=True, slots=True)
class LogProof:
    """That `entry` stands at `index` of the log whose signed checkpoint is `checkpoint`, by way of `hashes`."""

    entry: bytes
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: Note

    def encode(self) -> bytes:
        """The proof file's octets."""
        head = (
            FORMAT,
            f"extra {encode_base64(self.entry)}",
            f"index {self.index}",
            *map(encode_base64, self.hashes),
        )
        return "\n".join((*head, "", "")).encode() + self.checkpoint.encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a proof in its one spelling; raises MalformedProof or MalformedNote."""
        head, blank, note = data.partition(b"\n\n")
        if not blank or len(data) > LARGEST_PROOF or len(note) > LARGEST_NOTE:
            raise MalformedProof(reason="no head, empty line and checkpoint, or too long")
        try:
            form, extra, index, *hashes = head.decode("ascii").split("\n")
            proof = cls(
                decode_base64(extra.removeprefix("extra ")),
                decimal(index.removeprefix("index ")),
                tuple(decode_base64(each) for each in hashes),
                Note.decode(note),
            )
        except (ValueError, IndexError) as error:
            raise MalformedProof(reason="its head is not form, entry, index and hashes") from error
        if form != FORMAT or len(hashes) > _MOST_HASHES or any(len(each) != 32 for each in proof.hashes):
            raise MalformedProof(reason="another form, or hashes of another size")
        if proof.encode() != data:
            raise MalformedProof(reason="another spelling of the same proof")
        return proof

    def verify(
        self, trusted: Iterable[NoteVerifier], witnesses: Iterable[CosignatureVerifier] = ()
    ) -> Checkpoint:
        """Verify signatures and inclusion, and give the checkpoint that holds; raises an error of this package.

        Every signature on the checkpoint must be by a trusted key or by one of `witnesses`, and hold; whether enough
        witnesses cosigned is a policy's to say (`Policy.check`). The tree's hash is that of the log key's suite.
        """
        logs, cosigners = list(trusted), list(witnesses)
        checkpoint, suite = Checkpoint.open(self.checkpoint, logs)
        cosigned(self.checkpoint, cosigners)
        self.checkpoint.refuse_foreign((*logs, *cosigners))
        leaf = leaf_hash(suite.hash, self.entry)
        verify_inclusion(
            suite.hash, leaf, self.index, size=checkpoint.size, proof=self.hashes, root=checkpoint.root
        )
        return checkpoint
