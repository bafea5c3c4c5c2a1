"""Breaking a title into a trapezium or a diamond without cutting a word (GB/T 9704-2012, 7.3.1)."""

import re
from dataclasses import replace
from itertools import combinations, pairwise
from math import ceil

from apps.document.layout.errors import DoesNotFit
from apps.document.layout.faces import Role, Typefaces
from apps.document.layout.grid import TITLE_SIZE, WIDTH
from apps.document.layout.lines import NO_END, NO_START, Line, Span, width_of

_WHOLE = re.compile(r"[0-9A-Za-z.,%\-]+年?度?|——|……|[\u3400-\u9fff]?〔\d{4}〕\d+号")
_GOOD_BEFORE = (
    "关于",
    "《",
    "（",
    "的通",
    "的报告",
    "的请示",
    "的批复",
    "的决定",
    "的意见",
    "的公告",
    "的函",
    "工作",
)
_GOOD_AFTER = (
    "关于",
    "印发",
    "转发",
    "、",
    "，",
    "》",
    "和",
    "及",
    "的",
    "府",
    "厅",
    "会",
    "暨",
    "开展",
    "加强",
    "年度",
)
_MOST_LINES = 5
_CHARACTERS = int(WIDTH / TITLE_SIZE)


def title_lines(faces: Typefaces, title: str, source: str = "/title") -> list[Line]:
    """Centred lines of the title at `source`. A line break in the title is the writer's own and is kept."""
    pieces = [piece.strip() for piece in title.split("\n") if piece.strip()]
    if len(pieces) == 1:
        pieces = _split(faces, pieces[0])
    lines, at = [], 0
    for piece in pieces:
        at = title.index(piece, at)
        lines.append(replace(_centred(faces, piece), source=source, start=at))
        at += len(piece)
    if len(pieces) > _MOST_LINES or any(line.left < 0 for line in lines):
        raise DoesNotFit(element="标题 title", place=f"{_MOST_LINES} × {_CHARACTERS}")
    return lines


def _width(faces: Typefaces, text: str) -> float:
    return width_of(faces, (Span(text, Role.MARK),), size=TITLE_SIZE, spacing=0.0)


def _centred(faces: Typefaces, text: str) -> Line:
    return Line((Span(text, Role.MARK),), (WIDTH - _width(faces, text)) / 2, 0.0, TITLE_SIZE)


def _split(faces: Typefaces, title: str) -> list[str]:
    """The cheapest way to cut the title into as few lines as it needs."""
    count = ceil(_width(faces, title) / WIDTH)
    places = _places(title)
    while 1 < count <= _MOST_LINES:
        ways = [
            [title[a:b] for a, b in pairwise((0, *cut, len(title)))]
            for cut in combinations(places, count - 1)
        ]
        ways = [way for way in ways if all(_width(faces, piece) <= WIDTH for piece in way)]
        if ways:
            return min(ways, key=_cost)
        count += 1
    return [title]


def _places(title: str) -> list[int]:
    """Positions where a line may end."""
    inside = {i for match in _WHOLE.finditer(title) for i in range(match.start() + 1, match.end())}
    return [
        i
        for i in range(2, len(title) - 1)
        if i not in inside and title[i] not in NO_START and title[i - 1] not in NO_END
    ]


def _cost(way: list[str]) -> tuple[float, int]:
    """How far a way is from a well-shaped title: even lines, cuts at words' edges, no waist."""
    lengths = [len(piece) for piece in way]
    mean = sum(lengths) / len(lengths)
    cost = sum((length - mean) ** 2 for length in lengths) * 0.12
    for before, after in pairwise(way):
        cost += 0 if before.endswith(_GOOD_AFTER) or after.startswith(_GOOD_BEFORE) else 5
    for left, middle, right in zip(lengths, lengths[1:], lengths[2:], strict=False):
        cost += 4 if middle < left and middle < right else 0
    return cost, lengths[0]
