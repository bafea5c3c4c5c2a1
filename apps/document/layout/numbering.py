"""The four levels of numbering of official documents, and the other marks a plain text carries by its wording."""

import datetime as dt
import re

from apps.document.layout.model import Block, Heading, Level, Paragraph

_DIGITS = "一二三四五六七八九十百零〇"
_LEVELS: tuple[tuple[Level, re.Pattern[str]], ...] = (
    (1, re.compile(rf"^[{_DIGITS}]{{1,4}}、")),
    (2, re.compile(rf"^[（(][{_DIGITS}]{{1,4}}[）)]、?")),
    (3, re.compile(r"^[0-9０-９]{1,2}[.．、](?![0-9])")),
    (4, re.compile(r"^[（(][0-9０-９]{1,2}[）)]、?")),
)
_LONGEST_HEADING = 40
"""A numbered paragraph longer than this is body text that happens to be numbered, unless its first sentence is short."""

_DATE = re.compile(r"^([12][0-9]{3})\s*年\s*([0-9]{1,2})\s*月\s*([0-9]{1,2})\s*日$")
_CHINESE_DATE = re.compile(
    r"^([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月([一二三四五六七八九十]{1,3})日$"
)


def level_of(text: str) -> Level | None:
    """The level that a paragraph's own numbering claims (GB/T 9704-2012, 7.3.3)."""
    for level, pattern in _LEVELS:
        if pattern.match(text):
            return level
    return None


def block_of(text: str) -> Block:
    """A heading, a heading with body text running on, or a paragraph."""
    level = level_of(text)
    if level is None:
        return Paragraph(text)
    end = text.find("。")
    if end == -1 or end == len(text) - 1:
        return Heading(level, text) if len(text) <= _LONGEST_HEADING else Paragraph(text)
    return Heading(level, text[: end + 1], text[end + 1 :]) if end < _LONGEST_HEADING else Paragraph(text)


def date_of(text: str) -> dt.date | None:
    """The date when a line is nothing but a date, in Arabic or Chinese digits."""
    plain = _DATE.match(text)
    if plain:
        return _date(*(int(part) for part in plain.groups()))
    chinese = _CHINESE_DATE.match(text)
    if chinese:
        year = int("".join(str("〇一二三四五六七八九".index("〇" if c in "○零" else c)) for c in chinese[1]))
        return _date(year, from_chinese(chinese[2]), from_chinese(chinese[3]))
    return None


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def from_chinese(text: str) -> int:
    """一 to 九十九 as a number."""
    digits = "零一二三四五六七八九"
    tens, ten, ones = text.rpartition("十")
    value = digits.index(ones) if ones else 0
    return value + (digits.index(tens) if tens else 1) * 10 if ten else value


def to_chinese(number: int) -> str:
    """1 to 99 as 一 to 九十九."""
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    if not tens:
        return digits[ones]
    return ("" if tens == 1 else digits[tens]) + "十" + (digits[ones] if ones else "")
