"""The table of manuscripts. What is typed is no act and no version of any document: it changes without a record until it is saved."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base, housekeeping


class Manuscript(Base):
    """A text that `person` is writing for `organ`; nobody else sees it.

    `document` and `base` are the draft and the version of it that it was made from; `facts` is of one that is still to be
    drafted what goes with its text (`yinxin.documents.DraftIn`). `turn` counts its changes: whoever keeps it says from which one.
    """

    __tablename__ = "document_manuscript"
    __table_args__ = (
        sa.UniqueConstraint("person", "document"),
        sa.Index("ix_document_manuscript_person_id", "person", "id"),
        {"info": housekeeping},
    )

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    person: Mapped[str] = mapped_column(sa.String(80))
    organ: Mapped[str] = mapped_column(sa.String(80))
    document: Mapped[str | None] = mapped_column(sa.String(40))
    base: Mapped[int]
    facts: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    template: Mapped[str | None] = mapped_column(sa.String(40))
    template_revision: Mapped[int | None]
    text: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    turn: Mapped[int]
    begun_at: Mapped[datetime]
    updated_at: Mapped[datetime]
