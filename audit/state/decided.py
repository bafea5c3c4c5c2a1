"""Rows that decisions of several people leave, held against the log and the proposals: periods, orders to keep, witnessing.

Whoever may write to the database could lift an order, shorten a period, or let the log be believed by witnesses of her own,
with one row. Each row must be what the entry of its proposal says, the proposal be signed by people entitled to, and none be gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.archive.models import RetentionRow
from audit.archive.proposals import RETAIN
from audit.decisions import REMOVED, Decisions, Told
from audit.errors import StateBroken
from audit.personal.models import HoldRow
from audit.personal.proposals import HOLD
from audit.tree import TREES
from audit.witness.models import PolicyRow, WitnessedLogRow
from audit.witness.proposals import SET_QUORUM, STOP_WITNESSING, WITNESS_LOG
from yinxin.clock import rfc3339
from yinxin.text import Text

_UNRECORDED = Text("日志中没有这一决定", "the log has no such decision")
_ALTERED = Text("与日志和提案所载不同", "neither the log nor the proposal says so")
_REORDERED = Text("先后次序与日志不同", "it stands in another order than in the log")
_PERIODS = Text("保存期", "the periods of retention")
_HOLDS = Text("个人信息保全", "the orders to keep personal data")
_POLICIES = Text("见证规则", "the policies of witnesses")
_LOGS = Text("所见证的日志", "the logs that are witnessed here")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row, by the proposal that decided it, and what it says of it: parts of the outcome, and the basis where it has one."""

    proposal: str
    says: Mapping[str, Any]
    basis: str | None = None


def check_decided(session: Session, decisions: Decisions) -> None:
    """Hold the tables against the decisions; raises StateBroken with the first row that does not fit."""
    _hold(decisions, RETAIN.name, _PERIODS, list(_periods(session)), ordered=False)
    _hold(decisions, HOLD.name, _HOLDS, list(_holds(session)), ordered=True)
    _hold(decisions, SET_QUORUM.name, _POLICIES, list(_policies(session)), ordered=True)
    _hold_logs(session, decisions)


def _periods(session: Session) -> Iterator[_Row]:
    for row in session.scalars(sa.select(RetentionRow).order_by(RetentionRow.proposal)):
        says = {"scope": row.scope, "days": row.days, "since": rfc3339(row.since)}
        yield _Row(row.proposal, says, row.basis)


def _holds(session: Session) -> Iterator[_Row]:
    """In the order in which they count (`erase.holds_at`)."""
    for row in session.scalars(sa.select(HoldRow).order_by(HoldRow.since, HoldRow.proposal)):
        yield _Row(row.proposal, {"person": row.person or "*", "held": row.held}, row.basis)


def _policies(session: Session) -> Iterator[_Row]:
    hashes = {suite.hash.name: suite.hash for suite in TREES}
    for row in session.scalars(sa.select(PolicyRow).order_by(PolicyRow.number)):
        known = hashes.get(row.tree)
        digest = None if known is None else known.digest(row.policy).hex()
        yield _Row(row.proposal, {"tree": row.tree, "digest": digest})


def _hold(decisions: Decisions, kind: str, table: Text, rows: Sequence[_Row], *, ordered: bool) -> None:
    told = {each.proposal: each for each in decisions.of(kind)}
    last = -1
    for row in rows:
        found = told.pop(row.proposal, None)
        if found is None:
            raise StateBroken(table=table, row=row.proposal, reason=_UNRECORDED)
        if any(found.outcome.get(name) != value for name, value in row.says.items()):
            raise StateBroken(table=table, row=row.proposal, reason=_ALTERED)
        _decided(decisions, found, kind, table)
        if row.basis is not None and row.basis != _basis(decisions, row.proposal):
            raise StateBroken(table=table, row=row.proposal, reason=_ALTERED)
        if ordered and found.place < last:
            raise StateBroken(table=table, row=row.proposal, reason=_REORDERED)
        last = found.place
    for proposal in told:
        raise StateBroken(table=table, row=proposal, reason=REMOVED)


def _basis(decisions: Decisions, proposal: str) -> str | None:
    """The basis in the content where its kind has it there, else the proposal's own."""
    found = decisions.proposal(proposal)
    if found is None:
        return None
    content = found.content if isinstance(found.content, Mapping) else {}
    return str(content.get("basis", found.basis))


def _decided(decisions: Decisions, told: Told, kind: str, table: Text) -> None:
    if fault := decisions.fault(told, kind):
        raise StateBroken(table=table, row=told.proposal, reason=fault)


def _hold_logs(session: Session, decisions: Decisions) -> None:
    """Whose logs are witnessed here: one row a log, which the newest decision about it has made."""
    due: dict[str, tuple[str, str, bool]] = {}
    for told in decisions.of(WITNESS_LOG.name, STOP_WITNESSING.name):
        _decided(decisions, told, told.kind, _LOGS)
        origin = str(told.outcome.get("origin"))
        if told.kind == WITNESS_LOG.name:
            due[origin] = (told.proposal, "\n".join(told.outcome.get("keys") or ()), False)
        elif origin in due:
            proposal, keys, _ = due[origin]
            due[origin] = (proposal, keys, True)
    for row in session.scalars(sa.select(WitnessedLogRow).order_by(WitnessedLogRow.origin)):
        expected = due.pop(row.origin, None)
        if expected is None:
            raise StateBroken(table=_LOGS, row=row.origin, reason=_UNRECORDED)
        if expected != (row.proposal, row.keys, row.stopped is not None):
            raise StateBroken(table=_LOGS, row=row.origin, reason=_ALTERED)
    for origin in due:
        raise StateBroken(table=_LOGS, row=origin, reason=REMOVED)
