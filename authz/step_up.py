"""Acts that a session alone is not enough for: the certificate's key must have been proved in it just now."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from yinxin.act import Actor
from yinxin.authz import StepUpRequired


@dataclass(frozen=True, slots=True)
class Freshness:
    """`actions` demand a proof that is no older than `within`."""

    actions: frozenset[str] = frozenset()
    within: timedelta = timedelta(minutes=5)

    def demand(self, actor: Actor, action: str, now: datetime) -> None:
        """Raise StepUpRequired unless the actor's proof is fresh enough for `action`.

        Whoever acts in no session (the platform, a protocol's client) has proved her key for the act itself.
        """
        if action in self.actions and actor.certified is not None and actor.certified + self.within <= now:
            raise StepUpRequired(action=action, minutes=int(self.within.total_seconds()) // 60)

    def ends(self, actor: Actor, action: str) -> datetime | None:
        """When the actor's proof stops being fresh enough for `action`; None where none is demanded."""
        return (
            actor.certified + self.within if action in self.actions and actor.certified is not None else None
        )
