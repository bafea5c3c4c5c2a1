"""Drafting: a user's own file becomes a document, and is changed until it is submitted."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from apps.document import content, direction, grading, index
from apps.document.core import Organ
from apps.document.desk import Desk
from apps.document.desk import content as newest
from apps.document.errors import KindOrLevelFixed, ReferenceTaken, UnknownKind, UnknownRecipient
from apps.document.joint import parts, rules
from apps.document.layout import check, read_draft
from apps.document.layout.kinds import Kind
from apps.document.manuscript.errors import TextMovedOn
from apps.document.models import Content, Document
from apps.document.quota import demand_document
from apps.document.records import DOCUMENTS
from apps.document.sites.choose import addressable
from apps.document.states import GRADES
from yinxin.authz import Level
from yinxin.calendar import local_date
from yinxin.distribution import recipients
from yinxin.documents import DraftIn
from yinxin.grade import Grade, read
from yinxin.store import as_good
from yinxin.uploads import AttachmentOut

#: octets; a larger file is refused before it is read
LARGEST = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What a drafter hands in: a file, the kind, main and copy recipients as organ identifiers, and her own `reference`.

    `skips` is why an upward document passes over the organ right above. A classified one has a `grade`, or the longest period that its
    level allows. `joint` are the organs that issue it together with the drafter's, `consulted` those that countersign and do not issue
    it; a revision that says nothing of them leaves them as they are.
    """

    reference: str
    kind: Kind
    filename: str
    data: bytes
    recipients: tuple[str, ...]
    level: Level = "internal"
    urgency: str | None = None
    copied_to: tuple[str, ...] = ()
    skips: str | None = None
    grade: Grade | None = None
    joint: tuple[str, ...] | None = None
    consulted: tuple[str, ...] | None = None


def new_document(body: DraftIn, filename: str, data: bytes) -> NewDocument:
    """What somebody hands in over the wire, with her file; raises UnknownKind, NoTerm."""
    try:
        kind = Kind(body.kind)
    except ValueError as error:
        raise UnknownKind(kind=body.kind, known=", ".join(Kind)) from error
    return NewDocument(
        reference=body.reference,
        kind=kind,
        filename=filename,
        data=data,
        recipients=body.recipients,
        level=body.level,
        urgency=body.urgency,
        copied_to=body.copied_to,
        joint=body.joint,
        consulted=body.consulted,
        skips=body.skips,
        grade=grading.given(body.level, body.secrecy) if body.secrecy else None,
    )


def as_before(row: Document, filename: str, data: bytes) -> NewDocument:
    """Another text for a draft that stays otherwise as it is."""
    return NewDocument(
        reference=row.reference,
        kind=Kind(row.kind),
        filename=filename,
        data=data,
        recipients=tuple(row.recipients),
        level=cast("Level", row.level),
        urgency=row.urgency,
        copied_to=tuple(row.copied_to),
        skips=row.skips,
    )


def draft(desk: Desk, new: NewDocument) -> str:
    """Make a document in the drafter's organ; drafting again under the same reference gives the same document.

    So does drafting twice at once: the database lets one of them in, and the other finds it.

    Raises the layout's errors (unreadable, too large, a rule broken), UnknownRecipient, NotCleared,
    RecipientTwice, the rules of direction and of joint issue, NotPermitted, ReferenceTaken, QuotaExceeded.
    """
    organ = desk.core.organ(desk.caller.actor.organ or "")
    existing = _existing(desk, new, organ)
    if existing is not None:
        return existing
    try:
        return _draft(desk, new, organ)
    except IntegrityError:
        if (existing := _existing(desk, new, organ)) is None:
            raise
        return existing


def _draft(desk: Desk, new: NewDocument, organ: Organ) -> str:
    row = Document(
        id=desk.store.identifier(),
        reference=new.reference,
        organ=organ.id,
        kind=new.kind.value,
        level=new.level,
        urgency=new.urgency,
        recipients=list(new.recipients),
        copied_to=list(new.copied_to),
        joint=[],
        consulted=[],
        asked=False,
        holders=[],
        skips=new.skips,
        drafter=desk.caller.actor.id,
    )
    with DOCUMENTS.begin(desk, row, "document.draft", taken=as_good, kind=new.kind.value) as act:
        demand_document(desk.quotas, act.session, organ.id, row.created_at)
        grade = grading.due(act.session, new.level, new.grade, desk.store.clock.now())
        signed = (grade, local_date(row.created_at)) if grade else None
        row.title, data = _read(desk, act.session, new, organ, graded=signed)
        act.session.add(row)
        act.session.flush()
        parts.name(act.session, row, new.joint or (), new.consulted or ())
        if grade is not None:
            GRADES.determine(act, row.id, grade, row.created_at)
        act.session.add(_content(row.id, 1, new, data))
        index.put(act.session, row, data)
        act.facts["content_sha256"] = sha256(data).hexdigest()
    return row.id


def revise(desk: Desk, document: str, new: NewDocument, *, base: int | None = None) -> None:
    """Replace the text of a draft; the earlier versions stay. Kind and level are those it was drafted with.

    The file is read before the act begins: a large one would hold up every other writer. A grade that
    is given, and another one, is determined from today on. `base` is the version that the text was made from. Raises
    what `draft` raises, KindOrLevelFixed, and TextMovedOn where the text was changed since `base`.
    """
    organ = desk.core.organ(desk.caller.actor.organ or "")
    seen = DOCUMENTS.read(desk, document)
    if (new.kind.value, new.level) != (seen.kind, seen.level):
        raise KindOrLevelFixed(kind=seen.kind, level=seen.level)
    joint = tuple(seen.joint) if new.joint is None else new.joint
    consulted = tuple(seen.consulted) if new.consulted is None else new.consulted
    new = replace(new, joint=joint, consulted=consulted)
    with desk.store.read() as session:
        files = desk.attachments.files.of(session, DOCUMENTS.subject(document))
        current = GRADES.current(session, document)
        before = read(current) if current else None
    grade = new.grade or before
    now = desk.store.clock.now()
    since = current.since if current and grade == before else local_date(now)
    with desk.store.read() as session:
        title, data = _read(desk, session, new, organ, files, graded=(grade, since) if grade else None)
    with DOCUMENTS.move(desk, document, "document.revise", seen=seen) as (act, row):
        act.facts["content_sha256"] = sha256(data).hexdigest()
        if grade is not None and grade != before:
            GRADES.determine(act, document, grade, now)
        last = newest(act.session, document)
        if base is not None and overtaken(act.session, last, base):
            raise TextMovedOn(base=base, newest=last.revision)
        act.session.add(_content(document, last.revision + 1, new, data))
        row.title, row.recipients, row.urgency = title, list(new.recipients), new.urgency
        row.copied_to, row.skips = list(new.copied_to), new.skips
        parts.name(act.session, row, new.joint or (), new.consulted or ())
        index.put(act.session, row, data)


def overtaken(session: Session, last: Content, base: int) -> bool:
    """Whether the text was changed since version `base`: a version that only has other attachments changes none of it."""
    before = session.get(Content, (last.document, base))
    return before is None or content.draft_of(before.data) != content.draft_of(last.data)


def _existing(desk: Desk, new: NewDocument, organ: Organ) -> str | None:
    with desk.store.read() as session:
        mine = (Document.drafter == desk.caller.actor.id, Document.reference == new.reference)
        row = session.scalars(sa.select(Document).where(*mine)).one_or_none()
        if row is None:
            return None
        if row.organ != organ.id:
            raise ReferenceTaken(reference=new.reference)
        return row.id


def _read(
    desk: Desk,
    session: Session,
    new: NewDocument,
    organ: Organ,
    files: Sequence[AttachmentOut] = (),
    *,
    graded: tuple[Grade, dt.date] | None,
) -> tuple[str, bytes]:
    """The title and canonical content of the file, with the rules of the kind checked as if it were issued today."""
    text = read_draft(new.data, new.filename)
    named = recipients(new.recipients, new.copied_to)
    known = addressable(desk, organ.id)
    organs = known.organs
    for each in named:
        if each.organ not in organs:
            raise UnknownRecipient(organ=each.organ)
    known.demand_cleared([each.organ for each in named], new.level)
    # of an organ that does not take part in the exchange
    away = desk.carrier.elsewhere([each.organ for each in named]) - known.elsewhere.keys()
    desk.carrier.demand(organ.id, sorted(away), text.title, new.level)
    today = local_date(desk.store.clock.now())
    joint, to = new.joint or (), [each.organ for each in named]
    issue = rules.Issue(new.kind, organ, joint, new.consulted or (), to)
    at_home = {each: found for each, found in organs.items() if each not in known.elsewhere}
    rules.check(session, issue, at_home, today)
    data = content.encode(
        text,
        kind=new.kind,
        organ={"id": organ.id, "name": organ.name, "code": organ.code},
        recipients=new.recipients,
        names=[organs[each].name for each in new.recipients],
        copied_to=[organs[each].name for each in new.copied_to],
        urgency=new.urgency,
        secrecy=graded[0].mark if graded else "",
        grade=graded[0].fields(graded[1]) if graded else None,
        joint=[{"id": each, "name": organs[each].name} for each in joint],
        files=files,
    )
    check(content.elements(data, serial=1, year=today.year, date=today, signers=[desk.caller.name]))
    direction.check(new.kind, organ.id, known, main=new.recipients, copies=new.copied_to, skips=new.skips)
    return text.title, data


def _content(document: str, revision: int, new: NewDocument, data: bytes) -> Content:
    return Content(
        document=document,
        revision=revision,
        filename=new.filename,
        source=new.data,
        data=data,
        sha256=sha256(data).hexdigest(),
    )
