"""Objects in DER that are right in every length and lack something: what changed octets hardly ever become."""

from collections.abc import Iterator

from yinxin.crypto import der


def hollowed(encoded: bytes) -> Iterator[bytes]:
    """The object with one element of it emptied, or left out; each in turn, however deep it lies."""
    tag, start, end = der.header(encoded)
    if start < end:
        yield der.tlv(tag, b"")
    if not tag & 0x20:
        return
    inside = der.elements(encoded, tag)
    for place, element in enumerate(inside):
        before, after = b"".join(inside[:place]), b"".join(inside[place + 1 :])
        yield der.tlv(tag, before + after)
        for each in hollowed(element):
            yield der.tlv(tag, before + each + after)
