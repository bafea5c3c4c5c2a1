"""The tables of policies in force, and of what decisions rested on."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base, housekeeping


class PolicyVersion(Base):
    """A set of policies in force from a moment on, until the next; signed by the site.

    `based_on` is the shipped set it was made from, equal to `policy_set` when nothing was changed at this site.
    """

    __tablename__ = "authz_policy_version"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    policy_set: Mapped[str] = mapped_column(sa.ForeignKey("authz_policy_set.hash"))
    based_on: Mapped[str] = mapped_column(sa.String(64))
    author: Mapped[str] = mapped_column(sa.String(64))
    note: Mapped[str] = mapped_column(sa.Text())
    proposal: Mapped[str | None] = mapped_column(sa.String(64))
    in_force_from: Mapped[datetime]
    in_force_until: Mapped[datetime | None]
    signature: Mapped[str | None] = mapped_column(sa.Text())


class EntitiesRow(Base):
    """What decisions rested on (canonical JSON), by its SHA-256; written once, before the record that names it."""

    __tablename__ = "authz_entities"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    data: Mapped[str] = mapped_column(sa.Text())
    since: Mapped[datetime]


class AnswersRow(Base):
    """Answers that were given without an act (canonical JSON), by their SHA-256; written with the record that names them."""

    __tablename__ = "authz_answers"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    data: Mapped[str] = mapped_column(sa.Text())
    since: Mapped[datetime]
