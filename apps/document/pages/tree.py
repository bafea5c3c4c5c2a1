"""The tree of organs as pages let it be chosen from: one branch open at a time, searched by name, whatever its size."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from flask import request

from yinxin.client import Organ
from yinxin.web import core, current_caller, reader_language

#: trees no larger than this are shown whole
_WHOLE = 100
#: organs that a search shows; whoever looks for another writes more of its name
_MOST = 100


@dataclass(frozen=True, slots=True)
class Row:
    """An organ to send to: where it stands, what stands right below it, and whether that is shown."""

    id: str
    name: str
    #: the organ above it, as long as it is not shown there
    within: str
    depth: int
    below: int
    open: bool
    #: what to open so that this branch is closed
    parent: str


@dataclass(frozen=True, slots=True)
class Tree:
    """What is shown of the tree, and apart from it what is chosen and would not be; `more` organs match that are not shown."""

    rows: tuple[Row, ...]
    chosen: tuple[Row, ...]
    found: int
    more: int


@dataclass(frozen=True, slots=True)
class _Organs:
    """The directory by parent, in its order, as one reader is shown it."""

    known: Mapping[str, Organ]
    own: str
    below: dict[str | None, list[Organ]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for organ in self.known.values():
            self.below.setdefault(organ.parent, []).append(organ)

    def name(self, organ: Organ) -> str:
        return organ.name.zh if reader_language() == "zh" else organ.name.en

    def alone(self, organ: Organ) -> Row:
        """A row that stands outside of the tree."""
        above = self.known.get(organ.parent or "")
        return Row(organ.id, self.name(organ), "" if above is None else self.name(above), 0, 0, False, "")

    def placed(self, organ: Organ, depth: int, *, below: int, open_: bool) -> Row:
        """A row in its place, under which so many would be shown."""
        return Row(organ.id, self.name(organ), "", depth, below, open_, organ.parent or "")

    def above(self, organ: str) -> Iterator[str]:
        """The organ and those above it."""
        here: str | None = organ
        while here is not None and here in self.known:
            yield here
            here = self.known[here].parent


def tree(chosen: Iterable[str] = (), *, under: str | None = None, without: Collection[str] = ()) -> Tree:
    """What the reader is shown of every organ but her own, or of those below `under`, as her request searches it (`find`) or opens it (`open`).

    What is `chosen` already is always there; `without` is not to be chosen, though what stands below it may be.
    """
    with core() as client:
        known = {each.id: each for each in client.authz.organs()}
    organs = _Organs(known, current_caller().actor.organ or "")
    wanted = request.values.get("find", "").strip().lower()
    every = _found(organs, wanted, under) if wanted else _branches(organs, under)
    rows = [each for each in every if each.id not in without]
    shown = rows[:_MOST] if wanted else rows
    there = {each.id for each in shown}
    apart = [
        known[each]
        for each in dict.fromkeys(chosen)
        if each in known and each not in there and each not in without
    ]
    return Tree(tuple(shown), tuple(map(organs.alone, apart)), len(rows), len(rows) - len(shown))


def _found(organs: _Organs, wanted: str, under: str | None) -> list[Row]:
    """The organs with these words in their names."""
    return [
        organs.alone(each)
        for each, _ in _walked(organs, under, lambda _: True)
        if wanted in f"{each.name.zh} {each.name.en} {each.short_name}".lower() and each.id != organs.own
    ]


def _branches(organs: _Organs, under: str | None) -> list[Row]:
    """The tree with the branch open that was asked for; without one, where the reader's own organ stands."""
    whole = len(organs.known) <= _WHOLE
    opened = set(organs.above(request.values.get("open", "") or organs.own))
    shown = _walked(organs, under, lambda each: whole or each.id in opened)
    return [
        organs.placed(
            each,
            depth,
            below=0 if whole else sum(one.id != organs.own for one in organs.below.get(each.id, ())),
            open_=whole or each.id in opened,
        )
        for each, depth in shown
        if each.id != organs.own
    ]


def _walked(
    organs: _Organs, parent: str | None, goes_on: Callable[[Organ], bool], depth: int = 0
) -> Iterator[tuple[Organ, int]]:
    """The organs below one, each before those below it, as far as it goes on; what is below one's own stands in its place."""
    for organ in organs.below.get(parent, ()):
        yield organ, depth
        if goes_on(organ) or organ.id == organs.own:
            yield from _walked(organs, organ.id, goes_on, depth + (organ.id != organs.own))
