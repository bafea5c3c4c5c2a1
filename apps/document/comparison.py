"""Two versions of a text compared as a person reads them: paragraph by paragraph, and in a paragraph by sentence and character."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from yinxin import canonical

Change = Literal["same", "removed", "added"]
_SENTENCE = re.compile(r"[^。；！？]*[。；！？]?[”』」）]*")
_ALIKE = 0.35
"""How much two paragraphs must have in common to be one that was changed."""
_ISLAND = 2
"""Common stretches shorter than this between two changes are no landmark for a reader."""
_MOST = 400
"""Paragraphs of a changed region beyond which they are taken in their order."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text: what it is, and its words."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A part as it was and as it is; one side is missing where it was added or removed."""

    before: Part | None
    after: Part | None

    @property
    def change(self) -> Literal["same", "removed", "added", "changed"]:
        """What became of it."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "same" if self.before == self.after else "changed"

    @property
    def what(self) -> str:
        """What it is now, or was."""
        part = self.after or self.before
        return part.what if part is not None else ""

    @property
    def stretches(self) -> list[tuple[str, Change]]:
        """The words with what was removed and added."""
        if self.before is None or self.after is None:
            part, change = (self.after, "added") if self.before is None else (self.before, "removed")
            return [(part.text, "added" if change == "added" else "removed")] if part else []
        return stretches(self.before.text, self.after.text)


def compare(before: bytes, after: bytes) -> list[Line]:
    """Two contents, compared."""
    return aligned(parts(before), parts(after))


def parts(data: bytes) -> list[Part]:
    """A content's parts in the order in which they are read."""
    body: Mapping[str, Any] = canonical.decode(data)
    return list(_parts(body))


def _parts(body: Mapping[str, Any]) -> Iterator[Part]:
    yield Part("title", body["title"])
    if body["main_recipients"]:
        yield Part("recipients", "，".join(body["main_recipients"]))
    yield from _blocks(body["body"])
    for each in body["attachments"]:
        yield Part("annex", each["title"])
        yield from _blocks(each["body"])
    single = (
        ("notes", body["notes"]),
        ("copied_to", "，".join(body.get("copied_to", ()))),
        ("urgency", body["urgency"]),
        ("secrecy", body.get("secrecy")),
    )
    yield from (Part(what, text) for what, text in single if text)
    yield from (Part("file", f"{each['name']}　SHA-256 {each['sha256']}") for each in body.get("files", ()))


def _blocks(blocks: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    for block in blocks:
        if block["t"] == "table":
            yield from (Part("row", "　|　".join(row)) for row in block["rows"])
        elif block["t"] == "h":
            yield Part(f"h{block['level']}", block["text"] + block["rest"])
        else:
            yield Part("p", block["text"])


def aligned(before: Sequence[Part], after: Sequence[Part]) -> list[Line]:
    """The parts of both, each beside what became of it."""
    lines: list[Line] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += (Line(old, new) for old, new in zip(before[a:b], after[c:d], strict=True))
        else:
            lines += _paired(before[a:b], after[c:d])
    return lines


def _paired(old: Sequence[Part], new: Sequence[Part]) -> list[Line]:
    """Of a changed region the pairs, in order, that have most in common; the others were removed or added."""
    if not old or not new or len(old) * len(new) > _MOST:
        return _in_order(old, new)
    alike = [[_alike(a, b) for b in new] for a in old]
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], alike[i][j] + best[i + 1][j + 1])
    lines: list[Line] = []
    i = j = 0
    while i < len(old) and j < len(new):
        if alike[i][j] and best[i][j] == alike[i][j] + best[i + 1][j + 1]:
            lines.append(Line(old[i], new[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            lines.append(Line(old[i], None))
            i += 1
        else:
            lines.append(Line(None, new[j]))
            j += 1
    return [*lines, *_in_order(old[i:], new[j:])]


def _in_order(old: Sequence[Part], new: Sequence[Part]) -> list[Line]:
    return [*(Line(each, None) for each in old), *(Line(None, each) for each in new)]


def _alike(a: Part, b: Part) -> float:
    """From 0 to 1; 0 for what has too little in common to be the same paragraph."""
    single = {"title", "recipients", "notes", "copied_to", "urgency", "secrecy"}
    if a.what in single or b.what in single:
        return 1.0 if a.what == b.what else 0.0
    matcher = SequenceMatcher(None, a.text, b.text, autojunk=False)
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= _ALIKE else 0.0


def stretches(before: str, after: str) -> list[tuple[str, Change]]:
    """One paragraph's words: sentences that stand in both are the same, in the others every character is looked at."""
    old, new = _SENTENCE.findall(before), _SENTENCE.findall(after)
    found: list[tuple[str, Change]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(("".join(old[a:b]), "same"))
        else:
            found += _characters("".join(old[a:b]), "".join(new[c:d]))
    return _joined(found)


def _characters(old: str, new: str) -> list[tuple[str, Change]]:
    opcodes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    found: list[tuple[str, Change]] = []
    for index, (tag, a, b, c, d) in enumerate(opcodes):
        island = tag == "equal" and b - a < _ISLAND and 0 < index < len(opcodes) - 1
        if tag == "equal" and not island:
            found.append((old[a:b], "same"))
        else:
            found += [(old[a:b], "removed"), (new[c:d], "added")]
    return found


def _joined(found: Sequence[tuple[str, Change]]) -> list[tuple[str, Change]]:
    """Neighbouring changes as one of each kind, what was removed first."""
    out: list[tuple[str, Change]] = []
    removed = added = ""

    def flush() -> None:
        nonlocal removed, added
        pairs: tuple[tuple[str, Change], ...] = ((removed, "removed"), (added, "added"))
        out.extend(pair for pair in pairs if pair[0])
        removed = added = ""

    for text, change in found:
        if change == "same" and text:
            flush()
            out.append((out.pop()[0] + text, "same") if out and out[-1][1] == "same" else (text, "same"))
        elif change == "removed":
            removed += text
        else:
            added += text
    flush()
    return out
