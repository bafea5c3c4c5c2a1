"""Distinguished names (RFC 5280 4.1.2.4): ordered attributes, written in UTF-8.

Two are equal here when their octets are. Whether they are one name to the standard, for which case, spaces and kinds of
string do not matter (RFC 5280 7.1), `matches` says.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Self

from yinxin.crypto import der
from yinxin.crypto.errors import MalformedDer, MalformedName
from yinxin.crypto.folding import fold
from yinxin.crypto.shown import is_shown
from yinxin.once import once

#: attribute name → (object identifier, short name, upper bound in characters by RFC 5280 appendix A)
ATTRIBUTES: dict[str, tuple[str, str, int]] = {
    "countryName": ("2.5.4.6", "C", 2),
    "stateOrProvinceName": ("2.5.4.8", "ST", 128),
    "localityName": ("2.5.4.7", "L", 128),
    "streetAddress": ("2.5.4.9", "street", 128),
    "organizationName": ("2.5.4.10", "O", 64),
    "organizationalUnitName": ("2.5.4.11", "OU", 64),
    "organizationIdentifier": ("2.5.4.97", "organizationIdentifier", 256),
    "title": ("2.5.4.12", "title", 64),
    "commonName": ("2.5.4.3", "CN", 64),
    "surname": ("2.5.4.4", "SN", 40),
    "givenName": ("2.5.4.42", "GN", 16),
    "serialNumber": ("2.5.4.5", "serialNumber", 64),
    "userId": ("0.9.2342.19200300.100.1.1", "UID", 256),
    "domainComponent": ("0.9.2342.19200300.100.1.25", "DC", 63),
    "emailAddress": ("1.2.840.113549.1.9.1", "E", 255),
}
_BY_SHORT = {short: name for name, (_, short, _) in ATTRIBUTES.items()}
_BY_OID = {oid: name for name, (oid, _, _) in ATTRIBUTES.items()}
#: DirectoryString and IA5String as others write them (RFC 5280 4.1.2.4)
_ENCODINGS = {
    der.UTF8: "utf-8",
    der.PRINTABLE: "ascii",
    der.IA5: "ascii",
    0x12: "ascii",
    0x14: "latin-1",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
_PRINTABLE = {"countryName", "serialNumber"}
_IA5 = {"domainComponent", "emailAddress"}
_PRINTABLE_REPERTOIRE = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"
)

Pairs = Iterable[tuple[str, str]]
#: relative names in order, each a sorted set of (attribute, folded text)
Folded = tuple[tuple[tuple[str, str], ...], ...]


class Name:
    """A distinguished name. Immutable; equal when the DER is."""

    def __init__(self, encoded: bytes) -> None:
        """Read a DER Name; raises MalformedName."""
        try:
            self.pairs = _remembered(encoded) if len(encoded) <= _REMEMBERED_SIZE else _pairs(encoded)
        except (MalformedDer, ValueError) as error:
            raise MalformedName(attribute="DER", reason=str(error)) from error
        self.der = encoded

    @classmethod
    def of(cls, attributes: Pairs | Mapping[str, str]) -> Self:
        """Write a name from (attribute, text) pairs in order, one attribute to a relative name; raises MalformedName.

        An attribute is a name of `ATTRIBUTES`, its short form (CN, O, OU …) or a dotted object identifier.
        """
        pairs = attributes.items() if isinstance(attributes, Mapping) else attributes
        return cls(der.sequence(*[_relative(name, text) for name, text in pairs]))

    @once
    def text(self) -> str:
        """For readers, most specific first: `CN=…, O=…, C=CN`."""
        return ", ".join(f"{_short(name)}={_quoted(text)}" for name, text in reversed(self.pairs))

    def get(self, attribute: str) -> str | None:
        """The last (most specific) value of an attribute, by long or short name; None when there is none."""
        wanted = _BY_SHORT.get(attribute, attribute)
        return next((text for name, text in reversed(self.pairs) if name == wanted), None)

    def as_dict(self) -> dict[str, str]:
        """Attribute to text; of repeated attributes the last."""
        return dict(self.pairs)

    @once
    def folded(self) -> Folded:
        """What is compared: one value for all writings of this name, usable as a key."""
        relatives = (der.elements(rdn, der.SET) for rdn in der.elements(self.der))
        return tuple(
            tuple(sorted((name, fold(text)) for name, text in map(_read, pairs))) for pairs in relatives
        )

    def matches(self, other: "Name") -> bool:
        """Whether the two are one name (RFC 5280 7.1)."""
        return self.der == other.der or self.folded == other.folded

    @property
    def common_name(self) -> str:
        """The common name, or empty text."""
        return self.get("commonName") or ""

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Name {self.text}>"


def _pairs(encoded: bytes) -> tuple[tuple[str, str], ...]:
    der.check(encoded)
    return tuple(_read(pair) for rdn in der.elements(encoded) for pair in der.elements(rdn, der.SET))


#: the same few names, those of issuers before all, are met in everything that is read
_remembered = lru_cache(maxsize=1024)(_pairs)
#: octets; what a stranger sends must not fill the memory
_REMEMBERED_SIZE = 1024


def _read(pair: bytes) -> tuple[str, str]:
    kind, value = der.elements(pair)
    if value[0] not in _ENCODINGS:
        raise ValueError("an attribute value is not text")
    return _BY_OID.get(der.dotted(kind), der.dotted(kind)), der.content(value).decode(_ENCODINGS[value[0]])


#: what a reader could take for the end of a text, or of its attribute
_SPECIAL = frozenset(',+"\\<>;=')


def _short(name: str) -> str:
    return ATTRIBUTES[name][1] if name in ATTRIBUTES else name


def _quoted(text: str) -> str:
    if is_shown(text) and _SPECIAL.isdisjoint(text):
        return text
    return "".join(f"\\{c}" if c in _SPECIAL else c if c.isprintable() else f"\\{ord(c):02x}" for c in text)


@lru_cache(maxsize=4096)
def _relative(attribute: str, text: str) -> bytes:
    """A relative name of one attribute; raises MalformedName. Those of one organ share most of theirs."""
    return der.set_of([_write(attribute, text)])


def _write(attribute: str, text: str) -> bytes:
    name = _BY_SHORT.get(attribute, attribute)
    name = _BY_OID.get(name, name)
    oid, _, bound = ATTRIBUTES.get(name, (name, "", 256))
    if not oid.replace(".", "").isdigit() or "." not in oid:
        raise MalformedName(attribute=attribute, reason="unknown attribute")
    if not 0 < len(text) <= bound or not is_shown(text) or text != text.strip():
        raise MalformedName(attribute=attribute, reason=f"1 to {bound} printable characters, no outer spaces")
    if name in _PRINTABLE:
        if not set(text) <= _PRINTABLE_REPERTOIRE or (
            name == "countryName" and (len(text) != 2 or not text.isupper())
        ):
            raise MalformedName(attribute=attribute, reason="two capital letters, or basic Latin only")
        return der.sequence(der.oid(oid), der.printable(text))
    if name in _IA5:
        if not text.isascii():
            raise MalformedName(attribute=attribute, reason="ASCII only")
        return der.sequence(der.oid(oid), der.ia5(text))
    return der.sequence(der.oid(oid), der.utf8(text))
