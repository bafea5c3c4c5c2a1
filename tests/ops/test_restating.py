"""An upgrade that changes what rows say puts them on record as they are then; what somebody had altered before goes on being named.

Seen to fail when: rows that did not hold before the upgrade are stated anew all the same.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from audit.errors import StateBroken
from audit.state.rows import RESTATE, TAKE_STOCK, AccountedRows
from ops.accounted import accounted
from ops.restating import _as_it_is
from ops.schema import MIGRATIONS, import_tables, upgrade
from yinxin import canonical
from yinxin.act import SYSTEM
from yinxin.clock import ManualClock
from yinxin.randomness import SystemRandomness
from yinxin.store import OutboxRow, Store, open_engine, take_stock

AT = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
NAME = "distribution_copy"
#: the migration after this one says anew what of each copy's urging was carried
BEFORE = "0076"


def copy(item, urged):
    return {
        "flow": "document",
        "item": item,
        "organ": "city-jia",
        "sender": "office",
        "role": "main",
        "state": "delivered",
        "away": False,
        "made_at": AT,
        "urged": urged,
        "provisional": False,
    }


@pytest.fixture
def site(empty_database_url):
    """A site of that version with three copies, for which its log accounts; whoever is given the table may do things past it."""
    import_tables()
    engine = open_engine(empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, BEFORE)
        table = _as_it_is(connection, NAME, ())
        connection.execute(sa.insert(table), [copy("a", 0), copy("b", 2), copy("c", 1)])
    store = Store(engine, clock=ManualClock(AT), randomness=SystemRandomness())
    store.accounted = {NAME: table}
    take_stock(store, SYSTEM, TAKE_STOCK)
    store.accounted = {name: each for name, each in accounted().items() if name == NAME}
    yield store, table
    engine.dispose()


def held(store):
    with store.read() as session:
        rows = AccountedRows(session, store.accounted)
        rows.end()
        return rows.held


def broken(store):
    with pytest.raises(StateBroken) as caught:
        held(store)
    return caught.value.facts["row"]


def told(store):
    with store.read() as session:
        events = [canonical.decode(each) for each in session.scalars(sa.select(OutboxRow.data))]
    return [each for each in events if each["verb"] == RESTATE]


def test_what_an_upgrade_changes_is_said_anew_by_it(site):
    store, _ = site
    upgrade(store.engine, store)
    (event,) = told(store)
    assert event["actor"]["kind"] == "system"
    assert event["facts"]["from"] == BEFORE
    assert event["facts"]["to"] > BEFORE
    assert event["facts"]["tables"] == [{"table": NAME, "rows": 3, "removed": 0, "left": 0}]
    assert held(store) == 3
    upgrade(store.engine, store)
    assert len(told(store)) == 1


def test_without_it_the_log_names_what_the_upgrade_changed(site):
    store, _ = site
    upgrade(store.engine)
    assert broken(store) == "document/a/city-jia"
    assert told(store) == []


@pytest.mark.parametrize("way", ["altered", "put in", "taken out"])
def test_what_somebody_did_before_is_not_made_good(site, way):
    store, table = site
    with store.engine.begin() as connection:
        if way == "altered":
            connection.execute(sa.update(table).where(table.c.item == "b").values(sender="elsewhere"))
        elif way == "put in":
            connection.execute(sa.insert(table), [copy("bb", 0)])
        else:
            connection.execute(sa.delete(table).where(table.c.item == "b"))
    upgrade(store.engine, store)
    (event,) = told(store)
    (counts,) = event["facts"]["tables"]
    assert counts["left"] == 1
    assert broken(store) == ("document/bb/city-jia" if way == "put in" else "document/b/city-jia")


@pytest.mark.engines("any")
def test_an_upgrade_that_fails_says_nothing(site, monkeypatch):
    store, _ = site

    def fails(*_arguments):
        raise ZeroDivisionError

    monkeypatch.setattr("ops.restating.restate", fails)
    with pytest.raises(ZeroDivisionError):
        upgrade(store.engine, store)
    with store.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == BEFORE


@pytest.mark.engines("any")
def test_a_migration_that_changes_rows_says_so():
    """By its own words in SQL: the tables that it writes, where the log accounts for them."""
    tables = accounted()
    for file in sorted(Path(MIGRATIONS, "versions").glob("*.py")):
        text = file.read_text("utf-8")
        if file.name[:4] <= BEFORE:
            continue
        # of a table that is new, stock is taken with the rows it has then
        new = set(re.findall(r'create_table\(\s*"(\w+)"', text))
        written = set(re.findall(r"(?:UPDATE|INSERT INTO|DELETE FROM) (\w+)", text)) & tables.keys() - new
        said = set(re.findall(r'"(\w+)"', "".join(re.findall(r"^restates = \{.*", text, re.MULTILINE))))
        assert written <= said, f"{file.name}: restates = {written}"
