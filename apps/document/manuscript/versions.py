"""The versions of a draft's text: who made each, and two of them compared. They are the issuing organ's own affair."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from apps.document.comparison import Line, compare
from apps.document.desk import Desk
from apps.document.models import Content
from apps.document.records import DOCUMENTS
from apps.document.states import LIFE
from apps.document.template.errors import NoSuchVersion
from yinxin.flow import NoSuchRecord

#: each of these acts makes a version
_MAKES = ("document.draft", "document.revise", "document.attach", "document.detach")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the text and the act that made it."""

    revision: int
    filename: str
    sha256: str
    verb: str
    person: str
    at: datetime


def versions(desk: Desk, document: str) -> Sequence[Version]:
    """The versions, the first one first; raises NoSuchRecord, for whoever is not of the issuing organ as well."""
    row = DOCUMENTS.read(desk, document)
    if row.organ != desk.caller.actor.organ:
        raise NoSuchRecord(thing=LIFE.thing, record=document)
    with desk.store.read() as session:
        kept = session.execute(
            sa.select(Content.revision, Content.filename, Content.sha256)
            .where(Content.document == document)
            .order_by(Content.revision)
        ).all()
        made = [step for step in DOCUMENTS.steps(session, document) if step.verb in _MAKES]
        return [
            Version(revision, filename, digest, step.verb, step.person, step.at)
            for (revision, filename, digest), step in zip(kept, made, strict=False)
        ]


def comparison(
    desk: Desk, document: str, before: int | None = None, after: int | None = None
) -> tuple[int, int, Sequence[Line]]:
    """Two versions compared, by default the last two: their numbers and lines. Raises NoSuchRecord, NoSuchVersion."""
    known = [each.revision for each in versions(desk, document)]
    new = after or known[-1]
    old = before or max(new - 1, known[0])
    return old, new, compare(data_of(desk, document, old), data_of(desk, document, new))


def data_of(desk: Desk, document: str, revision: int) -> bytes:
    """The content of a version; raises NoSuchVersion. Who may see it was asked before."""
    with desk.store.read() as session:
        row = session.get(Content, (document, revision))
        if row is None:
            raise NoSuchVersion(revision=revision)
        return row.data
