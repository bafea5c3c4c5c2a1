"""An entry's terms: what it can be found by, each a number of 64 bits.

A term is the beginning of the digest of facet and value, so that no table of values has to be asked or kept. Two values
that share a number are a matter of once in billions of billions; an entry found is read anyway, and says what it is.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from yinxin import canonical
from yinxin.act import Outcome
from yinxin.crypto.suite import INTL
from yinxin.personal import committed_in

_SIZE = 8
#: how a thing is named in a record: `certificate:12ab…`
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}:\S{1,250}")
#: facts whose values are bare identifiers, and what they identify
_KINDS = {
    "organ": "organ",
    "owner": "organ",
    "recipients": "organ",
    "post": "post",
    "person": "person",
    "serial": "certificate",
    "certificates": "certificate",
    "delegation": "delegation",
}


class Facet(StrEnum):
    """In which respect an entry is found."""

    ACTOR = "actor"
    POST = "post"
    ORGAN = "organ"
    #: what was acted on, and whatever else the record names
    OBJECT = "object"
    #: the kind of what was acted on
    KIND = "kind"
    VERB = "verb"
    MODULE = "module"
    #: outcomes other than `done`, which nearly every entry has
    OUTCOME = "outcome"
    ERROR = "error"
    REQUEST = "request"


@lru_cache(maxsize=1 << 16)
def term(facet: Facet, value: str) -> int:
    """The number of a facet's value."""
    data = f"{facet.value}\0{value}".encode("utf-8", "replace")
    return int.from_bytes(INTL.hash.digest(data)[:_SIZE], signed=True)


def terms_of(event: Mapping[str, Any]) -> frozenset[int]:
    """Everything that an event is found by; raises nothing for an event of our format."""
    actor, verb, subject = event["actor"], event["verb"], event["subject"]
    found = {
        term(Facet.ACTOR, actor["id"]),
        term(Facet.VERB, verb),
        term(Facet.MODULE, verb.partition(".")[0]),
        term(Facet.KIND, subject.partition(":")[0]),
    }
    optional = {
        Facet.POST: actor.get("post"),
        Facet.ORGAN: actor.get("organ"),
        Facet.ERROR: event.get("error"),
        Facet.REQUEST: event.get("request"),
        Facet.OUTCOME: None if event["outcome"] == Outcome.DONE else event["outcome"],
    }
    found |= {term(facet, value) for facet, value in optional.items() if value is not None}
    found |= {term(Facet.OBJECT, name) for name in objects_of(event)}
    return frozenset(found)


def terms_of_data(data: bytes) -> frozenset[int]:
    """The terms of an entry's octets; none of one whose content stands in an archive."""
    return terms_of(canonical.decode(data)) if data else frozenset()


def objects_of(event: Mapping[str, Any]) -> frozenset[str]:
    """The things that an event names: what was acted on, what the facts speak of, who owns it, the proposal behind it, whose data it has."""
    found = {event["subject"], *_named(event.get("facts", {}), "")}
    request = event.get("request") or ""
    if _NAME.fullmatch(request):
        found.add(request)
    found |= {f"person:{each['of']}" for each in committed_in(event).values() if "of" in each}
    decision = event.get("decision") or {}
    owner = (decision.get("resource") or {}).get("organ")
    found |= {f"organ:{owner}"} if owner else set()
    found |= {f"delegation:{decision['delegation']}"} if decision.get("delegation") else set()
    return frozenset(found)


def _named(value: Any, kind: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _named(each, _KINDS.get(name, kind if isinstance(each, str) else ""))
    elif isinstance(value, list):
        for each in value:
            yield from _named(each, kind)
    elif isinstance(value, str) and _NAME.fullmatch(value):
        yield value
    elif isinstance(value, str) and kind and value:
        yield f"{kind}:{value}"
