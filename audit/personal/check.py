"""What stands beside the entries, held against what they commit to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.decisions import REMOVED, Decisions
from audit.errors import OpeningBroken, StateBroken
from audit.models import EntryRow
from audit.personal.erase import KIND, digest_of
from audit.personal.models import ErasedRow, ErasureRow, OpeningRow
from audit.personal.opened import MARK, PersonalField, State, beside, opened
from audit.surroundings import Executed, Surroundings
from yinxin import canonical
from yinxin.clock import parse_rfc3339
from yinxin.text import Text

#: entries looked up by one statement
_AT_ONCE = 500
_UNRECORDED = Text(
    "说是已删除，日志中却没有这次删除的记录", "it is said to be erased, and the log has no such erasure"
)
_BEYOND = Text("不在提案所批准的范围内", "the proposal that it is said to be erased by does not cover it")
_LIST = Text("个人信息删除记录", "the list of erasures")
_OTHERWISE = Text(
    "这次删除的登记与日志和提案所载不同",
    "the list of erasures says of this one what neither the log nor the proposal says",
)
#: why a field does not hold
REASONS: Mapping[State, Text] = {
    State.ALTERED: Text(
        "内容、盐或所属人与记录中的承诺不符", "value, salt or person is not what the entry commits to"
    ),
    State.MISSING: Text("内容缺失，也没有删除记录", "its value is missing and nothing records an erasure"),
}


@dataclass(frozen=True, slots=True)
class _Covered:
    """What the content of a proposal lets go; as it was approved, not as it is spelt today."""

    person: str
    entries: frozenset[str]
    fields: frozenset[str]
    until: datetime | None

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "_Covered":
        until = content.get("until")
        return cls(
            str(content.get("person") or ""),
            frozenset(content.get("entries") or ()),
            frozenset(content.get("fields") or ()),
            parse_rfc3339(until) if until else None,
        )

    def covers(self, event: str, time: datetime, name: str) -> bool:
        """Whether this field of this entry is among it, whosever it is."""
        return (
            (not self.entries or event in self.entries)
            and (not self.fields or name in self.fields)
            and (self.until is None or time < self.until)
        )


class _Coverage:
    """What proposals of erasure let go, each asked for once."""

    def __init__(self, ask: Callable[[str], Executed | None]) -> None:
        self._ask = ask
        self._known: dict[str, _Covered | None] = {}

    def of(self, erasure: str) -> _Covered | None:
        """None when there is no such proposal of erasure."""
        if erasure not in self._known:
            found = self._ask(erasure)
            self._known[erasure] = None if found is None or found.kind != KIND else _Covered.of(found.content)
        return self._known[erasure]


class Openings:
    """The check of one log, taken in the order of its entries; what it has counted so far."""

    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions
        self.opened = 0
        self.erased = 0
        self._coverage = _Coverage(decisions.proposal)

    def take(self, session: Session, rows: Sequence[EntryRow]) -> None:
        """Hold what stands beside these consecutive entries against them; raises OpeningBroken with the first that does not fit."""
        there = _beside(session, rows[0].index, rows[-1].index)
        for row in rows:
            own = there.pop(row.index, {})
            if not row.data:
                # what it commits to, and whose it is, stands in the archive: `audit archive verify` holds it against that
                for name, erasure in own.items():
                    if isinstance(erasure, str):
                        self._hold_covered(row, name, erasure)
                continue
            fields = opened(canonical.decode(row.data), own) if MARK in row.data else ()
            for each in fields:
                self._count(row, each)
            _hold_known(row.index, own, fields)
        _hold_known(min(there, default=0), {name: "" for each in there.values() for name in each}, ())

    def end(self, session: Session) -> None:
        """That every field said to be erased has no opening left, and was erased by a proposal; raises OpeningBroken."""
        both = session.execute(
            sa.select(OpeningRow.index, OpeningRow.name)
            .join(ErasedRow, sa.and_(ErasedRow.index == OpeningRow.index, ErasedRow.name == OpeningRow.name))
            .order_by(OpeningRow.index)
        ).first()
        if both is not None:
            raise OpeningBroken(
                index=both.index,
                field=both.name,
                reason=Text("已记为删除，内容却还在", "it is said to be erased and is there"),
            )

        for erasure in session.scalars(sa.select(ErasedRow.erasure).distinct()).all():
            listed = session.execute(
                sa.select(ErasedRow.index, ErasedRow.name)
                .where(ErasedRow.erasure == erasure)
                .order_by(ErasedRow.index, ErasedRow.name)
            ).all()
            kept = session.get(ErasureRow, erasure)
            first = {"index": listed[0][0], "field": listed[0][1]}
            told = self._decisions.told(erasure)
            said = None if told is None else told.outcome.get("erased")
            if kept is None or told is None or not isinstance(said, dict):
                raise OpeningBroken(**first, reason=_UNRECORDED)
            if not digest_of((index, name) for index, name in listed) == kept.digest == said.get("digest"):
                raise OpeningBroken(**first, reason=_UNRECORDED)
            if fault := self._decisions.fault(told, KIND):
                raise OpeningBroken(**first, reason=fault)
            proposal = self._decisions.proposal(erasure)
            counted = (len(listed), len({index for index, _ in listed}))
            registered = {"person": kept.person, "ground": kept.ground, "archived": kept.archived}
            if (
                (kept.fields, kept.entries) != counted
                or any(said.get(name) != value for name, value in registered.items())
                or (proposal is not None and kept.basis != proposal.basis)
            ):
                raise OpeningBroken(**first, reason=_OTHERWISE)
        self._all_there(session)

    def _all_there(self, session: Session) -> None:
        """Every erasure that was carried out is listed with its fields, and no other; raises StateBroken."""
        fields = frozenset(session.scalars(sa.select(ErasedRow.erasure).distinct()))
        listed = frozenset(session.scalars(sa.select(ErasureRow.proposal)))
        told = {each.proposal for each in self._decisions.of(KIND) if each.outcome.get("erased")}
        for erasure in sorted(listed - told):
            raise StateBroken(table=_LIST, row=erasure, reason=_UNRECORDED)
        for erasure in sorted(told - (fields & listed)):
            raise StateBroken(table=_LIST, row=erasure, reason=REMOVED)

    def _count(self, row: EntryRow, field: PersonalField) -> None:
        if field.state in REASONS:
            raise OpeningBroken(index=row.index, field=field.name, reason=REASONS[field.state])
        if field.state is State.OPEN:
            self.opened += 1
            return
        self.erased += 1
        self._hold_covered(row, field.name, field.erasure or "", field)

    def _hold_covered(
        self, row: EntryRow, name: str, erasure: str, field: PersonalField | None = None
    ) -> None:
        """Raise OpeningBroken where the proposal is about other data; what is no proposal of erasure `end` names."""
        covered = self._coverage.of(erasure)
        if covered is None:
            return
        another = field is not None and (field.of or "") != covered.person
        if another or not covered.covers(row.event, row.time, name):
            raise OpeningBroken(index=row.index, field=name, reason=_BEYOND)


def _beside(session: Session, first: int, last: int) -> dict[int, dict[str, OpeningRow | str]]:
    found: dict[int, dict[str, OpeningRow | str]] = {}
    for row in session.scalars(sa.select(OpeningRow).where(OpeningRow.index.between(first, last))):
        found.setdefault(row.index, {})[row.name] = row
    erased = sa.select(ErasedRow.index, ErasedRow.name, ErasedRow.erasure)
    for index, name, erasure in session.execute(erased.where(ErasedRow.index.between(first, last))):
        found.setdefault(index, {}).setdefault(name, erasure)
    return found


def _hold_known(index: int, there: Mapping[str, object], fields: Sequence[PersonalField]) -> None:
    for name in sorted(there.keys() - {each.name for each in fields}):
        raise OpeningBroken(
            index=index, field=name, reason=Text("记录中没有这一项", "the entry commits to no such field")
        )


def hold_archived(session: Session, entries: Mapping[int, bytes], around: Surroundings) -> tuple[int, int]:
    """Hold what stands here of entries whose content stands in an archive against it; how many fields are open, and erased.

    That an erasure was about this person's data is told by the archive alone, so it is held against its proposal here. Raises
    OpeningBroken.
    """
    counted = {State.OPEN: 0, State.ERASED: 0}
    coverage = _Coverage(around.executed)
    indexes = [index for index, data in entries.items() if MARK in data]
    for at in range(0, len(indexes), _AT_ONCE):
        there = beside(session, indexes[at : at + _AT_ONCE])
        for index in indexes[at : at + _AT_ONCE]:
            event = canonical.decode(entries[index])
            for each in opened(event, there.get(index, {})):
                if each.state in REASONS:
                    raise OpeningBroken(index=index, field=each.name, reason=REASONS[each.state])
                if each.state is State.ERASED and not _let_go(coverage.of(each.erasure or ""), event, each):
                    raise OpeningBroken(index=index, field=each.name, reason=_BEYOND)
                counted[each.state] += 1
    return counted[State.OPEN], counted[State.ERASED]


def _let_go(covered: _Covered | None, event: Mapping[str, Any], field: PersonalField) -> bool:
    return (
        covered is not None
        and (field.of or "") == covered.person
        and covered.covers(event["id"], parse_rfc3339(event["time"]), field.name)
    )
