"""From a file's paragraphs in their order to the parts of a document: title, recipients, body, closing, attachments."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from apps.document.layout.model import Attachment, Block, Draft, Heading, Level, Table
from apps.document.layout.numbering import block_of, date_of, level_of

TITLE = 0
"""Heading level of the document's own title."""


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph or table of a file. `heading`: TITLE, a level 1–4 that the file's own styles say, or None."""

    text: str
    heading: int | None = None
    rows: tuple[tuple[str, ...], ...] = ()

    def texts(self) -> tuple[str, ...]:
        """Its text, or its cells'."""
        return (self.text, *(cell for row in self.rows for cell in row))


_ATTACHMENT = re.compile(r"^附件\s*[0-9一二三四五六七八九十]*\s*[：:]?$")
_NOTE = re.compile(r"^附件\s*[：:]\s*(?:1[.．、]\s*)?(.+)$")
_NOTE_MORE = re.compile(r"^([2-9]|[1-9][0-9])[.．、]\s*(.+)$")
_REMARK = re.compile(r"^[（(][^（）()]+[）)]$")
_RECIPIENTS = re.compile(r"^[^。；！？]{2,300}[：:]$")
_NO_RECIPIENTS = re.compile(r"如下|以下|下列|有关事项|主要|其中")
_LONGEST_ORGAN = 60


def sort_parts(parts: Sequence[Part]) -> Draft:
    """Sort the paragraphs. What is not recognised stays in the body: nothing of the file is lost."""
    rest = list(parts)
    title = _take_title(rest)
    recipients = _take_recipients(rest)
    body, sections = _split_attachments(rest)
    notes = _take_notes(body)
    date = date_of(body[-1].text) if body else None
    organ = None
    if date is not None:
        body.pop()
        organ = body.pop().text if body and _is_organ(body[-1]) else None
    named = _take_attachment_note(body)
    written = [_attachment(section) for section in sections]
    attachments = (*written, *(Attachment(name) for name in named[len(written) :]))
    return Draft(title, recipients, _blocks(body), attachments, organ, date, notes)


def _take_title(parts: list[Part]) -> str:
    index = next((i for i, part in enumerate(parts) if part.heading == TITLE), 0)
    if not parts or parts[index].rows:
        return ""
    return parts.pop(index).text


def _take_recipients(parts: list[Part]) -> tuple[str, ...]:
    if not parts or parts[0].heading is not None or level_of(parts[0].text) is not None:
        return ()
    text = parts[0].text
    if not _RECIPIENTS.match(text) or _NO_RECIPIENTS.search(text):
        return ()
    parts.pop(0)
    return tuple(name.strip() for name in re.split("[，,；]", text[:-1]) if name.strip())


def _split_attachments(parts: list[Part]) -> tuple[list[Part], list[list[Part]]]:
    starts = [i for i, part in enumerate(parts) if i and _ATTACHMENT.match(part.text)]
    if not starts:
        return parts, []
    ends = [*starts[1:], len(parts)]
    return parts[: starts[0]], [parts[a + 1 : b] for a, b in zip(starts, ends, strict=True)]


def _take_notes(body: list[Part]) -> str | None:
    """A last paragraph that is wholly in brackets is the note (附注)."""
    return body.pop().text[1:-1] if len(body) > 1 and _REMARK.match(body[-1].text) else None


def _is_organ(part: Part) -> bool:
    return bool(part.text) and len(part.text) <= _LONGEST_ORGAN and part.text[-1] not in "。：；！？，"


def _take_attachment_note(body: list[Part]) -> list[str]:
    """`附件：1.…` and the lines `2.…` after it, at the end of the body."""
    start = next((i for i in reversed(range(len(body))) if _NOTE.match(body[i].text)), None)
    if start is None:
        return []
    first = _NOTE.match(body[start].text)
    more = [_NOTE_MORE.match(part.text) for part in body[start + 1 :]]
    if first is None or not all(more):
        return []
    del body[start:]
    return [first[1], *(match[2] for match in more if match)]


def _attachment(section: list[Part]) -> Attachment:
    title = section[0].text if section and not section[0].rows else "附件"
    return Attachment(title, _blocks(section[1:] if section and not section[0].rows else section))


def _blocks(parts: Sequence[Part]) -> tuple[Block, ...]:
    return tuple(_block(part) for part in parts)


def _block(part: Part) -> Block:
    if part.rows:
        return Table(part.rows)
    if part.heading is None:
        return block_of(part.text)
    own = level_of(part.text)
    if own is not None:  # the number that the reader sees decides
        return block_of(part.text)
    return Heading(cast("Level", min(max(part.heading, 1), 4)), part.text)
