"""Each source numbers its records without a gap, whoever writes beside whom, and whatever is undone.

Seen to fail when: numbers are taken that no record has, refusals or notes go without, a writer waits for another's source, a
process believes a counter that was turned back, or remembers what a database may lose.
"""

import threading

import pytest
import sqlalchemy as sa

from yinxin.act import SYSTEM
from yinxin.canonical import NotCanonical
from yinxin.errors import Conflict
from yinxin.store import SourceRow

from .conftest import make, recorded


class Taken(Conflict):
    code = "test.kernel_taken"
    zh = "已被占用。"
    en = "It is taken."


@pytest.fixture
def store(database_url):
    store = make(database_url)
    yield store
    store.engine.dispose()


def numbers(store):
    found = {}
    for each in recorded(store):
        found.setdefault(each["source"], []).append(each["number"])
    return found


def counters(store):
    with store.read() as session:
        return dict(session.execute(sa.select(SourceRow.source, SourceRow.last)).all())


def done(store, verb="test.do", more=0):
    with store.act(SYSTEM, verb, "thing:1") as act:
        for _ in range(more):
            act.each(store.identifier(), "thing:2")


def test_what_is_undone_takes_no_number(store):
    done(store)
    with pytest.raises(Taken), store.act(SYSTEM, "test.do", "thing:1"):
        raise Taken
    with pytest.raises(NotCanonical), store.act(SYSTEM, "test.do", "thing:1") as act:
        act.facts["x"] = 1.5  # no record can hold it
    store.note(SYSTEM, "test.note", "thing:1")
    done(store, more=3)
    store.refuse(SYSTEM, "test.refused", "thing:1", Taken())
    assert numbers(store) == {"writer-1": list(range(1, 10))}
    assert counters(store) == {1: 9}


@pytest.mark.engines("both")
def test_many_writers_at_once(store):
    """Some undo what they did, some do many things at once: every source's numbers run from 1 in the order of the outbox."""
    begin = threading.Barrier(6)

    def write(who):
        begin.wait()
        for count in range(8):
            if (who + count) % 3 == 0:
                with pytest.raises(Taken), store.act(SYSTEM, "test.do", f"thing:{who}"):
                    raise Taken
            elif (who + count) % 3 == 1:
                store.note(SYSTEM, "test.note", f"thing:{who}")
            else:
                done(store, more=count % 3)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    found = numbers(store)
    assert sum(map(len, found.values())) >= 48
    assert {name: list(range(1, len(each) + 1)) for name, each in found.items()} == found
    used = {f"writer-{source}": last for source, last in counters(store).items() if last}
    assert used == {name: len(each) for name, each in found.items()}


@pytest.mark.engines("both")
def test_a_writer_at_work_keeps_nobody_waiting(database_url):
    """On PostgreSQL, where writers do not take turns: the second takes a source of its own, and gives it back."""
    store = make(database_url)
    if store.engine.dialect.name == "sqlite":
        store.engine.dispose()
        pytest.skip("SQLite has one writer at a time")
    with store.engine.begin() as connection:  # who waits fails, instead of waiting for ever
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET lock_timeout = '2s'")
    store.engine.dispose()
    done(store)
    with store.engine.connect() as other, other.begin():
        held = other.execute(sa.select(SourceRow.source).where(SourceRow.source == 1).with_for_update())
        assert held.scalar() == 1
        done(store)
        done(store)
    done(store)
    assert numbers(store) == {"writer-1": [1, 2], "writer-2": [1, 2]}
    store.engine.dispose()


@pytest.mark.engines("both")
@pytest.mark.parametrize("insider", ["UPDATE outbox_source SET last = 1", "DELETE FROM outbox_source"])
def test_a_counter_that_was_turned_back_is_not_believed(store, insider):
    for _ in range(3):
        done(store)
    with store.engine.begin() as connection:
        connection.execute(sa.text(insider))
    done(store)
    done(store)
    assert numbers(store) == {"writer-1": [1, 2, 3, 4, 5]}
    assert counters(store) == {1: 5}


def test_what_was_not_durable_is_not_remembered(store):
    """A note that a database lost with its memory leaves no gap behind."""
    done(store)
    store.note(SYSTEM, "test.note", "thing:1")
    with store.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM outbox WHERE number = 2"))
        connection.execute(sa.text("UPDATE outbox_source SET last = 1"))
    done(store)
    assert numbers(store) == {"writer-1": [1, 2]}
