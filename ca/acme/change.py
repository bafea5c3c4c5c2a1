"""Changes of ACME that are ready to be made: alone, or several requests' in one transaction."""

from collections.abc import Callable, Sequence
from contextvars import Context as Surroundings
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from yinxin.act import Actor, Outcome
from yinxin.store import Act, Several, Store
from yinxin.store import Taken as Meaning
from yinxin.store.errors import StoreUnavailable


def _nothing() -> None:
    """Nothing follows."""


@dataclass(frozen=True, slots=True)
class Change:
    """A recorded act whose request was found good: `make` carries it out within its transaction, `after` follows its commit.

    Made in vain, it may be made again. Whatever `make` raises is this change's refusal.
    """

    actor: Actor
    verb: str
    subject: str
    make: Callable[[Act], Any]
    outcome: Outcome = Outcome.DONE
    taken: Meaning | None = None
    after: Callable[[], None] = _nothing
    #: the request that its record belongs to
    surroundings: Surroundings = field(default_factory=copy_context, repr=False)

    def alone(self, store: Store) -> Any:
        """What it gives, in a transaction of its own."""
        with store.act(self.actor, self.verb, self.subject, outcome=self.outcome, taken=self.taken) as act:
            given = self.make(act)
        self.after()
        return given

    def among(self, several: Several) -> Any:
        """The same in a transaction that others share."""
        with several.act(self.actor, self.verb, self.subject, outcome=self.outcome) as act:
            return self.make(act)


def made(store: Store, changes: Sequence[Change]) -> list[Any]:
    """What each gives, or the exception that it ended in.

    All of them are one transaction, or, where that does not do, each has its own, and is refused in its own name: but one
    database that does not answer is waited for once.
    """
    if len(changes) > 1 and (given := _together(store, changes)) is not None:
        return given
    told: list[Any] = []
    for each in changes:
        # a database that let one wait in vain would let each of them wait as long, one after the other
        vain = bool(told) and isinstance(told[-1], StoreUnavailable)
        told.append(StoreUnavailable() if vain else each.surroundings.run(_alone, store, each))
    return told


def _together(store: Store, changes: Sequence[Change]) -> list[Any] | None:
    """None where nothing was done: what stood in the way, and in whose, each finds out alone."""
    try:
        with store.several() as several:
            given = [each.surroundings.run(each.among, several) for each in changes]
    except Exception:  # noqa: BLE001 - likewise
        return None
    return [_followed(each, what) for each, what in zip(changes, given, strict=True)]


def _followed(change: Change, given: Any) -> Any:
    """What a change gave, which stands: what cannot follow it is this request's trouble, and nobody else's."""
    try:
        change.surroundings.run(change.after)
    except Exception as error:  # noqa: BLE001 - it is this request's answer
        return error
    return given


def _alone(store: Store, change: Change) -> Any:
    try:
        return change.alone(store)
    except Exception as error:  # noqa: BLE001 - it is this request's answer
        return error
