"""Recoveries of encryption keys are proposals. Those on record become proposals that have ended, with what they gave.

Approvals of that time were clicks of a session and not signatures: a recovery that was still open is proposed anew.
"""

import base64
import hashlib
import json
import textwrap
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_OPEN_NOTE = "升级时尚未办结：请重新提出，由各批准人签名批准 / it was open at the upgrade: propose it anew, for approvals by signature"
_INSTANT = sa.DateTime(timezone=True)
_PROPOSAL = sa.table(
    "authz_proposal",
    *(
        sa.column(name)
        for name in ("id", "kind", "organ", "holder", "document", "digest", "proposer", "proposer_post")
    ),
    *(sa.column(name, _INSTANT) for name in ("created", "expires", "begun_at", "moved_at")),
    *(sa.column(name) for name in ("needed", "organs", "state", "attempts", "begun_by", "moved_by", "note")),
    sa.column("outcome", sa.JSON()),
)
_KEY = sa.table(
    "kms_recovered_key",
    *(sa.column(name) for name in ("proposal", "key", "organ", "recipient", "delivered_by", "envelope")),
    sa.column("delivered_at", _INSTANT),
)
_OLD = sa.table(
    "kms_recovery",
    *(sa.column(name) for name in ("id", "key", "organ", "basis", "reason", "recipient", "requested_by")),
    *(sa.column(name) for name in ("requested_post", "needed", "refused_by", "envelope")),
    *(sa.column(name, _INSTANT) for name in ("created", "expires", "refused_at", "delivered_at")),
)
_APPROVAL = sa.table(
    "kms_recovery_approval", sa.column("recovery"), sa.column("person"), sa.column("approved", _INSTANT)
)
_USER_KEY = sa.table("kms_user_key", sa.column("id"), sa.column("holder"))


def upgrade() -> None:
    op.create_table(
        "kms_recovered_key",
        sa.Column("proposal", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=26), nullable=False),
        sa.Column("organ", sa.String(length=80), nullable=False),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("delivered_at", _INSTANT, nullable=False),
        sa.Column("delivered_by", sa.String(length=80), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal"], ["authz_proposal.id"], name=op.f("fk_kms_recovered_key_proposal_authz_proposal")
        ),
        sa.ForeignKeyConstraint(
            ["key"], ["kms_user_key.id"], name=op.f("fk_kms_recovered_key_key_kms_user_key")
        ),
        sa.PrimaryKeyConstraint("proposal", name=op.f("pk_kms_recovered_key")),
    )
    for column in ("key", "organ"):
        op.create_index(op.f(f"ix_kms_recovered_key_{column}"), "kms_recovered_key", [column])
    _move()
    op.drop_table("kms_recovery_approval")
    op.drop_table("kms_recovery")


def _move() -> None:
    connection = op.get_bind()
    holders = {
        row.id: row.holder for row in connection.execute(sa.select(_USER_KEY.c.id, _USER_KEY.c.holder))
    }
    for row in connection.execute(sa.select(_OLD)).all():
        approved = sa.select(_APPROVAL.c.person).where(_APPROVAL.c.recovery == row.id)
        people = list(connection.execute(approved.order_by(_APPROVAL.c.approved)).scalars())
        connection.execute(sa.insert(_PROPOSAL).values(**_proposal(row, holders.get(row.key) or "", people)))
        if row.envelope is not None:
            kept = {
                "proposal": row.id,
                "key": row.key,
                "organ": row.organ,
                "recipient": row.recipient,
                "delivered_at": row.delivered_at,
                "delivered_by": row.requested_by,
                "envelope": row.envelope,
            }
            connection.execute(sa.insert(_KEY).values(**kept))


def _proposal(row: Any, holder: str, people: list[str]) -> dict[str, Any]:
    body = {
        "v": 1,
        "id": row.id,
        "kind": "kms.recover",
        "organ": row.organ,
        "holder": holder,
        "content": {"key": row.key, "basis": row.basis, "recipient_pem": _pem(row.recipient), "dialect": ""},
        "reason": row.reason,
        "basis": "",
        "proposer": row.requested_by,
        "post": row.requested_post or "",
        "proposer_organ": row.organ,
        "created": _text(row.created),
        "expires": _text(row.expires),
        "approvals": row.needed,
        "organs": 1,
    }
    document = json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    state, by, at, note = _ended(row)
    return {
        "id": row.id,
        "kind": "kms.recover",
        "organ": row.organ,
        "holder": holder,
        "document": document,
        "digest": hashlib.sha256(document).hexdigest(),
        "proposer": row.requested_by,
        "proposer_post": row.requested_post or "",
        "created": row.created,
        "expires": row.expires,
        "needed": row.needed,
        "organs": 1,
        "state": state,
        "attempts": 1 if state == "executed" else 0,
        "begun_by": by if state == "executed" else None,
        "begun_at": at if state == "executed" else None,
        "moved_by": by,
        "moved_at": at,
        "note": note,
        "outcome": {"key": row.key, "approved_by": people},
    }


def _ended(row: Any) -> tuple[str, str, datetime, str]:
    if row.delivered_at is not None:
        return "executed", row.requested_by, row.delivered_at, ""
    if row.refused_at is not None:
        return "refused", row.refused_by, row.refused_at, ""
    return "expired", "system", row.expires, _OPEN_NOTE


def _text(at: datetime) -> str:
    """As `yinxin.clock.rfc3339` writes it."""
    aware = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return aware.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _pem(der: bytes) -> str:
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    return "\n".join(("-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""))
