"""One sign-on, judged by Authlib's client and joserfc: the whole conversation, and everything that must not work."""

import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from authz.api import routes
from authz.oidc import Registration, api, errors, face, pages
from authz.oidc.models import CodeRow, GrantRow, TokenRow
from yinxin.authz import Denied
from yinxin.client import in_process
from yinxin.web import WebSettings, create_app

from .conftest import ORIGIN, Site

CALLBACK = "https://mail.example.gov.cn/callback"
VERIFIER = "v" * 64
BASE = {
    "id": "mail",
    "name": {"zh": "电子邮件", "en": "Mail"},
    "organ": "county-a",
    "redirect_uris": (CALLBACK,),
    "post_logout_redirect_uris": ("https://mail.example.gov.cn/bye",),
    "grants": ("authorization_code", "refresh_token", "device_code"),
    "scopes": ("openid", "profile", "organ", "post", "offline_access"),
}


@pytest.fixture
def database_url(tmp_path):
    """One engine is enough here: what two may do at once is tried on both in test_sign_on_races."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@dataclass
class Told:
    """A client's address for logouts."""

    tokens: list[str] = field(default_factory=list)
    answers: bool = True

    def http(self) -> httpx.Client:
        def answer(request: httpx.Request) -> httpx.Response:
            if not self.answers:
                return httpx.Response(503)
            self.tokens.append(parse_qs(request.read().decode())["logout_token"][0])
            return httpx.Response(200)

        return httpx.Client(transport=httpx.MockTransport(answer))


@dataclass
class World:
    """The site with its pages, an officer who registers, and somebody with a browser."""

    site: Site
    told: Told
    officer: object
    token: str

    def __post_init__(self) -> None:
        authz = self.site.authz
        authz.oidc.logouts._http = self.told.http
        self.app = create_app(
            authenticator=authz.sessions,
            store=self.site.store,
            clock=self.site.clock,
            settings=WebSettings(public_url=ORIGIN),
        )
        for made in (routes, api.routes, face.routes, pages.routes):
            for blueprint in made(authz):
                self.app.register_blueprint(blueprint)

    def register(self, **more) -> str | None:
        return self.site.authz.oidc.clients.register(self.officer, Registration(**BASE | more))

    def http(self, peer: bytes | None = None) -> httpx.Client:
        return httpx.Client(base_url=ORIGIN, transport=in_process(self.app, certificate=peer))

    def relying(self, secret: str | None, client: str = "mail", **more) -> OAuth2Client:
        """Authlib, which knows nothing of us but what discovery says."""
        with self.http() as http:
            self.found = http.get("/.well-known/openid-configuration").json()
        more.setdefault("redirect_uri", CALLBACK)
        return OAuth2Client(
            client_id=client,
            client_secret=secret,
            scope="openid profile organ post offline_access",
            code_challenge_method="S256",
            transport=in_process(self.app),
            **more,
        )

    def browse(self, address: str, answer: str | None = "yes", token: str | None = None) -> str:
        """Where the browser ends up outside, or the page's text when it stays."""
        browser = self.app.test_client()
        if (token or self.token) != "nobody":
            browser.set_cookie(
                "__Host-yinxin", token or self.token, domain="trust.example.gov.cn", secure=True
            )
        page = browser.get(address, base_url=ORIGIN, headers={"Accept": "text/html"})
        for _ in range(4):
            ahead = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
            ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
            if ahead and not ahead[1].startswith("/"):
                return unescape(ahead[1])
            if ahead:
                page = browser.get(unescape(ahead[1]), base_url=ORIGIN, headers={"Accept": "text/html"})
            elif ticket and answer:
                page = browser.post(
                    "/oidc/consent",
                    data={"ticket": ticket[1], "answer": answer},
                    base_url=ORIGIN,
                    headers={"Sec-Fetch-Site": "same-origin", "Accept": "text/html"},
                )
            else:
                break
        return page.headers.get("Location", "") or page.text

    def sign_on(self, relying: OAuth2Client, **more):
        """The whole way: to the platform, consent, back, tokens."""
        address, state = relying.create_authorization_url(
            self.found["authorization_endpoint"], code_verifier=VERIFIER, **more
        )
        back = self.browse(address)
        return relying.fetch_token(
            self.found["token_endpoint"], authorization_response=back, state=state, code_verifier=VERIFIER
        )

    def keys(self) -> KeySet:
        with self.http() as http:
            return KeySet.import_key_set(http.get(self.found["jwks_uri"]).json())

    def claims(self, id_token: str) -> dict:
        return jwt.decode(id_token, self.keys(), algorithms=["ES256"]).claims


@pytest.fixture
def world(site):
    officer = site.authz.sessions.authenticate(site.sign_in(site.enrol("zhao", "officer"))).actor
    person = site.enrol("zhang", "clerk-a")
    made = World(site, Told(), officer, site.sign_in(person))
    made.person = person
    return made


def query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def authorization(world: World, **more) -> str:
    """An authorization request as a client makes it, with something changed; None takes a parameter away."""
    asked = {
        "response_type": "code",
        "client_id": "mail",
        "redirect_uri": CALLBACK,
        "scope": "openid profile",
        "state": "s-1",
        "nonce": "n-1",
        "code_challenge": "w1TpKUdYE9hUAcNSeeSRFioHDxfUxuHho_JHAfZ_vDM",
        "code_challenge_method": "S256",
    } | more
    return "/oidc/authorize?" + urlencode({name: value for name, value in asked.items() if value is not None})


def code_of(world: World, **more) -> str:
    return query(world.browse(authorization(world, **more)))["code"]


def exchange(world: World, secret: str | None, **form) -> httpx.Response:
    body = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER} | form
    with world.http() as http:
        auth = httpx.BasicAuth("mail", secret) if secret else None
        return http.post("/oidc/token", data=body, auth=auth or httpx.USE_CLIENT_DEFAULT)


def last(events):
    entry = events()[-1]
    return entry["verb"], entry["outcome"], entry.get("error")


# --- what works --------------------------------------------------------------------------------------------------


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
    with pytest.raises(errors.TooManyUserCodes):
        world.site.authz.oidc.devices.look(given["user_code"], guesser)
    assert world.site.authz.oidc.devices.look(given["user_code"], other).client.id == "mail"


# --- the end of a session -----------------------------------------------------------------------------------------


def test_the_end_of_the_session_ends_everything_and_clients_are_told(world):
    secret = world.register(backchannel_logout_uri="https://mail.example.gov.cn/backchannel")
    with world.relying(secret) as mail:
        tokens = world.sign_on(mail)
        session = world.claims(tokens["id_token"])["sid"]
        world.site.authz.sessions.sign_out(world.site.authz.sessions.authenticate(world.token))
        assert mail.get(world.found["userinfo_endpoint"]).status_code == 401
        with pytest.raises(OAuthError, match="invalid_grant"):
            mail.refresh_token(world.found["token_endpoint"])
        world.told.answers = False
        assert world.site.authz.oidc.logouts.tell() == 0
        world.told.answers = True
        assert world.site.authz.oidc.logouts.tell() == 0  # not yet due again
        world.site.clock.advance(timedelta(seconds=30))
        assert world.site.authz.oidc.logouts.tell() == 1
        assert world.site.authz.oidc.logouts.tell() == 0
        (told,) = world.told.tokens
        decoded = jwt.decode(told, world.keys(), algorithms=["ES256"])
        assert decoded.header["typ"] == "logout+jwt"
        assert (decoded.claims["sub"], decoded.claims["sid"], decoded.claims["aud"]) == (
            "zhang",
            session,
            "mail",
        )
        assert list(decoded.claims["events"]) == ["http://schemas.openid.net/event/backchannel-logout"]
        assert "nonce" not in decoded.claims


@pytest.mark.parametrize("how", ["revoked", "officer", "time"])
def test_what_hangs_on_a_session_ends_with_it_however_that_ends(world, how):
    secret = world.register(backchannel_logout_uri="https://mail.example.gov.cn/backchannel")
    with world.relying(secret) as mail:
        world.sign_on(mail)
        if how == "revoked":
            world.site.ca.revoke(world.person.certificate)
        elif how == "officer":
            world.site.authz.end_sessions(world.officer, "zhang")
        else:
            world.site.clock.advance(timedelta(hours=8))
        if how != "time":  # Authlib looks at its own clock besides
            assert mail.get(world.found["userinfo_endpoint"]).status_code == 401
        world.site.authz.oidc.tend()
        assert len(world.told.tokens) == 1
        world.site.authz.oidc.tend()
        assert len(world.told.tokens) == 1
        with world.site.store.read() as session:
            assert session.scalars(sa.select(GrantRow.ended)).one() is not None


def test_many_are_looked_at_in_turn(world, monkeypatch):
    """Seen to fail when the turn begins anew each time."""
    monkeypatch.setattr("authz.oidc.logout._LOOK", 2)
    world.register(backchannel_logout_uri="https://mail.example.gov.cn/backchannel")
    for _ in range(3):
        world.browse(authorization(world))
    other = world.site.enrol("wang", "seal-a")
    world.browse(authorization(world), token=world.site.sign_in(other))
    world.site.ca.revoke(other.certificate)
    world.site.authz.oidc.tend()
    assert world.told.tokens == []
    world.site.authz.oidc.tend()
    assert len(world.told.tokens) == 1
    world.site.authz.oidc.tend()
    assert len(world.told.tokens) == 1


def test_a_client_signs_its_person_out(world):
    secret = world.register()
    with world.relying(secret) as mail:
        id_token = world.sign_on(mail)["id_token"]
    asked = {
        "id_token_hint": id_token,
        "post_logout_redirect_uri": "https://mail.example.gov.cn/bye",
        "state": "x",
    }
    bad = asked | {"post_logout_redirect_uri": "https://evil.example/"}
    assert "https://evil.example/" not in world.browse("/oidc/logout?" + urlencode(bad))
    forged = asked | {"id_token_hint": id_token[:-4] + "AAAA"}
    world.browse("/oidc/logout?" + urlencode(forged))
    without = {"client_id": "mail", "post_logout_redirect_uri": asked["post_logout_redirect_uri"]}
    assert "要退出登录吗" in world.browse(
        "/oidc/logout?" + urlencode(without)
    )  # nobody is signed out by a link
    world.site.authz.sessions.authenticate(world.token)
    world.site.clock.advance(timedelta(minutes=20))  # an ID token that is over serves as a hint
    assert world.browse("/oidc/logout?" + urlencode(asked)) == "https://mail.example.gov.cn/bye?state=x"
    with pytest.raises(Exception, match="session_ended"):
        world.site.authz.sessions.authenticate(world.token)


# --- attacks ------------------------------------------------------------------------------------------------------


def test_a_code_is_good_once_and_its_replay_ends_what_it_gave(world, events):
    secret = world.register()
    code = code_of(world)
    first = exchange(world, secret, code=code)
    assert first.status_code == 200
    again = exchange(world, secret, code=code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert [each for each in events() if each["verb"] == "authz.end-sign-on"][-1]["facts"][
        "reason"
    ] == "code-replayed"
    assert last(events) == ("authz.issue-token", "refused", "authz.oidc_invalid_grant")
    with world.http() as http:
        bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
        assert http.get("/oidc/userinfo", headers=bearer).status_code == 401


INJECTED = [
    ({"code_verifier": "w" * 64}, "invalid_grant"),
    ({"code_verifier": ""}, "invalid_request"),
    ({"redirect_uri": CALLBACK + "/"}, "invalid_grant"),
    ({"code": "A" * 43}, "invalid_grant"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
]


def test_a_code_injected_or_intercepted_is_worth_nothing(world):
    secret = world.register()
    for wrong, error in INJECTED:
        code = code_of(world)
        refused = exchange(world, secret, **{"code": code, **wrong})
        assert (refused.status_code, refused.json()["error"]) == (400, error)
        if error == "invalid_grant" and "code" not in wrong:  # and one wrong try is the last
            assert exchange(world, secret, code=code).json()["error"] == "invalid_grant"


def test_a_code_too_late(world):
    secret = world.register()
    code = code_of(world)
    world.site.clock.advance(timedelta(seconds=60))
    assert exchange(world, secret, code=code).json()["error"] == "invalid_grant"


def test_the_token_of_another_client(world):
    mine, theirs = world.register(), world.register(id="chat")
    code = code_of(world)
    with world.http() as http:
        chat = httpx.BasicAuth("chat", theirs)
        form = {
            "grant_type": "authorization_code",
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "code": code,
        }
        assert http.post("/oidc/token", data=form, auth=chat).json()["error"] == "invalid_grant"
        assert exchange(world, mine, code=code).json()["error"] == "invalid_grant"
        tokens = exchange(world, mine, code=code_of(world, scope="openid offline_access")).json()
        for token in (tokens["access_token"], tokens["refresh_token"]):
            asked = http.post("/oidc/introspect", data={"token": token}, auth=chat)
            assert asked.json() == {"active": False}
            assert http.post("/oidc/revoke", data={"token": token}, auth=chat).status_code == 200
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert http.get("/oidc/userinfo", headers=bearer).status_code == 200
        stolen = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert http.post("/oidc/token", data=stolen, auth=chat).json()["error"] == "invalid_grant"
        assert http.get("/oidc/userinfo", headers=bearer).status_code == 401


def test_a_refresh_token_used_twice_ends_the_whole_family(world, events):
    secret = world.register()
    first = exchange(world, secret, code=code_of(world, scope="openid offline_access")).json()

    def refresh(token, **more):
        return exchange(world, secret, grant_type="refresh_token", refresh_token=token, **more)

    second = refresh(first["refresh_token"]).json()
    wider = refresh(second["refresh_token"], scope="openid profile organ")
    assert wider.json()["error"] == "invalid_scope"
    reused = refresh(first["refresh_token"])
    assert reused.json()["error"] == "invalid_grant"
    assert [each for each in events() if each["verb"] == "authz.end-sign-on"][-1]["facts"][
        "reason"
    ] == "refresh-reused"
    assert refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    with world.http() as http:
        bearer = {"Authorization": f"Bearer {second['access_token']}"}
        assert http.get("/oidc/userinfo", headers=bearer).status_code == 401


ASTRAY = [
    CALLBACK + "/",
    CALLBACK + "?x=1",
    CALLBACK.upper(),
    "https://mail.example.gov.cn.evil.example/callback",
    "https://mail.example.gov.cn@evil.example/callback",
    "https://mail.example.gov.cn/callback/../evil",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "",
]


def test_no_redirection_but_to_the_letter(world):
    world.register()
    for address in ASTRAY:
        page = world.browse(authorization(world, redirect_uri=address))
        assert not page.startswith("http")
        assert "code=" not in page
        assert f'href="{address}"' not in page or not address


def test_an_unknown_client_leads_nowhere(world):
    assert "没有登记接入系统" in world.browse(authorization(world, client_id="evil"))
    world.register()
    world.site.authz.oidc.clients.end(world.officer, "mail")
    assert "没有登记接入系统" in world.browse(authorization(world))


FAULTY = [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"scope": "openid clearance"}, "invalid_scope"),
    ({"scope": "profile"}, "invalid_scope"),
    ({"scope": "openid root"}, "invalid_scope"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
    ({"request_uri": "https://evil.example/"}, "invalid_request"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"nonce": "n" * 201}, "invalid_request"),
]


def test_a_faulty_request_is_answered_to_the_client(world):
    world.register()
    for wrong, error in FAULTY:
        back = world.browse(authorization(world, **wrong))
        assert back.startswith(CALLBACK + "?")
        assert query(back) == {"error": error, "state": "s-1", "iss": ORIGIN}


def test_every_answer_names_us(world):
    """Mix-up: a client that speaks with several providers can tell whose answer it got (RFC 9207)."""
    world.register()
    assert query(world.browse(authorization(world)))["iss"] == ORIGIN
    denied = query(world.browse(authorization(world, prompt="consent"), answer="no"))
    assert denied == {"error": "access_denied", "state": "s-1", "iss": ORIGIN}


def test_a_parameter_given_twice(world):
    world.register()
    address = authorization(world)
    assert query(world.browse(address + "&state=other"))["error"] == "invalid_request"
    page = world.browse(address + "&redirect_uri=https%3A%2F%2Fevil.example")
    assert not page.startswith("http")


def test_consent_is_the_persons_own(world, events):
    """Cross-site, guessed, answered twice, another's: none of them lets a client in."""
    world.register()
    page = world.browse(authorization(world), answer=None)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)[1]
    other = world.site.sign_in(world.site.enrol("wang", "seal-a"))

    def answer(token, ticket, **headers):
        browser = world.app.test_client()
        browser.set_cookie("__Host-yinxin", token, domain="trust.example.gov.cn", secure=True)
        form = {"ticket": ticket, "answer": "yes"}
        return browser.post(
            "/oidc/consent", data=form, base_url=ORIGIN, headers={"Accept": "text/html"} | headers
        )

    assert answer(world.token, ticket, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert answer(world.token, ticket, Origin="https://evil.example").status_code == 403
    same = {"Sec-Fetch-Site": "same-origin"}
    assert answer(other, ticket, **same).status_code == 409
    assert answer(world.token, "A" * 43, **same).status_code == 409
    assert "code=" in answer(world.token, ticket, **same).text
    assert answer(world.token, ticket, **same).status_code == 409
    world.site.clock.advance(timedelta(minutes=1))
    late = re.search(
        r'name="ticket" value="([^"]+)"', world.browse(authorization(world, prompt="consent"), answer=None)
    )[1]
    world.site.clock.advance(timedelta(minutes=10))
    assert answer(world.token, late, **same).status_code == 409


def test_the_consent_page_is_not_framed_and_runs_nothing(world):
    world.register()
    browser = world.app.test_client()
    browser.set_cookie("__Host-yinxin", world.token, domain="trust.example.gov.cn", secure=True)
    page = browser.get(
        authorization(world, state='"><script>'), base_url=ORIGIN, headers={"Accept": "text/html"}
    )
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "<script>" not in page.text


def test_consent_is_remembered_for_the_session_and_no_wider(world):
    world.register()
    world.browse(authorization(world))
    assert "code" in query(world.browse(authorization(world, prompt="none"), answer=None))
    wider = authorization(world, prompt="none", scope="openid profile organ")
    assert query(world.browse(wider))["error"] == "consent_required"
    anew = world.site.sign_in(world.person)
    assert query(world.browse(authorization(world, prompt="none"), token=anew))["error"] == "consent_required"


def test_nobody_signed_in(world):
    world.register()
    assert (
        query(world.browse(authorization(world, prompt="none"), token="nobody"))["error"] == "login_required"
    )
    to = world.browse(authorization(world), token="nobody")
    assert to.startswith("/sign-in?next=")
    assert "client_id" in parse_qs(urlsplit(to).query)["next"][0]


def test_a_client_may_want_a_fresh_proof(world):
    world.register()
    world.browse(authorization(world))
    world.site.clock.advance(timedelta(minutes=30))
    for more in ({"max_age": "600"}, {"prompt": "login"}):
        assert world.browse(authorization(world, **more), answer=None).startswith("/sign-in?next=")
    assert "code" in query(world.browse(authorization(world, max_age="3600")))
    silent = authorization(world, max_age="600", prompt="none")
    assert query(world.browse(silent))["error"] == "login_required"


def test_tokens_that_we_did_not_sign_are_none(world):
    """The judge itself: what we sign holds for joserfc, and nothing that was changed does."""
    secret = world.register()
    with world.relying(secret) as mail:
        token = world.sign_on(mail)["id_token"]
    head, body, signature = token.split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    for changed in (
        f"{none}.{body}.",
        f"{head}.{body[:-2]}AA.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
    ):
        with pytest.raises((JoseError, ValueError)):
            world.claims(changed)


UNPROVED = [{"client_id": "mail", "client_secret": "x"}, {"client_id": "mail"}, {"client_id": ""}, {}]


def test_a_client_that_does_not_prove_itself(world, events):
    secret = world.register()
    for form in UNPROVED:
        code = code_of(world)
        answer = exchange(
            world, None, code=code, **{name: value.replace("x", secret) for name, value in form.items()}
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert last(events) == ("authz.authenticate-client", "refused", "authz.oidc_invalid_client")
        assert exchange(world, secret + "x", code=code).status_code == 401
        assert exchange(world, secret, code=code).status_code == 200


def test_a_renewed_secret_replaces_the_old_one(world):
    old = world.register()
    new = world.site.authz.oidc.clients.renew_secret(world.officer, "mail")
    assert exchange(world, old, code="x").status_code == 401
    assert exchange(world, new, code="x").json()["error"] == "invalid_grant"


# --- keys ---------------------------------------------------------------------------------------------------------


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


# --- registration -------------------------------------------------------------------------------------------------


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
