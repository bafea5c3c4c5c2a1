"""DOCX: paragraphs, headings by style, lists with the numbers that Word shows, simple tables. Nothing is executed."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from docx import Document
from docx.document import Document as DocxDocument
from docx.opc.exceptions import OpcError
from docx.table import Table as DocxTable
from docx.text.paragraph import Paragraph as DocxParagraph

from apps.document.layout.docx_numbers import Numbers
from apps.document.layout.errors import (
    DraftBomb,
    DraftEncrypted,
    DraftHasMacros,
    DraftUnreadable,
    DraftUnsupportedContent,
)
from apps.document.layout.parts import TITLE, Part

UNPACKED_LIMIT = 32 * 1024 * 1024
"""Bytes that all members of the package may have together, unpacked."""
_MOST_MEMBERS = 5000
_OLE = b"\xd0\xcf\x11\xe0"  # an encrypted OOXML package is wrapped in an OLE file
_ACTIVE = re.compile(r"vbaProject|vbaData|activeX|macrosheets|oleObject", re.IGNORECASE)
_DAMAGED = (
    OpcError,
    LookupError,
    ValueError,
    AttributeError,
    TypeError,
    NotImplementedError,
    OSError,
    EOFError,
    SyntaxError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What python-docx and its parsers raise for a package that is not what it says."""
_HEADING = re.compile(r"^(?:heading|标题)\s*([1-9])$", re.IGNORECASE)
_REFUSED = {
    "drawing": "图片 image",
    "pict": "图片 image",
    "object": "嵌入对象 embedded object",
    "altChunk": "嵌入对象 embedded object",
    "oMath": "公式 formula",
    "sdt": "内容控件 content control",
    "customXml": "内容控件 content control",
    "smartTag": "智能标记 smart tag",
    "fldSimple": "域 field",
    "sym": "符号字体 symbol",
    "ruby": "拼音 ruby text",
}
"""Elements whose text python-docx does not give: what it would leave out is refused by name."""
_REVISED = ("ins", "del", "moveFrom", "moveTo")


def parts_of_docx(data: bytes, filename: str) -> list[Part]:
    """Parts in order; what the page cannot carry (pictures, formulas, tracked changes, footnotes) is refused by name."""
    _check_package(data, filename)
    try:
        document = Document(BytesIO(data))
        _check_content(document, filename)
        return list(_parts(document, filename))
    except _DAMAGED as cause:
        raise DraftUnreadable(filename=filename, reason=type(cause).__name__) from cause


def _check_package(data: bytes, filename: str) -> None:
    """Look at the package's directory before anything in it is unpacked."""
    if data.startswith(_OLE):
        raise DraftEncrypted(filename=filename)
    try:
        members = zipfile.ZipFile(BytesIO(data)).infolist()
    except zipfile.BadZipFile as cause:
        raise DraftUnreadable(filename=filename, reason="ZIP") from cause
    size = sum(member.file_size for member in members)
    if size > UNPACKED_LIMIT or len(members) > _MOST_MEMBERS:
        raise DraftBomb(filename=filename, size=size, limit=UNPACKED_LIMIT)
    if any(member.flag_bits & 0x1 for member in members):
        raise DraftEncrypted(filename=filename)
    active = next((member.filename for member in members if _ACTIVE.search(member.filename)), None)
    if active is not None:
        raise DraftHasMacros(filename=filename, part=active)
    if "word/document.xml" not in {member.filename for member in members}:
        raise DraftUnreadable(filename=filename, reason="word/document.xml")


def _check_content(document: DocxDocument, filename: str) -> None:
    for number, element in enumerate(document.element.body.iterchildren(), start=1):
        where = f"第 {number} 段 paragraph {number}"
        for name, what in _REFUSED.items():
            if element.xpath(f".//*[local-name()='{name}']"):
                raise DraftUnsupportedContent(filename=filename, what=what, where=where)
        if element.xpath(" | ".join(f".//*[local-name()='{name}']" for name in _REVISED)):
            raise DraftUnsupportedContent(filename=filename, what="未处理的修订 tracked changes", where=where)
        if element.xpath(".//*[local-name()='footnoteReference' or local-name()='endnoteReference']"):
            raise DraftUnsupportedContent(filename=filename, what="脚注 footnote", where=where)


def _parts(document: DocxDocument, filename: str) -> Iterator[Part]:
    numbers = Numbers(document)
    for number, item in enumerate(document.iter_inner_content(), start=1):
        if isinstance(item, DocxTable):
            yield Part("", rows=_rows(item, filename, number))
        else:
            yield from _paragraph(item, numbers)


def _paragraph(paragraph: DocxParagraph, numbers: Numbers) -> Iterator[Part]:
    style = paragraph.style.name if paragraph.style is not None and paragraph.style.name else ""
    match = _HEADING.match(style)
    heading = TITLE if style in ("Title", "标题") else int(match[1]) if match else None
    mark = numbers.mark(paragraph) if paragraph.text.strip() else ""
    for number, line in enumerate(paragraph.text.split("\n")):
        if line.strip():
            yield Part((mark if number == 0 else "") + line, heading)


def _rows(table: DocxTable, filename: str, number: int) -> tuple[tuple[str, ...], ...]:
    """Cells of a table without merged or nested cells."""
    width = len(table.columns)
    element = table._tbl  # noqa: SLF001  python-docx has no public way to see merged cells
    if element.xpath(".//w:gridSpan | .//w:vMerge | .//w:tbl"):
        where = f"第 {number} 段 paragraph {number}"
        raise DraftUnsupportedContent(
            filename=filename, what="合并或嵌套的表格单元格 merged or nested cells", where=where
        )
    rows = tuple(tuple(cell.text for cell in row.cells) for row in table.rows)
    if any(len(row) != width for row in rows):
        raise DraftUnsupportedContent(filename=filename, what="不规则表格 irregular table", where=f"{number}")
    return rows
