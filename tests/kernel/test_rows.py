"""The record of an act says of every row it changed what the row says now, whoever wrote the statement.

Seen to fail when: a statement of `Sql` is not looked at; an UPDATE's rows are looked for after it; the salt of an older
statement stays; a refused act's rows are recorded; rows are digested without their salt; a statement of `Sql`, or one that
returns rows, is not asked how many it met; a row is digested as it was given though it was altered, removed or undone later in
the act, or is kept in another form.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from tests.kernel.conftest import CLERK, Local, Note, Visit, recorded
from yinxin import canonical
from yinxin.act import SYSTEM
from yinxin.canonical import NotCanonical
from yinxin.clock import UTC_PLUS_8
from yinxin.errors import Invalid
from yinxin.store import LONG, RecordedRow, RowsMoved, Sql, committed, shape_of, take_stock
from yinxin.store._base import Instant
from yinxin.store._rows import Changed
from yinxin.store._shape import Shape, _plain

pytestmark = pytest.mark.engines("both")


class Part(Local):
    """Two columns of a key, a number that the database gives, octets, a default."""

    __tablename__ = "kernel_part"
    of: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes | None]
    sort: Mapped[str] = mapped_column(server_default="plain")


class Kept(Local):
    """A column of every type whose values are digested as they were given, and one of another."""

    __tablename__ = "kernel_kept"
    id: Mapped[int] = mapped_column(LONG, primary_key=True)
    short: Mapped[str | None] = mapped_column(sa.String(4))
    text: Mapped[str | None] = mapped_column(sa.Text)
    octets: Mapped[bytes | None]
    small: Mapped[int | None]
    flag: Mapped[bool | None]
    at: Mapped[datetime | None] = mapped_column(Instant)
    sort: Mapped[str | None] = mapped_column(server_default="plain")
    more: Mapped[Any | None] = mapped_column(sa.JSON)


#: that table's rows, given whole
KEEP = Sql(sa.insert(Kept.__table__), *Kept.__table__.columns.keys())


def kept(number, **values):
    return {**dict.fromkeys(Kept.__table__.columns.keys()), "id": number, **values}


class Text(StrEnum):
    PLAIN = "plain"


#: what is given, and whether the database is believed to keep it so
GIVEN = [
    ({}, True),
    ({"short": "四个字符", "text": 'é\u2028"\\ \t' + "长" * 5000, "octets": b"\0\xff" * 3000, "small": -(2**31)}, True),
    ({"id": 2**53, "flag": False, "at": datetime.max.replace(tzinfo=UTC), "sort": "other"}, True),
    ({"at": datetime(2026, 11, 30, 8, 0, 0, 1, tzinfo=UTC_PLUS_8), "flag": True, "sort": "plain", "short": ""}, True),
    ({"short": "abc     "}, False),  # PostgreSQL cuts it to four characters
    ({"sort": Text.PLAIN}, False),
    ({"octets": bytearray(b"o")}, False),
    ({"more": {"é": [1.5, None], "a": True}}, False),
]  # fmt: skip


class Refused(Invalid):
    code = "kernel.refused"
    zh = "否"
    en = "no"


@pytest.fixture
def accounting(store):
    store.accounted = {each.__tablename__: each.__table__ for each in (Note, Part)}
    return store


@pytest.fixture
def keeping(store):
    store.accounted = {Kept.__tablename__: Kept.__table__}
    return store


def said(store):
    """Of each row what the newest record says, opened; every record's commitment is held against what stands beside it."""
    newest = {}
    with store.read() as session:
        for event in recorded(store):
            rows = session.scalars(
                sa.select(RecordedRow).where(RecordedRow.entry == event["id"]).order_by(RecordedRow.number)
            ).all()
            assert event.get("rows") == (committed((r.of, r.key, r.digest) for r in rows) if rows else None)
            newest |= {(row.of, row.key): row for row in rows}
        opened = session.scalar(sa.select(sa.func.count()).where(RecordedRow.salt.is_not(None)))
        assert opened == sum(bool(row.digest) for row in newest.values())
        return {key: (row.digest, row.salt) for key, row in newest.items()}


def whole(store):
    """Everything that is there is what was said, and the other way round; gives the keys."""
    told = said(store)
    there = {}
    with store.read() as session:
        for name, table in store.accounted.items():
            shape = shape_of(table)
            there |= {(name, key): (row, shape) for key, row in shape.every(session.connection())}
    assert there.keys() == {key for key, (digest, _) in told.items() if digest}
    for key, (row, shape) in there.items():
        digest, salt = told[key]
        assert shape.digest(row, salt) == digest
    return sorted(f"{of}/{key}" for of, key in there)


def test_rows_by_objects(accounting):
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        act.session.add_all([Note(text="a"), Note(text="b"), Part(of="x", at=1, data=b"1")])
    assert whole(accounting) == ["kernel_note/1", "kernel_note/2", "kernel_part/x/1"]
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        act.session.get_one(Note, 1).text = "c"
        act.session.delete(act.session.get_one(Note, 2))
    assert whole(accounting) == ["kernel_note/1", "kernel_part/x/1"]
    with accounting.act(CLERK, "kernel.read", "note:1") as act:
        act.session.get_one(Note, 1)
        act.session.add(Visit(id=1))
    assert "rows" not in recorded(accounting)[-1]


def test_rows_by_statements(accounting):
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        act.session.execute(sa.insert(Part), [{"of": "x", "at": at} for at in range(4)])
        act.session.execute(sa.insert(Part).values(of="y", at=1, sort="other"))
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        act.session.execute(sa.update(Part).where(Part.at > 1).values(at=Part.at, data=b"2"))
        act.session.execute(sa.delete(Part).where(Part.sort == "other"))
    assert whole(accounting) == [f"kernel_part/x/{at}" for at in range(4)]
    # met no more by the statement that has altered them
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        assert (
            act.session.execute(sa.update(Part).where(Part.sort == "plain").values(sort="other")).rowcount
            == 4
        )
    assert whole(accounting) == [f"kernel_part/x/{at}" for at in range(4)]


def test_rows_by_prepared_statements(accounting):
    table = Part.__table__
    put = Sql(sa.insert(table), "of", "at", "data", "sort")
    alter = Sql(sa.update(table).where(table.c.at == sa.bindparam("which")).values(data=sa.bindparam("new")))
    gone = Sql(sa.delete(table).where(table.c.of == sa.bindparam("name")))
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        put.run_many(act.connection, [{"of": "x", "at": at, "data": None, "sort": "plain"} for at in (1, 2)])
        put.run(act.connection, {"of": "y", "at": 2, "data": None, "sort": "plain"})
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        alter.run(act.connection, {"which": 2, "new": b"n"})
    assert whole(accounting) == ["kernel_part/x/1", "kernel_part/x/2", "kernel_part/y/2"]
    moved = Sql(sa.update(table).where(table.c.sort == sa.bindparam("was")).values(sort=sa.bindparam("new")))
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        assert moved.run(act.connection, {"was": "plain", "new": "other"}) == 3
    assert whole(accounting) == ["kernel_part/x/1", "kernel_part/x/2", "kernel_part/y/2"]
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        gone.run(act.connection, {"name": "x"})
    assert whole(accounting) == ["kernel_part/y/2"]


def test_a_row_is_digested_as_it_was_given_only_where_it_is_kept_so(keeping, monkeypatch):
    """Every kind of value, on both databases, reads as it was digested; what would not is read for it."""
    shape, read = shape_of(Kept.__table__), set()
    looked = Shape.read
    monkeypatch.setattr(
        Shape, "read", lambda self, within, keys: read.update(keys) or looked(self, within, keys)
    )
    rows = [kept(number, **values) for number, (values, _) in enumerate(GIVEN, 1)]
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        KEEP.run_many(act.connection, rows)
    assert len(whole(keeping)) == len(GIVEN)
    assert read == {(row["id"],) for row, (_, believed) in zip(rows, GIVEN, strict=True) if not believed}
    assert shape.given(rows[0]) == [1, *[None] * 8]
    assert shape.given(kept(1, small=True)) is None


def test_a_row_of_which_a_part_was_given_is_read(accounting):
    """The database adds the rest. Seen to fail (a fault) with the values of any INSERT taken for the whole row."""
    put = Sql(sa.insert(Part.__table__), "of", "at")
    with accounting.act(CLERK, "kernel.write", "part:x") as act:
        put.run_many(act.connection, [{"of": "x", "at": 1}, {"of": "x", "at": 2}])
    assert whole(accounting) == ["kernel_part/x/1", "kernel_part/x/2"]


def test_a_row_that_changes_later_in_its_act_is_read(keeping):
    table = Kept.__table__
    alter = Sql(sa.update(table).where(table.c.id == sa.bindparam("which")).values(text=sa.bindparam("new")))
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        KEEP.run_many(act.connection, [kept(number, text="a") for number in range(1, 7)])
        alter.run(act.connection, {"which": 1, "new": "b"})
        act.session.execute(sa.update(Kept).where(Kept.id == 2).values(text="c"))
        act.session.execute(sa.delete(Kept).where(Kept.id == 3))
        act.session.execute(sa.delete(Kept).where(Kept.id == 4))
        KEEP.run(act.connection, kept(4, text="d"))
    assert whole(keeping) == [f"kernel_kept/{number}" for number in (1, 2, 4, 5, 6)]
    with keeping.act(CLERK, "kernel.write", "kept:7") as act:
        act.session.execute(sa.delete(Kept).where(Kept.id == 5))
        KEEP.run(act.connection, kept(5, text="e"))
        undone = act.connection.begin_nested()
        KEEP.run(act.connection, kept(7))
        undone.rollback()
    assert whole(keeping) == [f"kernel_kept/{number}" for number in (1, 2, 4, 5, 6)]


@pytest.mark.engines("any")
def test_a_new_row_that_the_database_alters_by_itself_shows(keeping):
    """The log says what the act put in: who has the database change that has no record of it."""
    altered = "UPDATE kernel_kept SET text = 'theirs' WHERE id = NEW.id"
    with keeping.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TRIGGER t AFTER INSERT ON kernel_kept BEGIN {altered}; END")
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        KEEP.run(act.connection, kept(1, text="ours"))
    with keeping.read() as session:
        (stands,) = session.execute(sa.select(*Kept.__table__.columns)).all()
    digest, salt = said(keeping)["kernel_kept", "1"]
    shape = shape_of(Kept.__table__)
    ours = shape.given(kept(1, text="ours"))
    assert stands.text == "theirs"
    assert digest == shape.digest(ours, salt) != shape.digest(stands, salt)


ALTER = Sql(
    sa.update(Kept.__table__)
    .where(Kept.__table__.c.id == sa.bindparam("which"), Kept.__table__.c.text != "over")
    .values(text=sa.bindparam("new"))
)


def test_a_row_that_is_named_by_its_key_is_neither_looked_for_nor_read(keeping, monkeypatch):
    """Whoever knows what it says now tells it with the change. Seen to fail when its older statement stays."""
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        KEEP.run_many(act.connection, [kept(number, text="a") for number in range(1, 6)])
    looked, read = Changed.found, Shape.read
    monkeypatch.delattr(Changed, "found")
    monkeypatch.setattr(Shape, "read", lambda _self, _within, keys: dict.fromkeys(keys))
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        given = [{"which": number, "new": "b"} for number in (1, 2)]
        assert ALTER.run_many(act.connection, given, [kept(number, text="b") for number in (1, 2)]) == 2
        KEEP.run(act.connection, kept(6, text="a"))
        ALTER.run_many(act.connection, [{"which": 6, "new": "b"}], [kept(6, text="b")])
    monkeypatch.setattr(Shape, "read", read)
    assert len(whole(keeping)) == 6
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        assert ALTER.run(act.connection, {"which": 3, "new": "c"}) == 1
        assert ALTER.run(act.connection, {"which": 99, "new": "c"}) == 0
    assert len(whole(keeping)) == 6
    # read after all where it changes later in the act, or a part of the act is undone
    monkeypatch.setattr(Changed, "found", looked, raising=False)
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        for number in (3, 4):
            ALTER.run_many(act.connection, [{"which": number, "new": "d"}], [kept(number, text="d")])
        ALTER.run(act.connection, {"which": 3, "new": "e"})
        act.session.execute(sa.update(Kept).where(Kept.text == "d").values(text="f"))
        undone = act.connection.begin_nested()
        ALTER.run_many(act.connection, [{"which": 5, "new": "d"}], [kept(5, text="d")])
        undone.rollback()
    assert len(whole(keeping)) == 6
    with keeping.read() as session:
        texts = sa.select(Kept.text).order_by(Kept.id)
        assert session.scalars(texts).all() == ["b", "b", "e", "f", "a", "b"]


def test_what_somebody_altered_before_is_not_made_good_by_who_knows_the_row(keeping):
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        KEEP.run(act.connection, kept(1, text="a", short="ours"))
    with keeping.engine.begin() as connection:
        connection.execute(sa.update(Kept.__table__).values(short="them"))
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        ALTER.run_many(act.connection, [{"which": 1, "new": "b"}], [kept(1, text="b", short="ours")])
    digest, salt = said(keeping)["kernel_kept", "1"]
    shape = shape_of(Kept.__table__)
    assert digest == shape.digest(shape.given(kept(1, text="b", short="ours")), salt)


def test_of_many_rows_named_by_their_keys_all_are_met_or_none(keeping):
    """Seen to fail when the rows that were not met are said to be so."""
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        KEEP.run_many(act.connection, [kept(1, text="a"), kept(2, text="over")])
    given = [{"which": number, "new": "b"} for number in (1, 2)]
    rows = [kept(number, text="b") for number in (1, 2)]
    with pytest.raises(RowsMoved), keeping.act(CLERK, "kernel.write", "kept:1") as act:
        ALTER.run_many(act.connection, given, rows)
    # whoever goes on all the same has said what the rows say; seen to fail while they were forgotten
    with keeping.act(CLERK, "kernel.write", "kept:1") as act, suppress(RowsMoved):
        ALTER.run_many(act.connection, given, rows)
    assert whole(keeping) == ["kernel_kept/1", "kernel_kept/2"]
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        assert ALTER.run_many(act.connection, given[1:], rows[1:]) == 0
        # one that is given twice is looked for
        assert ALTER.run_many(act.connection, [given[0], given[0]], [rows[0], rows[0]]) == 2
    assert whole(keeping) == ["kernel_kept/1", "kernel_kept/2"]


@pytest.mark.engines("any")
def test_a_key_that_the_database_takes_for_another_is_looked_for(keeping):
    """Seen to fail when any value is believed to be the key: `true` is no number."""
    with keeping.act(CLERK, "kernel.write", "kept:1") as act:
        KEEP.run(act.connection, kept(1, text="a"))
    for key in (True, "1"):
        with keeping.act(CLERK, "kernel.write", "kept:1") as act:
            assert ALTER.run(act.connection, {"which": key, "new": "b"}) == 1
        assert whole(keeping) == ["kernel_kept/1"]


@pytest.mark.engines("any")
def test_rows_that_the_database_writes_itself(accounting, monkeypatch):
    monkeypatch.setitem(Note.__table__.info, "followed", ("kernel_part", "at"))
    shape_of.cache_clear()
    written = "INSERT INTO kernel_part (of, at) VALUES (NEW.text, NEW.id)"
    with accounting.engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TRIGGER t AFTER UPDATE ON kernel_note BEGIN {written}; END")
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        act.session.add(Note(text="a"))
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        act.session.get_one(Note, 1).text = "b"
    assert whole(accounting) == ["kernel_note/1", "kernel_part/b/1"]


def test_what_is_refused_says_nothing(accounting):
    def refused(act):
        act.session.add(Note(text="a"))
        act.session.flush()
        raise Refused

    with pytest.raises(Refused), accounting.act(CLERK, "kernel.write", "note:1") as act:
        refused(act)
    assert whole(accounting) == []
    assert "rows" not in recorded(accounting)[-1]


def test_a_record_that_cannot_be_made_says_nothing_of_rows(accounting):
    with pytest.raises(NotCanonical), accounting.act(CLERK, "kernel.write", "note:1", share=0.5) as act:
        act.session.add(Note(text="a"))
    assert whole(accounting) == []
    assert "rows" not in recorded(accounting)[-1]


_OF = Part.__table__.c.of == sa.bindparam("name")
_GIVEN = {"name": "x", "new": b"n"}
_SET = sa.update(Part.__table__).values(data=sa.bindparam("new"))
MEETING = {
    "statement": lambda act: act.session.execute(sa.update(Part).where(Part.of == "x").values(data=b"n")),
    "delete": lambda act: act.session.execute(sa.delete(Part).where(Part.of == "x")),
    "prepared": lambda act: Sql(_SET.where(_OF)).run(act.connection, _GIVEN),
    "prepared, many": lambda act: Sql(_SET.where(_OF)).run_many(act.connection, [_GIVEN]),
    "prepared, returning": lambda act: Sql(_SET.where(_OF).returning(Part.__table__.c.at)).all(act.connection, _GIVEN),
    "returning": lambda act: act.connection.execute(
        sa.delete(Part.__table__).where(Part.of == "x").returning(Part.at)
    ).all(),
}  # fmt: skip


@pytest.mark.parametrize("meets", MEETING)
def test_rows_that_another_put_in_meanwhile_are_no_act(accounting, monkeypatch, meets):
    """A row that came between the look at what a statement will meet and the statement itself could not be told of."""
    if (accounting.engine.dialect.name, meets) == ("sqlite", "returning"):
        pytest.skip(
            "SQLite has one transaction that writes at a time, and cannot say what it has not given out"
        )
    with accounting.act(CLERK, "kernel.write", "part:x") as act:
        act.session.add_all([Part(of="x", at=1), Part(of="x", at=2)])
    found = Changed.found
    monkeypatch.setattr(Changed, "found", lambda self, table, keys: found(self, table, keys[:-1]))
    with pytest.raises(RowsMoved) as told, accounting.act(CLERK, "kernel.write", "part:x") as act:
        MEETING[meets](act)
    assert told.value.retryable
    assert recorded(accounting)[-1]["error"] == "store.rows_moved"
    assert whole(accounting) == ["kernel_part/x/1", "kernel_part/x/2"]
    monkeypatch.undo()
    with accounting.act(CLERK, "kernel.write", "part:x") as act:
        MEETING[meets](act)
    whole(accounting)


@pytest.mark.parametrize("meets", MEETING)
def test_an_act_and_another_at_the_same_moment(accounting, monkeypatch, meets):
    """PostgreSQL shows a statement what was committed until it began: more than the look before it."""
    if accounting.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one transaction that writes at a time")
    with accounting.act(CLERK, "kernel.write", "part:x") as act:
        act.session.add(Part(of="x", at=1))
    found = Changed.found

    def beside():
        with accounting.act(CLERK, "kernel.write", "part:x") as act:
            act.session.add(Part(of="x", at=2))

    def overtaken(self, table, keys):
        found(self, table, keys)
        with ThreadPoolExecutor(1) as other:
            other.submit(beside).result()

    monkeypatch.setattr(Changed, "found", overtaken)
    with pytest.raises(RowsMoved), accounting.act(CLERK, "kernel.write", "part:x") as act:
        MEETING[meets](act)
    monkeypatch.undo()
    assert whole(accounting) == ["kernel_part/x/1", "kernel_part/x/2"]
    with accounting.act(CLERK, "kernel.write", "part:x") as act:
        MEETING[meets](act)
    whole(accounting)


def test_rows_that_nobody_can_name_are_no_act(accounting):
    several = sa.insert(Part).values([{"of": "x", "at": 1}, {"of": "x", "at": 2}])
    chosen = sa.insert(Part).from_select(["of", "at"], sa.select(sa.literal("x"), sa.literal(1)))
    for statement in (several, chosen):
        with pytest.raises(TypeError), accounting.act(CLERK, "kernel.write", "note:1") as act:
            act.session.execute(statement)
    assert whole(accounting) == []


def test_a_row_that_comes_back_and_one_that_is_put_over_another(accounting):
    """Seen to fail when what an upsert meets, or a row removed and put back in one act, counts as new."""
    insert = {"sqlite": sqlite, "postgresql": postgresql}[accounting.engine.dialect.name].insert(
        Part.__table__
    )
    put = Sql(
        insert.on_conflict_do_update(index_elements=["of", "at"], set_={"data": insert.excluded.data}),
        *("of", "at", "data"),
    )
    gone = Sql(sa.delete(Part.__table__).where(Part.__table__.c.at == sa.bindparam("which")))
    for octets in (b"1", b"2"):
        with accounting.act(CLERK, "kernel.write", "part:x") as act:
            put.run(act.connection, {"of": "x", "at": 1, "data": octets})
        whole(accounting)
    with accounting.act(CLERK, "kernel.write", "part:x") as act:
        gone.run(act.connection, {"which": 1})
        act.session.add(Part(of="x", at=1, data=b"3"))
    assert whole(accounting) == ["kernel_part/x/1"]
    for change in (
        lambda act: gone.run(act.connection, {"which": 1}),
        lambda act: act.session.add(Part(of="x", at=1)),
    ):
        with accounting.act(CLERK, "kernel.write", "part:x") as act:
            change(act)
        whole(accounting)
    with accounting.act(CLERK, "kernel.write", "part:y") as act:
        act.session.add(Part(of="y", at=2))
        act.session.flush()
        gone.run(act.connection, {"which": 2})
    assert whole(accounting) == ["kernel_part/x/1"]


def test_many_rows_by_their_keys_are_asked_for_together(accounting):
    """Those that the statement will meet, and no other. Seen to fail without the rest of its conditions."""
    table = Note.__table__
    alter = Sql(
        sa.update(table)
        .where(table.c.id == sa.bindparam("of"), table.c.text != "kept")
        .values(text=sa.bindparam("to"))
    )
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        act.session.add_all([Note(id=at, text="kept" if at % 3 == 0 else "a") for at in range(1, 251)])
    # the number of rows that are met is held against those that were found
    for which in (range(1, 260), (1, 2, 2)):
        with accounting.act(CLERK, "kernel.write", "note:1") as act:
            alter.run_many(act.connection, [{"of": at, "to": "b"} for at in which])
        assert len(whole(accounting)) == 250
    with accounting.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(Note.text == "b")) == 167


@pytest.mark.engines("any")
@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(st.characters(exclude_categories=["Cs"])),
            st.integers(),
            st.binary(max_size=40),
            st.booleans(),
            st.datetimes(timezones=st.just(UTC)),
        ),
        min_size=4,
        max_size=4,
    )
)
def test_what_is_digested_is_the_canonical_form(values):
    """Written past the encoder, it is what the encoder would write (RFC 8785)."""
    said = {
        name: _plain(value)
        for name, value in zip(("of", "at", "data", "sort"), values, strict=True)
        if value is not None and (name, _plain(value)) != ("sort", "plain")
    }
    octets = b"salt" + canonical.encode(["kernel_part", said])
    assert shape_of(Part.__table__).digest(values, b"salt") == hashlib.sha256(octets).hexdigest()
    texts = [(_plain(each) or "", 'é\u2028"\\', "") for each in values]
    told = hashlib.sha256(canonical.encode([list(each) for each in texts])).hexdigest()
    assert committed(texts) == told


def test_the_same_row_twice_is_never_said_alike(accounting):
    for text in "aba":
        with accounting.act(CLERK, "kernel.write", "note:1") as act:
            act.session.merge(Note(id=1, text=text))
    with accounting.read() as session:
        assert len(set(session.scalars(sa.select(RecordedRow.digest)))) == 3


def test_a_column_added_later_changes_nothing(accounting):
    shape = shape_of(Part.__table__)
    older = sa.Table(
        "kernel_part", sa.MetaData(), *(c._copy() for c in Part.__table__.columns if c.key in ("of", "at"))
    )
    assert shape.digest(("x", 1, None, "plain"), b"s") == shape_of(older).digest(("x", 1), b"s")
    assert shape.digest(("x", 1, None, "other"), b"s") != shape_of(older).digest(("x", 1), b"s")


def test_rows_from_before_are_stated_once(accounting):
    tables, accounting.accounted = accounting.accounted, {}
    with accounting.act(CLERK, "kernel.write", "note:1") as act:
        act.session.add_all([Note(text="a"), Note(text="b")])
    assert "rows" not in recorded(accounting)[-1]
    accounting.accounted = tables
    assert take_stock(accounting, SYSTEM, "kernel.take-stock") == 2
    assert whole(accounting) == ["kernel_note/1", "kernel_note/2"]
    assert recorded(accounting)[-1]["facts"] == {"rows": 2, "tables": ["kernel_note", "kernel_part"]}
    # of a table that was empty then it is not taken again: who puts a row in would have it made good
    with accounting.engine.begin() as connection:
        connection.execute(sa.insert(Part).values(of="x", at=1))
    assert take_stock(accounting, SYSTEM, "kernel.take-stock") == 0
    assert said(accounting).keys() - {("kernel_note", ""), ("kernel_part", "")} == {
        ("kernel_note", "1"),
        ("kernel_note", "2"),
    }
