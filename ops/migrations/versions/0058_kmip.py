"""KMIP: the systems that may come, their certificates, their objects and what these are described by."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "kms_kmip_client",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("ended", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_kmip_client")),
    )
    op.create_index("ix_kms_kmip_client_organ", "kms_kmip_client", ["organ", "id"])
    op.create_table(
        "kms_kmip_certificate",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("not_after", _INSTANT, nullable=False),
        sa.Column("admitted", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["client"], ["kms_kmip_client.id"], name=op.f("fk_kms_kmip_certificate_client_kms_kmip_client")
        ),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_kms_kmip_certificate")),
    )
    op.create_index("ix_kms_kmip_certificate_client", "kms_kmip_certificate", ["client", "admitted"])
    op.create_table(
        "kms_kmip_object",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("object_type", sa.Integer(), nullable=False),
        sa.Column("algorithm", sa.Integer(), nullable=True),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("usage", sa.Integer(), nullable=False),
        sa.Column("form", sa.Integer(), nullable=False),
        sa.Column("secret_type", sa.Integer(), nullable=True),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("changed", _INSTANT, nullable=False),
        sa.Column("activation", _INSTANT, nullable=True),
        sa.Column("process_start", _INSTANT, nullable=True),
        sa.Column("protect_stop", _INSTANT, nullable=True),
        sa.Column("deactivation", _INSTANT, nullable=True),
        sa.Column("compromise_occurrence", _INSTANT, nullable=True),
        sa.Column("compromised", _INSTANT, nullable=True),
        sa.Column("destroyed", _INSTANT, nullable=True),
        sa.Column("revocation_code", sa.Integer(), nullable=True),
        sa.Column("revocation_message", sa.Text(), nullable=True),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("kek", sa.String(length=64), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("blob", sa.LargeBinary(), nullable=True),
        sa.Column("wipe_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["client"], ["kms_kmip_client.id"], name=op.f("fk_kms_kmip_object_client_kms_kmip_client")
        ),
        sa.ForeignKeyConstraint(
            ["kek"], ["kms_generation.open_label"], name=op.f("fk_kms_kmip_object_kek_kms_generation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_kmip_object")),
    )
    op.create_index("ix_kms_kmip_object_client", "kms_kmip_object", ["client", "created", "id"])
    op.create_index("ix_kms_kmip_object_kek", "kms_kmip_object", ["kek", "id"])
    op.create_index("ix_kms_kmip_object_wipe_at", "kms_kmip_object", ["wipe_at"])
    op.create_table(
        "kms_kmip_attribute",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("object", sa.String(length=26), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=256), nullable=True),
        sa.ForeignKeyConstraint(
            ["object"], ["kms_kmip_object.id"], name=op.f("fk_kms_kmip_attribute_object_kms_kmip_object")
        ),
        sa.ForeignKeyConstraint(
            ["client"], ["kms_kmip_client.id"], name=op.f("fk_kms_kmip_attribute_client_kms_kmip_client")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_kmip_attribute")),
        sa.UniqueConstraint(
            "object", "name", "number", name=op.f("uq_kms_kmip_attribute_object_name_number")
        ),
        sa.UniqueConstraint("client", "title", name=op.f("uq_kms_kmip_attribute_client_title")),
    )
    op.create_index("ix_kms_kmip_attribute_digest", "kms_kmip_attribute", ["client", "digest"])
