"""General names (RFC 5280 4.2.1.6) as (kind, text) pairs.

Kinds: `dns`, `ip`, `email`, `uri`, `dirname` (hexadecimal DER of the Name) and, when reading only, `other`
(hexadecimal DER).
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from yinxin.crypto import der
from yinxin.crypto.errors import MalformedTemplate

GeneralName = tuple[str, str]

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_TEXT_TAGS = {0x81: "email", 0x82: "dns", 0x86: "uri"}
_TAGS = {kind: tag for tag, kind in _TEXT_TAGS.items()}


def write_general_names(names: Iterable[GeneralName], field: str = "san") -> bytes:
    """GeneralNames in DER; raises MalformedTemplate naming the bad one."""
    return der.sequence(*(write_general_name(kind, text, field) for kind, text in names))


def write_general_name(kind: str, text: str, field: str = "san") -> bytes:
    """One GeneralName in DER; raises MalformedTemplate."""
    try:
        return _write(kind, text)
    except ValueError as error:
        raise MalformedTemplate(field=field, reason=f"{kind} {text!r}: {error}") from error


def _write(kind: str, text: str) -> bytes:
    if kind == "ip":
        return der.tlv(0x87, ip_address(text).packed)
    if kind == "dirname":
        return der.tlv(0xA4, bytes.fromhex(text))
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(
            "printable ASCII without spaces only; write an international domain in its xn-- form"
        )
    if kind == "dns":
        _check_dns(text)
        return der.tlv(0x82, text.encode())
    if kind == "email":
        local, at, domain = text.rpartition("@")
        if not local or not at:
            raise ValueError("not an address")
        _check_host(domain)
        return der.tlv(0x81, text.encode())
    if kind == "uri":
        if not urlsplit(text).scheme:
            raise ValueError("no scheme")
        return der.tlv(0x86, text.encode())
    raise ValueError("the kind is none of dns, ip, email, uri, dirname")


def _check_dns(text: str) -> None:
    """A host's or domain's name; as their first label, a `*` for all of one domain."""
    # of the length that it is written in
    _check_host(f"x{text[1:]}" if text.startswith("*.") else text)


def _check_host(text: str) -> None:
    labels = text.split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("not a domain name")


def read_general_names(encoded: bytes) -> tuple[GeneralName, ...]:
    """Read GeneralNames that have been held to DER before."""
    return tuple(_read(each) for each in der.elements(encoded))


def _read(element: bytes) -> GeneralName:
    tag, value = element[0], der.content(element)
    if tag in _TEXT_TAGS:
        return _TEXT_TAGS[tag], value.decode("ascii", "backslashreplace")
    if tag == 0x87 and len(value) in (4, 16):
        return "ip", str(ip_address(value))
    if tag == 0xA4:
        return "dirname", value.hex()
    return "other", element.hex()


# --- subtrees: what a name constraint says of names (RFC 5280 4.2.1.10) -----------------------------------------


def write_subtree(kind: str, text: str, field: str = "name_constraints") -> bytes:
    """The base of a GeneralSubtree in DER; raises MalformedTemplate."""
    try:
        return _write_subtree(kind, text)
    except ValueError as error:
        raise MalformedTemplate(field=field, reason=f"{kind} {text!r}: {error}") from error


def _write_subtree(kind: str, text: str) -> bytes:
    if kind == "ip":
        network = ip_network(text)
        return der.tlv(0x87, network.network_address.packed + network.netmask.packed)
    if kind in ("dns", "uri") or (kind == "email" and "@" not in text):
        if text:  # empty stands for every name of its kind
            _check_host(text.removeprefix("."))
        return der.tlv(_TAGS[kind], text.encode("ascii"))
    return _write(kind, text)


def read_subtree(element: bytes) -> GeneralName:
    """Read the base of a GeneralSubtree; raises MalformedDer or ValueError."""
    value = der.content(element)
    if element[0] != 0x87:
        return _read(element)
    if len(value) not in (8, 32):
        raise ValueError("an address constraint is neither an IPv4 nor an IPv6 network")
    half = len(value) // 2
    mask = int.from_bytes(value[half:], "big")
    ones = mask.bit_count()
    if mask != ((1 << ones) - 1) << (8 * half - ones):
        raise ValueError("an address constraint's mask has gaps")
    return "ip", str(ip_network((value[:half], ones), strict=False))
