"""The picture for the screen: every character where PDF and OFD have it, every line with the place that it comes from."""

import re
from dataclasses import dataclass, replace

import pytest
from lxml import etree
from PIL import Image, ImageChops

from apps.document.layout import Attachment, Heading, Kind, Paragraph, Table, render
from apps.document.layout.grid import MM
from apps.document.layout.paint_svg import outlines

SVG = "{http://www.w3.org/2000/svg}"
TABLE = Table((("阶段", "时间"), ("自查", "12月1日至12月15日"), ("抽查", "ABC 12.5%")))


@dataclass
class Drawn:
    text: str
    places: list[float]
    baseline: float
    at: str | None
    start: int


def lines(svg: str) -> list[Drawn]:
    """What the picture itself says: characters by the names of their outlines, places in points."""
    found = []
    for group in etree.fromstring(svg).iter(f"{SVG}g"):
        moved = re.match(r"translate\((\S+) (\S+)\)", group.get("transform"))
        if moved is None:
            continue
        text, places = "", []
        for piece in group:
            scale = float(re.match(r"scale\((\S+) ", piece.get("transform"))[1])
            for use in piece:
                text += chr(int(use.get("href").partition("-")[2], 16))
                places.append(float(moved[1]) + float(use.get("x")) * scale)
        start = int(group.get("data-start") or 0)
        found.append(Drawn(text, places, float(moved[2]), group.get("data-at"), start))
    return found


@pytest.fixture
def rich(notice, measure):
    """A document of every kind of part, on several pages."""
    body = (
        Paragraph(measure.plain(300)),
        Heading(1, "一、检查范围"),
        Heading(2, "（一）责任落实。", "是否按照“谁主管谁负责”的原则，见 GB/T 9704-2012。"),
        TABLE,
        *(Paragraph(measure.plain(170, 300 + 170 * n)) for n in range(4)),
    )
    annex = Attachment("自查表", (Paragraph("说明。"), TABLE))
    return replace(notice, body=body, notes="联系人：张三", attachments=(annex, Attachment("名单")))


@pytest.mark.parametrize("change", [{}, {"kind": Kind.LETTER}, {"kind": Kind.MINUTES, "sealed": False}])
def test_characters_stand_where_the_ofd_has_them(measure, rich, change):
    title = {Kind.LETTER: "关于检查的函", Kind.MINUTES: "会议纪要"}.get(change.get("kind"), rich.title)
    layout = render(replace(rich, title=title, **change))
    for picture, page in zip(layout.svg(), measure.placed(layout.ofd), strict=True):
        drawn = [(c, x / MM, line.baseline / MM) for line in lines(picture) for c, x in zip(line.text, line.places, strict=True)]  # fmt: skip
        placed = [(c, x, run.baseline) for run in page for c, x in zip(run.text, run.places, strict=True)]
        assert "".join(c for c, *_ in drawn) == "".join(c for c, *_ in placed)
        for (_, x, y), (_, left, baseline) in zip(drawn, placed, strict=True):
            assert abs(x - left) < 0.005
            assert abs(y - baseline) < 0.005


def test_lines_stand_where_the_pdf_has_them(measure, rich):
    layout = render(rich)
    for picture, page in zip(layout.svg(), measure.pages(layout.pdf), strict=True):
        # poppler cuts a line at a wide gap and lets some spaces fall
        known = {line.text.replace(" ", ""): line for line in page}
        drawn = [line for line in lines(picture) if line.text.replace(" ", "") in known]
        assert len(drawn) > 5
        for line in drawn:
            seen = known[line.text.replace(" ", "")]
            assert abs(line.places[0] - seen.x) / MM < 0.17, line.text
            assert seen.y < line.baseline < seen.bottom


@pytest.mark.slow
def test_it_looks_as_the_pdf_does(measure, rich, page, tmp_path):
    """Chromium draws the one, poppler the other: their ink covers the same places."""
    layout = render(rich)
    page.set_viewport_size({"width": 1050, "height": 1485})
    for number, picture in enumerate(layout.svg(), start=1):
        page.set_content(f'<body style="margin:0">{picture}')
        page.locator("svg").screenshot(path=tmp_path / "drawn.png")
        with Image.open(tmp_path / "drawn.png") as image:
            drawn = image.convert("L")
        # a millimetre's ink, however each of them smooths its edges
        sheet = (210, 297)
        printed = measure.raster(layout.pdf, number).convert("L").resize(sheet, Image.Resampling.BOX)
        drawn = drawn.resize(sheet, Image.Resampling.BOX)
        ink = sum(255 - value for value in printed.tobytes())
        differing = sum(ImageChops.difference(drawn, printed).tobytes())
        assert differing < 0.2 * ink, (number, differing / ink)


def test_every_line_says_where_it_comes_from(rich):
    layout = render(rich)
    whole: dict[str, str] = {}
    for line in (line for picture in layout.svg() for line in lines(picture) if line.at):
        own = line.text[-line.start :] if line.start < 0 else line.text
        known = whole.setdefault(line.at, "")
        if known.replace(" ", "") == own:  # a title stands in 附件说明 and above its text
            continue
        # what the layout leaves out between two lines is white space
        assert len(known) <= max(line.start, 0) <= len(known) + 1
        whole[line.at] = known.ljust(max(line.start, 0)) + own
    assert whole["/title"] == rich.title
    assert whole["/body/0"] == rich.body[0].text
    assert whole["/body/2"] == rich.body[2].text + rich.body[2].rest
    assert whole["/body/3/rows/2/1"] == "ABC 12.5%"
    assert whole["/attachments/0/title"] == "自查表"
    assert whole["/attachments/0/body/0"] == "说明。"
    assert whole["/attachments/1/title"] == "名单"
    assert whole["/notes"].startswith("联系人：张三")


def test_pages_that_do_not_stand_alone_share_their_outlines(rich):
    layout = render(rich)
    named = {each for picture in layout.svg(alone=False) for each in re.findall(r'href="#([^"]+)"', picture)}
    given = outlines(layout.placed.pages, layout.faces)
    assert named == given.keys()
    some = frozenset(list(given)[:10])
    assert outlines(layout.placed.pages, layout.faces, some).keys() == given.keys() - some
    assert all("<defs>" not in picture for picture in layout.svg(alone=False))


def test_text_is_only_text(rich):
    hostile = "<script>alert(1)</script>&\"'"
    for picture in render(replace(rich, body=(Paragraph(hostile),))).svg():
        assert {each.tag.removeprefix(SVG) for each in etree.fromstring(picture).iter()} <= {
            "svg", "defs", "path", "rect", "g", "use",
        }  # fmt: skip
        assert "style" not in picture
