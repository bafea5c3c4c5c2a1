"""The OFD of a laid-out document: the exact grid, the same ink as the PDF, its text, and a checker that is not ours."""

from dataclasses import replace

import pytest
from PIL import ImageChops

from apps.document.layout import Heading, Kind, Paragraph, Secrecy, Table, Urgency, render
from yinxin import ofd
from yinxin.ofd import package

RARE = "镕喆堃昇䶮𬱖"
MM = 25.4 / 72


def test_22_rows_of_28_characters_stand_exactly_on_the_grid(measure, notice):
    """Seen to fail when advances are rounded one by one instead of the places that they lead to."""
    layout = render(replace(notice, body=(Paragraph(measure.plain(28 * 60)),)))
    rows = [each for each in measure.placed(layout.ofd)[1] if len(each.text) == 28]
    assert len(rows) == 22
    pitch, advance = (225 - 16 * MM) / 21, (156 - 16 * MM) / 27
    for number, row in enumerate(rows):
        assert row.baseline == pytest.approx(37 + 0.88 * 16 * MM + number * pitch, abs=0.0002)
        assert row.places == pytest.approx([28 + cell * advance for cell in range(28)], abs=0.0002)
    assert rows[0].baseline == pytest.approx(41.97, abs=0.01)
    assert rows[-1].baseline == pytest.approx(261.32, abs=0.01)


@pytest.fixture
def everything(notice):
    return replace(
        notice,
        title=f"关于{RARE}的通知",
        body=(
            Heading(1, f"一、{RARE}"),
            Paragraph(f"现将 abc {RARE} xyz 2026年事项通知如下：{RARE} abc。" * 4),
            Heading(2, f"（一）{RARE}。", "后文"),
            Table((("序号", RARE), ("1", "责任 a"))),
        ),
        secrecy=Secrecy.SECRET,
        copy_number=1,
        urgency=Urgency.URGENT,
        notes="此件公开发布",
        copies_to=("省委办公厅",),
    )


def test_both_files_say_the_same_in_the_same_order(measure, everything):
    """Rare characters among them; the words of the content stand in the OFD, character by character."""
    layout = render(everything)
    ours = [line for page in ofd.text(layout.ofd) for line in page]
    assert "".join(ours).count(RARE) == 1 + 1 + 8 + 1 + 1
    assert everything.title in ours
    body = "".join(ours).replace(" ", "")
    for block in everything.body[:2]:
        assert block.text.replace(" ", "") in body
    theirs = measure.text(layout.pdf)
    assert sorted(body) == sorted(theirs.replace(" ", "").replace("\n", ""))


def test_every_typeface_is_inside_and_the_checker_accepts_the_file(measure, everything):
    layout = render(everything)
    assert measure.judged(layout.ofd) == 0
    assert len(layout.ofd) < 200_000


def shows_the_same(measure, layout):
    for page in range(1, layout.pages + 1):
        one, other = measure.raster(layout.pdf, page), measure.drawn(layout.ofd, page)
        for color, least in (("red", 3), ("red", 150), ("dark", 150)):
            pairs = [measure.bands(image, color, least) for image in (one, other)]
            assert [edge for band in pairs[0] for edge in band] == pytest.approx(
                [edge for band in pairs[1] for edge in band], abs=0.31
            ), (page, color, least)
        grey = [image.convert("L").resize((210, 297)) for image in (one, other.resize(one.size))]
        differing = ImageChops.difference(*grey).getextrema()[1]
        assert differing < 100, page


def test_both_files_show_the_same_page(measure, everything):
    """Seen to fail when a line is set half a millimetre lower in one of them."""
    shows_the_same(measure, render(everything))


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {
            "kind": Kind.REQUEST,
            "title": "关于建设灾备中心的请示",
            "main_recipients": ("省政府",),
            "signers": ("王建国",),
        },
        {"kind": Kind.LETTER, "title": "关于商请核验的函", "secrecy": None},
        {
            "kind": Kind.ORDER,
            "title": "河源省人民政府令",
            "signers": ("王建国",),
            "signer_titles": ("省长",),
            "sealed": False,
        },
        {"kind": Kind.MINUTES, "title": "会议纪要", "sealed": False, "organ_mark": "河源省人民政府会议纪要"},
        {"joint": ("河源省军区", "河源省人力资源和社会保障厅")},
    ],
    ids=["upward", "letter", "order", "minutes", "joint"],
)
def test_both_files_show_the_same_pages_in_every_form(measure, everything, change):
    layout = render(replace(everything, **change))
    assert measure.judged(layout.ofd) == 0
    shows_the_same(measure, layout)


def test_metadata_is_the_documents_own(everything):
    entry = package.unpack(render(everything).ofd)["OFD.xml"].decode()
    assert f"<ofd:Title>{everything.title}</ofd:Title>" in entry
    assert "<ofd:Author>河源省人民政府</ofd:Author>" in entry
    assert "<ofd:CreationDate>2026-11-22</ofd:CreationDate>" in entry
