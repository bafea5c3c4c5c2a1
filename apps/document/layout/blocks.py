"""A text as an editor has it, a row of blocks, and as the layout has it: made into one another without loss.

A heading is written without its number, and has the next one of its level: 一、 （一） 1. （1） (GB/T 9704-2012, 7.3.3).
One that begins with a number of its own keeps it, and those after it count on from there. 附件 begins with a block of
its own; what follows it belongs to it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from apps.document.layout.characters import clean
from apps.document.layout.errors import ElementMissing
from apps.document.layout.model import Attachment, Block, Draft, Heading, Level, Paragraph, Table
from apps.document.layout.numbering import from_chinese, level_of, to_chinese

Kind = Literal["p", "h1", "h2", "h3", "h4", "table", "annex"]
_CHINESE, _ARABIC = re.compile(r"[一二三四五六七八九十]+"), re.compile(r"[0-9０-９]+")
_LAST = 99


@dataclass(frozen=True, slots=True)
class Piece:
    """One block: a paragraph, a heading of a level, a table, or the title of an attachment whose text follows."""

    kind: Kind
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def level(self) -> Level | None:
        """The level of a heading."""
        return cast("Level", int(self.kind[1])) if self.kind[0] == "h" else None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a place of the content was written: the block's index, and what to add to an index of its characters."""

    block: int
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Composed:
    """A text made of pieces. `labels` are the numbers that the headings were given, empty for those with their own.

    `places` says, for each block of the content by its JSON pointer, where it was written; `astray` are the headings
    whose own number is not the next one, with the one that was due.
    """

    draft: Draft
    labels: tuple[str, ...]
    places: Mapping[str, Place]
    astray: Mapping[int, str]


class _Numbers:
    """Counts the headings of one text."""

    def __init__(self) -> None:
        self._last = [0, 0, 0, 0]

    def due(self, level: Level) -> str:
        """The number that the next heading of the level is due."""
        return mark_of(level, min(self._last[level - 1] + 1, _LAST))

    def follows(self, level: Level) -> int:
        """The number that the next heading of the level is due, as a number."""
        return self._last[level - 1] + 1

    def take(self, level: Level, number: int) -> None:
        self._last[level - 1] = number
        self._last[level:] = [0] * (4 - level)

    def next(self, level: Level) -> str:
        """Give the next heading of the level its number."""
        mark = self.due(level)
        self.take(level, min(self._last[level - 1] + 1, _LAST))
        return mark


def mark_of(level: Level, number: int) -> str:
    """The mark of a heading: 一、 （一） 1. （1）."""
    shown = to_chinese(number) if level <= 2 else str(number)
    return {1: f"{shown}、", 2: f"（{shown}）", 3: f"{shown}.", 4: f"（{shown}）"}[level]


def _own(level: Level, text: str) -> int | None:
    """The number that a heading's own text begins with, if it is one of the level."""
    if level_of(text) != level:
        return None
    found = (_CHINESE if level <= 2 else _ARABIC).search(text)
    if found is None:
        return None
    return from_chinese(found[0]) if level <= 2 else int(found[0])


def compose(title: str, pieces: Sequence[Piece], notes: str = "") -> Composed:
    """The text that the pieces make. What is empty is left out; a table's rows are made equally long."""
    return _Composing(title, pieces, notes).made()


class _Composing:
    def __init__(self, title: str, pieces: Sequence[Piece], notes: str) -> None:
        self._title, self._pieces, self._notes = title, pieces, notes
        self._numbers = _Numbers()
        self._body: list[Block] = []
        self._annexes: list[tuple[str, list[Block]]] = []
        self._labels = [""] * len(pieces)
        self._places: dict[str, Place] = {}
        self._astray: dict[int, str] = {}

    def made(self) -> Composed:
        for index, piece in enumerate(self._pieces):
            self._take(index, piece)
        draft = Draft(
            clean(self._title),
            (),
            tuple(self._body),
            tuple(Attachment(title, tuple(blocks)) for title, blocks in self._annexes),
            notes=_bare(self._notes) or None,
        )
        return Composed(draft, tuple(self._labels), self._places, self._astray)

    def _take(self, index: int, piece: Piece) -> None:
        if piece.kind == "annex":
            self._annexes.append((clean(piece.text), []))
            self._numbers = _Numbers()
            self._places[f"/attachments/{len(self._annexes) - 1}/title"] = Place(index)
        elif piece.kind == "table":
            rows = _rectangle(piece.rows)
            if rows:
                self._add(Table(rows), Place(index))
        else:
            self._paragraphs(index, piece)

    def _paragraphs(self, index: int, piece: Piece) -> None:
        """A line break begins a new paragraph; only the first one is the heading."""
        at, level = 0, piece.level
        for line in piece.text.split("\n"):
            text = clean(line)
            place = Place(index, at + len(line) - len(line.lstrip()))
            at += len(line) + 1
            if text and level is not None:
                self._heading(place, level, text)
                level = None
            elif text:
                self._add(Paragraph(text), place)

    def _heading(self, place: Place, level: Level, text: str) -> None:
        own = _own(level, text)
        label = ""
        if own is None:
            label = self._labels[place.block] = self._numbers.next(level)
        else:
            if own != self._numbers.follows(level):
                self._astray[place.block] = self._numbers.due(level)
            self._numbers.take(level, own)
        whole = label + text
        end = whole.find("。") + 1
        parts = (whole[:end], whole[end:]) if 0 < end < len(whole) else (whole, "")
        self._add(Heading(level, *parts), Place(place.block, place.shift - len(label)))

    def _add(self, block: Block, place: Place) -> None:
        if self._annexes:
            within, blocks = f"/attachments/{len(self._annexes) - 1}/body", self._annexes[-1][1]
        else:
            within, blocks = "/body", self._body
        self._places[f"{within}/{len(blocks)}"] = place
        blocks.append(block)


def _bare(notes: str) -> str:
    """附注 without its brackets: the layout puts them."""
    return clean(notes).removeprefix("（").removesuffix("）").strip()


def _rectangle(rows: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    kept = [[clean(cell) for cell in row] for row in rows]
    wide = max((len(row) for row in kept), default=0)
    if not any(cell for row in kept for cell in row):
        return ()
    return tuple((*row, *[""] * (wide - len(row))) for row in kept)


def pieces(draft: Draft) -> list[Piece]:
    """The text as blocks to edit: headings that have the number due to them are shown without it."""
    return [
        *_pieces(draft.blocks),
        *(
            piece
            for each in draft.attachments
            for piece in (Piece("annex", each.title), *_pieces(each.blocks))
        ),
    ]


def _pieces(blocks: Sequence[Block]) -> Iterator[Piece]:
    numbers = _Numbers()
    for block in blocks:
        match block:
            case Paragraph(text):
                yield Piece("p", text)
            case Heading(level, text, rest):
                kind = cast("Kind", f"h{level}")
                due = numbers.due(level)
                own = _own(level, text)
                if own is None:
                    numbers.next(level)
                else:
                    numbers.take(level, own)
                # a second number behind the first would be taken for its own
                bare = text.removeprefix(due) if own is not None else text
                plain = bare if _own(level, bare) is None else text
                yield Piece(kind, plain + rest)
            case Table(rows):
                yield Piece("table", rows=rows)


def demand_whole(draft: Draft) -> None:
    """Raise `ElementMissing` for a text without title or body, or an attachment without a title."""
    missing = (
        ("标题 title", not draft.title),
        ("正文 body", not draft.blocks),
        ("附件标题 title of an attachment", not all(each.title for each in draft.attachments)),
    )
    for element, absent in missing:
        if absent:
            raise ElementMissing(element=element)
