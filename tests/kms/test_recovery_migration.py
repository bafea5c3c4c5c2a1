"""Recoveries of the time before proposals become proposals that have ended, with what they gave; nothing of them is lost."""

from datetime import UTC, datetime

import sqlalchemy as sa
import sqlalchemy.orm

from authz.proposal.document import Document
from authz.proposal.models import ProposalRow
from kms.escrow.grounds import RecoveryContent
from kms.escrow.models import RecoveredKeyRow
from ops.schema import upgrade
from tests.crypto.conftest import self_signed, template
from tests.support.before import before
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL
from yinxin.store import open_engine

IDS = {"delivered": "d" * 26, "refused": "r" * 26, "open": "o" * 26}


def _before(engine: sa.Engine, recipient: bytes) -> None:
    """The tables as they were, with a recovery of each sort; the open one was approved twice already."""
    tables = ("kms_user_key", "kms_recovery", "kms_recovery_approval")
    with before(engine, "recoveries_by_proposal", *tables) as old:
        when = datetime(2026, 11, 1, 8, 0, 0, 123456, tzinfo=UTC)
        key = {"id": "k" * 26, "algorithm": "sm2", "standing": "in-use", "spki": b"s", "spki_digest": "0" * 64, "kek": "kek", "nonce": b"n", "blob": b"b", "created": when, "reference": "pair/1", "holder_kind": "person", "holder": "zhang", "organ": "county", "given": when}  # fmt: skip
        old.insert("kms_user_key", key)
        for sort, id_ in IDS.items():
            row = {"id": id_, "key": key["id"], "organ": "county", "basis": "holder", "reason": "介质损坏，需打开历史公文", "recipient": recipient, "requested_by": "wu", "requested_post": "registration", "created": when, "expires": when, "needed": 2}  # fmt: skip
            if sort == "delivered":
                row |= {"delivered_at": when, "envelope": b"envelope"}
            if sort == "refused":
                row |= {"refused_by": "sun", "refused_at": when}
            old.insert("kms_recovery", row)
            for person in ("qian", "sun"):
                given = {
                    "recovery": id_,
                    "person": person,
                    "post": person,
                    "certificate": None,
                    "approved": when,
                }
                old.insert("kms_recovery_approval", given)


def test_recoveries_become_proposals(empty_database_url: str) -> None:
    """Seen to fail when: the document is written in another spelling than the canonical one."""
    engine = open_engine(empty_database_url)
    recipient = self_signed(INTL, template(Name.of({"commonName": "zhang"}))).certificate
    _before(engine, recipient.der)
    upgrade(engine)
    with sqlalchemy.orm.Session(engine) as session:
        rows = {row.id: row for row in session.scalars(sa.select(ProposalRow))}
        states = {sort: rows[id_].state for sort, id_ in IDS.items()}
        assert states == {"delivered": "executed", "refused": "refused", "open": "expired"}
        for row in rows.values():
            document = Document.of(row)
            assert (document.holder, document.created) == ("zhang", row.created)
            assert RecoveryContent.model_validate(document.content).recipient == recipient
            assert row.outcome == {"key": "k" * 26, "approved_by": ["qian", "sun"]}
        (kept,) = session.scalars(sa.select(RecoveredKeyRow))
        assert (kept.proposal, kept.envelope) == (IDS["delivered"], b"envelope")
    assert not {"kms_recovery", "kms_recovery_approval"} & set(sa.inspect(engine).get_table_names())
    engine.dispose()
