"""Zip files, written in one way and read strictly: what holds evidence (ASiC-E) and official documents (OFD) is a zip.

What is read may be hostile: sizes are judged by the directory before anything is unpacked, and a file in which two
readers could see different parts is refused.
"""

import posixpath
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO

from yinxin.errors import YinxinError
from yinxin.text import Text

STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
#: how a zip file with anything in it begins
BEGINS = b"PK\x03\x04"
_DATE = (1980, 1, 1, 0, 0, 0)
_ENCRYPTED = 0x1
_HEADER, _NAME_AT = 30, 26
#: octets of the descriptor that may follow a part whose size was not known when it was begun
_DESCRIPTORS = (0, 12, 16, 20, 24)


@dataclass(frozen=True, slots=True)
class Format:
    """What a zip of some kind may be: octets packed and unpacked, parts, ways of compression, and the error of one that is not."""

    largest: int
    most: int
    methods: tuple[int, ...]
    malformed: type[YinxinError]

    def write(self, parts: Iterable[tuple[str, bytes]]) -> bytes:
        """The zip of these parts (name, octets) in this order, with a fixed date; compressed where the format lets it."""
        output = BytesIO()
        with zipfile.ZipFile(output, "w") as archive:
            for name, data in parts:
                info = zipfile.ZipInfo(name, _DATE)
                info.external_attr = 0o644 << 16
                info.create_system = 3
                info.compress_type = self.methods[-1]
                archive.writestr(info, data, compresslevel=6)
        return output.getvalue()

    def read(self, data: bytes) -> dict[str, bytes]:
        """Every part by its name, in the order of the directory; raises `malformed`."""
        if len(data) > self.largest:
            raise self.malformed(reason=Text(f"超过 {self.largest} 字节", f"over {self.largest} octets"))
        try:
            with zipfile.ZipFile(BytesIO(data)) as archive:
                infos = archive.infolist()
                fault = self._fault(infos) or _layout_fault(data, infos, archive.start_dir)
                parts = (
                    {}
                    if fault
                    else {each.filename: archive.read(each) for each in infos if not each.is_dir()}
                )
        except Exception as error:
            # a reader of hostile bytes fails in any way: broken headers, offsets beyond the end, wrong checksums …
            raise self.malformed(reason=Text("不是完好的 zip", "not a sound zip file")) from error
        if fault:
            raise self.malformed(reason=fault)
        return parts

    def _fault(self, infos: Sequence[zipfile.ZipInfo]) -> Text | None:
        """What is wrong with the directory, before anything is unpacked."""
        names = [each.filename for each in infos]
        if len(infos) > self.most or sum(each.file_size for each in infos) > self.largest:
            return Text("解开后过大", "unpacks to more than is read")
        if len({name.lower() for name in names}) != len(names):
            return Text("有同名部件", "two parts of one name")
        if any(each.flag_bits & _ENCRYPTED or each.compress_type not in self.methods for each in infos):
            return Text(
                "部件被加密或压缩方式不认识", "a part is encrypted or compressed in a way that is not read"
            )
        if any(
            posixpath.normpath(name) != name.removesuffix("/") or name[0] in "./" or "\\" in name
            for name in names
        ):
            return Text("部件路径不规范", "a part with an irregular path")
        return None


def names(data: bytes) -> frozenset[str]:
    """The names in the directory of what looks like a zip; none of anything else."""
    if not data.startswith(BEGINS):
        return frozenset()
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return frozenset(archive.NameToInfo)
    except Exception:  # noqa: BLE001 - whatever the directory of a foreign file trips over, it is none
        return frozenset()


def _layout_fault(data: bytes, infos: Sequence[zipfile.ZipInfo], directory: int) -> Text | None:
    """Parts follow each other without a gap from the first octet to the directory, so that no reader finds another one."""
    at = 0
    for number, each in enumerate(sorted(infos, key=lambda info: info.header_offset)):
        gaps = _DESCRIPTORS if number else (0,)
        if each.header_offset - at not in gaps or data[each.header_offset : each.header_offset + 4] != BEGINS:
            return Text("部件之间有多余内容", "something lies between the parts")
        where = each.header_offset + _NAME_AT
        name, extra = (int.from_bytes(data[where + i : where + i + 2], "little") for i in (0, 2))
        at = each.header_offset + _HEADER + name + extra + each.compress_size
    return (
        None
        if directory - at in _DESCRIPTORS
        else Text("部件之后有多余内容", "something lies after the parts")
    )
