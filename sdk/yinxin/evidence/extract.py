"""An extract of the log: entries proved under one checkpoint, some of their personal fields opened and the others withheld.

An entry commits to its personal fields (`yinxin.personal`), so it is whole and proved whatever is withheld. What is opened
is held against the commitment in that entry; what is not is told by name. Whoever has an extract may take openings out of
it, and pass on what then withholds more; nobody can put one in that the log does not commit to.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from yinxin import canonical
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.evidence.errors import EvidenceMismatch, MalformedEvidence
from yinxin.evidence.judged import NotJudged
from yinxin.evidence.log import witnessed
from yinxin.evidence.trust import Trust
from yinxin.personal import FIELDS, Opening, WrongOpening, committed_in
from yinxin.text import Text
from yinxin.tlog import Checkpoint, CosignatureVerifier, Note, cosigned, leaf_hash, verify_inclusion
from yinxin.tlog.note import decode_base64, encode_base64

TYPE = "log-extract"
FORMAT = 1
#: what the file begins with; canonical JSON sorts its names
BEGINS = b'{"checkpoint":'
#: octets, and entries
LARGEST = 64 * 1024 * 1024
MOST_ENTRIES = 10_000
#: how many entries are told one by one
_TOLD = 50


@dataclass(frozen=True, slots=True)
class ExtractedEntry:
    """An entry, where it stands in the tree, and what opens those of its personal fields that are not withheld."""

    index: int
    entry: bytes
    hashes: tuple[bytes, ...]
    opened: Mapping[str, Opening]

    def fields(self) -> dict[str, Any]:
        """The entry as JSON."""
        return {
            "index": self.index,
            "entry": encode_base64(self.entry),
            "hashes": [encode_base64(each) for each in self.hashes],
            "opened": {
                name: {"salt": each.salt.hex(), "value": each.value} for name, each in self.opened.items()
            },
        }

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Read what `fields` wrote; raises KeyError, TypeError or ValueError."""
        opened = {
            name: Opening(bytes.fromhex(each["salt"]), "".join(each["value"]))
            for name, each in fields["opened"].items()
        }
        hashes = tuple(decode_base64(each) for each in fields["hashes"])
        if type(fields["index"]) is not int:  # to Python, false is 0 as well
            raise TypeError("index")
        return cls(fields["index"], decode_base64(fields["entry"]), hashes, opened)


@dataclass(frozen=True, slots=True)
class Extract:
    """Entries in the order of the log, and the checkpoint that holds them; `witnesses` are the keys of those that cosigned it."""

    checkpoint: Note
    entries: tuple[ExtractedEntry, ...]
    witnesses: tuple[CosignatureVerifier, ...] = ()

    def encode(self) -> bytes:
        """The file's octets: canonical JSON (RFC 8785)."""
        return canonical.encode(
            {
                "v": FORMAT,
                "type": TYPE,
                "checkpoint": self.checkpoint.encode().decode(),
                "entries": [each.fields() for each in self.entries],
                "witnesses": [each.encode() for each in self.witnesses],
            }
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a file in its one spelling; raises MalformedEvidence."""
        if len(data) > LARGEST:
            raise MalformedEvidence(reason=f"over {LARGEST} octets")
        try:
            body = canonical.decode(data)
            extract = cls(
                Note.decode(body["checkpoint"].encode()),
                tuple(map(ExtractedEntry.of, body["entries"])),
                tuple(CosignatureVerifier.decode(each) for each in body["witnesses"]),
            )
            written = extract.encode()
        except (YinxinError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedEvidence(reason="not an extract of a log") from error
        if written != data or body["type"] != TYPE or not 0 < len(extract.entries) <= MOST_ENTRIES:
            raise MalformedEvidence(reason="not an extract of a log in its one spelling")
        return extract

    def withheld(self) -> Counter[str]:
        """How many entries do not open each personal field that they commit to."""
        return Counter(
            name
            for each in self.entries
            for name in committed_in(canonical.decode(each.entry))
            if name not in each.opened
        )

    def verify(self, trust: Trust, held: list[Text]) -> list[Mapping[str, Any]]:
        """Check it and say in words what holds, what is opened and what is not; the entries' events, in order.

        Raises an error of `yinxin.tlog`, EvidenceMismatch or WrongOpening.
        """
        checkpoint, suite = self._signed(trust)
        events, last = [], -1
        for each in self.entries:
            if each.index <= last:
                raise EvidenceMismatch(
                    what=Text("记录的先后不对或重复", "entries out of order, or one twice")
                )
            last = each.index
            verify_inclusion(
                suite.hash,
                leaf_hash(suite.hash, each.entry),
                each.index,
                size=checkpoint.size,
                proof=each.hashes,
                root=checkpoint.root,
            )
            events.append(_event(each))
        count = len(events)
        held.append(
            Text(
                f"{count} 条记录都在日志 {checkpoint.origin} 中（共 {checkpoint.size} 条），由日志公钥证明",
                f"the {count} entries are in the log {checkpoint.origin} (of {checkpoint.size} entries), as its key proves",
            )
        )
        self._witnessed(trust, checkpoint, held)
        held.extend(self._told(events))
        return events

    def _signed(self, trust: Trust) -> tuple[Checkpoint, Suite]:
        keys = [
            *self.witnesses,
            *(each.verifier for policy in trust.policies for each in policy.witnesses.values()),
        ]
        found = Checkpoint.open(self.checkpoint, trust.logs)
        cosigned(self.checkpoint, keys)
        self.checkpoint.refuse_foreign((*trust.logs, *keys))
        lines = {(each.name, each.key_id) for each in self.checkpoint.signatures}
        if any((each.name, each.key_id) not in lines for each in self.witnesses):
            raise EvidenceMismatch(what=Text("列出了没有联署的见证方", "a witness that did not cosign"))
        return found

    def _witnessed(self, trust: Trust, checkpoint: Checkpoint, held: list[Text]) -> None:
        if any(checkpoint.origin in {log.verifier.name for log in each.logs} for each in trust.policies):
            witnessed({self.checkpoint}, trust, (), held)
            return
        held.append(
            NotJudged(
                "您没有该日志的见证规则，检查点的联署未作判断",
                "you have no policy for that log, so who cosigned the checkpoint was not judged",
            )
        )

    def _told(self, events: list[Mapping[str, Any]]) -> Iterator[Text]:
        for each, event in list(zip(self.entries, events, strict=True))[:_TOLD]:
            line = f"{event['time']} {event['verb']} {event['subject']} {event['outcome']} {event['actor']['id']}"
            yield Text(line, line)
            for name, opening in sorted(each.opened.items()):
                title, value = title_of(name), spelt(opening.value)
                yield Text(
                    f"　{title.zh}与记录中的承诺相符：{value}",
                    f"  {title.en}, as the entry commits to: {value}",
                )
        if withheld := sorted(self.withheld().items()):
            zh = "、".join(f"{title_of(name).zh}（{count} 条）" for name, count in withheld)
            en = ", ".join(f"{title_of(name).en} (of {count} entries)" for name, count in withheld)
            yield NotJudged(
                f"未开示的个人信息：{zh}；记录中只有其承诺，内容由提供者保留或已依法删除",
                f"personal fields that are not opened: {en}; the entries hold only commitments, the values are withheld by whoever made this, or were erased by law",
            )


def is_extract(data: bytes) -> bool:
    """Whether the octets begin like such a file."""
    return data.startswith(BEGINS)


def title_of(name: str) -> Text:
    """What a personal field is called."""
    return FIELDS.get(name, Text(name, name))


def spelt(value: str) -> str:
    """A value from outside, such that no character of it hides or moves others."""
    visible = value.isprintable() and unicodedata.is_normalized("NFC", value)
    return value if visible else ascii(value)[1:-1]


def _event(each: ExtractedEntry) -> Mapping[str, Any]:
    """The entry's event, its opened fields held against it."""
    try:
        event: Mapping[str, Any] = canonical.decode(each.entry)
        committed = committed_in(event)
        for name, opening in each.opened.items():
            opening.verify(event["id"], name, committed.get(name, {}))
        event["time"], event["verb"], event["subject"], event["outcome"], event["actor"]["id"]
    except WrongOpening:
        raise
    except (YinxinError, KeyError, TypeError, AttributeError) as error:
        raise EvidenceMismatch(what=Text("有一条不是操作记录", "an entry that is no record")) from error
    return event
