"""Personal facts: committed to in the leaf, opened for readers, held by the check; what an insider changes is named."""

import csv
import io

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from audit.entries import Filters
from audit.errors import LogUnavailable, OpeningBroken
from audit.export import octets
from audit.personal.models import OpeningRow
from audit.personal.opened import MARK
from audit.printed import entry_fields
from yinxin import canonical
from yinxin.act import SYSTEM
from yinxin.crypto.suite import INTL, SM
from yinxin.personal import Opening, Personal, PersonalInClear, UndeclaredPersonal, WrongOpening
from yinxin.store import OutboxRow

#: a value with what databases and forms stumble over
NAME, NOTE = "欧阳\0'\"<b>", "电话 1390000"


@pytest.fixture
def named(site):
    """Entry 0 without personal facts, 1 with two of two people, 2 with one of nobody's."""
    site.act("thing:0")
    site.event = site.act(
        "person:p-1", person_name=Personal(NAME, "p-1"), note=Personal(NOTE, "p-2"), colour="red"
    )
    site.act("thing:2", note=Personal(NOTE))
    site.log.sequence()
    site.log.checkpoint()
    site.log.index.catch_up()
    return site


def test_the_leaf_has_commitments_and_readers_the_values(named):
    entry = named.log.entry(named.event)
    event = entry.fields()
    assert event["facts"] == {"colour": "red"}
    assert MARK in entry.data
    for hidden in (NAME, NOTE, "欧阳", "1390000"):
        assert hidden.encode() not in entry.data
    assert event["personal"]["fields"]["person_name"]["of"] == "p-1"
    shown = {each.name: each for each in entry.personal()}
    assert (shown["person_name"].text.zh, shown["note"].text.zh) == (NAME, NOTE)
    assert entry_fields(entry)["personal"][0] == {
        "name": "note",
        "state": "open",
        "of": "p-2",
        "value": NOTE,
    }
    assert "personal" not in entry_fields(named.log.entries(Filters(subject="thing:0"))[0])
    report = named.log.check()
    assert (report.size, report.opened, report.erased) == (3, 3, 0)
    # the same value in two entries looks alike to nobody
    notes = [
        each.fields()["personal"]["fields"]["note"]["sha256"]
        for each in named.log.entries()
        if MARK in each.data
    ]
    assert len(set(notes)) == 2
    # whose data it is finds the entry; a spreadsheet has the values, JSON Lines the leaves
    assert [each.event for each in named.log.entries(Filters(person="p-2"))] == [named.event]
    table = b"".join(octets(named.log.entries(Filters(person="p-2")), "csv")).decode("utf-8-sig")
    assert NOTE in next(csv.DictReader(io.StringIO(table)))["personal"]
    assert NOTE.encode() not in b"".join(octets(named.log.entries(), "jsonl"))
    with named.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(OutboxRow)) == 0


@pytest.mark.engines("any")
def test_a_commitment_fits_its_own_field_of_its_own_entry(named):
    entry = named.log.entry(named.event)
    committed = entry.fields()["personal"]["fields"]
    own = {each.name: each.opening for each in entry.personal()}
    own["note"].verify(entry.event, "note", committed["note"])
    wrong = [
        (Opening(own["note"].salt, NOTE + "1"), entry.event, "note"),
        (Opening(own["person_name"].salt, NOTE), entry.event, "note"),
        (Opening(own["note"].salt[:15], NOTE), entry.event, "note"),
        (own["note"], "another", "note"),
        (own["note"], entry.event, "grounds"),
    ]
    for opening, event, name in wrong:
        with pytest.raises(WrongOpening):
            opening.verify(event, name, committed["note"])
    for suite in (INTL, SM):  # each world's commitment counts
        bent = committed["note"] | {suite.hash.name: "00" * 32}
        with pytest.raises(WrongOpening):
            own["note"].verify(entry.event, "note", bent)


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ("UPDATE audit_opening SET value = salt WHERE name = 'person_name'", "person_name", "commits"),
        ("UPDATE audit_opening SET salt = value WHERE name = 'person_name'", "person_name", "commits"),
        ("UPDATE audit_opening SET person = 'p-9' WHERE person = 'p-2'", "note", "commits"),
        ("UPDATE audit_opening SET \"index\" = 0 WHERE name = 'person_name'", "person_name", "no such field"),
        ("UPDATE audit_opening SET name = 'contact' WHERE name = 'person_name'", "person_name", "missing"),
        ("DELETE FROM audit_opening WHERE person = 'p-2'", "note", "missing"),
        ("INSERT INTO audit_erased VALUES (1, 'note', 'nobody')", "note", "erased and is there"),
    ],
)
def test_insiders_are_named(named, change, field, reason):
    with pytest.raises(DBAPIError, match="insert-only"):
        named.execute(change if "INSERT" not in change else "DELETE FROM audit_opening")
    named.drop_triggers()
    named.execute(change)
    with pytest.raises(OpeningBroken) as broken:
        named.log.check()
    assert broken.value.facts["field"] == field
    assert reason in broken.value.text("en")
    if reason == "commits":  # readers are not shown it
        shown = {each.name: each for each in named.log.entry(named.event).personal()}
        assert (shown[field].state, shown[field].opening) == ("altered", None)


def test_an_opening_of_another_making_stops_the_log(site):
    site.act("thing:1", note=Personal(NOTE, "p-1"))
    row = {"note": {"of": "p-1", "salt": "00" * 16, "value": "forged"}}
    with site.engine.begin() as connection:
        connection.execute(sa.update(OutboxRow).values(personal=canonical.encode(row)))
    with pytest.raises(LogUnavailable):
        site.log.sequence()
    with site.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(OpeningRow)) == 0


@pytest.mark.engines("any")
@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"note": "plain"}, PersonalInClear),
        ({"inner": {"contact": "x"}}, PersonalInClear),
        ({"inner": [{"grounds": "x"}]}, PersonalInClear),
        ({"nickname": Personal("x")}, UndeclaredPersonal),
        ({"note": Personal("x")}, UndeclaredPersonal),
    ],
)
def test_what_is_personal_is_declared_and_never_in_the_clear(site, facts, error):
    """The act is undone, and its refusal recorded without what it was refused for."""
    site.store.personal = {"test.other": frozenset({"note"})}
    with pytest.raises(error):
        site.act("thing:1", **facts)
    with pytest.raises(error):
        site.store.note(SYSTEM, "test.act", "thing:1", **facts)
    site.log.sequence()
    (entry,) = site.log.entries()
    assert entry.outcome == "refused"
    assert "facts" not in entry.fields()
    assert entry.personal() == ()
    site.act("thing:2", "test.other", note=Personal("x"))


@pytest.mark.engines("any")
def test_a_refusal_keeps_its_personal_facts_hidden(site):
    with pytest.raises(ZeroDivisionError):
        _fail(site)
    site.log.sequence()
    (entry,) = site.log.entries()
    assert entry.outcome == "failed"
    assert [each.text.en for each in entry.personal()] == [NOTE]


def _fail(site):
    with site.store.act(SYSTEM, "test.act", "thing:1") as act:
        act.facts["note"] = Personal(NOTE, "p-1")
        raise ZeroDivisionError
