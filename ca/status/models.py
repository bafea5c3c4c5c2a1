"""Tables of certificate status, and the triggers that write them.

Whoever changes what a certificate is worth – revocation, suspension, release, abandonment – changes its row in
`ca_certificate`. The database itself then writes the change down, numbered in the order of commits, and empties the
answer that was signed before, in the same transaction: no path of code can forget it.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ca.models import CertificateRow
from yinxin.store import LONG, Base, housekeeping


class ChangeRow(Base):
    """One change of a certificate's status; a number is visible only together with all numbers below it."""

    __tablename__ = "ca_change"
    __table_args__ = (
        sa.Index("ix_ca_change_authority_shard_sequence", "authority", "shard", "sequence"),
        sa.Index("ix_ca_change_authority_sequence", "authority", "sequence"),
    )

    sequence: Mapped[int] = mapped_column(LONG, primary_key=True, autoincrement=False)
    serial: Mapped[str] = mapped_column(sa.String(40), index=True)
    authority: Mapped[str] = mapped_column(sa.String(60))
    shard: Mapped[int]
    #: empty when a suspended certificate was released
    revoked_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(30))
    not_after: Mapped[datetime]


class AnswerRow(Base):
    """The OCSP answer that is kept ready for an issued certificate."""

    __tablename__ = "ca_answer"
    __table_args__ = (sa.Index("ix_ca_answer_authority_due", "authority", "due"), {"info": housekeeping})

    serial: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    authority: Mapped[str] = mapped_column(sa.String(60))
    #: number of the certificate's newest change; an answer signed before it is never stored
    change: Mapped[int] = mapped_column(sa.BigInteger)
    #: when it is to be signed anew, and when it ends: seconds since 1970
    due: Mapped[int] = mapped_column(sa.BigInteger)
    until: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    answer: Mapped[bytes | None]


class CrlRow(Base):
    """A revocation list and its delta, in force or superseded; its number rises within its line and never repeats."""

    __tablename__ = "ca_crl"

    authority: Mapped[str] = mapped_column(sa.ForeignKey("ca_authority.name"), primary_key=True)
    #: 0: the whole list
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default="0")
    number: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    this_update: Mapped[datetime]
    next_update: Mapped[datetime]
    entries: Mapped[int]
    #: number of the newest change it knows; a higher one on record means it is out of date
    through: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    #: number of the list that deltas made after this one refer to, and the newest change that one knows
    base: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    base_through: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    #: the first expiry among its certificates
    earliest: Mapped[datetime | None]
    #: both are empty once superseded; their digests stand in the log
    der: Mapped[bytes | None] = mapped_column(deferred=True)
    delta: Mapped[bytes | None] = mapped_column(deferred=True)


class LeaseRow(Base):
    """Who makes the next list of a line."""

    __tablename__ = "ca_crl_lease"
    __table_args__ = {"info": housekeeping}  # noqa: RUF012 - SQLAlchemy's own form

    authority: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder: Mapped[str | None] = mapped_column(sa.String(40))
    until: Mapped[datetime | None]


_CHANGED = (
    "INSERT INTO ca_change (sequence, serial, authority, shard, revoked_at, reason, not_after) VALUES ("
    "(SELECT coalesce(max(sequence), 0) + 1 FROM ca_change), "
    "NEW.serial, NEW.authority, NEW.shard, NEW.revoked_at, NEW.reason, NEW.not_after); "
)
_EMPTIED = (
    "UPDATE ca_answer SET answer = NULL, due = 0, change = (SELECT max(sequence) FROM ca_change) "
    "WHERE serial = NEW.serial; "
)
_ISSUED = "INSERT INTO ca_answer (serial, authority, change, due) VALUES (NEW.serial, NEW.authority, 0, 0); "
_IS_ISSUED = "WHEN (NEW.state = 'issued' AND OLD.state <> 'issued')"

#: by dialect, in order; a migration executes them after the tables. On PostgreSQL the lock orders the numbers by commit,
#: and is taken before any row is, so that two who change several certificates cannot wait for each other
TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        (
            "CREATE TRIGGER ca_certificate_changed AFTER UPDATE OF revoked_at, reason ON ca_certificate "
            "WHEN NEW.revoked_at IS NOT OLD.revoked_at OR NEW.reason IS NOT OLD.reason "
            f"BEGIN {_CHANGED}{_EMPTIED}END"
        ),
        (
            "CREATE TRIGGER ca_certificate_came_revoked AFTER INSERT ON ca_certificate "
            f"WHEN NEW.revoked_at IS NOT NULL BEGIN {_CHANGED}END"
        ),
        f"CREATE TRIGGER ca_certificate_issued AFTER UPDATE OF state ON ca_certificate {_IS_ISSUED} BEGIN {_ISSUED}END",
    ),
    "postgresql": (
        (
            "CREATE OR REPLACE FUNCTION ca_change_order() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_advisory_xact_lock(5280069600); RETURN NEW; END $$"
        ),
        (
            "CREATE OR REPLACE FUNCTION ca_change_write() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {_CHANGED}{_EMPTIED}RETURN NULL; END $$"
        ),
        (
            "CREATE OR REPLACE FUNCTION ca_answer_write() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {_ISSUED}RETURN NULL; END $$"
        ),
        (
            "CREATE TRIGGER ca_certificate_changing BEFORE UPDATE OF revoked_at, reason ON ca_certificate "
            "FOR EACH STATEMENT EXECUTE FUNCTION ca_change_order()"
        ),
        (
            "CREATE TRIGGER ca_certificate_changed AFTER UPDATE OF revoked_at, reason ON ca_certificate FOR EACH ROW "
            "WHEN (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at OR NEW.reason IS DISTINCT FROM OLD.reason) "
            "EXECUTE FUNCTION ca_change_write()"
        ),
        (
            "CREATE TRIGGER ca_certificate_coming_revoked BEFORE INSERT ON ca_certificate FOR EACH ROW "
            "WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION ca_change_order()"
        ),
        (
            "CREATE TRIGGER ca_certificate_came_revoked AFTER INSERT ON ca_certificate FOR EACH ROW "
            "WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION ca_change_write()"
        ),
        (
            "CREATE TRIGGER ca_certificate_issued AFTER UPDATE OF state ON ca_certificate FOR EACH ROW "
            f"{_IS_ISSUED} EXECUTE FUNCTION ca_answer_write()"
        ),
    ),
}


def install(connection: sa.Connection) -> None:
    """Create the triggers."""
    for statement in TRIGGERS[connection.dialect.name]:
        connection.execute(sa.text(statement))


def _created(
    _metadata: sa.MetaData, connection: sa.Connection, *, tables: list[sa.Table], **_: object
) -> None:
    if CertificateRow.__table__ in tables:
        install(connection)


sa.event.listen(Base.metadata, "after_create", _created)
