"""The single-file verifier: Ed25519 by published vectors and against a library, and the same verdicts as the kit's."""

import ast
import hashlib
import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from yinxin.crypto.suite import SHA256
from yinxin.evidence.standalone import build, curve
from yinxin.evidence.standalone import verify as standalone
from yinxin.tlog import Frontier, inclusion_proof, leaf_hash

# RFC 8032 section 7.1, tests 1 to 3: public key, message, signature
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_published_vectors(key, message, signature, held):
    key, message, signature = (bytes.fromhex(each) for each in (key, message, signature))
    assert held(key, message, signature)
    assert not held(key, message + b"x", signature)


@pytest.fixture
def held(alone):
    """What the Python file and the page say of a signature; they must agree."""

    def held(key, message, signature):
        found = curve.ed25519(key, message, signature)
        assert alone.call("signature.ed25519", key, message, signature) is found
        return found

    return held


def test_it_agrees_with_a_library(held):
    """Good signatures, each kind of change, a scalar that is too large, keys that are no points."""
    chance = random.Random(8032)
    for _ in range(12):
        private = ed25519.Ed25519PrivateKey.generate()
        public, message = private.public_key(), chance.randbytes(chance.randrange(200))
        key, signature = public.public_bytes_raw(), private.sign(message)
        assert held(key, message, signature)
        scalar = int.from_bytes(signature[32:], "little") + curve._L
        changed = [
            signature[:32] + scalar.to_bytes(32, "little"),
            bytes((signature[0] ^ 1,)) + signature[1:],
            signature[:40] + bytes((signature[40] ^ 1,)) + signature[41:],
            bytes(64),
            signature[:-1],
        ]
        for each in changed:
            assert not held(key, message, each)
            with pytest.raises((InvalidSignature, ValueError)):
                public.verify(each, message)
    for key in (b"\xff" * 32, bytes(31), (2).to_bytes(32, "little"), curve._P.to_bytes(32, "little")):
        assert not held(key, b"", bytes.fromhex(VECTORS[0][2]))


def test_a_key_with_a_part_of_small_order_is_read_alike(held):
    """RFC 8032 lets a verifier multiply by the cofactor or not; one that does believes these. Seen to fail when the page did."""
    chance = random.Random(8)
    small = curve._point(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
    for number in range(1, 9):
        secret, once = chance.randrange(curve._L), chance.randrange(curve._L)
        key = curve._octets(curve._add(curve._times(secret, curve._BASE), curve._times(number, small)))
        r = curve._octets(curve._times(once, curve._BASE))
        k = int.from_bytes(hashlib.sha512(r + key + b"m").digest(), "little")
        s = (once + k * secret) % curve._L
        # it holds where what is multiplied by k is nothing
        assert held(key, b"m", r + s.to_bytes(32, "little")) is (k % curve._L * number % 8 == 0)


def test_trees_agree_with_the_kits(alone):
    leaves = [leaf_hash(SHA256, b"%d" % number) for number in range(40)]
    nodes, frontier, edges = {}, Frontier(SHA256), [[]]
    roots = [frontier.root()]
    for leaf in leaves:
        nodes.update(frontier.append(leaf))
        roots.append(frontier.root())
        edges.append(list(frontier._hashes))
    for size in range(41):
        for old in range(size + 1):
            assert standalone.grown(edges[old], old, leaves[old:size]) == roots[size]
            if old in (0, size // 2, size):
                assert alone.call("trees.grown", edges[old], old, leaves[old:size]) == roots[size]
        for index in range(size):
            path = inclusion_proof(SHA256, index, size, lambda wanted: {each: nodes[each] for each in wanted})
            assert standalone.included(leaves[index], index, size, list(path)) == roots[size]
            assert alone.call("trees.included", leaves[index], index, size, path) == roots[size]
            assert standalone.included(leaves[index], index, size, [*path, bytes(32)]) != roots[size]
            if path:
                assert standalone.included(leaves[index], index, size, list(path[:-1])) != roots[size]


def test_no_part_takes_the_name_of_another():
    """The file is one scope. Seen to fail when two parts had a function `_line`."""
    names = []
    for each in ast.parse(build()).body:
        if isinstance(each, ast.FunctionDef | ast.ClassDef):
            names.append(each.name)
        elif isinstance(each, ast.Assign):
            names += [name.id for to in each.targets for name in ast.walk(to) if isinstance(name, ast.Name)]
    assert len(names) > 80
    assert sorted(names) == sorted(set(names))


def test_files_that_cannot_be_read(tmp_path, capsys):
    (tmp_path / "log.vkey").write_bytes(b"\xff")
    for file, key in (("none", "log.vkey"), ("log.vkey", "none"), ("log.vkey", "log.vkey")):
        assert standalone.main([str(tmp_path / file), "--log", str(tmp_path / key), "--lang", "en"]) == 2
        assert capsys.readouterr().out.startswith("✗ a file cannot be read")
    (tmp_path / "log.vkey").write_text("no key\n")
    assert standalone.main([str(tmp_path / "log.vkey"), "--log", str(tmp_path / "log.vkey")]) == 1
    assert "cannot be used" in capsys.readouterr().out
