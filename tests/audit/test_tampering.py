# ruff: noqa: S608 - the statements are this file's own constants
"""Insiders: what the triggers stop, what a whole check finds, and what the checkpoint file remembers."""

import shutil

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from audit import CheckpointBroken, CheckpointFileMissing, LogRolledBack, LogTampered, LogUnavailable
from audit.archive.models import TRIGGERS as ARCHIVES
from audit.index import IndexBroken
from audit.models import TRIGGERS
from audit.personal.models import TRIGGERS as PERSONAL
from audit.renewal.models import TRIGGERS as RENEWAL
from audit.witness.models import TRIGGERS as WITNESSES
from yinxin import canonical
from yinxin.crypto.suite import SHA256, SM3
from yinxin.store import OutboxRow
from yinxin.tlog import Note, leaf_hash

from .site import make_keys


@pytest.fixture
def full(site):
    """Twelve entries, with checkpoints at 5 and 12."""
    for number in range(12):
        site.act(f"thing:{number}")
        if number in (4, 11):
            site.log.sequence()
            site.log.checkpoint()
    return site


CHANGES = [
    "UPDATE audit_entry SET subject = 'x' WHERE \"index\" = 3",
    "UPDATE audit_entry SET data = leaf_sm3",
    'DELETE FROM audit_entry WHERE "index" = 11',
    "DELETE FROM audit_entry",
    "UPDATE audit_checkpoint SET time = time",
    "DELETE FROM audit_checkpoint",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_triggers_refuse_changes(full, statement):
    with pytest.raises(DBAPIError, match="insert-only"):
        full.execute(statement)
    full.log.check()


@pytest.mark.parametrize("table", ["audit_entry", "audit_checkpoint"])
def test_triggers_refuse_replacing_and_truncating(full, table):
    if full.engine.dialect.name == "postgresql":
        statements = [f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE"]
    else:
        statements = [
            f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
            f"REPLACE INTO {table} SELECT * FROM {table}",
        ]
    if table == "audit_entry" and full.engine.dialect.name == "sqlite":
        statements.append(
            "INSERT OR REPLACE INTO audit_entry SELECT 99, event, data, leaf_sha256, leaf_sm3, time, verb, subject, "
            'actor, outcome, request FROM audit_entry WHERE "index" = 3'
        )
    for statement in statements:
        with pytest.raises(DBAPIError, match="insert-only"):
            full.execute(statement)
    full.log.check()


def test_triggers_for_migrations_are_those_installed(full):
    dialect = full.engine.dialect.name
    statements = (
        *TRIGGERS[dialect],
        *RENEWAL[dialect],
        *WITNESSES[dialect],
        *ARCHIVES[dialect],
        *PERSONAL[dialect],
    )
    with full.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            found = connection.exec_driver_sql(
                "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND substr(tbl_name, 1, 6) = 'audit_'"
            )
            assert {row[0] for row in found} == set(statements)
        else:
            found = connection.exec_driver_sql(
                "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND left(tgrelid::regclass::text, 6) = 'audit_'"
            )
            assert {row[0] for row in found} == {
                each.split()[2] for each in statements if each.startswith("CREATE TRIGGER")
            }


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [
        ("data", b"{}", "data"),
        ("data", b"", "data"),
        ("leaf_sha256", bytes(32), "leaf_sha256"),
        ("leaf_sm3", bytes(32), "leaf_sm3"),
        ("subject", "thing:99", "subject"),
        ("verb", "test.other", "verb"),
        ("actor", "somebody", "actor"),
        ("outcome", "refused", "outcome"),
        ("request", "r", "request"),
        ("event", "e", "event"),
    ],
)
def test_an_edited_entry_is_named(full, column, value, part):
    full.drop_triggers()
    where = '"index" = 7' if column == "event" else '"index" IN (7, 9)'
    full.execute(f"UPDATE audit_entry SET {column} = :value WHERE {where}", value=value)
    with pytest.raises(LogTampered) as found:
        full.log.check()
    assert (found.value.facts["index"], found.value.facts["part"]) == (7, part)


def test_an_edit_with_all_hashes_made_to_fit(full):
    """The insider recomputes the leaf hashes; the signed roots, the index and the file apart still tell."""
    full.drop_triggers()
    entry = full.log.entries(before=9, limit=1)[0]
    data = entry.data.replace(b"thing:8", b"thing:0")
    full.execute(
        'UPDATE audit_entry SET data = :data, leaf_sha256 = :a, leaf_sm3 = :b, subject = :s WHERE "index" = 8',
        data=data,
        a=leaf_hash(SHA256, data),
        b=leaf_hash(SM3, data),
        s="thing:0",
    )
    with pytest.raises(CheckpointBroken) as found:
        full.log.check()
    assert (found.value.facts["held"], found.value.facts["size"]) == (5, 12)
    full.execute("DELETE FROM audit_checkpoint")
    with pytest.raises(IndexBroken):  # what is found by it still says what it said
        full.log.check()
    full.log.index.rebuild()
    with pytest.raises(LogRolledBack):  # and the file apart from the database knows the root
        full.log.check()


@pytest.mark.parametrize(
    "statement",
    [
        'DELETE FROM audit_entry WHERE "index" = 6',
        'DELETE FROM audit_entry WHERE "index" > 9',
        "DELETE FROM audit_entry",
        "UPDATE audit_checkpoint SET note_sha256 = note_sm3",
        "UPDATE audit_checkpoint SET size = 11 WHERE size = 12",
        "UPDATE audit_checkpoint SET size = 0 WHERE size = 5",
    ],
)
def test_every_other_edit_is_found(full, statement):
    full.drop_triggers()
    full.execute(statement)
    with pytest.raises((LogTampered, CheckpointBroken)):
        full.log.check()


def test_rolled_back_database_refuses_to_start(another):
    site = another()
    site.create()
    site.log.start()
    for _ in range(5):
        site.log.settle(site.act())
    site.drop_triggers()
    for statement in (
        'DELETE FROM audit_entry WHERE "index" >= 3',
        "DELETE FROM audit_checkpoint WHERE size > 3",
    ):
        site.execute(statement)
    with pytest.raises(LogRolledBack) as found:
        another().log.start()
    assert (found.value.facts["file_size"], found.value.facts["log_size"]) == (5, 3)
    with pytest.raises(LogRolledBack):
        site.log.check()
    # a running process notices at its next checkpoint, and does not sign another history
    site.execute("DELETE FROM outbox")
    with pytest.raises(LogUnavailable) as refusal:
        site.log.settle(site.act())
    assert isinstance(refusal.value.__cause__, LogRolledBack)


def test_regrown_history_of_the_same_size_is_noticed(another):
    site = another()
    site.create()
    site.log.start()
    for _ in range(4):
        site.log.settle(site.act())
    site.drop_triggers()
    for table in ("audit_entry", "audit_tile", "audit_checkpoint"):
        site.execute(f"DELETE FROM {table}")
    for _ in range(6):
        site.act()
    site.log.sequence()
    with pytest.raises(LogRolledBack):
        another().log.start()


def test_file_copied_back_is_older_and_fine(full, another):
    kept = full.data / "kept"
    shutil.copy(full.log.checkpoint_file, kept)
    full.log.settle(full.act())
    shutil.copy(kept, full.log.checkpoint_file)
    again = another()
    again.log.start()
    again.log.settle(again.act())
    again.log.check()


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b'{"sha256":"x"}'])
def test_missing_or_damaged_file(full, content, another):
    if content is None:
        full.log.checkpoint_file.unlink()
    else:
        full.log.checkpoint_file.write_bytes(content)
    with pytest.raises(CheckpointFileMissing):
        another().log.start()


def test_file_signed_by_another_log(full, another):
    make_keys(full.data)  # other keys: the file is not this log's
    with pytest.raises(CheckpointFileMissing) as found:
        another().log.start()
    assert found.value.facts["reason"] == "UntrustedNote"


def test_no_byte_of_the_file_can_change(full, clock):
    content = full.log.checkpoint_file.read_bytes()
    for at in range(len(content)):
        full.log.checkpoint_file.write_bytes(content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :])
        with pytest.raises((CheckpointFileMissing, LogRolledBack)):
            full.log._checkpointer.compare()


def test_file_never_moves_back(full):
    notes = full.log._checkpointer._file.read()
    with full.engine.connect() as connection:
        older = connection.execute(
            sa.text("SELECT note_sha256, note_sm3 FROM audit_checkpoint WHERE size = 5")
        ).one()
    full.log._checkpointer._file.advance(
        {"sha256": Note.decode(bytes(older[0])), "sm3": Note.decode(bytes(older[1]))}
    )
    assert full.log._checkpointer._file.read() == notes


def rebuilt(site, data):
    """What an insider does who knows how the log is made: entries, hashes and nodes made anew, all but the signatures."""
    site.drop_triggers()
    for table in ("audit_entry", "audit_tile"):
        site.execute(f"DELETE FROM {table}")
    site.execute("DELETE FROM outbox")
    with site.engine.begin() as connection:
        for each in data:
            connection.execute(sa.insert(OutboxRow).values(id=canonical.decode(each)["id"], data=each))
    site.log._sequencer.run()


@pytest.mark.parametrize(
    ("change", "held", "size"),
    [
        ("removed", 5, 12),
        ("inserted", 5, 12),
        ("reordered", 5, 12),
        ("altered", 0, 5),
        ("cut", 5, 12),
    ],
)
def test_a_history_made_anew_is_named_by_the_signatures(full, change, held, size):
    """Nothing in the database contradicts itself any more; the signed checkpoints say between which sizes it happened."""
    data = [entry.data for entry in reversed(full.log.entries(limit=20))]
    foreign = data[7].replace(canonical.decode(data[7])["id"].encode(), b"0" * 26)
    new = {
        "removed": [*data[:7], *data[8:]],
        "inserted": [*data[:7], foreign, *data[7:]],
        "reordered": [*data[:7], data[8], data[7], *data[9:]],
        "altered": [data[0], data[1].replace(b"thing:1", b"thing:9"), *data[2:]],
        "cut": data[:10],
    }[change]
    rebuilt(full, new)
    with pytest.raises(CheckpointBroken) as found:
        full.log.check()
    assert (found.value.facts["held"], found.value.facts["size"]) == (held, size)
    # and whoever throws the checkpoints away as well is told by the file apart from the database
    full.execute("DELETE FROM audit_checkpoint")
    full.log.index.rebuild()
    with pytest.raises(LogRolledBack) as rolled:
        full.log.check()
    assert rolled.value.facts["file_size"] == 12
