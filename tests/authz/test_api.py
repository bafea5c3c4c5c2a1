"""The HTTP face through the kit and the client, and its refusals."""

import base64
import re
from datetime import timedelta

import pytest

from authz import errors
from authz.api import routes
from authz.settings import AuthzSettings
from yinxin.authz import Resource, StepUpRequired
from yinxin.client import Client, in_process
from yinxin.web import WebSettings, create_app, current_caller

from .conftest import ORIGIN


@pytest.fixture
def database_url(tmp_path):
    """One engine is enough here: the other tests try the service on both."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def app(site):
    app = create_app(
        authenticator=site.authz.sessions,
        store=site.store,
        clock=site.clock,
        settings=WebSettings(public_url=ORIGIN),
    )
    for blueprint in routes(site.authz):
        app.register_blueprint(blueprint)
    return app


@pytest.fixture
def connect(app, site):
    def connect(identity=None, **more):
        transport = in_process(app, certificate=more.pop("certificate", None))
        return Client(
            ORIGIN, identity=identity, transport=transport, clock=site.clock, sleep=lambda _: None, **more
        )

    return connect


def test_sign_in_ask_and_sign_out(site, connect):
    with connect(site.enrol("zhang", "clerk-a")) as client:
        me = client.authz.whoami()
        assert (me.person, me.post, me.organ, me.roles) == ("zhang", "clerk-a", "county-a", ("clerk",))
        assert me.organ_name.zh == "子县人民政府"
        paper = Resource("Paper", "p", "county-a", "internal", {"author": "zhang"})
        assert client.authz.check("test.edit", paper).allowed
        no = client.authz.check(
            "test.edit", Resource("Paper", "p", "county-b", "internal", {"author": "zhang"})
        )
        assert (no.allowed, no.reason.en) == (False, "no policy permits it")
        assert [organ.id for organ in client.authz.organs(under="county-a")] == ["county-a", "town"]
        token = client.sign_in()
        client.authz.sign_out()
        with pytest.raises(errors.SessionEnded):
            site.authz.sessions.authenticate(token)


def test_by_the_connections_certificate(site, connect):
    identity = site.enrol("li", "leader-city")
    with connect(certificate=identity.certificate.der) as client:
        client.authz.open_session_by_tls()
        assert client.authz.whoami().person == "li"
    with connect() as client, pytest.raises(errors.NoCertificateShown):
        client.authz.open_session_by_tls()


def test_a_header_is_no_certificate(site, app):
    officer = site.enrol("zhao", "officer").certificate
    answer = app.test_client().post(
        "/api/authz/v1/sessions/tls",
        json={},
        base_url=ORIGIN,
        headers={"X-Client-Cert": officer.pem.replace("\n", "%0A")},
    )
    assert (answer.status_code, answer.json["code"]) == (401, "authz.no_certificate_shown")


def test_a_phished_signature_is_worth_nothing(site, app):
    """The client signs for the site it talks to; a false site that relays the challenge gets nowhere."""
    identity = site.enrol("zhang", "clerk-a")
    with (
        Client(
            "https://false.example", identity=identity, transport=in_process(app), clock=site.clock
        ) as client,
        pytest.raises(errors.WrongSignature),
    ):
        client.sign_in()


def post(app, path, body, **headers):
    return app.test_client().post(f"/api/authz/v1{path}", json=body, base_url=ORIGIN, headers=headers)


def test_refusals_are_problems_with_an_entry(site, app):
    signature = base64.b64encode(b"junk").decode()
    answer = post(app, "/sessions", {"challenge": "AAAA", "signature": signature})
    assert answer.status_code == 401
    assert answer.json["code"] == "authz.challenge_unknown"
    assert answer.json["entry"]
    assert "重新取得质询" in answer.json["detail"]


@pytest.mark.parametrize(
    "body", [{}, {"challenge": "x", "signature": "***"}, {"challenge": "x", "signature": "", "more": 1}]
)
def test_malformed_sign_in(app, body):
    assert post(app, "/sessions", body).status_code == 422


def test_too_many_say_when_to_come_back(site, app):
    identity = site.enrol("zhang", "clerk-a")
    for _ in range(AuthzSettings().attempts_per_minute):
        site.sign_in(identity)
    nonce = post(app, "/challenges", {}).json["challenge"]
    signature = base64.b64encode(site.answer(identity, nonce)).decode()
    answer = post(app, "/sessions", {"challenge": nonce, "signature": signature})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize("path", ["/organs", "/organs/city", "/people/li", "/sessions/current"])
def test_strangers_see_nothing(app, path):
    client = app.test_client()
    assert client.get(f"/api/authz/v1{path}", base_url=ORIGIN).status_code == 401
    guess = {"Authorization": "Bearer " + "A" * 43}
    answer = client.get(f"/api/authz/v1{path}", base_url=ORIGIN, headers=guess)
    assert (answer.status_code, answer.json["code"]) == (401, "authz.not_signed_in")


def test_look_ups(site, app):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}

    def get(path):
        return client.get(f"/api/authz/v1{path}", base_url=ORIGIN, headers=headers)

    assert get("/organs/town").json["path"] == ["town", "county-a", "city", "province"]
    assert get("/people/li").json == {"id": "li", "name": "李堃", "posts": ["leader-city"]}
    first = get("/organs?limit=3").json
    rest = get(f"/organs?limit=3&after={first['next']}").json
    assert [organ["id"] for organ in first["items"] + rest["items"]] == [
        "city",
        "county-a",
        "county-b",
        "province",
        "town",
    ]
    assert rest["next"] is None
    assert get("/organs/x").status_code == 404
    assert get("/people/x").status_code == 404
    assert get("/organs?after=zzz").status_code == 400


def test_bad_questions_say_why(site, app):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))

    def ask(action, **resource):
        body = {
            "checks": [
                {"action": action, "resource": {"type": "Paper", "id": "p", "organ": "city"} | resource}
            ]
        }
        return post(app, "/checks", body, Authorization=f"Bearer {token}").json["code"]

    assert ask("test.fly") == "authz.unknown_action"
    assert ask("test.edit") == "authz.bad_question"
    assert ask("test.edit", organ="atlantis") == "authz.unknown_organ"
    assert ask("test.edit", level="none") == "request.invalid"
    assert ask("test.edit", attributes={"author": "张" * 5_500}) == "request.invalid", (
        "every question is kept"
    )


def test_what_is_asked_from_outside_is_recorded(site, app, connect, events):
    """Seen to fail when: `/checks` asks `decisions`, or a permission to read is not recorded."""
    identity = site.enrol("zhang", "clerk-a")
    paper = Resource("Paper", "p", "county-a", "internal", {"author": "zhang"})
    with connect(identity) as client:
        client.authz.whoami()
        told = len(events())
        assert client.authz.check("test.edit", paper).allowed
        assert not client.authz.visible("test.read", "Paper").nothing
        assert client.authz.require("test.read", paper)["allowed"]
        client.authz.require("test.edit", paper)  # the act's own entry will say so
    facts = [(each["verb"], each["facts"].get("asked")) for each in events()[told:]]
    assert facts == [("authz.answer", 1), ("authz.answer", None), ("authz.answer", 1)]
    token = site.sign_in(identity)
    body = {"checks": [{"action": "test.edit", "resource": paper.fields()}]}
    answer = post(app, "/checks", body, Authorization=f"Bearer {token}")
    assert answer.headers["Audit-Entry"] == events()[-1]["id"]


def test_the_client_proves_its_key_again_when_an_act_wants_it(wary, connect):
    """Seen to fail when `send` passes the refusal on."""
    paper = Resource("Paper", "p", "county-a", "internal", {"author": "zhang"})
    with connect(wary.enrol("zhang", "clerk-a")) as client:
        session = client.authz.whoami().session
        wary.clock.advance(timedelta(minutes=6))
        assert client.authz.require("test.edit", paper)["allowed"]
        assert client.authz.whoami().session == session
        wary.clock.advance(timedelta(minutes=6))
        with connect(token=client._connection.token) as bare, pytest.raises(StepUpRequired) as caught:
            bare.authz.require("test.edit", paper)
        assert caught.value.entry
        assert caught.value.facts["minutes"] == 5


def test_a_page_leads_to_the_proof_and_back(wary, app):
    """A button whose act wants a fresh proof: the browser is shown how, and returns to where the button was."""

    @app.post("/dangerous")
    def dangerous() -> str:
        paper = Resource("Paper", "p", "county-a", "internal", {"author": "zhang"})
        wary.authz.decisions.require(current_caller().actor, "test.edit", paper)
        return "done"

    identity = wary.enrol("zhang", "clerk-a")
    browser = app.test_client()
    browser.set_cookie("__Host-yinxin", wary.sign_in(identity), domain="trust.example.gov.cn", secure=True)
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Referer": f"{ORIGIN}/papers?x=1"}

    def post(path, **form):
        return browser.post(path, data=form, base_url=ORIGIN, headers=headers)

    assert post("/dangerous").text == "done"
    wary.clock.advance(timedelta(minutes=5))
    refused = post("/dangerous")
    assert (refused.status_code, refused.headers["Location"]) == (303, "/step-up?next=/papers?x%3D1")
    page = browser.get(refused.headers["Location"], base_url=ORIGIN, headers=headers)
    nonce = re.search(r"--challenge (\S+)", page.text)[1]
    assert "再次证明身份" in page.text
    wrong = post("/step-up", challenge=nonce, answer=base64.b64encode(b"junk").decode(), next="/papers")
    assert wrong.status_code == 401
    nonce = re.search(r"--challenge (\S+)", wrong.text)[1]
    signature = base64.b64encode(wary.answer(identity, nonce)).decode()
    back = post("/step-up", challenge=nonce, answer=signature, next="/papers?x=1")
    assert (back.status_code, back.headers["Location"]) == (303, "/papers?x=1")
    assert post("/dangerous").text == "done"
    away = post("/step-up", challenge=nonce, answer=signature, next="https://evil.example")
    assert away.status_code == 401
