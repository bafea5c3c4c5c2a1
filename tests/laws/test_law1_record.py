"""Law 1: no act without a record. A change and its audit entry commit in one transaction, or neither does.

What a crash can do to this is tried in tests/crash; the store's own guard in tests/kernel. Here: the whole platform
after the main job, and every act with a log that will not take its record.

Seen to fail when: `Store._record` swallows what the database says; `Store._refused` returns at once; `add_step` writes
another entry's identifier.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from apps.document.models import Document
from audit.models import EntryRow
from ops.demo.story import SAMPLE
from ops.modules import MODULES
from ops.platform import Platform
from tests.crash.books import balance
from tests.laws.province import client, opened
from yinxin.act import SYSTEM
from yinxin.errors import NotPermitted, YinxinError
from yinxin.store import (
    Base,
    OutboxRow,
    SourceRow,
    StoreUnavailable,
    UnrecordedChange,
    name_of,
)
from yinxin.web.recording import REFUSED

#: what the log itself and the web kit write down, in nobody's module
_OWN = {REFUSED}


def test_after_the_main_job_every_act_has_its_record_and_every_record_its_act(
    finished: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "data"))
    with opened(folder) as platform:
        events = balance(platform)
    registered = {verb.name for module in MODULES for verb in module.verbs}
    assert {each["verb"] for each in events} - registered - _OWN == set()
    assert all(each["actor"]["kind"] in ("person", "system", "stranger") for each in events)
    done = [each for each in events if each["outcome"] == "done" and each["actor"]["kind"] == "person"]
    assert len([each for each in done if each["verb"].startswith("document.")]) == 11
    permitted = {
        (each["verb"], each["subject"]) for each in events if each.get("decision", {}).get("allowed")
    }  # what has an intent carries its decision there
    # what comes of an application rests on its approval, which was decided
    permitted |= {
        (each["verb"], each["subject"])
        for each in events
        if ("ca.approve", f"registration:{each.get('decision', {}).get('registration')}") in permitted
    }
    for each in done:
        signed_in = each["verb"].startswith("authz.")
        # what anybody may do for herself is decided by whom it is for
        own = (
            each.get("decision") == {"own": True}
            and each["facts"]["holder"] == f"person:{each['actor']['id']}"
        )
        assert (
            signed_in or own or (each["verb"], each["subject"]) in permitted or each["verb"] == "ca.timestamp"
        )


def contents(platform: Platform) -> dict[str, list[str]]:
    """Every row of every table that is business data; the log itself may catch up with what was recorded before.

    A refusal is recorded and takes its number: outbox and counter go together, which `numbered` holds them to.
    """
    with platform.store.read() as session:
        return {
            table.name: sorted(repr(tuple(row)) for row in session.execute(sa.select(table)))
            for table in Base.metadata.sorted_tables
            if not table.info.get("housekeeping")
            and table.name not in ("outbox", "outbox_source")
            and not table.name.startswith("audit_")
        }


def numbered(platform: Platform) -> None:
    """Every number that was ever taken stands in a record, in the log or on its way: none went with an act that was undone."""
    with platform.store.read() as session:
        records = [
            json.loads(data)
            for column, order in ((EntryRow.data, EntryRow.index), (OutboxRow.data, OutboxRow.number))
            for data in session.scalars(sa.select(column).order_by(order))
        ]
        taken = {name_of(row.source): row.last for row in session.scalars(sa.select(SourceRow))}
    assert {source: [*range(1, last + 1)] for source, last in taken.items()} == {
        source: [each["number"] for each in records if each["source"] == source] for source in taken
    }


def _draft(platform: Platform) -> object:
    return client(platform, "demo-clerk").documents.draft(SAMPLE, reference="law-1", recipients=["city-jia"])


def _key(platform: Platform) -> object:
    return platform.kms.create(SYSTEM, label="law-1", purpose="seal", algorithm="ecdsa-p256")


def _revoke(platform: Platform) -> object:
    from ops.acting import acting_person

    serial = f"{client_serial(platform, 'city-jia-registrar'):x}"
    return platform.ca.revoke(acting_person(platform, None, None), serial, "superseded")


def client_serial(platform: Platform, person: str) -> int:
    from tests.laws.province import identity

    return identity(platform.data.root, person).certificate.serial


@pytest.mark.parametrize("act", [_draft, _key, _revoke])
def test_an_act_whose_record_is_not_taken_does_not_happen(
    platform: Platform, act: Callable[[Platform], object]
) -> None:
    """The outbox refuses every row: sign-in works on what was recorded before, and nothing else changes."""
    before = contents(platform)
    with platform.store.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER law_1 BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'not recorded'); END"
        )
    with pytest.raises((YinxinError, sa.exc.IntegrityError)):
        act(platform)
    with platform.store.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER law_1")
    assert contents(platform) == before
    numbered(platform)
    act(platform)
    assert contents(platform) != before


def test_refusals_are_recorded_and_name_their_entry(platform: Platform) -> None:
    """A permitted reader who may not act, over the API: the refusal names an entry, and the entry says refused."""
    document = _draft(platform)
    with pytest.raises(NotPermitted) as caught:
        client(platform, "demo-seal").documents.submit(str(document))
    platform.audit.sequence()
    assert caught.value.entry is not None
    event = platform.audit.entry(caught.value.entry).fields()
    assert (event["verb"], event["outcome"], event["error"]) == ("document.submit", "refused", "authz.denied")
    assert event["actor"]["id"] == "demo-seal"
    assert event["decision"]["allowed"] is False


def test_there_is_no_way_to_change_anything_unrecorded(platform: Platform) -> None:
    document = sa.update(Document).values(title="changed")
    with pytest.raises(UnrecordedChange), platform.store.read() as session:
        session.execute(document)
    with pytest.raises(UnrecordedChange), platform.store.housekeep() as session:
        session.execute(document)
    with pytest.raises((UnrecordedChange, StoreUnavailable)), platform.store.read() as session:
        session.execute(sa.text("DELETE FROM document"))


def test_entries_hold_no_names(finished: Path, tmp_path: Path) -> None:
    """Identifiers only: a name in an entry could never be taken out again."""
    from tests.laws.province import small

    folder = Path(shutil.copytree(finished, tmp_path / "data"))
    with opened(folder) as platform:
        text = json.dumps(
            [entry.fields() for entry in platform.audit.entries(limit=10_000)], ensure_ascii=False
        )
    assert [each.name for each in small().people if each.name in text] == []
