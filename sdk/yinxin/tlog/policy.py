"""Policies of logs, witnesses and quorum (c2sp.org/tlog-policy): which checkpoints somebody believes.

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <name>…
    quorum <name>|none

A checkpoint is believed when one of the logs has signed it and the witnesses that cosigned it make up the quorum.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self, TypeVar

from yinxin.crypto.suite import Suite
from yinxin.text import Text
from yinxin.tlog.checkpoint import Checkpoint
from yinxin.tlog.cosignature import CosignatureVerifier, Cosigned, cosigned
from yinxin.tlog.errors import BadNoteKey, MalformedPolicy, QuorumMissed
from yinxin.tlog.note import NamedKey, Note, NoteVerifier

#: octets, and lines of one kind; the specification asks for 32 at least
LARGEST_POLICY = 1024 * 1024
MOST_LINES = 256
NONE = "none"

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log that is believed, and where it is."""

    verifier: NoteVerifier
    url: str | None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness, by the name that the policy gives it, and where it is."""

    name: str
    verifier: CosignatureVerifier
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Satisfied by `threshold` of its members, which are witnesses or groups."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that a policy believes: its log's suite, and which witnesses cosigned it, by the policy's names."""

    checkpoint: Checkpoint
    suite: Suite
    cosigned: Mapping[str, Cosigned]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file, read. `source` are its octets."""

    logs: tuple[PolicyLog, ...]
    witnesses: Mapping[str, PolicyWitness]
    groups: Mapping[str, Group]
    quorum: str
    source: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a policy file; raises MalformedPolicy with the line, from 1 (0: the file as a whole)."""
        reader = _Reader()
        for number, words in _lines(data):
            reader.line(number, words)
        if reader.quorum is None:
            raise MalformedPolicy(line=0, reason=Text("缺少 quorum 行", "there is no quorum line"))
        return cls(tuple(reader.logs), reader.witnesses, reader.groups, reader.quorum, data)

    def check(self, note: Note, *, strict: bool = False) -> Witnessed:
        """What the policy believes of a checkpoint.

        Raises MalformedNote, BadNoteSignature, UntrustedNote (no log of the policy signed it), QuorumMissed. `strict`,
        for evidence, also refuses lines by anybody whom the policy does not name.
        """
        logs = [each.verifier for each in self.logs]
        names = {each.verifier: each.name for each in self.witnesses.values()}
        checkpoint, suite = Checkpoint.open(note, logs)
        found = {names[each.by]: each for each in cosigned(note, names)}
        if strict:
            note.refuse_foreign((*logs, *names))
        if not self.satisfied(found):
            listed = "、".join(found), ", ".join(found)
            raise QuorumMissed(needed=self.words(), found=Text(listed[0] or "无", listed[1] or "none"))
        return Witnessed(checkpoint, suite, found)

    def satisfied(self, by: Mapping[str, object]) -> bool:
        """Whether the witnesses of these names make up the quorum."""
        if self.quorum == NONE:
            return True
        held = {name: name in by for name in self.witnesses}
        for name, group in self.groups.items():  # a group names only what stands before it
            held[name] = sum(held[member] for member in group.members) >= group.threshold
        return held[self.quorum]

    def words(self) -> Text:
        """The quorum as a sentence's part."""
        if self.quorum == NONE:
            return Text("无需见证", "no witness")
        said = {name: Text(name, name) for name in self.witnesses}
        for name, group in self.groups.items():
            members = [said[member] for member in group.members]
            zh, en = ("、".join(each.zh for each in members), ", ".join(each.en for each in members))
            said[name] = Text(f"（{zh}）中的 {group.threshold} 个", f"{group.threshold} of ({en})")
        return said[self.quorum]


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The lines that say something, by number. What is not UTF-8 is carried along: names are opaque octets."""
    if len(data) > LARGEST_POLICY:
        raise MalformedPolicy(line=0, reason=Text("文件过大", "the file is too large"))
    lines = data.split(b"\n")
    if lines.pop():
        raise MalformedPolicy(line=len(lines) + 1, reason=Text("末行没有换行", "the last line has no end"))
    for number, line in enumerate(lines, 1):
        if any((octet < 0x20 and octet != 0x09) or octet == 0x7F for octet in line):
            raise MalformedPolicy(line=number, reason=Text("含有控制字符", "control characters"))
        words = [
            word.decode("utf-8", "surrogateescape") for word in line.replace(b"\t", b" ").split(b" ") if word
        ]
        if words and not words[0].startswith("#"):
            yield number, words


@dataclass(slots=True)
class _Reader:
    """What has been read so far."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: dict[str, PolicyWitness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str | None = None
    grouped: set[str] = field(default_factory=set)
    number: int = 0

    def line(self, number: int, words: list[str]) -> None:
        self.number = number
        kinds: Mapping[str, tuple[Callable[..., None], range]] = {
            "log": (self._log, range(1, 3)),
            "witness": (self._witness, range(2, 4)),
            "group": (self._group, range(3, MOST_LINES)),
            "quorum": (self._quorum, range(1, 2)),
        }
        kind, *rest = words
        if kind not in kinds:
            raise self._wrong(f"不认识“{kind[:40]}”", f"“{kind[:40]}” is not known")
        read, lengths = kinds[kind]
        if len(rest) not in lengths:
            raise self._wrong("词的个数不对", "another number of words")
        read(*rest)

    def _log(self, vkey: str, url: str | None = None) -> None:
        verifier = self._key(NoteVerifier.decode, vkey)
        if len(self.logs) == MOST_LINES or any(_same(verifier, each.verifier) for each in self.logs):
            raise self._wrong("日志公钥重复或过多", "a log's key twice, or too many logs")
        self.logs.append(PolicyLog(verifier, url))

    def _witness(self, name: str, vkey: str, url: str | None = None) -> None:
        self._new(name)
        verifier = self._key(CosignatureVerifier.decode, vkey)
        if any(_same(verifier, each.verifier) for each in self.witnesses.values()):
            raise self._wrong("见证公钥重复", "a witness's key twice")
        self.witnesses[name] = PolicyWitness(name, verifier, url)

    def _group(self, name: str, threshold: str, *members: str) -> None:
        for member in members:
            if member not in self.witnesses and member not in self.groups:
                raise self._wrong(f"{member[:40]} 没有在前面定义", f"{member[:40]} is not defined before")
            if member in self.grouped:
                raise self._wrong(f"{member[:40]} 已在一个组中", f"{member[:40]} is in a group already")
            self.grouped.add(member)
        self._new(name)
        counts = {"any": "1", "all": str(len(members))}
        count = counts.get(threshold, threshold)
        if not (count.isascii() and count.isdigit() and len(count) <= 3 and 1 <= int(count) <= len(members)):
            raise self._wrong(
                "门限须为 all、any 或 1 至成员数", "the threshold is all, any, or 1 to the number of members"
            )
        self.groups[name] = Group(int(count), members)

    def _quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise self._wrong("quorum 只能有一行", "a second quorum line")
        if name != NONE and name not in self.witnesses and name not in self.groups:
            raise self._wrong(f"{name[:40]} 没有在前面定义", f"{name[:40]} is not defined before")
        self.quorum = name

    def _new(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise self._wrong(f"名称 {name[:40]} 已被使用", f"the name {name[:40]} is taken")
        if len(self.witnesses) + len(self.groups) >= 2 * MOST_LINES:
            raise self._wrong("见证方或组过多", "too many witnesses or groups")

    def _key(self, decode: Callable[[str], K], text: str) -> K:
        try:
            return decode(text)
        except BadNoteKey as error:
            raise self._wrong("公钥无法使用", "a key that cannot be used") from error

    def _wrong(self, zh: str, en: str) -> MalformedPolicy:
        return MalformedPolicy(line=self.number, reason=Text(zh, en))


def _same(one: NamedKey, other: NamedKey) -> bool:
    return one.public_key.spki == other.public_key.spki
