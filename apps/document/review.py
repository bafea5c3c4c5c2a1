"""Review: submitted by the drafter, approved or sent back by somebody else."""

from apps.document.desk import Desk
from apps.document.joint import parts
from apps.document.records import DOCUMENTS

#: approved, and put to those who countersign
ASK = "document.approve-joint"


def submit(desk: Desk, document: str) -> None:
    """The drafter hands the draft in."""
    with DOCUMENTS.move(desk, document, "document.submit"):
        pass


def approve(desk: Desk, document: str, comment: str | None = None) -> None:
    """The reviewer finds it in order; the policies see to it that she is not its drafter.

    It goes to the leader, or first to the organs that have not countersigned this very text.
    """
    with desk.store.read() as session:
        seen = DOCUMENTS.load(session, document)
        waits = bool(parts.missing(session, seen))
        session.expunge(seen)
    if not waits:
        with DOCUMENTS.move(desk, document, "document.approve", seen=seen, comment=comment) as (_, row):
            row.reviewer = desk.caller.actor.id
        return
    term = desk.settings.countersign(seen.urgency)
    with DOCUMENTS.move(desk, document, ASK, seen=seen, comment=comment) as (act, row):
        row.reviewer = desk.caller.actor.id
        row.within_amount, row.within_unit = term.amount, term.unit.value
        act.facts["asked"] = parts.ask(act.session, row, desk.store.clock.now())


def send_back(desk: Desk, document: str, reason: str) -> None:
    """Back to the drafter, with the reason; raises ReasonMissing."""
    with DOCUMENTS.move(desk, document, "document.send-back", comment=reason) as (_, row):
        row.reviewer = None
