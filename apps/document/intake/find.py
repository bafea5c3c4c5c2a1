"""Finding incoming documents: what waits for a person, what runs out, everything about one, what became of instructions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from apps.document.desk import Desk
from apps.document.intake.circulate import readers
from apps.document.intake.models import Intake, Reader, State
from apps.document.intake.records import INTAKES
from apps.document.models import Document
from apps.document.records import DOCUMENTS
from apps.document.states import GRADES
from yinxin.flow import ClockState, Signature, Step
from yinxin.grade import GradeRow
from yinxin.store import Lead, Road

PAGE = 50
#: how long an instruction is shown to its leader
LOOKED_BACK = timedelta(days=31)
#: whose turn it is, by state and role
_TURN = {
    "registrar": (State.REGISTERED, State.INSTRUCTED, State.HANDLED),
    "leader": (State.PROPOSED,),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list. `box` is `todo` (waits for this person), `overdue`, or `all`; `text` occurs in title or number."""

    box: str = "todo"
    text: str = ""
    state: str = ""
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a list with the clock that runs for it."""

    row: Intake
    clock: ClockState | None


@dataclass(frozen=True, slots=True)
class Dossier:
    """An incoming document with its timeline, clock, readers, signatures, and the document that answers it."""

    row: Intake
    document: Document
    clock: ClockState | None
    steps: Sequence[Step]
    readers: Sequence[Reader]
    signatures: Sequence[Signature]
    answer: Document | None
    #: its secrecy in force
    grade: GradeRow | None
    at: datetime


def listing(desk: Desk, wanted: Filter) -> tuple[list[Line], str | None]:
    """A page of what this person may read, newest first, and the cursor of the next page."""
    rows, last = _page(desk, wanted)
    return lines(desk, rows), last


def count(desk: Desk, box: str) -> tuple[int, bool]:
    """How many a box holds, a page at most, and whether there are more; nobody's clock is read for it."""
    rows, last = _page(desk, Filter(box))
    return len(rows), last is not None


def _page(desk: Desk, wanted: Filter) -> tuple[list[Intake], str | None]:
    narrowed: list[sa.ColumnElement[bool]] = []
    if wanted.state:
        narrowed.append(Intake.state == wanted.state)
    if wanted.text:
        found = sa.or_(
            Intake.title.contains(wanted.text, autoescape=True),
            Intake.number.contains(wanted.text, autoescape=True),
        )
        narrowed.append(found)
    roads = [each.where(*narrowed) for each in _box(desk, wanted.box)]
    return INTAKES.page(desk, roads, after=wanted.after, limit=PAGE)


def lines(desk: Desk, rows: Sequence[Intake]) -> list[Line]:
    """Rows with their clocks."""
    clocks: Mapping[str, Sequence[ClockState]] = INTAKES.clocks(desk, [row.id for row in rows])
    return [Line(row, next(iter(clocks.get(row.id, ())), None)) for row in rows]


def dossier(desk: Desk, intake: str) -> Dossier:
    """Everything about one that this person may read; raises NoSuchRecord."""
    row = INTAKES.read(desk, intake)
    (line,) = lines(desk, [row])
    # its title may be above the clearance of whoever may read what it answers
    readable = DOCUMENTS.columns.where(desk.core.visible(DOCUMENTS.life.read)) if row.answer else sa.false()
    with desk.store.read() as session:
        found = Dossier(
            row,
            session.get_one(Document, row.document),
            line.clock,
            INTAKES.steps(session, intake),
            readers(session, intake),
            INTAKES.signatures(session, intake),
            session.scalars(sa.select(Document).where(Document.id == row.answer, readable)).first(),
            GRADES.current(session, row.document),
            desk.store.clock.now(),
        )
        session.expunge_all()
    return found


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a leader instructed, and what has become of it."""

    step: Step
    line: Line


def instructions(desk: Desk) -> list[Instruction]:
    """This person's instructions of the last month, the newest first, each with how things stand now."""
    since = desk.store.clock.now() - LOOKED_BACK
    mine = (Step.flow == INTAKES.life.name, Step.verb == "document.instruct", Step.at >= since)
    with desk.store.read() as session:
        query = sa.select(Step).where(*mine, Step.person == desk.caller.actor.id)
        steps = session.scalars(query.order_by(Step.at.desc()).limit(PAGE)).all()
        session.expunge_all()
    of = sa.select(Intake).where(Intake.id.in_({each.item for each in steps}))
    rows, _ = INTAKES.page(desk, of, limit=PAGE)
    found = {line.row.id: line for line in lines(desk, rows)}
    return [Instruction(each, found[each.item]) for each in steps if each.item in found]


def _box(desk: Desk, box: str) -> list[Road]:
    """The ways in to a box."""
    actor = desk.caller.actor
    own = sa.select(Intake).where(Intake.organ == (actor.organ or ""))
    handling = own.where(Intake.state == State.HANDLING)
    if box == "all":
        return [Road(own)]
    if box == "overdue":
        return [Road(handling.where(INTAKES.overdue(desk.store)))]
    turns = [state for role in desk.caller.roles for state in _TURN.get(role, ())]
    post = actor.post or ""
    on = sa.and_(Reader.intake == Intake.id, Reader.post == post, Reader.read_at.is_(None))
    return [
        *(Road(own.where(Intake.state == state)) for state in turns),
        Road(handling.where(Intake.main == post)),
        Road(own, Lead(Reader, on, Reader.intake)),
    ]
