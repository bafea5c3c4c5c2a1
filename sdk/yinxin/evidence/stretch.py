"""A stretch of the log: every entry between two checkpoints, so that what is *not* there is proved as well.

The older checkpoint commits to the first entries, the newer to those and to every entry of the stretch. The file holds the
right edge of the older tree (the roots of its complete subtrees). It leads to the older root; with every entry of the
stretch appended it leads to the newer one, and with any entry missing, changed, added or moved it does not.

What is asked of the entries (`Question`) is no part of the proof: whoever checks it looks through the entries herself.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from yinxin import canonical
from yinxin.act import Outcome
from yinxin.clock import official, parse_rfc3339, rfc3339
from yinxin.crypto.suite import Suite
from yinxin.errors import Invalid, Untrue, YinxinError
from yinxin.evidence.errors import EvidenceMismatch, MalformedEvidence
from yinxin.evidence.judged import NotJudged
from yinxin.evidence.numbers import Tally, told
from yinxin.evidence.trust import Trust
from yinxin.text import Text
from yinxin.tlog import (
    Checkpoint,
    CosignatureVerifier,
    Frontier,
    NotConsistent,
    Note,
    cosigned,
    leaf_hash,
)
from yinxin.tlog.note import decode_base64, encode_base64

TYPE = "log-stretch"
FORMAT = 1
#: what the file begins with; canonical JSON sorts its names
BEGINS = b'{"begin":'
#: octets, and entries
LARGEST = 256 * 1024 * 1024
MOST_ENTRIES = 100_000
#: cosignatures tell the second that they were made in
SECOND = timedelta(seconds=1)
#: how many matching entries are told one by one
_TOLD = 50
_VERB = re.compile(r"[a-z][a-z0-9-]*\.([a-z][a-z0-9.-]*)?")


class SomethingDone(Untrue):
    """What is said not to have been done stands in the log."""

    code = "evidence.something_done"
    zh = "日志中有符合条件的记录：{entry}；“没有办理”不成立。"
    en = "The log holds an entry that matches, {entry}: it is not true that nothing was done."


class QuestionUnclear(Invalid):
    """A question that does not ask what it seems to: that nothing matches it would prove nothing."""

    code = "evidence.question_unclear"
    zh = "所问的 {field} 不成立：对象和操作人须为看得见的文字，首尾无空格；操作形如 ca.issue 或 ca.；结果须为 intent、done、refused 或 failed；起不晚于止。"
    en = "The question's {field} cannot be: subject and actor are visible text without spaces around it, a verb looks like ca.issue or ca., an outcome is intent, done, refused or failed, and the begin is not after the end."


class OutsideStretch(Untrue):
    """The witnesses' times do not enclose the time that is asked about."""

    code = "evidence.outside_stretch"
    zh = "见证时间（{begin} 至 {end}）没有覆盖所问的时间（{since} 至 {until}）；请导出更长的区间。"
    en = "The witnesses' times ({begin} to {end}) do not enclose the time asked about ({since} to {until}); export a longer stretch."


class RecordsMissed(Untrue):
    """Numbers of the records in a stretch do not follow each other: something that was done never reached the log."""

    code = "evidence.records_missed"
    zh = "区间内的记录编号不连续：{faults}；有记录未进入日志，不能据此认定齐全或没有办理。"
    en = "The numbers of the records do not follow each other: {faults}. Something never reached the log, so this stretch shows neither what was done nor what was not."


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every entry of the stretch; every given part must match. `none`: that no entry matches.

    `verbs`: one of these; one that ends in a dot is a whole module. `since` and `until` are the time asked about.
    """

    since: datetime
    until: datetime
    subject: str | None = None
    verbs: tuple[str, ...] = ()
    actor: str | None = None
    outcome: str | None = None
    none: bool = False

    def fields(self) -> dict[str, Any]:
        """The question as JSON; absent parts are left out."""
        parts = {
            "since": rfc3339(self.since),
            "until": rfc3339(self.until),
            "subject": self.subject,
            "verbs": list(self.verbs) or None,
            "actor": self.actor,
            "outcome": self.outcome,
            "none": self.none or None,
        }
        return {name: value for name, value in parts.items() if value is not None}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Read a question; raises TypeError, KeyError or what `parse_rfc3339` raises."""
        rest = {name: fields[name] for name in fields if name not in ("since", "until", "verbs")}
        times = parse_rfc3339(fields["since"]), parse_rfc3339(fields["until"])
        return cls(*times, verbs=tuple(fields.get("verbs", ())), **rest)

    def hold_clear(self) -> None:
        """Raise QuestionUnclear for what no entry could match, or what reads like something else than it is.

        Whoever makes the file chooses the question: a part that is there and reads as if it were not (empty, blank,
        invisible), or that no entry can have, would prove that nothing was done whatever was done.
        """
        kept = {
            "since": self.since <= self.until,
            "subject": self.subject is None or _visible(self.subject),
            "verbs": all(_VERB.fullmatch(each) for each in self.verbs),
            "actor": self.actor is None or _visible(self.actor),
            "outcome": self.outcome is None or self.outcome in set(Outcome),
            "none": isinstance(self.none, bool),
        }
        for name, clear in kept.items():
            if not clear:
                raise QuestionUnclear(field=name)

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether an entry's event is asked about."""
        return (
            (self.subject is None or event["subject"] == self.subject)
            and (self.actor is None or event["actor"]["id"] == self.actor)
            and (self.outcome is None or event["outcome"] == self.outcome)
            and (not self.verbs or any(_is(event["verb"], verb) for verb in self.verbs))
        )

    def words(self) -> Text:
        """The question as a part of a sentence."""
        parts = [
            Text(f"对象 {_spelt(self.subject)}", f"subject {_spelt(self.subject)}") if self.subject else None,
            Text(f"操作 {'、'.join(self.verbs)}", f"verb {', '.join(self.verbs)}") if self.verbs else None,
            Text(f"操作人 {_spelt(self.actor)}", f"actor {_spelt(self.actor)}") if self.actor else None,
            Text(f"结果 {self.outcome}", f"outcome {self.outcome}") if self.outcome else None,
        ]
        given = [each for each in parts if each]
        zh, en = "，".join(each.zh for each in given), ", ".join(each.en for each in given)
        return Text(zh or "任何记录", en or "any entry")


def _visible(text: object) -> bool:
    return (
        isinstance(text, str)
        and bool(text)
        and text == text.strip()
        and text.isprintable()
        and unicodedata.is_normalized("NFC", text)
    )


def _spelt(text: str) -> str:
    """The text, with its code points where a letter may look like another one's."""
    return text if text.isascii() else f"{text} ({ascii(text)[1:-1]})"


def _is(verb: str, asked: str) -> bool:
    return verb.startswith(asked) if asked.endswith(".") else verb == asked


@dataclass(frozen=True, slots=True)
class Stretch:
    """The entries between two checkpoints, `begin` and `end`; `edge` are the hashes of `subtrees(0, begin.size)`."""

    question: Question
    begin: Note
    end: Note
    edge: tuple[bytes, ...]
    entries: tuple[bytes, ...]
    #: keys of the witnesses that cosigned either checkpoint, so that each line can be explained
    witnesses: tuple[CosignatureVerifier, ...] = field(default=())

    def encode(self) -> bytes:
        """The file's octets: canonical JSON (RFC 8785)."""
        return canonical.encode(
            {
                "v": FORMAT,
                "type": TYPE,
                "question": self.question.fields(),
                "begin": self.begin.encode().decode(),
                "end": self.end.encode().decode(),
                "edge": [encode_base64(each) for each in self.edge],
                "entries": [encode_base64(each) for each in self.entries],
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
            stretch = cls(
                Question.of(body["question"]),
                Note.decode(body["begin"].encode()),
                Note.decode(body["end"].encode()),
                tuple(decode_base64(each) for each in body["edge"]),
                tuple(decode_base64(each) for each in body["entries"]),
                tuple(CosignatureVerifier.decode(each) for each in body["witnesses"]),
            )
            written = stretch.encode()
        except (YinxinError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise MalformedEvidence(reason="not a stretch of a log") from error
        if written != data or body["type"] != TYPE or len(stretch.entries) > MOST_ENTRIES:
            raise MalformedEvidence(reason="not a stretch of a log in its one spelling")
        return stretch

    def verify(self, trust: Trust, held: list[Text]) -> list[Mapping[str, Any]]:
        """Check it and say in words what holds; the matching entries' events, in the order of the log.

        Raises an error of `yinxin.tlog`, EvidenceMismatch, RecordsMissed, SomethingDone, OutsideStretch, QuorumMissed, QuestionUnclear.
        """
        self.question.hold_clear()
        begin, end, suite = self._checkpoints(trust)
        self._whole(begin, end, suite)
        events = self._events()
        numbered = _numbered(events, begin.size)
        count = len(self.entries)
        held.append(
            Text(
                f"日志 {end.origin} 第 {begin.size} 条至第 {end.size} 条之间的 {count} 条记录齐全，一条不缺、一条不多{numbered.zh}",
                f"the {count} entries of the log {end.origin} between its first {begin.size} and {end.size} are all here: none is missing, none is added{numbered.en}",
            )
        )
        self._times(trust, held)
        return self._answer(events, held)

    def _checkpoints(self, trust: Trust) -> tuple[Checkpoint, Checkpoint, Suite]:
        keys = [
            *self.witnesses,
            *(each.verifier for policy in trust.policies for each in policy.witnesses.values()),
        ]
        opened = []
        for note in (self.begin, self.end):
            opened.append(Checkpoint.open(note, trust.logs))
            cosigned(note, keys)
            note.refuse_foreign((*trust.logs, *keys))
        (begin, suite), (end, other) = opened
        if (begin.origin, suite.name) != (end.origin, other.name):
            raise EvidenceMismatch(what=Text("两个检查点属于不同的日志", "checkpoints of two logs"))
        lines = {(each.name, each.key_id) for note in (self.begin, self.end) for each in note.signatures}
        if any((each.name, each.key_id) not in lines for each in self.witnesses):
            raise EvidenceMismatch(what=Text("列出了没有联署的见证方", "a witness that cosigned neither"))
        return begin, end, suite

    def _whole(self, begin: Checkpoint, end: Checkpoint, suite: Suite) -> None:
        """The older root, and from there, entry by entry, the newer one."""
        failure = NotConsistent(old=begin.size, new=end.size)
        if (
            len(self.edge) != begin.size.bit_count()
            or any(len(each) != len(begin.root) for each in self.edge)
            or begin.size + len(self.entries) != end.size
        ):
            raise failure
        tree = Frontier(suite.hash, begin.size, self.edge)
        if tree.root() != begin.root:
            raise failure
        for entry in self.entries:
            tree.append(leaf_hash(suite.hash, entry))
        if tree.root() != end.root:
            raise failure

    def _times(self, trust: Trust, held: list[Text]) -> None:
        """When, by the witnesses: the older checkpoint at the latest, the newer one at the earliest."""
        origin = Checkpoint.parse(self.end.text).origin
        own = [each for each in trust.policies if origin in {log.verifier.name for log in each.logs}]
        for policy in own:
            witnessed = [policy.check(note).cosigned.values() for note in (self.begin, self.end)]
            begin, end = ([each.at for each in found] for found in witnessed)
            if begin and end:
                self._enclosed(max(begin), min(end), held)
                return
        held.append(
            NotJudged(
                "您没有要求见证的规则，区间的起止时间未作判断",
                "you have no policy that asks for witnesses, so when the stretch begins and ends was not judged",
            )
        )

    def _enclosed(self, begin: datetime, end: datetime, held: list[Text]) -> None:
        asked = self.question
        if begin + SECOND > asked.since or end < asked.until:
            raise OutsideStretch(
                begin=official(begin),
                end=official(end),
                since=official(asked.since),
                until=official(asked.until),
            )
        held.append(
            Text(
                f"见证方在 {official(begin)} 已见到区间的起点，到 {official(end)} 见到的仍只到终点：{official(asked.since)} 至 {official(asked.until)} 之间示于见证方的记录都在其中",
                f"witnesses had seen its begin by {official(begin)}, and by {official(end)} had seen no further than its end: whatever was shown to them from {official(asked.since)} to {official(asked.until)} is among these entries",
            )
        )

    def _events(self) -> list[Mapping[str, Any]]:
        events = []
        for entry in self.entries:
            try:
                event = canonical.decode(entry)
                self.question.matches(event)
                events.append(event)
            except (YinxinError, KeyError, TypeError, AttributeError) as error:
                raise EvidenceMismatch(
                    what=Text("有一条不是操作记录", "an entry that is no record")
                ) from error
        return events

    def _answer(self, events: Sequence[Mapping[str, Any]], held: list[Text]) -> list[Mapping[str, Any]]:
        words, found = self.question.words(), [each for each in events if self.question.matches(each)]
        if self.question.none:
            if found:
                raise SomethingDone(entry=found[0]["id"])
            held.append(
                Text(f"其中没有一条符合：{words.zh}", f"not one of them matches: {words.en}"),
            )
            return found
        held.append(Text(f"其中 {len(found)} 条符合：{words.zh}", f"{len(found)} of them match: {words.en}"))
        for event in found[:_TOLD]:
            line = f"{event['time']} {event['verb']} {event['subject']} {event['outcome']} {event['actor']['id']}"
            held.append(Text(line, line))
        return found


def _numbered(events: Sequence[Mapping[str, Any]], begin: int) -> Text:
    """That each source's numbers follow each other, as far as can be seen from here; raises RecordsMissed."""
    tally = Tally(whole=begin == 0)
    for at, event in enumerate(events, begin):
        tally.entry(event, at)
    if faults := tally.faults():
        raise RecordsMissed(faults=told(faults))
    count = len(tally.highest)
    if not count:
        return Text("", "")  # a log older than the numbers
    return Text(
        f"；其 {count} 个来源的编号各自连续",
        f"; the numbers of each of their {count} sources follow each other",
    )


def is_stretch(data: bytes) -> bool:
    """Whether the octets begin like such a file."""
    return data.startswith(BEGINS)


def signed_by(notes: Sequence[Note], keys: Sequence[CosignatureVerifier]) -> tuple[CosignatureVerifier, ...]:
    """Those of `keys` that cosigned one of the checkpoints, by name."""
    found = {each.by for note in notes for each in cosigned(note, keys)}
    return tuple(sorted(found, key=lambda each: (each.name, each.key_id)))
