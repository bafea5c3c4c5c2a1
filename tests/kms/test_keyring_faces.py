"""Service keys over HTTP, by the client that outsiders install, and on the command line."""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from kms.cli import group
from kms.keyring.errors import CiphertextNotOpened, ServiceKeyUnknown
from yinxin.authz import Denied
from yinxin.client import Client
from yinxin.crypto.errors import BadSignature
from yinxin.crypto.keys import PublicKey
from yinxin.store import Base

from .conftest import HOST, OFFICER, World

pytestmark = pytest.mark.engines("any")
PLAIN = "身份证号 110101199003070000".encode()
NEW = {"owner": "o-office", "purpose": "records.field-encryption"}


def test_a_system_uses_keys_that_it_never_holds(world: World, client: Client) -> None:
    keyring = client.kms.keyring
    made = keyring.create("hrss.records", algorithm="sm4-gcm", **NEW)
    assert (made.suite, made.operations, made.condition) == ("sm", ("decrypt", "encrypt"), "active")
    sealed = keyring.encrypt("hrss.records", PLAIN, context=b"person:7")
    assert keyring.decrypt("hrss.records", sealed, context=b"person:7") == PLAIN
    with pytest.raises(CiphertextNotOpened):
        keyring.decrypt("hrss.records", sealed, context=b"person:8")
    assert keyring.rotate("hrss.records").latest == 2
    again = keyring.rewrap("hrss.records", sealed, context=b"person:7")
    keyring.limit("hrss.records", min_decrypt=2, min_encrypt=2)
    assert keyring.decrypt("hrss.records", again, context=b"person:7") == PLAIN
    key = keyring.data_key("hrss.records")
    assert keyring.decrypt("hrss.records", key.ciphertext) == key.key
    assert key.plaintext_base64 not in repr(key)
    assert keyring.data_key("hrss.records", plain=False).plaintext_base64 is None
    assert [each.name for each in list(keyring.keys())] == ["hrss.records"]
    assert [(each.version, each.encryptions) for each in keyring.versions("hrss.records")] == [(1, 1), (2, 3)]
    assert len(keyring.random(100)) == 100
    assert {event["request"] is not None for event in world.events("kms.encrypt")} == {True}


def test_signatures_and_macs(client: Client) -> None:
    keyring = client.kms.keyring
    keyring.create("sealing", algorithm="ecdsa-p256", **NEW)
    signature, version = keyring.sign("sealing", PLAIN)
    (shown,) = keyring.versions("sealing")
    PublicKey.load(b64decode(shown.public_key or "")).verify(signature, PLAIN)
    keyring.verify("sealing", PLAIN, signature, version=version)
    with pytest.raises(BadSignature):
        keyring.verify("sealing", PLAIN + b"x", signature)
    keyring.create("stamping", algorithm="hmac-sm3", **NEW)
    mac, _ = keyring.mac("stamping", PLAIN)
    keyring.verify_mac("stamping", PLAIN, mac)
    with pytest.raises(BadSignature):
        keyring.verify_mac("stamping", PLAIN, mac[:-1])


def test_a_batch_answers_item_by_item(client: Client) -> None:
    keyring = client.kms.keyring
    keyring.create("k", algorithm="aes-256-gcm", **NEW)
    text = b64encode(PLAIN).decode()
    done = keyring.batch("k", "encrypt", [{"data_base64": text}, {"data_base64": text, "version": 9}])
    assert done[0].ciphertext is not None
    assert done[1].problem is not None
    assert done[1].problem.code == "kms.version_unknown"
    opened = keyring.batch("k", "decrypt", [{"ciphertext": done[0].ciphertext}, {"ciphertext": "x"}])
    assert b64decode(opened[0].octets_base64 or "") == PLAIN
    assert opened[1].problem is not None
    assert "密文" in opened[1].problem.detail.zh


def test_no_answer_is_kept_for_its_idempotency_key(world: World, app: Any, client: Client) -> None:
    """The client sends one with every call. Seen to fail when a use is declared without `unkept`."""
    client.kms.keyring.create("k", algorithm="aes-256-gcm", **NEW)
    sealed = client.kms.keyring.encrypt("k", PLAIN)
    headers = {"Authorization": "Bearer keeper", "Idempotency-Key": "k1", "Host": "trust.example.gov.cn"}
    asked = {"json": {"ciphertext": sealed}, "headers": headers, "base_url": HOST}
    for _ in range(2):
        answer = app.test_client().post("/api/kms/v1/service-keys/k/plaintexts", **asked)
        assert b64decode(answer.get_json()["plaintext_base64"]) == PLAIN
        assert answer.headers["Audit-Entry"]
    assert len(world.events("kms.decrypt")) == 2
    with world.store.read() as session:
        rows = [row for table in Base.metadata.sorted_tables for row in session.execute(sa.select(table))]
    assert b64encode(PLAIN).decode() not in repr(rows)


def test_refusals_over_http(world: World, client: Client) -> None:
    with pytest.raises(ServiceKeyUnknown):
        client.kms.keyring.encrypt("none", PLAIN)
    client.kms.keyring.create("k", algorithm="aes-256-gcm", **NEW)
    world.decider.allowed = lambda *_: False
    for call in (
        lambda: client.kms.keyring.encrypt("k", PLAIN),
        lambda: client.kms.keyring.show("k"),
        lambda: list(client.kms.keyring.keys()),
        lambda: client.kms.keyring.rotate("k"),
        client.kms.keyring.random,
        lambda: client.kms.keyring.batch("k", "encrypt", [{"data_base64": ""}]),
    ):
        with pytest.raises(Denied):
            call()


# --- the command line ---


def run(world: World, *arguments: str, given: bytes = b"") -> Result:
    context = SimpleNamespace(platform=lambda: SimpleNamespace(kms=world.centre), actor=lambda: OFFICER)
    return CliRunner().invoke(group, ["key", *arguments], obj=context, input=given)


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def told(world: World, *arguments: str, given: bytes = b"") -> Any:
    done = run(world, *arguments, "--json", given=given)
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_the_commands(world: World, tmp_path: Path) -> None:
    create = ("create", "k", "--owner", "o-office", "--purpose", "records", "--algorithm", "aes-256-gcm")
    assert told(world, *create)["latest"] == 1
    sealed = told(world, "encrypt", "k", "--context", "person:7", given=PLAIN)["ciphertext"]
    assert told(world, "rotate", "k")["latest"] == 2
    again = run(world, "rewrap", "k", "--context", "person:7", given=sealed.encode()).output.strip()
    assert again.startswith("yx:v1:k:2:")
    out = tmp_path / "plain"
    opening = ("decrypt", "k", "--context", "person:7", "--out", str(out))
    assert told(world, *opening, given=again.encode()) == {"version": 2, "out": str(out), "size": len(PLAIN)}
    assert (out.read_bytes(), mode(out)) == (PLAIN, 0o600)
    assert told(world, "limit", "k", "--min-decrypt", "2", "--min-encrypt", "2")["min_decrypt"] == 2
    key = tmp_path / "key"
    wrapped = told(world, "data-key", "k", "--out", str(key))["ciphertext"]
    told(world, "decrypt", "k", "--out", str(out), given=wrapped.encode())
    assert out.read_bytes() == key.read_bytes()
    assert mode(key) == 0o600
    assert [each["name"] for each in told(world, "list", "--owner", "o-office")] == ["k"]
    assert [each["encryptions"] for each in told(world, "show", "k")["versions"]] == [1, 2]
    assert len(b64decode(told(world, "random", "16")["octets_base64"])) == 16
    refused = run(world, "decrypt", "k", "--out", str(out), given=again.encode())
    assert isinstance(refused.exception, CiphertextNotOpened)


def test_no_secret_is_written_where_others_may_read(world: World, tmp_path: Path) -> None:
    """The file was there, open to all, and somebody has it open: she reads what stood in it, and nobody reads the new.

    Seen to fail when the file is written in place, or with the mode it had.
    """
    run(world, "create", "k", "--owner", "o-office", "--purpose", "records", "--algorithm", "aes-256-gcm")
    sealed = told(world, "encrypt", "k", given=PLAIN)["ciphertext"]
    for name, command, given in (("plain", "decrypt", sealed.encode()), ("key", "data-key", b"")):
        out = tmp_path / name
        out.write_bytes(b"before")
        out.chmod(0o644)
        with out.open("rb") as reader:
            told(world, command, "k", "--out", str(out), given=given)
            assert reader.read() == b"before"
        assert mode(out) == 0o600
        assert out.read_bytes() != b"before"


def test_signing_and_verifying_by_command(world: World) -> None:
    for name, algorithm, operation in (("s", "sm2-signing", "sign"), ("m", "hmac-sha256", "mac")):
        run(world, "create", name, "--owner", "o-office", "--purpose", "records", "--algorithm", algorithm)
        field = "signature" if operation == "sign" else "mac"
        made = told(world, operation, name, given=PLAIN)[f"{field}_base64"]
        assert told(world, "verify", name, f"--{field}", made, given=PLAIN) == {"version": 1, "holds": True}
        assert isinstance(run(world, "verify", name, f"--{field}", made, given=b"x").exception, BadSignature)
    assert run(world, "verify", "s", given=PLAIN).exit_code == 2
