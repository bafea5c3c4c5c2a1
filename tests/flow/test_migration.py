"""Steps and signatures of documents of the time before the common tables are in them afterwards, each with its step."""

from datetime import UTC, datetime

import sqlalchemy as sa
import sqlalchemy.orm

from apps.document.records import DOCUMENTS
from ops.schema import upgrade
from tests.support.before import before
from yinxin.store import open_engine


def _before(engine: sa.Engine) -> None:
    """A document that was sent to two organs, sent back once before, signed off, received by one and returned by the other."""
    tables = ("document", "document_step", "document_signature")
    with before(engine, "records_with_states_and_clocks", *tables) as old:
        when = datetime(2026, 11, 1, 8, 0, 0, 123456, tzinfo=UTC)
        row = {"id": "d1", "reference": "r", "organ": "o1", "kind": "NOTICE", "title": "通知", "level": "internal", "state": "dispatched", "version": 9, "recipients": ["o2", "o3"], "drafter": "p1", "created_at": when, "updated_at": when}  # fmt: skip
        old.insert("document", row)
        walked = [("draft", "o1"), ("submit", "o1"), ("send-back", "o1"), ("submit", "o1"), ("sign-off", "o1"), ("dispatch", "o1"), ("receive", "o2"), ("return", "o3")]  # fmt: skip
        for position, (verb, organ) in enumerate(walked, 1):
            step = {"document": "d1", "position": position, "verb": f"document.{verb}", "person": f"p-{organ}", "post": None, "organ": organ, "at": when, "comment": "改" if verb == "send-back" else None, "entry": f"e{position}"}  # fmt: skip
            old.insert("document_step", step)
        for verb, organ in (("return", "o3"), ("sign-off", "o1"), ("receive", "o2")):
            signed = {"document": "d1", "type": f"document.{verb}", "organ": organ, "person": f"p-{organ}", "statement": verb.encode(), "cms": b"cms", "ocsp": b"ocsp", "attributes": None, "at": when}  # fmt: skip
            old.insert("document_signature", signed)


def test_steps_and_signatures_are_kept(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    _before(engine)
    upgrade(engine)
    with sqlalchemy.orm.Session(engine) as session:
        steps = DOCUMENTS.steps(session, "d1")
        signatures = DOCUMENTS.signatures(session, "d1")
        assert [(each.position, each.verb, each.entry, each.comment) for each in steps][2] == (3, "document.send-back", "e3", "改")  # fmt: skip
        assert len(steps) == 8
        assert [(each.position, each.statement, each.organ) for each in signatures] == [(5, b"sign-off", "o1"), (7, b"receive", "o2"), (8, b"return", "o3")]  # fmt: skip
        assert signatures[0].at == steps[0].at == datetime(2026, 11, 1, 8, 0, 0, 123456, tzinfo=UTC)
    assert not {"document_step", "document_signature"} & set(sa.inspect(engine).get_table_names())
    engine.dispose()
