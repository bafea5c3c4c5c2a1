"""Signed notes, checkpoints and policies of witnesses (c2sp.org), for the verifier that is one file."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from yinxin.evidence.standalone.curve import ed25519
from yinxin.evidence.standalone.saying import Broken

#: signature types (c2sp.org/signed-note): a log's and a witness's, both Ed25519
_LOG, _WITNESS = 0x01, 0x04


@dataclass(frozen=True)
class Key:
    """A key text: name, key identifier, signature type and key."""

    name: str
    id: bytes
    kind: int
    key: bytes

    @classmethod
    def read(cls, text: str) -> "Key":
        """`name+id+base64(type ‖ key)`; raises Broken."""
        try:
            name, shown, rest = text.split("+", 2)
            data = octets_of(rest)
        except ValueError:
            raise Broken(f"公钥“{text[:60]}”无法使用", f"the key “{text[:60]}” cannot be used") from None
        found = cls(name, hashlib.sha256(name.encode() + b"\n" + data).digest()[:4], data[0], data[1:])
        if found.id.hex() != shown:
            raise Broken(f"公钥 {name} 的编号不符", f"the key of {name} has another identifier")
        return found


@dataclass(frozen=True)
class Head:
    """A signed checkpoint, verified: its text's parts, and when each believed witness cosigned it (POSIX seconds)."""

    origin: str
    size: int
    root: bytes
    cosigned: dict[str, int]


def octets_of(text: str) -> bytes:
    """What base64 spells, in the one spelling; raises ValueError."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    if base64.b64encode(data).decode() != text or not data:
        raise ValueError("not base64 as it is spelt")
    return data


def decimal(text: str) -> int:
    """A number as it is written in notes; raises ValueError."""
    if not text.isascii() or not text.isdigit() or (text[0] == "0" and text != "0") or len(text) > 19:
        raise ValueError("no number")
    return int(text)


@dataclass
class Policy:
    """Whom the reader believes (c2sp.org/tlog-policy), as far as Ed25519 goes."""

    logs: list[Key]
    witnesses: dict[str, Key]
    groups: dict[str, tuple[int, list[str]]]
    quorum: str = "none"

    @classmethod
    def read(cls, text: str) -> "Policy":
        """Read a policy file; raises Broken."""
        found = cls([], {}, {})
        for number, line in enumerate(text.split("\n"), 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            try:
                found._take(words)
            except (ValueError, KeyError, IndexError):
                raise Broken(f"见证规则第 {number} 行有误", f"line {number} of the policy is wrong") from None
        return found

    def _take(self, words: list[str]) -> None:
        kind, name = words[0], words[1]
        if kind == "log":
            self.logs.append(Key.read(name))
        elif kind == "witness":
            self.witnesses[name] = Key.read(words[2])
        elif kind == "group":
            members = words[3:]
            if any(each not in self.witnesses and each not in self.groups for each in members):
                raise ValueError("a name that is not defined before")
            counts = {"any": 1, "all": len(members)}
            threshold = counts[words[2]] if words[2] in counts else decimal(words[2])
            if not 1 <= threshold <= len(members):
                raise ValueError("no such threshold")
            self.groups[name] = (threshold, members)
        elif kind == "quorum" and (name == "none" or name in self.witnesses or name in self.groups):
            self.quorum = name
        else:
            raise ValueError("an unknown line")

    def satisfied(self, by: dict[str, int]) -> bool:
        """Whether these witnesses make up the quorum."""
        held = {name: name in by for name in self.witnesses}
        for name, (threshold, members) in self.groups.items():
            held[name] = sum(held[each] for each in members) >= threshold
        return self.quorum == "none" or held[self.quorum]


def head(note: str, logs: list[Key], policy: Policy | None, listed: tuple[Key, ...] = ()) -> Head:
    """A checkpoint that one of the logs has signed, with who cosigned it; raises Broken.

    With a policy every line must be by a key of the policy, of the logs, or of those that the file lists.
    """
    text, blank, lines = note.rpartition("\n\n")
    text += "\n"
    try:
        origin, size, root, end = text.split("\n")
        found = Head(origin, decimal(size), octets_of(root), {})
    except ValueError:
        raise Broken("检查点格式不对", "the checkpoint is malformed") from None
    if not blank or end or not lines.endswith("\n") or len(found.root) != 32:
        raise Broken("检查点格式不对", "the checkpoint is malformed")
    names = {each: name for name, each in policy.witnesses.items()} if policy else {}
    known = {(each.name, each.id): each for each in (*listed, *names, *logs)}
    signed, seen = False, set()
    for line in lines[:-1].split("\n"):
        name, signature = _line(line)
        key = known.get((name, signature[:4]))
        if (key is None and policy is not None) or (name, signature[:4]) in seen:
            raise Broken(f"{name} 的签名来历不明", f"a signature by {name} that nobody explains")
        seen.add((name, signature[:4]))
        if key is not None and key.kind == _LOG and name == origin:
            _must(ed25519(key.key, text.encode(), signature[4:]), name)
            signed = True
        elif key is not None and key.kind == _WITNESS:
            time = int.from_bytes(signature[4:12], "big")
            message = f"cosignature/v1\ntime {time}\n{text}".encode()
            _must(time > 0 and ed25519(key.key, message, signature[12:]), name)
            if key in names:
                found.cosigned[names[key]] = time
    if not signed:
        raise Broken("检查点没有该日志的签名", "the checkpoint is not signed by that log")
    if policy is not None and not policy.satisfied(found.cosigned):
        who = ", ".join(found.cosigned) or "-"
        raise Broken(f"检查点的见证不足：{who}", f"too few witnesses cosigned the checkpoint: {who}")
    return found


def _line(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, text = rest.partition(" ")
    try:
        signature = octets_of(text)
    except ValueError:
        signature = b""
    if dash != "\u2014" or not name or len(signature) <= 4:
        raise Broken("检查点的签名行格式不对", "a signature line of the checkpoint is malformed")
    return name, signature


def _must(held: bool, name: str) -> None:  # noqa: FBT001 - one truth value, raised at once
    if not held:
        raise Broken(f"{name} 的签名无效", f"the signature of {name} does not hold")
