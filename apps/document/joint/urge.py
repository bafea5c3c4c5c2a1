"""催办会签: noted, and shown to those who have not countersigned."""

from datetime import timedelta

from apps.document.desk import Desk
from apps.document.joint import parts
from apps.document.joint.errors import UrgedEnoughToSign
from apps.document.records import DOCUMENTS

VERB = "document.urge-countersign"
#: between two times that an organ is urged
REST = timedelta(hours=4)


def urge(desk: Desk, document: str) -> list[str]:
    """Urge every organ that has not countersigned and was not urged a short while ago; raises UrgedEnoughToSign."""
    with DOCUMENTS.move(desk, document, VERB) as (act, row):
        now = desk.store.clock.now()
        waiting = parts.missing(act.session, row)
        found = [each for each in waiting if each.urged_at is None or each.urged_at + REST <= now]
        if not found:
            raise UrgedEnoughToSign(hours=int(REST / timedelta(hours=1)))
        for each in found:
            each.urged, each.urged_at = each.urged + 1, now
        urged = [each.organ for each in found]
        act.facts["urged"] = urged
    return urged
