"""The zip that an OFD is (GB/T 33190-2016, 7.2), written in one way and read in one way only."""

import posixpath
from collections.abc import Mapping

from yinxin import zipped
from yinxin.ofd.errors import OfdMalformed
from yinxin.text import Text

MEDIA_TYPE = "application/ofd"
ENTRY = "OFD.xml"
FORMAT = zipped.Format(
    largest=256 * 1024 * 1024,
    most=4000,
    methods=(zipped.STORED, zipped.DEFLATED),
    malformed=OfdMalformed,
)


def pack(parts: Mapping[str, bytes]) -> bytes:
    """The package of these parts: `OFD.xml` first, the others in the order of their names, with a fixed date."""
    return FORMAT.write((name, parts[name]) for name in (ENTRY, *sorted(set(parts) - {ENTRY})))


def unpack(data: bytes) -> dict[str, bytes]:
    """Every part by its path; raises OfdMalformed."""
    parts = FORMAT.read(data)
    if ENTRY not in parts:
        raise OfdMalformed(reason=Text("没有 OFD.xml", "no OFD.xml"))
    return parts


def is_one(data: bytes) -> bool:
    """Whether the octets look like an OFD: a zip whose directory has an `OFD.xml`."""
    return ENTRY in zipped.names(data)


def resolve(base: str, location: str) -> str:
    """The path that an ST_Loc means in a part at `base`: absolute from the package's root, else beside the part.

    Raises OfdMalformed for one that leads out of the package.
    """
    joined = location[1:] if location.startswith("/") else posixpath.join(posixpath.dirname(base), location)
    path = posixpath.normpath(joined)
    if not location or path.startswith(("..", "/")) or "\\" in path:
        raise OfdMalformed(reason=Text("路径指向包外", "a location outside the package"))
    return path
