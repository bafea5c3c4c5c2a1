"""How far each organ that countersigns a document has come, for whoever looks at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from apps.document.desk import Desk, content
from apps.document.joint import parts
from apps.document.joint.models import Countersigner, Part
from apps.document.models import Document, State
from apps.document.records import DOCUMENTS
from yinxin.text import Text

Name = Literal["not-asked", "asked", "signed", "void", "sealed"]
_TEXT: dict[Name, Text] = {
    "not-asked": Text("未送会签", "not asked yet"),
    "asked": Text("待会签", "to countersign"),
    "signed": Text("已会签", "countersigned"),
    "void": Text("会签已失效", "countersignature void"),
    "sealed": Text("已盖章", "sealed"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One organ: its row, and where it stands with the text as it is now. `due`: when its time is over, while it is to sign."""

    row: Countersigner
    state: Name
    due: datetime | None
    provisional: bool

    @property
    def part(self) -> Part:
        """What its countersignature is for."""
        return Part(self.row.part)

    @property
    def text(self) -> Text:
        """Where it stands, in words."""
        return _TEXT[self.state]

    def late(self, now: datetime) -> bool:
        """Whether its time is over."""
        return self.due is not None and self.due <= now


def of(desk: Desk, row: Document) -> Sequence[Standing]:
    """Every organ that countersigns it; `row` is one that this person may read."""
    if not row.joint and not row.consulted:
        return ()
    clocks = DOCUMENTS.clocks(desk, [row.id]).get(row.id, []) if row.state == State.COUNTERSIGNING else []
    due = next((each.due for each in clocks if each.ended_at is None), None)
    with desk.store.read() as session:
        found = _of(session, row)
        session.expunge_all()
    return [
        Standing(
            each,
            state,
            due.at if due and state == "asked" else None,
            bool(due and due.provisional),
        )
        for each, state in found
    ]


def _of(session: Session, row: Document) -> list[tuple[Countersigner, Name]]:
    digest = content(session, row.id).sha256
    return [(each, _state(each, row, digest)) for each in parts.of(session, row.id)]


def _state(each: Countersigner, row: Document, digest: str) -> Name:
    if each.sealed_at is not None:
        return "sealed"
    if each.holds(digest):
        return "signed"
    if each.content_sha256 is not None:
        return "void"
    return "asked" if row.state == State.COUNTERSIGNING else "not-asked"
