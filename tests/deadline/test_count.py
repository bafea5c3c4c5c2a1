"""Counting periods: the law's own cases, and every count held against a plain walk through the days."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yinxin.calendar import Calendar, notice, read
from yinxin.clock import UTC_PLUS_8
from yinxin.deadline import (
    AlreadyStopped,
    BadPeriod,
    DeadlinePassed,
    Due,
    NotStopped,
    Period,
    Stop,
    Term,
    Unit,
    count,
    left,
)

pytestmark = pytest.mark.engines("any")

YEARS = Calendar(read(notice(year).encode()) for year in (2024, 2025, 2026))
WORKING, DAYS, HOURS = Unit.WORKING_DAYS, Unit.DAYS, Unit.HOURS


def at(day, hour=10, minute=0):
    return datetime.combine(date.fromisoformat(day), time(hour, minute), UTC_PLUS_8)


def period(amount, unit, start, *stops):
    return Period(Term(amount, unit), start, tuple(Stop("听证", begun, ended) for begun, ended in stops))


def last(amount, unit, start, *stops):
    return str(count(period(amount, unit, start, *stops), YEARS).last_day)


# --- by the law -------------------------------------------------------------------------------------------------


def test_the_first_day_is_not_counted_and_the_last_is_whole():
    """Civil Code 201: accepted on Monday, five working days end with the next Monday."""
    due = count(period(5, WORKING, at("2026-03-02")), YEARS)
    assert (str(due.last_day), due.provisional) == ("2026-03-09", False)
    assert due.at == at("2026-03-10", 0)
    assert not due.late(at("2026-03-09", 23, 59))
    assert due.late(at("2026-03-10", 0))


def test_the_day_is_that_of_official_time():
    """Seen to fail when the day is that of UTC: 23:30 on the first of March in UTC is the second in China."""
    assert last(1, WORKING, datetime(2026, 3, 1, 23, 30, tzinfo=UTC)) == "2026-03-03"


def test_holidays_are_not_counted_and_days_worked_instead_are():
    """Over Spring Festival 2026: off from Sunday the 15th to the 23rd, worked on Saturdays the 14th and 28th."""
    assert last(1, WORKING, at("2026-02-13")) == "2026-02-14"
    assert last(2, WORKING, at("2026-02-13")) == "2026-02-24"
    assert last(6, WORKING, at("2026-02-13")) == "2026-02-28"


def test_days_run_through_holidays_but_do_not_end_in_one():
    """Civil Code 203: the day after the holidays is the last one."""
    assert last(10, DAYS, at("2026-03-02")) == "2026-03-12"
    assert last(3, DAYS, at("2026-09-29")) == "2026-10-08"
    assert last(15, DAYS, at("2026-09-29")) == "2026-10-14"


def test_hours_run_through_the_night():
    due = count(period(4, HOURS, at("2026-10-01", 22)), YEARS)
    assert (due.at, due.provisional) == (at("2026-10-02", 2), False)
    assert count(period(4, HOURS, at("2031-10-01", 22)), YEARS).provisional is False


def test_a_stop_moves_the_end_by_the_days_it_took():
    begun = at("2026-03-02")
    assert last(5, WORKING, begun) == "2026-03-09"
    # from Wednesday to Friday: Thursday and Friday are not counted
    assert last(5, WORKING, begun, (at("2026-03-04"), at("2026-03-06"))) == "2026-03-11"
    # within a day nothing is lost
    assert last(5, WORKING, begun, (at("2026-03-04", 9), at("2026-03-04", 17))) == "2026-03-09"
    assert last(10, DAYS, begun, (at("2026-03-04"), at("2026-03-06"))) == "2026-03-16"
    hours = count(period(4, HOURS, begun, (at("2026-03-02", 11), at("2026-03-02", 12, 30))), YEARS)
    assert hours.at == at("2026-03-02", 15, 30)


def test_while_it_stands_still_it_has_no_end():
    running = period(5, WORKING, at("2026-03-02"))
    stopped = running.stop(at("2026-03-04"), "听证")
    assert count(stopped, YEARS) == Due(None, provisional=True)
    assert not count(stopped, YEARS).late(at("2027-01-01"))
    with pytest.raises(AlreadyStopped):
        stopped.stop(at("2026-03-05"), "检验")
    with pytest.raises(NotStopped):
        running.go_on(at("2026-03-05"))
    assert str(count(stopped.go_on(at("2026-03-06")), YEARS).last_day) == "2026-03-11"
    assert count(period(4, HOURS, at("2026-03-02"), (at("2026-03-03"), None)), YEARS).at == at(
        "2026-03-02", 14
    )


def test_an_extension_is_added_to_the_term():
    """Administrative Licence Law 42: 20 working days, 10 more with the head's approval."""
    made = period(20, WORKING, at("2026-03-02"))
    assert str(count(made, YEARS).last_day) == "2026-03-30"
    longer = made.extend(at("2026-03-20"), 10, "情况复杂")
    assert str(count(longer, YEARS).last_day) == "2026-04-14"
    assert Period.of(longer.fields()) == longer
    with pytest.raises(BadPeriod):
        made.extend(at("2026-03-20"), 0, "")
    with pytest.raises(DeadlinePassed):
        count(made, YEARS).demand(at("2026-03-31", 0))
    count(made, YEARS).demand(at("2026-03-30", 23))


def test_into_a_year_that_is_not_published_it_is_provisional():
    start = at("2026-12-25")
    before = count(period(10, WORKING, start), YEARS)
    assert before.provisional
    text = notice(2026).replace("2026", "2027").replace("2027-01-04", "2027-01-09")
    # a year like the last one is no arrangement of 2027, but it is one of which this test knows every day
    lines = text.split("\n\n")[:2]
    after = count(period(10, WORKING, start), Calendar([*_arrangements(), read("\n\n".join(lines).encode())]))
    assert (str(before.last_day), str(after.last_day)) == ("2027-01-08", "2027-01-09")
    assert not after.provisional
    assert not count(period(10, WORKING, at("2026-12-01")), YEARS).provisional


def _arrangements():
    return [read(notice(year).encode()) for year in (2024, 2025, 2026)]


@pytest.mark.parametrize(
    "stops",
    [
        [("2026-03-01", "2026-03-03")],
        [("2026-03-05", "2026-03-04")],
        [("2026-03-04", None), ("2026-03-06", "2026-03-07")],
        [("2026-03-04", "2026-03-06"), ("2026-03-05", "2026-03-07")],
    ],
)
def test_stops_follow_one_another(stops):
    with pytest.raises(BadPeriod):
        period(5, WORKING, at("2026-03-02"), *((at(begun), ended and at(ended)) for begun, ended in stops))


def test_what_is_left():
    made = period(5, WORKING, at("2026-03-02"))
    assert [left(made, YEARS, at(day)) for day in ("2026-03-03", "2026-03-07", "2026-03-09", "2026-03-10")] == [5, 1, 1, -1]  # fmt: skip
    assert left(made.stop(at("2026-03-04"), "听证"), YEARS, at("2026-05-04")) == 3
    assert left(period(4, HOURS, at("2026-03-02")), YEARS, at("2026-03-02", 11, 30)) == 2


# --- against a plain walk ---------------------------------------------------------------------------------------

FIRST = date(2024, 1, 1)
instants = st.builds(
    lambda days, minutes: datetime.combine(FIRST, time(), UTC_PLUS_8) + timedelta(days=days, minutes=minutes),
    st.integers(0, 700),
    st.integers(0, 1439),
)


@st.composite
def periods(draw):
    start = draw(instants)
    moment, stops = start, []
    for wait, length in draw(st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 20000)), max_size=4)):
        begun = moment + timedelta(minutes=wait)
        moment = begun + timedelta(minutes=length)
        stops.append(Stop("", begun, moment))
    made = Period(Term(draw(st.integers(1, 60)), draw(st.sampled_from(Unit))), start, tuple(stops))
    return made.extend(start, draw(st.integers(1, 20)), "") if draw(st.booleans()) else made


def plain(made):
    """The last day, or of hours the end: a list of all that is there, without a thought."""
    if made.term.unit is HOURS:
        minutes = []
        moment = made.start
        while len(minutes) < made.amount * 60:
            if not any(each.begun <= moment < each.ended for each in made.stops):
                minutes.append(moment)
            moment += timedelta(minutes=1)
        return minutes[-1] + timedelta(minutes=1)
    zone = UTC_PLUS_8
    first = made.start.astimezone(zone).date()
    span = [first + timedelta(days=at) for at in range(1, 400)]
    still = set()
    for each in made.stops:
        day = each.begun.astimezone(zone).date() + timedelta(days=1)
        while day <= each.ended.astimezone(zone).date():
            still.add(day)
            day += timedelta(days=1)
    moving = [day for day in span if day not in still]
    if made.term.unit is WORKING:
        return [day for day in moving if YEARS.working(day)][made.amount - 1]
    return next(day for day in moving[made.amount - 1 :] if YEARS.working(day))


@settings(max_examples=250, deadline=None)
@given(periods())
def test_every_count_is_that_of_a_plain_walk(made):
    """Seen to fail when the day on which a stop begins is left out."""
    due = count(made, YEARS)
    if made.term.unit is HOURS:
        assert due.at == plain(made)
    else:
        assert due.last_day == plain(made)
        assert due.at == datetime.combine(due.last_day + timedelta(days=1), time(), UTC_PLUS_8)


@settings(max_examples=100, deadline=None)
@given(periods(), st.integers(0, 90))
def test_what_is_left_and_what_has_gone_make_the_whole(made, days):
    """From the day after the first on, for days; it falls by one on each day that counts."""
    if made.term.unit is not WORKING:
        return
    end = count(made, YEARS).last_day
    today = made.start.astimezone(UTC_PLUS_8).date() + timedelta(days=1 + days)
    moment = datetime.combine(today, time(12), UTC_PLUS_8)
    tomorrow = moment + timedelta(days=1)
    now, then = left(made, YEARS, moment), left(made, YEARS, tomorrow)
    assert (now > 0) is (today <= end) or now == 0
    assert 0 <= now - then <= 2
    if days == 0:
        assert now == made.amount


@settings(max_examples=60, deadline=None)
@given(periods(), st.integers(1, 40))
def test_a_longer_term_never_ends_earlier(made, more):
    longer = made.extend(made.start, more, "")
    assert count(longer, YEARS).at > count(made, YEARS).at or made.term.unit is DAYS
    assert count(longer, YEARS).at >= count(made, YEARS).at
