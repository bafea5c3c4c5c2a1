"""Steps and signatures of every life in common tables, those of documents among them; and clocks."""

import sqlalchemy as sa
from alembic import op

from yinxin.store import Instant

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flow_step",
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("verb", sa.String(length=60), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=True),
        sa.Column("organ", sa.String(length=80), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("comment", sa.String(length=2000), nullable=True),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("flow", "item", "position", name=op.f("pk_flow_step")),
    )
    op.create_table(
        "flow_signature",
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("cms", sa.LargeBinary(), nullable=False),
        sa.Column("ocsp", sa.LargeBinary(), nullable=False),
        sa.Column("attributes", sa.LargeBinary(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "item", "position", name=op.f("pk_flow_signature")),
    )
    op.create_table(
        "flow_clock",
        sa.Column("flow", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("period", sa.JSON(), nullable=False),
        sa.Column("due", Instant(), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("calendar", sa.String(length=64), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("flow", "item", "name", name=op.f("pk_flow_clock")),
    )
    op.create_index("ix_flow_clock_flow_ended_at_due", "flow_clock", ["flow", "ended_at", "due"])
    op.execute(
        """
        INSERT INTO flow_step (flow, item, position, verb, person, post, organ, at, comment, entry)
        SELECT 'document', document, position, verb, person, post, organ, at, comment, entry FROM document_step
        """
    )
    # an organ signed a thing once: its statement belongs to the one step of that verb
    op.execute(
        """
        INSERT INTO flow_signature
            (flow, item, position, type, organ, person, statement, cms, ocsp, attributes, at)
        SELECT 'document', s.document,
            (SELECT max(step.position) FROM document_step step
             WHERE step.document = s.document AND step.verb = s.type AND step.organ = s.organ),
            s.type, s.organ, s.person, s.statement, s.cms, s.ocsp, s.attributes, s.at
        FROM document_signature s
        """
    )
    op.drop_table("document_signature")
    op.drop_table("document_step")
