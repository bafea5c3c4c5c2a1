"""The rules of direction that need the tree of organs (Regulation 2012, art. 13 to 17)."""

from collections.abc import Mapping, Sequence

from apps.document.core import Organ
from apps.document.errors import CopyDownward, NotDownward, NotUpward, SkipsLevel
from apps.document.layout.kinds import KINDS, Direction, Kind
from apps.document.sites.choose import Addressable
from yinxin.text import Text


def check(
    kind: Kind,
    own: str,
    known: Addressable,
    *,
    main: Sequence[str],
    copies: Sequence[str],
    skips: str | None,
) -> None:
    """Raise the rule that the recipients break: NotUpward, SkipsLevel, CopyDownward, NotDownward.

    `skips` is the reason for which an upward document passes over the organ right above. The organs of the parent's site stand above
    those of this one, and right above the one at the top of its tree; those of the children's sites stand below.
    """
    organs = known.organs
    facts = KINDS[kind]
    word = Text(facts.zh, facts.en)
    above = _above(own, organs)
    if facts.direction is Direction.UP:
        for organ in main:
            if organ not in above and organ not in known.over:
                raise NotUpward(kind=word, organ=organs[organ].name)
            if above and organ != above[0] and not (skips or "").strip():
                raise SkipsLevel(organ=organs[organ].name, above=organs[above[0]].name)
        for organ in copies:
            if own in _above(organ, organs) or organ in known.under:
                raise CopyDownward(organ=organs[organ].name)
    elif facts.direction is Direction.DOWN:
        for organ in main:
            if organ in above or organ in known.over:
                raise NotDownward(kind=word, organ=organs[organ].name)


def _above(organ: str, organs: Mapping[str, Organ]) -> list[str]:
    """The organs above, the nearest first."""
    found: list[str] = []
    here = organs.get(organ)
    while here is not None and here.parent is not None:
        found.append(here.parent)
        here = organs.get(here.parent)
    return found
