"""The exchange between sites: peers, messages with their signatures and receipts, reconciliations."""

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: what was sealed, signed or receipted is never changed
_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER exchange_part_no_update BEFORE UPDATE ON exchange_part BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_part_no_delete BEFORE DELETE ON exchange_part BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_part_no_replace BEFORE INSERT ON exchange_part WHEN EXISTS (SELECT 1 FROM exchange_part WHERE direction = NEW.direction AND peer = NEW.peer AND seq = NEW.seq AND number = NEW.number) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_seal_no_update BEFORE UPDATE ON exchange_seal BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_seal_no_delete BEFORE DELETE ON exchange_seal BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_seal_no_replace BEFORE INSERT ON exchange_seal WHEN EXISTS (SELECT 1 FROM exchange_seal WHERE direction = NEW.direction AND peer = NEW.peer AND upto = NEW.upto) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_receipt_no_update BEFORE UPDATE ON exchange_receipt BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_receipt_no_delete BEFORE DELETE ON exchange_receipt BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_receipt_no_replace BEFORE INSERT ON exchange_receipt WHEN EXISTS (SELECT 1 FROM exchange_receipt WHERE direction = NEW.direction AND peer = NEW.peer AND upto = NEW.upto) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_published_no_update BEFORE UPDATE ON exchange_published BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_published_no_delete BEFORE DELETE ON exchange_published BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_published_no_replace BEFORE INSERT ON exchange_published WHEN EXISTS (SELECT 1 FROM exchange_published WHERE kind = NEW.kind AND issuer = NEW.issuer AND version = NEW.version) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_reconciliation_no_update BEFORE UPDATE ON exchange_reconciliation BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_reconciliation_no_delete BEFORE DELETE ON exchange_reconciliation BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_reconciliation_no_replace BEFORE INSERT ON exchange_reconciliation WHEN EXISTS (SELECT 1 FROM exchange_reconciliation WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER exchange_message_no_change BEFORE UPDATE ON exchange_message WHEN NEW.id <> OLD.id OR NEW.header <> OLD.header OR NEW.digest <> OLD.digest OR NEW.key <> OLD.key OR NEW.sender <> OLD.sender OR NEW.recipient <> OLD.recipient OR NEW.kind <> OLD.kind OR NEW.object <> OLD.object OR NEW.grade <> OLD.grade OR NEW.at <> OLD.at BEGIN SELECT RAISE(ABORT, 'a message is never changed'); END""",
        """CREATE TRIGGER exchange_message_no_delete BEFORE DELETE ON exchange_message BEGIN SELECT RAISE(ABORT, 'a message is never changed'); END""",
    ),
    "postgresql": (
        """CREATE TRIGGER exchange_part_no_change BEFORE UPDATE OR DELETE ON exchange_part FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER exchange_part_no_truncate BEFORE TRUNCATE ON exchange_part FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER exchange_seal_no_change BEFORE UPDATE OR DELETE ON exchange_seal FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER exchange_seal_no_truncate BEFORE TRUNCATE ON exchange_seal FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER exchange_receipt_no_change BEFORE UPDATE OR DELETE ON exchange_receipt FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER exchange_receipt_no_truncate BEFORE TRUNCATE ON exchange_receipt FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER exchange_published_no_change BEFORE UPDATE OR DELETE ON exchange_published FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER exchange_published_no_truncate BEFORE TRUNCATE ON exchange_published FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER exchange_reconciliation_no_change BEFORE UPDATE OR DELETE ON exchange_reconciliation FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER exchange_reconciliation_no_truncate BEFORE TRUNCATE ON exchange_reconciliation FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE OR REPLACE FUNCTION exchange_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a message is never changed'; END $$""",
        """CREATE TRIGGER exchange_message_no_change BEFORE UPDATE ON exchange_message FOR EACH ROW WHEN (NEW.id <> OLD.id OR NEW.header <> OLD.header OR NEW.digest <> OLD.digest OR NEW.key <> OLD.key OR NEW.sender <> OLD.sender OR NEW.recipient <> OLD.recipient OR NEW.kind <> OLD.kind OR NEW.object <> OLD.object OR NEW.grade <> OLD.grade OR NEW.at <> OLD.at) EXECUTE FUNCTION exchange_refuse()""",
        """CREATE TRIGGER exchange_message_no_delete BEFORE DELETE ON exchange_message FOR EACH ROW EXECUTE FUNCTION exchange_refuse()""",
        """CREATE TRIGGER exchange_message_no_truncate BEFORE TRUNCATE ON exchange_message FOR EACH STATEMENT EXECUTE FUNCTION exchange_refuse()""",
    ),
}


def upgrade() -> None:
    op.create_table(
        "exchange_awaited",
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("suite", sa.String(length=16), nullable=False),
        sa.Column("size", _NUMBER, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_exchange_awaited")),
        info={"housekeeping": True},
    )
    op.create_index(op.f("ix_exchange_awaited_peer"), "exchange_awaited", ["peer"], unique=False)
    op.create_table(
        "exchange_courier",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("work", sa.String(length=40), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=80), nullable=True),
        sa.Column("done", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("peer", "work", name=op.f("pk_exchange_courier")),
        info={"housekeeping": True},
    )
    op.create_table(
        "exchange_peer",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("relation", sa.String(length=12), nullable=False),
        sa.Column("carrier", sa.String(length=8), nullable=False),
        sa.Column("clearance", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(length=400), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_exchange_peer")),
    )
    op.create_table(
        "exchange_published",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "issuer", "version", name=op.f("pk_exchange_published")),
    )
    op.create_table(
        "exchange_chain",
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("seq", _NUMBER, nullable=False),
        sa.Column("head", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer"], ["exchange_peer.site"], name=op.f("fk_exchange_chain_peer_exchange_peer")
        ),
        sa.PrimaryKeyConstraint("direction", "peer", name=op.f("pk_exchange_chain")),
    )
    op.create_table(
        "exchange_message",
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("seq", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=True),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("object", sa.String(length=200), nullable=False),
        sa.Column("grade", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(length=80), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["peer"], ["exchange_peer.site"], name=op.f("fk_exchange_message_peer_exchange_peer")
        ),
        sa.PrimaryKeyConstraint("direction", "peer", "seq", name=op.f("pk_exchange_message")),
        sa.UniqueConstraint("direction", "peer", "id", name=op.f("uq_exchange_message_direction_peer_id")),
        sa.UniqueConstraint("sender", "reference", name=op.f("uq_exchange_message_sender_reference")),
    )
    op.create_index(
        "ix_exchange_message_at", "exchange_message", ["at", "direction", "peer", "seq"], unique=False
    )
    op.create_index("ix_exchange_message_object", "exchange_message", ["kind", "object"], unique=False)
    op.create_index(
        "ix_exchange_message_state", "exchange_message", ["direction", "state", "peer", "seq"], unique=False
    )
    op.create_table(
        "exchange_organ",
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("clearance", sa.String(length=16), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site"], ["exchange_peer.site"], name=op.f("fk_exchange_organ_site_exchange_peer")
        ),
        sa.PrimaryKeyConstraint("organ", name=op.f("pk_exchange_organ")),
    )
    op.create_index(op.f("ix_exchange_organ_site"), "exchange_organ", ["site"], unique=False)
    op.create_table(
        "exchange_receipt",
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("upto", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("first", _NUMBER, nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("standing", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer"], ["exchange_peer.site"], name=op.f("fk_exchange_receipt_peer_exchange_peer")
        ),
        sa.PrimaryKeyConstraint("direction", "peer", "upto", name=op.f("pk_exchange_receipt")),
    )
    op.create_table(
        "exchange_reconciliation",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("theirs", sa.LargeBinary(), nullable=False),
        sa.Column("difference", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["peer"], ["exchange_peer.site"], name=op.f("fk_exchange_reconciliation_peer_exchange_peer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_reconciliation")),
    )
    op.create_index(
        "ix_exchange_reconciliation_peer", "exchange_reconciliation", ["peer", "id"], unique=False
    )
    op.create_table(
        "exchange_seal",
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("upto", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("first", _NUMBER, nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("standing", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["peer"], ["exchange_peer.site"], name=op.f("fk_exchange_seal_peer_exchange_peer")
        ),
        sa.PrimaryKeyConstraint("direction", "peer", "upto", name=op.f("pk_exchange_seal")),
    )
    op.create_table(
        "exchange_part",
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("seq", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("size", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(
            ["direction", "peer", "seq"],
            ["exchange_message.direction", "exchange_message.peer", "exchange_message.seq"],
            name=op.f("fk_exchange_part_direction_peer_seq_exchange_message"),
        ),
        sa.PrimaryKeyConstraint("direction", "peer", "seq", "number", name=op.f("pk_exchange_part")),
    )
    op.create_index(op.f("ix_exchange_part_digest"), "exchange_part", ["digest"], unique=False)
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
