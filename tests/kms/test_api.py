"""The HTTP face, driven by the client that outsiders install."""

import base64
from typing import Any

import pytest
from flask.testing import FlaskClient

from kms.errors import BadDigest, KeyUnknown, PurposeNotRemote
from yinxin.act import SYSTEM
from yinxin.authz import PLATFORM, Denied
from yinxin.client import Client

from .conftest import World

MESSAGE = "函".encode()


@pytest.fixture
def raw(app: Any) -> FlaskClient:
    client = app.test_client()
    client.environ_base |= {
        "wsgi.url_scheme": "https",
        "HTTP_HOST": "trust.example.gov.cn",
        "HTTP_AUTHORIZATION": "Bearer keeper",
    }
    return client  # type: ignore[no-any-return]


def make(world: World, label: str, algorithm: str = "ecdsa-p256", purpose: str = "evidence") -> None:
    world.centre.create(SYSTEM, label=label, purpose=purpose, algorithm=algorithm, owner="o-office")


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-3072", "sm2", "ml-dsa-65"])
def test_a_remote_signer_is_a_signer(world: World, client: Client, algorithm: str) -> None:
    make(world, "seal", algorithm)
    signer = client.kms.signer("seal", purpose="document.seal", subject="document:42")
    signer.public_key.verify(signer.sign(MESSAGE), MESSAGE)
    (event,) = world.events("kms.sign")
    assert event["actor"] == {
        "kind": "person",
        "id": "p-keeper",
        "post": "post-keeper",
        "organ": "o-office",
    }
    assert event["facts"]["for"] == "document:42"
    assert event["request"]


def test_the_register_comes_in_pages(world: World, raw: FlaskClient, client: Client) -> None:
    for number in range(5):
        make(world, f"seal-{number}")
    first = raw.get("/api/kms/v1/keys?limit=2").get_json()
    assert [each["label"] for each in first["items"]] == ["seal-0", "seal-1"]
    assert first["next"]
    assert [key.label for key in list(client.kms.keys())] == [f"seal-{number}" for number in range(5)]
    assert world.decider.asked[-1][1] == "kms.list"
    assert world.decider.asked[-1][2].organ == PLATFORM


def test_nothing_secret_is_shown(world: World, raw: FlaskClient) -> None:
    make(world, "sm", "sm2")
    wrapped = world.centre.key("sm").wrapped
    assert wrapped is not None
    shown = raw.get("/api/kms/v1/keys").get_data() + raw.get("/api/kms/v1/keys/sm").get_data()
    assert base64.b64encode(wrapped.blob)[:16] not in shown
    assert set(raw.get("/api/kms/v1/keys/sm").get_json()) == {
        *("label", "purpose", "algorithm", "suite", "owner", "place", "state", "created", "key_id"),
        "public_key",
    }


def test_refusals_are_told_apart(world: World, client: Client) -> None:
    make(world, "ca", purpose="ca")
    make(world, "seal")
    with pytest.raises(KeyUnknown):
        client.kms.key("none")
    with pytest.raises(KeyUnknown):
        client.kms.sign("none", bytes(32), purpose="document.seal", subject="document:1")
    with pytest.raises(PurposeNotRemote) as caught:
        client.kms.sign("ca", bytes(32), purpose="document.seal", subject="document:1")
    assert caught.value.entry == world.events("kms.sign")[-1]["id"]
    with pytest.raises(BadDigest):
        client.kms.sign("seal", bytes(20), purpose="document.seal", subject="document:1")
    world.decider.allowed = lambda *_: False
    for call in (
        lambda: client.kms.sign("seal", bytes(32), purpose="document.seal", subject="document:1"),
        lambda: client.kms.key("seal"),
        lambda: list(client.kms.keys()),
    ):
        with pytest.raises(Denied):
            call()


def post(raw: FlaskClient, body: dict[str, Any], key: str = "k1") -> Any:
    return raw.post("/api/kms/v1/keys/seal/signatures", json=body, headers={"Idempotency-Key": key})


def body(**changed: Any) -> dict[str, Any]:
    digest = base64.b64encode(bytes(32)).decode()
    whole = {"digest_base64": digest, "purpose": "document.seal", "subject": "document:1"} | changed
    return {name: value for name, value in whole.items() if value is not None}


def test_a_message_is_hashed_here(world: World, raw: FlaskClient) -> None:
    make(world, "seal", "sm2")
    message = base64.b64encode(MESSAGE).decode()
    answer = post(raw, body(digest_base64=None, message_base64=message))
    assert answer.status_code == 201
    public_key = world.centre.key("seal").public_key
    assert public_key is not None
    public_key.verify(base64.b64decode(answer.get_json()["signature_base64"]), MESSAGE)
    assert answer.get_json()["algorithm"] == "sm2-sm3"
    assert answer.headers["Audit-Entry"] == answer.get_json()["entry"] == world.events("kms.sign")[0]["id"]


def test_repeating_a_call_signs_once(world: World, raw: FlaskClient) -> None:
    make(world, "seal")
    first, second = post(raw, body()), post(raw, body())
    assert first.get_json() == second.get_json()
    assert len(world.events("kms.sign")) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"digest_base64": "not base64"},
        {"digest_base64": "AAA"},
        {"digest_base64": None},
        {"message_base64": "AAAA"},
        {"purpose": "写给张三的信"},
        {"purpose": ""},
        {"subject": "张三"},
        {"subject": "document:" + "x" * 300},
        {"more": 1},
    ],
)
def test_a_bad_body_is_refused_in_both_languages(
    world: World, raw: FlaskClient, changed: dict[str, Any]
) -> None:
    make(world, "seal")
    answer = post(raw, body(**changed))
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert world.events("kms.sign") == []


def test_who_is_not_signed_in(world: World, app: Any) -> None:
    make(world, "seal")
    for path in ("/api/kms/v1/keys", "/api/kms/v1/keys/seal"):
        answer = app.test_client().get(path, headers={"Authorization": "Bearer nobody"})
        assert answer.status_code == 401


def test_every_problem_is_declared(app: Any) -> None:
    offered = [each for api in app.extensions["yinxin.web"].apis for each in api.operations]
    operations = {each.name: {problem.code for problem in each.problems} for each in offered}
    assert operations["sign"] >= {"kms.purpose_not_remote", "authz.denied", "kms.key_unknown", "kms.hsm_gone"}


def test_the_tokens_and_what_they_can_do(world: World, raw: FlaskClient) -> None:
    told = raw.get("/api/kms/v1/tokens").get_json()
    assert told["ok"] is True
    (token,) = told["tokens"]
    assert (token["label"], token["in_use"], token["error"]) == ("yinxin", True, None)
    assert "ecdsa-p256" in token["native"]
    assert "sm2" in token["beside"]
    world.decider.allowed = lambda *_: False
    assert raw.get("/api/kms/v1/tokens").status_code == Denied.status
