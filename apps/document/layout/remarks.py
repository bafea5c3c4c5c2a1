"""What is to be said of a text that is being written: rules it breaks, characters that cannot stand, and how it falls on its pages.

Nothing here refuses anything: `render` does that. A remark names the place in the content that it is about, so that it
can be said where the writer is.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from apps.document.layout.characters import REFUSED
from apps.document.layout.closing import SIGNATURE
from apps.document.layout.errors import (
    ControlCharacter,
    CopyNumberMissing,
    DoesNotFit,
    OneRecipient,
    RecipientMissing,
    RequestInsideReport,
    UnprintableCharacter,
)
from apps.document.layout.faces import Role, Typefaces, face_of
from apps.document.layout.grid import LEFT, ROWS, SIZE, SPACING, WIDTH, row_top
from apps.document.layout.lines import LOOSEN, NO_START, width_of
from apps.document.layout.marks import Page, Placed, Text
from apps.document.layout.model import Block, Elements, Heading, Paragraph
from apps.document.layout.rows import RECIPIENTS
from apps.document.layout.rules import broken
from yinxin import text as words
from yinxin.errors import Invalid, YinxinError

MISSING = "〓"
"""Stands for a character that no face has: the mark that printers have always put there."""
_HALF = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！"}
_HALF_WIDTH = re.compile(r"(?<=[\u3400-\u9fff”》）])[,;:?!]|(?<=[\u3400-\u9fff])\([^()]*\)")
_BRACKETS = re.compile(r"[\u3400-\u9fff][\[【（(](?:19|20)[0-9]{2}[\]】）)]第?[0-9]+号")
_FEW = 2


@dataclass(frozen=True, slots=True)
class Remark:
    """`at` is a JSON pointer into the content, empty for the whole; a `grave` one keeps the document from being saved."""

    at: str
    code: str
    text: words.Text
    grave: bool = False
    start: int = 0
    """The index of the character that it is about."""

    @classmethod
    def of(cls, error: YinxinError, at: str, start: int = 0) -> "Remark":
        """What would be refused, said beforehand."""
        return cls(at, error.code, words.Text(error.text("zh"), error.text("en")), grave=True, start=start)


def remarks(elements: Elements, placed: Placed | None, faces: Typefaces) -> list[Remark]:
    """Everything that is to be said, in no order; `placed` is None where the text finds no place."""
    found = [Remark.of(error, _place(error)) for error in broken(elements)]
    for at, text in texts(elements):
        found += _characters(at, text, faces)
    if placed is not None:
        found += _falls(elements, placed, faces)
    return found


def unplaced(error: DoesNotFit) -> Remark:
    """What is said of a part that finds no room."""
    element = str(error.facts["element"])
    ends = {"title": "/title", "notes": "/notes", "copies_to": "/copied_to", "table": "/body"}
    return Remark.of(error, ends.get(element.rpartition(" ")[2], ""))


def _place(error: Invalid) -> str:
    if isinstance(error, RequestInsideReport):
        return f"/body/{error.facts['paragraph'] - 1}"
    if isinstance(error, OneRecipient | RecipientMissing):
        return RECIPIENTS
    if isinstance(error, CopyNumberMissing):
        return ""
    return "/title"


def texts(elements: Elements) -> Iterator[tuple[str, str]]:
    """Every text that the writer wrote, and its place in the content."""
    yield "/title", elements.title
    yield from _of_blocks("/body", elements.body)
    for number, each in enumerate(elements.attachments):
        yield f"/attachments/{number}/title", each.title
        yield from _of_blocks(f"/attachments/{number}/body", each.blocks)
    yield "/notes", elements.notes or ""


def _of_blocks(within: str, blocks: tuple[Block, ...]) -> Iterator[tuple[str, str]]:
    for index, block in enumerate(blocks):
        match block:
            case Paragraph(text=text):
                yield f"{within}/{index}", text
            case Heading(text=text, rest=rest):
                yield f"{within}/{index}", text + rest
            case _:
                for row, cells in enumerate(block.rows):
                    yield from (
                        (f"{within}/{index}/rows/{row}/{column}", cell) for column, cell in enumerate(cells)
                    )


def shown(text: str, faces: Typefaces) -> str:
    """The text as it can be shown: without what is never seen, and with 〓 for what no face has."""
    kept = (c for c in text if unicodedata.category(c) not in REFUSED or c == "\n")
    return "".join(c if c == "\n" or printable(c, faces) else MISSING for c in kept)


def printable(character: str, faces: Typefaces) -> bool:
    """Whether some face of the body has it."""
    try:
        face_of(faces, Role.BODY, character)
    except UnprintableCharacter:
        return False
    return True


def _characters(at: str, text: str, faces: Typefaces) -> Iterator[Remark]:
    for index, character in enumerate(text):
        point = f"U+{ord(character):04X}"
        if unicodedata.category(character) in REFUSED:
            line = text.count("\n", 0, index) + 1
            yield Remark.of(ControlCharacter(field=at, line=line, point=point), at, index)
        elif not printable(character, faces):
            yield Remark.of(UnprintableCharacter(characters=character, points=point), at, index)
    for match in _HALF_WIDTH.finditer(text):
        wide = _HALF.get(match[0], f"（{match[0][1:-1]}）")
        yield Remark(
            at,
            "document.remark.half_width",
            words.Text(
                f"“{match[0]}”是半角标点，中文里应为“{wide}”。",
                f"“{match[0]}” is half-width; Chinese text has “{wide}”.",
            ),
            start=match.start(),
        )
    for match in _BRACKETS.finditer(text):
        yield Remark(
            at,
            "document.remark.number_brackets",
            words.Text(
                f"“{match[0]}”：发文字号的年份用六角括号〔〕，序号前不加“第”（GB/T 9704-2012，7.2.5）。",
                f"“{match[0]}”: the year of a document number stands in 〔〕, without 第 (GB/T 9704-2012, 7.2.5).",
            ),
            start=match.start(),
        )


# --- how it falls on the pages ---


def _falls(elements: Elements, placed: Placed, faces: Typefaces) -> Iterator[Remark]:
    pages = [_lines(page) for page in placed.pages]
    yield from _carried(pages)
    yield from _parted(elements, pages)
    yield from _short(pages)
    yield from _ragged(pages, faces)
    if len(placed.pages) > 1 and not placed.pages[-1].numbered:
        yield Remark(
            "",
            "document.remark.record_alone",
            words.Text(
                f"版记在第 {len(placed.pages)} 页单独成页（不编页码）：减少几行正文可以省去这一页。",
                f"The record stands alone on page {len(placed.pages)}, without a number: a few rows less would save the page.",
            ),
        )


def _lines(page: Page) -> list[Text]:
    return [mark for mark in page.marks if isinstance(mark, Text) and mark.source]


def _row(line: Text) -> int:
    return round((line.top - row_top(0)) / (row_top(1) - row_top(0)))


def _carried(pages: list[list[Text]]) -> Iterator[Remark]:
    """落款不单独成页: what the layout did so that the signature has text on its page (7.3.5, GB/T 9704-2012)."""
    for number, (before, page) in enumerate(pairwise(pages), start=2):
        signed = next((line for line in page if line.source == SIGNATURE), None)
        body = [line for line in page if line.source.startswith("/body") and signed is not None]
        rows = {_row(line) for line in body}
        last = max((_row(line) for line in before), default=0)
        if signed is not None and 0 < len(rows) <= _FEW and last < ROWS - 1:
            yield Remark(
                body[0].source,
                "document.remark.carried",
                words.Text(
                    f"第 {number - 1} 页放不下落款：末 {len(rows)} 行随落款移到第 {number} 页，落款不单独成页。",
                    f"The signature finds no room on page {number - 1}: the last {len(rows)} rows went to page {number} with it.",
                ),
                start=max(body[0].start, 0),
            )


def _parted(elements: Elements, pages: list[list[Text]]) -> Iterator[Remark]:
    """A heading at the foot of a page whose text begins the next."""
    headings = {
        f"/body/{index}"
        for index, block in enumerate(elements.body)
        if isinstance(block, Heading) and not block.rest
    }
    for number, (before, page) in enumerate(pairwise(pages), start=1):
        body = [line for line in before if line.source.startswith("/body")]
        if body and page and body[-1].source in headings and page[0].source.startswith("/body"):
            yield Remark(
                body[-1].source,
                "document.remark.heading_parted",
                words.Text(
                    f"标题落在第 {number} 页末行，正文在下一页。",
                    f"The heading is the last row of page {number}, and its text begins the next page.",
                ),
            )


def _short(pages: list[list[Text]]) -> Iterator[Remark]:
    """A paragraph whose last line is one character."""
    last: dict[str, Text] = {}
    for page in pages:
        for line in page:
            if "/rows/" not in line.source and "/body/" in line.source:
                last[line.source] = line
    for line in last.values():
        text = "".join(span.text for span in line.spans)
        if line.start > 0 and len(text.rstrip("".join(NO_START))) <= 1:
            yield Remark(
                line.source,
                "document.remark.lone_character",
                words.Text(
                    f"末行只有“{text}”：增删一两个字可以省去这一行。",
                    f"The last line is only “{text}”: a character more or less would save it.",
                ),
                start=line.start,
            )


def _ragged(pages: list[list[Text]], faces: Typefaces) -> Iterator[Remark]:
    """A line that could not be filled, because what comes next is one long word."""
    every = [line for page in pages for line in page if "/body/" in line.source and line.size == SIZE]
    for line, after in pairwise(every):
        wide = width_of(faces, line.spans, spacing=SPACING)
        gaps = max(sum(len(span.text) for span in line.spans) - 1, 1)
        if after.source == line.source and (WIDTH - (line.left - LEFT) - wide) / gaps > LOOSEN:
            yield Remark(
                line.source,
                "document.remark.ragged",
                words.Text(
                    "这一行没有撑满：其后的长串字母或数字不能拆开。",
                    "This line is not filled: the long word after it cannot be parted.",
                ),
                start=max(line.start, 0),
            )
