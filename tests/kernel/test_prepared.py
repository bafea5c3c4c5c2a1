"""Prepared statements: what SQLAlchemy would answer, and no way past the laws."""

# ruff: noqa: PT012 - an act is refused as a whole, so the whole act stands where it raises

import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from tests.kernel.conftest import CLERK, Local, Note, Visit, make, notes
from yinxin.store import Instant, Sql, StoreUnavailable, UnrecordedChange, listed

EAST = timezone(timedelta(hours=8))


class Sample(Local):
    """A column of every kind that rows of the product have."""

    __tablename__ = "kernel_sample"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str | None]
    octets: Mapped[bytes | None]
    flag: Mapped[bool | None]
    at: Mapped[datetime | None] = mapped_column(Instant())
    facts: Mapped[dict | None] = mapped_column(sa.JSON)


TABLE = Sample.__table__
WRITE = Sql(sa.insert(TABLE), *TABLE.c.keys())
READ = Sql(sa.select(*TABLE.c).where(TABLE.c.id == sa.bindparam("of")))
NAMED = Sql(sa.select(TABLE.c.id).where(listed(TABLE.c.text, "texts")).order_by(TABLE.c.id))
RENAME = Sql(sa.update(TABLE).where(TABLE.c.id == sa.bindparam("of")).values(text=sa.bindparam("to")))
NOTE = Sql(sa.insert(Note.__table__), "id", "text")
VISIT = Sql(sa.insert(Visit.__table__), "id")
ROWS = [
    {
        "id": 1,
        "text": "字𬱖’%s",
        "octets": b"\x00\xff",
        "flag": True,
        "at": datetime(2026, 2, 3, 4, 5, 6, 7, EAST),
        "facts": {"甲": [1, None, {"b": "c"}]},
    },
    {"id": 2, "text": None, "octets": None, "flag": None, "at": None, "facts": None},
    {"id": 3, "text": "", "octets": b"", "flag": False, "at": datetime(1999, 1, 1, tzinfo=UTC), "facts": {}},
]


def test_values_go_in_and_come_out_as_by_sqlalchemy(store):
    """Written prepared and read by SQLAlchemy, and the other way round. Seen to fail without either conversion."""
    with store.act(CLERK, "test.write", "sample:all") as act:
        assert WRITE.run_many(act.connection, ROWS) == 3
        act.session.execute(sa.insert(TABLE), [{**each, "id": each["id"] + 3} for each in ROWS])
    with store.read() as session, store.look() as look:
        for each in ROWS:
            for of in (each["id"], each["id"] + 3):
                by_sqlalchemy = session.execute(sa.select(*TABLE.c).where(TABLE.c.id == of)).one()
                for row in (READ.first(session, {"of": of}), READ.first(look, {"of": of})):
                    assert row._asdict() == {**each, "id": of} == dict(by_sqlalchemy._mapping)
                    assert row.at is None or row.at.utcoffset() == timedelta(0)
        assert NAMED.scalars(look, {"texts": ["", "字𬱖’%s", "x'"]}) == [1, 3, 4, 6]
        assert NAMED.scalars(look, {"texts": ["x'", ""]}) == [3, 6]
        assert NAMED.scalars(look, {"texts": []}) == []
        assert READ.first(look, {"of": 99}) is None


def test_rows_are_read_one_after_another(store, monkeypatch):
    """As all at once; a reading that is left in the middle leaves nothing behind, and the next one begins anew.

    Seen to fail when only the first rows are asked for, and when the reading is not closed.
    """
    monkeypatch.setattr("yinxin.store._prepared._AT_ONCE", 2)
    everything = Sql(sa.select(*TABLE.c).order_by(TABLE.c.id))
    with store.act(CLERK, "test.write", "sample:all") as act:
        WRITE.run_many(act.connection, ROWS)
    with store.read() as session, store.look() as look:
        for within in (session, session.connection(), look):
            reading = everything.each(within, {})
            assert next(reading).id == 1
            reading.close()
            assert list(everything.each(within, {})) == everything.all(within, {}) != []


def test_what_the_session_holds_is_written_first_and_undone_with_it(store):
    """Seen to fail without the flush."""
    with store.act(CLERK, "test.write", "sample:1") as act:
        act.session.add(Sample(id=1, text="before"))
        assert READ.first(act.session, {"of": 1}).text == "before"
        assert RENAME.run(act.connection, {"of": 1, "to": "after"}) == 1
        assert RENAME.run(act.connection, {"of": 2, "to": "after"}) == 0
    with pytest.raises(ZeroDivisionError), store.act(CLERK, "test.write", "sample:1") as act:
        RENAME.run(act.connection, {"of": 1, "to": "undone"})
        raise ZeroDivisionError
    with store.look() as look:
        assert READ.first(look, {"of": 1}).text == "after"


def test_a_look_sees_one_state(store):
    with store.look() as look:
        assert NAMED.all(look, {"texts": ["x"]}) == []
        with store.act(CLERK, "test.write", "sample:1") as act:
            WRITE.run(act.connection, {**ROWS[1], "text": "x"})
        assert NAMED.all(look, {"texts": ["x"]}) == []
    with store.look() as look:
        assert NAMED.scalars(look, {"texts": ["x"]}) == [2]


def test_nothing_is_changed_without_a_record(store):
    """In Python, with the table's name; and by the database where it is asked directly.

    Seen to fail when a prepared statement does not ask what its transaction may change.
    """
    for begin in (store.look, store.read, store.housekeep, store.jot):
        with pytest.raises(UnrecordedChange, match="kernel_note"), begin() as within:
            NOTE.run(within, {"id": 1, "text": "x"})
    with pytest.raises(UnrecordedChange, match="kernel_note"):
        store.note(CLERK, "test.note", "x", within=lambda c: NOTE.run(c, {"id": 1, "text": "x"}) and None)
    with pytest.raises(UnrecordedChange, match="kernel_visit"), store.look() as look:
        VISIT.run(look, {"id": 1})
    with store.housekeep() as session:
        assert VISIT.run(session, {"id": 1}) == 1
    assert notes(store) == []


def test_what_is_jotted_down_is_there_or_nothing_of_it(store):
    """Seen to fail without the rollback, and without its question whether an act is under way."""
    seen = Sql(sa.select(Visit.id).order_by(Visit.id))
    with store.jot() as within:
        VISIT.run_many(within, [{"id": 1}, {"id": 2}])
    with pytest.raises(ZeroDivisionError), store.jot() as within:
        VISIT.run(within, {"id": 3})
        raise ZeroDivisionError
    with pytest.raises(IntegrityError), store.jot() as within:
        VISIT.run(within, {"id": 4})
        VISIT.run(within, {"id": 1})
    with store.look() as look:
        assert seen.scalars(look, {}) == [1, 2]
    with (
        store.act(CLERK, "test.outer", "x"),
        pytest.raises(RuntimeError, match="inside an act"),
        store.jot(),
    ):
        pass


def test_connections_are_handed_on_and_end_with_the_engine(store):
    """Seen to fail when one that was out while the engine was disposed of is kept."""
    if store.engine.dialect.name != "sqlite":
        pytest.skip("elsewhere the pool hands connections on")
    with store.look() as look:
        first = look.driver
    with store.look() as look, store.look() as other:
        assert look.driver is first is not other.driver
        store.engine.dispose()
        assert READ.first(look, {"of": 1}) is None
    for gone in (first, other.driver):
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            gone.execute("SELECT 1")
    with store.look() as look:
        assert READ.first(look, {"of": 1}) is None


def test_the_database_refuses_writing_in_a_look(store):
    with pytest.raises(Exception, match=r"readonly|read-only"), store.look() as look:
        driver = look.driver if hasattr(look, "driver") else look.connection.driver_connection
        driver.execute("INSERT INTO kernel_visit (id) VALUES (7)")
    with store.look() as look:
        assert Sql(sa.select(Visit.id)).all(look, {}) == []


def test_what_the_database_says_is_what_sqlalchemy_would_say(store):
    with store.act(CLERK, "test.write", "note:1") as act:
        NOTE.run(act.connection, {"id": 1, "text": "x"})
    with pytest.raises(IntegrityError) as caught, store.act(CLERK, "test.write", "note:1") as act:
        NOTE.run(act.connection, {"id": 1, "text": "a secret"})
    assert "a secret" not in str(caught.value)
    with store.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE kernel_visit"))
    if store.engine.dialect.name == "sqlite":
        with pytest.raises(StoreUnavailable), store.look() as look:
            Sql(sa.select(Visit.id)).all(look, {})
        with pytest.raises(StoreUnavailable), store.look() as look:
            list(Sql(sa.select(Visit.id)).each(look, {}))


def test_a_database_that_cannot_be_opened_now_is_unavailable(tmp_path):
    """As right after a crash, while another process puts it in order. Seen to fail with the driver's own error let through."""
    file = tmp_path / "held.sqlite"
    made = make(f"sqlite:///{file}")
    made.engine.dispose()
    file.unlink()
    (tmp_path / "held.sqlite").mkdir()
    with pytest.raises(StoreUnavailable), made.look():
        pass


def test_a_statement_that_is_not_settled_is_refused(store):
    """A value that SQLAlchemy would make at each use is nobody's."""
    made = sa.Table(
        "kernel_made",
        sa.MetaData(),
        sa.Column("id", sa.Integer),
        sa.Column("x", sa.Integer, default=lambda: 7),
    )
    with pytest.raises(TypeError), store.act(CLERK, "test.write", "x") as act:
        Sql(sa.insert(made), "id").run(act.connection, {"id": 1})
    with pytest.raises(KeyError), store.look() as look:
        READ.all(look, {})
