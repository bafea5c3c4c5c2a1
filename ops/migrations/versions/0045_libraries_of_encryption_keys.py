"""The libraries of encryption keys: certificate, end and retention of each key, and what the database itself holds of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
#: ten years, as `kms.history_years` says where nobody has said otherwise
_KEEP = timedelta(days=3653)
_CHECKS = {
    "encryption_only": "algorithm IN ('ecdsa-p256', 'rsa-3072', 'rsa-4096', 'sm2', 'ml-kem-768', 'ml-kem-1024')",
    "known_standing": "standing IN ('standby', 'in-use', 'history')",
    "history_has_an_end": "standing <> 'history' OR (ended IS NOT NULL AND why IS NOT NULL AND keep_until IS NOT NULL)",
}
_TRIGGERS = {
    "sqlite": (
        """CREATE TRIGGER kms_user_key_moves_on BEFORE UPDATE ON kms_user_key WHEN NOT (NEW.id IS OLD.id AND NEW.algorithm IS OLD.algorithm AND NEW.spki IS OLD.spki AND NEW.spki_digest IS OLD.spki_digest AND NEW.created IS OLD.created AND (NEW.standing = OLD.standing OR (OLD.standing = 'standby' AND NEW.standing = 'in-use') OR (OLD.standing = 'in-use' AND NEW.standing = 'history')) AND (OLD.standing = 'standby' OR (NEW.reference IS OLD.reference AND NEW.holder_kind IS OLD.holder_kind AND NEW.holder IS OLD.holder AND NEW.organ IS OLD.organ AND NEW.given IS OLD.given)) AND (OLD.standing <> 'history' OR (NEW.ended IS OLD.ended AND NEW.why IS OLD.why AND NEW.certificate IS OLD.certificate AND NEW.keep_until >= OLD.keep_until))) BEGIN SELECT RAISE(ABORT, 'a key in escrow goes from standby to use to history, and stays its holder''s'); END""",
        """CREATE TRIGGER kms_user_key_stays BEFORE DELETE ON kms_user_key BEGIN SELECT RAISE(ABORT, 'a key in escrow is not deleted'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION kms_user_key_moving() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id IS NOT DISTINCT FROM OLD.id AND NEW.algorithm IS NOT DISTINCT FROM OLD.algorithm AND NEW.spki IS NOT DISTINCT FROM OLD.spki AND NEW.spki_digest IS NOT DISTINCT FROM OLD.spki_digest AND NEW.created IS NOT DISTINCT FROM OLD.created AND (NEW.standing = OLD.standing OR (OLD.standing = 'standby' AND NEW.standing = 'in-use') OR (OLD.standing = 'in-use' AND NEW.standing = 'history')) AND (OLD.standing = 'standby' OR (NEW.reference IS NOT DISTINCT FROM OLD.reference AND NEW.holder_kind IS NOT DISTINCT FROM OLD.holder_kind AND NEW.holder IS NOT DISTINCT FROM OLD.holder AND NEW.organ IS NOT DISTINCT FROM OLD.organ AND NEW.given IS NOT DISTINCT FROM OLD.given)) AND (OLD.standing <> 'history' OR (NEW.ended IS NOT DISTINCT FROM OLD.ended AND NEW.why IS NOT DISTINCT FROM OLD.why AND NEW.certificate IS NOT DISTINCT FROM OLD.certificate AND NEW.keep_until >= OLD.keep_until)) THEN RETURN NEW; END IF; RAISE EXCEPTION 'a key in escrow goes from standby to use to history, and stays its holder''s'; END $$""",
        """CREATE OR REPLACE FUNCTION kms_user_key_staying() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'a key in escrow is not deleted'; END $$""",
        """CREATE TRIGGER kms_user_key_moves_on BEFORE UPDATE ON kms_user_key FOR EACH ROW EXECUTE FUNCTION kms_user_key_moving()""",
        """CREATE TRIGGER kms_user_key_stays BEFORE DELETE ON kms_user_key FOR EACH ROW EXECUTE FUNCTION kms_user_key_staying()""",
    ),
}


def upgrade() -> None:
    with op.batch_alter_table("kms_user_key") as batch:
        batch.add_column(sa.Column("certificate", sa.String(length=40), nullable=True))
        batch.add_column(sa.Column("expires", _INSTANT, nullable=True))
        batch.add_column(sa.Column("why", sa.String(length=8), nullable=True))
        batch.add_column(sa.Column("keep_until", _INSTANT, nullable=True))
    _fill()
    with op.batch_alter_table("kms_user_key") as batch:
        for name, condition in _CHECKS.items():
            batch.create_check_constraint(op.f(f"ck_kms_user_key_{name}"), condition)
    op.create_index(op.f("ix_kms_user_key_certificate"), "kms_user_key", ["certificate"])
    op.create_index("ix_kms_user_key_expires", "kms_user_key", ["standing", "expires"])
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


def _fill() -> None:
    """Certificates from the pairs; of what is in the history, why, and until when it is kept."""
    connection = op.get_bind()
    key = sa.table(
        "kms_user_key",
        *(sa.column(name) for name in ("id", "standing", "certificate", "why")),
        *(sa.column(name, _INSTANT) for name in ("expires", "ended", "keep_until", "given", "created")),
    )
    pair = sa.table("ca_pair", *(sa.column(name) for name in ("user_key", "encryption", "superseded_by")))
    certificate = sa.table(
        "ca_certificate",
        sa.column("serial"),
        sa.column("not_after", _INSTANT),
        sa.column("revoked_at", _INSTANT),
    )
    found = sa.select(pair.c.user_key, pair.c.encryption, pair.c.superseded_by, certificate.c.not_after).join(
        certificate, certificate.c.serial == pair.c.encryption
    )
    pairs: dict[str, Any] = {row.user_key: row for row in connection.execute(found)}
    for id_, row in pairs.items():
        over = {"certificate": row.encryption, "expires": row.not_after}
        connection.execute(sa.update(key).where(key.c.id == id_).values(**over))
    past = sa.select(key.c.id, key.c.ended, key.c.expires, key.c.given, key.c.created)
    for row in connection.execute(past.where(key.c.standing == "history")).all():
        known = pairs.get(row.id)
        ended = _aware(row.ended or row.given or row.created)
        last = max(ended, _aware(row.expires)) if row.expires else ended
        why = "replaced" if known is not None and known.superseded_by else "revoked"
        values = {"ended": ended, "why": why, "keep_until": last + _KEEP}
        connection.execute(sa.update(key).where(key.c.id == row.id).values(**values))


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
