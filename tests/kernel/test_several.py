"""Acts of several requests in one transaction, each recorded with its own rows, as it would be alone; or none is done."""

from contextlib import suppress

import pytest
import sqlalchemy as sa

from tests.kernel.conftest import CLERK, Note, notes, recorded
from tests.kernel.test_rows import Part, said, whole
from yinxin.act import Outcome
from yinxin.errors import Unavailable
from yinxin.store import (
    RecordedRow,
    SourceRow,
    Sql,
    StoreUnavailable,
    UnrecordedChange,
    marking,
    request_scope,
)

pytestmark = pytest.mark.engines("both")

PARTS = Part.__table__
PUT = Sql(sa.insert(PARTS), "of", "at", "data", "sort")
ALTER = Sql(sa.update(PARTS).where(PARTS.c.of == sa.bindparam("name")).values(data=sa.bindparam("new")))


@pytest.fixture
def accounting(store):
    store.accounted = {each.__tablename__: each.__table__ for each in (Note, Part)}
    return store


class Trouble(Unavailable):
    code = "test.several_trouble"
    zh = "故障。"
    en = "Trouble."


def put(act, name):
    PUT.run(act.connection, {"of": name, "at": 1, "data": None, "sort": "plain"})


def test_each_has_its_own_record_rows_and_request(accounting):
    woken = []
    accounting.recorded.append(lambda: woken.append(True))
    with request_scope("outer") as outer, accounting.several() as several:
        with request_scope("r1") as first, several.act(CLERK, "test.write", "part:a") as act:
            act.facts["size"] = 1
            put(act, "a")
        with (
            request_scope("r2") as second,
            several.act(CLERK, "test.write", "part:b", outcome=Outcome.INTENT) as act,
        ):
            put(act, "b")
            act.session.add(Note(text="by its session"))
        with request_scope("r3"), several.act(CLERK, "test.look", "part:b"):
            pass
        assert (first, second) == ([], []), "told once it is so"
    events = recorded(accounting)
    assert [each["number"] for each in events] == [1, 2, 3]
    assert [each["request"] for each in events] == ["r1", "r2", "r3"]
    assert [each["outcome"] for each in events] == ["done", "intent", "done"]
    assert (events[0]["facts"], "rows" in events[2]) == ({"size": 1}, False)
    assert (first, second, outer, bool(woken)) == ([events[0]["id"]], [events[1]["id"]], [], True)
    with accounting.read() as session:
        by = [
            tuple(row)
            for row in session.execute(sa.select(RecordedRow.entry, RecordedRow.of, RecordedRow.key))
        ]
    assert sorted(by) == sorted([
        (events[0]["id"], "kernel_part", "a/1"),
        (events[1]["id"], "kernel_part", "b/1"),
        (events[1]["id"], "kernel_note", "1"),
    ])  # fmt: skip
    assert whole(accounting) == ["kernel_note/1", "kernel_part/a/1", "kernel_part/b/1"]


def test_a_later_one_finds_what_an_earlier_one_did(accounting):
    """The newest statement about a row is the later one's alone."""
    with accounting.several() as several:
        with several.act(CLERK, "test.write", "part:a") as act:
            put(act, "a")
        with several.act(CLERK, "test.write", "part:a") as act:
            assert ALTER.run(act.connection, {"name": "a", "new": b"x"}) == 1
    assert whole(accounting) == ["kernel_part/a/1"]
    said(accounting)
    assert len(recorded(accounting)) == 2


@pytest.mark.parametrize("trouble", [Trouble(), RuntimeError("a fault")])
def test_who_raises_leaves_nothing_not_even_a_refusal(accounting, trouble):
    with pytest.raises(type(trouble)), accounting.several() as several:  # noqa: PT012 - all of it is undone
        with several.act(CLERK, "test.write", "part:a") as act:
            put(act, "a")
        with several.act(CLERK, "test.write", "part:b") as act:
            put(act, "b")
            raise trouble
    assert (whole(accounting), recorded(accounting)) == ([], [])


def test_what_one_raises_undoes_all_though_it_is_caught(accounting):
    """Law 1. Seen to fail while nobody remembered it: its row was committed without a record."""
    with pytest.raises(RuntimeError), accounting.several() as several:  # noqa: PT012 - all of it is undone
        with several.act(CLERK, "test.write", "part:a") as act:
            put(act, "a")
        with suppress(Trouble), several.act(CLERK, "test.write", "part:b") as act:
            put(act, "b")
            raise Trouble
    assert (whole(accounting), recorded(accounting)) == ([], [])


def test_no_savepoint_is_open_where_an_act_begins(accounting):
    """Seen to fail while it was let through: the record committed to a row that was rolled back with the savepoint."""
    with pytest.raises(RuntimeError, match="savepoint"), accounting.several() as several:  # noqa: PT012 - all of it is undone
        undone = several.connection.begin_nested()
        with several.act(CLERK, "test.write", "part:a") as act:
            put(act, "a")
        undone.rollback()
    assert (whole(accounting), recorded(accounting)) == ([], [])


def test_no_savepoint_is_open_where_an_act_ends(accounting):
    """Seen to fail likewise."""
    with pytest.raises(RuntimeError, match="savepoint"), accounting.several() as several:  # noqa: PT012 - all of it is undone
        with several.act(CLERK, "test.write", "part:a") as act:
            undone = act.connection.begin_nested()
            put(act, "a")
        undone.rollback()
    assert (whole(accounting), recorded(accounting)) == ([], [])


def test_savepoints_between_acts_and_inside_one(accounting):
    with accounting.several() as several:
        several.connection.begin_nested().rollback()
        with several.act(CLERK, "test.write", "part:a") as act:
            put(act, "a")
            undone = act.connection.begin_nested()
            put(act, "b")
            undone.rollback()
    assert whole(accounting) == ["kernel_part/a/1"]
    assert len(recorded(accounting)) == 1


def test_one_of_many_records_is_recorded_alone(accounting):
    """Seen to fail while its further records were left out without a word."""
    with (
        pytest.raises(TypeError),
        accounting.several() as several,
        several.act(CLERK, "test.write", "part:a") as act,
    ):
        act.each(accounting.identifier(), "part:b")
    assert recorded(accounting) == []


def test_a_change_of_none_of_them_is_undone(accounting):
    """Law 1."""
    with pytest.raises(UnrecordedChange), accounting.several() as several:  # noqa: PT012
        with several.act(CLERK, "test.write", "part:a") as act:
            put(act, "a")
        several.connection.execute(sa.insert(Note).values(id=1, text="a"))
    with accounting.several():
        pass
    assert (notes(accounting), recorded(accounting)) == ([], [])


def test_without_an_act_nothing_is_written(accounting):
    """Of no table. Seen to fail (committed without a record) while the transaction ended as one with acts does."""
    accounting.accounted = {}
    with accounting.several() as several:
        several.connection.execute(sa.insert(Note).values(id=1, text="a"))
    assert (notes(accounting), recorded(accounting)) == ([], [])
    with accounting.several() as several:
        pass
    with accounting.read() as session:
        assert session.scalars(sa.select(SourceRow.last)).all() == []


def test_the_session_of_each_ends_with_it(accounting):
    """What it held a later one does not write. Seen to fail with the session left open."""
    with accounting.several() as several:
        with several.act(CLERK, "test.write", "note:1") as act:
            held = Note(text="a")
            act.session.add(held)
        assert sa.inspect(held).detached
        held.text = "b"
        with several.act(CLERK, "test.write", "note:2") as act:
            act.session.add(Note(text="c"))
    assert notes(accounting) == ["a", "c"]


def test_their_numbers_are_remembered(accounting):
    """Whoever turns the counter back has none come again. Seen to fail while those of several were forgotten."""
    with accounting.several() as several:
        for name in ("a", "b", "c"):
            with several.act(CLERK, "test.write", f"part:{name}") as act:
                put(act, name)
    with accounting.engine.begin() as connection:
        connection.execute(sa.update(SourceRow).values(last=0))
    with accounting.act(CLERK, "test.write", "part:d") as act:
        put(act, "d")
    assert [each["number"] for each in recorded(accounting)] == [1, 2, 3, 4]


def test_what_joins_a_record_joins_its_own(accounting):
    """A mark of one request is asked of that one's record; what it raises undoes all."""
    marked = []
    with accounting.several() as several:
        for number in (1, 2):

            def mark(_connection, event, number=number):
                marked.append((number, event.subject))

            with marking(mark), several.act(CLERK, "test.write", f"note:{number}"):
                pass
        with several.act(CLERK, "test.write", "note:3"):
            pass
    assert marked == [(1, "note:1"), (2, "note:2")]


def test_a_closed_gate_stops_it_and_acts_do_not_nest(accounting):
    """Law 7."""

    def closed():
        raise StoreUnavailable

    with accounting.act(CLERK, "test.write", "note:1"), pytest.raises(RuntimeError), accounting.several():
        pass
    with pytest.raises(RuntimeError), accounting.several(), accounting.act(CLERK, "test.write", "note:1"):
        pass
    accounting.gates.append(closed)
    with pytest.raises(StoreUnavailable), accounting.several():
        pass
