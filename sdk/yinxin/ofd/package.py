"""The zip that an OFD is (GB/T 33190-2016, 7.2), written in one way and read in one way only.

What is read may be hostile: sizes are judged by the directory before anything is unpacked, and a file in which two
readers could see different parts is refused.
"""

import posixpath
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO

from yinxin.ofd.errors import OfdMalformed
from yinxin.text import Text

MEDIA_TYPE = "application/ofd"
ENTRY = "OFD.xml"
#: octets, packed and unpacked
LARGEST = 256 * 1024 * 1024
MOST_PARTS = 4000
_DATE = (1980, 1, 1, 0, 0, 0)
_BEGINS = b"PK\x03\x04"
_ENCRYPTED = 0x1
_HEADER, _NAME_AT = 30, 26
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
#: octets of the descriptor that may follow a part whose size was not known when it was begun
_DESCRIPTORS = (0, 12, 16, 20, 24)


def pack(parts: Mapping[str, bytes]) -> bytes:
    """The package of these parts: `OFD.xml` first, the others in the order of their names, with a fixed date."""
    output = BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for name in (ENTRY, *sorted(set(parts) - {ENTRY})):
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, parts[name], compresslevel=6)
    return output.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Every part by its path; raises OfdMalformed."""
    if len(data) > LARGEST:
        raise OfdMalformed(reason=Text(f"超过 {LARGEST} 字节", f"over {LARGEST} octets"))
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            infos = archive.infolist()
            fault = _fault(infos) or _layout_fault(data, infos, archive.start_dir)
            parts = (
                {} if fault else {each.filename: archive.read(each) for each in infos if not each.is_dir()}
            )
    except Exception as error:
        # a reader of hostile bytes fails in any way: broken headers, offsets beyond the end, wrong checksums …
        raise OfdMalformed(reason=Text("不是完好的 zip", "not a sound zip file")) from error
    if fault:
        raise OfdMalformed(reason=fault)
    return parts


def is_one(data: bytes) -> bool:
    """Whether the octets look like an OFD: a zip whose directory has an `OFD.xml`."""
    if not data.startswith(_BEGINS):
        return False
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return ENTRY in archive.NameToInfo
    except Exception:  # noqa: BLE001 - whatever the directory of a foreign file trips over, it is none
        return False


def resolve(base: str, location: str) -> str:
    """The path that an ST_Loc means in a part at `base`: absolute from the package's root, else beside the part.

    Raises OfdMalformed for one that leads out of the package.
    """
    joined = location[1:] if location.startswith("/") else posixpath.join(posixpath.dirname(base), location)
    path = posixpath.normpath(joined)
    if not location or path.startswith(("..", "/")) or "\\" in path:
        raise OfdMalformed(reason=Text("路径指向包外", "a location outside the package"))
    return path


def _fault(infos: Sequence[zipfile.ZipInfo]) -> Text | None:
    """What is wrong with the directory, before anything is unpacked."""
    names = [each.filename for each in infos]
    if ENTRY not in names:
        return Text("没有 OFD.xml", "no OFD.xml")
    if len(infos) > MOST_PARTS or sum(each.file_size for each in infos) > LARGEST:
        return Text("解开后过大", "unpacks to more than is read")
    if len({name.lower() for name in names}) != len(names):
        return Text("有同名部件", "two parts of one name")
    if any(each.flag_bits & _ENCRYPTED or each.compress_type not in _METHODS for each in infos):
        return Text("部件被加密或压缩方式不认识", "a part is encrypted or compressed in an unknown way")
    if any(
        posixpath.normpath(name) != name.removesuffix("/") or name[0] in "./" or "\\" in name
        for name in names
    ):
        return Text("部件路径不规范", "a part with an irregular path")
    return None


def _layout_fault(data: bytes, infos: Sequence[zipfile.ZipInfo], directory: int) -> Text | None:
    """Parts follow each other without a gap from the first octet to the directory, so that no reader finds another one."""
    at = 0
    for number, each in enumerate(sorted(infos, key=lambda info: info.header_offset)):
        gaps = _DESCRIPTORS if number else (0,)
        if (
            each.header_offset - at not in gaps
            or data[each.header_offset : each.header_offset + 4] != _BEGINS
        ):
            return Text("部件之间有多余内容", "something lies between the parts")
        where = each.header_offset + _NAME_AT
        name, extra = (int.from_bytes(data[where + i : where + i + 2], "little") for i in (0, 2))
        at = each.header_offset + _HEADER + name + extra + each.compress_size
    return (
        None
        if directory - at in _DESCRIPTORS
        else Text("部件之后有多余内容", "something lies after the parts")
    )
