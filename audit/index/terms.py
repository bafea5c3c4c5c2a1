"""An entry's terms: what it can be found by, each a number of 64 bits.

A term is the beginning of the digest of facet and value, so that no table of values has to be asked or kept. Two values
that share a number are a matter of once in billions of billions; an entry found is read anyway, and says what it is.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from yinxin import canonical
from yinxin.act import Outcome
from yinxin.crypto.suite import INTL
from yinxin.personal import committed_in

_SIZE = 8
_DONE = Outcome.DONE.value
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


def term(facet: Facet, value: str) -> int:
    """The number of a facet's value."""
    return _number(facet.value, value)


@lru_cache(maxsize=1 << 16)
def _number(facet: str, value: str) -> int:
    data = f"{facet}\0{value}".encode("utf-8", "replace")
    return int.from_bytes(INTL.hash.digest(data)[:_SIZE], signed=True)


# plain text, which is hashed in a fraction of the time that a member of an enumeration takes
_ACTOR, _POST, _ORGAN, _OBJECT, _KIND, _VERB, _MODULE, _OUTCOME, _ERROR, _REQUEST = (
    each.value for each in Facet
)


def terms_of(event: Mapping[str, Any]) -> frozenset[int]:
    """Everything that an event is found by; raises nothing for an event of our format."""
    actor, verb = event["actor"], event["verb"]
    found = {
        _number(_ACTOR, actor["id"]),
        _number(_VERB, verb),
        _number(_MODULE, verb.partition(".")[0]),
        _number(_KIND, event["subject"].partition(":")[0]),
    }
    for facet, value in (
        (_POST, actor.get("post")),
        (_ORGAN, actor.get("organ")),
        (_ERROR, event.get("error")),
        (_REQUEST, event.get("request")),
    ):
        if value is not None:
            found.add(_number(facet, value))
    found.update(_number(_REQUEST, each) for each in requests_of(event))
    if (outcome := event["outcome"]) != _DONE:
        found.add(_number(_OUTCOME, outcome))
    for name in objects_of(event):
        found.add(_number(_OBJECT, name))
    return frozenset(found)


def requests_of(event: Mapping[str, Any]) -> tuple[str, ...]:
    """The requests that a record lists because they were served together; none of a record of one request."""
    listed = (event.get("facts") or {}).get("requests")
    if not isinstance(listed, list):
        return ()
    return tuple(
        each["request"] for each in listed if isinstance(each, dict) and isinstance(each.get("request"), str)
    )


def terms_of_data(data: bytes) -> frozenset[int]:
    """The terms of an entry's octets; none of one whose content stands in an archive."""
    return terms_of(canonical.reread(data)) if data else frozenset()


def objects_of(event: Mapping[str, Any]) -> frozenset[str]:
    """The things that an event names: what was acted on, what the facts speak of, who owns it, the proposal behind it, whose data it has."""
    found = {event["subject"]}
    _named(event.get("facts"), "", found)
    request = event.get("request")
    if request and ":" in request and _NAME.fullmatch(request):
        found.add(request)
    for each in committed_in(event).values():
        if "of" in each:
            found.add(f"person:{each['of']}")
    decision = event.get("decision")
    if decision:
        owner = (decision.get("resource") or {}).get("organ")
        if owner:
            found.add(f"organ:{owner}")
        if decision.get("delegation"):
            found.add(f"delegation:{decision['delegation']}")
    return frozenset(found)


def _named(value: Any, kind: str, found: set[str]) -> None:
    """Add the things that a part of the facts names; `kind` is what its bare identifiers stand for."""
    if isinstance(value, str):
        if ":" in value and _NAME.fullmatch(value):
            found.add(value)
        elif kind and value:
            found.add(f"{kind}:{value}")
    elif isinstance(value, dict):
        for name, each in value.items():
            _named(each, _KINDS.get(name, kind if isinstance(each, str) else ""), found)
    elif isinstance(value, list):
        for each in value:
            _named(each, kind, found)
