"""Drafting: a user's own file becomes a document, and is changed until it is submitted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from apps.document import content
from apps.document.core import Organ
from apps.document.desk import Desk, add_step, read, transition, unborn
from apps.document.desk import content as newest
from apps.document.errors import KindOrLevelFixed, RecipientTwice, ReferenceTaken, UnknownRecipient
from apps.document.layout import check, read_draft
from apps.document.layout.kinds import Kind
from apps.document.models import Content, Document, State
from yinxin.authz import Level
from yinxin.errors import NotFound

#: octets; a larger file is refused before it is read
LARGEST = 20 * 1024 * 1024

#: official documents are dated by the capital's day (GB/T 7408)
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What a drafter hands in: a file, the kind, the recipients as organ identifiers, and her own `reference`."""

    reference: str
    kind: Kind
    filename: str
    data: bytes
    recipients: tuple[str, ...]
    level: Level = "internal"
    urgency: str | None = None


def draft(desk: Desk, new: NewDocument) -> str:
    """Make a document in the drafter's organ; drafting again under the same reference gives the same document.

    So does drafting twice at once: the database lets one of them in, and the other finds it.

    Raises the layout's errors (unreadable, too large, a rule broken), UnknownRecipient,
    RecipientTwice, NotPermitted, ReferenceTaken.
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
    document = desk.store.identifier()
    about = unborn(document, organ.id, new.level, new.kind.value, desk.caller.actor.id)
    decision = desk.core.require("document.draft", about)
    with desk.store.act(
        desk.caller.actor, "document.draft", f"document:{document}", kind=new.kind.value
    ) as act:
        act.decision = dict(decision)
        title, data = _read(desk, new, organ)
        now = desk.store.clock.now()
        row = Document(
            id=document,
            reference=new.reference,
            organ=organ.id,
            kind=new.kind.value,
            title=title,
            level=new.level,
            urgency=new.urgency,
            state=State.DRAFT,
            recipients=list(new.recipients),
            drafter=desk.caller.actor.id,
            created_at=now,
            updated_at=now,
        )
        act.session.add(row)
        act.session.flush()
        act.session.add(_content(document, 1, new, data))
        act.facts["content_sha256"] = sha256(data).hexdigest()
        add_step(desk, act, row, "document.draft")
    return document


def revise(desk: Desk, document: str, new: NewDocument) -> None:
    """Replace the text of a draft; the earlier versions stay. Kind and level are those it was drafted with.

    The file is read before the act begins: a large one would hold up every other writer. Raises what `draft` raises,
    and KindOrLevelFixed.
    """
    organ = desk.core.organ(desk.caller.actor.organ or "")
    seen = read(desk, document)
    if (new.kind.value, new.level) != (seen.kind, seen.level):
        raise KindOrLevelFixed(kind=seen.kind, level=seen.level)
    title, data = _read(desk, new, organ)
    with transition(desk, document, "document.revise", seen=seen) as (act, row):
        act.facts["content_sha256"] = sha256(data).hexdigest()
        revision = newest(act.session, document).revision + 1
        act.session.add(_content(document, revision, new, data))
        row.title, row.recipients, row.urgency = title, list(new.recipients), new.urgency


def _existing(desk: Desk, new: NewDocument, organ: Organ) -> str | None:
    with desk.store.read() as session:
        mine = (Document.drafter == desk.caller.actor.id, Document.reference == new.reference)
        row = session.scalars(sa.select(Document).where(*mine)).one_or_none()
        if row is None:
            return None
        if row.organ != organ.id:
            raise ReferenceTaken(reference=new.reference)
        return row.id


def _read(desk: Desk, new: NewDocument, organ: Organ) -> tuple[str, bytes]:
    """The title and canonical content of the file, with the rules of the kind checked as if it were issued today."""
    text = read_draft(new.data, new.filename)
    names = _names(desk, new.recipients)
    data = content.encode(
        text,
        kind=new.kind,
        organ={"id": organ.id, "name": organ.name, "code": organ.code},
        recipients=new.recipients,
        names=names,
        urgency=new.urgency,
    )
    today = local_date(desk.store.clock.now())
    check(content.elements(data, serial=1, year=today.year, date=today, signer=desk.caller.name))
    return text.title, data


def _names(desk: Desk, recipients: Sequence[str]) -> list[str]:
    """What the recipients are called; each is to be named once, for each gets one copy."""
    if twice := next((organ for at, organ in enumerate(recipients) if organ in recipients[:at]), None):
        raise RecipientTwice(organ=twice)
    names = []
    for organ in recipients:
        try:
            names.append(desk.core.organ(organ).name)
        except NotFound as error:
            raise UnknownRecipient(organ=organ) from error
    return names


def local_date(at: datetime) -> date:
    """The day an instant falls on in China."""
    return at.astimezone(ZONE).date()


def _content(document: str, revision: int, new: NewDocument, data: bytes) -> Content:
    return Content(
        document=document,
        revision=revision,
        filename=new.filename,
        source=new.data,
        data=data,
        sha256=sha256(data).hexdigest(),
    )
