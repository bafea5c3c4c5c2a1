"""Packs: the small parts of messages that are put on disk together, in one file, one behind the other, with one synchronisation.

Where a message's parts begin in its pack is on record with the message (`MessageRow.pack`, `pack_at`); how long each is its
header says. A pack is written under its own name and named by a message only once it is on disk whole, so one that no message
names is nobody's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.header import Header, Part

#: octets of all parts of a message up to which they are packed; a larger message has a file for each part
SMALL = 1 << 20


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of a pack: a part's from its first octet on, or those of a message's parts."""

    pack: str
    at: int


def small(parts: Iterable[Part]) -> bool:
    """Whether a message of these parts is packed."""
    return sum(each.size for each in parts) <= SMALL


def slot(row: Any) -> Slot | None:
    """Where the parts of a message on record (`MessageRow`) begin; None when each is a file."""
    return None if row.pack is None or row.pack_at is None else Slot(row.pack, row.pack_at)


def slots(parts: Sequence[Part], first: Slot | None) -> Iterator[Slot | None]:
    """Where each part is of those that begin there."""
    at = 0
    for part in parts:
        yield None if first is None else Slot(first.pack, first.at + at)
        at += part.size


def laid(name: str, headers: Iterable[Header]) -> Mapping[int, Slot]:
    """Where the parts of each message begin, by its number, in a pack that is theirs alone."""
    found, at = dict[int, Slot](), 0
    for header in headers:
        found[header.seq] = Slot(name, at)
        at += sum(each.size for each in header.parts)
    return found
