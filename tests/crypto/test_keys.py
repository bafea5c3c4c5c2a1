import hashlib
import pickle

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from yinxin.crypto import der, suite
from yinxin.crypto.errors import BadSignature, MalformedKey, UnknownSuite, UnsupportedAlgorithm
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.suite import INTL, PQ, SM

ALL = pytest.mark.parametrize("chosen", [INTL, SM, PQ], ids=["intl", "sm", "pq"])
PKCS8 = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


@ALL
def test_sign_and_verify(chosen):
    key = PrivateKey.generate(chosen)
    assert key.public_key.suite is chosen
    assert key.public_key.algorithm == chosen.key_algorithm
    assert key.public_key.signature_algorithm is chosen.signature
    key.public_key.verify(key.sign(b"text"), b"text")
    with pytest.raises(BadSignature):
        key.public_key.verify(key.sign(b"text"), b"texts")
    with pytest.raises(BadSignature):
        PrivateKey.generate(chosen).public_key.verify(key.sign(b"text"), b"text")


@ALL
def test_what_a_security_module_signs_is_what_verifies(chosen):
    key = PrivateKey.generate(chosen)
    digest = key.public_key.prehash(b"text")
    assert len(digest) == key.public_key.prehash_size
    key.public_key.verify(key.sign_prehashed(digest), b"text")


@ALL
def test_a_key_survives_storing(chosen):
    key = PrivateKey.generate(chosen)
    again = PrivateKey.load(key.pkcs8())
    assert again.public_key == key.public_key
    key.public_key.verify(again.sign(b"text"), b"text")


@ALL
def test_nothing_secret_in_the_repr_nor_in_a_pickle(chosen):
    key = PrivateKey.generate(chosen)
    assert repr(key) == f"<PrivateKey {chosen.key_algorithm} {key.public_key.key_id.hex()}>"
    with pytest.raises(TypeError):
        pickle.dumps(key)


@ALL
def test_the_key_identifier_is_the_sha1_of_the_bit_string(chosen):
    key = PrivateKey.generate(chosen).public_key
    assert key.key_id == hashlib.sha1(der.octets_of_bits(der.elements(key.spki)[1])).digest()  # noqa: S324 -- RFC 5280


def test_keys_of_others_verify():
    p384, own_rsa, edwards = (
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    )
    for key, signature, algorithm in (
        (p384, p384.sign(b"x", ec.ECDSA(SHA384())), "ecdsa-p384"),
        (own_rsa, own_rsa.sign(b"x", padding.PKCS1v15(), SHA256()), "rsa"),
        (edwards, edwards.sign(b"x"), "ed25519"),
    ):
        public = PublicKey.load(key.public_key().public_bytes(*SPKI))
        assert public.algorithm == algorithm
        assert public.suite is INTL
        public.verify(signature, b"x")
        with pytest.raises(BadSignature):
            public.verify(signature, b"y")


def test_a_p256_key_may_sign_with_another_hash_and_not_as_another_family():
    key = ec.generate_private_key(ec.SECP256R1())
    public = PublicKey.load(key.public_key().public_bytes(*SPKI))
    signature = key.sign(b"x", ec.ECDSA(SHA384()))
    public.verify(signature, b"x", suite.ECDSA_SHA384)
    with pytest.raises(BadSignature):
        public.verify(signature, b"x")
    with pytest.raises(UnsupportedAlgorithm):
        public.verify(signature, b"x", suite.SM2_SM3)


def test_ed25519_and_p384_private_keys_sign():
    for made in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())):
        key = PrivateKey.load(made.private_bytes(*PKCS8))
        key.public_key.verify(key.sign(b"x"), b"x")


def test_ed25519_has_no_prehash():
    key = PrivateKey(ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(UnsupportedAlgorithm):
        key.public_key.prehash(b"x")
    with pytest.raises(UnsupportedAlgorithm):
        key.sign_prehashed(bytes(32))


def test_only_sm2_keys_decrypt_here():
    with pytest.raises(UnsupportedAlgorithm):
        PrivateKey.generate(INTL).decrypt(b"")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (ec.generate_private_key(ec.SECP521R1()), "secp521r1"),
        (ec.generate_private_key(ec.SECP256K1()), "secp256k1"),
        (rsa.generate_private_key(65537, 1024), "rsa-1024"),  # noqa: S505 -- to be refused
    ],
    ids=["p521", "secp256k1", "rsa1024"],
)
def test_keys_outside_the_suites_are_refused(made, told):
    """The kind is told with its curve or size: RSA and EC as such are accepted."""
    with pytest.raises(UnsupportedAlgorithm, match=f"algorithm {told} of"):
        PublicKey.load(made.public_key().public_bytes(*SPKI))


@ALL
def test_changed_public_keys_are_refused_or_are_other_keys(chosen, flipped):
    key = PrivateKey.generate(chosen)
    signature = key.sign(b"x")
    for data in flipped(key.public_key.spki):
        with pytest.raises((MalformedKey, UnsupportedAlgorithm, BadSignature)):
            PublicKey.load(data).verify(signature, b"x")


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x05\x00", b"junk" * 30])
def test_junk_is_no_key(data):
    with pytest.raises(MalformedKey):
        PublicKey.load(data)
    with pytest.raises(MalformedKey):
        PrivateKey.load(data)


@pytest.mark.parametrize(
    "chosen", [INTL, SM], ids=["intl", "sm"]
)  # a seed has no form that damage could break
def test_a_damaged_private_key_shows_nothing_of_itself(chosen):
    damaged = bytearray(PrivateKey.generate(chosen).pkcs8())
    damaged[-1] ^= 1
    with pytest.raises(MalformedKey) as caught:
        PrivateKey.load(bytes(damaged))
    assert damaged[40:60].hex() not in str(caught.value).lower()


def test_suites_by_name():
    assert suite.suite("intl") is INTL
    assert suite.suite("sm") is SM
    with pytest.raises(UnknownSuite) as caught:
        suite.suite("md5")
    assert "intl, sm, pq" in caught.value.text("zh")
    with pytest.raises(UnsupportedAlgorithm):
        suite.hash_algorithm("sha1")
    with pytest.raises(UnsupportedAlgorithm):
        suite.signature_algorithm("1.2.840.10045.4.1")  # ECDSA with SHA-1
