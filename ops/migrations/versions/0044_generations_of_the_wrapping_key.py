"""Generations of the key that wraps others, and what lies under each held to it by the database.

Every key that wrapped until now becomes a generation, in the order in which they were made; the last one made is current.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_HELD = ("kms_key", "kms_user_key", "ca_credential", "ca_acme_nonce_key")


def upgrade() -> None:
    op.create_table(
        "kms_generation",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("open_label", sa.String(length=64), nullable=True),
        sa.Column("begun", _INSTANT, nullable=False),
        sa.Column("begun_by", sa.String(length=80), nullable=False),
        sa.Column("replaced", _INSTANT, nullable=True),
        sa.Column("retired", _INSTANT, nullable=True),
        sa.Column("destroyed", _INSTANT, nullable=True),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("unopened", sa.Integer(), nullable=False),
        sa.Column("gone_through", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_kms_generation")),
        sa.UniqueConstraint("label", name=op.f("uq_kms_generation_label")),
        sa.UniqueConstraint("open_label", name=op.f("uq_kms_generation_open_label")),
    )
    _number()
    op.create_index("ix_kms_user_key_kek", "kms_user_key", ["kek", "id"])
    for table in _HELD:
        with op.batch_alter_table(table) as batch:
            batch.create_foreign_key(
                op.f(f"fk_{table}_kek_kms_generation"), "kms_generation", ["kek"], ["open_label"]
            )


def _number() -> None:
    connection = op.get_bind()
    key = sa.table(
        "kms_key",
        sa.column("label"),
        sa.column("purpose"),
        sa.column("state"),
        sa.column("created", _INSTANT),
    )
    rows = connection.execute(
        sa.select(key.c.label, key.c.created)
        .where(key.c.purpose == "kek", key.c.state == "active")
        .order_by(key.c.created)
    ).all()
    made = {row.label: row.created for row in rows}
    named: set[str] = set()
    for table in _HELD:
        kek = sa.table(table, sa.column("kek"))
        found = connection.execute(sa.select(kek.c.kek).where(kek.c.kek.is_not(None)).distinct())
        named.update(found.scalars())
    # what a row names and the register does not know still holds that row
    labels = [*sorted(named - set(made)), *made]
    generation = sa.table(
        "kms_generation",
        *(sa.column(name) for name in ("number", "label", "open_label", "begun_by", "moved", "unopened")),
        sa.column("begun", _INSTANT),
        sa.column("replaced", _INSTANT),
    )
    begun = {
        label: _aware(made[label]) if label in made else datetime.fromtimestamp(0, UTC) for label in labels
    }
    for number, label in enumerate(labels, 1):
        following = labels[number] if number < len(labels) else None
        row = {
            "number": number,
            "label": label,
            "open_label": label,
            "begun": begun[label],
            "begun_by": "system",
            "replaced": begun[following] if following else None,
            "moved": 0,
            "unopened": 0,
        }
        connection.execute(sa.insert(generation).values(**row))


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
