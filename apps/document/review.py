"""Review: submitted by the drafter, approved or sent back by somebody else."""

from apps.document.desk import Desk
from apps.document.records import DOCUMENTS


def submit(desk: Desk, document: str) -> None:
    """The drafter hands the draft in."""
    with DOCUMENTS.move(desk, document, "document.submit"):
        pass


def approve(desk: Desk, document: str, comment: str | None = None) -> None:
    """The reviewer finds it in order; the policies see to it that she is not its drafter."""
    with DOCUMENTS.move(desk, document, "document.approve", comment=comment) as (_, row):
        row.reviewer = desk.caller.actor.id


def send_back(desk: Desk, document: str, reason: str) -> None:
    """Back to the drafter, with the reason; raises ReasonMissing."""
    with DOCUMENTS.move(desk, document, "document.send-back", comment=reason) as (_, row):
        row.reviewer = None
