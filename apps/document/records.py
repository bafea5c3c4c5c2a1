"""The documents as records: how the policies see one, and where the table keeps that."""

from typing import cast

import sqlalchemy as sa

from apps.document.joint.models import Countersigner, Part
from apps.document.models import Document, State
from apps.document.states import COPIES, COUNTERSIGN, LIFE
from yinxin.authz import Level, Resource
from yinxin.deadline import Term, Unit
from yinxin.flow import Records
from yinxin.store import Columns, Lead


def resource(document: Document) -> Resource:
    """The document as the policies see it."""
    return Resource(
        "Document",
        document.id,
        organ=document.organ,
        level=cast("Level", document.level),
        attributes={
            "kind": document.kind,
            "state": document.state,
            "drafter": document.drafter,
            "signer": document.signer or "",
            "recipients": list(document.holders) if document.state == State.DISPATCHED else [],
            "joint": list(document.joint) if document.asked else [],
            "consulted": list(document.consulted) if document.asked else [],
        },
    )


def sent_to(organ: str) -> sa.ColumnElement[bool]:
    """Whether the document was dispatched to the organ, which has its copy yet: before that, nobody has received it."""
    return sa.and_(Document.state == State.DISPATCHED, COPIES.sent_to(organ, Document.id).leads)


def countersigns(organ: str, part: Part) -> Lead:
    """What leads to the documents that an organ issues jointly, or is consulted on; before it is asked there are none."""
    on = sa.and_(
        Countersigner.document == Document.id,
        Countersigner.organ == organ,
        Countersigner.part == part,
        Document.asked,
    )
    return Lead(Countersigner, on, Countersigner.document)


DOCUMENTS: Records[Document] = Records(
    life=LIFE,
    table=Document,
    resource=resource,
    # what `resource` tells, as the table keeps it
    columns=Columns(
        Document.organ,
        Document.level,
        {
            "kind": Document.kind,
            "state": Document.state,
            "drafter": Document.drafter,
            "signer": Document.signer,
        },
        {
            "recipients": sent_to,
            "joint": lambda organ: countersigns(organ, Part.JOINT).leads,
            "consulted": lambda organ: countersigns(organ, Part.CONSULTED).leads,
        },
        leads={
            "recipients": lambda organ: COPIES.sent_to(organ, Document.id),
            "joint": lambda organ: countersigns(organ, Part.JOINT),
            "consulted": lambda organ: countersigns(organ, Part.CONSULTED),
        },
    ),
    terms={COUNTERSIGN: lambda row: Term(row.within_amount or 1, Unit(row.within_unit or Unit.WORKING_DAYS))},
)
