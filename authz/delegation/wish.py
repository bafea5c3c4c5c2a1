"""What a delegator wants, as it is signed."""

from datetime import datetime
from typing import Any, Self

from pydantic import AwareDatetime, Field

from authz.directory.file import Entry
from yinxin.act import Actor
from yinxin.clock import rfc3339
from yinxin.statement import Statement

VERB = "authz.delegate"


class Wish(Entry):
    """Let `delegate` act in the own post from `valid_from` until before `valid_to`, for `actions` only (none: all).

    `reason` is the cause in words, such as leave or travel.
    """

    delegate: str = Field(max_length=64)
    valid_from: AwareDatetime
    valid_to: AwareDatetime
    actions: tuple[str, ...] | None = None
    reason: str = Field(max_length=400)

    def statement(self, actor: Actor, site: str, at: datetime) -> Statement:
        """The statement that the delegator signs."""
        content: dict[str, Any] = {
            "delegate": self.delegate,
            "valid_from": rfc3339(self.valid_from),
            "valid_to": rfc3339(self.valid_to),
            "reason": self.reason,
            "site": site,
        }
        if self.actions is not None:
            content["actions"] = sorted(self.actions)
        return Statement.of(actor, VERB, f"post:{actor.post}", at, content)

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """The wish that was signed; raises pydantic's ValidationError."""
        return cls.model_validate(
            {name: value for name, value in statement.content.items() if name != "site"}
        )
