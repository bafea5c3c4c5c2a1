"""Multiples of a key's point made ahead: they confirm what the library verifies, and nothing else."""

import random
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from yinxin.crypto import own_p256
from yinxin.crypto.errors import BadSignature
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.own_p256 import Multiples, Often

#: the order of the group (SP 800-186 3.2.1.3)
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    return PrivateKey.generate("ecdsa-p256")


def _verified(key: PrivateKey, signature: bytes, digest: bytes) -> bool:
    try:
        key.public_key.verify_prehashed(signature, digest)
    except BadSignature:
        return False
    return True


def test_it_confirms_what_the_library_verifies_and_nothing_else(key: PrivateKey) -> None:
    """Seen to fail without the second product, and without the look at the bounds of r and s."""
    chance, multiples = random.Random(20261130), Multiples(key.public_key.spki)
    edges = (0, 1, 2, N - 1, N, N + 1, 2**256 - 1)
    for _ in range(150):
        digest = chance.randbytes(32)
        signature = key.sign_prehashed(digest)
        assert multiples.confirm(signature, digest)
        assert not multiples.confirm(signature, chance.randbytes(32))
        r, s = own_p256.decode_dss_signature(signature)
        assert multiples.confirm(
            encode_dss_signature(r, N - s), digest
        )  # the other s of the same r is one too
        for other in (
            (chance.choice(edges), s),
            (r, chance.choice(edges)),
            (chance.choice(edges), chance.choice(edges)),
            (r ^ 1 << chance.randrange(256), s),
            (r, s ^ 1 << chance.randrange(256)),
            (r + N, s),
        ):
            made = encode_dss_signature(*other)
            assert multiples.confirm(made, digest) == _verified(key, made, digest) is False
    assert not multiples.confirm(signature, digest + b"\0")
    for digest in (bytes(32), b"\xff" * 32, (N - 1).to_bytes(32, "big"), N.to_bytes(32, "big")):
        signature = key.sign_prehashed(digest)
        assert multiples.confirm(signature, digest)


def test_another_keys_signature_is_not_confirmed(key: PrivateKey) -> None:
    digest = sha256(b"x").digest()
    other = PrivateKey.generate("ecdsa-p256")
    multiples = Multiples(other.public_key.spki)
    assert not multiples.confirm(key.sign_prehashed(digest), digest)
    assert multiples.confirm(other.sign_prehashed(digest), digest)


def test_it_begins_when_the_key_is_used_often_and_what_it_does_not_confirm_the_library_judges(
    key: PrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_p256, "OFTEN", 3)
    often, digest = Often(key.public_key.spki), sha256(b"x").digest()
    signature = key.sign_prehashed(digest)
    assert [often.confirms(signature, digest) for _ in range(5)] == [False, False, False, True, True]
    monkeypatch.setattr(own_p256.Often, "confirms", lambda *_: False)
    key.public_key.confirm(signature, digest)
    with pytest.raises(BadSignature):
        key.public_key.confirm(signature, sha256(b"y").digest())
