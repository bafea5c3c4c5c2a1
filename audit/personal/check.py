"""What stands beside the entries, held against what they commit to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.errors import OpeningBroken
from audit.models import EntryRow
from audit.personal.erase import KIND, digest_of
from audit.personal.models import ErasedRow, ErasureRow, OpeningRow
from audit.personal.opened import MARK, PersonalField, State, beside, opened
from audit.surroundings import Executed, Surroundings
from yinxin import canonical
from yinxin.act import Outcome
from yinxin.clock import parse_rfc3339
from yinxin.proposal import FEWEST
from yinxin.store import OutboxRow
from yinxin.text import Text

#: entries looked up by one statement
_AT_ONCE = 500
#: how the log calls the carrying out of a proposal
EXECUTE = "authz.execute"
_UNRECORDED = Text(
    "说是已删除，日志中却没有这次删除的记录", "it is said to be erased, and the log has no such erasure"
)
_UNDECIDED = Text(
    "删除记录所指的提案不存在、未执行或内容不符",
    "the record of its erasure names no proposal of erasure that is there, was carried out and says what the record says",
)
_UNSIGNED = Text(
    "提案上的批准签名不足、不成立或不是删除记录所载的",
    "the proposal does not bear enough signatures of approval that hold, or not those that the record of its erasure names",
)
_BEYOND = Text("不在提案所批准的范围内", "the proposal that it is said to be erased by does not cover it")
#: why a field does not hold
REASONS: Mapping[State, Text] = {
    State.ALTERED: Text(
        "内容、盐或所属人与记录中的承诺不符", "value, salt or person is not what the entry commits to"
    ),
    State.MISSING: Text("内容缺失，也没有删除记录", "its value is missing and nothing records an erasure"),
}


@dataclass(frozen=True, slots=True)
class _Told:
    """What a record says of an erasure: the digest of its fields, which proposal it carried out, and who approved that."""

    fields: str
    kind: str
    digest: str
    #: certificates
    approved: frozenset[str]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "_Told | None":
        told = (facts.get("outcome") or {}).get("erased")
        if not isinstance(told, dict):
            return None
        approved = frozenset(str(each.get("certificate")) for each in facts.get("approvals") or ())
        return cls(str(told.get("digest")), str(facts.get("kind")), str(facts.get("digest")), approved)

    def decided_by(self, found: Executed | None) -> None:
        """Raise _Undecided with the reason unless that is the proposal of which the record speaks, signed by enough people."""
        if found is None or self.kind != KIND or (found.kind, found.digest) != (self.kind, self.digest):
            raise _Undecided(_UNDECIDED)
        if len(self.approved) < max(FEWEST, found.needed) or not self.approved <= found.signed:
            raise _Undecided(_UNSIGNED)


class _Undecided(Exception):
    """Why an erasure is not what a proposal decided."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


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

    def covers(self, row: EntryRow, field: PersonalField) -> bool:
        """Whether this field of this entry is among it."""
        return (
            (field.of or "") == self.person
            and (not self.entries or row.event in self.entries)
            and (not self.fields or field.name in self.fields)
            and (self.until is None or row.time < self.until)
        )


class Openings:
    """The check of one log, taken in the order of its entries; what it has counted so far."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.opened = 0
        self.erased = 0
        #: what the log says of the erasures that were carried out, by proposal
        self._told: dict[str, _Told] = {}
        #: proposals that were asked for, and what they let go
        self._executed: dict[str, Executed | None] = {}
        self._covered: dict[str, _Covered] = {}

    def take(self, session: Session, rows: Sequence[EntryRow]) -> None:
        """Hold what stands beside these consecutive entries against them; raises OpeningBroken with the first that does not fit."""
        there = _beside(session, rows[0].index, rows[-1].index)
        for row in rows:
            own = there.pop(row.index, {})
            if not row.data:
                continue  # what it commits to stands in the archive: `audit archive verify` holds it against that
            self._note(row)
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
            digest = digest_of((index, name) for index, name in listed)
            told = self._told.get(erasure) or self._waiting(session, erasure)
            if kept is None or told is None or not digest == kept.digest == told.fields:
                raise OpeningBroken(index=listed[0][0], field=listed[0][1], reason=_UNRECORDED)
            try:
                told.decided_by(self._decision(erasure))
            except _Undecided as error:
                raise OpeningBroken(index=listed[0][0], field=listed[0][1], reason=error.reason) from error

    def _note(self, row: EntryRow) -> None:
        """Remember what an erasure's own entry says of it."""
        if row.verb == EXECUTE and row.outcome == Outcome.DONE and b'"erased":{' in row.data:
            told = _Told.of(canonical.decode(row.data)["facts"])
            if told is not None:
                # the first: it is carried out once, and nothing said later adds to what it took
                self._told.setdefault(row.subject.removeprefix("proposal:"), told)

    @staticmethod
    def _waiting(session: Session, erasure: str) -> _Told | None:
        """What is said by a record that is still on its way into the log."""
        for data in session.scalars(sa.select(OutboxRow.data)):
            event = canonical.decode(data)
            done = (event["verb"], event["subject"], event["outcome"])
            if done == (EXECUTE, f"proposal:{erasure}", Outcome.DONE) and (told := _Told.of(event["facts"])):
                return told
        return None

    def _count(self, row: EntryRow, field: PersonalField) -> None:
        if field.state in REASONS:
            raise OpeningBroken(index=row.index, field=field.name, reason=REASONS[field.state])
        if field.state is State.OPEN:
            self.opened += 1
            return
        self.erased += 1
        erasure = field.erasure or ""
        found = self._decision(erasure)
        if found is None or found.kind != KIND:
            return  # which `end` names
        if erasure not in self._covered:
            self._covered[erasure] = _Covered.of(found.content)
        if not self._covered[erasure].covers(row, field):
            raise OpeningBroken(index=row.index, field=field.name, reason=_BEYOND)

    def _decision(self, erasure: str) -> Executed | None:
        """The proposal of an erasure, asked for once: its signatures are verified anew."""
        if erasure not in self._executed:
            self._executed[erasure] = self._around.executed(erasure)
        return self._executed[erasure]


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


def hold_archived(session: Session, entries: Mapping[int, bytes]) -> tuple[int, int]:
    """Hold what stands here of entries whose content stands in an archive against it; how many fields are open, and erased.

    Raises OpeningBroken.
    """
    found = {State.OPEN: 0, State.ERASED: 0}
    indexes = [index for index, data in entries.items() if MARK in data]
    for at in range(0, len(indexes), _AT_ONCE):
        there = beside(session, indexes[at : at + _AT_ONCE])
        for index in indexes[at : at + _AT_ONCE]:
            for each in opened(canonical.decode(entries[index]), there.get(index, {})):
                if each.state in REASONS:
                    raise OpeningBroken(index=index, field=each.name, reason=REASONS[each.state])
                found[each.state] += 1
    return found[State.OPEN], found[State.ERASED]
