"""Cosignatures (c2sp.org/tlog-cosignature v1): what a witness says of a checkpoint.

It says: at this time, this was the largest tree of that log I had seen, and it continues every earlier one. Ed25519
(type 0x04) and ML-DSA-44 (0x06) are the specification's; SM2 with SM3 signs the text that Ed25519 signs, under the
type left for algorithms without a number of their own (0xff), followed by `cosignature/v1`, a newline, and the DER
AlgorithmIdentifier and SubjectPublicKeyInfo.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from yinxin.crypto.errors import BadSignature
from yinxin.crypto.keys import Signer
from yinxin.crypto.suite import SM2_SM3
from yinxin.tlog.checkpoint import Checkpoint
from yinxin.tlog.errors import BadNoteSignature, UntrustedNote
from yinxin.tlog.note import NamedKey, Note, Signature

_HEADER = b"cosignature/v1\n"
_STAMP = 8
#: the last second that a calendar has; a cosignature of no time at all, or of a later one, is none
_LAST = int(datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp())


@dataclass(frozen=True, slots=True)
class CosignatureVerifier(NamedKey):
    """A witness's key, and the name it cosigns under."""

    TYPES: ClassVar[Mapping[str, bytes]] = {
        "ed25519": b"\x04",
        "ml-dsa-44": b"\x06",
        "sm2": b"\xff" + _HEADER + SM2_SM3.identifier,
    }

    def verify(self, line: Signature, checkpoint: Checkpoint) -> datetime:
        """When the witness says it cosigned; raises BadNoteSignature."""
        seconds = int.from_bytes(line.value[:_STAMP])
        if len(line.value) <= _STAMP or not 0 < seconds <= _LAST:
            raise BadNoteSignature(name=self.name)
        try:
            self.public_key.verify(
                line.value[_STAMP:], _message(self, checkpoint, seconds), what="cosignature"
            )
        except BadSignature as error:
            raise BadNoteSignature(name=self.name) from error
        return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class CosignatureSigner:
    """A witness's signing key, wherever it lives, and the name it cosigns under."""

    name: str
    key: Signer

    @property
    def verifier(self) -> CosignatureVerifier:
        """What outsiders verify with."""
        return CosignatureVerifier(self.name, self.key.public_key)

    def sign(self, checkpoint: Checkpoint, at: datetime) -> Signature:
        """The signature line over a checkpoint, to the second."""
        verifier, seconds = self.verifier, int(at.timestamp())
        value = self.key.sign(_message(verifier, checkpoint, seconds))
        return Signature(self.name, verifier.key_id, seconds.to_bytes(_STAMP) + value)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """That a witness has cosigned, and when."""

    by: CosignatureVerifier
    at: datetime


def cosigned(note: Note, trusted: Iterable[CosignatureVerifier]) -> tuple[Cosigned, ...]:
    """The trusted witnesses that cosigned a checkpoint, in the order of their lines.

    Raises MalformedNote for what is no checkpoint; BadNoteSignature for a line that names one of them and is not
    hers; UntrustedNote for two lines of one. Other lines are ignored.
    """
    known = {(each.name, each.key_id): each for each in trusted}
    checkpoint = Checkpoint.parse(note.text)
    found: dict[CosignatureVerifier, Cosigned] = {}
    for line in note.signatures:
        verifier = known.get((line.name, line.key_id))
        if verifier is None:
            continue
        if verifier in found:
            raise UntrustedNote(reason=f"a repeated signature by {line.name}")
        found[verifier] = Cosigned(verifier, verifier.verify(line, checkpoint))
    return tuple(found.values())


def _message(key: NamedKey, checkpoint: Checkpoint, seconds: int) -> bytes:
    """What is signed; the two messages of the specification begin differently, so none can pass for the other."""
    if key.public_key.algorithm == "ml-dsa-44":
        name, origin = key.name.encode(), checkpoint.origin.encode()
        if max(len(name), len(origin)) > 255:
            raise BadNoteSignature(name=key.name)
        return b"".join(
            (
                b"subtree/v1\n\0",
                bytes((len(name),)) + name,
                seconds.to_bytes(8),
                bytes((len(origin),)) + origin,
                (0).to_bytes(8),
                checkpoint.size.to_bytes(8),
                checkpoint.root,
            )
        )
    return b"%stime %d\n%s" % (_HEADER, seconds, checkpoint.text().encode())
