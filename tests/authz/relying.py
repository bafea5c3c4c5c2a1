"""A site with its pages, systems that rely on it through Authlib, and somebody with a browser."""

import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from authz.api import routes
from authz.oidc import Registration, api, face, pages
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


def relying_world(site: Site) -> World:
    """The site, an officer who registers clients, and a clerk who is signed in."""
    officer = site.authz.sessions.authenticate(site.sign_in(site.enrol("zhao", "officer"))).actor
    person = site.enrol("zhang", "clerk-a")
    made = World(site, Told(), officer, site.sign_in(person))
    made.person = person
    return made
