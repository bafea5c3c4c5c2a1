"""The secrecy of documents: determined when drafted, and ended by itself when it is over; what leaders decide since is in `regrade`."""

from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.decisions import AFTER
from apps.document.desk import Desk
from apps.document.intake.models import Intake
from apps.document.models import Document
from apps.document.records import DOCUMENTS
from apps.document.states import GRADES, LAPSE
from yinxin.act import SYSTEM
from yinxin.authz import Level
from yinxin.calendar import local_date
from yinxin.documents import SecrecyIn
from yinxin.grade import CLASSIFIED, Grade, Secret, Unit
from yinxin.store import Act, Store

EXPIRED = "保密期限届满，自行解密（保守国家秘密法第二十四条）"


def due(session: Session, level: Level, given: Grade | None, now: datetime) -> Grade | None:
    """The grade of a document of this level: as given, or the longest period that the law allows; None of what is not secret."""
    if level not in CLASSIFIED:
        return None
    if given is not None:
        return given
    return Grade(level, amount=GRADES.longest(session, level, local_date(now)))


def given(level: Level, body: SecrecyIn) -> Grade:
    """The grade that somebody gave; raises NoTerm."""
    return Grade(
        cast("Secret", level),
        amount=body.amount,
        unit=Unit(body.unit),
        until=body.until,
        condition=body.condition,
        basis=body.basis,
    )


def longest(desk: Desk, level: Secret, basis: str) -> Grade:
    """The grade that says by which rule, and of the period nothing: the longest that the law allows."""
    with desk.store.read() as session:
        years = GRADES.longest(session, level, local_date(desk.store.clock.now()))
    return Grade(level, amount=years, basis=basis)


def lapse(store: Store) -> int:
    """Declassify what is past its period, each on record; how many. For a job, safe to repeat."""
    count = 0
    with store.read() as session:
        over = GRADES.lapsed(session, local_date(store.clock.now()))
    for document in over:
        with store.act(SYSTEM, LAPSE, DOCUMENTS.subject(document)) as act:
            row = DOCUMENTS.load(act.session, document, lock=True)
            now = store.clock.now()
            grade = GRADES.current(act.session, document)
            # it may have been extended since
            if grade is not None and grade.ends is not None and grade.ends <= local_date(now):
                GRADES.declassify(act, document, EXPIRED, now)
                stands(act, row, AFTER)
                row.version += 1
                count += 1
    return count


def stands(act: Act, row: Document, level: Level) -> None:
    """The document has this level from now on, and so has what organs that received it have registered."""
    row.level = level
    act.session.execute(sa.update(Intake).where(Intake.document == row.id).values(level=level))
