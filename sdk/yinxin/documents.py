"""Official documents on the wire: what the document application takes and gives, shared by its server and the client."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from yinxin.authz import Level
from yinxin.documents_beside import MOST_CONSULTED, MOST_JOINT, BarredOut, CountersignerOut, NumberedOut
from yinxin.uploads import AttachmentOut
from yinxin.wire import Model, Octets, Reply

Answer = Literal["document.receive", "document.return", "document.give-back"]
Signable = Literal[
    "document.sign-off",
    "document.countersign",
    "document.concur",
    "document.receive",
    "document.return",
    "document.give-back",
]


class SecrecyIn(Model):
    """For how long a classified document is secret, and by which rule: one of length, day and condition."""

    amount: int | None = Field(default=None, ge=1, le=1000)
    unit: Literal["years", "months", "days"] = "years"
    until: date | None = None
    """The day of declassification."""
    condition: str | None = Field(default=None, max_length=100)
    """What declassifies it."""
    basis: str = Field(default="", max_length=400)
    """The item of the catalogue of secret matters that it is classified by (定密依据)."""


class SecrecyDecisionIn(SecrecyIn):
    """What is to become of a document's secrecy, and why.

    `regrade` is another level and period from today on, `extend` a longer period counted from where the first began, `declassify` none.
    """

    what: Literal["regrade", "extend", "declassify"]
    level: Literal["confidential", "secret", "top-secret"] = "confidential"
    """Of a regrading."""
    reason: str = Field(max_length=2000)


class DraftIn(Model):
    """What goes with the drafter's file."""

    reference: str = Field(min_length=1, max_length=120)
    """The drafter's own key: drafting twice under it is drafting once."""
    kind: str
    """One of the fifteen kinds, by code: NOTICE, REQUEST, REPORT …"""
    recipients: tuple[str, ...] = Field(default=(), max_length=500)
    """Main recipients (主送), as organ identifiers."""
    copied_to: tuple[str, ...] = Field(default=(), max_length=500)
    """Copy recipients (抄送), as organ identifiers; each organ stands in one of the two lists."""
    joint: tuple[str, ...] | None = Field(default=None, max_length=MOST_JOINT)
    """Organs of the same level that issue it jointly with the drafter's (联署机关), in the order in which they are named on the page;
    a revision without them leaves them as they were."""
    consulted: tuple[str, ...] | None = Field(default=None, max_length=MOST_CONSULTED)
    """Organs that countersign it and do not issue it (会签机关)."""
    skips: str | None = Field(default=None, max_length=2000)
    """Why an upward document passes over the organ right above; empty when it does not."""
    level: Level = "internal"
    """Level of secrecy."""
    secrecy: SecrecyIn | None = None
    """The period of a classified document; the longest that its level allows when left out."""
    urgency: Literal["特急", "加急"] | None = None
    """Urgency, empty for ordinary."""


class CommentIn(Model):
    """A word along with an approval."""

    comment: str | None = Field(default=None, max_length=2000)


class ReasonIn(Model):
    """Why it is sent back."""

    reason: str = Field(max_length=2000)


class SignedIn(Model):
    """A statement and the signature over it."""

    statement: Octets
    """The bytes of the statement, base64."""
    signature: Octets
    """A detached CMS signature over exactly those bytes, DER in base64."""
    reason: str | None = Field(default=None, max_length=2000)
    """Why the document is returned; the same words as in the statement."""


class StatementQuery(Model):
    """Which statement is asked for."""

    reason: str | None = Field(default=None, max_length=2000)


class StatementOut(Reply):
    """A statement to sign."""

    statement: str
    """Its bytes, base64."""


class DocumentRef(Reply):
    """A document by its identifier."""

    id: str


class NumberOut(Reply):
    """The number given."""

    number: str


class ListQuery(Model):
    """Which documents to list."""

    box: Literal["todo", "sent", "received", "all"] = "todo"
    """What waits for the reader, what her organ issues, what it received, or all that she may read."""
    text: str = Field(default="", max_length=80)
    """Words that must all occur in title, number or text; the best hits come first."""
    state: str = Field(default="", max_length=20)
    kind: str = Field(default="", max_length=20)
    after: str | None = Field(default=None, max_length=200)
    """Cursor of the page before."""


class PieceOut(Reply):
    """A piece of a passage."""

    text: str
    hit: bool
    """Whether it is one of the words that were asked for."""


class DocumentOut(Reply):
    """A document in a list."""

    id: str
    organ: str
    kind: str
    title: str
    level: Level
    urgency: str | None
    state: str
    number: str | None
    recipients: list[str]
    joint: list[str] = Field(default_factory=list)
    """The organs that issue it beside `organ`, in their order."""
    updated_at: AwareDatetime
    passage: list[PieceOut] = Field(default_factory=list)
    """Of a document that was searched for by text: where the first word stands in it."""


class StepOut(Reply):
    """One act on it; `entry` is its record in the audit log."""

    verb: str
    person: str
    post: str | None
    organ: str | None
    at: AwareDatetime
    comment: str | None
    entry: str


class IntakeDossierOut(Reply):
    """An incoming document with its timeline and readers."""

    intake: "IntakeOut"
    steps: list[StepOut]
    readers: list["ReaderOut"]


class CopyOut(Reply):
    """What became of one recipient's copy."""

    organ: str
    sender: str
    """The organ that sent it: the issuing one, or one that passed it down."""
    role: Literal["main", "copy"]
    state: Literal[
        "waiting", "sent", "delivered", "received", "returned", "withdrawn", "given-back", "refused"
    ]
    overdue: bool
    """Whether nobody has answered for it in time."""
    reason: str | None
    sent_at: AwareDatetime | None
    delivered_at: AwareDatetime | None
    due: AwareDatetime | None
    """The first instant that is too late to sign for it."""
    provisional: bool
    """Whether that is counted across a year whose calendar is not published."""
    answered_at: AwareDatetime | None
    urged: int
    urged_at: AwareDatetime | None
    recalled_at: AwareDatetime | None
    """Since when it is to be given back."""


class OrgansIn(Model):
    """Which recipients; all that it can be done to when none is named."""

    organs: tuple[str, ...] = Field(default=(), max_length=500)


class OrgansReasonIn(OrgansIn):
    """Which recipients, and why."""

    reason: str = Field(max_length=2000)


class RedispatchIn(Model):
    """Whom to pass a received document down to: organs by name, or all below one, of a level if it is given."""

    organs: tuple[str, ...] = Field(default=(), max_length=500)
    below: str | None = None
    level: str | None = None


class OrgansOut(Reply):
    """The organs that it was done to."""

    organs: list[str]


class FileOut(Reply):
    """A file of the document."""

    name: str
    sha256: str


class IntakeQuery(Model):
    """Which incoming documents to list."""

    box: Literal["todo", "overdue", "all"] = "todo"
    """What waits for the reader, what is past its term, or all of her organ."""
    text: str = Field(default="", max_length=80)
    """What occurs in title or number."""
    state: str = Field(default="", max_length=20)
    after: str | None = Field(default=None, max_length=200)
    """Cursor of the page before."""


class BookQuery(Model):
    """Which of the copies that an organ sent."""

    show: Literal["open", "overdue", "received", "returned", "withdrawn", "all"] = "open"
    text: str = Field(default="", max_length=80)
    after: str | None = Field(default=None, max_length=200)
    """Cursor of the page before."""


class TextIn(Model):
    """What somebody has to say: a proposal, a result, a reason."""

    text: str = Field(min_length=1, max_length=2000)


class OpinionTextIn(Model):
    """A word along with an act, or none."""

    text: str = Field(default="", max_length=2000)


class AssignIn(Model):
    """Who handles an incoming document, and how long they have."""

    main: str = Field(max_length=80)
    """The post that answers for it."""
    joint: tuple[str, ...] = Field(default=(), max_length=50)
    """Posts that take part."""
    amount: int = Field(ge=1, le=1000)
    unit: Literal["working-days", "days", "hours"] = "working-days"
    text: str = Field(default="", max_length=2000)


class ExtendIn(Model):
    """How much more time, in the unit of the term, and why."""

    more: int = Field(ge=1, le=1000)
    text: str = Field(min_length=1, max_length=2000)


class AnswerIn(Model):
    """The document that answers the sender."""

    document: str = Field(max_length=40)


class PostsIn(Model):
    """Posts of the organ."""

    posts: tuple[str, ...] = Field(min_length=1, max_length=100)


class PostsOut(Reply):
    """Posts that are new among the readers."""

    posts: list[str]


class IntakeOut(Reply):
    """An incoming document in a list."""

    id: str
    document: str
    """What it is to its sender."""
    number: str
    """Its number in the receiving organ's register."""
    title: str
    sender: str
    level: Level
    urgency: str | None
    state: str
    main: str | None
    joint: list[str]
    hurried: int
    answer: str | None
    """The document that answered it."""
    due: AwareDatetime | None
    """When the time to handle it is over, while it runs."""
    provisional: bool
    left: int | None
    """How many of the term's unit are left, today included; negative when overdue."""
    updated_at: AwareDatetime


class ReaderOut(Reply):
    """A post that is to read it, and who has."""

    post: str
    asked_at: AwareDatetime
    read_at: AwareDatetime | None
    person: str | None


class GradeOut(Reply):
    """A decision on a document's secrecy; `level` is null once it is declassified."""

    level: Level | None
    mark: str | None
    """As it is printed: 机密★1年."""
    basis: str
    ends: date | None
    """The first day on which it is secret no longer, where that is known."""
    person: str
    at: AwareDatetime


class DossierOut(Reply):
    """A document with its timeline, copies and files."""

    document: DocumentOut
    steps: list[StepOut]
    copies: list[CopyOut]
    grades: list[GradeOut] = Field(default_factory=list)
    """Every decision on its secrecy, in order."""
    files: list[FileOut]
    attachments: list[AttachmentOut] = Field(default_factory=list)
    countersigners: list[CountersignerOut] = Field(default_factory=list)
    """Who issues it jointly, and who is consulted, with what each has done."""
    numbered: list[NumberedOut] = Field(default_factory=list)
    """The numbered copies of a classified one: all to its issuing organ, to others their own."""
    answers: list[DocumentOut] = Field(default_factory=list)
    """The documents by which its recipients answered it, those at other sites too."""
    answering: list[DocumentOut] = Field(default_factory=list)
    """The documents that it answers."""
    barred: list[BarredOut] = Field(default_factory=list)
    """Recipients at other sites that cannot get it, or keep it, as it is graded now, and why; told to its issuing organ."""
    issuers: list[str] = Field(default_factory=list)
    """Of what several organs of another site issued: what they are called, the first one's seal being the last."""
    copy_number: str | None = None
    """The number of the reader's organ's own copy (份号) of what was issued at another site: 000002, and 000002-3 of one that a site between made of that."""
