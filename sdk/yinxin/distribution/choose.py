"""Choosing recipients from the tree of organs: one by one, or all that stand below one, of a level or of every level."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from yinxin.distribution.errors import NotBelow, RecipientTwice
from yinxin.distribution.models import Role


class Organ(Protocol):
    """An organ of the tree, as the directory tells of it (`yinxin.client.Organ`)."""

    @property
    def id(self) -> str:
        """Its identifier."""
        ...

    @property
    def parent(self) -> str | None:
        """The organ it belongs to."""
        ...

    @property
    def level(self) -> str:
        """Its level: province, city, county, township or department."""
        ...


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a copy, and what for."""

    organ: str
    role: Role = Role.MAIN


def recipients(main: Sequence[str], copies: Sequence[str] = ()) -> tuple[Recipient, ...]:
    """Main and copy recipients in their order, each organ once; raises RecipientTwice."""
    named = [*main, *copies]
    if twice := next((organ for at, organ in enumerate(named) if organ in named[:at]), None):
        raise RecipientTwice(organ=twice)
    return (*(Recipient(each) for each in main), *(Recipient(each, Role.COPY) for each in copies))


def below(organs: Iterable[Organ], above: str, level: str | None = None) -> list[str]:
    """The organs below one, however deep, of a level if it is given (“all counties of this city”), in the directory's order."""
    every = list(organs)
    found, inside = [], {above}
    while more := [each for each in every if each.parent in inside and each.id not in inside]:
        inside |= {each.id for each in more}
        found += more
    kept = {each.id for each in found if level is None or each.level == level}
    return [each.id for each in every if each.id in kept]


def demand_below(organs: Iterable[Organ], above: str, named: Iterable[str]) -> None:
    """Raise NotBelow unless every organ that is named stands below `above`."""
    under = set(below(organs, above))
    for each in named:
        if each not in under:
            raise NotBelow(organ=each, above=above)
