"""The tree of organs as pages let it be chosen from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from yinxin.client import Organ
from yinxin.web import core, current_caller, reader_language


@dataclass(frozen=True, slots=True)
class Choice:
    """An organ to send to: how deep it stands in the tree, and whether the search is for it."""

    id: str
    name: str
    depth: int
    found: bool


def choices(*, wanted: str, under: str | None = None) -> list[Choice]:
    """Every organ but the reader's own, each below the one it belongs to; only those below `under` if it is given."""
    with core() as client:
        organs = list(client.authz.organs())
    return list(_walked(organs, wanted, under))


def _walked(organs: Iterable[Organ], wanted: str, under: str | None) -> Iterator[Choice]:
    own = current_caller().actor.organ
    language = reader_language()
    below: dict[str | None, list[Organ]] = {}
    for organ in organs:
        below.setdefault(organ.parent, []).append(organ)

    def walk(parent: str | None, depth: int) -> Iterator[Choice]:
        for organ in below.get(parent, ()):
            name = organ.name.zh if language == "zh" else organ.name.en
            found = wanted.lower() in f"{organ.name.zh} {organ.name.en} {organ.short_name}".lower()
            if organ.id != own:
                yield Choice(organ.id, name, depth, found)
            yield from walk(organ.id, depth + (organ.id != own))

    return walk(under, 0)
