"""Hash trees by the rules of RFC 4998 4.2: the children of a node are concatenated in ascending order and hashed."""

from collections.abc import Sequence

from yinxin.crypto.suite import HashAlgorithm
from yinxin.evidence.record.form import Path


def grow(hash_: HashAlgorithm, leaves: Sequence[bytes]) -> tuple[bytes, list[Path]]:
    """What the root is the hash of, and each leaf's path there, given two leaves (digests) or more."""
    nodes = [(leaf, [place]) for place, leaf in enumerate(leaves)]
    paths: list[list[tuple[bytes, ...]]] = [[] for _ in leaves]
    root = b""
    while len(nodes) > 1:
        above = []
        for (one, ones), (other, others) in zip(nodes[::2], nodes[1::2], strict=False):
            root = b"".join(sorted((one, other)))
            for places, sibling, own in ((ones, other, one), (others, one, other)):
                for place in places:
                    # the first list holds the leaf itself; the nodes above it can be computed and are left out
                    paths[place].append((sibling,) if paths[place] else tuple(sorted((own, sibling))))
            above.append((hash_.digest(root), ones + others))
        nodes = above + nodes[len(nodes) - len(nodes) % 2 :]
    return root, [tuple(path) for path in paths]


def root_of(hash_: HashAlgorithm, leaf: bytes, path: Path) -> bytes:
    """The root that a leaf's path leads to (RFC 4998 4.3); raises ValueError when it is no path of this leaf."""
    if not path:
        return leaf
    sound = all(
        group and list(group) == sorted(group) and all(len(each) == hash_.size for each in group)
        for group in path
    )
    if not sound or len(path[0]) == 1 or leaf not in path[0]:
        raise ValueError("not a path of this leaf")
    node = hash_.digest(b"".join(path[0]))
    for group in path[1:]:
        node = hash_.digest(b"".join(sorted((*group, node))))
    return node
