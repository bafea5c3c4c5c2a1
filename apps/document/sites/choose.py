"""Whom a document may be addressed to: the organs of this site's tree, and those of other sites, as one directory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from apps.document.core import Organ
from apps.document.desk import Desk
from apps.document.models import Document, State
from apps.document.sites.errors import NotCleared
from apps.document.states import COPIES
from yinxin.authz import LEVEL_TEXT, Level
from yinxin.distribution import HELD, OPEN
from yinxin.exchange import Reached


@dataclass(frozen=True, slots=True)
class Addressable:
    """Every organ by its identifier; of those at other sites what is known beside, and what their site is to this one."""

    organs: Mapping[str, Organ]
    elsewhere: Mapping[str, Reached]

    @property
    def over(self) -> frozenset[str]:
        """The organs of the parent's site: they stand above every organ of this one."""
        return frozenset(each.organ for each in self.elsewhere.values() if each.relation == "parent")

    @property
    def under(self) -> frozenset[str]:
        """The organs of the children's sites: they stand below."""
        return frozenset(each.organ for each in self.elsewhere.values() if each.relation == "child")

    def demand_cleared(self, named: Iterable[str], level: Level) -> None:
        """Raise NotCleared of the first that a document of this level may not be sent to."""
        for organ in named:
            found = self.elsewhere.get(organ)
            if found is not None and not found.cleared(level):
                raise not_cleared(found, level)


def not_cleared(found: Reached, level: Level) -> NotCleared:
    """Why a document of this level may not go to an organ of another site."""
    return NotCleared(
        organ=found.name,
        site=found.site_name,
        clearance=LEVEL_TEXT[found.clearance],
        level=LEVEL_TEXT[level],
    )


def offered(desk: Desk, level: Level, words: str = "", *, uncleared: bool = False) -> list[Reached]:
    """The organs of other sites that her organ may send a document of this level to, with these words in their names; those that are cleared below it too, if asked for."""
    found = desk.carrier.reached(desk.caller.actor.organ or "")
    wanted = words.strip().lower()
    return [each for each in found if (uncleared or each.cleared(level)) and each.matches(wanted)]


def barred(desk: Desk, row: Document) -> Mapping[str, NotCleared]:
    """The recipients at other sites that cannot get the document as it is graded now, each with the reason: said before it is dispatched.

    Of one that was dispatched, those that have it yet: it was graded higher since, or they are cleared lower, and theirs is to be called in.
    """
    level = cast("Level", row.level)
    named = [*row.recipients, *row.copied_to]
    if row.state == State.DISPATCHED:
        with desk.store.read() as session:
            copies = COPIES.copies(session, row.id)
            named = [each.organ for each in copies if each.away and each.state in (*OPEN, *HELD)]
    known = {each.organ: each for each in desk.carrier.reached(row.organ)} if named else {}
    low = (known[each] for each in named if each in known and not known[each].cleared(level))
    return {each.organ: not_cleared(each, level) for each in low}


def elsewhere(desk: Desk, sender: str) -> frozenset[str]:
    """The organs at other sites: they receive documents, and issue none together with this site's."""
    return frozenset(each.organ for each in desk.carrier.reached(sender))


def addressable(desk: Desk, sender: str) -> Addressable:
    """Whom an organ may address. What this site's own tree says of an organ of another site stands: where it is placed, how it is called."""
    elsewhere = {each.organ: each for each in desk.carrier.reached(sender)}
    organs = {each.organ: Organ(each.organ, each.name.zh, "", None, "") for each in elsewhere.values()}
    return Addressable(organs | dict(desk.core.organs()), elsewhere)
