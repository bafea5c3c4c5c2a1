"""Counterparts of the layout: poppler reads the PDF, its raster measures the ink."""

import datetime as dt
import re
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from apps.document.layout import DocumentNumber, Elements, Kind, Paragraph
from tests.support import ofd_cli
from yinxin.ofd import package
from yinxin.ofd.markup import named, parse
from yinxin.ofd.read import opened

MM = 72 / 25.4
PX_PER_MM = 10  # at 254 dots per inch

# different characters, all in GB 2312, so that every line can be told from every other
PLAIN = "".join(
    bytes([high, low]).decode("gb2312") for high in range(0xB0, 0xB8) for low in range(0xA1, 0xFF)
)


@dataclass
class Placed:
    """A run of characters of an OFD: the origin of each and their baseline in mm from the sheet's top left corner."""

    text: str
    places: list[float]
    baseline: float
    size: float


@dataclass
class Line:
    """A line as poppler sees it: its box in points from the sheet's top left corner."""

    text: str
    x: float
    y: float
    right: float
    bottom: float


class Measure:
    """Reads laid-out documents."""

    mm = MM

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def plain(self, count: int, start: int = 0) -> str:
        return (PLAIN * (count // len(PLAIN) + 2))[start : start + count]

    def pages(self, pdf: bytes) -> list[list[Line]]:
        """Pages of lines, from top to bottom."""
        command = ["pdftotext", "-bbox-layout", str(self.file(pdf)), "-"]
        # poppler 22 writes the title's characters beyond the BMP as lone surrogates
        out = subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="replace")
        return [self._lines(page) for page in out.split("<page ")[1:]]

    def _lines(self, page: str) -> list[Line]:
        lines = []
        for box, body in re.findall(r"<line ([^>]*)>(.*?)</line>", page, re.DOTALL):
            words = [unescape(word) for word in re.findall(r"<word [^>]*>(.*?)</word>", body)]
            lines.append(Line(" ".join(words), *(float(value) for value in re.findall(r'="([^"]*)"', box))))
        return sorted(lines, key=lambda line: (round(line.y, 1), line.x))

    def text(self, pdf: bytes) -> str:
        return "\n".join(line.text for page in self.pages(pdf) for line in page)

    def file(self, pdf: bytes) -> Path:
        path = self.folder / "measured.pdf"
        path.write_bytes(pdf)
        return path

    def raster(self, pdf: bytes, page: int = 1) -> Image.Image:
        stem = self.folder / f"page{page}"
        place = ["-r", "254", "-f", str(page), "-l", str(page), "-singlefile", "-png"]
        subprocess.run(["pdftoppm", *place, str(self.file(pdf)), str(stem)], check=True)
        with Image.open(f"{stem}.png") as image:
            return image.convert("RGB")

    def placed(self, ofd: bytes) -> list[list[Placed]]:
        """Pages of runs, as the OFD itself says."""
        found = opened(ofd)
        return [
            [self._placed(each) for each in parse(found.parts, page).iter(named("TextObject"))]
            for _, page in found.pages
        ]

    def _placed(self, mark) -> Placed:
        code = mark.find(named("TextCode"))
        left, top, *_ = (float(each) for each in mark.get("Boundary").split())
        stretch = float(mark.get("CTM", "1 0 0 1 0 0").split()[3])
        places = [left + float(code.get("X"))]
        for advance in code.get("DeltaX", "").split():
            places.append(places[-1] + float(advance))
        return Placed(code.text, places, top + float(code.get("Y")) * stretch, float(mark.get("Size")))

    def bars(self, ofd: bytes, page: int = 0) -> list[tuple[float, ...]]:
        """Left, top, width and height in mm of the bars of a page."""
        found = opened(ofd)
        marks = parse(found.parts, found.pages[page][1]).iter(named("PathObject"))
        return [tuple(float(each) for each in mark.get("Boundary").split()) for mark in marks]

    def drawn(self, ofd: bytes, page: int = 1) -> Image.Image:
        """A page as a reader that is not ours draws it."""
        file = self.folder / "drawn.ofd"
        file.write_bytes(ofd)
        with Image.open(ofd_cli.draw(file, self.folder)[page - 1]) as image:
            return image.convert("RGB")

    def judged(self, ofd: bytes) -> int:
        """The status of a checker that is not ours: 0 when it accepts the file."""
        file = self.folder / "judged.ofd"
        file.write_bytes(package.pack(package.unpack(ofd)))
        return ofd_cli.check(file).returncode

    def bands(self, image: Image.Image, color: str, least_mm: float) -> list[tuple[float, float]]:
        """From and to, in mm from the top, of the bands whose rows hold at least so much ink of the colour."""
        r, g, b = (band.point(lambda value: 255 if value > 128 else 0) for band in image.split())
        blue_or_green = ImageChops.lighter(g, b)
        if color == "red":
            mask = ImageChops.subtract(r, blue_or_green)
        else:
            mask = ImageChops.invert(ImageChops.lighter(r, blue_or_green))
        width, height = image.size
        data, least = mask.tobytes(), max(least_mm * PX_PER_MM, 1)
        hits = [data[y * width : (y + 1) * width].count(255) >= least for y in range(height)]
        starts = [y for y in range(height) if hits[y] and not hits[y - 1]]
        ends = [y for y in range(height) if hits[y - 1] and not hits[y]]
        return [(a / PX_PER_MM, b / PX_PER_MM) for a, b in zip(starts, ends, strict=True)]


@pytest.fixture
def measure(tmp_path):
    return Measure(tmp_path)


@pytest.fixture
def notice():
    """A notice with one paragraph; tests replace what they are about."""
    return Elements(
        kind=Kind.NOTICE,
        organ_mark="河源省人民政府文件",
        number=DocumentNumber("河政", 2026, 12),
        title="关于开展政务信息系统安全检查的通知",
        body=(Paragraph("现将有关事项通知如下。"),),
        signing_organ="河源省人民政府",
        date=dt.date(2026, 11, 22),
        main_recipients=("各市、县人民政府", "省政府各部门"),
    )
