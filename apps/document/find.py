"""Finding documents: the work list of a person, and everything about one document."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from apps.document.desk import Desk, deliveries, read, resource
from apps.document.models import Delivery, DeliveryState, Document, File, Signature, State, Step

#: documents on one page of a list
PAGE = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list: `box` is `todo` (waits for this person), `sent` (of her organ) or `received`; `text` in title or number."""

    box: str = "todo"
    text: str = ""
    state: str = ""
    kind: str = ""
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """One document with its timeline, copies, signatures and files."""

    document: Document
    steps: Sequence[Step]
    deliveries: Sequence[Delivery]
    signatures: Sequence[Signature]
    files: Sequence[tuple[str, str]]


#: whose move it is, by state and role
_TURN = {
    "clerk": (State.DRAFT,),
    "reviewer": (State.IN_REVIEW,),
    "leader": (State.REVIEWED,),
    "registrar": (State.SIGNED_OFF, State.SEALED),
    "seal-keeper": (State.NUMBERED, State.SEALING),
}


def listing(desk: Desk, wanted: Filter) -> tuple[list[Document], str | None]:
    """A page of documents that this person may read, newest first, and the cursor of the next page.

    A title is business data and may be above her clearance: what she may not read is left out, so that a page may
    hold fewer.
    """
    query = _box(desk, wanted)
    if wanted.text:
        like = f"%{wanted.text.replace('%', '').replace('_', '')}%"
        query = query.where(sa.or_(Document.title.like(like), Document.number.like(like)))
    if wanted.state:
        query = query.where(Document.state == wanted.state)
    if wanted.kind:
        query = query.where(Document.kind == wanted.kind)
    if wanted.after:
        query = query.where(Document.id < wanted.after)
    with desk.store.read() as session:
        rows = list(session.scalars(query.order_by(Document.id.desc()).limit(PAGE + 1)))
        session.expunge_all()
    page = rows[:PAGE]
    allowed = desk.core.allowed("document.read", [resource(row) for row in page])
    shown = [row for row, may in zip(page, allowed, strict=True) if may]
    return shown, page[-1].id if len(rows) > PAGE else None


def dossier(desk: Desk, document: str) -> Dossier:
    """Everything about one document that this person may read; raises NoSuchDocument."""
    row = read(desk, document)
    with desk.store.read() as session:
        found = Dossier(
            row,
            list(session.scalars(sa.select(Step).where(Step.document == document).order_by(Step.position))),
            deliveries(session, document),
            list(
                session.scalars(
                    sa.select(Signature).where(Signature.document == document).order_by(Signature.at)
                )
            ),
            [
                (name, digest)
                for name, digest in session.execute(
                    sa.select(File.name, File.sha256).where(File.document == document)
                )
            ],
        )
        session.expunge_all()
    return found


def _box(desk: Desk, wanted: Filter) -> sa.Select[Document]:
    organ = desk.caller.actor.organ or ""
    copies = sa.select(Delivery.document).where(Delivery.organ == organ)
    if wanted.box == "sent":
        return sa.select(Document).where(Document.organ == organ)
    if wanted.box == "received":
        return sa.select(Document).where(Document.id.in_(copies))
    states = [state for role in desk.caller.roles for state in _TURN.get(role, ())]
    mine = sa.and_(Document.organ == organ, Document.state.in_(states))
    if "registrar" not in desk.caller.roles:
        return sa.select(Document).where(mine)
    waiting = Document.id.in_(copies.where(Delivery.state == DeliveryState.SENT))
    return sa.select(Document).where(sa.or_(mine, waiting))
