"""An organ's impression on a document: whose it is, where it goes, on whose approval, and whether others come before or after it.

A document of one organ bears one. Of a document that several organs issue together each puts its own on what the one before it
left, in any order; the issuing organ's is the last, and closes the document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from apps.document.desk import Desk
from apps.document.joint import parts
from apps.document.joint.errors import SealedByYou, SealsMissing
from apps.document.joint.models import Countersigner
from apps.document.models import Document, File
from apps.document.records import DOCUMENTS
from apps.document.sign_off import SIGN_OFF
from yinxin.flow import Signature


@dataclass(frozen=True, slots=True)
class Impression:
    """The impression of one organ. `number` is its place among the organs, the issuing one's 1; `boxes` are the places of all."""

    organ: str
    number: int
    boxes: Mapping[int, dict[str, Any] | None]
    approval: str
    first: bool

    @property
    def closing(self) -> bool:
        """Whether none comes after it: it is the issuing organ's."""
        return self.number == 1

    @property
    def box(self) -> dict[str, Any] | None:
        """Where it goes."""
        return self.boxes[self.number]

    @property
    def others(self) -> dict[int, dict[str, Any] | None]:
        """Where the impressions go that come after this first one; empty for a later one."""
        if not self.first:
            return {}
        return {number: each for number, each in self.boxes.items() if number != self.number}


def demand_turn(session: Session, row: Document, organ: str) -> None:
    """Raise unless this organ's impression is due: SealedByYou, SealsMissing."""
    joint = parts.joint(session, row.id)
    mine = next((each for each in joint if each.organ == organ), None)
    if mine is not None and mine.sealed_at is not None:
        raise SealedByYou(document=row.id, organ=organ)
    waiting = [each.organ for each in joint if each.sealed_at is None]
    if mine is None and waiting:
        raise SealsMissing(document=row.id, organs="、".join(waiting))


def due(desk: Desk, row: Document, sealed: str) -> Impression:
    """The impression of the person's organ; `sealed` is the file that an earlier one left."""
    organ = desk.caller.actor.organ or ""
    with desk.store.read() as session:
        joint = parts.joint(session, row.id)
        boxes = {1: row.seal_box} | {number: each.seal_box for number, each in enumerate(joint, 2)}
        # the policies let nobody else come so far
        number = [row.organ, *(each.organ for each in joint)].index(organ) + 1
        first = session.get(File, (row.id, sealed)) is None
        return Impression(organ, number, boxes, _approval(session, row, joint, number), first)


def _approval(session: Session, row: Document, joint: Sequence[Countersigner], number: int) -> str:
    """The log's entry that the use of the seal rests on: the sign-off that stands, or the countersignature of the organ's own leader."""
    if number > 1:
        return joint[number - 2].entry or ""
    steps = DOCUMENTS.steps(session, row.id)
    return next(each.entry for each in reversed(steps) if each.verb == SIGN_OFF)


def signatures(session: Session, row: Document) -> dict[str, Signature]:
    """What the leaders signed of the text as it stands, by the name under which it is carried inside: the sign-off, the joint organs' countersignatures."""
    every = DOCUMENTS.signatures(session, row.id)
    found = {"sign-off": next(each for each in reversed(every) if each.type == SIGN_OFF)}
    for number, organ in enumerate(parts.joint(session, row.id), 1):
        found[f"countersign-{number}"] = next(
            each
            for each in reversed(every)
            if each.type == "document.countersign" and each.organ == organ.organ
        )
    return found


def kept(session: Session, document: str, name: str, data: bytes) -> None:
    """Keep a sealed file, in the place of what an earlier impression left."""
    digest = sha256(data).hexdigest()
    row = session.get(File, (document, name))
    if row is None:
        session.add(File(document=document, name=name, sha256=digest, data=data))
    else:
        row.sha256, row.data = digest, data


def note(session: Session, row: Document, impression: Impression, seal: str, now: datetime) -> None:
    """That a joint organ's seal is on."""
    mine = parts.joint(session, row.id)[impression.number - 2]
    mine.sealed_at, mine.seal = now, seal
