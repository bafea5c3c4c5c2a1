"""DOCX: made with python-docx, then broken in every way that is refused."""

import io
import zipfile

import pytest
from docx import Document
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn

from apps.document.layout import Heading, Paragraph, Table, read_draft
from apps.document.layout import errors as e


def saved(document):
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def letter():
    document = Document()
    document.add_paragraph("关于某事的通知", style="Title")
    document.add_paragraph("省政府各部门：")
    document.add_paragraph("现将有关事项通知如下。")
    return document


def with_member(data, name, content, **changed):
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, content)
    return out.getvalue()


def replaced(data, name, content):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return out.getvalue()


def test_styles_lists_and_tables():
    document = letter()
    document.add_heading("一、总体要求", 1)
    document.add_heading("没有编号的标题", 2)
    document.add_paragraph("甲", style="List Bullet")
    document.add_paragraph("第一", style="List Number")
    document.add_paragraph("第二", style="List Number")
    table = document.add_table(rows=2, cols=2)
    for row, texts in zip(table.rows, [("序号", "内容"), ("1", "检查")], strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    draft = read_draft(saved(document), "a.docx")
    assert draft.title == "关于某事的通知"
    assert draft.main_recipients == ("省政府各部门",)
    assert draft.blocks == (
        Paragraph("现将有关事项通知如下。"),
        Heading(1, "一、总体要求"),
        Heading(2, "没有编号的标题"),
        Paragraph("——甲"),
        Heading(3, "1.第一"),
        Heading(3, "2.第二"),
        Table((("序号", "内容"), ("1", "检查"))),
    )


def test_chinese_numbers_that_word_makes_are_written_out():
    document = letter()
    numbering = document.part.numbering_part.element
    abstract = parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="90">'
        '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="%1、"/></w:lvl>'
        '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="（%2）"/></w:lvl>'
        "</w:abstractNum>"
    )
    numbering.insert(0, abstract)
    number = parse_xml(f'<w:num {nsdecls("w")} w:numId="90"><w:abstractNumId w:val="90"/></w:num>')
    numbering.append(number)
    for text, depth in [("范围", 0), ("省直", 1), ("市县", 1), ("时间", 0), ("自查", 1)]:
        properties = document.add_paragraph(text)._p.get_or_add_pPr()
        place = parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{depth}"/><w:numId w:val="90"/></w:numPr>')
        properties.append(place)
    texts = [block.text for block in read_draft(saved(document), "a.docx").blocks[1:]]
    assert texts == ["一、范围", "（一）省直", "（二）市县", "二、时间", "（一）自查"]


def test_a_package_with_a_password_is_refused():
    with pytest.raises(e.DraftEncrypted):
        read_draft(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "a.docx")
    data = bytearray(saved(letter()))
    place = data.rindex(b"PK\x01\x02")
    data[place + 8] |= 1
    with pytest.raises(e.DraftEncrypted):
        read_draft(bytes(data), "a.docx")


@pytest.mark.parametrize(
    "name", ["word/vbaProject.bin", "word/activeX/activeX1.xml", "word/embeddings/oleObject1.bin"]
)
def test_macros_and_active_content_are_refused(name):
    with pytest.raises(e.DraftHasMacros) as refused:
        read_draft(with_member(saved(letter()), name, b"x"), "a.docx")
    assert name in refused.value.text("zh")


def test_a_bomb_is_refused_from_its_directory():
    data = with_member(saved(letter()), "word/media/big.bin", bytes(70 * 1024 * 1024))
    assert len(data) < 200_000
    with pytest.raises(e.DraftBomb) as refused:
        read_draft(data, "a.docx")
    assert refused.value.facts["size"] > 70 * 1024 * 1024


def test_entities_are_not_expanded():
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "哈哈"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
        f"<w:document {nsdecls('w')}><w:body><w:p><w:r><w:t>标题</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>甲&a;&b;乙</w:t></w:r></w:p></w:body></w:document>"
    )
    draft = read_draft(replaced(saved(letter()), "word/document.xml", bomb), "a.docx")
    assert "root:" not in repr(draft)


@pytest.mark.parametrize("data", [b"PK\x03\x04 broken", b"", b"plain text", bytes(100)])
def test_what_is_no_package_is_refused(data):
    with pytest.raises((e.DraftUnreadable, e.DraftFormatUnknown)):
        read_draft(data, "a.docx")


def test_a_damaged_package_is_refused():
    data = saved(letter())
    for name in ("word/document.xml", "[Content_Types].xml", "_rels/.rels"):
        with pytest.raises(e.DraftUnreadable) as refused:
            read_draft(replaced(data, name, b"<broken"), "a.docx")
        assert "a.docx" in refused.value.text("zh")
    other = replaced(data, "word/document.xml", b"<html/>")
    with pytest.raises((e.DraftUnreadable, e.DraftEmpty)):
        read_draft(other, "a.docx")


def test_a_package_that_is_another_office_file_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(e.DraftUnreadable):
        read_draft(out.getvalue(), "a.docx")


@pytest.mark.parametrize(
    ("tag", "what"),
    [
        ("w:drawing", "图片"),
        ("w:pict", "图片"),
        ("w:object", "嵌入对象"),
        ("w:del", "修订"),
        ("w:ins", "修订"),
        ("w:sdt", "内容控件"),
        ("w:fldSimple", "域"),
        ("w:footnoteReference", "脚注"),
    ],
)
def test_what_the_page_cannot_carry_is_refused_by_name_and_place(tag, what):
    document = letter()
    document.add_paragraph("正文")._p.append(OxmlElement(tag))
    with pytest.raises(e.DraftUnsupportedContent) as refused:
        read_draft(saved(document), "a.docx")
    assert what in refused.value.text("zh")
    assert "第 4 段" in refused.value.text("zh")


def test_merged_cells_are_refused():
    document = letter()
    table = document.add_table(rows=2, cols=2)
    table.cell(0, 0).merge(table.cell(0, 1))
    with pytest.raises(e.DraftUnsupportedContent) as refused:
        read_draft(saved(document), "a.docx")
    assert "合并" in refused.value.text("zh")


def test_a_style_name_or_field_that_is_hostile_stays_harmless():
    document = letter()
    paragraph = document.add_paragraph("{{7*7}}<img src=x>")
    paragraph._p.get_or_add_pPr().set(qn("w:rsidR"), "../../etc")
    assert read_draft(saved(document), "a.docx").blocks[-1] == Paragraph("{{7*7}}<img src=x>")
