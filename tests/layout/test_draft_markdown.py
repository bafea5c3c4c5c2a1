"""Markdown: structure taken, hostile content kept as text or refused."""

import pytest

from apps.document.layout import Heading, Paragraph, Table, read_draft
from apps.document.layout import errors as e


def read(text):
    return read_draft(text.encode(), "draft.md")


def test_headings_lists_and_tables():
    draft = read(
        "# 关于某事的通知\n\n省政府各部门：\n\n正文**加粗**。\n\n## 总体要求\n\n### （一）目标\n\n"
        "1. 第一\n2. 第二\n\n- 甲\n- 乙\n\n| 序号 | 内容 |\n| --- | --- |\n| 1 | 检查 |\n"
    )
    assert draft.title == "关于某事的通知"
    assert draft.blocks == (
        Paragraph("正文加粗。"),
        Heading(1, "总体要求"),
        Heading(2, "（一）目标"),
        Heading(3, "1.第一"),
        Heading(3, "2.第二"),
        Paragraph("——甲"),
        Paragraph("——乙"),
        Table((("序号", "内容"), ("1", "检查"))),
    )


def test_lists_start_at_their_number_and_nest():
    draft = read("# 标题\n\n3. 丙\n   - 子项\n4. 丁\n")
    assert [block.text for block in draft.blocks] == ["3.丙", "——子项", "4.丁"]


def test_several_first_level_headings_are_levels_not_titles():
    draft = read("关于某事的通知\n\n# 甲\n\n# 乙\n\n正文\n")
    assert draft.title == "关于某事的通知"
    assert draft.blocks == (Heading(1, "甲"), Heading(1, "乙"), Paragraph("正文"))


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<img src="file:///etc/passwd">',
        "<style>@import url(http://127.0.0.1/)</style>",
        "&lt;b&gt;",
        "</div></section>",
        "{{ 7*7 }}",
    ],
)
def test_html_stays_text(hostile):
    (block,) = read(f"# 标题\n\n甲{hostile}乙\n").blocks
    assert block.text == f"甲{hostile}乙".replace("&lt;b&gt;", "<b>")


def test_pictures_and_code_are_refused_with_their_line():
    with pytest.raises(e.DraftUnsupportedContent) as refused:
        read("# 标题\n\n正文\n\n![图](passwd.png)\n")
    assert "图片" in refused.value.text("zh")
    assert "第 5 行" in refused.value.text("zh")
    with pytest.raises(e.DraftUnsupportedContent):
        read("# 标题\n\n```\nrm -rf\n```\n")


def test_paragraphs_indented_by_hand_are_no_code():
    assert read("# 标题\n\n    正文一\n\n　　正文二\n").blocks == (Paragraph("正文一"), Paragraph("正文二"))


def test_links_keep_their_words():
    assert read("# 标题\n\n见[网站](https://www.gov.cn)。\n").blocks == (Paragraph("见网站。"),)


def test_links_to_what_is_no_page_stay_text():
    for target in ("file:///etc/passwd", "javascript:alert(1)"):
        assert read(f"# 标题\n\n![图]({target})\n").blocks == (Paragraph(f"![图]({target})"),)


@pytest.mark.parametrize("deep", ["[" * 20, "*a " * 5000])
def test_deep_marks_inside_a_line_are_read_whole(deep):
    assert "深处" in repr(read(f"# 标题\n\n{deep}深处\n\n正文\n"))


@pytest.mark.parametrize("deep", [">" * 5000, "- " * 2000, "1. " * 3000, "[" * 5000])
def test_deep_nesting_is_refused(deep):
    with pytest.raises(e.DraftUnsupportedContent) as refused:
        read(f"# 标题\n\n{deep}深处\n\n正文\n")
    assert "嵌套过深" in refused.value.text("zh")


def test_thirty_levels_are_read():
    assert "深处" in repr(read("# 标题\n\n" + "> " * 30 + "深处\n"))
