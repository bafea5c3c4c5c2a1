"""Signatures: judged by OpenSSL and gmssl, self-checked before release, recorded when they are for others."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gmssl_pyx
import pytest
from asn1crypto.algos import DSASignature
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Mechanism, ObjectClass

from kms import KeyInfo
from kms import sign as signing
from kms.errors import (
    BadDigest,
    FaultySignature,
    KeyNotActive,
    KeyNotSigning,
    KeyUnknown,
    PurposeNotRemote,
)
from kms.models import Purpose
from kms.sign import KeySigner, SigningRequest
from tests.support.openssl import openssl
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto.errors import UnsupportedAlgorithm
from yinxin.crypto.keys import Signer

from .conftest import KEEPER, World, furnished

HASHED = ("ecdsa-p256", "ecdsa-p384", "rsa-3072", "rsa-4096", "sm2", "ml-dsa-65", "ml-dsa-87")
MESSAGE = "关于开展安全检查的通知".encode()


@pytest.fixture(scope="module")
def furniture(tmp_path_factory: pytest.TempPathFactory, soft_token: Path) -> World:
    """One world for the tests that only sign: a key of each algorithm is made once, which costs an RSA key seconds."""
    root = tmp_path_factory.mktemp("signing")
    return furnished(f"sqlite:///{root / 'test.sqlite'}", root, soft_token)


@pytest.fixture
def shared(furniture: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """That world; the library is let go after each test, for it serves one token at a time."""
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    yield furniture
    furniture.centre.close()


def make(world: World, algorithm: str, purpose: str = "evidence", label: str = "key") -> KeyInfo:
    return world.centre.create(SYSTEM, label=label, purpose=purpose, algorithm=algorithm, owner="o-office")


def spki(info: KeyInfo) -> bytes:
    assert info.public_key is not None
    return info.public_key.spki


def judge(tmp_path: Path, info: KeyInfo, signature: bytes, message: bytes) -> None:
    """The openssl command verifies it; `cryptography`, with a newer OpenSSL of its own, what that one does not know."""
    if info.algorithm.startswith("ml-dsa"):
        public_key = load_der_public_key(spki(info))
        assert isinstance(public_key, mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey)
        public_key.verify(signature, message)
        return
    key, signed, file = tmp_path / "key.der", tmp_path / "sig", tmp_path / "message"
    key.write_bytes(spki(info))
    signed.write_bytes(signature)
    file.write_bytes(message)
    how: list[str] = {
        "ecdsa-p256": ["-sha256"],
        "ecdsa-p384": ["-sha384"],
        "rsa-3072": ["-sha256"],
        "rsa-4096": ["-sha384"],
        "sm2": ["-sm3", "-sigopt", "distid:1234567812345678"],
    }.get(info.algorithm, [])
    if info.algorithm == "ed25519":
        openssl(
            *("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", key),
            *("-rawin", "-in", file, "-sigfile", signed),
        )
        return
    said = openssl("dgst", *how, "-verify", key, "-keyform", "DER", "-signature", signed, file)
    assert "Verified OK" in said


@pytest.mark.parametrize("algorithm", [*HASHED, "ed25519"])
def test_openssl_verifies(shared: World, tmp_path: Path, algorithm: str) -> None:
    info = make(shared, algorithm, label=algorithm)
    signer: Signer = shared.centre.signer(algorithm)
    for message in (b"0", MESSAGE, bytes(100_000)):
        judge(tmp_path, info, signer.sign(message), message)


@pytest.mark.parametrize("algorithm", HASHED)
def test_a_digest_signs_as_its_message_does(shared: World, tmp_path: Path, algorithm: str) -> None:
    info = make(shared, algorithm, label=algorithm)
    assert info.public_key is not None
    signature = shared.centre.signer(algorithm).sign_prehashed(info.public_key.prehash(MESSAGE))
    judge(tmp_path, info, signature, MESSAGE)


def test_gmssl_verifies(world: World) -> None:
    info = make(world, "sm2")
    signature = world.centre.signer("key").sign(MESSAGE)
    assert gmssl_pyx.sm2_verify(spki(info)[-64:], MESSAGE, signature)


def test_every_ecdsa_value_is_minimal_der(world: World) -> None:
    """r and s have their high bit set every other time, and begin with a zero octet now and then."""
    make(world, "ecdsa-p256")
    signer = world.centre.signer("key")
    lengths = set()
    for number in range(300):
        signature = signer.sign(str(number).encode())
        assert DSASignature.load(signature, strict=True).dump(force=True) == signature
        lengths.add(len(signature))
    assert {70, 71, 72} <= lengths


@pytest.mark.parametrize("size", [0, 20, 31, 33, 48])
@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "sm2"])
def test_a_digest_of_another_size_is_refused(world: World, algorithm: str, size: int) -> None:
    make(world, algorithm)
    with pytest.raises(BadDigest):
        world.centre.signer("key").sign_prehashed(bytes(size))


def test_ed25519_signs_no_digest(world: World) -> None:
    make(world, "ed25519", "log")
    with pytest.raises(UnsupportedAlgorithm):
        world.centre.signer("key").sign_prehashed(bytes(32))


@pytest.mark.parametrize("algorithm", HASHED)
def test_a_faulty_signature_is_not_released(
    shared: World, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    make(shared, algorithm, label=algorithm)
    signer = shared.centre.signer(algorithm)
    true = signer._use
    monkeypatch.setattr(signer, "_use", lambda digest: true(bytes(len(digest))))
    with pytest.raises(FaultySignature):
        signer.sign(MESSAGE)
    with pytest.raises(FaultySignature):
        signer.sign_prehashed(signer.public_key.prehash(MESSAGE))


def test_a_tokens_word_is_taken_where_both_say_so_and_nowhere_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting, and the token of this very mechanism; and never for what is signed beside the token.

    Seen to fail when either alone is enough, and when what is signed beside the token is trusted too.
    """
    for algorithm in ("ecdsa-p256", "sm2"):
        make(world, algorithm, label=algorithm)
    assert world.centre.engine.facts().hardware == frozenset()  # SoftHSM2 says what it is
    wrong = bytes(70)
    for setting, hardware, label, released in (
        ("verified", {"ECDSA"}, "ecdsa-p256", False),
        ("trusted", set(), "ecdsa-p256", False),
        ("trusted", {"EDDSA"}, "ecdsa-p256", False),
        ("trusted", {"ECDSA"}, "ecdsa-p256", True),
        ("trusted", {"ECDSA", "SM2"}, "sm2", False),
    ):
        centre = world.restarted(signatures=setting)
        engine = centre.token
        facts = replace(engine.facts(), hardware=frozenset(hardware))
        with monkeypatch.context() as patch:
            patch.setattr(engine, "facts", lambda facts=facts: facts)
            for name in ("sign", "sign_protected"):
                patch.setattr(engine, name, lambda *_: wrong)
            signer = centre.signer(label)
            assert signer.verified_by == (None if released else signer.public_key)
            for signing_, content in (
                (signer.sign, MESSAGE),
                (signer.sign_prehashed, signer.public_key.prehash(MESSAGE)),
            ):
                if released:
                    assert signing_(content) == wrong
                else:
                    with pytest.raises(FaultySignature):
                        signing_(content)


def test_a_key_that_is_not_ready(world: World) -> None:
    info = make(world, "ecdsa-p256")
    with pytest.raises(KeyUnknown):
        world.centre.signer("none")
    for state in ("making", "retired"):
        world.forge("key", state=state)
        with pytest.raises(KeyNotActive, match=state):
            world.centre.signer(info.label)


def test_a_wrapping_key_signs_nothing(world: World) -> None:
    world.centre.create(SYSTEM, label="kek-1", purpose="kek", algorithm="aes-256")
    with pytest.raises(KeyNotSigning):
        world.centre.signer("kek-1")


def test_a_signing_key_does_nothing_else(world: World) -> None:
    info = make(world, "ecdsa-p256")
    world.centre.token.use_key(
        "key",
        info.handle,
        ObjectClass.PRIVATE_KEY,
        lambda key: key.sign(bytes(32), mechanism=Mechanism.ECDSA),
    )
    assert not world.centre.token.use_key(
        "key", info.handle, ObjectClass.PRIVATE_KEY, lambda key: hasattr(key, "derive_key")
    )


# --- for callers over the network


def asked(world: World, content: bytes, *, hashed: bool = True) -> Any:
    return world.centre.sign_for(
        KEEPER, "key", SigningRequest(content, hashed, "document:42", "document.seal")
    )


@pytest.mark.parametrize("hashed", [True, False])
def test_a_signature_for_others_is_recorded(world: World, hashed: bool, tmp_path: Path) -> None:
    info = make(world, "ecdsa-p256")
    assert info.public_key is not None
    digest = info.public_key.prehash(MESSAGE)
    signed = asked(world, digest if hashed else MESSAGE, hashed=hashed)
    judge(tmp_path, info, signed.signature, MESSAGE)
    assert signed.algorithm == "ecdsa-sha256"
    (event,) = world.events("kms.sign")
    assert event["id"] == signed.entry
    assert (event["outcome"], event["subject"], event["actor"]["id"]) == ("done", "key:key", "p-keeper")
    assert event["facts"] == {"digest": digest.hex(), "for": "document:42"}
    assert event["personal"]["fields"]["note"]["of"] == "p-keeper"  # free text: committed to, and kept beside
    assert event["decision"]["resource"] == {
        "type": "Key",
        "id": "key",
        "organ": "o-office",
        "level": "public",
        "attributes": {"purpose": "evidence"},
    }


@pytest.mark.parametrize("purpose", [each for each in Purpose if each is not Purpose.KEK])
def test_only_evidence_keys_sign_for_others(world: World, purpose: Purpose) -> None:
    make(world, "ecdsa-p256", purpose.value)
    if purpose is Purpose.EVIDENCE:
        asked(world, bytes(32))
        return
    with pytest.raises(PurposeNotRemote):
        asked(world, bytes(32))
    (event,) = world.events("kms.sign")
    assert (event["outcome"], event["error"]) == ("refused", PurposeNotRemote.code)


def test_the_policies_decide(world: World) -> None:
    make(world, "ecdsa-p256")
    world.decider.allowed = lambda *_: False
    with pytest.raises(Denied):
        asked(world, bytes(32))
    (event,) = world.events("kms.sign")
    assert (event["outcome"], event["decision"]["allowed"]) == ("refused", False)


def test_no_record_no_signature(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make(world, "ecdsa-p256")

    def failing(*_: Any) -> None:
        raise OSError("the outbox cannot be written")

    monkeypatch.setattr(world.store, "_record", failing)
    with pytest.raises(OSError, match="outbox"):
        asked(world, bytes(32))


def test_a_gate_that_is_shut_stops_the_signing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make(world, "ecdsa-p256")
    used: list[bytes] = []
    monkeypatch.setattr(KeySigner, "sign_prehashed", lambda _self, digest: used.append(digest))

    def shut() -> None:
        raise signing.PurposeNotRemote(label="gate", purpose="test")

    world.store.gates.append(shut)
    with pytest.raises(PurposeNotRemote):
        asked(world, bytes(32))
    assert used == []


def test_a_refused_digest_is_recorded(world: World) -> None:
    make(world, "ecdsa-p256")
    with pytest.raises(BadDigest):
        asked(world, bytes(20))
    assert [(event["outcome"], event["error"]) for event in world.events("kms.sign")] == [
        ("refused", BadDigest.code)
    ]


def test_openssl_is_really_asked(tmp_path: Path, world: World) -> None:
    """The judge says no to a signature over something else."""
    info = make(world, "ecdsa-p256")
    with pytest.raises((AssertionError, subprocess.CalledProcessError)):
        judge(tmp_path, info, world.centre.signer("key").sign(b"a"), b"b")
