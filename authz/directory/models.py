"""Tables of what was: versions of organs, posts and people that were superseded, and which organ came of which."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import LONG, Base


class PastRow(Base):
    """How a row of the directory was, from `since` (null: from the first) until before `until`.

    Only what was superseded stands here: how it is now stands in its own table, with its `since`.
    """

    __tablename__ = "authz_past"
    __table_args__ = (sa.Index("ix_authz_past_kind_subject_until", "kind", "subject", "until"),)

    number: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=True)
    #: organ, post or person
    kind: Mapped[str] = mapped_column(sa.String(8))
    subject: Mapped[str] = mapped_column(sa.String(64))
    since: Mapped[datetime | None]
    until: Mapped[datetime]
    #: of an organ the one above it, of a post its organ: what the tree of a time is found by
    above: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    state: Mapped[dict[str, Any]]
    #: the act that superseded it, and its audit entry
    verb: Mapped[str] = mapped_column(sa.String(40))
    entry: Mapped[str] = mapped_column(sa.String(40))


class SuccessionRow(Base):
    """An organ came of another: by merger, split, or as the keeper of what a dissolved one left."""

    __tablename__ = "authz_organ_succession"

    predecessor: Mapped[str] = mapped_column(sa.ForeignKey("authz_organ.id"), primary_key=True)
    successor: Mapped[str] = mapped_column(sa.ForeignKey("authz_organ.id"), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    #: merged or split
    how: Mapped[str] = mapped_column(sa.String(12))
    entry: Mapped[str] = mapped_column(sa.String(40))


class DelegationRow(Base):
    """A holder lets somebody act in the own post for a while 授权代行: the signed object, and how it ended."""

    __tablename__ = "authz_delegation"

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    post: Mapped[str] = mapped_column(sa.ForeignKey("authz_post.id"), index=True)
    delegator: Mapped[str] = mapped_column(sa.ForeignKey("authz_person.id"), index=True)
    delegate: Mapped[str] = mapped_column(sa.ForeignKey("authz_person.id"), index=True)
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    #: the actions it is limited to; null is all that the post may
    actions: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    #: the statement as it was signed, and the attached CMS signature (DER)
    statement: Mapped[bytes]
    signature: Mapped[bytes]
    #: SHA-256 of the certificate that signed, hex
    certificate: Mapped[str] = mapped_column(sa.String(64))
    given: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended: Mapped[str | None] = mapped_column(sa.String(20))
