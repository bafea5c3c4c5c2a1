"""Markdown (CommonMark with tables): headings, paragraphs, lists and simple tables; any HTML stays text."""

from collections.abc import Callable

from markdown_it import MarkdownIt
from markdown_it.token import Token

from apps.document.layout.errors import DraftUnsupportedContent
from apps.document.layout.parts import Part
from apps.document.layout.read_text import decode

BULLET = "——"
"""The mark of an item that has no number: official documents begin such a paragraph with a dash."""


def parts_of_markdown(data: bytes, filename: str) -> list[Part]:
    """Parts in order. The only heading of the first level is the title; `##` is then level 1 一、, and so on."""
    # a paragraph indented by hand is no code; beyond maxNesting the parser would leave text out without a word
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 10**6}).enable("table").disable("code")
    try:
        tokens = parser.parse(decode(data, filename))
    except RecursionError as cause:
        raise DraftUnsupportedContent(
            filename=filename, what="嵌套过深 nested too deep", where="Markdown"
        ) from cause
    tops = sum(token.type == "heading_open" and token.tag == "h1" for token in tokens)
    reader = _Reader(filename, shift=1 if tops == 1 else 0)
    for token in tokens:
        reader.take(token)
    return reader.parts


class _Reader:
    """Collects parts from the parser's tokens."""

    def __init__(self, filename: str, *, shift: int) -> None:
        self.parts: list[Part] = []
        self._filename = filename
        self._shift = shift
        self._heading: int | None = None
        self._next: list[int | None] = []  # for each open list its next number, or None when it has bullets
        self._mark = ""
        self._rows: list[list[str]] | None = None
        self._takers: dict[str, Callable[[Token], None]] = {
            "heading_open": self._open_heading,
            "heading_close": self._close_heading,
            "ordered_list_open": lambda token: self._next.append(int(token.attrGet("start") or 1)),
            "bullet_list_open": lambda _: self._next.append(None),
            "ordered_list_close": lambda _: self._close_list(),
            "bullet_list_close": lambda _: self._close_list(),
            "list_item_open": self._open_item,
            "table_open": self._open_table,
            "tr_open": self._open_row,
            "table_close": self._close_table,
            "inline": self._inline,
            "fence": lambda token: self._refuse("代码 code", token),
        }

    def take(self, token: Token) -> None:
        taker = self._takers.get(token.type)
        if taker is not None:
            taker(token)

    def _open_heading(self, token: Token) -> None:
        self._heading = int(token.tag[1]) - self._shift  # the title's level is 0

    def _close_heading(self, _: Token) -> None:
        self._heading = None

    def _close_list(self) -> None:
        self._next.pop()

    def _open_item(self, _: Token) -> None:
        number = self._next[-1]
        self._mark = BULLET if number is None else f"{number}."
        self._next[-1] = None if number is None else number + 1

    def _open_table(self, _: Token) -> None:
        self._rows = []

    def _open_row(self, _: Token) -> None:
        if self._rows is not None:
            self._rows.append([])

    def _close_table(self, _: Token) -> None:
        self.parts.append(Part("", rows=tuple(tuple(row) for row in self._rows or ())))
        self._rows = None

    def _inline(self, token: Token) -> None:
        text = self._plain(token)
        if self._rows is not None:
            self._rows[-1].append(text)
            return
        mark, self._mark = self._mark, ""
        self.parts += [Part(line, self._heading) for line in (mark + text).split("\n")]

    def _plain(self, token: Token) -> str:
        """The text of an inline token without emphasis; a link keeps its words, a picture cannot be carried.

        A line break begins a new paragraph, as in plain text: Chinese writers mean it so.
        """
        text = ""
        for child in token.children or []:
            if child.type == "image":
                self._refuse("图片 image", token)
            text += "\n" if child.type in {"hardbreak", "softbreak"} else child.content
        return text

    def _refuse(self, what: str, token: Token) -> None:
        line = token.map[0] + 1 if token.map else 0
        raise DraftUnsupportedContent(filename=self._filename, what=what, where=f"第 {line} 行 line {line}")
