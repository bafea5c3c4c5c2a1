"""Grades: marks, periods, the law's longest, and what changes them.

Seen to fail when: `later` does not take the last of a short month; `_write` does not ask for the longest; `lapsed` looks at every row
and not at the last.
"""

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from tests.support.databases import create_tables
from yinxin.act import Actor, Kind
from yinxin.clock import ManualClock
from yinxin.grade import (
    Grade,
    GradeRow,
    Grades,
    GradeTooLong,
    NotClassified,
    NoTerm,
    NotLonger,
    RuleRow,
    Unit,
    read,
)
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine

AT = datetime(2026, 1, 31, 2, 0, tzinfo=UTC)
GRADES = Grades("note")
LEADER = Actor(Kind.PERSON, "p-leader", post="leader", organ="office")


@pytest.mark.parametrize(
    ("period", "mark", "ends"),
    [
        ({"amount": 1}, "机密★1年", date(2027, 1, 31)),
        ({"amount": 1, "unit": Unit.MONTHS}, "机密★1个月", date(2026, 2, 28)),
        ({"amount": 25, "unit": Unit.MONTHS}, "机密★25个月", date(2028, 2, 29)),
        ({"amount": 30, "unit": Unit.DAYS}, "机密★30天", date(2026, 3, 2)),
        ({"until": date(2030, 1, 1)}, "机密★2030年1月1日", date(2030, 1, 1)),
        ({"condition": "项目验收后"}, "机密★项目验收后", None),
    ],
)
def test_marks_and_ends(period, mark, ends):
    grade = Grade("secret", **period)
    assert (grade.mark, grade.ends(date(2026, 1, 31))) == (mark, ends)


@pytest.mark.parametrize("period", [{}, {"amount": 0}, {"amount": 1, "condition": "x"}, {"condition": " "}])
def test_a_period_says_one_thing(period):
    with pytest.raises(NoTerm):
        Grade("secret", **period)


@pytest.fixture
def store(database_url):
    engine = open_engine(database_url)
    create_tables(engine)
    yield Store(engine, clock=ManualClock(AT), randomness=SystemRandomness())
    engine.dispose()


def do(store, verb, *more, item="n1"):
    with store.act(LEADER, f"note.{verb}", f"note:{item}") as act:
        return getattr(GRADES, verb)(act, item, *more, store.clock.now()).position


def over(store, day):
    with store.read() as session:
        return list(GRADES.lapsed(session, day))


def test_a_grades_life(store):
    with store.read() as session:
        found = {level: GRADES.longest(session, level, AT.date()) for level in ("confidential", "secret", "top-secret")}  # fmt: skip
        assert found == {"confidential": 10, "secret": 20, "top-secret": 30}
    with pytest.raises(GradeTooLong):
        do(store, "determine", Grade("confidential", amount=11))
    with pytest.raises(NotClassified):
        do(store, "extend", Grade("confidential", amount=5))
    do(store, "determine", Grade("confidential", amount=2, basis="目录第 3 项"))
    assert over(store, date(2028, 1, 30)) == []
    assert over(store, date(2028, 1, 31)) == ["n1"]
    store.clock.advance(datetime(2027, 1, 1, tzinfo=UTC) - AT)
    with pytest.raises(NotLonger):
        do(store, "extend", Grade("confidential", amount=24, unit=Unit.MONTHS))
    with pytest.raises(GradeTooLong):  # in all, not from now on
        do(store, "extend", Grade("confidential", until=date(2036, 2, 1)))
    do(store, "extend", Grade("secret", amount=5))
    assert over(store, date(2028, 1, 31)) == []
    with store.read() as session:
        row = GRADES.current(session, "n1")
        assert (read(row).mark, row.ends) == ("秘密★5年", date(2031, 1, 31)), "an extension keeps the level"
    do(store, "determine", Grade("top-secret", condition="会议结束后"))
    assert over(store, date(2099, 1, 1)) == []
    do(store, "declassify", "已公布")
    with pytest.raises(NotClassified):
        do(store, "declassify", "再来一次")
    with store.read() as session:
        assert GRADES.current(session, "n1") is None
        rows = GRADES.history(session, "n1")
        assert [row.level for row in rows] == ["confidential", "confidential", "top-secret", None]
        assert all(row.entry and row.person == "p-leader" for row in rows)
        assert session.scalar(sa.select(sa.func.count()).select_from(GradeRow)) == 4


@pytest.mark.engines("any")
def test_the_law_changes(store):
    """Another longest period from a day on: what was determined before keeps its own, what comes after has the new one."""
    with store.act(LEADER, "note.rule", "note:rules") as act:
        act.session.get_one(RuleRow, ("confidential", date(2010, 10, 1))).until = date(2028, 1, 1)
        act.session.add(
            RuleRow(level="confidential", since=date(2028, 1, 1), until=None, years=5, basis="新法")
        )
    with store.read() as session:
        assert GRADES.longest(session, "confidential", date(2027, 12, 31)) == 10
        assert GRADES.longest(session, "confidential", date(2028, 1, 1)) == 5
