"""Beginning a manuscript, from nothing, from a template or from a draft; finding it again; giving it up."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from apps.document.desk import Desk, content
from apps.document.layout.read_blocks import pieces_of
from apps.document.manuscript.errors import NoSuchManuscript, TooManyManuscripts
from apps.document.manuscript.models import Manuscript
from apps.document.manuscript.text import composed, text_of
from apps.document.models import Document
from apps.document.records import DOCUMENTS, resource
from yinxin.documents import DraftIn
from yinxin.manuscripts import TextIn
from yinxin.store import Store

#: manuscripts that one person may have under way
MOST = 100
REVISE, DRAFT = "document.revise", "document.draft"


def begin(
    desk: Desk, facts: DraftIn, text: TextIn, *, template: str | None = None, revision: int | None = None
) -> str:
    """A manuscript of a document that is still to be drafted; its identifier.

    Raises NotPermitted for whoever may not draft it, and TooManyManuscripts.
    """
    organ = desk.caller.actor.organ or ""
    desk.core.require(DRAFT, resource(_to_be(desk, facts)))
    made = _new(desk, organ, text)
    made.facts, made.template, made.template_revision = facts.model_dump(mode="json"), template, revision
    with desk.store.housekeep() as session:
        _room(session, desk)
        session.add(made)
        return made.id


def begin_from(desk: Desk, document: str) -> str:
    """The manuscript of a draft: the one that this person has already, or one with the text of its newest version.

    One in which nothing was changed is begun anew where there is a newer version. Raises NoSuchRecord, WrongState, NotPermitted.
    """
    row = DOCUMENTS.read(desk, document)
    DOCUMENTS.in_turn(row, REVISE)
    desk.core.require(REVISE, resource(row))
    try:
        return _begin_from(desk, row)
    except IntegrityError:  # opened in two windows at once
        return _begin_from(desk, row)


def _begin_from(desk: Desk, row: Document) -> str:
    with desk.store.read() as session:
        newest = content(session, row.id)
        revision, data = newest.revision, newest.data
    text = text_of(data)
    with desk.store.housekeep() as session:
        there = session.scalars(
            sa.select(Manuscript)
            .where(Manuscript.person == desk.caller.actor.id, Manuscript.document == row.id)
            .with_for_update()
        ).one_or_none()
        if there is not None and there.base != revision and _unchanged(there, text):
            there.base, there.text = revision, text.model_dump(mode="json")
            there.turn += 1
        if there is not None:
            return there.id
        _room(session, desk)
        made = _new(desk, row.organ, text)
        made.document, made.base = row.id, revision
        session.add(made)
        session.flush()
        return made.id


def _unchanged(row: Manuscript, text: TextIn) -> bool:
    """Whether nobody has typed into it, or what was typed is what has been saved since."""
    own = TextIn.model_validate(row.text)
    same = composed(own).draft == composed(text).draft
    return same or (row.turn == 0 and bool(pieces_of(own)))


def mine(desk: Desk, manuscript: str) -> Manuscript:
    """One of this person's, detached; raises NoSuchManuscript."""
    with desk.store.read() as session:
        row = held(session, desk, manuscript)
        session.expunge(row)
        return row


def held(session: Session, desk: Desk, manuscript: str, *, lock: bool = False) -> Manuscript:
    """One of this person's in her present organ; raises NoSuchManuscript."""
    row = session.get(Manuscript, manuscript, with_for_update=lock or None)
    actor = desk.caller.actor
    if row is None or (row.person, row.organ) != (actor.id, actor.organ):
        raise NoSuchManuscript(manuscript=manuscript)
    return row


def under_way(desk: Desk) -> Sequence[Manuscript]:
    """This person's manuscripts that are no document yet, the newest first."""
    actor = desk.caller.actor
    query = (
        sa.select(Manuscript)
        .where(Manuscript.person == actor.id, Manuscript.organ == actor.organ, Manuscript.document.is_(None))
        .order_by(Manuscript.id.desc())
        .limit(MOST)
    )
    with desk.store.read() as session:
        rows = session.scalars(query).all()
        session.expunge_all()
    return rows


def discard(desk: Desk, manuscript: str) -> None:
    """Give it up; raises NoSuchManuscript. What was saved of it stays."""
    with desk.store.housekeep() as session:
        session.delete(held(session, desk, manuscript, lock=True))


def sweep(store: Store, days: int) -> int:
    """Give up the manuscripts that nobody has touched for so many days; how many. For a job, safe to repeat."""
    with store.housekeep() as session:
        old = Manuscript.updated_at < store.clock.now() - timedelta(days=days)
        ids = session.scalars(sa.select(Manuscript.id).where(old).limit(MOST)).all()
        session.execute(sa.delete(Manuscript).where(Manuscript.id.in_(ids)))
    return len(ids)


def _new(desk: Desk, organ: str, text: TextIn) -> Manuscript:
    now = desk.store.clock.now()
    return Manuscript(
        id=desk.store.identifier(),
        person=desk.caller.actor.id,
        organ=organ,
        document=None,
        base=0,
        text=text.model_dump(mode="json"),
        turn=0,
        begun_at=now,
        updated_at=now,
    )


def _room(session: Session, desk: Desk) -> None:
    mine_ = Manuscript.person == desk.caller.actor.id
    if (session.scalar(sa.select(sa.func.count()).where(mine_)) or 0) >= MOST:
        raise TooManyManuscripts(limit=MOST)


def _to_be(desk: Desk, facts: DraftIn) -> Document:
    """The document that it would be, as the policies are asked about it."""
    return Document(
        id="-",
        organ=desk.caller.actor.organ or "",
        kind=facts.kind,
        level=facts.level,
        state="draft",
        drafter=desk.caller.actor.id,
        holders=[],
    )
