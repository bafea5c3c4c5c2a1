"""Which typeface plays which role, and how wide its characters are.

Chinese characters take one em; only Latin letters, digits and the like are measured from the font itself, so that a
row can be filled to the type area's edge before it is painted.
"""

import subprocess
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from fontTools.pens.boundsPen import BoundsPen  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from apps.document.layout.errors import TypefaceMissing, UnprintableCharacter

_FONTS = Path(__file__).parent / "fonts"


class Role(StrEnum):
    """The faces that GB/T 9704-2012 names."""

    MARK = "mark"  # 小标宋体
    BODY = "body"  # 仿宋体
    BOLD = "bold"  # 黑体
    KAI = "kai"  # 楷体
    SONG = "song"  # 宋体


@dataclass(frozen=True, slots=True)
class Face:
    """A typeface: a font file of one face (`file`), or a family known to fontconfig with a CSS weight."""

    family: str
    weight: int = 400
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Typefaces:
    """The face of each role; characters that a role's face lacks are taken from `fallback`, in order.

    An organ that has licensed 方正小标宋 or the like names it here. The default is free: see the room's README.
    """

    mark: Face = Face("Noto Serif CJK SC", 700)
    body: Face = Face("Fandol Fang", file=_FONTS / "FandolFang-Regular.otf")
    bold: Face = Face("Noto Sans CJK SC", 700)
    kai: Face = Face("Fandol Kai", file=_FONTS / "FandolKai-Regular.otf")
    song: Face = Face("Noto Serif CJK SC")
    fallback: tuple[Face, ...] = (Face("Noto Serif CJK SC"),)

    def of(self, role: Role) -> tuple[Face, ...]:
        """The faces to try for a role, the first one first."""
        face: Face = getattr(self, role.value)
        return (face, *self.fallback)

    def all(self) -> tuple[Face, ...]:
        """Every face once."""
        named = (self.mark, self.body, self.bold, self.kai, self.song, *self.fallback)
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True)
class _Metrics:
    """Of one face, in em: the width of each character by code point, and the line's ascent and descent."""

    advances: dict[int, float]
    ascent: float
    descent: float


@lru_cache(maxsize=32)
def _metrics(face: Face) -> _Metrics:
    with _open(face) as font:
        em = font["head"].unitsPerEm
        widths, line = font["hmtx"].metrics, font["hhea"]
        advances = {point: widths[glyph][0] / em for point, glyph in font.getBestCmap().items()}
        return _Metrics(advances, line.ascent / em, -line.descent / em)


def _open(face: Face) -> TTFont:
    path, index = located(face)
    return TTFont(path, fontNumber=index, lazy=True)


@lru_cache(maxsize=32)
def located(face: Face) -> tuple[Path, int]:
    """The face's font file, and its number in a collection; raises TypefaceMissing."""
    path, index = (face.file, 0) if face.file is not None else _installed(face)
    if not path.is_file():
        raise TypefaceMissing(family=face.family)
    return path, index


def _installed(face: Face) -> tuple[Path, int]:
    """Where fontconfig finds the family; it always answers something, so the family is compared."""
    weight = "bold" if face.weight >= 600 else "regular"
    query = ["fc-match", "-f", "%{file}\n%{index}\n%{family}", f"{face.family}:{weight}"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, check=True).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError) as cause:
        raise TypefaceMissing(family=face.family) from cause
    if face.family not in answer[2].split(","):
        raise TypefaceMissing(family=face.family)
    return Path(answer[0]), int(answer[1])


def face_of(faces: Typefaces, role: Role, character: str) -> Face:
    """The face that will show the character; `UnprintableCharacter` when none has it."""
    for face in faces.of(role):
        if ord(character) in _metrics(face).advances:
            return face
    raise UnprintableCharacter(characters=character, points=f"U+{ord(character):04X}")


def cut(faces: Typefaces, role: Role, text: str) -> list[tuple[Face, str]]:
    """The text in pieces of one face: a rare character's own face is named, never left to whoever draws it."""
    pieces: list[tuple[Face, str]] = []
    for character in text:
        face = face_of(faces, role, character)
        if pieces and pieces[-1][0] == face:
            pieces[-1] = (face, pieces[-1][1] + character)
        else:
            pieces.append((face, character))
    return pieces


def require(faces: Typefaces, text: str) -> None:
    """Raise `UnprintableCharacter` with every character of the text that no face of the body can show."""
    held = [_metrics(face).advances for face in faces.of(Role.BODY)]
    absent = sorted({c for c in text if not any(ord(c) in advances for advances in held) and c != "\n"})
    if absent:
        points = " ".join(f"U+{ord(c):04X}" for c in absent)
        raise UnprintableCharacter(characters="".join(absent), points=points)


@lru_cache(maxsize=8192)
def advance(faces: Typefaces, role: Role, character: str) -> float:
    """Width of one character in em."""
    return _metrics(face_of(faces, role, character)).advances[ord(character)]


def ascent(faces: Typefaces, role: Role) -> tuple[float, float]:
    """Ascent and descent (both positive) in em that the layout engine uses for the role's own face."""
    metrics = _metrics(faces.of(role)[0])
    return metrics.ascent, metrics.descent


@lru_cache(maxsize=64)
def ink_top(faces: Typefaces, role: Role, text: str) -> float:
    """How far the ink of the text rises above the baseline, in em."""
    by_face: dict[Face, set[str]] = {}
    for character in text:
        by_face.setdefault(face_of(faces, role, character), set()).add(character)
    return max(_ink_top(face, characters) for face, characters in by_face.items())


def _ink_top(face: Face, characters: set[str]) -> float:
    with _open(face) as font:
        glyphs, names, highest = font.getGlyphSet(), font.getBestCmap(), 0.0
        for character in characters:
            pen = BoundsPen(glyphs)
            glyphs[names[ord(character)]].draw(pen)
            highest = max(highest, pen.bounds[3] if pen.bounds else 0.0)
        return highest / float(font["head"].unitsPerEm)
