"""Reading a user's own text: plain text, Markdown, DOCX or the editor's blocks, from bytes that nobody has checked."""

from collections.abc import Callable, Sequence
from pathlib import PurePath

from apps.document.layout.characters import check_text, clean
from apps.document.layout.errors import DraftEmpty, DraftFormatUnknown, DraftTooLarge
from apps.document.layout.model import Draft
from apps.document.layout.parts import Part, sort_parts
from apps.document.layout.read_blocks import BLOCKS, draft_of_blocks
from apps.document.layout.read_docx import parts_of_docx
from apps.document.layout.read_markdown import parts_of_markdown
from apps.document.layout.read_text import parts_of_text

LIMIT = 20 * 1024 * 1024
"""Bytes that a draft's file may have."""
TEXT_LIMIT = 1024 * 1024
"""Bytes in UTF-8 that its text may have: some 350 000 characters, more than 500 pages."""

_READERS: dict[str, Callable[[bytes, str], list[Part]]] = {
    ".txt": parts_of_text,
    ".md": parts_of_markdown,
    ".markdown": parts_of_markdown,
    ".docx": parts_of_docx,
}
_FOREIGN = {
    b"%PDF": "PDF",
    b"\xd0\xcf\x11\xe0": "DOC/WPS",
    b"{\\rtf": "RTF",
    b"PK\x03\x04": "ZIP",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
}


def read_draft(data: bytes, filename: str, *, limit: int = LIMIT) -> Draft:
    """Read a draft. `filename` decides the format and is used for nothing else; `limit` is in bytes.

    Raises `DraftTooLarge` before anything is parsed, `DraftFormatUnknown`, `DraftUnreadable`, `DraftEncodingUnknown`,
    `DraftEncrypted`, `DraftHasMacros`, `DraftBomb`, `DraftUnsupportedContent`, `ControlCharacter`, `DraftEmpty` or
    `ElementMissing`.
    """
    _limit(len(data), limit)
    name = PurePath(filename.replace("\\", "/")).name
    suffix = PurePath(name).suffix.lower()
    reader = _READERS.get(suffix)
    found = next((kind for magic, kind in _FOREIGN.items() if data.startswith(magic)), suffix or "?")
    if suffix == BLOCKS:
        _limit(len(data), TEXT_LIMIT)
        return draft_of_blocks(data, name)
    if reader is None or (suffix != ".docx" and found in _FOREIGN.values()):
        raise DraftFormatUnknown(filename=name, found=found)
    if suffix != ".docx":
        _limit(len(data), TEXT_LIMIT)
    parts = [_tidy(part) for part in reader(data, name)]
    _limit(sum(len(text.encode()) for part in parts for text in part.texts()), TEXT_LIMIT)
    _check(parts)
    draft = sort_parts([part for part in parts if part.text or part.rows])
    missing = "标题 title" if not draft.title else "正文 body" if not draft.blocks else ""
    if missing:
        raise DraftEmpty(filename=name, missing=missing)
    return draft


def _limit(size: int, limit: int) -> None:
    if size > limit:
        raise DraftTooLarge(size=size, limit=limit)


def _tidy(part: Part) -> Part:
    rows = tuple(tuple(clean(cell) for cell in row) for row in part.rows)
    return Part(clean(part.text), part.heading, rows)


def _check(parts: Sequence[Part]) -> None:
    for number, part in enumerate(parts, start=1):
        for text in part.texts():
            check_text(f"第 {number} 段 paragraph {number}", text)
