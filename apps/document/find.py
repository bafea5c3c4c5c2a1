"""Finding documents: the work list of a person, and everything about one document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document import index
from apps.document.desk import Desk, content
from apps.document.intake import register
from apps.document.intake.models import Answer, Intake
from apps.document.joint import standing
from apps.document.joint.models import Countersigner, Part
from apps.document.models import Content, Document, File, State
from apps.document.numbered.allot import of as numbered_of
from apps.document.numbered.models import NumberedCopy
from apps.document.records import DOCUMENTS, countersigns
from apps.document.sites.advice import came
from apps.document.sites.choose import barred
from apps.document.sites.models import Arrival
from apps.document.states import COMMENTS, COPIES, GRADES
from yinxin import canonical, search
from yinxin.comment import Opinion
from yinxin.distribution import Copy
from yinxin.errors import YinxinError
from yinxin.flow import Signature, Step
from yinxin.grade import GradeRow
from yinxin.store import Lead, Road
from yinxin.uploads import AttachmentOut

#: documents on one page of a list
PAGE = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """What to list; every term of `text` in title, number or text, and then the best hits first.

    `box` is `todo` (waits for this person), `sent` (of her organ, alone or jointly), `received`, or `all` that she may read.
    """

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
    copies: Sequence[Copy]
    grades: Sequence[GradeRow]
    opinions: Sequence[Opinion]
    #: what it is to the reader's organ, which has registered it
    intake: Intake | None
    signatures: Sequence[Signature]
    files: Sequence[tuple[str, str]]
    attachments: Sequence[AttachmentOut]
    #: the documents by which recipients answered it, as far as this person may read them
    answers: Sequence[Document]
    #: the documents that it answers
    answering: Sequence[Document]
    #: the organs that issue it jointly or are consulted, with what each has done
    countersigners: Sequence[standing.Standing]
    #: the numbered copies of a classified one: all to its issuing organ, to others their own
    numbered: Sequence[NumberedCopy]
    #: recipients at other sites that cannot get it as it is graded now, and why; for its issuing organ
    barred: Mapping[str, YinxinError]
    #: of what several organs of another site issued: their names, as they were signed
    issuers: Sequence[str]
    #: the number of this organ's copy in the register of an issuing organ at another site
    copy_number: str | None
    #: the site that sent it here, where another one did: who drafted it there is not known here
    site: str | None
    #: when it was looked at: what is overdue depends on it
    at: datetime


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

    A title is business data and may be above her clearance.
    """
    narrowed: list[sa.ColumnElement[bool]] = []
    if wanted.state:
        narrowed.append(Document.state == wanted.state)
    if wanted.kind:
        narrowed.append(Document.kind == wanted.kind)
    roads = [each.where(*narrowed) for each in _box(desk, wanted)]
    if wanted.text:
        return _ranked(desk, wanted, roads or [Road(sa.select(Document).where(*narrowed))])
    every = sa.select(Document).where(*narrowed)
    return DOCUMENTS.page(desk, roads or every, after=wanted.after, limit=PAGE)


def _ranked(desk: Desk, wanted: Filter, roads: Sequence[Road]) -> tuple[list[Document], str | None]:
    """A page of hits that this person may read, best first; the cursor is how many came before."""
    keys = sa.union_all(*(each.keys(Document.id)[0] for each in roads))
    query = sa.select(Document).where(Document.id.in_(keys))
    permitted = desk.core.visible(DOCUMENTS.life.read)
    start = int(wanted.after[:9]) if wanted.after and wanted.after.isdecimal() else 0
    with desk.store.read() as session:
        hits = search.Hits(session, index.KIND, Document.id, wanted.text)
        readable = hits.of(query.where(DOCUMENTS.columns.where(permitted)))
        rows = list(session.scalars(readable.limit(PAGE + 1).offset(start)))
        session.expunge_all()
    return rows[:PAGE], str(start + PAGE) if len(rows) > PAGE else None


@dataclass(frozen=True, slots=True)
class Shown:
    """How a hit is shown: title and number with the terms marked, and the passage of the text around the first."""

    title: search.Marked
    number: search.Marked
    passage: search.Marked


def shown(desk: Desk, rows: Sequence[Document], text: str) -> dict[str, Shown]:
    """The hits of a page, which are this person's to read, by document."""
    wanted = search.terms(text)
    found = {}
    with desk.store.read() as session:
        for row in rows:
            passage = search.passage(index.text(content(session, row.id).data), wanted)
            found[row.id] = Shown(
                search.marked(row.title, wanted), search.marked(row.number or "", wanted), passage
            )
    return found


def dossier(desk: Desk, document: str) -> Dossier:
    """Everything about one document that this person may read; raises NoSuchRecord."""
    row = DOCUMENTS.read(desk, document)
    answers, answering = _answers(desk, document), _answered(desk, document)
    countersigners = standing.of(desk, row)
    own = desk.caller.actor.organ or ""
    kept_from = barred(desk, row) if own == row.organ else {}
    with desk.store.read() as session:
        found = Dossier(
            row,
            DOCUMENTS.steps(session, document),
            COPIES.copies(session, document),
            GRADES.history(session, document),
            COMMENTS.thread(session, document, desk.caller.actor.organ or ""),
            register.of(session, document, desk.caller.actor.organ or ""),
            DOCUMENTS.signatures(session, document),
            [
                (name, digest)
                for name, digest in session.execute(
                    sa.select(File.name, File.sha256).where(File.document == document)
                )
            ],
            desk.attachments.files.of(session, DOCUMENTS.subject(document)),
            answers,
            answering,
            countersigners,
            [
                each
                for each in numbered_of(session, document)
                if desk.caller.actor.organ in (each.organ, row.organ)
            ],
            kept_from,
            *_from_elsewhere(session, row, own),
            desk.store.clock.now(),
        )
        session.expunge_all()
    return found


def _from_elsewhere(
    session: Session, row: Document, organ: str
) -> tuple[Sequence[str], str | None, str | None]:
    """Of what another site sent: what the organs are called that issued it jointly, the number of this organ's copy, and that site."""
    if not came(session, row.id):
        return (), None, None
    said = canonical.decode(content(session, row.id).data)
    names = [said["organ"]["name"], *(each["name"] for each in said.get("joint", ()))]
    arrival = session.get(Arrival, (row.id, organ))
    return names if len(names) > 1 else (), arrival.mark if arrival else None, row.drafter


def _answers(desk: Desk, document: str) -> Sequence[Document]:
    """What came back, oldest first; each may be above the clearance of whoever may read what it answers."""
    return _readable(desk, sa.select(Answer.answer).where(Answer.document == document))


def _answered(desk: Desk, document: str) -> Sequence[Document]:
    """What the document itself answers."""
    return _readable(desk, sa.select(Answer.document).where(Answer.answer == document))


def _readable(desk: Desk, named: sa.Select[str]) -> Sequence[Document]:
    with desk.store.read() as session:
        known = session.scalars(named).all()
    if not known:
        return ()
    readable = DOCUMENTS.columns.where(desk.core.visible(DOCUMENTS.life.read))
    query = sa.select(Document).where(Document.id.in_(known), readable).order_by(Document.id)
    with desk.store.read() as session:
        rows = session.scalars(query).all()
        session.expunge_all()
    return rows


def _waits(lead: Lead, standing_: sa.ColumnElement[bool], *states: State) -> Road:
    """The way in to documents of other organs that wait for this one."""
    narrowed = Lead(lead.table, sa.and_(lead.on, standing_, Document.state.in_(states)), lead.key)
    return Road(sa.select(Document), narrowed)


def _box(desk: Desk, wanted: Filter) -> list[Road]:
    """The ways in to a box; none to all that a person may read, for that her permissions lead the way."""
    organ = desk.caller.actor.organ or ""
    own = sa.select(Document).where(Document.organ == organ)
    if wanted.box == "all":
        return []
    joint = [countersigns(organ, part) for part in Part]
    if wanted.box == "sent":
        return [Road(own), Road(sa.select(Document), joint[0])]
    if wanted.box == "received":
        return [Road(sa.select(Document), COPIES.sent_to(organ, Document.id))]
    states = [state for role in desk.caller.roles for state in _TURN.get(role, ())]
    roads = [Road(own.where(Document.state == state)) for state in states]
    # what other organs have asked this one to countersign, and to seal
    digest = sa.select(Content.sha256).where(Content.document == Document.id)
    now = digest.order_by(Content.revision.desc()).limit(1).scalar_subquery()
    if "leader" in desk.caller.roles:
        unsigned = sa.func.coalesce(Countersigner.content_sha256, "") != now
        roads += [_waits(each, unsigned, State.COUNTERSIGNING) for each in joint]
    if "seal-keeper" in desk.caller.roles:
        roads.append(_waits(joint[0], Countersigner.sealed_at.is_(None), State.NUMBERED, State.SEALING))
    if "registrar" in desk.caller.roles:
        waits = (COPIES.to_sign_for(organ, Document.id), COPIES.to_give_back(organ, Document.id))
        roads += [Road(sa.select(Document), each) for each in waits]
    return roads or [Road(own.where(sa.false()))]
