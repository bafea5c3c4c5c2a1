"""What becomes of paper copies: given back to the issuing organ (清退), or destroyed before two people (销毁)."""

from sqlalchemy.orm import Session

from apps.document.desk import Desk
from apps.document.models import Document
from apps.document.numbered.errors import CopyOver, NoSuchCopy, OnScreenOnly, WitnessIsActor
from apps.document.numbered.models import Medium, NumberedCopy, State
from apps.document.records import DOCUMENTS

TAKE_BACK, DESTROY, WITNESS = (
    "document.take-back-copy",
    "document.destroy-copy",
    "document.witness-destruction",
)


def take_back(desk: Desk, document: str, number: int) -> None:
    """清退: the issuing organ has the paper copy back. Raises NoSuchCopy, OnScreenOnly, CopyOver, NotPermitted."""
    with DOCUMENTS.move(desk, document, TAKE_BACK, copy_number=number) as (act, row):
        copy = _copy(act.session, row, number, row.organ)
        _demand(copy, State.HELD)
        copy.state = State.RETURNED
        copy.ended_at, copy.ended_by = desk.store.clock.now(), desk.caller.actor.id


def destroy(desk: Desk, document: str, number: int, reason: str) -> None:
    """销毁: whoever holds it, or the issuing organ that has it back, destroys it, with the approval or list that it rests on as `reason`.

    It is done when somebody else has confirmed that she saw it. Raises as `take_back`, and ReasonMissing.
    """
    organ = desk.caller.actor.organ or ""
    with DOCUMENTS.move(desk, document, DESTROY, comment=reason, copy_number=number) as (act, row):
        copy = _copy(act.session, row, number, organ)
        _demand(copy, State.HELD, State.RETURNED)
        copy.state, copy.reason = State.DESTROYING, reason
        copy.ended_at, copy.ended_by = desk.store.clock.now(), desk.caller.actor.id


def witness(desk: Desk, document: str, number: int) -> None:
    """监销: somebody else of the organ saw it destroyed. Raises as `take_back`, and WitnessIsActor."""
    organ = desk.caller.actor.organ or ""
    with DOCUMENTS.move(desk, document, WITNESS, copy_number=number) as (act, row):
        copy = _copy(act.session, row, number, organ)
        _demand(copy, State.DESTROYING)
        if copy.ended_by == desk.caller.actor.id:
            raise WitnessIsActor
        copy.state, copy.witness, copy.ended_at = (
            State.DESTROYED,
            desk.caller.actor.id,
            desk.store.clock.now(),
        )


def shown(desk: Desk, document: str, number: int) -> str:
    """What stands on the copy of this number as such."""
    with desk.store.read() as session:
        copy = session.get(NumberedCopy, (document, number))
        return f"{number:06d}" if copy is None else copy.shown


def _copy(session: Session, row: Document, number: int, organ: str) -> NumberedCopy:
    """The copy, if this organ holds it or issued the document; raises NoSuchCopy, OnScreenOnly."""
    copy = session.get(NumberedCopy, (row.id, number), with_for_update=True)
    # what came back to the issuing organ is its own to destroy
    holder = None if copy is None else row.organ if copy.state == State.RETURNED else copy.organ
    if copy is None or organ not in (holder, row.organ):
        raise NoSuchCopy(document=row.id, number=f"{number:06d}")
    if copy.medium != Medium.PAPER:
        raise OnScreenOnly(number=copy.shown)
    return copy


def _demand(copy: NumberedCopy, *states: State) -> None:
    if copy.state not in states:
        raise CopyOver(number=copy.shown, state=State(copy.state).text)
