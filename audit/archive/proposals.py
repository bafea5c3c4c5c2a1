"""How long entries are kept is decided by several people (law 3), and valid from a day on (law 9)."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field
from sqlalchemy.orm import Session

from audit.archive.models import RetentionRow
from yinxin.clock import rfc3339
from yinxin.proposal import Approved, Outcome, ProposalKind
from yinxin.text import Text
from yinxin.wire import Instant, Model

if TYPE_CHECKING:
    from audit.service import Log

#: 网络安全法 第二十一条: network logs are kept for six months at least; no rule may say less
FEWEST_DAYS = 184


class RetentionContent(Model):
    """How long entries of a scope are kept."""

    scope: str = Field(default="", pattern=r"^([a-z]+\.([a-z]+(-[a-z]+)*)?)?$", max_length=80)
    """A verb (`ca.issue`), a module with a dot (`ca.`), or empty for all acts that no other rule names."""
    days: int | None = Field(default=None, ge=FEWEST_DAYS, le=36_500)
    """Days after the act; nothing for ever."""
    since: Instant
    """From when this rule is in force; it takes the place of the scope's earlier one."""
    basis: str = Field(min_length=1, max_length=400)
    """The law or decision that it rests on."""


def _describe(_log: "Log", content: RetentionContent) -> tuple[Text, ...]:
    scope = content.scope or "*"
    since: datetime = content.since
    how_long = (
        Text("永久保存", "for ever")
        if content.days is None
        else Text(f"保存 {content.days} 天", f"for {content.days} days")
    )
    return (
        Text(
            f"自 {rfc3339(since)} 起，操作 {scope} 的审计记录{how_long.zh}，依据：{content.basis}",
            f"from {rfc3339(since)} on, audit entries of {scope} are kept {how_long.en}; basis: {content.basis}",
        ),
    )


def _retain(_log: "Log", approved: Approved[RetentionContent], session: Session) -> Outcome:
    content = approved.content
    session.add(
        RetentionRow(
            proposal=approved.proposal,
            scope=content.scope,
            days=content.days,
            since=content.since,
            basis=content.basis,
        )
    )
    session.flush()
    return {"scope": content.scope, "days": content.days, "since": rfc3339(content.since)}


RETAIN: ProposalKind["Log", Any] = ProposalKind(
    name="audit.retain",
    title=Text("设定审计记录的保存期", "set how long audit entries are kept"),
    content=RetentionContent,
    proposers=frozenset({"auditor", "security-officer"}),
    approvers=frozenset({"auditor", "security-officer", "leader"}),
    describe=_describe,
    within=_retain,
)
