"""What of a document, beside its text, rules how it prints; and the tree of organs, kept for the while that somebody types."""

import datetime as dt
from dataclasses import dataclass, field
from threading import Lock

from apps.document import grading
from apps.document.desk import Desk, content
from apps.document.errors import UnknownKind
from apps.document.layout.kinds import Kind
from apps.document.manuscript.models import Manuscript
from apps.document.manuscript.view import Facts, View, today_of, view
from apps.document.records import DOCUMENTS
from apps.document.sites.choose import Addressable, addressable
from yinxin import canonical
from yinxin.authz import Level
from yinxin.documents import DraftIn
from yinxin.manuscripts import PreviewIn, TextIn

#: how long the tree is taken to be as it was: a preview decides nothing, and whatever is saved asks anew
FRESH = dt.timedelta(minutes=1)


@dataclass
class Nearby:
    """Whom each organ may address, as it was a moment ago."""

    _known: dict[str, tuple[dt.datetime, Addressable]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, desk: Desk) -> Addressable:
        """Whom the organ of this person may address."""
        organ, now = desk.caller.actor.organ or "", desk.store.clock.now()
        with self._lock:
            kept = self._known.get(organ)
        if kept is not None and now - kept[0] < FRESH:
            return kept[1]
        found = addressable(desk, organ)
        with self._lock:
            if len(self._known) >= 64:
                self._known.clear()
            self._known[organ] = (now, found)
        return found


def shown(desk: Desk, nearby: Nearby, row: Manuscript, text: TextIn) -> View:
    """A manuscript's text as it would print; raises NoSuchRecord where its draft may not be read any more."""
    facts = of_draft(desk, row.document) if row.document else of_new(desk, DraftIn.model_validate(row.facts))
    return _view(desk, nearby, text, facts)


def shown_alone(desk: Desk, nearby: Nearby, asked: PreviewIn) -> View:
    """A text as it would print that belongs to no manuscript; raises UnknownKind."""
    facts = Facts(
        kind_of(asked.kind),
        asked.recipients,
        asked.copied_to,
        asked.urgency,
        asked.level,
        asked.skips,
        _mark(desk, asked.level),
    )
    return _view(desk, nearby, asked.text, facts)


def _view(desk: Desk, nearby: Nearby, text: TextIn, facts: Facts) -> View:
    known = nearby.of(desk)
    own = desk.caller.actor.organ or ""
    return view(text, facts, known.organs.get(own) or desk.core.organ(own), known, today_of(desk))


def of_new(desk: Desk, facts: DraftIn) -> Facts:
    """Of a document that is still to be drafted."""
    mark = grading.given(facts.level, facts.secrecy).mark if facts.secrecy else _mark(desk, facts.level)
    return Facts(
        kind_of(facts.kind),
        facts.recipients,
        facts.copied_to,
        facts.urgency,
        facts.level,
        facts.skips,
        mark,
        joint=tuple(facts.joint or ()),
    )


def of_draft(desk: Desk, document: str) -> Facts:
    """Of a draft; raises NoSuchRecord."""
    row = DOCUMENTS.read(desk, document)
    level: Level = row.level  # type: ignore[assignment]  # the column holds levels alone
    with desk.store.read() as session:
        body = canonical.decode(content(session, document).data)
        files = desk.attachments.files.of(session, DOCUMENTS.subject(document))
    return Facts(
        Kind(row.kind),
        tuple(row.recipients),
        tuple(row.copied_to),
        row.urgency,
        level,
        row.skips,
        body.get("secrecy", ""),
        files,
        joint=tuple(row.joint),
    )


def kind_of(code: str) -> Kind:
    """A kind by its code; raises UnknownKind."""
    try:
        return Kind(code)
    except ValueError as error:
        raise UnknownKind(kind=code, known=", ".join(Kind)) from error


def _mark(desk: Desk, level: Level) -> str:
    """The mark of a document of this level of which no period was given."""
    with desk.store.read() as session:
        grade = grading.due(session, level, None, desk.store.clock.now())
    return grade.mark if grade else ""
