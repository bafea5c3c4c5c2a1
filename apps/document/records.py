"""The documents as records: how the policies see one, and where the table keeps that."""

from typing import cast

import sqlalchemy as sa

from apps.document.models import Document, State
from apps.document.states import COPIES, LIFE
from yinxin.authz import Level, Resource
from yinxin.flow import Records
from yinxin.store import Columns


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
            "recipients": list(document.holders) if document.state == State.DISPATCHED else [],
        },
    )


def sent_to(organ: str) -> sa.ColumnElement[bool]:
    """Whether the document was dispatched to the organ, which has its copy yet: before that, nobody has received it."""
    return sa.and_(Document.state == State.DISPATCHED, COPIES.sent_to(organ, Document.id).leads)


DOCUMENTS: Records[Document] = Records(
    life=LIFE,
    table=Document,
    resource=resource,
    # what `resource` tells, as the table keeps it
    columns=Columns(
        Document.organ,
        Document.level,
        {"kind": Document.kind, "state": Document.state, "drafter": Document.drafter},
        {"recipients": sent_to},
        leads={"recipients": lambda organ: COPIES.sent_to(organ, Document.id)},
    ),
)
