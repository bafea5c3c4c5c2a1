"""Plain text: one paragraph a line; UTF-8 (with or without a mark), UTF-16 with a mark, or GB 18030."""

import codecs

from apps.document.layout.errors import DraftEncodingUnknown
from apps.document.layout.parts import Part


def decode(data: bytes, filename: str) -> str:
    """The text of the bytes.

    Bytes that are UTF-8 are taken as UTF-8: Chinese text in GB 18030 is practically never valid UTF-8, and the other
    way round would mis-read. What is neither is refused, naming the first byte that fits neither.
    """
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    order = ("utf-16",) if marked else ("utf-8-sig", "gb18030")
    offset = 0
    for encoding in order:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as wrong:
            offset = max(offset, wrong.start)
    raise DraftEncodingUnknown(filename=filename, offset=offset)


def parts_of_text(data: bytes, filename: str) -> list[Part]:
    """One part a line that is not blank; a line of tabs or bars is text like any other."""
    lines = decode(data, filename).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [Part(line) for line in lines if line.strip()]
