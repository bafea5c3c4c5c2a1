"""The numbers in a log's entries, counted through: what never arrived, came twice or came late is named with its neighbours.

Each source numbers its records from 1 without a gap, in the transaction of the act, and one source's records reach the log
in their order. Entries older than the numbers have none, and stand before all that have.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yinxin.text import Text

#: faults that are told one by one
_TOLD = 10
#: of a source's name, and of its numbers: what a column takes
_LONGEST, _MOST = 40, 2**63
_BEGIN = Text("起始处", "the begin")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands, in words, and the number it has there."""

    number: int
    where: Text


@dataclass(slots=True)
class _Gap:
    first: int
    last: int
    before: Place | None
    after: Place


class Tally:
    """Takes entries in the order of the log. `whole`: from the log's first on, so that every source begins with 1."""

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole
        self._last: dict[str, Place] = {}
        self._gaps: dict[str, list[_Gap]] = {}
        #: the newest gap of a source, until its next record says what is wrong
        self._jumps: dict[str, _Gap] = {}
        #: numbers that were ahead of their row
        self._early: dict[tuple[str, int], Place] = {}
        self._others: list[Text] = []

    @property
    def highest(self) -> dict[str, int]:
        """How far each source has come."""
        return {source: place.number for source, place in self._last.items()}

    def entry(self, event: Mapping[str, Any], index: int | None = None) -> None:
        """The next entry; without an index one that still waits for the log."""
        name = event["id"]
        where = Text(f"待入日志的记录 {name}", f"record {name}, which waits for the log")
        if index is not None:
            where = Text(f"第 {index} 条 {name}", f"entry {index}, {name}")
        source, number = numbered(event)
        if source is None or number is None:
            if self._last:
                self._others.append(Text(f"{where.zh} 没有编号", f"{where.en} has no number"))
            return
        self._take(source, number, where)

    def _take(self, source: str, number: int, where: Text) -> None:
        before, place = self._last.get(source), Place(number, where)
        expected = before.number + 1 if before else 1 if self._whole else number
        if number < expected:
            self._behind(source, place, before)
            return
        while expected < number and (early := self._early.pop((source, expected), None)):
            self._others.append(_out_of_order(source, early, place))
            expected += 1
        self._jumps.pop(source, None)
        if expected < number:
            gap = _Gap(expected, number - 1, before, place)
            self._gaps.setdefault(source, []).append(gap)
            self._jumps[source] = gap
        self._last[source] = place

    def counter(self, source: str, last: int) -> None:
        """What the source's own counter says, after everything else was taken."""
        known = self._last.get(source)
        number = known.number if known else 0
        if last > number:
            end = Place(last + 1, Text("此后尚无记录", "nothing since"))
            self._gaps.setdefault(source, []).append(_Gap(number + 1, last, known, end))
        elif last < number:
            self._others.append(
                Text(
                    f"来源 {source} 的计数器为 {last}，日志中已到 {number}",
                    f"the counter of {source} says {last}, the log has {number}",
                )
            )

    def faults(self) -> list[Text]:
        """What does not hold, in words."""
        missing = [_missing(source, gap) for source, gaps in self._gaps.items() for gap in gaps]
        strays = [
            Text(
                f"来源 {source} 的第 {place.number} 号前后都接不上：{place.where.zh}",
                f"number {place.number} of {source} follows nothing and nothing follows it: {place.where.en}",
            )
            for (source, _), place in self._early.items()
        ]
        return [*missing, *strays, *self._others]

    def _behind(self, source: str, place: Place, before: Place | None) -> None:
        """A number below the last: the row goes on after one that was ahead of it, or one comes late, or again."""
        gaps = self._gaps.get(source, [])
        jump = self._jumps.pop(source, None)
        if jump and before and place.number == jump.first:
            gaps.remove(jump)
            self._early[source, before.number] = before
            self._last[source] = place
            return
        after = before or place
        gap = next((each for each in gaps if each.first <= place.number <= each.last), None)
        if gap:
            self._fill(source, gap, place)
            self._others.append(_out_of_order(source, place, after))
            return
        zh = f"来源 {source} 的第 {place.number} 号重复：{place.where.zh}，在 {after.where.zh} 之后"
        en = f"number {place.number} of {source} came again: {place.where.en}, after {after.where.en}"
        self._others.append(Text(zh, en))

    def _fill(self, source: str, gap: _Gap, place: Place) -> None:
        parts = [
            _Gap(gap.first, place.number - 1, gap.before, gap.after),
            _Gap(place.number + 1, gap.last, gap.before, gap.after),
        ]
        gaps = self._gaps[source]
        at = gaps.index(gap)
        gaps[at : at + 1] = [each for each in parts if each.first <= each.last]


def numbered(event: Mapping[str, Any]) -> tuple[str, int] | tuple[None, None]:
    """A record's source and number; nothing of one that has none."""
    source, number = event.get("source"), event.get("number")
    # True is a number to Python, and none to JSON
    if not isinstance(source, str) or len(source) > _LONGEST or type(number) is not int:
        return None, None
    return (source, number) if 0 < number < _MOST else (None, None)


def told(faults: list[Text]) -> Text:
    """Many faults as a part of one sentence: the first ten, and how many there are."""
    zh, en = "；".join(each.zh for each in faults[:_TOLD]), "; ".join(each.en for each in faults[:_TOLD])
    if len(faults) > _TOLD:
        return Text(f"{zh}；等 {len(faults)} 处", f"{en}; and others, {len(faults)} in all")
    return Text(zh, en)


def _out_of_order(source: str, place: Place, other: Place) -> Text:
    return Text(
        f"来源 {source} 的第 {place.number} 号次序不对：{place.where.zh}，参见 {other.where.zh}",
        f"number {place.number} of {source} is out of order: {place.where.en}; see {other.where.en}",
    )


def _missing(source: str, gap: _Gap) -> Text:
    before = gap.before.where if gap.before else _BEGIN
    zh = f"第 {gap.first} 号" if gap.first == gap.last else f"第 {gap.first} 至 {gap.last} 号"
    en = f"number {gap.first}" if gap.first == gap.last else f"numbers {gap.first} to {gap.last}"
    verb = "is" if gap.first == gap.last else "are"
    return Text(
        f"来源 {source} 缺{zh}：在 {before.zh} 与 {gap.after.where.zh} 之间",
        f"{en} of {source} {verb} missing, between {before.en} and {gap.after.where.en}",
    )
