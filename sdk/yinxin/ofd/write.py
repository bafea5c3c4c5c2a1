"""Writing an OFD (GB/T 33190-2016): the same document gives the same bytes."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from yinxin.ofd.markup import box, element, leaf, millimetres, part
from yinxin.ofd.model import BLACK, Bar, Color, Document, Font, Glyphs, Page, Picture
from yinxin.ofd.package import ENTRY, pack

FOLDER = "Doc_0"
ROOT = f"{FOLDER}/Document.xml"
_RESOURCES = "PublicRes.xml"
#: of the em, that ink may reach above and below the baseline; a mark is clipped to its boundary (8.5)
_ABOVE, _BELOW = 1.1, 0.4


def write(document: Document) -> bytes:
    """The package of a document: fonts and pictures inside, every character at its place, its text extractable."""
    return pack(_Writer(document).parts())


class _Writer:
    """One package in the making; identifiers count up from 1 over all parts (ST_ID)."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.last = 0
        marks = [mark for page in document.pages for mark in page.marks]
        self.fonts = {
            font: self._id() for font in dict.fromkeys(m.font for m in marks if isinstance(m, Glyphs))
        }
        self.pictures = {
            png: self._id() for png in dict.fromkeys(m.png for m in marks if isinstance(m, Picture))
        }

    def parts(self) -> dict[str, bytes]:
        """Every part by its path."""
        parts = {f"{FOLDER}/Res/{_file(font, number)}": font.data for font, number in self.fonts.items()}
        parts |= {f"{FOLDER}/Res/image_{number}.png": png for png, number in self.pictures.items()}
        parts[f"{FOLDER}/{_RESOURCES}"] = self._resources()
        pages = [self._id() for _ in self.document.pages]
        for number, page in enumerate(self.document.pages):
            parts[f"{FOLDER}/{_page_location(number)}"] = self._page(page)
        parts[ROOT] = self._root(pages)
        parts[ENTRY] = self._entry(
            hashlib.sha256(b"".join(parts[name] for name in sorted(parts))).hexdigest()[:32]
        )
        return parts

    def _id(self) -> int:
        self.last += 1
        return self.last

    def _entry(self, identifier: str) -> bytes:
        document = self.document
        information = element(
            "DocInfo",
            None,
            leaf("DocID", identifier),
            leaf("Title", document.title),
            leaf("Author", document.author),
            leaf("CreationDate", document.date.isoformat()),
            leaf("ModDate", document.date.isoformat()),
            leaf("Creator", "Yinxin"),
        )
        body = element("DocBody", None, information, leaf("DocRoot", ROOT))
        return part("OFD", {"Version": "1.0", "DocType": "OFD"}, body)

    def _root(self, pages: Sequence[int]) -> bytes:
        area = leaf("PhysicalBox", box(0, 0, self.document.width, self.document.height))
        common = element(
            "CommonData",
            None,
            leaf("MaxUnitID", str(self.last)),
            element("PageArea", None, area),
            leaf("PublicRes", _RESOURCES),
        )
        listed = [
            element("Page", {"ID": identifier, "BaseLoc": _page_location(number)})
            for number, identifier in enumerate(pages)
        ]
        return part("Document", None, common, element("Pages", None, *listed))

    def _resources(self) -> bytes:
        fonts = [
            element(
                "Font",
                {"ID": number, "FontName": font.name, "FamilyName": font.name}
                | ({"Bold": "true"} if font.bold else {}),
                leaf("FontFile", _file(font, number)),
            )
            for font, number in self.fonts.items()
        ]
        pictures = [
            element(
                "MultiMedia",
                {"ID": number, "Type": "Image", "Format": "PNG"},
                leaf("MediaFile", f"image_{number}.png"),
            )
            for number in self.pictures.values()
        ]
        groups = [
            element(name, None, *items)
            for name, items in (("Fonts", fonts), ("MultiMedias", pictures))
            if items
        ]
        return part("Res", {"BaseLoc": "Res"}, *groups)

    def _page(self, page: Page) -> bytes:
        layer = self._id()
        marks = [self._mark(mark) for mark in page.marks]
        return part(
            "Page", None, element("Content", None, element("Layer", {"ID": layer, "Type": "Body"}, *marks))
        )

    def _mark(self, mark: Glyphs | Bar | Picture) -> str:
        match mark:
            case Glyphs():
                return self._text(mark)
            case Bar(x, y, width, height, color):
                edge = f"M 0 0 L {box(width, 0)} L {box(width, height)} L {box(0, height)} C"
                return element(
                    "PathObject",
                    {
                        "ID": self._id(),
                        "Boundary": box(x, y, width, height),
                        "Stroke": "false",
                        "Fill": "true",
                    },
                    _fill(color),
                    leaf("AbbreviatedData", edge),
                )
            case Picture(x, y, width, height, png):
                attributes = {"ID": self._id(), "Boundary": box(x, y, width, height)}
                scaled = {"CTM": box(width, 0, 0, height, 0, 0), "ResourceID": self.pictures[png]}
                return element("ImageObject", attributes | scaled)

    def _text(self, run: Glyphs) -> str:
        """One TextObject; advances are differences of rounded places, so that no rounding adds up along the line."""
        places = [0.0]
        for advance in run.advances:
            places.append(round(places[-1] + advance, 9))
        rounded = [round(place, 4) for place in places]
        above = _ABOVE * run.size * run.stretch
        height = (_ABOVE + _BELOW) * run.size * run.stretch
        attributes = {
            "ID": self._id(),
            "Boundary": box(run.x, run.baseline - above, max(rounded[-1], run.size), height),
            "Font": self.fonts[run.font],
            "Size": millimetres(run.size),
        }
        if run.stretch != 1:
            attributes["CTM"] = f"1 0 0 {run.stretch:.5f} 0 0"
        place: dict[str, object] = {"X": "0", "Y": millimetres(_ABOVE * run.size)}
        if len(run.text) > 1:
            place["DeltaX"] = box(*(after - before for before, after in pairwise(rounded[:-1])))
        color = [_fill(run.color)] if run.color != BLACK else []
        return element("TextObject", attributes, *color, leaf("TextCode", run.text, **place))


def _file(font: Font, number: int) -> str:
    return f"font_{number}.{'otf' if font.data.startswith(b'OTTO') else 'ttf'}"


def _page_location(number: int) -> str:
    return f"Pages/Page_{number}/Content.xml"


def _fill(color: Color) -> str:
    return element("FillColor", {"Value": " ".join(map(str, color))})
