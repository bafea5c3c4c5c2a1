"""A person at work: what every verb needs, and how a change of state is made.

`transition` is the one way a document changes: the decision is asked first, outside any transaction; then, in one
recorded act, the row is locked, found unmoved, changed, and the step is added to the timeline.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.core import Core
from apps.document.errors import MovedOn, NoSuchDocument, WrongState
from apps.document.models import Content, Delivery, Document, File, State, Step
from apps.document.states import STATE_TEXT, TRANSITIONS
from yinxin.authz import Level, Resource
from yinxin.errors import NotPermitted
from yinxin.store import Act, Store
from yinxin.web.caller import Caller


@dataclass(frozen=True)
class Desk:
    """The store, the core as seen by this person, and the person."""

    store: Store
    core: Core
    caller: Caller


def resource(document: Document) -> Resource:
    """The document as the policies see it."""
    return Resource(
        "Document",
        document.id,
        organ=document.organ,
        level=cast("Level", document.level),
        attributes={
            "kind": document.kind,
            "state": document.state,
            "drafter": document.drafter,
            "recipients": list(document.recipients) if document.state == State.DISPATCHED else [],
        },
    )


def unborn(document: str, organ: str, level: Level, kind: str, drafter: str) -> Resource:
    """A document that is about to be drafted, as the policies see it."""
    attributes = {"kind": kind, "state": State.DRAFT.value, "drafter": drafter, "recipients": []}
    return Resource("Document", document, organ=organ, level=level, attributes=attributes)


def load(session: Session, document: str, *, lock: bool = False) -> Document:
    """The document; raises NoSuchDocument."""
    row = session.get(Document, document, with_for_update=lock or None)
    if row is None:
        raise NoSuchDocument(document=document)
    return row


def content(session: Session, document: str) -> Content:
    """The newest version of the text."""
    query = sa.select(Content).where(Content.document == document).order_by(Content.revision.desc()).limit(1)
    return session.scalars(query).one()


def file(session: Session, document: str, name: str) -> File:
    """Something made from the document; raises NoSuchDocument."""
    row = session.get(File, (document, name))
    if row is None:
        raise NoSuchDocument(document=f"{document}/{name}")
    return row


def snapshot(desk: Desk, document: str) -> Document:
    """The document as it stands, detached."""
    with desk.store.read() as session:
        row = load(session, document)
        session.expunge(row)
        return row


def read(desk: Desk, document: str) -> Document:
    """The document, if this person may read it; a refusal does not tell whether it exists to those who may not."""
    row = snapshot(desk, document)
    try:
        desk.core.require("document.read", resource(row))
    except NotPermitted as error:
        hidden = NoSuchDocument(document=document)
        hidden.entry = error.entry
        raise hidden from error
    return row


def in_turn(row: Document, verb: str) -> None:
    """Raise WrongState unless `verb` leads on from where the document is."""
    rule = TRANSITIONS[verb]
    if row.state not in rule.sources:
        raise WrongState(document=row.id, state=STATE_TEXT[State(row.state)].zh, verb=rule.text.zh)


@contextmanager
def transition(
    desk: Desk,
    document: str,
    verb: str,
    *,
    seen: Document | None = None,
    comment: str | None = None,
    **facts: Any,
) -> Iterator[tuple[Act, Document]]:
    """Change `document` by `verb`; raises NotPermitted, WrongState, MovedOn or what the caller's block raises.

    `seen` is the document as it stood when what is now to be stored was made from it: it must not have moved since.
    Whoever may not even read it is told that there is no such document.
    """
    seen = seen or snapshot(desk, document)
    try:
        decision = desk.core.require(verb, resource(seen))
    except NotPermitted:
        read(desk, document)
        raise
    with desk.store.act(desk.caller.actor, verb, f"document:{document}", **facts) as act:
        act.decision = dict(decision)
        row = load(act.session, document, lock=True)
        in_turn(row, verb)
        if row.version != seen.version:
            raise MovedOn(document=document)
        yield act, row
        if (to := TRANSITIONS[verb].to) is not None:
            row.state = to
        row.version += 1
        row.updated_at = desk.store.clock.now()
        add_step(desk, act, row, verb, comment)


def add_step(desk: Desk, act: Act, document: Document, verb: str, comment: str | None = None) -> None:
    """Add to the timeline, within the act."""
    count = sa.select(sa.func.count()).select_from(Step).where(Step.document == document.id)
    actor = desk.caller.actor
    act.session.add(
        Step(
            document=document.id,
            position=(act.session.scalar(count) or 0) + 1,
            verb=verb,
            person=actor.id,
            post=actor.post,
            organ=actor.organ,
            at=desk.store.clock.now(),
            comment=comment,
            entry=act.id,
        )
    )


def deliveries(session: Session, document: str) -> list[Delivery]:
    """Every recipient's copy, in the order of organs."""
    return list(
        session.scalars(sa.select(Delivery).where(Delivery.document == document).order_by(Delivery.organ))
    )
