"""Another system's sign-on in a real browser, from its own page and back: consent, tokens, logout told; and a device."""

import threading
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.pages.conftest import answer_challenge
from tests.support.browser import accessibility_faults, screenshot

SCOPE = "openid profile organ post offline_access"


class Relying:
    """A department's own system on this machine, built on Authlib; what it learns stands in `claims` and `ended`."""

    def __init__(self, site) -> None:
        self.trust = str(site.data.path("trust", "tls.pem"))
        self.claims: dict = {}
        self.ended: list[str] = []
        self.told = threading.Event()
        with httpx.Client(base_url=site.address, verify=_context(self.trust)) as http:
            self.found = http.get("/.well-known/openid-configuration").json()
        self.verifier = generate_token(48)
        made = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = made.page(self.path).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                made.ended.append(form["logout_token"][0])
                self.send_response(200)
                self.end_headers()
                made.told.set()

            def log_message(self, *_: object) -> None:
                """Nothing on the test's output."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def registration(self) -> dict:
        return {
            "id": f"relying-{self.server.server_port}",
            "name": {"zh": "督办系统", "en": "Supervision"},
            "organ": "province-office",
            "redirect_uris": [f"{self.address}/callback"],
            "post_logout_redirect_uris": [f"{self.address}/bye"],
            "backchannel_logout_uri": f"{self.address}/ended",
            "grants": ["authorization_code", "refresh_token", "device_code"],
            "scopes": SCOPE.split(),
        }

    def client(self) -> OAuth2Client:
        return OAuth2Client(
            client_id=self.registration()["id"],
            client_secret=self.secret,
            scope=SCOPE,
            redirect_uri=f"{self.address}/callback",
            code_challenge_method="S256",
            verify=_context(self.trust),
        )

    def page(self, path: str) -> str:
        if "error=" in path:
            return "<h1>没有登录</h1>"
        with self.client() as client:
            if path.startswith("/callback"):
                tokens = client.fetch_token(
                    self.found["token_endpoint"],
                    authorization_response=self.address + path,
                    code_verifier=self.verifier,
                )
                keys = KeySet.import_key_set(client.get(self.found["jwks_uri"]).json())
                self.id_token = tokens["id_token"]
                self.claims = jwt.decode(self.id_token, keys, algorithms=["ES256"]).claims
                assert parse_qs(urlsplit(path).query)["iss"] == [self.found["issuer"]]
                return f"<h1>欢迎 {escape(self.claims['name'])}</h1>"
            address, _ = client.create_authorization_url(
                self.found["authorization_endpoint"], code_verifier=self.verifier
            )
        return f'<a href="{escape(address)}">登录</a>'


def _context(trust: str):
    import ssl

    return ssl.create_default_context(cafile=trust)


@pytest.fixture(scope="module")
def relying(site):
    made = Relying(site)
    with site.client("demo-officer") as officer:
        body = made.registration()
        answer = officer._connection.json("POST", "/api/authz/v1/clients", json=body)
    made.secret = answer["secret"]
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_from_the_other_system_and_back(site, visit, relying, tmp_path):
    page = visit()
    page.goto(relying.address)
    page.get_by_role("link", name="登录").click()
    page.wait_for_url("**/sign-in?next=**")
    answer_challenge(site, page, "demo-reviewer")
    page.get_by_role("heading", name="登录到“督办系统”？").wait_for()
    assert accessibility_faults(page) == []
    screenshot(page, tmp_path / "consent.png")
    page.get_by_role("button", name="同意并登录").click()
    page.wait_for_url(f"{relying.address}/callback**")
    assert page.get_by_role("heading", name="欢迎").is_visible()
    assert relying.claims["sub"] == "demo-reviewer"
    # a second time, from another site's page, with the session that is there: nobody is asked again
    page.goto(relying.address)
    page.get_by_role("link", name="登录").click()
    page.wait_for_url(f"{relying.address}/callback**")
    # signed out from the other system, which sends its person back where she wants to be
    page.goto(
        f"{relying.found['end_session_endpoint']}?id_token_hint={relying.id_token}&post_logout_redirect_uri={relying.address}/bye"
    )
    page.wait_for_url(f"{relying.address}/bye")
    page.goto(f"{site.address}/documents/")
    assert "/sign-in?next=" in page.url
    assert relying.told.wait(60), "the jobs tell the client of the logout"
    assert (
        jwt.decode(relying.ended[0], _keys(relying), algorithms=["ES256"]).claims["sid"]
        == relying.claims["sid"]
    )


def _keys(relying) -> KeySet:
    with httpx.Client(verify=_context(relying.trust)) as http:
        return KeySet.import_key_set(http.get(relying.found["jwks_uri"]).json())


def test_a_person_who_says_no(visit, relying):
    page = visit("demo-reviewer")
    page.goto(relying.address)
    page.get_by_role("link", name="登录").click()
    page.get_by_role("button", name="不同意").wait_for()
    with page.expect_navigation(url=f"{relying.address}/callback**") as gone:
        page.get_by_role("button", name="不同意").click()
    assert "error=access_denied" in gone.value.url


def test_a_device_is_let_in(site, visit, relying, tmp_path):
    auth = httpx.BasicAuth(relying.registration()["id"], relying.secret)
    with httpx.Client(verify=_context(relying.trust), auth=auth) as http:
        given = http.post(
            relying.found["device_authorization_endpoint"], data={"scope": "openid organ"}
        ).json()
        page = visit("demo-reviewer", language="en")
        page.goto(given["verification_uri"])
        page.get_by_label("The code on the device's screen").fill("BBBB-BBBB")
        page.get_by_role("button", name="Next").click()
        page.get_by_role("alert").wait_for()
        page.get_by_label("The code on the device's screen").fill(given["user_code"].lower())
        page.get_by_role("button", name="Next").click()
        page.get_by_role("heading", name="Let this device sign in").wait_for()
        assert accessibility_faults(page) == []
        screenshot(page, tmp_path / "device.png")
        page.get_by_role("button", name="Agree").click()
        page.get_by_role("heading", name="The device is about to sign in").wait_for()
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": given["device_code"],
        }
        tokens = http.post(relying.found["token_endpoint"], data=form).json()
    assert (
        jwt.decode(tokens["id_token"], _keys(relying), algorithms=["ES256"]).claims["sub"] == "demo-reviewer"
    )
