"""Dispatch: the sealed document goes to its recipients, each with a copy that must be answered."""

from apps.document.desk import Desk
from apps.document.models import Delivery, DeliveryState
from apps.document.records import DOCUMENTS


def dispatch(desk: Desk, document: str) -> None:
    """Send the document to every recipient it names; delivery and record are one act."""
    with DOCUMENTS.move(desk, document, "document.dispatch") as (act, row):
        now = desk.store.clock.now()
        for organ in row.recipients:
            act.session.add(Delivery(document=document, organ=organ, state=DeliveryState.SENT, sent_at=now))
        act.facts["recipients"] = list(row.recipients)
