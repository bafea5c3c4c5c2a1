"""What a token can do by itself, and what is done beside it."""

from collections.abc import Mapping
from typing import Any

from kms.engine import TokenStanding
from kms.mechanisms import NATIVE, WRAPPABLE, known_to

#: what a token needs so that its keys can be shared with another (`kms.engine.share`)
SHARING = frozenset({"RSA_PKCS_OAEP", "AES_KEY_WRAP_PAD", "AES_KEY_GEN", "RSA_PKCS_KEY_PAIR_GEN"})

#: every kind of key that the platform knows, in the order of reports
KINDS = tuple(dict.fromkeys((*NATIVE, *WRAPPABLE)))


def way_of(report: Mapping[str, Any], kind: str) -> str:
    """How a token's report says that a kind of key is had: `native`, `beside` or `unavailable`."""
    return next((way for way in ("native", "beside") if kind in report.get(way, ())), "unavailable")


def capability(token: TokenStanding) -> dict[str, Any]:
    """The report on one token, as JSON.

    `native`: kinds of key that it makes, holds and uses. `beside`: kinds that it does not know, wrapped under a key
    that it holds and used in the memory of the process that opens it. `unavailable`: kinds that can be had neither way.
    `shares`: whether its keys can be mirrored; `mechanisms`: everything it says that it knows (PKCS#11 v3.1, 5.5.5), and `hardware` what of it is done in hardware.
    """
    report: dict[str, Any] = {
        "label": token.label,
        "number": token.number,
        "in_use": token.in_use,
        "error": token.error,
    }
    facts = token.facts
    if facts is None:
        return report
    native = known_to(facts.mechanisms)
    beside = [kind for kind in WRAPPABLE if kind not in native]
    return report | {
        "serial": facts.serial,
        "manufacturer": facts.manufacturer,
        "library": facts.library,
        "native": native,
        "beside": beside,
        "unavailable": [kind for kind in NATIVE if kind not in native and kind not in beside],
        "shares": facts.mechanisms >= SHARING,
        "mechanisms": sorted(facts.mechanisms),
        "hardware": sorted(facts.hardware),
    }
