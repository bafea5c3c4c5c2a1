"""Who acts, and what the log is told of it.

An `Event` is the record of one act, or of the refusal of one. Its canonical JSON is the leaf of the audit log; the
field list here is therefore a format, and only ever grows. It holds identifiers; names and other personal data stand in
it as salted commitments, and their values beside it (`yinxin.personal`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from yinxin import canonical
from yinxin.clock import rfc3339
from yinxin.personal import FORMAT as PERSONAL
from yinxin.personal import Salted

FORMAT = 1


class Kind(StrEnum):
    """What sort of actor it is."""

    PERSON = "person"
    SERVICE = "service"
    SYSTEM = "system"
    STRANGER = "stranger"


class Outcome(StrEnum):
    """How the act ended. `INTENT` is written before an irreversible step, and is followed by one of the others."""

    INTENT = "intent"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person in a post of an organ, a service, the platform itself, or a stranger.

    `certificate` is the SHA-256 fingerprint (hex) of the certificate the actor proved to hold; `via` names the
    application that carried the request.
    """

    kind: Kind
    id: str
    post: str | None = None
    organ: str | None = None
    certificate: str | None = None
    via: str | None = None
    #: of an actor in a session: when the key of that certificate was last proved in it. No part of who she is
    certified: datetime | None = field(default=None, compare=False)

    def fields(self) -> dict[str, Any]:
        """The actor as it stands in an event; absent parts are left out."""
        parts = {
            "kind": self.kind.value,
            "id": self.id,
            "post": self.post,
            "organ": self.organ,
            "certificate": self.certificate,
            "via": self.via,
        }
        return {name: value for name, value in parts.items() if value is not None}


#: the platform acting by itself: timers, ceremonies, start-up
SYSTEM = Actor(kind=Kind.SYSTEM, id="system")
#: somebody who has not proved who they are
STRANGER = Actor(kind=Kind.STRANGER, id="stranger")


@dataclass(frozen=True, slots=True)
class Event:
    """One record. `verb` is `module.act` (`ca.issue`), `subject` what it was done to (`certificate:…`).

    `number` is its place among the records of `source`, from 1 without a gap; records of older versions have neither.
    """

    id: str
    time: datetime
    actor: Actor
    verb: str
    subject: str
    outcome: Outcome
    request: str | None = None
    error: str | None = None
    decision: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    #: the facts that are personal data, by name
    personal: Mapping[str, Salted] = field(default_factory=dict)
    source: str | None = None
    number: int | None = None
    #: the digest of what became of the rows that the act changed (`yinxin.store`), hexadecimal
    rows: str | None = None

    def encode(self) -> bytes:
        """The canonical bytes that become the log's leaf."""
        body: dict[str, Any] = {
            "v": FORMAT,
            "id": self.id,
            "time": rfc3339(self.time),
            "actor": self.actor.fields(),
            "verb": self.verb,
            "subject": self.subject,
            "outcome": self.outcome.value,
        }
        optional = {
            "request": self.request,
            "error": self.error,
            "decision": self.decision,
            "source": self.source,
            "number": self.number,
            "rows": self.rows,
        }
        body |= {name: value for name, value in optional.items() if value is not None}
        if self.facts:
            body["facts"] = dict(self.facts)
        if self.personal:
            committed = {name: each.committed(self.id, name) for name, each in self.personal.items()}
            body["personal"] = {"v": PERSONAL, "fields": committed}
        return canonical.encode(body)

    def numbered(self, source: str, number: int) -> "Event":
        """The same record at its place; what `dataclasses.replace` does, which takes twice as long."""
        return Event(
            self.id,
            self.time,
            self.actor,
            self.verb,
            self.subject,
            self.outcome,
            self.request,
            self.error,
            self.decision,
            self.facts,
            self.personal,
            source,
            number,
            self.rows,
        )

    def openings(self) -> bytes | None:
        """What opens the commitments in the leaf, in canonical bytes, to be kept beside it; None when there are none."""
        if not self.personal:
            return None
        return canonical.encode({name: each.fields() for name, each in self.personal.items()})

    def row(self) -> dict[str, Any]:
        """The record as the outbox takes it."""
        return {"id": self.id, "data": self.encode(), "personal": self.openings()}


class Recurring:
    """What the records of one actor who does one thing have in common, made canonical once: the rest is for each."""

    def __init__(self, actor: Actor, verb: str, subject: str, decision: Mapping[str, Any] | None) -> None:
        self.verb = verb
        self.subject = subject
        self.actor = actor.id
        self.outcome = Outcome.DONE.value
        common: dict[str, Any] = {"actor": actor.fields()}
        if decision is not None:
            common["decision"] = dict(decision)
        # in the order of the names (RFC 8785 3.2.3), which are all of `Event.encode` but `error` and `personal`
        self._begin = canonical.encode(common)[:-1]
        outcome, self._end = (
            canonical.encode(self.outcome),
            canonical.encode({"v": FORMAT, "verb": verb}),
        )
        self._outcome = b',"outcome":%b' % outcome
        self._subject = b',"subject":%b,"time":"' % canonical.encode(subject)

    def row(
        self, id_: str, time: datetime, request: str | None, facts: Mapping[str, Any], place: tuple[str, int]
    ) -> dict[str, Any]:
        """As `Event.row` of an act that was done and has no personal facts; `place` is its source and its number there.

        Identifiers are those that the store gives: letters and digits.
        """
        source, number = place
        data = b"".join(
            (
                self._begin,
                b',"facts":%b' % canonical.encode(dict(facts)) if facts else b"",
                b',"id":"%b","number":%d' % (id_.encode(), number),
                self._outcome,
                b',"request":"%b"' % request.encode() if request is not None else b"",
                b',"source":"%b"' % source.encode(),
                self._subject,
                b'%b",' % rfc3339(time).encode(),
                self._end[1:],
            )
        )
        return {"id": id_, "data": data, "personal": None}
