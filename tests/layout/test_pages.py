"""Signature, seal, attachments, record and page numbers."""

import datetime as dt
import subprocess
from dataclasses import replace

import pytest

from apps.document.layout import Attachment, Form, Heading, Paragraph, Table, Typefaces, render
from apps.document.layout.errors import DoesNotFit
from apps.document.layout.marks import Text
from apps.document.layout.pages import paginate

RECORD = {
    "copies_to": ("省委办公厅", "省人大常委会办公厅", "省政协办公厅", "省军区", "各人民团体", "各新闻单位"),
    "printing_organ": "河源省人民政府办公厅",
    "printing_date": dt.date(2026, 11, 23),
}


def on_page(pages, text):
    return next((number, line) for number, page in enumerate(pages) for line in page if line.text == text)


def test_date_is_four_cells_from_the_right_and_the_authority_centred_on_it(measure, notice):
    pages = measure.pages(render(notice).pdf)
    _, date = on_page(pages, "2026年11月22日")
    _, authority = on_page(pages, "河源省人民政府")
    assert date.right == pytest.approx((184 * measure.mm) - 4 * 15.785, abs=0.5)
    assert (date.x + date.right) / 2 == pytest.approx((authority.x + authority.right) / 2, abs=0.3)
    assert date.y - authority.y == pytest.approx(29.609, abs=0.01)


def test_a_long_authority_stays_inside_the_type_area(measure, notice):
    long = "河源省人力资源和社会保障厅人事考试院"
    pages = measure.pages(render(replace(notice, signing_organ=long)).pdf)
    (_, date), (_, authority) = on_page(pages, "2026年11月22日"), on_page(pages, long)
    assert authority.right <= 184 * measure.mm
    assert (date.x + date.right) / 2 == pytest.approx((authority.x + authority.right) / 2, abs=0.5)


@pytest.mark.parametrize("size", [38.0, 42.0, 45.0])
@pytest.mark.parametrize("length", [20, 83, 230, 370, 713])
def test_the_seal_covers_authority_and_date_in_its_lower_half_within_a_line_of_the_text(
    measure, notice, size, length
):
    layout = render(replace(notice, body=(Paragraph(measure.plain(length)),)), seal_mm=size)
    pages = measure.pages(layout.pdf)
    seal = layout.seal
    date = next(line for line in pages[seal.page - 1] if line.text == "2026年11月22日")
    authority = next(line for line in pages[seal.page - 1] if line.text == "河源省人民政府")
    above = [line for line in pages[seal.page - 1] if line.bottom < authority.y]
    top, bottom = seal.y_mm * measure.mm, (seal.y_mm + size) * measure.mm
    middle = (authority.y + date.bottom) / 2
    assert 0 <= middle - (top + bottom) / 2 <= 5.5 * measure.mm
    assert date.bottom < bottom <= 262.5 * measure.mm
    assert 0 < top - above[-1].bottom <= 30
    assert (seal.x_mm + size / 2) * measure.mm == pytest.approx((date.x + date.right) / 2, abs=0.5)


def test_no_page_carries_the_signature_without_text(measure, notice):
    """Over every length that a page can break at, on the pages before they are painted."""
    for length in range(20, 1500, 20):
        text = measure.plain(length)
        made = paginate(Typefaces(), replace(notice, body=(Paragraph(text),)), Form.STANDARD, 42.0)
        signed = [
            {"".join(span.text for span in mark.spans) for mark in page.marks if isinstance(mark, Text)}
            for page in made.pages
        ]
        (page,) = [lines for lines in signed if "2026年11月22日" in lines]
        assert "河源省人民政府" in page
        assert any(line in text for line in page)
        assert any(line in text for line in signed[0])


def test_unsealed_documents_keep_no_place_and_set_the_date_two_cells_further(measure, notice):
    layout = render(replace(notice, sealed=False, signing_organ="河源省人民政府办公厅秘书处"))
    pages = measure.pages(layout.pdf)
    (_, date), (_, authority) = on_page(pages, "2026年11月22日"), on_page(pages, "河源省人民政府办公厅秘书处")
    assert layout.seal is None
    assert authority.right == pytest.approx(184 * measure.mm - 2 * 15.785, abs=0.5)
    assert date.x - authority.x == pytest.approx(2 * 15.785, abs=0.1)


def test_the_record_ends_on_the_type_areas_lower_edge(measure, notice):
    layout = render(replace(notice, **RECORD))
    bands = measure.bands(measure.raster(layout.pdf, layout.pages), "dark", 155)
    first, middle, last = bands
    assert last[1] == pytest.approx(262, abs=0.1)
    assert first[1] - first[0] >= middle[1] - middle[0]
    pages = measure.pages(layout.pdf)
    _, copies = next(
        (n, line) for n, page in enumerate(pages) for line in page if line.text.startswith("抄送：")
    )
    assert copies.x / measure.mm == pytest.approx(28 + 14 / measure.mm, abs=0.1)
    assert any(line.text.endswith("各新闻单位。") for line in pages[-1])
    _, printed = on_page(pages, "2026年11月23日印发")
    assert printed.right / measure.mm == pytest.approx(184 - 14 / measure.mm, abs=0.2)


def test_odd_numbers_stand_right_and_even_ones_left_7_mm_below_the_type_area(measure, notice):
    layout = render(replace(notice, body=(Paragraph(measure.plain(1500)),)))
    pages = measure.pages(layout.pdf)
    (_, one), (_, two) = on_page(pages, "— 1 —"), on_page(pages, "— 2 —")
    assert one.right / measure.mm == pytest.approx(184 - 14 / measure.mm, abs=0.2)
    assert two.x / measure.mm == pytest.approx(28 + 14 / measure.mm, abs=0.2)
    dashes = [band for band in measure.bands(measure.raster(layout.pdf, 2), "dark", 7) if band[0] > 263]
    assert dashes[0][0] == pytest.approx(269, abs=0.3)


def test_attachments_begin_new_pages_before_the_record(measure, notice):
    attachments = (
        Attachment("安全检查工作安排", (Paragraph("第一个附件的正文。"),)),
        Attachment("自查表", (Table((("序号", "项目"), ("1", "责任落实"))),)),
    )
    pages = measure.pages(render(replace(notice, attachments=attachments, **RECORD)).pdf)
    assert pages[1][0].text == "附件1"
    assert pages[2][0].text == "附件2"
    assert pages[1][1].text == "安全检查工作安排"
    assert pages[1][1].y + 1.151 * 22 == pytest.approx(
        37 * measure.mm + 2 * 29.609 + 8 + (0.88 - 0.5) * 22, abs=0.1
    )
    assert any(line.text.startswith("抄送：") for line in pages[2])
    assert any(line.text == "附件：1.安全检查工作安排" for line in pages[0])
    assert any(line.text == "2.自查表" for line in pages[0])


def test_names_of_attachments_that_run_on_are_aligned_with_the_name(measure, notice):
    name = "政务信息系统安全自查表（含评分细则、填报说明以及需要一并报送的证明材料清单）"
    pages = measure.pages(render(replace(notice, attachments=(Attachment(name),))).pdf)
    first = next(line for line in pages[0] if line.text.startswith("附件："))
    after = pages[0][pages[0].index(first) + 1]
    assert after.x - first.x == pytest.approx(3 * 15.785, abs=0.1)


def test_a_record_without_room_gets_a_page_without_number(measure, notice):
    def lasting(length):
        made = replace(notice, body=(Paragraph(measure.plain(length)),), **RECORD)
        paged = paginate(Typefaces(), made, Form.STANDARD, 42.0)
        return made if paged.seals[0].page < len(paged.pages) else None

    layout = render(next(made for length in range(200, 700, 28) if (made := lasting(length))))
    last = measure.pages(layout.pdf)[-1]
    assert last[0].text.startswith("抄送：")
    assert not any(line.text.startswith("—") for line in last)


def test_recipients_that_crowd_the_first_page_move_to_the_record(measure, notice):
    many = tuple(f"第{number}市人民政府" for number in range(40))
    pages = measure.pages(render(replace(notice, main_recipients=many, **RECORD)).pdf)
    assert not any("第1市" in line.text for line in pages[0])
    assert any(line.text.startswith("主送：第0市人民政府") for line in pages[-1])
    assert any(line.text == "现将有关事项通知如下。" for line in pages[0])


def test_headings_wear_their_faces(measure, notice):
    body = (Heading(1, "一、黑体"), Heading(2, "（一）楷体。", "仿宋"), Heading(3, "1.仿宋"))
    path = measure.file(render(replace(notice, body=body)).pdf)
    fonts = subprocess.run(["pdffonts", str(path)], capture_output=True, check=True, text=True).stdout
    for name in (
        "yinxin-1 ",
        "Noto-Sans-CJK-SC-Bold",
        "Noto-Serif-CJK-SC-Bold",
        "yinxin-3",
    ):  # 仿宋 黑体 小标宋 楷体
        assert name in fonts


def test_a_tables_head_is_repeated_and_never_alone(measure, notice):
    rows = (("序号", "检查项目"), *((str(number), f"项目{number}的内容") for number in range(60)))
    for lead in range(1, 23):
        body = (*(Paragraph(f"第{number}段") for number in range(lead)), Table(rows))
        made = paginate(Typefaces(), replace(notice, body=body), Form.STANDARD, 42.0)
        pages = [
            "".join(span.text for mark in page.marks if isinstance(mark, Text) for span in mark.spans)
            for page in made.pages
        ]
        assert ["检查项目" in page for page in pages] == ["的内容" in page for page in pages]


def test_notes_stand_in_brackets_below_the_date(measure, notice):
    pages = measure.pages(render(replace(notice, notes="此件公开发布")).pdf)
    (_, note), (_, date) = on_page(pages, "（此件公开发布）"), on_page(pages, "2026年11月22日")
    assert note.y - date.y == pytest.approx(29.609, abs=0.01)
    assert note.x == pytest.approx(28 * measure.mm + 2 * 15.785, abs=0.1)


def test_long_notes_keep_clear_of_the_seal(measure, notice):
    layout = render(replace(notice, notes="联系人：张三，联系电话：0371-12345678，传真：0371-87654321"))
    lines = measure.pages(layout.pdf)[layout.seal.page - 1]
    first = next(line for line in lines if line.text.startswith("（联系人"))
    assert first.right <= layout.seal.x_mm * measure.mm
    assert any(line.text.endswith("87654321）") for line in lines)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "关于" + "很长的" * 60 + "通知"},
        {"signing_organ": "河" * 26},
        {"printing_organ": "河" * 30, "printing_date": dt.date(2026, 11, 23)},
        {"body": (Table((tuple("列" * 1 for _ in range(30)),)),)},
        {"notes": "说明" * 400},
        {"copies_to": tuple("某某人民政府办公厅" for _ in range(100))},
    ],
)
def test_what_does_not_fit_is_refused_by_name(notice, change):
    with pytest.raises(DoesNotFit):
        render(replace(notice, **change))
