"""The Merkle tree of RFC 6962 section 2, over any hash of a suite.

Leaves are hashed with the prefix 0x00, inner nodes with 0x01. A tree is kept as its complete subtrees: the node
(level, index) is the root over the leaves [index·2^level, (index+1)·2^level). Once made it never changes, so stored
nodes are insert-only. Every other hash is folded from them.

Proofs are planned first and fetched at once: a maker is given `fetch`, called exactly once with every node it needs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from yinxin.crypto.suite import HashAlgorithm
from yinxin.tlog.errors import NotConsistent, NotIncluded


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A complete subtree: the root over the leaves [index·2^level, (index+1)·2^level)."""

    level: int
    index: int


Fetch = Callable[[Sequence[Node]], Mapping[Node, bytes]]
Range = tuple[int, int]


def leaf_hash(algorithm: HashAlgorithm, data: bytes) -> bytes:
    """The hash of a leaf's data (RFC 6962 2.1)."""
    return algorithm.digest(b"\x00" + data)


def node_hash(algorithm: HashAlgorithm, left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees (RFC 6962 2.1)."""
    return algorithm.digest(b"\x01" + left + right)


def subtrees(start: int, end: int) -> tuple[Node, ...]:
    """The complete subtrees that cover [start, end), left to right, as large as can be."""
    nodes = []
    while start < end:
        aligned = (start & -start).bit_length() - 1 if start else end.bit_length()
        level = min(aligned, (end - start).bit_length() - 1)
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return tuple(nodes)


class Frontier:
    """The right edge of a growing tree: the roots of its complete subtrees, left to right. Not thread-safe."""

    def __init__(self, algorithm: HashAlgorithm, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        """A tree of `size` leaves; `hashes` are those of `subtrees(0, size)`."""
        self.algorithm = algorithm
        self.size = size
        self._hashes = list(hashes)
        if len(self._hashes) != size.bit_count():
            raise ValueError("one hash for every complete subtree is needed")

    def append(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Add a leaf hash; gives every node that became complete, the leaf first."""
        node, hash_ = Node(0, self.size), leaf
        made = [(node, hash_)]
        while node.index & 1:
            node, hash_ = (
                Node(node.level + 1, node.index >> 1),
                node_hash(self.algorithm, self._hashes.pop(), hash_),
            )
            made.append((node, hash_))
        self._hashes.append(hash_)
        self.size += 1
        return made

    def root(self) -> bytes:
        """The root over all leaves so far; of the empty tree, the hash of nothing."""
        return _fold(self.algorithm, self._hashes)


def root(algorithm: HashAlgorithm, size: int, fetch: Fetch) -> bytes:
    """The root over the first `size` leaves."""
    return _hashes(algorithm, [(0, size)], fetch)[0]


def inclusion_proof(algorithm: HashAlgorithm, index: int, size: int, fetch: Fetch) -> tuple[bytes, ...]:
    """The audit path PATH(index, D[size]) of RFC 6962 2.1.1, from the leaf's sibling up."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return _hashes(algorithm, ranges[::-1], fetch)


def consistency_proof(algorithm: HashAlgorithm, old: int, new: int, fetch: Fetch) -> tuple[bytes, ...]:
    """PROOF(old, D[new]) of RFC 6962 2.1.2; empty when the sizes are equal or the older tree is empty."""
    if not 0 <= old <= new:
        raise ValueError("the older tree is the larger")
    ranges: list[Range] = []
    start, end = 0, new
    while old not in (start, end):
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if old and start:
        ranges.append((start, end))
    return _hashes(algorithm, ranges[::-1], fetch)


def verify_inclusion(
    algorithm: HashAlgorithm, leaf: bytes, index: int, *, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Verify that `leaf` (a leaf hash) is at `index` under `root` (RFC 9162 2.1.3.2); or NotIncluded."""
    if not 0 <= index < size:
        raise NotIncluded(index=index, size=size)
    position, last, hash_ = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise NotIncluded(index=index, size=size)
        if position & 1 or position == last:
            hash_ = node_hash(algorithm, sibling, hash_)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            hash_ = node_hash(algorithm, hash_, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or hash_ != root:
        raise NotIncluded(index=index, size=size)


def verify_consistency(
    algorithm: HashAlgorithm, old: int, new: int, *, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Verify that the tree of `new` leaves continues the one of `old` (RFC 9162 2.1.4.2); or NotConsistent."""
    failure = NotConsistent(old=old, new=new)
    if not 0 <= old <= new or (old in (0, new) and proof):
        raise failure
    if old == 0:
        expected = (algorithm.digest(b""), new_root)
    elif old == new:
        expected = (new_root, old_root)
    else:
        expected = _walk(
            algorithm, old, new, [old_root, *proof] if old.bit_count() == 1 else list(proof), failure
        )
    if expected != (old_root, new_root):
        raise failure


def _walk(
    algorithm: HashAlgorithm, old: int, new: int, path: list[bytes], failure: NotConsistent
) -> tuple[bytes, bytes]:
    """The two roots that a consistency path leads to."""
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    if not path:
        raise failure
    older = newer = path[0]
    for hash_ in path[1:]:
        if last == 0:
            raise failure
        if position & 1 or position == last:
            older, newer = node_hash(algorithm, hash_, older), node_hash(algorithm, hash_, newer)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            newer = node_hash(algorithm, newer, hash_)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise failure
    return older, newer


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _fold(algorithm: HashAlgorithm, hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return algorithm.digest(b"")
    *rest, folded = hashes
    for hash_ in reversed(rest):
        folded = node_hash(algorithm, hash_, folded)
    return folded


def _hashes(algorithm: HashAlgorithm, ranges: Sequence[Range], fetch: Fetch) -> tuple[bytes, ...]:
    plan = [subtrees(start, end) for start, end in ranges]
    found = fetch([node for nodes in plan for node in nodes])
    return tuple(_fold(algorithm, [found[node] for node in nodes]) for nodes in plan)
