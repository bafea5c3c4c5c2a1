"""Copies held against the log: what was acknowledged, every day; and what a receiver really has, from its own file.

An acknowledgement is as good as the receiver's buffer: one that acknowledges from memory loses what it acknowledged.
Only its own file shows that.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.forward import cursor
from audit.forward.courier import Courier
from audit.forward.errors import CopiesDiffer, UnreadableReport
from audit.forward.models import CopyRow, CursorRow
from audit.models import EntryRow
from yinxin.act import SYSTEM, Outcome
from yinxin.crypto.suite import INTL

RECONCILE = "audit.reconcile"
#: entries compared in one question, and ranges that a report names
_CHUNK, _NAMED = 512, 100


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was found: entries acknowledged, of them missing and different, received more than once, and known only to the receiver."""

    receiver: str
    acknowledged: int
    missing: int
    altered: int
    repeated: int = 0
    foreign: int = 0
    #: the first hundred missing ranges [first, last]
    ranges: tuple[tuple[int, int], ...] = ()
    first: int | None = None

    def fields(self) -> dict[str, Any]:
        """The findings as plain values."""
        named = [list(each) for each in self.ranges]
        found = {
            name: getattr(self, name)
            for name in ("receiver", "acknowledged", "missing", "altered", "repeated", "foreign")
        }
        return found | {"ranges": named, "first": self.first}

    def judge(self) -> None:
        """Raise CopiesDiffer unless every acknowledged entry is there as the log has it."""
        if self.missing or self.altered or self.foreign:
            raise CopiesDiffer(
                receiver=self.receiver,
                missing=self.missing,
                altered=self.altered + self.foreign,
                first=self.first if self.first is not None else self.acknowledged,
            )


def daily(courier: Courier) -> None:
    """Hold what every receiver acknowledged since the last time against the log; each finding is an entry of the log."""
    for name in courier.settings.receivers:
        found = agree(courier, name)
        if found is None:
            continue
        bad = bool(found.missing or found.altered)
        outcome = Outcome.FAILED if bad else Outcome.DONE
        with courier.store.act(SYSTEM, RECONCILE, f"receiver:{name}", outcome=outcome, **found.fields()):
            pass
        _keep(courier, name, found)


def agree(courier: Courier, name: str) -> Reconciliation | None:
    """The acknowledged ranges of a receiver that were not reconciled yet, held against the log's leaf hashes.

    None when nothing was acknowledged since the last time. Ranges must follow each other without a gap.
    """
    with courier.store.read() as session:
        row = session.get(CursorRow, name)
        if row is None or row.acknowledged == row.reconciled:
            return None
        at, missing, altered, gaps = row.reconciled, 0, 0, list[tuple[int, int]]()
        first: int | None = None
        query = sa.select(CopyRow).where(CopyRow.receiver == name, CopyRow.end > at).order_by(CopyRow.first)
        for copy in session.scalars(query):
            if copy.first > at:
                gaps.append((at, copy.first - 1))
            elif copy.digest != _digest(session, copy.first, copy.end):
                altered += copy.end - copy.first
                first = copy.first if first is None else first
            at = max(at, copy.end)
        if at < row.acknowledged:
            gaps.append((at, row.acknowledged - 1))
        missing = sum(last - begin + 1 for begin, last in gaps)
        firsts = [each for each in (first, gaps[0][0] if gaps else None) if each is not None]
        return Reconciliation(
            name, row.acknowledged, missing, altered, 0, 0, tuple(gaps[:_NAMED]), min(firsts, default=None)
        )


def against(courier: Courier, name: str, lines: Iterable[str]) -> Reconciliation:
    """What the receiver acknowledged, held against the lines of its own file; raises UnknownReceiver, UnreadableReport."""
    courier.receiver(name)
    with courier.store.read() as session:
        row = session.get(CursorRow, name)
        size = row.acknowledged if row else 0
        seen = _Seen(size)
        chunk: dict[int, str] = {}
        for first, last, leaf in _lines(lines):
            seen.add(first, last)
            if leaf is not None and first in chunk and chunk[first] != leaf:
                seen.differ(first)
            if leaf is not None:
                chunk[first] = leaf
            if len(chunk) >= _CHUNK:
                _compare(session, chunk, seen)
                chunk = {}
        _compare(session, chunk, seen)
    gaps = seen.gaps()
    missing = sum(last - first + 1 for first, last in gaps)
    firsts = [*seen.different, *(gaps[0][:1] if gaps else ())]
    return Reconciliation(
        name,
        size,
        missing,
        len(seen.different),
        seen.repeated,
        seen.foreign,
        tuple(gaps[:_NAMED]),
        min(firsts, default=None),
    )


def resend(courier: Courier, found: Reconciliation) -> None:
    """Have what is missing sent again, and everything after it: receivers tell by the index what they have."""
    if found.ranges:
        cursor.rewind(courier.store, found.receiver, found.ranges[0][0])


# --- inside ----------------------------------------------------------------------------------------------------


@dataclass
class _Seen:
    """One bit an entry: what the receiver has of those that it acknowledged."""

    size: int
    repeated: int = 0
    foreign: int = 0
    different: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._bits = bytearray((self.size + 7) // 8)

    def add(self, first: int, last: int) -> None:
        # what is not acknowledged yet may well be there: the acknowledgement was lost
        for index in range(first, min(last, self.size - 1) + 1):
            if self._bits[index >> 3] >> (index & 7) & 1:
                self.repeated += 1
            self._bits[index >> 3] |= 1 << (index & 7)

    def differ(self, index: int) -> None:
        self.different.add(index)

    def gaps(self) -> list[tuple[int, int]]:
        """The ranges that are not there."""
        found: list[tuple[int, int]] = []
        for index in range(self.size):
            if self._bits[index >> 3] >> (index & 7) & 1:
                continue
            if found and found[-1][1] == index - 1:
                found[-1] = found[-1][0], index
            else:
                found.append((index, index))
        return found


def _lines(lines: Iterable[str]) -> Iterator[tuple[int, int, str | None]]:
    """(first, last, leaf hash) of each line: a record, after whatever a receiver writes before it, or a range."""
    waiting: int | None = None
    for number, line in enumerate(lines, 1):
        if waiting is not None:
            raise UnreadableReport(line=waiting)
        if not line.strip():
            continue
        try:
            record = json.loads(line[line.index("{") : line.rindex("}") + 1])
            if record.get("kind") == "checkpoint":
                continue
            if "first" in record:
                first, last, leaf = record["first"], record["last"], None
            else:
                first = last = record["index"]
                leaf = str(record["leaf_sha256"])
            if type(first) is not int or type(last) is not int or not 0 <= first <= last:
                raise ValueError  # noqa: TRY301 - answered with the line below
        except (ValueError, KeyError, AttributeError):
            waiting = number  # the last line may be torn: the receiver was writing it
            continue
        yield first, last, leaf


def _compare(session: Session, chunk: dict[int, str], seen: _Seen) -> None:
    if not chunk:
        return
    query = sa.select(EntryRow.index, EntryRow.leaf_sha256).where(EntryRow.index.in_(chunk))
    known = {index: leaf.hex() for index, leaf in session.execute(query)}
    for index, leaf in chunk.items():
        if index not in known:
            seen.foreign += 1
        elif known[index] != leaf:
            seen.differ(index)


def _digest(session: Session, first: int, end: int) -> bytes:
    query = sa.select(EntryRow.leaf_sha256).where(EntryRow.index >= first, EntryRow.index < end)
    return INTL.hash.digest(b"".join(session.scalars(query.order_by(EntryRow.index))))


def _keep(courier: Courier, name: str, found: Reconciliation) -> None:
    """Fold the ranges that agree into one; one that does not stays as it is, for those who look into it."""
    bad = found.missing or found.altered
    with courier.store.housekeep() as session:
        row = session.get_one(CursorRow, name)
        row.reconciled_at = courier.store.clock.now()
        row.differing = found.first
        if bad:
            return
        below = (CopyRow.receiver == name, CopyRow.end <= found.acknowledged)
        begin = session.scalar(
            sa.select(sa.func.min(CopyRow.first)).where(*below, CopyRow.end > row.reconciled)
        )
        if begin is None:
            return
        session.execute(sa.delete(CopyRow).where(*below, CopyRow.first >= begin))
        digest = _digest(session, begin, found.acknowledged)
        session.add(
            CopyRow(receiver=name, first=begin, end=found.acknowledged, digest=digest, at=row.reconciled_at)
        )
        row.reconciled = found.acknowledged
