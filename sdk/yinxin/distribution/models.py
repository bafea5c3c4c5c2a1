"""The copies of what was sent, one for each recipient, and the receipts that came from other sites.

`flow` is the life of the object that was sent (`yinxin.flow.Life.name`), `item` its identifier. What people of this site did to a
copy stands in the object's timeline, signatures included.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from yinxin.store import Base, housekeeping
from yinxin.text import Text


class Role(StrEnum):
    """Whether an organ is to act on it, or to know of it: 主送, 抄送."""

    MAIN = "main"
    COPY = "copy"

    @property
    def text(self) -> Text:
        """In words."""
        return Text("主送", "main recipient") if self is Role.MAIN else Text("抄送", "copy recipient")


class State(StrEnum):
    """Where a copy is; that it is overdue is told by its deadline (`Copy.overdue`)."""

    WAITING = "waiting"
    SENT = "sent"
    DELIVERED = "delivered"
    RECEIVED = "received"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    GIVEN_BACK = "given-back"
    REFUSED = "refused"

    @property
    def text(self) -> Text:
        """In words."""
        return _TEXT[self]


_TEXT = {
    State.WAITING: Text("待发", "waiting to be sent"),
    State.SENT: Text("已发", "sent"),
    State.DELIVERED: Text("已送达", "delivered"),
    State.RECEIVED: Text("已签收", "signed for"),
    State.RETURNED: Text("已退文", "returned"),
    State.WITHDRAWN: Text("已撤回", "withdrawn"),
    State.GIVEN_BACK: Text("已清退", "given back"),
    State.REFUSED: Text("对方站点拒收", "refused by its site"),
}
OVERDUE = Text("逾期未签收", "overdue for a receipt")
#: nobody has answered for it
OPEN = (State.WAITING, State.SENT, State.DELIVERED)
#: its recipient has it to read
HELD = (State.DELIVERED, State.RECEIVED, State.RETURNED)


class Copy(Base):
    """One recipient's copy; an organ has one of an object, whoever sent it.

    `sender` is the organ that sent it: the object's own, or one that passed it down. `away`: it is for another site, and
    a carrier takes it there. `period` is the time to sign for it (`yinxin.deadline.Period.fields`), `due` when that is over by
    the calendar `calendar`. `asked_back_at`: its withdrawal is on the way to another site. `recalled_at`: it is to be given back.
    `registered_at`: its organ has entered it in its own books.
    `urges_carried` and `recall_carried` say what of these the carrier has taken to another site.
    """

    __tablename__ = "distribution_copy"
    __table_args__ = (
        # what an organ was sent, newest first; what it sent; what is overdue
        sa.Index("ix_distribution_copy_organ_flow_item", "organ", "flow", "item"),
        sa.Index("ix_distribution_copy_sender_flow_item", "sender", "flow", "item"),
        # the same in one state; what an organ has not registered or not signed for, in order; what it is to give back
        sa.Index("ix_distribution_copy_sender_flow_state_item", "sender", "flow", "state", "item"),
        sa.Index(
            "ix_distribution_copy_unregistered",
            "organ",
            "flow",
            "state",
            "item",
            sqlite_where=sa.text("registered_at IS NULL"),
            postgresql_where=sa.text("registered_at IS NULL"),
        ),
        sa.Index(
            "ix_distribution_copy_recalled",
            "organ",
            "flow",
            "state",
            "item",
            sqlite_where=sa.text("recalled_at IS NOT NULL"),
            postgresql_where=sa.text("recalled_at IS NOT NULL"),
        ),
        # what other sites have to be told to give back
        sa.Index(
            "ix_distribution_copy_called_in",
            "flow",
            "recall_carried",
            sqlite_where=sa.text("recalled_at IS NOT NULL"),
            postgresql_where=sa.text("recalled_at IS NOT NULL"),
        ),
        sa.Index("ix_distribution_copy_flow_state_due", "flow", "state", "due"),
    )

    flow: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    item: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    sender: Mapped[str] = mapped_column(sa.String(80))
    role: Mapped[str] = mapped_column(sa.String(10))
    state: Mapped[str] = mapped_column(sa.String(20))
    away: Mapped[bool]
    reason: Mapped[str | None] = mapped_column(sa.String(2000))
    made_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    asked_back_at: Mapped[datetime | None]
    recalled_at: Mapped[datetime | None]
    registered_at: Mapped[datetime | None]
    urged: Mapped[int]
    urged_at: Mapped[datetime | None]
    urges_carried: Mapped[int] = mapped_column(default=0)
    recall_carried: Mapped[bool] = mapped_column(default=False)
    period: Mapped[dict[str, Any] | None]
    due: Mapped[datetime | None]
    provisional: Mapped[bool]
    calendar: Mapped[str | None] = mapped_column(sa.String(64))

    def overdue(self, now: datetime) -> bool:
        """Whether nobody has answered for it in time."""
        return self.state in OPEN and self.due is not None and self.due <= now

    def standing(self, now: datetime) -> Text:
        """Where it is, in words."""
        return OVERDUE if self.overdue(now) else State(self.state).text


class Receipt(Base):
    """What another site answered about a copy, as it came: signed there, and proof of it here. Only ever added."""

    __tablename__ = "distribution_receipt"

    flow: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    item: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    state: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    at: Mapped[datetime]
    entry: Mapped[str] = mapped_column(sa.String(40))
    data: Mapped[bytes]


class Rest(Base):
    """What could not be taken to another site, and is not tried again before `due`; `error` is the code of why.

    `flow` is the copy's, or of what is told of it. Only ever of what waits: what has gone has none.
    """

    __tablename__ = "distribution_rest"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    flow: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    item: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    organ: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    since: Mapped[datetime]
    due: Mapped[datetime]
    failures: Mapped[int]
    error: Mapped[str] = mapped_column(sa.String(80))
