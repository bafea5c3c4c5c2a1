"""The tree against RFC 6962's published vectors, a second implementation (pymerkle) and its own laws."""

import hashlib
import random
from collections.abc import Sequence

import pymerkle
import pytest
from pymerkle.hasher import MerkleHasher

from yinxin.crypto.suite import SHA256, SM3, HashAlgorithm
from yinxin.tlog import (
    Frontier,
    Node,
    NotConsistent,
    NotIncluded,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    subtrees,
    verify_consistency,
    verify_inclusion,
)

# Inputs and roots of the reference tests of certificate-transparency (merkletree/merkle_tree_test.cc).
INPUTS = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Tree:
    """A tree kept whole in memory."""

    def __init__(self, algorithm: HashAlgorithm, entries: Sequence[bytes]) -> None:
        self.algorithm, self.entries, self.nodes, self.fetches = algorithm, entries, {}, 0
        self.roots = [algorithm.digest(b"")]
        frontier = Frontier(algorithm)
        for entry in entries:
            self.nodes.update(frontier.append(leaf_hash(algorithm, entry)))
            self.roots.append(frontier.root())

    def fetch(self, nodes):
        self.fetches += 1
        return {node: self.nodes[node] for node in nodes}


@pytest.fixture(scope="module", params=[SHA256, SM3], ids=lambda each: each.name)
def tree(request):
    return Tree(request.param, [b"entry %d" % number for number in range(67)])


def definition(algorithm, leaves):
    """MTH as RFC 6962 2.1 writes it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else algorithm.digest(b"")
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return algorithm.digest(
        b"\x01" + definition(algorithm, leaves[:split]) + definition(algorithm, leaves[split:])
    )


def test_published_roots():
    assert [each.hex() for each in Tree(SHA256, INPUTS).roots[1:]] == ROOTS


def test_empty_root():
    assert Frontier(SHA256).root() == hashlib.sha256(b"").digest()
    assert root(SHA256, 0, lambda nodes: {}) == hashlib.sha256(b"").digest()


def test_roots_follow_the_definition(tree):
    leaves = [leaf_hash(tree.algorithm, entry) for entry in tree.entries]
    for size in range(len(leaves) + 1):
        assert tree.roots[size] == definition(tree.algorithm, leaves[:size])
        assert root(tree.algorithm, size, tree.fetch) == tree.roots[size]


def test_frontier_resumes(tree):
    for size in range(len(tree.entries)):
        resumed = Frontier(tree.algorithm, size, [tree.nodes[node] for node in subtrees(0, size)])
        assert resumed.root() == tree.roots[size]
        resumed.append(leaf_hash(tree.algorithm, tree.entries[size]))
        assert resumed.root() == tree.roots[size + 1]
    with pytest.raises(ValueError):
        Frontier(tree.algorithm, 3, [b""])


def test_every_inclusion_proof_holds_and_only_there(tree):
    for size in range(1, len(tree.entries) + 1):
        for index in range(size):
            before = tree.fetches
            proof = inclusion_proof(tree.algorithm, index, size, tree.fetch)
            assert tree.fetches == before + 1
            leaf = tree.nodes[Node(0, index)]
            verify_inclusion(tree.algorithm, leaf, index, size=size, proof=proof, root=tree.roots[size])
            wrong = [
                (leaf, index + 1, proof, size),
                (leaf, index - 1, proof, size),
                (leaf, index, (*proof, leaf), size),
                (leaf, index, (leaf, *proof), size),
                (tree.nodes[Node(0, (index + 1) % 67)], index, proof, size),
            ]
            wrong += [(leaf, index, proof[:-1], size)] if proof else []
            for leaf_, index_, proof_, size_ in wrong:
                with pytest.raises(NotIncluded):
                    verify_inclusion(
                        tree.algorithm, leaf_, index_, size=size_, proof=proof_, root=tree.roots[size]
                    )


def test_every_consistency_proof_holds_and_only_there(tree):
    other = hashlib.sha256(b"another history").digest()
    for new in range(len(tree.entries) + 1):
        for old in range(new + 1):
            proof = consistency_proof(tree.algorithm, old, new, tree.fetch)
            verify_consistency(
                tree.algorithm, old, new, old_root=tree.roots[old], new_root=tree.roots[new], proof=proof
            )
            if proof:  # the same path cannot lead to a tree with more levels
                with pytest.raises(NotConsistent):
                    verify_consistency(
                        tree.algorithm,
                        old,
                        new + 1024,
                        old_root=tree.roots[old],
                        new_root=tree.roots[new],
                        proof=proof,
                    )
            wrong = [(other, tree.roots[new], proof), (tree.roots[old], tree.roots[new], (*proof, other))]
            if old:
                wrong.append((tree.roots[old], other, proof))
            wrong += [
                (tree.roots[old], tree.roots[new], (*proof[:at], other, *proof[at + 1 :]))
                for at in range(len(proof))
            ]
            wrong += [(tree.roots[old], tree.roots[new], proof[:-1])] if proof else []
            for old_root, new_root, path in wrong:
                with pytest.raises(NotConsistent):
                    verify_consistency(
                        tree.algorithm, old, new, old_root=old_root, new_root=new_root, proof=path
                    )


def test_outside_the_tree_is_refused(tree):
    for index, size in ((1, 1), (-1, 4), (0, 0)):
        with pytest.raises(ValueError):
            inclusion_proof(tree.algorithm, index, size, tree.fetch)
    with pytest.raises(ValueError):
        consistency_proof(tree.algorithm, 5, 4, tree.fetch)
    with pytest.raises(NotConsistent):
        verify_consistency(tree.algorithm, 5, 4, old_root=tree.roots[5], new_root=tree.roots[4], proof=())


def test_second_implementation_agrees():
    """pymerkle builds the same roots and accepts our proofs as its own."""
    count = 300
    entries = [random.Random(number).randbytes(number % 40) for number in range(count)]
    ours, theirs = Tree(SHA256, entries), pymerkle.InmemoryTree(algorithm="sha256")
    for size, entry in enumerate(entries, 1):
        theirs.append_entry(entry)
        assert theirs.get_root(size) == ours.roots[size]
    hasher = MerkleHasher("sha256")
    assert hasher.hash_buff(entries[7]) == ours.nodes[Node(0, 7)]
    for index in range(0, count, 7):
        path = theirs.prove_inclusion(index + 1, count).path
        assert tuple(path[1:]) == inclusion_proof(SHA256, index, count, ours.fetch)
