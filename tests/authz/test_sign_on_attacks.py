"""Everything that a sign-on must not let through."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.errors import JoseError

from .conftest import ORIGIN
from .relying import CALLBACK, VERIFIER, authorization, code_of, exchange, last, query


@pytest.fixture
def database_url(tmp_path):
    """One engine is enough here: what two may do at once is tried on both in test_sign_on_races."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


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
    ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
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
