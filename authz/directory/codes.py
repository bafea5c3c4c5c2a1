"""Codes of the state: administrative divisions (GB/T 2260, GB/T 10114) and unified social credit codes (GB 32100)."""

import re

from authz.errors import BadDivision, BadUscc, DivisionOutside
from yinxin.text import Text

#: what the organs of each level are called
LEVELS: dict[str, Text] = {
    "province": Text("省级机关", "province"),
    "city": Text("市（州）级机关", "city"),
    "county": Text("县级机关", "county"),
    "township": Text("乡镇机关", "township"),
    "department": Text("部门", "department"),
}
#: the form of each level's code, and how it is told
_FORMS: dict[str, tuple[re.Pattern[str], str]] = {
    "province": (re.compile(r"(?!00)[0-9]{2}0000"), "PP0000"),
    "city": (re.compile(r"(?!00)[0-9]{2}(?!00)[0-9]{2}00"), "PPCC00"),
    "county": (re.compile(r"(?!00)[0-9]{2}(?!00)[0-9]{2}(?!00)[0-9]{2}"), "PPCCXX"),
    "township": (re.compile(r"(?!00)[0-9]{6}(?!000)[0-9]{3}(?:[0-9]{3})?"), "PPCCXXTTT"),
    "department": (re.compile(r"(?!00)[0-9]{6}(?:[0-9]{3}){0,2}"), "PPCCXX, PPCCXXTTT"),
}
#: GB 32100-2015: digits and capitals without I, O, S, V, Z
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: GB 11714-1997 over the first eight characters, of which each has the value of its place in this row
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECKS = "0123456789X"


def check_division(row: str, level: str, division: str) -> None:
    """The form of `level`: PP0000, PPCC00, PPCCXX, 9 or 12 digits below a county; raises BadDivision."""
    pattern, form = _FORMS[level]
    if not division.isascii() or not pattern.fullmatch(division):
        raise BadDivision(row=row, value=division, level=LEVELS[level], form=form)


def area(division: str) -> str:
    """The digits that name the area: 51 of 510000, 5101 of 510100, all of a county's or a township's."""
    head = division[:6]
    if len(division) > 6:
        return division.removesuffix("000") if len(division) == 12 else division
    while head.endswith("00"):
        head = head[:-2]
    return head


def check_within(row: str, division: str, parent: str, parent_division: str) -> None:
    """County within its city within its province; raises DivisionOutside."""
    if not division.startswith(area(parent_division)):
        raise DivisionOutside(row=row, value=division, parent=parent, parent_value=parent_division)


def check_uscc(row: str, code: str) -> None:
    """GB 32100-2015 5.3: weights 3^i mod 31 over the first 17 characters; the organisation code inside as well.

    Raises BadUscc.
    """
    if len(code) != 18 or any(character not in _USCC_ALPHABET for character in code):
        raise BadUscc(row=row, value=code)
    total = sum(_USCC_ALPHABET.index(character) * 3**place for place, character in enumerate(code[:17]))
    if _USCC_ALPHABET[(31 - total % 31) % 31] != code[17] or not _organisation_code_holds(code[8:17]):
        raise BadUscc(row=row, value=code)


def organisation_code(uscc: str) -> str:
    """The organisation code (GB 11714) that a credit code holds, in its old spelling: `00877818-3`."""
    return f"{uscc[8:16]}-{uscc[16]}"


def _organisation_code_holds(code: str) -> bool:
    """GB 11714-1997 3.2: 11 less the weighted sum mod 11; 10 is written X, 11 is written 0."""
    values = (_ORGANISATION_ALPHABET.index(character) for character in code[:8])
    total = sum(value * weight for value, weight in zip(values, _ORGANISATION_WEIGHTS, strict=True))
    return _ORGANISATION_CHECKS[(11 - total % 11) % 11] == code[8]
