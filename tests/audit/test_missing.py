"""A record that never reached the log: whoever removes, copies or puts in a row on its way there is found by the numbers.

Seen to fail when: numbers are not looked at, the last ones are not held against their counters, a counter that was turned
back is believed, numbers leave with the content of an entry for an archive, the single-file verifier does not count.
"""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from audit import LogTampered
from audit.cli import group
from audit.errors import RecordsMissing
from audit.stretch import prove
from yinxin import evidence
from yinxin.act import SYSTEM, Event, Outcome
from yinxin.evidence import Question, RecordsMissed
from yinxin.evidence.numbers import Tally, told
from yinxin.evidence.standalone import verify as standalone
from yinxin.store import OutboxRow
from yinxin.text import Text

from .people import Deciding, actor

pytestmark = pytest.mark.engines("any")


def put(site, **fields):
    """A row in the outbox that the store did not write."""
    record = Event(
        site.store.identifier(), site.store.clock.now(), SYSTEM, "test.act", "thing:0", Outcome.DONE, **fields
    )
    with site.engine.begin() as connection:
        connection.execute(sa.insert(OutboxRow).values(id=record.id, data=record.encode()))
    return record.id


def faults(site):
    with pytest.raises(RecordsMissing) as found:
        site.log.check()
    return found.value.facts["faults"]


def settled(site):
    site.log.sequence()
    site.log.checkpoint()


def test_what_the_manual_says_is_not_seen(site):
    """Numbers are no signatures: docs/audit/numbers.md and the threat model say so, and are to be changed when this is."""
    changed = site.act()
    with site.engine.begin() as connection:
        connection.execute(sa.text("UPDATE outbox_source SET last = last + 1"))
    put(site, source="writer-1", number=2)
    with site.engine.begin() as connection:
        data = connection.scalar(sa.select(OutboxRow.data).where(OutboxRow.id == changed))
        other = data.replace(b"thing:1", b"thing:9")
        connection.execute(sa.update(OutboxRow).where(OutboxRow.id == changed).values(data=other))
    site.act()
    settled(site)
    assert site.log.check().size == 3
    assert site.log.entry(changed).subject == "thing:9"


@pytest.mark.engines("both")
def test_a_row_removed_on_its_way_is_named_by_its_neighbours(site):
    first, gone, last = site.act(), site.act(), site.act()
    site.execute("DELETE FROM outbox WHERE id = :id", id=gone)
    settled(site)
    found = faults(site)
    assert found.en == f"number 2 of writer-1 is missing, between entry 0, {first} and entry 1, {last}"
    assert found.zh == f"来源 writer-1 缺第 2 号：在 第 0 条 {first} 与 第 1 条 {last} 之间"


def test_several_in_a_row_and_while_they_wait(site):
    settled_ = site.act()
    settled(site)
    gone, last = [site.act(), site.act()], site.act()
    for each in gone:
        site.execute("DELETE FROM outbox WHERE id = :id", id=each)
    assert (
        faults(site).en
        == f"numbers 2 to 3 of writer-1 are missing, between entry 0, {settled_} and record {last}, which waits for the log"
    )


def test_the_last_one_is_missed_by_its_counter(site):
    first = site.act()
    gone = site.act()
    site.execute("DELETE FROM outbox WHERE id = :id", id=gone)
    settled(site)
    assert faults(site).en == f"number 2 of writer-1 is missing, between entry 0, {first} and nothing since"


@pytest.mark.engines("both")
@pytest.mark.parametrize("counter", ["UPDATE outbox_source SET last = 1", "DELETE FROM outbox_source"])
def test_the_counter_turned_back_as_well(site, counter):
    """The process that acted remembers; and a counter that was removed, or is behind the log, is named."""
    first = site.act()
    gone = site.act()
    site.execute("DELETE FROM outbox WHERE id = :id", id=gone)
    site.execute(counter)
    last = site.act()
    settled(site)
    assert faults(site).en == f"number 2 of writer-1 is missing, between entry 0, {first} and entry 1, {last}"


def test_a_counter_behind_the_log(site):
    site.act()
    site.act()
    settled(site)
    site.execute("UPDATE outbox_source SET last = 1")
    assert faults(site).en == "the counter of writer-1 says 1, the log has 2"
    site.execute("DELETE FROM outbox_source")
    assert faults(site).zh == "来源 writer-1 的计数器为 0，日志中已到 2"


def test_a_new_process_takes_numbers_twice_where_the_counter_was_removed(site, another):
    """It has no memory of its own; but the names of sources come again, and so do their numbers."""
    site.act()
    site.act()
    site.execute("DELETE FROM outbox_source")
    later = another()
    again = later.act()
    settled(later)
    assert f"number 1 of writer-1 came again: entry 2, {again}" in faults(site).en


@pytest.mark.parametrize(
    ("source", "number", "said"),
    [
        (None, None, "{put} has no number"),
        ("writer-1", None, "{put} has no number"),
        ("writer-1", True, "{put} has no number"),
        ("x" * 41, 3, "{put} has no number"),
        ("writer-1", 2, "number 2 of writer-1 came again: entry 2, {put}, after entry 1"),
        ("writer-1", 9, "number 9 of writer-1 follows nothing and nothing follows it: entry 2, {put}"),
        ("writer-7", 1, "the counter of writer-7 says 0, the log has 1"),
    ],
)
def test_a_record_put_in_is_named(site, source, number, said):
    site.act()
    site.act()
    foreign = put(site, source=source, number=number)
    site.act()
    settled(site)
    assert said.format(put=foreign) in faults(site).en


def test_two_rows_whose_order_was_changed(site):
    ids = [site.act() for _ in range(4)]
    for old, new in ((2, 9), (3, 2), (9, 3)):
        site.execute("UPDATE outbox SET number = :new WHERE number = :old", old=old, new=new)
    settled(site)
    assert (
        faults(site).en == f"number 3 of writer-1 is out of order: entry 1, {ids[2]}; see entry 3, {ids[3]}"
    )


def test_everything_else_is_found_first(site):
    site.act()
    site.execute("DELETE FROM outbox")
    site.act()
    settled(site)
    site.drop_triggers()
    site.execute("UPDATE audit_entry SET subject = 'x'")
    with pytest.raises(LogTampered):
        site.log.check()


def test_a_log_from_before_the_numbers_holds(site):
    """Entries without numbers, then those that have one; what the counters say is in the report."""
    put(site)
    put(site)
    for _ in range(3):
        site.act()
    settled(site)
    assert site.log.check().fields()["sources"] == {"writer-1": 3}
    site.execute("DELETE FROM outbox")


def test_auditors_are_told_and_it_is_recorded(site):
    site.log.decider = Deciding(site.store)
    site.act()
    site.execute("DELETE FROM outbox")
    site.act()
    settled(site)

    class Run:
        def platform(self):
            class Platform:
                audit = site.log

            return Platform

        def actor(self):
            return actor("auditor")

    with pytest.raises(RecordsMissing):
        CliRunner().invoke(group, ["check"], obj=Run(), catch_exceptions=False)
    site.log.sequence()
    (entry, *_) = site.log.entries()
    assert (entry.verb, entry.outcome, entry.fields()["error"]) == (
        "audit.check",
        "refused",
        "audit.records_missing",
    )


def test_no_stretch_is_whole_in_which_a_number_is_missing(site, clock, alone):
    """Neither for the kit nor for the file that needs nothing but Python."""
    site.log.settle(site.act())
    clock.advance(timedelta(hours=1))
    since = clock.now()
    before = site.act("case:7", "approval.apply")
    gone = site.act("case:7", "approval.answer")
    after = site.act("case:8", "approval.apply")
    site.execute("DELETE FROM outbox WHERE id = :id", id=gone)
    settled(site)
    clock.advance(timedelta(hours=1))
    until = clock.now()
    site.log.settle(site.act())
    stretch = prove(site.log, Question(since, until, subject="case:7", verbs=("approval.answer",), none=True))
    trust = evidence.Trust((), tuple(site.log.verifiers.values()), ())
    with pytest.raises(RecordsMissed) as found:
        evidence.verify(stretch.encode(), trust, at=until, held=[])
    assert (
        found.value.facts["faults"].en
        == f"number 3 of writer-1 is missing, between entry 1, {before} and entry 2, {after}"
    )
    keys = [standalone.Key.read(key.encode()) for key in site.log.verifiers.values()]
    with pytest.raises(standalone.Broken, match=f"{before} has 2, {after} has 4"):
        alone.verify(stretch.encode(), keys, None)


def counted(*numbers, whole=True):
    tally = Tally(whole=whole)
    for index, number in enumerate(numbers):
        tally.entry({"id": f"r{index}", "source": "s", "number": number}, index)
    return [each.en for each in tally.faults()]


def test_rows_of_numbers():
    assert counted(1, 2, 3) == []
    assert counted(5, 6, whole=False) == []
    assert counted(2, 3) == ["number 1 of s is missing, between the begin and entry 0, r0"]
    # a gap that is closed later on, from inside and from its ends
    assert counted(1, 5, 6, 3) == [
        "number 2 of s is missing, between entry 0, r0 and entry 1, r1",
        "number 4 of s is missing, between entry 0, r0 and entry 1, r1",
        "number 3 of s is out of order: entry 3, r3; see entry 2, r2",
    ]
    assert len(counted(1, 4, 5, 2, 3)) == 2
    assert counted(1, 3, 3) == [
        "number 2 of s is missing, between entry 0, r0 and entry 1, r1",
        "number 3 of s came again: entry 2, r2, after entry 1, r1",
    ]
    many = told([Text(f"第 {number} 处", f"fault {number}") for number in range(12)])
    assert (many.zh.endswith("；等 12 处"), many.en.endswith("; and others, 12 in all")) == (True, True)
