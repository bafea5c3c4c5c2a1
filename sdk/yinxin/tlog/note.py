"""Signed notes (c2sp.org/signed-note v1.0.0): a text, an empty line, signature lines.

Two kinds of key sign: Ed25519 (type 0x01), and SM2 with SM3 under the type left for algorithms without a number of
their own (0xff), followed by the DER AlgorithmIdentifier and SubjectPublicKeyInfo. Reading is strict: a note has one
spelling, so no byte of it can change unnoticed.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from yinxin.crypto import der
from yinxin.crypto.errors import BadSignature, MalformedDer, MalformedKey, UnsupportedAlgorithm
from yinxin.crypto.keys import PublicKey, Signer
from yinxin.crypto.suite import ED25519, ML_DSA_44, SM2_SM3
from yinxin.tlog.errors import BadNoteKey, BadNoteSignature, MalformedNote, UntrustedNote

#: more octets than the largest honest note: 16 signatures, some post-quantum
LARGEST_NOTE = 128 * 1024
#: em dash and space
_DASH = "\u2014 "
#: by kind of key, what stands before the octets that a key text holds, up to the end of the SubjectPublicKeyInfo; an
#: SM2 key is given whole, as there is no registered short form of it
_AROUND: Mapping[str, bytes] = {
    "ed25519": der.sequence(ED25519.identifier, der.bits(bytes(32)))[:-32],
    "ml-dsa-44": der.sequence(ML_DSA_44.identifier, der.bits(bytes(1312)))[:-1312],
    "sm2": b"",
}


def decode_base64(text: str) -> bytes:
    """Octets of the one canonical spelling (RFC 4648 section 4); raises ValueError for any other."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if encode_base64(data) != text:
        raise ValueError("base64 is not canonical")
    return data


def encode_base64(data: bytes) -> str:
    """The canonical base64 text (RFC 4648 section 4)."""
    return base64.b64encode(data).decode("ascii")


def _check_name(name: str) -> None:
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise BadNoteKey(key=name[:80], reason="a name is empty or holds a space or a plus sign")


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A public key and the name it signs under. The pair of the name and `key_id` is its identity."""

    #: by kind of key, what its octets begin with: the signature type, which says what is signed and how
    TYPES: ClassVar[Mapping[str, bytes]] = {}

    name: str
    public_key: PublicKey

    def __post_init__(self) -> None:
        _check_name(self.name)
        self.encoded  # noqa: B018 - refuses, here, a kind of key that cannot sign this

    @property
    def encoded(self) -> bytes:
        """Signature type and public key, as they stand in the key text."""
        kind = self.public_key.algorithm
        if kind not in self.TYPES:
            raise BadNoteKey(key=self.name, reason=f"a {kind} key does not sign this")
        return self.TYPES[kind] + self.public_key.spki.removeprefix(_AROUND[kind])

    @property
    def key_id(self) -> bytes:
        """The first four octets of SHA-256(name ‖ 0x0A ‖ type ‖ key); fixed by the format for every algorithm."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.encoded).digest()[:4]

    def encode(self) -> str:
        """The key text `name+hex(key id)+base64(type ‖ key)`."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(self.encoded)}"

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read a key text; raises BadNoteKey."""
        try:
            name, key_id, rest = text.split("+", 2)
            key = cls(name, cls._public_key(decode_base64(rest)))
            right = key.key_id.hex() == key_id
        except (ValueError, MalformedKey, MalformedDer, UnsupportedAlgorithm) as error:
            raise BadNoteKey(key=text[:80], reason="not name+id+key of a known type") from error
        if not right or key.encode() != text:
            raise BadNoteKey(key=text[:80], reason="the key id belongs to another key")
        return key

    @classmethod
    def _public_key(cls, encoded: bytes) -> PublicKey:
        for kind, prefix in cls.TYPES.items():
            if encoded.startswith(prefix):
                key = PublicKey.load(_AROUND[kind] + encoded.removeprefix(prefix))
                if key.algorithm == kind:
                    return key
        raise ValueError("unknown signature type")


@dataclass(frozen=True, slots=True)
class NoteVerifier(NamedKey):
    """A key that notes are verified with, and the name it signs under."""

    TYPES: ClassVar[Mapping[str, bytes]] = {"ed25519": b"\x01", "sm2": b"\xff" + SM2_SM3.identifier}


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: key name, key id (4 octets) and what the key's algorithm gave."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A signing key, wherever it lives, and the name it signs under."""

    name: str
    key: Signer

    @property
    def verifier(self) -> NoteVerifier:
        """What outsiders verify with."""
        return NoteVerifier(self.name, self.key.public_key)

    def sign(self, text: str) -> Signature:
        """The signature line for a note text."""
        return Signature(self.name, self.verifier.key_id, self.key.sign(text.encode()))


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def sign(cls, text: str, signers: Iterable[NoteSigner]) -> Self:
        """A note of `text` with a signature by each signer."""
        return cls(text, tuple(signer.sign(text) for signer in signers))

    def encode(self) -> bytes:
        """The note's octets."""
        lines = (
            f"{_DASH}{each.name} {encode_base64(each.key_id + each.value)}\n" for each in self.signatures
        )
        return f"{self.text}\n{''.join(lines)}".encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a note in its one spelling; raises MalformedNote."""
        if len(data) > LARGEST_NOTE:
            raise MalformedNote(reason="too long")
        try:
            whole = data.decode()
        except UnicodeDecodeError as error:
            raise MalformedNote(reason="not UTF-8") from error
        if any(character < " " and character != "\n" for character in whole):
            raise MalformedNote(reason="control characters")
        text, blank, lines = whole.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise MalformedNote(reason="no text, empty line and signature lines")
        note = cls(text + "\n", tuple(_signature(line) for line in lines[:-1].split("\n")))
        if note.encode() != data:
            raise MalformedNote(reason="another spelling of the same note")
        return note

    def refuse_foreign(self, keys: "Iterable[NamedKey]") -> None:
        """Raise UntrustedNote for a line by none of these keys, or two by one: no octet may be there unexplained."""
        named = {(each.name, each.key_id) for each in keys}
        seen: set[tuple[str, bytes]] = set()
        for line in self.signatures:
            key = (line.name, line.key_id)
            if key not in named or key in seen:
                raise UntrustedNote(reason=f"a foreign or repeated signature by {line.name}")
            seen.add(key)

    def verify(self, trusted: Iterable[NoteVerifier], *, strict: bool = False) -> tuple[NoteVerifier, ...]:
        """The trusted keys that signed; raises BadNoteSignature, or UntrustedNote when none did.

        `strict`, for evidence, also refuses lines by keys that are not trusted, and repeated lines.
        """
        known = {(each.name, each.key_id): each for each in trusted}
        signed: list[NoteVerifier] = []
        for line in self.signatures:
            verifier = known.get((line.name, line.key_id))
            if verifier is None or verifier in signed:
                if strict:
                    raise UntrustedNote(reason=f"a foreign or repeated signature by {line.name}")
                continue
            try:
                verifier.public_key.verify(line.value, self.text.encode(), what="note")
            except BadSignature as error:
                raise BadNoteSignature(name=line.name) from error
            signed.append(verifier)
        if not signed:
            raise UntrustedNote(reason="no signature by a trusted key")
        return tuple(signed)


def _signature(line: str) -> Signature:
    name, space, text = line.removeprefix(_DASH).partition(" ")
    try:
        _check_name(name)
        value = decode_base64(text)
    except (ValueError, BadNoteKey) as error:
        raise MalformedNote(reason="a signature line is malformed") from error
    if not space or len(value) <= 4:  # the prefix is held by encoding the whole note again
        raise MalformedNote(reason="a signature line is malformed")
    return Signature(name, value[:4], value[4:])
