"""Deliveries of the time before distribution are copies afterwards, none lost and none doubled, and their holders may read as before."""

from datetime import UTC, datetime

import sqlalchemy as sa
import sqlalchemy.orm

from apps.document.models import Document
from apps.document.states import COPIES
from ops.schema import upgrade
from tests.support.before import before
from yinxin.store import open_engine

WHEN = datetime(2026, 11, 1, 8, 0, 0, 123456, tzinfo=UTC)


def test_deliveries_are_copies(empty_database_url: str) -> None:
    """Seen to fail when the state `sent` is taken over as it is: nobody could sign for such a copy."""
    engine = open_engine(empty_database_url)
    with before(engine, "copies_of_what_was_sent", "document", "document_delivery") as old:
        for id_, state in (("d1", "dispatched"), ("d2", "sealed")):
            row = {"id": id_, "reference": id_, "organ": "o1", "kind": "NOTICE", "title": "通知", "level": "internal", "state": state, "version": 9, "recipients": ["o2", "o3", "o4"], "drafter": "p1", "created_at": WHEN, "updated_at": WHEN}  # fmt: skip
            old.insert("document", row)
        for organ, state, reason in (
            ("o2", "sent", None),
            ("o3", "received", None),
            ("o4", "returned", "缺页"),
        ):
            copy = {"document": "d1", "organ": organ, "state": state, "reason": reason, "sent_at": WHEN, "answered_at": None if state == "sent" else WHEN}  # fmt: skip
            old.insert("document_delivery", copy)
    upgrade(engine)
    with sqlalchemy.orm.Session(engine) as session:
        copies = {each.organ: each for each in COPIES.copies(session, "d1")}
        assert {organ: (each.state, each.reason) for organ, each in copies.items()} == {
            "o2": ("delivered", None),
            "o3": ("received", None),
            "o4": ("returned", "缺页"),
        }
        assert {(each.sender, each.role, each.due, each.away, each.delivered_at) for each in copies.values()} == {("o1", "main", None, False, WHEN)}  # fmt: skip
        assert COPIES.copies(session, "d2") == []
        holders = {row.id: (row.holders, row.copied_to) for row in session.scalars(sa.select(Document))}
        assert holders == {"d1": (["o2", "o3", "o4"], []), "d2": ([], [])}
    assert "document_delivery" not in sa.inspect(engine).get_table_names()
    engine.dispose()
