"""The XML of an OFD's parts: one namespace, UTF-8, no document type and so no entities."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from yinxin.ofd.errors import OfdMalformed
from yinxin.text import Text

NAMESPACE = "http://www.ofdspec.org/2016"
_HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
#: octets of a part that is read as XML: as a tree it takes twenty times as much memory
LARGEST = 4 * 1024 * 1024
_FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY", b"\x00")
ET.register_namespace("ofd", NAMESPACE)


def element(name: str, attributes: Mapping[str, object] | None = None, *children: str) -> str:
    """An element whose children are markup already; empty ones are closed at once."""
    spelt = "".join(f" {key}={quoteattr(str(value))}" for key, value in (attributes or {}).items())
    inside = "".join(children)
    return f"<ofd:{name}{spelt}>{inside}</ofd:{name}>" if inside else f"<ofd:{name}{spelt}/>"


def leaf(name: str, text: str, **attributes: object) -> str:
    """An element that holds text."""
    return element(name, attributes, escape(text))


def part(name: str, attributes: Mapping[str, object] | None, *children: str) -> bytes:
    """A whole part with this root."""
    root = element(name, {"xmlns:ofd": NAMESPACE, **(attributes or {})}, *children)
    return _HEAD + root.encode() + b"\n"


def millimetres(value: float) -> str:
    """A length with four decimals at most: a tenth of a micrometre."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if round(value, 4) else "0"


def box(*values: float) -> str:
    """An ST_Box or ST_Array of lengths."""
    return " ".join(map(millimetres, values))


def parse(parts: Mapping[str, bytes], path: str) -> ET.Element:
    """The root of a part; raises OfdMalformed when it is missing, too large, no XML, or has a document type."""
    data = parts.get(path)
    if data is None:
        raise OfdMalformed(reason=Text(f"缺少 {path}", f"{path} is missing"))
    if len(data) > LARGEST:
        raise OfdMalformed(reason=Text(f"{path} 超过 {LARGEST} 字节", f"{path} is over {LARGEST} octets"))
    if any(each in data for each in _FORBIDDEN):
        raise OfdMalformed(reason=Text(f"{path} 带有文档类型声明", f"{path} has a document type"))
    try:
        # told to be UTF-8 whatever it claims, so that the look for a document type sees all; expat fetches nothing
        return ET.fromstring(data, ET.XMLParser(encoding="utf-8"))  # noqa: S314 - no document type gets here
    except (ET.ParseError, ValueError, LookupError) as error:
        raise OfdMalformed(reason=Text(f"{path} 不是 XML", f"{path} is not XML")) from error


def serialised(root: ET.Element) -> bytes:
    """A part that was read and changed, written again."""
    return _HEAD + ET.tostring(root, encoding="unicode").encode() + b"\n"


def named(name: str) -> str:
    """An element's name as ElementTree spells it."""
    return f"{{{NAMESPACE}}}{name}"


def find(root: ET.Element, *path: str) -> ET.Element | None:
    """The first element at a path of names."""
    return root.find("/".join(map(named, path)))


def text_of(root: ET.Element, *path: str) -> str:
    """The text of the element at a path, without white space around it; empty when there is none."""
    found = find(root, *path)
    return (found.text or "").strip() if found is not None else ""
