"""Packages that are not what they seem, and what is read of those that are."""

import datetime as dt
import re
import warnings
import zipfile
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from tests.support import ofd_cli
from yinxin import ofd
from yinxin.ofd import package, read

ENTRY = "OFD.xml"


def zipped(*parts: tuple[str, bytes], before: bytes = b"", compression: int = zipfile.ZIP_STORED) -> bytes:
    output = BytesIO()
    with zipfile.ZipFile(output, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # two parts of one name
        for name, data in parts:
            archive.writestr(name, data)
    return before + output.getvalue()


def test_the_same_parts_give_the_same_bytes_and_come_back(layout):
    parts = package.unpack(layout.ofd)
    assert package.pack(dict(reversed(parts.items()))) == layout.ofd
    assert package.is_one(layout.ofd)
    assert not package.is_one(zipped(("mimetype", b"x")))
    assert not package.is_one(b"%PDF-1.7")


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 no zip at all",
        zipped(("Doc_0/Document.xml", b"<x/>")),
        zipped((ENTRY, b"<x/>"), (ENTRY, b"<y/>")),
        zipped((ENTRY, b"<x/>"), ("Doc_0/A.xml", b"<x/>"), ("doc_0/a.xml", b"<y/>")),
        zipped((ENTRY, b"<x/>"), ("../etc/passwd", b"x")),
        zipped((ENTRY, b"<x/>"), ("Doc_0/../OFD.xml", b"x")),
        zipped((ENTRY, b"<x/>"), before=b"%PDF-1.7\n"),
        zipped((ENTRY, b"<x/>"), compression=zipfile.ZIP_BZIP2),
    ],
    ids=["no-zip", "no-entry", "twice", "twice-but-case", "outside", "detour", "prefix", "method"],
)
def test_what_two_readers_could_read_differently_is_refused(data):
    with pytest.raises(ofd.OfdMalformed):
        package.unpack(data)


def test_a_part_hidden_between_the_others_is_refused(layout):
    """A reader that goes from header to header would find it; one that asks the directory would not."""
    hidden = zipped(("Doc_0/Pages/Page_0/Content.xml", b"<other/>"))
    local = hidden[: hidden.index(b"PK\x01\x02")]
    data = bytearray(layout.ofd)
    end = data.rindex(b"PK\x05\x06")
    directory = int.from_bytes(data[end + 16 : end + 20], "little")
    data[end + 16 : end + 20] = (directory + len(local)).to_bytes(4, "little")
    data[directory:directory] = local
    assert zipfile.ZipFile(BytesIO(bytes(data))).testzip() is None
    with pytest.raises(ofd.OfdMalformed, match="lies after the parts"):
        package.unpack(bytes(data))


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    data = zipped((ENTRY, bytes(2_000_000)), compression=zipfile.ZIP_DEFLATED)
    assert len(data) < 10_000
    monkeypatch.setattr(package, "FORMAT", replace(package.FORMAT, largest=1_000_000))
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(ofd.OfdMalformed, match="more than is read"):
        package.unpack(data)


@pytest.mark.parametrize(
    "markup",
    [
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x []><x/>'.encode("utf-16"),
        b"<x>",
        b"\xff\xfe",
    ],
)
def test_document_types_entities_and_broken_markup_are_refused(layout, markup):
    parts = package.unpack(layout.ofd)
    for path in (ENTRY, "Doc_0/Document.xml", "Doc_0/Pages/Page_0/Content.xml"):
        with pytest.raises(ofd.OfdMalformed):
            ofd.text(package.pack(parts | {path: markup}))


@pytest.mark.parametrize("location", ["../../etc/passwd", "", "..\\x", "/../x"])
def test_a_location_outside_the_package_is_refused(location):
    with pytest.raises(ofd.OfdMalformed):
        package.resolve("Doc_0/Document.xml", location)
    assert package.resolve("Doc_0/Document.xml", "/OFD.xml") == "OFD.xml"
    assert package.resolve("Doc_0/Document.xml", "Pages/P.xml") == "Doc_0/Pages/P.xml"


def test_every_identifier_is_given_once_and_the_highest_is_said(layout):
    parts = package.unpack(layout.ofd)
    found = [
        int(each)
        for path in parts
        if path.endswith(".xml") and path != ENTRY
        for each in _identifiers(parts[path])
    ]
    assert sorted(found) == list(range(1, len(found) + 1))
    root = read.opened(layout.ofd)
    assert f"<ofd:MaxUnitID>{len(found)}<".encode() in parts[root.root]


def _identifiers(part: bytes) -> list[str]:
    return re.findall(r' ID="(\d+)"', part.decode())


def test_pictures_and_bars_are_drawn_by_a_reader_that_is_not_ours(tmp_path):
    png = BytesIO()
    Image.new("RGB", (4, 4), (0, 128, 0)).save(png, "PNG")
    marks = (ofd.Bar(10, 20, 30, 5, (230, 0, 18)), ofd.Picture(60, 20, 10, 10, png.getvalue()))
    page = ofd.Page(marks)
    file = tmp_path / "marks.ofd"
    file.write_bytes(ofd.write(ofd.Document("标题 <&>", "机关", dt.date(2026, 11, 22), [page], 100, 50)))
    (drawn,) = ofd_cli.draw(file, tmp_path)
    with Image.open(drawn) as image:
        assert image.size == (1000, 500)
        seen = {
            place: image.convert("RGB").getpixel(place)
            for place in ((250, 225), (650, 250), (95, 225), (250, 255))
        }
    assert seen == {
        (250, 225): (230, 0, 18),
        (650, 250): (0, 128, 0),
        (95, 225): (255, 255, 255),
        (250, 255): (255, 255, 255),
    }
