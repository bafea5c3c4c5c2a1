"""A site's card: who it is, where it is reached, by which keys it signs, for which organs it receives.

Canonical JSON, signed by the site itself. Two people admit it after they have compared its digest with the other site by
a way of their own; what the site says of itself later, under a key that its card names, follows it.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any, Self, get_args

from exchange.errors import BadCard
from exchange.settings import SITE
from yinxin import canonical
from yinxin.authz import Level
from yinxin.clock import parse_rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.text import Text

FORMAT = 1
LARGEST = 1 << 20
_MOST = 500


@dataclass(frozen=True, slots=True)
class CardOrgan:
    """An organ on a card, and the certificate that messages for it are encrypted to."""

    id: str
    name: Text
    clearance: Level
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Card:
    """A card as its site wrote it; `encoded` is what is signed. `version` rises with every card of a site."""

    site: str
    name: Text
    version: int
    at: str
    url: str
    clearance: Level
    #: the roots that the site's certificates lead to, and by which what its people and seals sign is judged
    anchors: tuple[Certificate, ...]
    #: the authorities between those and the site's certificates
    authorities: tuple[Certificate, ...]
    #: certificates of its signing keys
    keys: tuple[Certificate, ...]
    organs: tuple[CardOrgan, ...]

    @property
    def encoded(self) -> bytes:
        """Canonical JSON (RFC 8785), certificates in base64 of their DER."""
        return canonical.encode(
            {
                "v": FORMAT,
                "site": self.site,
                "name": _words(self.name),
                "version": self.version,
                "at": self.at,
                "url": self.url,
                "clearance": self.clearance,
                "anchors": [_text(each) for each in self.anchors],
                "authorities": [_text(each) for each in self.authorities],
                "keys": [_text(each) for each in self.keys],
                "organs": [
                    {
                        "id": each.id,
                        "name": _words(each.name),
                        "clearance": each.clearance,
                        "certificate": _text(each.certificate),
                    }
                    for each in self.organs
                ],
            }
        )

    @property
    def digest(self) -> str:
        """What two people compare before they admit it: SHA-256 of what is signed, hexadecimal."""
        return INTL.hash.digest(self.encoded).hex()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a card; its signature is not looked at. Raises BadCard."""
        try:
            _demand(len(data) <= LARGEST, f"over {LARGEST} octets")
            card = cls._read(canonical.decode(data))
            _demand(card.encoded == data, "another spelling")
        except YinxinError as error:
            raise BadCard(reason=error) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadCard(reason=f"{error}"[:200]) from error
        return card

    @classmethod
    def _read(cls, body: dict[str, Any]) -> Self:
        _demand(body["v"] == FORMAT, "v")
        _demand(type(body["version"]) is int and body["version"] > 0, "version")
        _demand(_is_site(body["site"]), "site")
        _demand(isinstance(body["url"], str) and len(body["url"]) <= 400, "url")
        _demand(body["url"] == "" or body["url"].startswith("https://"), "url")
        _demand(body["clearance"] in get_args(Level), "clearance")
        _demand(0 < len(body["anchors"]) <= 8 and 0 < len(body["keys"]) <= 8, "keys")
        _demand(len(body["authorities"]) <= 32, "authorities")
        _demand(0 < len(body["organs"]) <= _MOST, "organs")
        parse_rfc3339(body["at"])
        return cls(
            site=body["site"],
            name=_named(body["name"]),
            version=body["version"],
            at=body["at"],
            url=body["url"],
            clearance=body["clearance"],
            anchors=tuple(map(_certificate, body["anchors"])),
            authorities=tuple(map(_certificate, body["authorities"])),
            keys=tuple(map(_certificate, body["keys"])),
            organs=tuple(map(_organ, body["organs"])),
        )


def _organ(body: dict[str, Any]) -> CardOrgan:
    _demand(isinstance(body["id"], str) and 0 < len(body["id"]) <= 64, "organ")
    _demand(body["clearance"] in get_args(Level), "clearance")
    return CardOrgan(body["id"], _named(body["name"]), body["clearance"], _certificate(body["certificate"]))


def _named(body: dict[str, Any]) -> Text:
    for language in ("zh", "en"):
        _demand(isinstance(body[language], str) and 0 < len(body[language]) <= 200, "name")
    return Text(body["zh"], body["en"])


def _words(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _certificate(text: str) -> Certificate:
    return Certificate.load(b64decode(text, validate=True))


def _text(certificate: Certificate) -> str:
    return b64encode(certificate.der).decode()


def _is_site(text: object) -> bool:
    return isinstance(text, str) and len(text) <= 64 and re.fullmatch(SITE, text) is not None


def _demand(holds: bool, name: str) -> None:  # noqa: FBT001 - the condition itself
    if not holds:
        raise ValueError(name)
