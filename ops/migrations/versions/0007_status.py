"""Changes of status in the order of commits, answers kept ready, lists by shard with their deltas."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


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

#: whatever changes a certificate's status writes it down and empties the answer that was kept for it
_TRIGGERS = {
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


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "ca_change",
        sa.Column("sequence", number, autoincrement=False, nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("revoked_at", instant, nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.Column("not_after", instant, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_ca_change")),
    )
    op.create_index(op.f("ix_ca_change_serial"), "ca_change", ["serial"])
    op.create_index(op.f("ix_ca_change_authority_sequence"), "ca_change", ["authority", "sequence"])
    op.create_index(
        op.f("ix_ca_change_authority_shard_sequence"), "ca_change", ["authority", "shard", "sequence"]
    )
    op.create_table(
        "ca_answer",
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_ca_answer")),
    )
    op.create_index(op.f("ix_ca_answer_authority_due"), "ca_answer", ["authority", "due"])
    op.create_table(
        "ca_crl_lease",
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("until", instant, nullable=True),
        sa.PrimaryKeyConstraint("authority", "shard", name=op.f("pk_ca_crl_lease")),
    )
    with op.batch_alter_table("ca_certificate") as batch_op:
        batch_op.add_column(sa.Column("shard", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("ca_crl") as batch_op:
        batch_op.add_column(
            sa.Column("shard", sa.Integer(), autoincrement=False, server_default="0", nullable=False)
        )
        for name in ("through", "base", "base_through"):
            batch_op.add_column(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("earliest", instant, nullable=True))
        batch_op.add_column(sa.Column("delta", sa.LargeBinary(), nullable=True))
        batch_op.alter_column("der", existing_type=sa.LargeBinary(), nullable=True)
        batch_op.drop_column("holds_ended")
        batch_op.drop_constraint("pk_ca_crl", type_="primary")
        batch_op.create_primary_key("pk_ca_crl", ["authority", "shard", "number"])
    # what was made before knows no numbers of changes: the next lists are written from the tables
    op.execute("UPDATE ca_crl SET der = NULL, base = number")
    op.execute(
        "INSERT INTO ca_change (sequence, serial, authority, shard, revoked_at, reason, not_after) "
        "SELECT row_number() OVER (ORDER BY revoked_at, serial), serial, authority, 0, revoked_at, reason, not_after "
        "FROM ca_certificate WHERE revoked_at IS NOT NULL"
    )
    op.execute(
        "INSERT INTO ca_answer (serial, authority, change, due) "
        "SELECT serial, authority, 0, 0 FROM ca_certificate WHERE state = 'issued'"
    )
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
