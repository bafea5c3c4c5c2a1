"""The organs of other sites as the page of a draft offers them: by site, with what each is cleared for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import cast, get_args

from flask import request

from yinxin.authz import Level
from yinxin.exchange import Reached
from yinxin.text import Text

#: organs of other sites on one page; the search finds the others
_MOST = 200
#: of those that are cleared too low
_MOST_BARRED = 50


@dataclass(frozen=True, slots=True)
class Site:
    """A site and the organs of it that are shown."""

    id: str
    name: Text
    organs: tuple[Reached, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What other sites there are to send a document of this level to.

    How many organs more a search would find, and how many that are not shown are cleared too low, with the first of these.
    """

    level: Level
    sites: tuple[Site, ...] = ()
    more: int = 0
    below: int = 0
    barred: tuple[Reached, ...] = ()


def elsewhere(reached: Sequence[Reached], level: Level | None, chosen: Iterable[str]) -> Elsewhere:
    """What is offered for a document of this level, or of the one that the form says; what is `chosen`, or ticked, is always shown."""
    asked = request.values.get("level", "")
    graded = level or cast("Level", asked if asked in get_args(Level) else "internal")
    ticked = (request.values.getlist(name) for name in ("recipients", "copied_to", "organs"))
    named = {*chosen, *chain.from_iterable(ticked)}
    wanted = request.values.get("find", "").strip().lower()
    cleared = [each for each in reached if each.cleared(graded)]
    found = [each for each in cleared if each.organ not in named and each.matches(wanted)]
    kept = [each for each in reached if each.organ in named]
    shown = sorted([*kept, *found[:_MOST]], key=lambda each: (each.site, each.organ))
    sites = tuple(
        Site(site, organs[0].site_name, organs)
        for site, organs in ((site, tuple(group)) for site, group in groupby(shown, lambda each: each.site))
    )
    low = [each for each in reached if each.organ not in named and not each.cleared(graded)]
    named_low = tuple(each for each in low if each.matches(wanted))[:_MOST_BARRED]
    return Elsewhere(graded, sites, len(found[_MOST:]), len(low), named_low)
