"""What an organ has to sign for, to give back and to register is found without reading what it has long answered for.

Seen to fail when: `to_sign_for` does not say that nothing of it is registered; the index of what is recalled lacks the state.
"""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.databases import create_tables
from yinxin.distribution import Copy, Distribution, State
from yinxin.store import open_engine
from yinxin.text import Text

pytestmark = pytest.mark.engines("both")

AT = datetime(2026, 3, 6, 2, 0, tzinfo=UTC)
COPIES = Distribution("note", Text("便函", "note"))
MANY = 20_000


def copy(number):
    """The newest are the highest; of a thousand one waits to be signed for, all others are registered."""
    waits = number % 1000 == 0
    return {
        "flow": "note",
        "item": f"n{number:08}",
        "organ": "office",
        "sender": "far",
        "role": "main",
        "state": State.DELIVERED if waits else State.RECEIVED,
        "away": False,
        "made_at": AT,
        "registered_at": None if waits else AT + timedelta(hours=1),
        "urged": 0,
        "urges_carried": 0,
        "recall_carried": False,
        "provisional": False,
    }


@pytest.fixture(params=[False, True], ids=["unknown", "analysed"])
def engine(database_url, request):
    """With what the database has found out about its rows, and without: an installation has it sooner or later."""
    engine = open_engine(database_url)
    create_tables(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(Copy), [copy(number) for number in range(MANY)])
        if request.param:
            connection.exec_driver_sql("ANALYZE distribution_copy")
    yield engine
    engine.dispose()


@pytest.mark.parametrize("name", ["to_sign_for", "to_give_back", "to_register"])
def test_a_list_of_what_waits_is_read_by_an_index_of_what_waits(engine, name):
    item = sa.column("item")
    lead = getattr(COPIES, name)("office", item)
    # the copies themselves, in the place of objects they lead to
    query = sa.select(Copy.item).where(*(each for each in lead.on.clauses if item not in each.get_children()))
    query = query.order_by(Copy.item.desc()).limit(51)
    text = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        found = connection.execute(query).scalars().all()
        plan = connection.exec_driver_sql(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + text)
        said = "\n".join(str(row) for row in plan)
    waiting = [f"n{number:08}" for number in reversed(range(0, MANY, 1000))]
    assert found == (waiting if name == "to_sign_for" else [])
    assert "ix_distribution_copy_unregistered" in said or "ix_distribution_copy_recalled" in said, said
    assert "TEMP B-TREE" not in said, said
    assert "Sort" not in said, said
