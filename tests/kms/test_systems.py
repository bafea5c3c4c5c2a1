"""Registered systems use service keys in their own name: what they are let in to, and all that they are not."""

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

import authz.scim.models  # noqa: F401 - defines the tables
from authz.grant.errors import BadGrantResource
from authz.grant.models import GrantRow
from authz.oidc.errors import InvalidToken, UnknownClient
from tests.authz.conftest import ORIGIN
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied
from yinxin.client import System, SystemRefused, in_process
from yinxin.crypto.jose import Jwk
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL
from yinxin.web.errors import ScopeNeeded

from .provinces import OFFICER, Province, opened

pytestmark = pytest.mark.engines("any")
PLAIN = "身份证号 110101199003070000".encode()


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory, soft_token: Path) -> Iterator[Province]:
    root = tmp_path_factory.mktemp("systems")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SOFTHSM2_CONF", raising=False)
        with opened(f"sqlite:///{root / 'test.sqlite'}", root, soft_token) as made:
            yield made


def test_a_system_uses_the_keys_it_was_granted_and_rotates_them(province: Province) -> None:
    sealing, signing = province.key(), province.key("ecdsa-p256")
    system = province.system()
    for template in ("encrypting", "decrypting", "rotating"):
        given = province.grant(f"kms.grant-{template}", f"client:{system.id}", sealing)
    province.grant("kms.grant-signing", f"client:{system.id}", signing)
    with province.client(system) as client:
        keyring = client.kms.keyring
        sealed = keyring.encrypt(sealing, PLAIN, context=b"person:7")
        assert keyring.rotate(sealing).latest == 2
        assert (
            keyring.decrypt(
                sealing, keyring.rewrap(sealing, sealed, context=b"person:7"), context=b"person:7"
            )
            == PLAIN
        )
        signature, version = keyring.sign(signing, PLAIN)
        keyring.verify(signing, PLAIN, signature, version=version)
        answers = keyring.batch(
            sealing, "decrypt", [{"ciphertext": sealed, "context_base64": b64encode(b"person:7").decode()}]
        )
        assert answers[0].problem is None
        province.clock.advance(timedelta(minutes=11))
        assert len(keyring.random(16)) == 16  # the token was over: another is got
    used = province.events("kms.rotate-service-key")[-1]
    assert used["actor"] == {"kind": "service", "id": f"client:{system.id}", "organ": "county-a"}
    assert used["decision"]["policies"] == [f"kms.grant-rotating#{given}"]
    assert [each["resource"] for each in used["decision"]["grants"]] == [f"ServiceKey:{sealing}"]
    actor = Actor(Kind.SERVICE, f"client:{system.id}", organ="county-a")
    assert province.authz.decisions.replay(actor, used["decision"]).allowed


def test_a_grant_over_one_key_opens_that_key_and_that_operation(province: Province) -> None:
    """Seen to fail when `bearing` lets every grant through, or looks at the thing and not at its organ."""
    mine, other, elsewhere = province.key(), province.key(), province.key(owner="county-b")
    system = province.system()
    province.grant("kms.grant-encrypting", f"client:{system.id}", mine)
    province.grant("kms.grant-decrypting", "organ:county-a", None)  # of the people there, no system's
    for key, organ in ((elsewhere, "county-a"), ("none", "county-a")):
        with pytest.raises(BadGrantResource):
            province.grant("kms.grant-encrypting", f"client:{system.id}", key, organ)
    with pytest.raises(BadGrantResource):
        province.grant("kms.grant-encrypting", f"client:{system.id}", f"{mine}x", "county-a")
    with pytest.raises(UnknownClient):
        province.grant("kms.grant-encrypting", "client:nobody", mine)
    # a row that somebody wrote past the checks: a key of another part of the tree stays shut
    with province.store.act(SYSTEM, "test.forge", "grant:forged") as act:
        row = act.session.scalars(sa.select(GrantRow).where(GrantRow.resource == f"ServiceKey:{mine}")).one()
        forged = {name: getattr(row, name) for name in [each.key for each in sa.inspect(GrantRow).columns]}
        act.session.add(GrantRow(**forged | {"id": "forged", "resource": f"ServiceKey:{elsewhere}"}))
    with province.client(system) as client:
        keyring = client.kms.keyring
        sealed = keyring.encrypt(mine, PLAIN)
        for call in (
            lambda: keyring.encrypt(other, PLAIN),
            lambda: keyring.encrypt(elsewhere, PLAIN),
            lambda: keyring.decrypt(mine, sealed),
            lambda: keyring.rotate(mine),
            lambda: keyring.mac(mine, PLAIN),
        ):
            with pytest.raises(Denied):
                call()
    refused = province.events("kms.decrypt")[-1]
    assert (refused["outcome"], refused["actor"]["kind"]) == ("refused", "service")


def test_a_system_administers_and_approves_nothing(province: Province) -> None:
    """Every operation there is, with a token that is in force. Seen to fail when `current_caller` does not ask for the scope."""
    system = province.system()
    token = province.token(system).json()["access_token"]
    document = province.ask("GET", "/api/openapi.json", token).json()
    open_to_systems = set()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if {"system": ["kms.use"]} in operation["security"]:
                open_to_systems.add(f"{method} {path.removeprefix('/api/kms/v1')}")
            elif operation["security"]:
                answer = province.ask(method.upper(), re.sub(r"\{\w+\}", "1", path), token, {})
                assert answer.status_code == 403, (method, path, answer.text)
                assert answer.json()["code"] == ScopeNeeded.code
                assert "insufficient_scope" in answer.headers["WWW-Authenticate"]
    uses = (
        "ciphertexts",
        "plaintexts",
        "rewrapped-ciphertexts",
        "data-keys",
        "signatures",
        "verified-signatures",
        "macs",
    )
    assert open_to_systems == {
        "get /service-keys/{name}",
        *(f"{method} /service-keys/{{name}}/versions" for method in ("get", "post")),
        *(f"post /service-keys/{{name}}/{use}" for use in (*uses, "verified-macs", "batches")),
        "post /random-octets",
    }
    refusals = [
        each for each in province.events("web.request") if each["actor"]["id"] == f"client:{system.id}"
    ]
    assert any(each["subject"].endswith("/approvals") for each in refusals)
    assert {each["error"] for each in refusals} == {ScopeNeeded.code}


def test_a_token_is_worth_something_where_and_while_it_should(province: Province) -> None:
    """Of another service, over, taken back, of a client that has ended. Seen to fail when `shown` does not look at the audience."""
    path = "/api/kms/v1/random-octets"
    both = province.system(scopes=("scim.read", "kms.use"))
    unclear = province.token(both)
    assert (unclear.status_code, unclear.json()["error"]) == (400, "invalid_target")
    assert province.token(both, resource="https://elsewhere.example").json()["error"] == "invalid_target"
    reading = province.token(both, scope="scim.read").json()["access_token"]
    using = province.token(both, resource=f"{ORIGIN}/api/kms/v1").json()["access_token"]
    assert province.ask("POST", path, reading, {}).json()["code"] == InvalidToken.code
    assert province.ask("GET", "/scim/v2/Users", using).status_code == 401
    assert province.ask("GET", "/scim/v2/Users", reading).status_code == 200
    assert province.ask("POST", path, using, {}).status_code == 200
    assert province.ask("POST", path, using[:-1], {}).status_code == 401
    with httpx.Client(base_url=ORIGIN, transport=in_process(province.app)) as http:
        told = http.post("/oidc/introspect", data={"token": using}, auth=(both.id, both.secret or "")).json()
        assert (told["aud"], told["sub"], told["scope"]) == (f"{ORIGIN}/api/kms/v1", both.id, "kms.use")
        http.post("/oidc/revoke", data={"token": using}, auth=(both.id, both.secret or ""))
    assert province.ask("POST", path, using, {}).status_code == 401
    late = province.token(both, scope="kms.use").json()["access_token"]
    province.clock.advance(timedelta(minutes=10))
    assert province.ask("POST", path, late, {}).status_code == 401
    ended = province.token(both, scope="kms.use").json()["access_token"]
    province.authz.oidc.clients.end(OFFICER, both.id)
    assert province.ask("POST", path, ended, {}).status_code == 401
    with province.client(both) as client, pytest.raises(SystemRefused):
        client.kms.keyring.random()
    last = province.events("authz.authenticate")[-1]
    assert (last["outcome"], last["error"]) == ("refused", InvalidToken.code)


def test_a_token_got_by_a_certificate_is_bound_to_it(province: Province) -> None:
    """RFC 8705 section 3. Seen to fail when `shown` takes every peer."""
    mine, other = (province.authority.identity(name).certificate for name in ("array", "another"))
    system = province.system(authentication="tls_client_auth", certificate=mine.fingerprint)
    path = "/api/kms/v1/random-octets"
    with province.client(system, peer=mine.der) as client:
        token = client.sign_in()
        assert len(client.kms.keyring.random(8)) == 8
    assert province.events("kms.give-random")[-1]["actor"]["certificate"] == mine.fingerprint
    for peer in (None, other.der):
        assert province.ask("POST", path, token, {}, peer=peer).status_code == 401
    assert province.ask("POST", path, token, {}, peer=mine.der).status_code == 200
    with province.client(system, peer=other.der) as thief, pytest.raises(SystemRefused):
        thief.sign_in()
    province.authority.revoke(mine)
    assert province.ask("POST", path, token, {}, peer=mine.der).status_code == 401


def test_a_system_proves_itself_by_its_own_key(province: Province) -> None:
    key = PrivateKey.generate(INTL)
    system = province.system(authentication="private_key_jwt", jwks=(dict(Jwk.of(key.public_key).members),))
    with province.client(System(system.id, key=key)) as client:
        assert len(client.kms.keyring.random(8)) == 8
    another = System(system.id, key=PrivateKey.generate(INTL))
    with province.client(another) as client, pytest.raises(SystemRefused):
        client.kms.keyring.random(8)
    assert "secret" not in repr(System("a", "secret-of-a"))
