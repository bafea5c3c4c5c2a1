"""What several people decided, as the log and the proposals tell it: every carrying out, and whether enough had signed for it.

The rows that a decision leaves stand in tables that whoever owns the database can write. What she cannot make are the
signatures on the proposal, and a post that the directory did not give when it was signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.models import EntryRow
from audit.surroundings import Executed, Surroundings
from yinxin import canonical
from yinxin.act import Outcome
from yinxin.errors import YinxinError
from yinxin.proposal import FEWEST
from yinxin.store import OutboxRow
from yinxin.text import Text

#: how the log calls the carrying out of a proposal
EXECUTE = "authz.execute"
REMOVED = Text("日志中有这一条，表中已被删去", "the log has it, and it was taken out of the table")
_UNDECIDED = Text(
    "其记录所指的提案不存在、未执行或内容不符",
    "its record names no proposal of that kind that is there, was carried out and says what the record says",
)
_UNSIGNED = Text(
    "提案上的批准签名不足、不成立或不是其记录所载的",
    "the proposal does not bear enough signatures of approval that hold, or not those that its record names",
)


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry says of a proposal that was carried out. `place` is its order among all that do."""

    place: int
    proposal: str
    kind: str
    digest: str
    #: certificates
    approved: frozenset[str]
    outcome: Mapping[str, Any]


class Decisions:
    """The proposals that were carried out at one site, by the log, in the order of its entries."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._told: dict[str, Told] = {}
        self._executed: dict[str, Executed | None] = {}

    def note(self, row: EntryRow) -> None:
        """Remember what an entry says, if it is the carrying out of a proposal. Its content stands in no archive (`archive.periods`)."""
        if row.verb == EXECUTE and row.outcome == Outcome.DONE and row.data:
            self._tell(canonical.decode(row.data))

    def wait(self, session: Session) -> None:
        """The same of the records that are still on their way into the log."""
        for data in session.scalars(sa.select(OutboxRow.data).order_by(OutboxRow.number)):
            try:
                event = canonical.decode(data)
            except YinxinError:
                continue  # the sequencer will say so
            if (event.get("verb"), event.get("outcome")) == (EXECUTE, Outcome.DONE):
                self._tell(event)

    def told(self, proposal: str) -> Told | None:
        """What the log says of one; None when it was never carried out."""
        return self._told.get(proposal)

    def of(self, *kinds: str) -> list[Told]:
        """All of these kinds, oldest first."""
        return [each for each in self._told.values() if each.kind in kinds]

    def proposal(self, id_: str) -> Executed | None:
        """The proposal itself, asked for once: its signatures are verified anew."""
        if id_ not in self._executed:
            self._executed[id_] = self._around.executed(id_)
        return self._executed[id_]

    def fault(self, told: Told, kind: str) -> Text | None:
        """Why that is no decision of this kind: no such proposal, not signed, or signed by somebody who was not entitled."""
        found = self.proposal(told.proposal)
        if found is None or told.kind != kind or (found.kind, found.digest) != (kind, told.digest):
            return _UNDECIDED
        for certificate in sorted(told.approved & found.unentitled.keys()):
            why = found.unentitled[certificate]
            return Text(f"批准人当时无权批准：{why.zh}", f"an approver was not entitled then: {why.en}")
        if len(told.approved) < max(FEWEST, found.needed) or not told.approved <= found.signed:
            return _UNSIGNED
        return None

    def _tell(self, event: Mapping[str, Any]) -> None:
        proposal, facts = event["subject"].removeprefix("proposal:"), event.get("facts") or {}
        told = Told(
            place=len(self._told),
            proposal=proposal,
            kind=str(facts.get("kind")),
            digest=str(facts.get("digest")),
            approved=frozenset(str(each.get("certificate")) for each in facts.get("approvals") or ()),
            outcome=facts.get("outcome") or {},
        )
        # the first: it is carried out once, and nothing said later adds to what it did
        self._told.setdefault(proposal, told)
