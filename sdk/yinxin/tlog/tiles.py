"""Tile addresses (c2sp.org/tlog-tiles): 256 consecutive nodes, eight levels of the tree at a time."""

import re
from dataclasses import dataclass
from typing import Self

from yinxin.tlog.errors import MalformedProof
from yinxin.tlog.merkle import Node

WIDTH = 256
_PATH = re.compile(r"([0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """The `width` (1 to 256) nodes of tree level 8·`level` that begin at node 256·`index`."""

    level: int
    index: int
    width: int = WIDTH

    def path(self) -> str:
        """The address below `<prefix>/tile/`: level, index in groups of three digits, and `.p/W` when partial."""
        number = str(self.index)
        number = number.zfill(-(-len(number) // 3) * 3)
        groups = [number[at : at + 3] for at in range(0, len(number), 3)]
        name = "/".join([*(f"x{each}" for each in groups[:-1]), groups[-1]])
        return f"{self.level}/{name}" + (f".p/{self.width}" if self.width < WIDTH else "")

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read an address in its one spelling; raises MalformedProof."""
        match = _PATH.fullmatch(path) if len(path) <= 40 else None
        if match is None:
            raise MalformedProof(reason="not a tile address")
        level, name, width = match.groups()
        tile = cls(int(level), int(name.replace("x", "").replace("/", "")), int(width or WIDTH))
        if tile.path() != path:
            raise MalformedProof(reason="not a tile address")
        return tile

    def first(self) -> Node:
        """Its first node."""
        return Node(8 * self.level, WIDTH * self.index)

    def within(self, size: int) -> bool:
        """Whether a tree of `size` leaves has all its nodes."""
        return WIDTH * self.index + self.width <= size >> (8 * self.level)
