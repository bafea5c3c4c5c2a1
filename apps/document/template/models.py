"""The tables of templates: what each is now, and every version that it had."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.flow import Item
from yinxin.store import Base


class State(StrEnum):
    """Whether it is offered."""

    IN_USE = "in-use"
    RETIRED = "retired"


class Template(Item, Base):
    """A template of `organ`, by its newest version; `revision` counts them."""

    __tablename__ = "document_template"
    __table_args__ = (
        sa.UniqueConstraint("organ", "name"),
        sa.Index("ix_document_template_organ_id", "organ", "id"),
    )

    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(20))
    revision: Mapped[int]


class TemplateVersion(Base):
    """A version: the text with its placeholders in 【】, and phrases to put in. Only ever added."""

    __tablename__ = "document_template_version"

    template: Mapped[str] = mapped_column(sa.ForeignKey("document_template.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(20))
    text: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    phrases: Mapped[list[str]] = mapped_column(sa.JSON)
    person: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime]
