"""People's signing keys over HTTP, by the client that outsiders install, and on the command line."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from authz.policy_set import load_policies
from ca.bulk.keys import placeholder
from kms.cli import group
from kms.holder.errors import HolderKeyEnded, HolderKeyExists, WrongHolderPin
from kms.module import MODULE
from yinxin.authz import PLATFORM, Resource
from yinxin.client import Client
from yinxin.client.holders import HolderSigner
from yinxin.crypto import cms
from yinxin.crypto.errors import KeyMismatch
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import SM
from yinxin.store import Base

from .conftest import HOST, KEEPER, World
from .test_policies import ABOVE, ROLES, allowed

pytestmark = pytest.mark.engines("any")
PIN, OTHER = "杭州西湖-2718", "wrong-horse-9"
MESSAGE = "同意。".encode()


@pytest.fixture
def world(world: World) -> World:
    """Deriving a key from a PIN is made cheap."""
    world.restarted(holder_work=14)
    return world


def test_a_key_that_stays_there_signs_as_one_that_is_here(world: World, client: Client) -> None:
    holders = client.kms.holders
    key = holders.create(PIN, suite="sm")
    assert (key.holder, key.suite, key.state, key.attempts_left) == (KEEPER.id, "sm", "active", 5)
    request = holders.request(key.id, PIN)
    CertificationRequest.load(request.der).verify()
    signer = holders.signer(key.id, PIN, purpose="document.receive", subject="document:42")
    assert PIN not in repr(signer)
    certificate = placeholder(signer, "keeper", world.store.clock.now())
    identity = holders.identity(key.id, PIN, certificate).stating("document.sign-off", "document:7")
    signature = cms.sign_detached(identity, MESSAGE, signed_at=world.store.clock.now())
    assert cms.verify_detached(signature, MESSAGE).certificate == certificate
    with pytest.raises(KeyMismatch):
        holders.identity(
            key.id, PIN, placeholder(PrivateKey.generate(SM), "another", world.store.clock.now())
        )
    with pytest.raises(HolderKeyExists):
        holders.create(PIN, suite="sm")
    assert {(each.purpose, each.subject) for each in holders.uses(key.id)} == {
        ("document.sign-off", "document:7"),
        ("document.receive", "document:42"),
        ("ca.apply", f"holder-key:{key.id}"),
    }
    assert isinstance(identity.key, HolderSigner)
    assert holders.change_pin(key.id, PIN, OTHER).attempts_left == 5
    with pytest.raises(WrongHolderPin):
        signer.sign(MESSAGE)
    assert holders.show(key.id).attempts_left == 4
    holders.end(key.id)
    with pytest.raises(HolderKeyEnded):
        holders.request(key.id, OTHER)
    assert [each.state for each in holders.list()] == ["ended"]


def test_a_pin_is_no_part_of_what_is_kept_of_a_request(world: World, app: Any, client: Client) -> None:
    """Not even its digest: a PIN has few values. Seen to fail when an operation is declared without `unkept`."""
    key = client.kms.holders.create(PIN)
    headers = {"Authorization": "Bearer keeper", "Idempotency-Key": "k1", "Host": "trust.example.gov.cn"}
    digest = key.verifier().prehash(MESSAGE).hex()
    for path, body in (
        ("", {"pin": "", "suite": "intl"}),
        ("", {"pin": PIN, "suite": "none"}),
        (f"/{key.id}/pin", {"pin": PIN, "new_pin": "x" * 200}),
        (f"/{key.id}/signatures", {"pin": PIN, "digest_base64": digest, "purpose": "?", "subject": "?"}),
        (f"/{key.id}/pin", {"pin": PIN, "new_pin": OTHER}),
    ):
        answer = app.test_client().post(
            f"/api/kms/v1/holder-keys{path}", json=body, headers=headers, base_url=HOST
        )
        assert PIN not in answer.get_data(as_text=True)
        assert OTHER not in answer.get_data(as_text=True)
    with world.store.read() as session:
        kept = Base.metadata.tables["idempotency"]
        assert session.execute(sa.select(kept)).all() == []


# --- the command line ---


def test_the_commands(world: World, tmp_path: Path) -> None:
    def told(*arguments: str) -> Any:
        context = SimpleNamespace(platform=lambda: SimpleNamespace(kms=world.centre), actor=lambda: KEEPER)
        done = CliRunner().invoke(group, ["holder", *arguments, "--json"], obj=context)
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.stdout)

    for name, pin in (("pin", PIN), ("new", OTHER)):
        (tmp_path / name).write_text(f"{pin}\n", "utf-8")
    by = ("--pin-file", str(tmp_path / "pin"))
    key = told("create", *by)["id"]
    assert [each["id"] for each in told("list")] == [key]
    told("csr", key, "--out", str(tmp_path / "her.csr"), *by)
    request = CertificationRequest.load((tmp_path / "her.csr").read_bytes())
    request.verify()
    her = world.centre.holders.show(KEEPER, key)
    from kms.holder import Unlock
    from kms.holder.signer import HolderSigner as Local

    signer = Local(world.centre.holders, KEEPER, her, Unlock.pin(PIN), purpose="test", subject="test:1")
    certificate = placeholder(signer, "keeper", world.store.clock.now())
    (tmp_path / "her.pem").write_text(certificate.pem, "ascii")
    (tmp_path / "letter").write_bytes(MESSAGE)
    out = tmp_path / "letter.p7s"
    told(
        *("sign", key, str(tmp_path / "letter"), "--certificate", str(tmp_path / "her.pem")),
        *("--subject", "letter:1", "--out", str(out), *by),
    )
    assert cms.verify_detached(out.read_bytes(), MESSAGE).certificate == certificate
    assert {each["subject"] for each in told("uses", key)} == {"letter:1", "test:1", f"holder-key:{key}"}
    told("pin", key, *by, "--new-pin-file", str(tmp_path / "new"))
    assert told("end", key)["state"] == "ended"


# --- who may ---


def test_the_policies_are_the_oracle() -> None:
    """Nobody signs for another. Seen to fail when an officer may change a PIN."""
    assert MODULE.policies is not None
    policies = load_policies({"kms": MODULE.policies})
    own = ("kms.create-holder-key", "kms.sign-as-holder", "kms.change-holder-pin")
    for role in ROLES:
        for organ in ("province", "city", "county"):
            for owner in (each for each in ABOVE if each != PLATFORM):
                for holder in ("p", "another"):
                    for action in (*own, "kms.end-holder-key", "kms.read-holder-keys"):
                        above = organ in ABOVE[owner]
                        officer = role == "security-officer" and above and action not in own
                        auditor = role == "auditor" and above and action == "kms.read-holder-keys"
                        mine = holder == "p" and (role != "auditor" or action == "kms.read-holder-keys")
                        resource = Resource("HolderKey", "k", organ=owner, attributes={"holder": holder})
                        answer = allowed(policies, role, organ, action, resource)
                        assert answer is (mine or officer or auditor), (role, organ, owner, holder, action)
