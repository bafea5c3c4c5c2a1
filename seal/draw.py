"""Drawing a seal in the national form: a round one with star and the organ's name, or a square one with a person's.

The State Council's rules on seals of state organs (国发〔1999〕25号): round, the name in an arc from left to right, a star in
the middle; organs whose seal bears the national emblem have it made from the official pattern and bring its picture.
"""

import math
import subprocess
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from seal.errors import PictureNeeded
from yinxin.errors import Misconfigured
from yinxin.text import Text

_RED = (200, 16, 46)
_FAMILY, _STYLE = "Noto Serif CJK SC", "bold"
#: dots per inch of what is kept, and how much finer it is drawn
DPI, _FINER = 600, 2
_PER_MM = DPI / 25.4
_LONGEST = 40

#: diameter in mm where nobody says otherwise; which organ has which size is under revision, so the application says it
DIAMETER = 42
#: side of a personal seal in mm
SIDE = 18


class TypefaceMissing(Misconfigured):
    """The typeface of seals is not installed."""

    code = "seal.typeface_missing"
    zh = "系统没有安装绘制印章所需的字体 {family}；请安装软件包 fonts-noto-cjk。"
    en = "The typeface {family}, which seals are drawn with, is not installed; install the package fonts-noto-cjk."


def round_seal(name: str, diameter: int) -> bytes:
    """The PNG of a unit's seal, transparent, `diameter` mm across at 600 dpi; raises PictureNeeded for a name that does not fit."""
    if not 2 <= len(name) <= _LONGEST:
        raise PictureNeeded(
            name=name[:_LONGEST],
            reason=Text(f"名称须为 2 至 {_LONGEST} 字。", f"a name has 2 to {_LONGEST} characters."),
        )
    size = round(diameter * _PER_MM * _FINER)
    image = Image.new("RGBA", (size, size), (*_RED, 0))
    pen, centre = ImageDraw.Draw(image), size / 2
    ring = size * 0.028
    pen.ellipse((0, 0, size - 1, size - 1), outline=(*_RED, 255), width=round(ring))
    pen.polygon(_star(centre, size * 0.16), fill=(*_RED, 255))
    span = min(290.0, 30.0 * (len(name) - 1))
    high = size * 0.155
    middle = centre - ring - size * 0.025 - high / 2
    wide = min(high, math.radians(span / (len(name) - 1)) * middle * 0.9)
    for place, character in enumerate(name):
        angle = -span / 2 + place * span / (len(name) - 1)
        glyph = _glyph(character, round(wide), round(high)).rotate(
            -angle, Image.Resampling.BICUBIC, expand=True
        )
        x = centre + middle * math.sin(math.radians(angle)) - glyph.width / 2
        y = centre - middle * math.cos(math.radians(angle)) - glyph.height / 2
        image.alpha_composite(glyph, (round(x), round(y)))
    return _png(image)


def name_seal(name: str, side: int) -> bytes:
    """The PNG of a personal seal: square, framed, two columns from right to left; raises PictureNeeded."""
    text = name if len(name) != 3 else f"{name}印"
    if len(text) not in (2, 4):
        raise PictureNeeded(
            name=name[:_LONGEST],
            reason=Text(
                "人名章只绘制二至四字的姓名，请上传图片。",
                "names of two to four characters are drawn; upload a picture.",
            ),
        )
    size = round(side * _PER_MM * _FINER)
    image = Image.new("RGBA", (size, size), (*_RED, 0))
    frame, edge = round(size * 0.045), round(size * 0.09)
    ImageDraw.Draw(image).rectangle((0, 0, size - 1, size - 1), outline=(*_RED, 255), width=frame)
    columns = len(text) // 2
    wide, high = (size - 2 * edge) // columns, (size - 2 * edge) // 2
    for place, character in enumerate(text):
        column, row = columns - 1 - place // 2, place % 2
        image.alpha_composite(_glyph(character, wide, high), (edge + column * wide, edge + row * high))
    return _png(image)


def _star(centre: float, radius: float) -> list[tuple[float, float]]:
    return [
        (centre + length * math.sin(math.pi * place / 5), centre - length * math.cos(math.pi * place / 5))
        for place in range(10)
        for length in ((radius,) if place % 2 == 0 else (radius * 0.382,))
    ]


def _glyph(character: str, wide: int, high: int) -> Image.Image:
    """One character that fills a box of this size, narrowed as seals narrow them."""
    font = _font(high)
    box = Image.new("RGBA", (high, high), (*_RED, 0))
    ImageDraw.Draw(box).text((high / 2, high / 2), character, font=font, anchor="mm", fill=(*_RED, 255))
    return box.resize((wide, high), Image.Resampling.LANCZOS) if wide != high else box


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    path, index = _face()
    return ImageFont.truetype(path, size, index=index)


@lru_cache(maxsize=1)
def _face() -> tuple[str, int]:
    query = ["fc-match", "-f", "%{file}\n%{index}\n%{family}", f"{_FAMILY}:{_STYLE}"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, check=True).stdout.split("\n")
    except (OSError, subprocess.CalledProcessError) as error:
        raise TypefaceMissing(family=_FAMILY) from error
    if _FAMILY not in found[2].split(","):
        raise TypefaceMissing(family=_FAMILY)
    return found[0], int(found[1])


def _png(image: Image.Image) -> bytes:
    """One colour, and how much of it at each place: a quarter of the octets that four channels would take."""
    ink = image.getchannel("A").resize(
        (image.width // _FINER, image.height // _FINER), Image.Resampling.LANCZOS
    )
    ink.putpalette(_RED * 256)
    out = BytesIO()
    ink.save(out, "PNG", dpi=(DPI, DPI), transparency=bytes(range(256)))
    return out.getvalue()
