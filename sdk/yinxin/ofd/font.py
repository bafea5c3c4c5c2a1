"""Cutting a typeface down to the characters that stand on the pages, as a small OpenType file of its own."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from threading import Lock

from yinxin.ofd.model import Font

#: seconds from 1904 to 1970: the file's date is a constant, so that the same characters give the same bytes
_EPOCH = 2082844800
_NOTDEF = 0xFFFF_FFFF


def cut(file: Path, characters: Iterable[str], *, name: str, index: int = 0, bold: bool = False) -> Font:
    """The outlines of these characters of a font file (face `index` of a collection); those that it lacks are left out.

    Hints and layout features stay behind: every character is placed by the page, and shown as it is drawn.
    """
    from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]
    from fontTools.misc.psCharStrings import T2CharString  # type: ignore[import-untyped]

    source = _source(file, index)
    drawn = source.drawn(sorted({ord(character) for character in characters}))
    names = {point: ".notdef" if point == _NOTDEF else f"u{point:05X}" for point in drawn}
    plain = "".join(each for each in name if each.isascii() and each.isalnum())
    builder = FontBuilder(source.em, isTTF=False)
    builder.setupGlyphOrder(list(names.values()))
    builder.setupCharacterMap({point: glyph for point, glyph in names.items() if point != _NOTDEF})
    outlines = {names[point]: T2CharString(bytecode=outline.program) for point, outline in drawn.items()}
    builder.setupCFF(
        plain, {"FullName": name, "FamilyName": name, "FontBBox": list(source.box)}, outlines, {}
    )
    builder.setupHorizontalMetrics(
        {names[point]: (outline.width, outline.left) for point, outline in drawn.items()}
    )
    builder.setupHorizontalHeader(ascent=source.ascent, descent=source.descent)
    style = "Bold" if bold else "Regular"
    builder.setupNameTable({"familyName": name, "styleName": style, "psName": plain})
    weight = 700 if bold else 400
    builder.setupOS2(sTypoAscender=source.ascent, sTypoDescender=source.descent, usWeightClass=weight)
    builder.setupPost(keepGlyphNames=False)
    edges = dict(zip(("xMin", "yMin", "xMax", "yMax"), source.box, strict=True))
    builder.updateHead(created=_EPOCH, modified=_EPOCH, **edges)
    # the face's own box holds these characters too; measuring each anew takes longer than all the rest
    builder.font.recalcTimestamp = builder.font.recalcBBoxes = False
    output = BytesIO()
    builder.save(output)
    return Font(name, output.getvalue(), bold)


@dataclass(frozen=True, slots=True)
class _Outline:
    """One character's drawing as a Type 2 charstring, its advance and left bearing in units of the em."""

    program: bytes
    width: int
    left: int


@dataclass(slots=True)
class _Source:
    """A face, and what was drawn of it before: documents share most of their characters, and drawing is what takes time.

    The file is open only while something new is drawn: a face of all Chinese characters is 20 MB.
    """

    file: Path
    index: int
    em: int = 0
    ascent: int = 0
    descent: int = 0
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    _known: dict[int, _Outline | None] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def drawn(self, points: Iterable[int]) -> dict[int, _Outline]:
        """The outlines of these code points that the face has, what stands for a missing one first."""
        wanted = (_NOTDEF, *points)
        with self._lock:
            if new := [point for point in wanted if point not in self._known]:
                self._draw(new)
            return {point: outline for point in wanted if (outline := self._known[point])}

    def _draw(self, points: Iterable[int]) -> None:
        from fontTools.pens.t2CharStringPen import T2CharStringPen  # type: ignore[import-untyped]
        from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

        with TTFont(self.file, fontNumber=self.index, lazy=True) as font:
            head, line = font["head"], font["hhea"]
            self.em, self.ascent, self.descent = head.unitsPerEm, line.ascent, line.descent
            self.box = (head.xMin, head.yMin, head.xMax, head.yMax)
            glyphs, names, metrics = font.getGlyphSet(), font.getBestCmap(), font["hmtx"].metrics
            for point in points:
                name = font.getGlyphName(0) if point == _NOTDEF else names.get(point)
                if name is None:
                    self._known[point] = None
                    continue
                width, left = metrics[name]
                pen = T2CharStringPen(width, glyphs)
                glyphs[name].draw(pen)
                made = pen.getCharString()
                made.compile()
                self._known[point] = _Outline(made.bytecode, width, left)


@lru_cache(maxsize=16)
def _source(file: Path, index: int) -> _Source:
    return _Source(file, index)
