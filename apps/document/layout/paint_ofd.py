"""Turning pages into OFD: the marks that the PDF shows, each character at the very place that the grid gives it."""

from collections.abc import Iterator, Mapping

from apps.document.layout.faces import Face, Typefaces, advance, cut, located
from apps.document.layout.grid import MM
from apps.document.layout.marks import BASELINE, Page, Picture, Rule, Text
from apps.document.layout.model import Elements
from yinxin import ofd


def paint_ofd(pages: tuple[Page, ...], faces: Typefaces, elements: Elements) -> bytes:
    """The OFD file (GB/T 33190-2016), not sealed. Same pages, same faces, same bytes."""
    fonts = _fonts(pages, faces)
    return ofd.write(
        ofd.Document(
            title=elements.title.replace("\n", ""),
            author=elements.signing_organ,
            date=elements.date,
            pages=[
                ofd.Page([mark for each in page.marks for mark in _marks(each, faces, fonts)])
                for page in pages
            ],
        )
    )


def _fonts(pages: tuple[Page, ...], faces: Typefaces) -> Mapping[Face, ofd.Font]:
    """Every face that the pages use, cut to its characters."""
    used: dict[Face, set[str]] = {}
    for page in pages:
        for mark in page.marks:
            if isinstance(mark, Text):
                for span in mark.spans:
                    for face, text in cut(faces, span.role, span.text):
                        used.setdefault(face, set()).update(text)
    return {face: _cut(face, characters) for face, characters in used.items()}


def _cut(face: Face, characters: set[str]) -> ofd.Font:
    path, index = located(face)
    return ofd.cut(path, characters, name=face.family, index=index, bold=face.weight >= 600)


def _marks(
    mark: Text | Rule | Picture, faces: Typefaces, fonts: Mapping[Face, ofd.Font]
) -> Iterator[ofd.Glyphs | ofd.Bar | ofd.Picture]:
    if isinstance(mark, Picture):
        x, y, width, height = (each / MM for each in (mark.left, mark.top, mark.width, mark.height))
        yield ofd.Picture(x, y, width, height, mark.png)
        return
    if isinstance(mark, Rule):
        x, y, width, height = (each / MM for each in (mark.left, mark.top, mark.width, mark.height))
        yield ofd.Bar(x, y, width, height, _color(mark.color))
        return
    x, baseline = mark.left, mark.top + BASELINE * mark.size * mark.stretch
    for face, text, ems in _pieces(mark, faces):
        advances = [each * mark.size + mark.spacing for each in ems]
        yield ofd.Glyphs(
            font=fonts[face],
            text=text,
            x=x / MM,
            baseline=baseline / MM,
            size=mark.size / MM,
            advances=[each / MM for each in advances],
            color=_color(mark.color),
            stretch=mark.stretch,
        )
        x += sum(advances)


def _pieces(mark: Text, faces: Typefaces) -> list[tuple[Face, str, list[float]]]:
    """The text in pieces of one face with the width of each character in em.

    A space at a piece's beginning is put at the end of the one before: readers trim it, and would move the characters
    after it to its place.
    """
    pieces: list[tuple[Face, str, list[float]]] = []
    for span in mark.spans:
        for face, text in cut(faces, span.role, span.text):
            ems = [advance(faces, span.role, each) for each in text]
            spaces = len(text) - len(text.lstrip(" ")) if pieces else 0
            if spaces:
                before = pieces[-1]
                pieces[-1] = (before[0], before[1] + text[:spaces], [*before[2], *ems[:spaces]])
            if text[spaces:]:
                pieces.append((face, text[spaces:], ems[spaces:]))
    return pieces


def _color(hexadecimal: str) -> tuple[int, int, int]:
    """A CSS colour of three or six digits."""
    digits = hexadecimal.removeprefix("#")
    pairs = [each * 2 for each in digits] if len(digits) == 3 else [digits[i : i + 2] for i in (0, 2, 4)]
    red, green, blue = (int(each, 16) for each in pairs)
    return red, green, blue
