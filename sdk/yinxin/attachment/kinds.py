"""What files are taken, by the ending of their name, and whether a content is of that kind.

The check is of form, not of intent: it keeps out a program named `.pdf`, and says nothing about what a true PDF does.
Only the beginning and the end of a file are looked at, and text is read as it passes, so that the size costs no memory.
"""

import codecs
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

#: octets at the beginning and at the end that are looked at
HEAD, TAIL = 1 << 16, 1 << 17
#: characters of a name
LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file: its media type, what it begins with (any of), and a name that its zip must hold."""

    media_type: str
    begins: tuple[bytes, ...] = ()
    at: int = 0
    holds: bytes = b""
    text: bool = False


_ZIP = (b"PK\x03\x04",)
_OLE = (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",)
_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."

KINDS: Mapping[str, FileKind] = MappingProxyType(
    {
        "pdf": FileKind("application/pdf", (b"%PDF-",)),
        "ofd": FileKind("application/ofd", _ZIP, holds=b"OFD.xml"),
        "docx": FileKind(f"{_OOXML}wordprocessingml.document", _ZIP, holds=b"word/"),
        "xlsx": FileKind(f"{_OOXML}spreadsheetml.sheet", _ZIP, holds=b"xl/"),
        "pptx": FileKind(f"{_OOXML}presentationml.presentation", _ZIP, holds=b"ppt/"),
        "odt": FileKind(f"{_ODF}text", _ZIP, holds=b"opendocument.text"),
        "ods": FileKind(f"{_ODF}spreadsheet", _ZIP, holds=b"opendocument.spreadsheet"),
        "odp": FileKind(f"{_ODF}presentation", _ZIP, holds=b"opendocument.presentation"),
        "doc": FileKind("application/msword", _OLE),
        "xls": FileKind("application/vnd.ms-excel", _OLE),
        "ppt": FileKind("application/vnd.ms-powerpoint", _OLE),
        "wps": FileKind("application/vnd.ms-works", _OLE),
        "et": FileKind("application/vnd.ms-excel", _OLE),
        "rtf": FileKind("application/rtf", (b"{\\rtf",)),
        "txt": FileKind("text/plain", text=True),
        "md": FileKind("text/markdown", text=True),
        "csv": FileKind("text/csv", text=True),
        "json": FileKind("application/json", text=True),
        "xml": FileKind("application/xml", text=True),
        "png": FileKind("image/png", (b"\x89PNG\r\n\x1a\n",)),
        "jpg": FileKind("image/jpeg", (b"\xff\xd8\xff",)),
        "jpeg": FileKind("image/jpeg", (b"\xff\xd8\xff",)),
        "tif": FileKind("image/tiff", (b"II*\x00", b"MM\x00*")),
        "tiff": FileKind("image/tiff", (b"II*\x00", b"MM\x00*")),
        "zip": FileKind("application/zip", (*_ZIP, b"PK\x05\x06")),
        "7z": FileKind("application/x-7z-compressed", (b"7z\xbc\xaf\x27\x1c",)),
        "asice": FileKind("application/vnd.etsi.asic-e+zip", _ZIP, holds=b"META-INF/"),
        "mp4": FileKind("video/mp4", (b"ftyp",), at=4),
        "mp3": FileKind("audio/mpeg", (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
        "wav": FileKind("audio/wav", (b"RIFF",)),
    }
)


def nameable(name: str) -> bool:
    """Whether a name is shown as it is, and names a file and no place: signed by it, and saved under it."""
    turning = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN", "B", "S")
    return (
        len(name) <= LONGEST_NAME
        and not any(each in "/\\" or unicodedata.category(each) in ("Cc", "Zl", "Zp", "Cs") for each in name)
        and not any(unicodedata.bidirectional(each) in turning for each in name)
    )


def ending(name: str) -> str:
    """The ending of a name, in small letters, without the dot; empty without one."""
    return name.rpartition(".")[2].lower() if "." in name.strip(".") else ""


class Judge:
    """Whether the octets that pass are of a kind; `fits` once all have."""

    def __init__(self, kind: FileKind) -> None:
        self._kind = kind
        self._head = b""
        self._tail = b""
        # GB 18030 takes nearly everything, so UTF-8 is no more than its name; a NUL is no text in either
        self._decoders = [codecs.getincrementaldecoder(each)() for each in ("utf-8-sig", "gb18030")]
        self._clean = True

    def update(self, data: bytes) -> None:
        """The next octets."""
        if len(self._head) < HEAD:
            self._head += data[: HEAD - len(self._head)]
        self._tail = (self._tail + data[-TAIL:])[-TAIL:]
        if self._kind.text:
            self._read(data, final=False)

    def fits(self) -> bool:
        """Whether it was of the kind."""
        kind = self._kind
        if kind.text:
            self._read(b"", final=True)
            return self._clean and bool(self._decoders)
        if not any(self._head[kind.at :].startswith(begin) for begin in kind.begins):
            return False
        return kind.holds in self._head or kind.holds in self._tail

    def _read(self, data: bytes, *, final: bool) -> None:
        self._clean = self._clean and b"\0" not in data
        still = []
        for decoder in self._decoders:
            try:
                decoder.decode(data, final)
            except UnicodeDecodeError:
                continue
            still.append(decoder)
        self._decoders = still
