"""The personal fields of an entry as readers see them: opened and held against the leaf, or said in words why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.personal.models import ErasedRow, OpeningRow
from yinxin.personal import FIELDS, Opening, WrongOpening, committed_in
from yinxin.text import Text

#: found in the octets of every entry that has personal fields: names of a leaf are in order, and a value's quotes escaped
MARK = b'"personal":{"fields":{'


class State(StrEnum):
    """How it stands with a personal field."""

    OPEN = "open"
    ERASED = "erased"
    #: there is neither an opening nor the record of an erasure
    MISSING = "missing"
    #: what is beside the entry is not what the entry commits to
    ALTERED = "altered"


WORDS: Mapping[State, Text] = {
    State.ERASED: Text("已依法删除", "erased by law"),
    State.MISSING: Text(
        "缺失：没有删除记录，请核验日志", "missing without a record of erasure: check the log"
    ),
    State.ALTERED: Text(
        "与记录中的承诺不符，不予显示：请核验日志",
        "not what the entry commits to, and not shown: check the log",
    ),
}


@dataclass(frozen=True, slots=True)
class PersonalField:
    """A personal field of an entry: whose it is, how it stands, and its value where it is open.

    `erasure` is the proposal that decided its erasure.
    """

    name: str
    of: str | None
    state: State
    opening: Opening | None = None
    erasure: str | None = None

    @property
    def title(self) -> Text:
        """What the field is called."""
        return FIELDS.get(self.name, Text(self.name, self.name))

    @property
    def text(self) -> Text:
        """The value, or why there is none."""
        if self.opening is not None:
            return Text(self.opening.value, self.opening.value)
        return WORDS[self.state]

    def fields(self) -> dict[str, Any]:
        """For machines."""
        given = {
            "of": self.of,
            "value": None if self.opening is None else self.opening.value,
            "erasure": self.erasure,
        }
        return {"name": self.name, "state": self.state.value} | {
            name: value for name, value in given.items() if value is not None
        }


#: what stands beside an entry: opening and person, or the proposal of its erasure, by field
Beside = Mapping[str, OpeningRow | str]


def beside(session: Session, indexes: Sequence[int]) -> dict[int, dict[str, OpeningRow | str]]:
    """What stands beside the entries of these indexes."""
    found: dict[int, dict[str, OpeningRow | str]] = {}
    if not indexes:
        return found
    for index, name, erasure in session.execute(
        sa.select(ErasedRow.index, ErasedRow.name, ErasedRow.erasure).where(ErasedRow.index.in_(indexes))
    ):
        found.setdefault(index, {})[name] = erasure
    for row in session.scalars(sa.select(OpeningRow).where(OpeningRow.index.in_(indexes))):
        found.setdefault(row.index, {})[row.name] = row
    return found


def opened(event: Mapping[str, Any], there: Beside) -> tuple[PersonalField, ...]:
    """Every personal field of an entry, by name, each verified."""
    return tuple(
        _opened(event["id"], name, committed, there.get(name))
        for name, committed in sorted(committed_in(event).items())
    )


def _opened(
    entry: str, name: str, committed: Mapping[str, Any], there: OpeningRow | str | None
) -> PersonalField:
    of = committed.get("of")
    if there is None:
        return PersonalField(name, of, State.MISSING)
    if isinstance(there, str):
        return PersonalField(name, of, State.ERASED, erasure=there)
    opening = _verified(entry, name, committed, there)
    if opening is None:
        return PersonalField(name, of, State.ALTERED)
    return PersonalField(name, of, State.OPEN, opening)


def _verified(entry: str, name: str, committed: Mapping[str, Any], row: OpeningRow) -> Opening | None:
    """What opens the field, if it is what the leaf commits to and the row names its person as the leaf does."""
    try:
        opening = opening_of(row)
        opening.verify(entry, name, committed)
    except (WrongOpening, UnicodeDecodeError):
        return None
    return opening if row.person == committed.get("of") else None


def opening_of(row: OpeningRow) -> Opening:
    """A row as a value; raises UnicodeDecodeError."""
    return Opening(row.salt, row.value.decode())
