"""Names by which certificates are found."""

import sqlalchemy as sa
from alembic import op
from cryptography import x509

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ca_name",
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["serial"], ["ca_certificate.serial"], name=op.f("fk_ca_name_serial_ca_certificate")
        ),
        sa.PrimaryKeyConstraint("text", "serial", name=op.f("pk_ca_name")),
    )
    with op.batch_alter_table("ca_certificate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ca_certificate_created"))
        batch_op.create_index("ix_ca_certificate_created", ["created", "serial"], unique=False)
        batch_op.drop_index(batch_op.f("ix_ca_certificate_organ"))
        batch_op.create_index("ix_ca_certificate_organ", ["organ", "serial"], unique=False)
        batch_op.drop_index(batch_op.f("ix_ca_certificate_profile"))
        batch_op.create_index("ix_ca_certificate_organ_profile", ["organ", "profile", "serial"], unique=False)
        batch_op.create_index("ix_ca_certificate_profile", ["profile", "serial"], unique=False)
        batch_op.create_index("ix_ca_certificate_not_after", ["not_after", "serial"], unique=False)
        batch_op.create_index(
            "ix_ca_certificate_withdrawn",
            ["revoked_at", "serial"],
            unique=False,
            sqlite_where=sa.text("revoked_at IS NOT NULL"),
            postgresql_where=sa.text("revoked_at IS NOT NULL"),
        )

    certificates = sa.table("ca_certificate", sa.column("serial"), sa.column("lint_certificate"))
    names = sa.table("ca_name", sa.column("text"), sa.column("serial"))
    connection = op.get_bind()
    for serial, encoded in connection.execute(sa.select(certificates)).all():
        if found := _texts(x509.load_der_x509_certificate(encoded)):
            connection.execute(sa.insert(names), [{"text": text, "serial": serial} for text in found])


def _texts(certificate: x509.Certificate) -> set[str]:
    """Every value of the subject and the alternative names, as the inventory spells them."""
    texts = {str(each.value) for each in certificate.subject}
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        texts |= {str(getattr(each, "value", "")) for each in san}
    except x509.ExtensionNotFound:
        pass
    return {text.lower()[:200] for text in texts if text}
