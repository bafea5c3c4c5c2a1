"""What is said while somebody writes: at the very place, and nothing where all is well."""

from dataclasses import replace

import pytest

from apps.document.layout import Heading, Kind, Paragraph, read_draft, render
from apps.document.layout.grid import PITCH, ROWS, row_top
from apps.document.layout.remarks import MISSING, remarks, shown
from apps.document.layout.render import DEFAULT_FACES, lay_out
from tests.layout.test_render import SAMPLE


def said(elements) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    placed = lay_out(elements).placed
    for each in remarks(elements, placed, DEFAULT_FACES):
        assert each.text.zh
        assert each.text.en
        found.setdefault(each.code.rpartition(".")[2], []).append((each.at, each.start))
    return found


def test_nothing_is_said_of_a_text_that_is_in_order(notice):
    draft = read_draft(SAMPLE.read_bytes(), "notice.md")
    whole = replace(notice, title=draft.title, body=draft.blocks, attachments=draft.attachments)
    # its first paragraph ends in a line of one character
    assert said(whole) == {"lone_character": [("/body/0", 110)]}
    assert (
        said(replace(whole, body=draft.blocks[:1] * 2 + draft.blocks[1:]))["lone_character"][1][0]
        == "/body/1"
    )


def test_every_rule_that_is_broken_is_said_at_its_place(notice):
    report = replace(
        notice,
        kind=Kind.REPORT,
        title="关于检查的通知",
        main_recipients=(),
        body=(Paragraph("情况如下。"), Paragraph("妥否，请批示。")),
    )
    found = said(report)
    assert found["signer_missing"] == [("/title", 0)]
    assert found["title_without_kind"] == [("/title", 0)]
    assert found["recipient_missing"] == [("/main_recipients", 0)]
    assert found["request_inside_report"] == [("/body/1", 0)]


@pytest.mark.parametrize(
    ("text", "code", "start"),
    [
        ("请各单位,尽快上报。", "half_width", 4),
        ("附有名单(略)。", "half_width", 4),
        ("根据豫政办[2026]12号文件", "number_brackets", 4),
        ("根据豫政办〔2026〕12号文件", None, 0),
        ("见 GB/T 9704-2012, 第 7 条", None, 0),
    ],
)
def test_half_width_marks_and_brackets(notice, text, code, start):
    found = said(replace(notice, body=(Paragraph(text),)))
    assert found == ({} if code is None else {code: [("/body/0", start)]})


def test_characters_that_cannot_stand_are_said_and_replaced(notice):
    text = "甲\u202e乙\U0010ffff"
    elements = replace(notice, body=(Paragraph(text),))
    found = [(each.code, each.at, each.start, each.grave) for each in remarks(elements, None, DEFAULT_FACES)]
    assert found == [
        ("document.control_character", "/body/0", 1, True),
        ("document.unprintable_character", "/body/0", 3, True),
    ]
    assert shown(text, DEFAULT_FACES) == f"甲乙{MISSING}"


def test_a_signature_without_room_is_said_where_the_rows_went(notice, measure):
    """By how much text there is: said exactly where the closing has no room under it, and the rows really went."""
    seen = set()
    for rows in range(8, 22):
        elements = replace(notice, body=(Paragraph(measure.plain(28 * rows - 4)),))
        layout = render(elements)
        first = [line for line in layout.placed.pages[0].marks if getattr(line, "source", "") == "/body/0"]
        full = round((first[-1].top - row_top(0)) / PITCH) == ROWS - 1
        found = said(elements).get("carried")
        assert (found is not None) == (layout.pages > 1 and not full)
        seen.add(found is not None)
    assert seen == {True, False}


def test_a_heading_at_a_pages_foot_and_a_last_line_of_one_character(notice, measure):
    found = [
        said(replace(notice, body=(Paragraph(measure.plain(28 * rows - 4)), Heading(1, "一、标题"), Paragraph(measure.plain(28 * 9 - 1, 900)))))
        for rows in range(6, 16)
    ]  # fmt: skip
    assert [each["heading_parted"] for each in found if "heading_parted" in each] == [[("/body/1", 0)]]
    assert all(each["lone_character"] == [("/body/2", 28 * 9 - 2)] for each in found)


def test_a_line_that_cannot_be_filled(notice, measure):
    text = measure.plain(10) + "https://example.gov.cn/a/b/c/d/e/f/g/h/index.html"
    assert said(replace(notice, body=(Paragraph(text),)))["ragged"] == [("/body/0", 0)]
