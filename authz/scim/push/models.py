"""Tables: receivers, how far each is, and what each was sent."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base, housekeeping


class ReceiverRow(Base):
    """A system that is told. `details` are the fields of `receivers.Receiver`, checked when written."""

    __tablename__ = "authz_scim_receiver"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    #: whose part of the tree and scopes it is told by
    client: Mapped[str] = mapped_column(sa.ForeignKey("authz_oidc_client.id"))
    #: the client's organ and clearance when it was registered: who may end it
    organ: Mapped[str] = mapped_column(sa.String(64))
    level: Mapped[str] = mapped_column(sa.String(16))
    details: Mapped[dict[str, Any]]
    created: Mapped[datetime]
    ended: Mapped[datetime | None]


class DeliveryRow(Base):
    """How far a receiver is: what was touched after `seen` is told next, the rest in turn, from `position`."""

    __tablename__ = "authz_scim_delivery"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    receiver: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    due: Mapped[datetime]
    tries: Mapped[int]
    #: why it could not be told, in words for the operator, while that is so
    failure: Mapped[str | None] = mapped_column(sa.String(800))
    seen: Mapped[datetime | None]
    #: phase and identifier after which the turn goes on; empty between two turns
    position: Mapped[str] = mapped_column(sa.String(80))
    #: the number of the state (`authz.state`) when the present or last turn began
    number: Mapped[int] = mapped_column(sa.BigInteger)
    #: when a turn was last completed
    swept: Mapped[datetime | None]


class SentRow(Base):
    """What a receiver was last sent about a person or a post, taken or refused: its identifier there, the message's digest."""

    __tablename__ = "authz_scim_sent"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    receiver: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(8), primary_key=True)
    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    remote_id: Mapped[str | None] = mapped_column(sa.String(200))
    #: SHA-256 of the message; `left` once it was deactivated there
    digest: Mapped[str | None] = mapped_column(sa.String(64))
    #: why the receiver refused it, while that is so, and when it is tried again
    failure: Mapped[str | None] = mapped_column(sa.String(800))
    tries: Mapped[int]
    due: Mapped[datetime | None] = mapped_column(index=True)
