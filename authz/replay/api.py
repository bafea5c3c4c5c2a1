"""Deciding again over HTTP, for auditors."""

from typing import Any

from flask import Blueprint

from audit.errors import EntryNotFound
from authz.errors import NothingDecided
from authz.replay.replay import Replayed
from authz.service import Authz
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller
from yinxin.wire import Model, Words


class ReplayedOut(Model):
    """A recorded decision and what comes out now: `agrees`, or which field of the record does not (`differs`)."""

    entry: str
    verb: str
    subject: str
    actor: str
    agrees: bool
    differs: str | None
    allowed: bool
    """As it was recorded; of several answers, whether any of them was a yes."""
    answers: int | None
    """For how many answers without an act the entry stands; absent for a decision."""
    reason: Words | None
    """The rules that decided, in words; absent when it does not agree."""
    record: dict[str, Any]


def routes(authz: Authz) -> tuple[Blueprint, ...]:
    """The operation."""
    api = Api("authz_replays", "/api/authz/v1/replays", Text("重放判定", "Decisions taken again"))

    @api.get(
        "/<entry>",
        problems=(Denied, EntryNotFound, NothingDecided),
        summary=Text("按记录重新判定", "Decide again what an entry of the log records"),
    )
    def replay(entry: str, caller: Caller) -> ReplayedOut:
        return told(entry, authz.replays.replay(caller.actor, entry))

    return (api.blueprint,)


def told(entry: str, found: Replayed) -> ReplayedOut:
    """The answer, for machines."""
    decision, differs = found.decision, found.differs
    return ReplayedOut(
        entry=entry,
        verb=found.entry["verb"],
        subject=found.entry["subject"],
        actor=found.entry["actor"]["id"],
        agrees=differs is None,
        differs=differs.facts["field"] if differs is not None else None,
        allowed=bool(found.record.get("allowed")),
        answers=found.again.answers if found.again is not None else None,
        reason=Words.of(decision.reason) if decision is not None else None,
        record=dict(found.record),
    )
