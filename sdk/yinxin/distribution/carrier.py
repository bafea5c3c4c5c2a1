"""The seam to other sites: who takes a copy there, and what comes back.

A copy for an organ of another site waits until a carrier has taken it. A carrier keeps what it took and delivers it once,
in its own time; it is asked outside any transaction, and again after whatever went wrong, so it knows a parcel by its `key`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from yinxin.authz import Level
from yinxin.distribution.models import Copy, Role, State
from yinxin.exchange import Enclosed, Reached


@dataclass(frozen=True, slots=True)
class Key:
    """Which copy: it is the same at both sites."""

    flow: str
    item: str
    organ: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A copy as it travels: grade and digest of what is sent, how long its recipient has, and all that its site needs of it.

    `sha256` (hex) is of the object itself; `facts` are the application's, JSON; `files` lie where they say until it is taken.
    """

    key: Key
    sender: str
    role: Role
    level: Level
    sha256: str
    period: Mapping[str, Any] | None
    facts: Mapping[str, Any]
    files: tuple[Enclosed, ...] = field(repr=False)


#: what another site says of a copy
Reported = Literal[
    State.DELIVERED, State.RECEIVED, State.RETURNED, State.WITHDRAWN, State.GIVEN_BACK, State.REFUSED
]


@dataclass(frozen=True, slots=True)
class Report:
    """What the other site says became of a copy: `proof` is its signed receipt, as it came, to be kept.

    `delivered` is the gateway's receipt, `received` and `returned` a person's, `withdrawn` that it was taken back unread, `refused` that
    the site itself would not have it; `reason` is of a return or refusal.
    """

    key: Key
    state: Reported
    at: datetime
    proof: bytes = field(repr=False)
    reason: str | None = None


class Carrier(Protocol):
    """Takes copies to organs of other sites."""

    def elsewhere(self, organs: Sequence[str]) -> frozenset[str]:
        """Those of them that are of another site."""
        ...

    def reached(self, sender: str) -> Sequence[Reached]:
        """The organs of other sites that the sender may send to, with what each is cleared for."""
        ...

    def demand(self, sender: str, organs: Iterable[str], object_: str, level: Level) -> None:
        """Raise unless the sender may send an object of that level to each of these organs of other sites."""
        ...

    def carry(self, parcel: Parcel) -> None:
        """Take it over for good; the same parcel again changes nothing. Raises what keeps it from it: it is asked again later.

        A recipient or site that is not cleared for the parcel's level is refused (NotPermitted): then the copy is, for good.
        """
        ...

    def recall(self, key: Key, reason: str) -> bool:
        """Have a copy withdrawn that was not answered; whether it was taken over at all. What became of it is reported."""
        ...

    def urge(self, key: Key, number: int) -> None:
        """Tell the recipient's site that its copy was urged for the `number`th time; the same again changes nothing."""
        ...

    def call_in(self, key: Key, reason: str) -> None:
        """Have a copy given back there that was signed for (清退); the same again changes nothing. That it was is reported."""
        ...


#: makes the parcel of a copy; for copies that wait
Pack = Callable[[Copy], Parcel]


class NoOtherSites:
    """The carrier of a site that exchanges with nobody."""

    def elsewhere(self, organs: Sequence[str]) -> frozenset[str]:  # noqa: ARG002 - the seam's signature
        """Nobody is."""
        return frozenset()

    def reached(self, sender: str) -> Sequence[Reached]:  # noqa: ARG002 - the seam's signature
        """Nobody is."""
        return ()

    def demand(self, sender: str, organs: Iterable[str], object_: str, level: Level) -> None:
        """Nobody is asked about."""

    def carry(self, parcel: Parcel) -> None:
        """Nothing is ever elsewhere."""
        raise LookupError(parcel.key)

    def recall(self, key: Key, reason: str) -> bool:  # noqa: ARG002 - the seam's signature
        """Nothing was carried."""
        return False

    def urge(self, key: Key, number: int) -> None:  # noqa: ARG002 - the seam's signature
        """Nothing is ever elsewhere."""
        raise LookupError(key)

    def call_in(self, key: Key, reason: str) -> None:  # noqa: ARG002 - the seam's signature
        """Nothing is ever elsewhere."""
        raise LookupError(key)
