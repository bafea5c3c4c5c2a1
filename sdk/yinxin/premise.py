"""What a judgement rests on, so that it may be kept: not for a time, but for as long as nothing of it has changed.

Whoever keeps a judgement (who calls, whether she may) keeps with it the rows and numbers it was made of, and asks each whether
it still holds in the very transaction that writes the act down. What was revoked is so noticed by the next act, in whichever
process it was revoked; a judgement that no longer holds is made anew the ordinary way, which says and records what is wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from yinxin.act import Actor
from yinxin.authz import Decision, Resource
from yinxin.store import Within


class Outdated(Exception):
    """Something that a judgement rested on is not so any more."""


class Premise(Protocol):
    """One thing that a judgement rests on. One object of it is asked once for all judgements that share it."""

    def hold(self, within: Within, now: datetime) -> None:
        """Raise Outdated unless it is as it was, in this transaction and at this moment."""
        ...


@dataclass(frozen=True, slots=True)
class Between:
    """The time from `since` until before `until`; without an end it lasts."""

    since: datetime
    until: datetime | None

    def hold(self, within: Within, now: datetime) -> None:  # noqa: ARG002 - the protocol's signature
        """Raise Outdated at any other time."""
        if now < self.since or (self.until is not None and self.until <= now):
            raise Outdated


@runtime_checkable
class Judging(Protocol):
    """A decider (`yinxin.authz.Decider`) that says what its answer rests on."""

    def judged(self, actor: Actor, action: str, resource: Resource) -> tuple[Decision, tuple[Premise, ...]]:
        """The decision as `check` gives it, and what it rests on, a fresh proof of the actor's key included.

        Raises as `check`, and StepUpRequired; nothing is recorded. What it knew is kept, as `require` keeps it.
        """
        ...


class Asked:
    """Asks what many judgements rest on, each thing once, in one transaction at one moment."""

    def __init__(self, within: Within, now: datetime) -> None:
        self._within = within
        self._now = now
        self._known: dict[Premise, bool] = {}

    def hold(self, premises: Iterable[Premise]) -> None:
        """Raise Outdated unless all of them hold."""
        for premise in premises:
            if premise not in self._known:
                self._known[premise] = False
                premise.hold(self._within, self._now)
                self._known[premise] = True
            elif not self._known[premise]:
                raise Outdated
