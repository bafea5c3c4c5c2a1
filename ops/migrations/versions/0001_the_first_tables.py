"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: the log's tables take rows and nothing else
_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry WHEN EXISTS (SELECT 1 FROM audit_entry WHERE "index" = NEW."index") OR EXISTS (SELECT 1 FROM audit_entry WHERE event = NEW.event) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_node_no_update BEFORE UPDATE ON audit_node BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_node_no_delete BEFORE DELETE ON audit_node BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_node_no_replace BEFORE INSERT ON audit_node WHEN EXISTS (SELECT 1 FROM audit_node WHERE tree = NEW.tree AND level = NEW.level AND "index" = NEW."index") BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
        """CREATE TRIGGER audit_checkpoint_no_replace BEFORE INSERT ON audit_checkpoint WHEN EXISTS (SELECT 1 FROM audit_checkpoint WHERE size = NEW.size) BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is insert-only'; END $$""",
        """CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_node_no_change BEFORE UPDATE OR DELETE ON audit_node FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_node_no_truncate BEFORE TRUNCATE ON audit_node FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_checkpoint_no_change BEFORE UPDATE OR DELETE ON audit_checkpoint FOR EACH ROW EXECUTE FUNCTION audit_refuse()""",
        """CREATE TRIGGER audit_checkpoint_no_truncate BEFORE TRUNCATE ON audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
    ),
}


def upgrade() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column(
            "size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("note_sm3", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoint")),
    )
    op.create_table(
        "audit_entry",
        sa.Column(
            "index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_sm3", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verb", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("request", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("event", name=op.f("uq_audit_entry_event")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_audit_entry_actor_audit_entry_index"), ["actor", "index"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_audit_entry_request"), ["request"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_audit_entry_subject_audit_entry_index"), ["subject", "index"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_audit_entry_time"), ["time"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_audit_entry_verb_audit_entry_index"), ["verb", "index"], unique=False
        )

    op.create_table(
        "audit_node",
        sa.Column("tree", sa.String(length=16), nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tree", "level", "index", name=op.f("pk_audit_node")),
    )
    op.create_table(
        "authz_attempt",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_attempt")),
        info={"housekeeping": True},
    )
    with op.batch_alter_table("authz_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authz_attempt_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_authz_attempt_certificate"), ["certificate"], unique=False)

    op.create_table(
        "authz_challenge",
        sa.Column("nonce_hash", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("nonce_hash", name=op.f("pk_authz_challenge")),
        info={"housekeeping": True},
    )
    with op.batch_alter_table("authz_challenge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authz_challenge_expires"), ["expires"], unique=False)

    op.create_table(
        "authz_organ",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("parent", sa.String(length=64), nullable=True),
        sa.Column("name_zh", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("short_name", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.ForeignKeyConstraint(
            ["parent"], ["authz_organ.id"], name=op.f("fk_authz_organ_parent_authz_organ")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_organ")),
        sa.UniqueConstraint("uscc", name=op.f("uq_authz_organ_uscc")),
    )
    with op.batch_alter_table("authz_organ", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authz_organ_division"), ["division"], unique=False)
        batch_op.create_index(batch_op.f("ix_authz_organ_parent"), ["parent"], unique=False)

    op.create_table(
        "authz_person",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("clearance", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_person")),
    )
    op.create_table(
        "authz_policy_set",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("adopted", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_authz_policy_set")),
    )
    op.create_table(
        "authz_session",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_authz_session_token_hash")),
        info={"housekeeping": True},
    )
    with op.batch_alter_table("authz_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authz_session_certificate"), ["certificate"], unique=False)
        batch_op.create_index(batch_op.f("ix_authz_session_expires"), ["expires"], unique=False)
        batch_op.create_index(batch_op.f("ix_authz_session_person"), ["person"], unique=False)

    op.create_table(
        "ca_authority",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("suite", sa.String(length=20), nullable=False),
        sa.Column("key_label", sa.String(length=80), nullable=False),
        sa.Column("parent", sa.String(length=60), nullable=True),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent"], ["ca_authority.name"], name=op.f("fk_ca_authority_parent_ca_authority")
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ca_authority")),
        sa.UniqueConstraint("key_label", name=op.f("uq_ca_authority_key_label")),
        sa.UniqueConstraint("serial", name=op.f("uq_ca_authority_serial")),
    )
    op.create_table(
        "ca_profile",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_ca_profile")),
    )
    op.create_table(
        "ca_timestamp_clock",
        sa.Column("suite", sa.String(length=20), nullable=False),
        sa.Column("last", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("suite", name=op.f("pk_ca_timestamp_clock")),
        info={"housekeeping": True},
    )
    op.create_table(
        "document",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("urgency", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("drafter", sa.String(length=80), nullable=False),
        sa.Column("reviewer", sa.String(length=80), nullable=True),
        sa.Column("signer", sa.String(length=80), nullable=True),
        sa.Column("signer_name", sa.String(length=80), nullable=True),
        sa.Column("dated", sa.String(length=10), nullable=True),
        sa.Column("number", sa.String(length=80), nullable=True),
        sa.Column("number_year", sa.Integer(), nullable=True),
        sa.Column("number_serial", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("seal_box", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("number", name=op.f("uq_document_number")),
        sa.UniqueConstraint("drafter", "reference", name=op.f("uq_document_drafter_reference")),
    )
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_document_organ"), ["organ"], unique=False)
        batch_op.create_index(batch_op.f("ix_document_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_document_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "document_numbering",
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organ", "year", name=op.f("pk_document_numbering")),
    )
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=40), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency")),
        info={"housekeeping": True},
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_created"), ["created"], unique=False)

    op.create_table(
        "job",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("every", sa.Integer(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=400), nullable=True),
        sa.Column("last_done", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_job")),
        info={"housekeeping": True},
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_due"), ["due"], unique=False)

    op.create_table(
        "kms_key",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("suite", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=True),
        sa.Column("kek", sa.String(length=64), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("blob", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kms_key")),
        sa.UniqueConstraint("label", name=op.f("uq_kms_key_label")),
    )
    with op.batch_alter_table("kms_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kms_key_owner"), ["owner"], unique=False)

    op.create_table(
        "outbox",
        sa.Column(
            "number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "authz_organ_closure",
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("ancestor", sa.String(length=64), nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ancestor"], ["authz_organ.id"], name=op.f("fk_authz_organ_closure_ancestor_authz_organ")
        ),
        sa.ForeignKeyConstraint(
            ["organ"], ["authz_organ.id"], name=op.f("fk_authz_organ_closure_organ_authz_organ")
        ),
        sa.PrimaryKeyConstraint("organ", "ancestor", name=op.f("pk_authz_organ_closure")),
    )
    with op.batch_alter_table("authz_organ_closure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authz_organ_closure_ancestor"), ["ancestor"], unique=False)

    op.create_table(
        "authz_post",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("name_zh", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["organ"], ["authz_organ.id"], name=op.f("fk_authz_post_organ_authz_organ")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authz_post")),
    )
    with op.batch_alter_table("authz_post", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authz_post_organ"), ["organ"], unique=False)

    op.create_table(
        "ca_certificate",
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("profile", sa.String(length=60), nullable=False),
        sa.Column("profile_hash", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("holder_kind", sa.String(length=12), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=True),
        sa.Column("organ", sa.String(length=80), nullable=True),
        sa.Column("spki_digest", sa.String(length=64), nullable=False),
        sa.Column("tbs", sa.LargeBinary(), nullable=False),
        sa.Column("lint_certificate", sa.LargeBinary(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=30), nullable=True),
        sa.CheckConstraint(
            "(state = 'issued') = (der IS NOT NULL)", name=op.f("ck_ca_certificate_issued_has_der")
        ),
        sa.ForeignKeyConstraint(
            ["authority"], ["ca_authority.name"], name=op.f("fk_ca_certificate_authority_ca_authority")
        ),
        sa.ForeignKeyConstraint(
            ["profile_hash"], ["ca_profile.hash"], name=op.f("fk_ca_certificate_profile_hash_ca_profile")
        ),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_ca_certificate")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_ca_certificate_fingerprint")),
    )
    with op.batch_alter_table("ca_certificate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ca_certificate_created"), ["created"], unique=False)
        batch_op.create_index(batch_op.f("ix_ca_certificate_holder"), ["holder"], unique=False)
        batch_op.create_index(batch_op.f("ix_ca_certificate_organ"), ["organ"], unique=False)
        batch_op.create_index(batch_op.f("ix_ca_certificate_profile"), ["profile"], unique=False)
        batch_op.create_index("ix_ca_certificate_revoked", ["authority", "revoked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ca_certificate_spki_digest"), ["spki_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_ca_certificate_state"), ["state"], unique=False)
        batch_op.create_index(
            "ux_ca_certificate_reference",
            ["reference"],
            unique=True,
            sqlite_where=sa.text("state != 'abandoned'"),
            postgresql_where=sa.text("state != 'abandoned'"),
        )

    op.create_table(
        "ca_crl",
        sa.Column("authority", sa.String(length=60), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("this_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority"], ["ca_authority.name"], name=op.f("fk_ca_crl_authority_ca_authority")
        ),
        sa.PrimaryKeyConstraint("authority", "number", name=op.f("pk_ca_crl")),
    )
    op.create_table(
        "document_content",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_content_document_document")
        ),
        sa.PrimaryKeyConstraint("document", "revision", name=op.f("pk_document_content")),
    )
    op.create_table(
        "document_delivery",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_delivery_document_document")
        ),
        sa.PrimaryKeyConstraint("document", "organ", name=op.f("pk_document_delivery")),
    )
    op.create_table(
        "document_file",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_file_document_document")
        ),
        sa.PrimaryKeyConstraint("document", "name", name=op.f("pk_document_file")),
    )
    op.create_table(
        "document_signature",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("cms", sa.LargeBinary(), nullable=False),
        sa.Column("ocsp", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_signature_document_document")
        ),
        sa.PrimaryKeyConstraint("document", "type", "organ", name=op.f("pk_document_signature")),
    )
    op.create_table(
        "document_step",
        sa.Column("document", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(length=60), nullable=False),
        sa.Column("person", sa.String(length=80), nullable=False),
        sa.Column("post", sa.String(length=80), nullable=True),
        sa.Column("organ", sa.String(length=80), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.String(length=2000), nullable=True),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_document_step_document_document")
        ),
        sa.PrimaryKeyConstraint("document", "position", name=op.f("pk_document_step")),
    )
    op.create_table(
        "authz_appointment",
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person"], ["authz_person.id"], name=op.f("fk_authz_appointment_person_authz_person")
        ),
        sa.ForeignKeyConstraint(
            ["post"], ["authz_post.id"], name=op.f("fk_authz_appointment_post_authz_post")
        ),
        sa.PrimaryKeyConstraint("person", "post", "valid_from", name=op.f("pk_authz_appointment")),
    )
    with op.batch_alter_table("authz_appointment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authz_appointment_post"), ["post"], unique=False)

    op.create_table(
        "authz_certificate_binding",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("organ", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organ"], ["authz_organ.id"], name=op.f("fk_authz_certificate_binding_organ_authz_organ")
        ),
        sa.ForeignKeyConstraint(
            ["person"], ["authz_person.id"], name=op.f("fk_authz_certificate_binding_person_authz_person")
        ),
        sa.ForeignKeyConstraint(
            ["post"], ["authz_post.id"], name=op.f("fk_authz_certificate_binding_post_authz_post")
        ),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_authz_certificate_binding")),
    )
    with op.batch_alter_table("authz_certificate_binding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authz_certificate_binding_person"), ["person"], unique=False)
        batch_op.create_index(batch_op.f("ix_authz_certificate_binding_serial"), ["serial"], unique=False)

    op.create_table(
        "authz_post_role",
        sa.Column("post", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["post"], ["authz_post.id"], name=op.f("fk_authz_post_role_post_authz_post")),
        sa.PrimaryKeyConstraint("post", "role", name=op.f("pk_authz_post_role")),
    )
    with op.batch_alter_table("authz_post_role", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_authz_post_role_role"), ["role"], unique=False)
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)
