"""The tables of the exchange: who the peers are, every message of either direction, its signature and its receipt.

A message is known by direction, peer and number. `exchange_chain` says how far each direction has come: the number and
the header's digest of the last message. What is sealed into headers, signatures and receipts is never changed.
"""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from audit.models import insert_only, install
from yinxin.store import LONG, Base, housekeeping


class Direction(StrEnum):
    """Whose message it is."""

    OUT = "out"
    IN = "in"


class State(StrEnum):
    """Where a message stands.

    Out: `waiting` until a receipt says `received` or `refused`. In: `early` while one before it is missing; `received`
    until its application has it (`delivered`) or cannot take it (`undeliverable`); `refused` by the site itself.
    """

    WAITING = "waiting"
    RECEIVED = "received"
    REFUSED = "refused"
    EARLY = "early"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


class Carrier(StrEnum):
    """How messages get to a peer: we call it, it calls us, a NATS server has them meanwhile, or somebody carries a medium."""

    PUSH = "push"
    PULL = "pull"
    NATS = "nats"
    MEDIUM = "medium"


class Relation(StrEnum):
    """What a peer is in the tree: the signed directory of a parent is believed, and that of a child of those below it."""

    PARENT = "parent"
    CHILD = "child"
    NEIGHBOUR = "neighbour"


class PeerRow(Base):
    """A site with which messages are exchanged; `source` is the proposal that admitted it, or `directory:VERSION`."""

    __tablename__ = "exchange_peer"

    site: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name_zh: Mapped[str] = mapped_column(sa.String(200))
    name_en: Mapped[str] = mapped_column(sa.String(200))
    relation: Mapped[str] = mapped_column(sa.String(12))
    carrier: Mapped[str] = mapped_column(sa.String(8))
    #: the highest level that may leave for it: the lower of what it states and what was decided
    clearance: Mapped[str] = mapped_column(sa.String(16))
    url: Mapped[str] = mapped_column(sa.String(400))
    #: the card as it was signed, and its number
    card: Mapped[bytes]
    version: Mapped[int]
    source: Mapped[str] = mapped_column(sa.String(60))
    #: the site whose directory vouches for it; none for one that people admitted
    told_by: Mapped[str | None] = mapped_column(sa.String(64))
    since: Mapped[datetime]
    stopped: Mapped[datetime | None]


class OrganRow(Base):
    """An organ that is reached at a peer, as its card says."""

    __tablename__ = "exchange_organ"

    organ: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    site: Mapped[str] = mapped_column(sa.ForeignKey("exchange_peer.site"), index=True)
    name_zh: Mapped[str] = mapped_column(sa.String(200))
    name_en: Mapped[str] = mapped_column(sa.String(200))
    clearance: Mapped[str] = mapped_column(sa.String(16))
    #: what is encrypted for it is encrypted to this, DER
    certificate: Mapped[bytes]


class PublishedRow(Base):
    """A version of what sites say of themselves or others, signed.

    This site's `card`; a `directory`, ours for those below or another site's for us; a `branch`, ours for the parent.
    """

    __tablename__ = "exchange_published"

    kind: Mapped[str] = mapped_column(sa.String(12), primary_key=True)
    issuer: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    signed: Mapped[bytes]
    at: Mapped[datetime]


class ChainRow(Base):
    """How far a direction has come: the last number, and the digest of its header (hex; empty before the first)."""

    __tablename__ = "exchange_chain"

    direction: Mapped[str] = mapped_column(sa.String(4), primary_key=True)
    peer: Mapped[str] = mapped_column(sa.ForeignKey("exchange_peer.site"), primary_key=True)
    seq: Mapped[int] = mapped_column(LONG, default=0)
    head: Mapped[str] = mapped_column(sa.String(128), default="")


class MessageRow(Base):
    """A message: its header and key as they travel, and where it stands. `id` is its sender's, `reference` its application's.

    Of small parts that were put on disk together `pack` names the file, and `pack_at` the octet at which they begin in it, one
    behind the other; then no `PartRow` stands beside the message.
    """

    __tablename__ = "exchange_message"
    __table_args__ = (
        sa.UniqueConstraint("direction", "peer", "id"),
        sa.UniqueConstraint("sender", "reference"),
        sa.Index("ix_exchange_message_state", "direction", "state", "peer", "seq"),
        sa.Index("ix_exchange_message_at", "at", "direction", "peer", "seq"),
        sa.Index("ix_exchange_message_object", "kind", "object"),
    )

    direction: Mapped[str] = mapped_column(sa.String(4), primary_key=True)
    peer: Mapped[str] = mapped_column(sa.ForeignKey("exchange_peer.site"), primary_key=True)
    seq: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(sa.String(40))
    #: what the application calls it, unique for its organ; none for what came in
    reference: Mapped[str | None] = mapped_column(sa.String(120))
    header: Mapped[bytes]
    digest: Mapped[str] = mapped_column(sa.String(128))
    key: Mapped[bytes]
    sender: Mapped[str] = mapped_column(sa.String(64))
    recipient: Mapped[str] = mapped_column(sa.String(64))
    kind: Mapped[str] = mapped_column(sa.String(40))
    object: Mapped[str] = mapped_column(sa.String(200))
    grade: Mapped[str] = mapped_column(sa.String(16))
    state: Mapped[str] = mapped_column(sa.String(16))
    #: why it was refused, or cannot be delivered: the error's code
    error: Mapped[str | None] = mapped_column(sa.String(80))
    #: when it was made or came; when it was receipted or delivered
    at: Mapped[datetime]
    settled: Mapped[datetime | None]
    pack: Mapped[str | None] = mapped_column(sa.String(40), index=True)
    pack_at: Mapped[int | None] = mapped_column(LONG)


class PartRow(Base):
    """A sealed part of a message that is a file of the exchange's folder by itself, by the digest of its octets."""

    __tablename__ = "exchange_part"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["direction", "peer", "seq"],
            ["exchange_message.direction", "exchange_message.peer", "exchange_message.seq"],
        ),
    )

    direction: Mapped[str] = mapped_column(sa.String(4), primary_key=True)
    peer: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(sa.String(128), index=True)
    size: Mapped[int] = mapped_column(LONG)


class SealRow(Base):
    """A sender's signature for the messages `first` to `upto`, over their roll, or by its `format` over the last header (`exchange.roll`)."""

    __tablename__ = "exchange_seal"

    direction: Mapped[str] = mapped_column(sa.String(4), primary_key=True)
    peer: Mapped[str] = mapped_column(sa.ForeignKey("exchange_peer.site"), primary_key=True)
    upto: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(LONG)
    format: Mapped[int] = mapped_column(server_default="1")
    signature: Mapped[bytes]
    standing: Mapped[bytes]
    at: Mapped[datetime]


class ReceiptRow(Base):
    """The receiver's signed receipt for the messages `first` to `upto`; the direction is theirs, not the receipt's."""

    __tablename__ = "exchange_receipt"

    direction: Mapped[str] = mapped_column(sa.String(4), primary_key=True)
    peer: Mapped[str] = mapped_column(sa.ForeignKey("exchange_peer.site"), primary_key=True)
    upto: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(LONG)
    receipt: Mapped[bytes]
    signature: Mapped[bytes]
    standing: Mapped[bytes]
    at: Mapped[datetime]


class ReconciliationRow(Base):
    """What two sites said of their counts and chain heads, and what differed."""

    __tablename__ = "exchange_reconciliation"
    __table_args__ = (sa.Index("ix_exchange_reconciliation_peer", "peer", "id"),)

    id: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    peer: Mapped[str] = mapped_column(sa.ForeignKey("exchange_peer.site"))
    at: Mapped[datetime]
    #: the peer's statement as it signed it (CMS)
    theirs: Mapped[bytes]
    #: what differs, a code; null when nothing does
    difference: Mapped[str | None] = mapped_column(sa.String(40))


class CourierRow(Base):
    """How calling a peer goes: when it is called next, how often that failed in a row, and why."""

    __tablename__ = "exchange_courier"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    peer: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    #: sending, asking or delivering
    work: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    due: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(sa.String(80))
    done: Mapped[datetime | None]
    #: the last message that a carrier which is asked nothing has been handed
    upto: Mapped[int | None] = mapped_column(LONG)


class AwaitedRow(Base):
    """A part that a signed header of a peer announced and that has not come from there yet."""

    __tablename__ = "exchange_awaited"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    peer: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(128), primary_key=True)
    suite: Mapped[str] = mapped_column(sa.String(16))
    size: Mapped[int] = mapped_column(LONG)
    since: Mapped[datetime]


_SEALED = ("id", "header", "digest", "key", "sender", "recipient", "kind", "object", "grade", "at")
_CHANGED = " OR ".join(f"NEW.{column} <> OLD.{column}" for column in _SEALED)
_abort = "BEGIN SELECT RAISE(ABORT, 'a message is never changed'); END"
_rows = insert_only(
    {
        "exchange_part": (
            "direction = NEW.direction AND peer = NEW.peer AND seq = NEW.seq AND number = NEW.number",
        ),
        "exchange_seal": ("direction = NEW.direction AND peer = NEW.peer AND upto = NEW.upto",),
        "exchange_receipt": ("direction = NEW.direction AND peer = NEW.peer AND upto = NEW.upto",),
        "exchange_published": ("kind = NEW.kind AND issuer = NEW.issuer AND version = NEW.version",),
        "exchange_reconciliation": ("id = NEW.id",),
    }
)
_refuse = (
    "CREATE OR REPLACE FUNCTION exchange_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'a message is never changed'; END $$"
)
#: by dialect, the statements that make these tables insert-only, and of a message everything but where it stands
TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        *_rows["sqlite"],
        f"CREATE TRIGGER exchange_message_no_change BEFORE UPDATE ON exchange_message WHEN {_CHANGED} {_abort}",
        f"CREATE TRIGGER exchange_message_no_delete BEFORE DELETE ON exchange_message {_abort}",
    ),
    "postgresql": (
        *_rows["postgresql"],
        _refuse,
        f"CREATE TRIGGER exchange_message_no_change BEFORE UPDATE ON exchange_message FOR EACH ROW WHEN ({_CHANGED}) EXECUTE FUNCTION exchange_refuse()",
        "CREATE TRIGGER exchange_message_no_delete BEFORE DELETE ON exchange_message FOR EACH ROW EXECUTE FUNCTION exchange_refuse()",
        "CREATE TRIGGER exchange_message_no_truncate BEFORE TRUNCATE ON exchange_message FOR EACH STATEMENT EXECUTE FUNCTION exchange_refuse()",
    ),
}
install(TRIGGERS, PartRow, SealRow, ReceiptRow, PublishedRow, ReconciliationRow, MessageRow)
