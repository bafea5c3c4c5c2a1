"""Plain text: encodings, and the parts that the wording shows."""

import datetime as dt

import pytest

from apps.document.layout import Heading, Paragraph, read_draft
from apps.document.layout import errors as e
from apps.document.layout.numbering import block_of, date_of, from_chinese, to_chinese

LETTER = """关于开展检查的通知
各市、县人民政府，省政府各部门：
　　现将有关事项通知如下。
一、检查范围
（一）重点单位。所有省直部门。
1.制度建设
（1）口令管理
这是一段正文：
附件：1.安排表
2.自查表
河源省人民政府
2026年11月22日
（此件公开发布）
附件1
安排表
第一项安排。
附件2
自查表
第一项自查。
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_the_parts_are_found_in_every_encoding(encoding, newline):
    draft = read_draft(LETTER.replace("\n", newline).encode(encoding), "draft.txt")
    assert draft.title == "关于开展检查的通知"
    assert draft.main_recipients == ("各市、县人民政府", "省政府各部门")
    assert draft.blocks == (
        Paragraph("现将有关事项通知如下。"),
        Heading(1, "一、检查范围"),
        Heading(2, "（一）重点单位。", "所有省直部门。"),
        Heading(3, "1.制度建设"),
        Heading(4, "（1）口令管理"),
        Paragraph("这是一段正文："),
    )
    assert draft.signing_organ == "河源省人民政府"
    assert draft.date == dt.date(2026, 11, 22)
    assert draft.notes == "此件公开发布"
    assert [(a.title, a.blocks) for a in draft.attachments] == [
        ("安排表", (Paragraph("第一项安排。"),)),
        ("自查表", (Paragraph("第一项自查。"),)),
    ]


def test_attachments_that_are_only_named_are_kept_by_name():
    draft = read_draft("标题的通知\n正文。\n附件：1.甲\n2.乙".encode(), "a.txt")
    assert [a.title for a in draft.attachments] == ["甲", "乙"]
    assert draft.blocks == (Paragraph("正文。"),)


def test_nothing_of_the_text_is_lost():
    draft = read_draft(LETTER.encode(), "a.txt")
    kept = repr(draft)
    for word in ("检查范围", "省直部门", "制度建设", "口令管理", "安排表", "第一项自查"):
        assert word in kept


def test_a_first_paragraph_that_ends_with_a_colon_is_no_recipient():
    draft = read_draft("关于某事的通知\n现将有关事项通知如下：\n正文。".encode(), "a.txt")
    assert draft.main_recipients == ()
    assert draft.blocks[0] == Paragraph("现将有关事项通知如下：")


def test_rare_characters_of_gb18030_survive():
    draft = read_draft("关于镕喆堃昇䶮𬱖的通知\n正文。".encode("gb18030"), "a.txt")
    assert draft.title == "关于镕喆堃昇䶮𬱖的通知"


def test_bytes_that_are_neither_encoding_are_refused_at_their_place():
    with pytest.raises(e.DraftEncodingUnknown) as refused:
        read_draft("标题\n".encode() + b"\xff\xff\xff", "a.txt")
    assert refused.value.facts["offset"] == 7
    assert "UTF-8" in refused.value.text("zh")


@pytest.mark.parametrize("bad", ["\x00", "\x07", "\x1b[31m", "\u202e", "\u200b", "\ue000"])
def test_characters_that_are_not_seen_are_refused_with_their_line(bad):
    with pytest.raises(e.ControlCharacter) as refused:
        read_draft(f"标题的通知\n正文{bad}。".encode(), "a.txt")
    assert f"U+{ord(bad[0]):04X}" in refused.value.text("zh")
    assert "第 2 段" in refused.value.text("zh")


@pytest.mark.parametrize(
    ("data", "missing"), [(b"", "标题"), (b" \n\t\r\n", "标题"), ("只有标题".encode(), "正文")]
)
def test_an_empty_draft_says_what_is_missing(data, missing):
    with pytest.raises(e.DraftEmpty) as refused:
        read_draft(data, "a.txt")
    assert missing in refused.value.text("zh")


def test_fifty_megabytes_are_refused_before_anything_is_read():
    with pytest.raises(e.DraftTooLarge) as refused:
        read_draft(bytes(50 * 1024 * 1024), "a.exe")
    assert refused.value.facts == {"size": 50 * 1024 * 1024, "limit": 20 * 1024 * 1024}
    with pytest.raises(e.DraftTooLarge):
        read_draft("标题\n正文".encode(), "a.txt", limit=4)
    with pytest.raises(e.DraftTooLarge):
        read_draft(b"a\n" * 1024 * 1024, "a.txt")


@pytest.mark.parametrize(
    ("data", "name", "found"),
    [
        (b"%PDF-1.7", "a.pdf", "PDF"),
        (b"%PDF-1.7", "a.txt", "PDF"),
        (b"PK\x03\x04", "a.md", "ZIP"),
        (b"\xd0\xcf\x11\xe0", "a.doc", "DOC"),
        (b"MZ", "a.exe", ".exe"),
        (b"text", "noname", "?"),
        (b"text", "../../etc/passwd", "?"),
    ],
)
def test_other_formats_are_refused_by_name(data, name, found):
    with pytest.raises(e.DraftFormatUnknown) as refused:
        read_draft(data, name)
    assert found in refused.value.text("zh")
    assert ".docx" in refused.value.text("en")
    assert ".." not in refused.value.text("zh")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("一、范围", 1),
        ("十一、附则", 1),
        ("（二）重点", 2),
        ("(三)重点", 2),
        ("3.时间", 3),
        ("4、时间", 3),
        ("（5）地点", 4),
        ("3.5亿元资金", None),
        ("2026年工作", None),
        ("一是加强领导", None),
        ("（此件公开发布）", None),
    ],
)
def test_levels_are_read_from_the_numbering(text, level):
    assert getattr(block_of(text), "level", None) == level


def test_a_numbered_paragraph_of_many_sentences_is_a_heading_with_text():
    long = "各单位应当" + "认真" * 30 + "开展检查。"
    assert block_of(f"（一）加强领导。{long}") == Heading(2, "（一）加强领导。", long)
    assert block_of(f"1.{long}") == Paragraph(f"1.{long}")


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026年11月22日", dt.date(2026, 11, 22)),
        ("二〇二六年十一月二十二日", dt.date(2026, 11, 22)),
        ("二○二六年一月十日", dt.date(2026, 1, 10)),
        ("2026年13月1日", None),
        ("2026年2月30日", None),
        ("自2026年1月1日起", None),
    ],
)
def test_dates_are_read_in_both_writings(text, date):
    assert date_of(text) == date


def test_chinese_numbers_go_both_ways():
    assert [from_chinese(to_chinese(number)) for number in range(1, 100)] == list(range(1, 100))
