"""One sign-on, judged by Authlib's client and joserfc: clients of every kind, devices, keys, registration."""

import re
import time
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey

from authz.oidc import Registration, errors
from authz.oidc.models import CodeRow, GrantRow, TokenRow
from yinxin.authz import Denied

from .conftest import ORIGIN
from .relying import BASE, code_of, exchange


@pytest.fixture
def database_url(tmp_path):
    """One engine is enough here: what two may do at once is tried on both in test_sign_on_races."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


def test_a_third_partys_client_signs_a_person_in(world, events):
    secret = world.register()
    with world.relying(secret) as mail:
        tokens = world.sign_on(mail, nonce="n-1")
        claims = world.claims(tokens["id_token"])
        assert claims["iss"] == ORIGIN == world.found["issuer"]
        assert (claims["sub"], claims["aud"], claims["nonce"]) == ("zhang", "mail", "n-1")
        assert (claims["name"], claims["organ"], claims["post"], claims["roles"]) == (
            "张喆",
            "county-a",
            "clerk-a",
            ["clerk"],
        )
        assert "clearance" not in claims
        now = int(world.site.clock.now().timestamp())
        assert (claims["iat"], claims["exp"], claims["auth_time"]) == (now, now + 600, now)
        assert (claims["acr"], claims["amr"]) == ("urn:yinxin:acr:certificate", ["swk"])
        told = mail.get(world.found["userinfo_endpoint"]).json()
        assert told["sub"] == "zhang"
        assert told["organ_path"] == ["county-a", "city", "province"]
        entry = events()[-1]
        assert (entry["verb"], entry["actor"]["id"], entry["actor"]["via"]) == (
            "authz.issue-token",
            "zhang",
            "mail",
        )
        for kept in (tokens["access_token"], tokens["refresh_token"], secret):
            assert kept not in str(events())

        again = mail.refresh_token(world.found["token_endpoint"])
        assert again["refresh_token"] != tokens["refresh_token"]
        assert world.claims(again["id_token"])["auth_time"] == now
        active = mail.introspect_token(
            world.found["introspection_endpoint"], token=again["access_token"]
        ).json()
        assert (active["active"], active["sub"], active["client_id"]) == (True, "zhang", "mail")
        mail.revoke_token(world.found["revocation_endpoint"], token=again["access_token"])
        assert mail.get(world.found["userinfo_endpoint"]).status_code == 401


def test_a_client_with_a_key_of_its_own(world):
    key = ECKey.generate_key("P-256")
    world.register(id="chat", authentication="private_key_jwt", jwks=(key.as_dict(private=False),))
    with world.relying(
        key.as_pem(private=True), "chat", token_endpoint_auth_method="private_key_jwt"
    ) as chat:
        chat.register_client_auth_method(OneClock(world))
        assert world.claims(world.sign_on(chat)["id_token"])["aud"] == "chat"


class OneClock(PrivateKeyJWT):
    """Authlib's method, whose assertions carry the time of the test."""

    def __init__(self, world):
        super().__init__(world.found["token_endpoint"], alg="ES256")
        self._world = world

    def sign(self, auth, token_endpoint):
        now = int(self._world.site.clock.now().timestamp())
        key = ECKey.import_key(auth.client_secret)
        claims = {
            "iss": "chat",
            "sub": "chat",
            "aud": token_endpoint,
            "exp": now + 60,
            "jti": str(time.perf_counter_ns()),
        }
        return jwt.encode({"alg": "ES256"}, claims, key)


def assertion(world, key, header=None, **more):
    now = int(world.site.clock.now().timestamp())
    claims = {"iss": "chat", "sub": "chat", "aud": ORIGIN, "exp": now + 60, "jti": "j-1"} | more
    return jwt.encode({"alg": "ES256"} | (header or {}), claims, key)


def test_a_signed_assertion_is_for_us_for_a_moment_and_once(world):
    key, other = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    world.register(id="chat", authentication="private_key_jwt", jwks=(key.as_dict(private=False),))
    world.register()

    def shown(text, **more):
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form = {"token": "x", "client_assertion": text, "client_assertion_type": kind} | more
        with world.http() as http:
            return http.post("/oidc/introspect", data=form).status_code

    good = assertion(world, key)
    assert shown(good) == 200
    now = int(world.site.clock.now().timestamp())
    refused = {
        "replayed": good,
        "another's key": assertion(world, other, jti="j-2"),
        "for another": assertion(world, key, jti="j-3", aud="https://other.example"),
        "of another": assertion(world, key, jti="j-4", iss="mail", sub="mail"),
        "over": assertion(world, key, jti="j-5", exp=now),
        "for too long": assertion(world, key, jti="j-6", exp=now + 301),
        "without an end": assertion(world, key, jti="j-7", exp=None),
        "without a number": assertion(world, key, jti=""),
        "unsigned": ".".join([*jwt.encode({"alg": "ES256"}, {"sub": "chat"}, key).split(".")[:2], ""]),
        "none": "eyJhbGciOiJub25lIn0." + good.split(".")[1] + ".",
        "rubbish": "a.b",
    }
    for what, text in refused.items():
        assert shown(text) == 401, what
    assert shown(assertion(world, key, jti="j-8"), client_id="mail") == 401


def test_a_client_with_a_certificate(world):
    mine, other = world.site.ca.identity("api"), world.site.ca.identity("api")
    world.register(id="gate", authentication="tls_client_auth", certificate=mine.certificate.fingerprint)

    def shown(peer):
        with world.http(peer) as http:
            return http.post("/oidc/introspect", data={"client_id": "gate", "token": "x"}).status_code

    assert shown(mine.certificate.der) == 200
    assert shown(other.certificate.der) == 401
    assert shown(None) == 401
    world.site.ca.revoke(mine.certificate)
    assert shown(mine.certificate.der) == 401


def test_a_program_without_a_secret_has_the_verifier_alone(world):
    world.register(authentication="none", redirect_uris=("http://127.0.0.1:7777/cb",))
    code = code_of(world, redirect_uri="http://127.0.0.1:7777/cb")
    form = {"client_id": "mail", "code": code, "redirect_uri": "http://127.0.0.1:7777/cb"}
    answer = exchange(world, None, **form)
    assert answer.status_code == 200
    with world.http() as http:  # who cannot prove what it is learns nothing of tokens
        asked = http.post(
            "/oidc/introspect", data={"client_id": "mail", "token": answer.json()["access_token"]}
        )
    assert asked.status_code == 401


def test_a_device_is_let_in_from_a_browser(world, events):
    secret = world.register()
    with world.http() as http:
        auth = httpx.BasicAuth("mail", secret)
        given = http.post("/oidc/device_authorization", data={"scope": "openid organ"}, auth=auth).json()
        assert re.fullmatch(r"[B-Z]{4}-[B-Z]{4}", given["user_code"])
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": given["device_code"],
        }

        def poll():
            world.site.clock.advance(timedelta(seconds=given["interval"]))
            answer = http.post("/oidc/token", data=form, auth=auth)
            return answer.json().get("error") or answer

        assert poll() == "authorization_pending"
        assert http.post("/oidc/token", data=form, auth=auth).json()["error"] == "slow_down"
        assert poll() == "slow_down"  # the interval has grown
        world.site.clock.advance(timedelta(seconds=10))
        caller = world.site.authz.sessions.authenticate(world.token)
        for wrong in ("BBBB-BBBB", "x", ""):
            with pytest.raises(errors.UnknownUserCode):
                world.site.authz.oidc.devices.look(wrong, caller)
        shown = world.browse(given["verification_uri_complete"].removeprefix(ORIGIN), answer=None)
        assert given["user_code"] in shown
        assert "您所在的机关及其上级" in shown
        world.site.authz.oidc.devices.answer(given["user_code"].lower(), caller, agreed=True)
        with pytest.raises(errors.UnknownUserCode):
            world.site.authz.oidc.devices.answer(given["user_code"], caller, agreed=True)
        tokens = poll().json()
        world.relying(secret).close()
        assert world.claims(tokens["id_token"])["organ"] == "county-a"
        assert poll() == "invalid_grant"  # once


def test_a_device_that_is_refused_or_too_late(world):
    secret = world.register()
    caller = world.site.authz.sessions.authenticate(world.token)
    with world.http() as http:
        auth = httpx.BasicAuth("mail", secret)

        def begin():
            return http.post("/oidc/device_authorization", data={"scope": "openid"}, auth=auth).json()

        def poll(given):
            form = {
                "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
                "device_code": given["device_code"],
            }
            return http.post("/oidc/token", data=form, auth=auth).json()["error"]

        given = begin()
        world.site.authz.oidc.devices.answer(given["user_code"], caller, agreed=False)
        assert poll(given) == "access_denied"
        late = begin()
        world.site.clock.advance(timedelta(minutes=10))
        assert poll(late) == "expired_token"
        with pytest.raises(errors.UnknownUserCode):
            world.site.authz.oidc.devices.look(late["user_code"], caller)


def test_guessing_of_device_codes_ends_soon_and_hurts_nobody_else(world):
    """Seen to fail when `look` counts nothing."""
    secret = world.register()
    guesser = world.site.authz.sessions.authenticate(world.token)
    other = world.site.authz.sessions.authenticate(world.site.sign_in(world.person))
    with world.http() as http:
        auth = httpx.BasicAuth("mail", secret)
        given = http.post("/oidc/device_authorization", data={"scope": "openid"}, auth=auth).json()
    for _ in range(5):
        with pytest.raises(errors.UnknownUserCode):
            world.site.authz.oidc.devices.look("BBBB-BBBB", guesser)
    with pytest.raises(errors.TooManyUserCodes) as caught:
        world.site.authz.oidc.devices.look(given["user_code"], guesser)
    assert caught.value.entry
    assert world.site.authz.oidc.devices.look(given["user_code"], other).client.id == "mail"


def test_the_next_key_is_published_before_it_signs_and_the_last_one_after(world):
    secret = world.register()
    with world.relying(secret) as mail:
        world.sign_on(mail)
    oidc = world.site.authz.oidc

    def published():
        return [key["kid"] for key in oidc.keys.published()]

    def signing():
        return jwt.decode(oidc.keys.sign({"sub": "x"}), world.keys(), algorithms=["ES256"]).header["kid"]

    (first,) = published()
    oidc.keys.rotate()
    assert published() == [first]
    world.site.clock.advance(timedelta(days=90))
    oidc.keys.rotate()
    oidc.keys.rotate()
    first_, second = published()
    assert first_ == first == signing()
    world.site.clock.advance(timedelta(days=1))
    assert published() == [first, second]
    assert signing() == second
    world.site.clock.advance(timedelta(days=1))
    assert published() == [second]


UNSAFE = [
    ("redirect_uris", {"redirect_uris": ("http://mail.example.gov.cn/cb",)}),
    ("redirect_uris", {"redirect_uris": ("https://*.example.gov.cn/cb",)}),
    ("redirect_uris", {"redirect_uris": ("https://mail.example.gov.cn/cb#x",)}),
    ("redirect_uris", {"redirect_uris": ("https://user@mail.example.gov.cn/cb",)}),
    ("redirect_uris", {"redirect_uris": ("javascript:alert(1)",)}),
    ("redirect_uris", {"redirect_uris": ()}),
    ("scopes", {"scopes": ("profile",)}),
    ("scopes", {"scopes": ("openid", "root")}),
    ("jwks", {"authentication": "private_key_jwt"}),
    ("jwks", {"authentication": "private_key_jwt", "jwks": ({"kty": "oct", "k": "AAAA"},)}),
    ("certificate", {"authentication": "tls_client_auth", "certificate": "00"}),
    ("consent", {"authentication": "none", "consent": "registered"}),
    ("backchannel_logout_uri", {"backchannel_logout_uri": "http://10.0.0.1/"}),
]


def test_a_registration_that_would_let_others_in_is_refused(world):
    for named, wrong in UNSAFE:
        with pytest.raises(errors.BadClient) as caught:
            world.register(**wrong)
        assert caught.value.facts["field"] == named
        assert world.site.authz.oidc.clients.list_for(world.officer) == []


def test_who_may_register(world):
    clients = world.site.authz.oidc.clients
    clerk = world.site.authz.sessions.authenticate(world.token).actor
    with pytest.raises(Denied):
        clients.register(clerk, Registration(**BASE))
    with pytest.raises(Denied):
        clients.register(world.officer, Registration(**BASE | {"organ": "province"}))
    world.register()
    with pytest.raises(errors.ClientTaken):
        world.register()
    with pytest.raises(Denied):
        clients.end(clerk, "mail")
    clients.end(world.officer, "mail")
    with pytest.raises(errors.ClientTaken):
        world.register()


def test_what_is_long_over_is_deleted_and_recorded(world, events):
    secret = world.register()
    exchange(world, secret, code=code_of(world))
    world.site.clock.advance(timedelta(days=40))
    world.site.authz.forget()
    assert ("authz.forget-sign-ons", "done") in [(each["verb"], each["outcome"]) for each in events()]
    with world.site.store.read() as session:
        for table in (GrantRow, CodeRow, TokenRow):
            assert session.scalars(sa.select(table)).all() == []
