"""Law 1: a change and its record, or neither; and nothing is written by any other way."""

# ruff: noqa: PT012 - an act is refused as a whole, so the whole act stands where it raises

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.kernel.conftest import CLERK, Note, Visit, make, notes, recorded
from tests.support.postgres import PostgresServer
from yinxin.act import Outcome
from yinxin.canonical import NotCanonical
from yinxin.errors import Conflict, Unavailable
from yinxin.store import (
    Store,
    StoreFull,
    StoreUnavailable,
    UnrecordedChange,
    Written,
    as_good,
    current_entries,
    open_engine,
    request_scope,
)


class Moved(Conflict):
    code = "test.kernel_moved"
    zh = "已变动。"
    en = "It moved."


class LogDown(Unavailable):
    code = "test.kernel_log_down"
    zh = "日志不可用。"
    en = "The log is down."


def write(store, number, text="x", **facts):
    with store.act(CLERK, "test.write", f"note:{number}", **facts) as act:
        act.session.add(Note(id=number, text=text))
    return act.id


@pytest.mark.parametrize("released", [True, False])
def test_a_session_that_is_first_asked_for_within_a_savepoint(store, released):
    """Seen to fail while it had a savepoint of its own: at its end change and record were rolled back, and nobody was told."""
    with store.act(CLERK, "test.write", "note:1") as act:
        undone = act.connection.begin_nested()
        act.session.add(Note(id=1, text="x"))
        act.session.flush()
        if released:
            undone.commit()
    assert (notes(store), len(recorded(store))) == (["x"], 1)


@pytest.mark.engines("any")
def test_what_a_statement_would_have_to_undo_lies_in_no_file(store):
    """Seen to fail without `temp_store`: SQLite opens a file for it, and writes every page there that a statement changes."""
    with store.act(CLERK, "test.write", "notes") as act:
        act.session.add_all([Note(id=number, text="x" * 2000) for number in range(200)])
    with store.act(CLERK, "test.write", "notes") as act:
        act.session.execute(sa.update(Note).values(text=Note.text + "y"))
        files = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
        assert any(each.endswith("-wal") for each in files)
        assert [each for each in files if "etilqs" in each] == []


def test_a_change_and_its_record_commit_together(store):
    entry = write(store, 1, "hello", size=5)
    assert notes(store) == ["hello"]
    (event,) = recorded(store)
    assert event == {
        "v": 1,
        "id": entry,
        "time": "2026-11-22T08:00:00.000000Z",
        "actor": {"kind": "person", "id": "p-clerk", "post": "registrar", "organ": "o-office"},
        "verb": "test.write",
        "subject": "note:1",
        "outcome": "done",
        "facts": {"size": 5},
        "source": "writer-1",
        "number": 1,
    }


def test_facts_added_while_it_runs_are_recorded(store):
    with store.act(CLERK, "test.write", "note:1", outcome=Outcome.INTENT) as act:
        act.facts["late"] = True
        act.decision = {"policy": "p1"}
    (event,) = recorded(store)
    assert (event["facts"], event["decision"], event["outcome"]) == (
        {"late": True},
        {"policy": "p1"},
        "intent",
    )


def test_a_refusal_undoes_the_change_and_is_recorded(store):
    with pytest.raises(Moved) as caught, store.act(CLERK, "test.write", "note:1") as act:
        act.session.add(Note(id=1, text="x"))
        act.session.flush()
        raise Moved
    assert notes(store) == []
    (event,) = recorded(store)
    assert (event["outcome"], event["error"]) == ("refused", "test.kernel_moved")
    assert caught.value.entry == event["id"] == act.id


def test_a_fault_undoes_the_change_and_is_recorded_as_failed(store):
    with pytest.raises(ZeroDivisionError), store.act(CLERK, "test.write", "note:1") as act:
        act.session.add(Note(id=1, text="x"))
        act.session.flush()
        raise ZeroDivisionError
    assert notes(store) == []
    assert [(event["outcome"], event["error"]) for event in recorded(store)] == [("failed", "internal")]


def test_a_violated_constraint_stays_what_it_is(store):
    write(store, 1)
    with pytest.raises(IntegrityError):
        write(store, 1)
    assert [event["outcome"] for event in recorded(store)] == ["done", "failed"]


def test_what_another_was_first_to_is_refused_once_and_by_its_name(store):
    """Seen to fail when the refusal is recorded as failed besides."""
    write(store, 1)
    with pytest.raises(Moved) as caught, store.act(CLERK, "test.write", "note:1", taken=Moved) as act:
        act.session.add(Note(id=1, text="y"))
    done, refused = recorded(store)
    assert (done["outcome"], refused["outcome"], refused["error"]) == ("done", "refused", Moved.code)
    assert caught.value.entry == refused["id"]
    assert isinstance(caught.value.__cause__, IntegrityError)


def test_what_another_did_as_well_is_no_refusal(store):
    write(store, 1)
    with pytest.raises(IntegrityError), store.act(CLERK, "test.write", "note:1", taken=as_good) as act:
        act.session.add(Note(id=1, text="y"))
    assert [event["outcome"] for event in recorded(store)] == ["done"]


def test_an_interrupt_leaves_nothing(store):
    with pytest.raises(KeyboardInterrupt), store.act(CLERK, "test.write", "note:1") as act:
        act.session.add(Note(id=1, text="x"))
        act.session.flush()
        raise KeyboardInterrupt
    assert notes(store) == []
    write(store, 2)  # and the thread can act again


@pytest.mark.parametrize("fact", [1.5, object(), {"deep": {"a", "b"}}, 2**60])
def test_a_record_that_cannot_be_encoded_leaves_nothing_but_the_refusal(store, fact):
    with pytest.raises(NotCanonical):
        write(store, 1, bad=fact)
    assert notes(store) == []
    (event,) = recorded(store)
    assert (event["outcome"], event["error"]) == ("refused", "canonical.not_canonical")
    assert "facts" not in event


def test_the_record_failing_undoes_the_change(store, monkeypatch):
    def fail(*_args):
        raise Moved

    monkeypatch.setattr(store, "_record", fail)
    with pytest.raises(Moved):
        write(store, 1)
    monkeypatch.undo()
    assert notes(store) == []


# --- no other way ---


def attempts(session):
    yield lambda: (session.add(Note(id=9, text="x")), session.flush())
    yield lambda: session.execute(sa.insert(Note).values(id=9, text="x"))
    yield lambda: session.execute(sa.update(Note).values(text="x"))
    yield lambda: session.execute(sa.delete(Note))
    yield lambda: session.execute(sa.text("UPDATE kernel_note SET text = 'x'"))
    yield lambda: session.connection().execute(Note.__table__.insert().values(id=9, text="x"))
    yield lambda: session.connection().exec_driver_sql("DELETE FROM kernel_note")
    yield lambda: session.connection().exec_driver_sql("WITH x AS (SELECT 1) DELETE FROM kernel_note")
    yield lambda: session.connection().exec_driver_sql("DROP TABLE kernel_note")


@pytest.mark.parametrize("way", range(9))
@pytest.mark.parametrize("kind", ["read", "housekeep"])
def test_outside_an_act_nothing_is_written(store, way, kind):
    write(store, 1, "kept")
    with pytest.raises(UnrecordedChange), getattr(store, kind)() as session:
        list(attempts(session))[way]()
    assert notes(store) == ["kept"]


@pytest.mark.parametrize(
    "statement", ["UPDATE kernel_note SET text = 'x'", "DELETE FROM kernel_note", "DROP TABLE kernel_note"]
)
def test_reading_the_database_itself_refuses_to_write(store, statement):
    write(store, 1, "kept")
    with store.read() as session:
        driver = session.connection().connection.driver_connection  # below everything that is ours
        with pytest.raises(Exception, match=r"readonly|read-only"):
            driver.execute(statement)
        session.rollback()
    assert notes(store) == ["kept"]


def test_reading_then_acting_on_the_same_connection(store):
    for number in range(20):
        assert len(notes(store)) == number
        write(store, number)


def test_a_change_to_what_was_read_is_not_lost_in_silence(store):
    write(store, 1, "kept")
    with pytest.raises(UnrecordedChange), store.read() as session:
        session.get_one(Note, 1).text = "changed"
    with pytest.raises(UnrecordedChange), store.read() as session:
        session.add(Note(id=2, text="new"))
    assert notes(store) == ["kept"]


def test_a_reader_sees_one_state(store):
    write(store, 1)
    with store.read() as session:
        assert len(session.scalars(sa.select(Note)).all()) == 1
        thread = threading.Thread(target=write, args=(store, 2))
        thread.start()
        thread.join()
        assert len(session.scalars(sa.select(Note.id)).all()) == 1
    assert len(notes(store)) == 2


def test_housekeeping_changes_housekeeping_and_nothing_is_recorded(store):
    with store.housekeep() as session:
        session.add(Visit(id=1))
    with store.housekeep() as session:
        session.execute(sa.update(Visit).values(id=2))
    with store.read() as session:
        assert session.scalars(sa.select(Visit.id)).all() == [2]
    assert recorded(store) == []


def test_acts_do_not_nest(store):
    with store.act(CLERK, "test.outer", "x") as outer:
        outer.session.add(Note(id=1, text="outer"))
        with (
            pytest.raises(RuntimeError, match=r"test\.inner was begun inside"),
            store.act(CLERK, "test.inner", "x"),
        ):
            pass
        with pytest.raises(RuntimeError, match="inside an act"), store.housekeep():
            pass
    assert [event["verb"] for event in recorded(store)] == ["test.outer"]


def test_in_process_calls_of_an_act_cannot_act(store):
    """A call to another part in the same thread is still inside."""
    from flask import Flask

    app = Flask("other")

    @app.post("/")
    def other():
        with store.act(CLERK, "test.inner", "x"):
            pass
        return ""

    app.testing = True
    client = app.test_client()
    with pytest.raises(RuntimeError, match="begun inside"), store.act(CLERK, "test.outer", "x") as act:
        act.session.add(Note(id=1, text="x"))
        client.post("/")
    assert notes(store) == []
    assert client.post("/").status_code == 200


def test_a_refusal_inside_an_act_is_the_acts(store):
    with pytest.raises(Moved) as caught, store.act(CLERK, "test.outer", "x"):
        error = Moved()
        store.refuse(CLERK, "test.inner", "x", error)  # would wait for the act's own lock
        raise error
    assert [event["id"] for event in recorded(store)] == [caught.value.entry]


def test_refusals_before_any_act_are_recorded_once(store):
    error = Moved()
    store.refuse(CLERK, "test.write", "note:1", error)
    store.refuse(CLERK, "test.write", "note:1", error)
    assert [event["id"] for event in recorded(store)] == [error.entry]


def test_a_closed_gate_stops_the_act(store):
    def shut():
        raise LogDown

    store.gates.append(shut)
    with pytest.raises(LogDown):
        write(store, 1)
    assert notes(store) == []
    assert [(event["outcome"], event["error"]) for event in recorded(store)] == [
        ("refused", "test.kernel_log_down")
    ]
    store.gates.remove(shut)
    write(store, 1)


def test_a_request_knows_its_entries(store):
    woken = []
    store.recorded.append(lambda: woken.append(len(woken)))
    with request_scope("r-1") as entries:
        first = write(store, 1)
        with pytest.raises(Moved), store.act(CLERK, "test.write", "x"):
            raise Moved
        assert entries[0] == first
        assert current_entries() == tuple(entries)
        assert len(entries) == 2
    assert current_entries() == ()
    assert {event["request"] for event in recorded(store)} == {"r-1"}
    assert len(woken) == 2


def test_those_woken_may_act_themselves(store):
    done = []

    def follow():
        if not done:
            done.append(True)
            write(store, 2, "follow-up")

    store.recorded.append(follow)
    with pytest.raises(Moved), store.act(CLERK, "test.write", "x"):
        raise Moved
    assert notes(store) == ["follow-up"]


# --- many at once ---


def test_many_writers_lose_nothing(store):
    faults = []

    def work(start):
        try:
            for number in range(start, start + 12):
                write(store, number)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            faults.append(error)

    threads = [threading.Thread(target=work, args=(100 * each,)) for each in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(notes(store)) == len(recorded(store)) == 192


_WRITER = """
import sys
from tests.kernel.conftest import make
from tests.kernel.test_act import write
store = make(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 60):
    write(store, number)
    print(number, flush=True)
"""


def child(program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_two_processes_lose_nothing(store, database_url):
    writers = [child(_WRITER, database_url, start) for start in (0, 1000)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert len(notes(store)) == len(recorded(store)) == 120


def test_what_was_acknowledged_survives_kill_9(store, database_url):
    writer = child(_WRITER, database_url, 0)
    assert writer.stdout.readline() == "ready\n"
    writer.stdin.write("go\n")
    writer.stdin.flush()
    told = [int(writer.stdout.readline()) for _ in range(10)]
    writer.kill()
    # by the same reader: it may hold lines already that came along with the tenth
    told += [int(line) for line in writer.stdout.read().split()]
    writer.communicate()
    done = notes(store)
    assert len(told) <= len(done) <= len(told) + 1
    assert len(recorded(store)) == len(done)


# --- no room, no database ---


def test_a_full_sqlite_file_changes_nothing(tmp_path):
    store = make(f"sqlite:///{tmp_path / 'full.sqlite'}")

    @sa.event.listens_for(store.engine, "begin")
    def small(connection):
        connection.connection.driver_connection.execute("PRAGMA max_page_count = 40")

    fill_until_full(store)
    store.engine.dispose()


def fill_until_full(store):
    written = 0
    with pytest.raises(StoreFull) as caught:
        for written in range(10_000):
            write(store, written, "x" * 8000)
    assert (caught.value.status, caught.value.retryable) == (507, True)
    assert len(notes(store)) == written
    done = [event for event in recorded(store) if event["outcome"] == "done"]
    assert len(done) == written


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk_changes_nothing(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        store = make(f"sqlite:///{tmp_path / 'full.sqlite'}")
        fill_until_full(store)
        store.engine.dispose()
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_database_that_goes_in_mid_act_changes_nothing():
    with PostgresServer(durable=True) as server:
        store = make(server.url(server.create_database()))
        write(store, 1)
        with pytest.raises(StoreUnavailable) as caught, store.act(CLERK, "test.write", "note:2") as act:
            act.session.add(Note(id=2, text="x"))
            act.session.flush()
            server.stop()
            act.session.add(Note(id=3, text="x"))
        assert caught.value.status == 503
        with pytest.raises(StoreUnavailable):
            notes(store)
        with pytest.raises(StoreUnavailable):
            write(store, 4)
        server.start()
        assert notes(store) == ["x"]
        write(store, 5)
        store.engine.dispose()


def test_a_pool_that_is_used_up_is_unavailable(database_url):
    made = make(database_url)
    made.engine.dispose()
    store = Store(open_engine(database_url, pool=1), clock=made.clock, randomness=made.randomness)
    store.engine.pool._timeout = 0.05
    with (
        store.engine.connect(),
        store.engine.connect(),
        pytest.raises(StoreUnavailable),
        store.housekeep() as session,
    ):
        session.connection()
    store.engine.dispose()


def test_a_reader_waits_for_no_writer(database_url):
    """An act may read while others hold every writer's connection and wait for its row; seen to fail with one pool."""
    made = make(database_url)
    made.engine.dispose()
    store = Store(open_engine(database_url, pool=1), clock=made.clock, randomness=made.randomness)
    with store.engine.connect(), store.engine.connect():
        assert notes(store) == []
        assert store.glance("SELECT 1") == 1
    store.engine.dispose()


def test_an_act_by_hand_on_the_engine_is_not_stopped_but_neither_is_it_hidden(store):
    """`Store.engine` is for the log's own tables and migrations; who uses it is a short list in the layout's laws."""
    with store.engine.begin() as connection:
        connection.execute(sa.insert(Note).values(id=1, text="x"))
    with pytest.raises(DBAPIError), store.engine.begin() as connection:
        connection.execute(sa.insert(Note).values(id=1, text="x"))


def test_what_need_not_last_does_not_wait_for_the_disk_and_is_there_all_the_same(database_url):
    """Seen to fail with the durable engine in the hasty one's place."""
    sqlite = database_url.startswith("sqlite")
    # the tests' own server is a hasty one, unless it is told otherwise
    store = make(database_url if sqlite else f"{database_url}&options=-csynchronous_commit%3Don")
    asked = "PRAGMA synchronous" if sqlite else "SHOW synchronous_commit"

    def setting(session):
        return session.connection().connection.driver_connection.execute(asked).fetchone()[0]

    with store.housekeep(lasting=False) as session:
        session.add(Visit(id=1))
        session.flush()
        hasty = setting(session)
    with store.housekeep() as session:
        durable = setting(session)
    with store.act(CLERK, "test.write", "note:1") as act:
        assert setting(act.session) == durable
    assert (hasty, durable) in ((1, 2), ("off", "on"))
    with store.read() as session:
        assert session.get(Visit, 1) is not None
    with pytest.raises(UnrecordedChange), store.housekeep(lasting=False) as session:
        session.add(Note(id=1, text="x"))
        session.flush()
    store.engine.dispose()


def test_what_was_written_last_is_known_by_its_octets_once(monkeypatch):
    """Seen to fail when: it grows without an end; what was taken stays."""
    monkeypatch.setattr("yinxin.store._written._MOST", 3)
    written = Written()
    records = {b"%d" % number: object() for number in range(5)}
    for data, record in records.items():
        written.keep(data, record)
    assert [written.take(data) for data in records] == [None, None, *list(records.values())[2:]]
    assert [written.take(data) for data in records] == [None] * 5
