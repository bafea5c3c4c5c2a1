"""Tables of the hierarchy: certificates taken in from outside, and the ceremonies held."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base


class Use(StrEnum):
    """What a certificate that was taken in is good for."""

    #: issued by an outside authority for the key of one of ours
    OWN = "own"
    #: on the way from there to the anchor
    ABOVE = "above"
    #: the outside authority that the ceremony's file named as trusted
    ANCHOR = "anchor"


class TakenCertificate(Base):
    """A certificate of an outside authority that a ceremony took in for one of ours; never deleted, only ended."""

    __tablename__ = "ca_taken_certificate"

    authority: Mapped[str] = mapped_column(sa.ForeignKey("ca_authority.name"), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    use: Mapped[str] = mapped_column(sa.String(8))
    der: Mapped[bytes]
    not_after: Mapped[datetime]
    #: digest of the ceremony's plan
    ceremony: Mapped[str] = mapped_column(sa.String(64))
    created: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class CeremonyRow(Base):
    """A ceremony that was begun, by the digest of its plan: begun once, and done once."""

    __tablename__ = "ca_ceremony"

    digest: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    #: the plan as it was reviewed
    plan: Mapped[dict[str, Any]]
    begun: Mapped[datetime]
    begun_by: Mapped[str] = mapped_column(sa.String(80))
    #: the proposal by which it was approved; none for the founding
    proposal: Mapped[str | None] = mapped_column(sa.String(26))
    #: who approved: person, post, organ, certificate, at
    approvals: Mapped[list[Any]] = mapped_column(sa.JSON)
    done: Mapped[datetime | None]
    #: digest of the ceremony that was held instead, when this one was given up
    given_up_for: Mapped[str | None] = mapped_column(sa.String(64))
