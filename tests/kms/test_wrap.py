"""Wrapped keys open only in their own row, under their own key; and no private key lies anywhere in the clear."""

import base64
import gc
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from asn1crypto.keys import ECPrivateKey, PrivateKeyInfo
from pkcs11 import Attribute, ObjectClass

from kms import create as creating
from kms import generate
from kms.errors import KeyLost, WrappedKeyAltered
from kms.models import KeyRow
from yinxin.act import SYSTEM
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.libcrypto import cleanse

from .conftest import World


def make(world: World, label: str, owner: str = "platform", purpose: str = "seal") -> None:
    world.centre.create(SYSTEM, label=label, purpose=purpose, algorithm="sm2", owner=owner)


def refused(world: World, label: str) -> None:
    with pytest.raises(WrappedKeyAltered, match=label):
        world.centre.signer(label).sign(b"x")


def test_rows_cannot_be_swapped(world: World) -> None:
    make(world, "a")
    make(world, "b")
    world.centre.signer("a").sign(b"x")
    with world.store.engine.begin() as connection:
        rows = {row.label: row for row in connection.execute(sa.select(KeyRow.__table__))}
    for label, other in (("a", rows["b"]), ("b", rows["a"])):
        world.forge(label, blob=other.blob, nonce=other.nonce, spki=other.spki)
    refused(world, "a")
    refused(world, "b")


@pytest.mark.parametrize(
    ("column", "value"),
    [("owner", "o-2"), ("purpose", "evidence"), ("suite", "intl"), ("id", "0" * 26)],
)
def test_a_row_cannot_be_changed(world: World, column: str, value: str) -> None:
    make(world, "a", owner="o-1")
    world.forge("a", **{column: value})
    refused(world, "a")


@pytest.mark.parametrize("column", ["blob", "nonce"])
@pytest.mark.parametrize("at", [0, 5, -1])
def test_no_octet_can_be_changed(world: World, column: str, at: int) -> None:
    make(world, "a")
    wrapped = world.centre.key("a").wrapped
    value = bytearray(getattr(wrapped, column))
    value[at] ^= 1
    world.forge("a", **{column: bytes(value)})
    refused(world, "a")
    value[at] ^= 1
    world.forge("a", **{column: bytes(value)})
    world.centre.signer("a").sign(b"x")


@pytest.mark.parametrize("size", [0, 5, 16])
def test_a_shortened_ciphertext(world: World, size: int) -> None:
    make(world, "a")
    world.forge("a", blob=bytes(size))
    refused(world, "a")


def test_another_wrapping_key_does_not_open_it(world: World) -> None:
    make(world, "a")
    world.centre.generations.rotate(SYSTEM)
    world.forge("a", kek="kek-2")
    refused(world, "a")


def test_without_its_wrapping_key_a_key_is_lost(world: World) -> None:
    make(world, "a")
    kek = world.centre.key("kek-1")
    world.centre.token.use(
        lambda session: [each.destroy() for each in list(session.get_objects({Attribute.ID: kek.handle}))]
    )
    with pytest.raises(KeyLost, match="kek-1"):
        world.restarted().signer("a").sign(b"x")
    assert world.centre.health().facts["missing"] == ["kek-1"]


def test_wrapping_twice_gives_two_ciphertexts(world: World) -> None:
    make(world, "a")
    make(world, "b")
    a, b = world.centre.key("a").wrapped, world.centre.key("b").wrapped
    assert a is not None
    assert b is not None
    assert a.nonce != b.nonce
    assert len(a.nonce) == 12


def test_what_was_unwrapped_is_overwritten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []
    load = PrivateKey.load.__func__

    def watched(cls: type[PrivateKey], pkcs8: bytes, *, proved: bool) -> PrivateKey:
        kept.append(pkcs8)
        return load(cls, pkcs8, proved=proved)  # type: ignore[no-any-return]

    make(world, "a")
    monkeypatch.setattr(PrivateKey, "load", classmethod(watched))
    world.centre.signer("a").sign(b"x")
    (pkcs8,) = kept
    assert len(pkcs8) > 100
    assert not any(pkcs8)


# --- law 2: no private key in the clear


def scalar(pkcs8: bytes) -> bytes:
    key: ECPrivateKey = PrivateKeyInfo.load(pkcs8)["private_key"].parsed
    return bytes(key["private_key"].contents)


def spellings(secret: bytes) -> list[bytes]:
    number = int.from_bytes(secret)
    return [
        secret,
        secret[::-1],
        secret.hex().encode(),
        secret.hex().upper().encode(),
        base64.b64encode(secret)[:-4],
        base64.b64encode(b"\x00" + secret)[4:-4],
        base64.b64encode(b"\x00\x00" + secret)[4:-4],
        base64.urlsafe_b64encode(secret)[:-4],
        str(number).encode(),
    ]


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    secret = bytes(range(32))
    for number, text in enumerate(spellings(secret)):
        (tmp_path / str(number)).write_bytes(b"before" + text + b"after")
    assert len(found(tmp_path, secret)) == len(spellings(secret))


def found(root: Path, secret: bytes) -> list[str]:
    return [
        str(file)
        for file in sorted(root.rglob("*"))
        if file.is_file() and any(text in file.read_bytes() for text in spellings(secret))
    ]


def test_no_private_key_lies_in_the_clear(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    """P-256's d is read from the token by letting it out, in this test only; SM2's by listening to its making."""
    caplog.set_level(logging.DEBUG)
    secrets: list[bytes] = []
    pkcs8 = PrivateKey.pkcs8

    def heard(self: PrivateKey) -> bytes:
        secret = pkcs8(self)
        secrets.append(bytes(bytearray(scalar(secret))))
        return secret

    monkeypatch.setattr(PrivateKey, "pkcs8", heard)
    make(world, "sm")
    assert len(secrets) == 1
    open_template = generate.STAYS | {Attribute.SENSITIVE: False, Attribute.EXTRACTABLE: True}
    monkeypatch.setattr(generate, "STAYS", open_template)
    monkeypatch.setattr(generate, "_demand_staying", lambda _key, **_how: None)
    info = world.centre.create(SYSTEM, label="p256", purpose="ca", algorithm="ecdsa-p256")
    secrets.append(
        world.centre.token.use_key(
            "p256", info.handle, ObjectClass.PRIVATE_KEY, lambda key: bytes(key[Attribute.VALUE])
        )
    )
    for label in ("sm", "p256"):
        world.centre.signer(label).sign(b"x")
        world.forge(label, owner="o-2")
    with pytest.raises(WrappedKeyAltered) as caught:
        world.centre.signer("sm").sign(b"x")
    world.centre.health()
    world.centre.close()
    said = "".join(capfd.readouterr()) + caplog.text + repr(caught.value) + str(caught.value.facts)
    (world.root / "said").write_text(said)
    assert [len(secret) for secret in secrets] == [32, 32]
    for secret in secrets:
        assert found(world.root, secret) == []


def test_a_token_that_lets_keys_out_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    open_template = generate.STAYS | {Attribute.EXTRACTABLE: True}
    monkeypatch.setattr(generate, "STAYS", open_template)
    with pytest.raises(creating.YinxinError, match=r"kms\.hsm_refused"):
        world.centre.create(SYSTEM, label="p256", purpose="ca", algorithm="ecdsa-p256")
    monkeypatch.undo()
    info = world.centre.create(SYSTEM, label="p256", purpose="ca", algorithm="ecdsa-p256")
    assert world.centre.token.use_key(
        "p256", info.handle, ObjectClass.PRIVATE_KEY, lambda key: key[Attribute.NEVER_EXTRACTABLE]
    )


def test_wiping_overwrites(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = bytes(bytearray(range(1, 65)))
    gc.collect()
    assert sys.getrefcount(secret) == 2
    cleanse(secret)
    assert secret == bytes(64)
