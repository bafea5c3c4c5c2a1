"""The two trees over the same entries, as they stand in the database: in tiles of 256 hashes, eight levels at a time.

A full tile is one row, written once. Every other hash is folded from a tile's, so that a proof reads some three tiles
however long the log is, and an entry costs no row but its own.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa

from audit.models import EntryRow, TileRow
from yinxin.crypto.suite import INTL, SM, HashAlgorithm, Suite
from yinxin.store import Sql, Within
from yinxin.tlog import WIDTH, Fetch, Node, node_hash

#: one tree for each suite, over the suite's hash; a suite added here needs its columns and a rebuild of its tree
TREES: tuple[Suite, ...] = (INTL, SM)
#: levels of the tree in a tile
HEIGHT = 8

_ENTRIES, _TILES = (cast("sa.Table", each.__table__).c for each in (EntryRow, TileRow))
_TREE: sa.BindParameter[str] = sa.bindparam("tree")
_LEVEL, _FIRST, _END = (sa.bindparam(name, type_=sa.BigInteger) for name in ("level", "first", "end"))
_LAST = Sql(sa.select(sa.func.max(_ENTRIES.index).label("last")))
_FULL = Sql(
    sa.select(_TILES.hashes).where(_TILES.tree == _TREE, _TILES.level == _LEVEL, _TILES.index == _FIRST)
)
_ROOTS = Sql(
    sa.select(_TILES.index, _TILES.root)
    .where(_TILES.tree == _TREE, _TILES.level == _LEVEL, _TILES.index >= _FIRST, _TILES.index < _END)
    .order_by(_TILES.index)
)


def leaf_name(suite: Suite) -> str:
    """The name of the column that holds the leaf hashes of this suite's tree."""
    return f"leaf_{suite.hash.name}"


_LEAVES = {
    suite: Sql(
        sa.select(_ENTRIES.index, _ENTRIES[leaf_name(suite)])
        .where(_ENTRIES.index >= _FIRST, _ENTRIES.index < _END)
        .order_by(_ENTRIES.index)
    )
    for suite in TREES
}


def log_size(within: Within) -> int:
    """How many entries the log has."""
    (last,) = _LAST.scalars(within, {})
    return 0 if last is None else last + 1


class Tiles:
    """Tiles that were read, and what was folded from them: a hash over complete subtrees never changes.

    The ones used last are kept, at some 40 kB each: of the lowest few, for most are asked for once, and of those above as many as
    fifteen million entries have. Of one that was not full, what came since is read again. Shared by threads. Whoever holds
    the database against something else begins with none.
    """

    def __init__(self, lowest: int = 64, above: int = 256) -> None:
        self._most = lowest, above
        self._kept: tuple[_Kept, _Kept] = OrderedDict(), OrderedDict()
        self._changing = threading.Lock()

    def node(self, within: Within, suite: Suite, node: Node) -> bytes:
        """A node of this suite's tree; a KeyError when the database has not got it."""
        level, height = divmod(node.level, HEIGHT)
        index, at = divmod(node.index, WIDTH >> height)
        place, which = (suite.hash.name, level, index), min(level, 1)
        tiles = self._kept[which]
        with self._changing:
            tile = tiles.get(place)
            if tile is not None:
                tiles.move_to_end(place)
        if tile is None or not tile.has(height, at):
            tile = _Folded(suite.hash, tile_hashes(within, suite, level, index))
            if not tile.has(height, at):
                raise KeyError(node)
            with self._changing:
                tiles[place] = tile
                if len(tiles) > self._most[which]:
                    tiles.popitem(last=False)
        return tile.hash(height, at)


class _Folded:
    """The first hashes of a tile, and the roots over pairs of them, over fours, and so on, as far as they were asked for."""

    __slots__ = ("_algorithm", "_levels")

    def __init__(self, algorithm: HashAlgorithm, hashes: list[bytes]) -> None:
        self._algorithm = algorithm
        self._levels = [hashes]

    def has(self, height: int, at: int) -> bool:
        """Whether everything under that hash is there."""
        return (at + 1) << height <= len(self._levels[0])

    def hash(self, height: int, at: int) -> bytes:
        """The hash over 2^height hashes of the tile."""
        levels = self._levels
        while len(levels) <= height:
            # made beside, and put in its place whole: two threads that fold at once both fold the same
            levels = [*levels, paired(self._algorithm, levels[-1])]
            self._levels = levels
        return levels[height][at]


_Kept = OrderedDict[tuple[str, int, int], _Folded]


def stored(within: Within, suite: Suite, tiles: Tiles | None = None) -> Fetch:
    """Nodes of this suite's tree, out of the database, or of `tiles` where those have them; a missing one is a KeyError."""
    known = tiles or Tiles()

    def fetch(nodes: Sequence[Node]) -> dict[Node, bytes]:
        return {node: known.node(within, suite, node) for node in nodes}

    return fetch


def tile_hashes(within: Within, suite: Suite, level: int, index: int) -> list[bytes]:
    """The hashes of a tile, in order: 256 of a full one, of another as many as there are."""
    tile = {"tree": suite.hash.name, "level": level, "first": index}
    for full in _FULL.scalars(within, tile):
        return [full[at : at + suite.hash.size] for at in range(0, len(full), suite.hash.size)]
    first = index * WIDTH
    span = {"first": first, "end": first + WIDTH}
    if level:
        rows = _ROOTS.all(within, span | {"tree": suite.hash.name, "level": level - 1})
    else:
        rows = _LEAVES[suite].all(within, span)
    # one that is missing ends it: those after it have no place
    return [hash_ for at, (found, hash_) in enumerate(rows, first) if found == at]


def paired(algorithm: HashAlgorithm, hashes: Sequence[bytes]) -> list[bytes]:
    """The root over each pair; a last one without its other has none yet."""
    return [node_hash(algorithm, left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=False)]


def folded(algorithm: HashAlgorithm, hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    if len(hashes).bit_count() != 1:
        raise ValueError(f"{len(hashes)} is no power of two")
    while len(hashes) > 1:
        hashes = paired(algorithm, hashes)
    return hashes[0]


def completed(within: Within, suite: Suite, size: int, leaves: Sequence[bytes]) -> list[Mapping[str, Any]]:
    """The rows of the tiles that become full when these leaf hashes follow the first `size` ones of a stored tree.

    Where none does, which is in most small batches, nothing is read.
    """
    made: list[Mapping[str, Any]] = []
    level, begin, new = 0, size, list(leaves)
    while begin % WIDTH + len(new) >= WIDTH:
        index = begin // WIDTH
        known = tile_hashes(within, suite, level, index) if begin % WIDTH else []
        if len(known) != begin % WIDTH:
            raise KeyError(Node(level * HEIGHT, index * WIDTH + len(known)))
        new = known + new
        roots = []
        for at in range(len(new) // WIDTH):
            tile = new[at * WIDTH : (at + 1) * WIDTH]
            roots.append(folded(suite.hash, tile))
            place = {"tree": suite.hash.name, "level": level, "index": index + at}
            made.append(place | {"root": roots[-1], "hashes": b"".join(tile)})
        level, begin, new = level + 1, index, roots
    return made
