"""Arrangements of holidays: what is refused, what came with the software, and which days the calendar says are worked."""

from datetime import date, timedelta

import pytest

from yinxin.calendar import Arrangement, BadArrangement, Calendar, DayKind, notice, read

pytestmark = pytest.mark.engines("any")

SOUND = """
year = 2026
document = "国办发明电〔2025〕7号"
[[holidays]]
zh = "元旦"
en = "New Year's Day"
first = 2026-01-01
last = 2026-01-03
work = [2026-01-04]
"""


def arrangement(*holidays, year=2026):
    named = [{"zh": "节", "en": "Day", **each} for each in holidays]
    return Arrangement.model_validate({"year": year, "document": "文", "holidays": named})


def test_a_file_is_read_and_has_one_spelling():
    found = read(SOUND.encode())
    assert found.holidays[0].work == (date(2026, 1, 4),)
    assert found.digest == read(SOUND.replace("\n\n", "\n").encode("utf-8-sig")).digest
    assert Arrangement.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        (("last = 2026-01-03", "last = 2025-12-31"), "holidays.0", "第一天到最后一天"),
        (("last = 2026-01-03", "last = 2026-01-30"), "holidays.0", "至多 16 天"),
        (("first = 2026-01-01", "first = 2025-12-20"), "*", "上年最后 10 天"),
        (("[2026-01-04]", "[2027-01-09]"), "*", "既不在本年"),
        (("[2026-01-04]", "[2026-01-05]"), "*", "本来就是工作日"),
        (("[2026-01-04]", "[2026-01-03]"), "*", "安排了两次"),
        (("year = 2026", "years = 2026"), "year", "缺少"),
        (('zh = "元旦"', "zh = 元旦"), "*", "Invalid"),
    ],
)
def test_a_wrong_one_is_refused_where_it_is_wrong(change, field, said):
    with pytest.raises(BadArrangement) as refused:
        read(SOUND.replace(*change).encode())
    assert (refused.value.facts["field"], said in refused.value.text("zh")) == (field, True)


@pytest.mark.parametrize(("year", "worked", "made_up"), [(2024, 251, 8), (2025, 248, 5), (2026, 248, 6)])
def test_what_came_with_the_software_is_sound(year, worked, made_up):
    """The sums that payroll offices publish for these years."""
    days = [day for month in Calendar([read(notice(year).encode())]).months(year) for day in month]
    assert len(days) == (366 if year % 4 == 0 else 365)
    assert sum(day.working for day in days) == worked
    assert sum(day.kind is DayKind.MADE_UP for day in days) == made_up
    assert notice(1999) is None


def test_each_day_is_what_the_year_says():
    made = Calendar([read(SOUND.encode())])
    kinds = [day.kind for day in made.days(date(2026, 1, 1), date(2026, 1, 10))]
    holiday, up, work, end = DayKind.HOLIDAY, DayKind.MADE_UP, DayKind.WORKDAY, DayKind.WEEKEND
    assert kinds == [holiday] * 3 + [up] + [work] * 5 + [end]
    assert made.day(date(2026, 1, 4)).holiday.zh == "元旦"


def test_a_later_year_reaches_back_and_has_the_last_word():
    """New Year 2019 began on 30 December 2018 and was made up for the day before."""
    before = arrangement({"first": "2018-10-01", "last": "2018-10-07"}, year=2018)
    after = arrangement({"first": "2018-12-30", "last": "2019-01-01", "work": ["2018-12-29"]}, year=2019)
    plain, made = Calendar([before]), Calendar([after, before])
    sunday, saturday, monday = date(2018, 12, 30), date(2018, 12, 29), date(2018, 12, 31)
    assert (plain.working(monday), made.working(monday)) == (True, False)
    assert (plain.working(saturday), made.working(saturday)) == (False, True)
    assert made.day(sunday).kind is DayKind.HOLIDAY
    # until the next year is published, the days it may speak of are not known for good
    assert [plain.known(date(2018, 12, day)) for day in (21, 22, 31)] == [True, False, False]
    assert all(made.known(monday - timedelta(days=at)) for at in range(12))
    assert not made.known(date(2020, 1, 1))
