"""Drawing a page as SVG for a screen: the marks that PDF and OFD show, each character as its outline at the grid's place.

The outlines come from the same font files, so that no browser chooses a face. Every line names where in the content it
comes from (`data-at`, `data-start`), so that a place in the text is found on the page and the other way round. There is
no script and no style in it: a strict policy of the reader's browser lets it through.
"""

from base64 import b64encode
from collections.abc import Collection, Iterable
from functools import lru_cache
from html import escape
from threading import Lock

from fontTools.pens.svgPathPen import SVGPathPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from apps.document.layout.faces import Face, Typefaces, advance, cut, located
from apps.document.layout.grid import SHEET_HEIGHT, SHEET_WIDTH
from apps.document.layout.marks import BASELINE, Page, Picture, Rule, Text

MEDIA_TYPE = "image/svg+xml"
_LOCK = Lock()
"""A font is read from its file as its glyphs are asked for, and not by two threads."""


def paint_svg(page: Page, faces: Typefaces, label: str, *, alone: bool = True) -> str:
    """The page as one SVG element in points; `label` is what somebody hears who does not see it.

    One that does not stand `alone` has no outlines in it: whoever shows several pages, again and again, keeps those that
    `outlines` gives once.
    """
    number = {face: index for index, face in enumerate(faces.all())}
    used: dict[str, tuple[Face, str]] = {}
    marks = [_mark(mark, faces, number, used) for mark in page.marks]
    glyphs = "".join(f'<path id="{name}" d="{_outline(*glyph)}"/>' for name, glyph in used.items() if alone)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SHEET_WIDTH:.3f} {SHEET_HEIGHT:.3f}" role="img" '
        f'aria-label="{escape(label)}">{f"<defs>{glyphs}</defs>" if alone else ""}'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(marks)}</svg>'
    )


def outlines(pages: Iterable[Page], faces: Typefaces, known: Collection[str] = ()) -> dict[str, str]:
    """The outline of every character on the pages as an SVG path, by the name that the pages use, but for those `known`."""
    number = {face: index for index, face in enumerate(faces.all())}
    used: dict[str, tuple[Face, str]] = {}
    for page in pages:
        for mark in page.marks:
            if isinstance(mark, Text):
                for span in mark.spans:
                    for face, characters in cut(faces, span.role, span.text):
                        used |= {_name(number[face], each): (face, each) for each in characters}
    return {name: _outline(*glyph) for name, glyph in used.items() if name not in known}


def _name(face: int, character: str) -> str:
    return f"g{face}-{ord(character):x}"


def _mark(
    mark: Text | Rule | Picture, faces: Typefaces, number: dict[Face, int], used: dict[str, tuple[Face, str]]
) -> str:
    match mark:
        case Rule():
            return _rule(mark)
        case Picture():
            return _picture(mark)
    return _text(mark, faces, number, used)


def _picture(picture: Picture) -> str:
    return (
        f'<image x="{picture.left:.3f}" y="{picture.top:.3f}" width="{picture.width:.3f}" height="{picture.height:.3f}" '
        f'href="data:image/png;base64,{b64encode(picture.png).decode()}"/>'
    )


def _rule(rule: Rule) -> str:
    return (
        f'<rect x="{rule.left:.3f}" y="{rule.top:.3f}" width="{rule.width:.3f}" '
        f'height="{rule.height:.3f}" fill="{rule.color}"/>'
    )


def _text(text: Text, faces: Typefaces, number: dict[Face, int], used: dict[str, tuple[Face, str]]) -> str:
    """One line: a group in points with its origin on the baseline, and in it a group in font units for each face."""
    x, pieces = 0.0, []
    for span in text.spans:
        for face, characters in cut(faces, span.role, span.text):
            scale = text.size / _em(face)
            places = []
            for character in characters:
                name = _name(number[face], character)
                used[name] = (face, character)
                places.append(f'<use href="#{name}" x="{x / scale:.0f}"/>')
                x += advance(faces, span.role, character) * text.size + text.spacing
            pieces.append(
                f'<g transform="scale({scale:.6f} {-scale * text.stretch:.6f})">{"".join(places)}</g>'
            )
    baseline = text.top + BASELINE * text.size * text.stretch
    came = f' data-at="{escape(text.source)}" data-start="{text.start}"' if text.source else ""
    return (
        f'<g transform="translate({text.left:.3f} {baseline:.3f})" fill="{text.color}" '
        f'data-size="{text.size:.3f}" data-width="{x - text.spacing:.3f}"{came}>{"".join(pieces)}</g>'
    )


@lru_cache(maxsize=16)
def _font(face: Face) -> TTFont:
    path, index = located(face)
    return TTFont(path, fontNumber=index, lazy=True)


@lru_cache(maxsize=16)
def _em(face: Face) -> int:
    with _LOCK:
        return int(_font(face)["head"].unitsPerEm)


@lru_cache(maxsize=16384)
def _outline(face: Face, character: str) -> str:
    """The outline of a character in font units, y upwards, as an SVG path; empty for a space."""
    with _LOCK:
        font = _font(face)
        glyphs = font.getGlyphSet()
        pen = SVGPathPen(glyphs)
        glyphs[font.getBestCmap()[ord(character)]].draw(pen)
        return str(pen.getCommands())
