"""The scope of a request, its headers, and requests that another site makes a browser send."""

import pytest

pytestmark = pytest.mark.engines("any")


ORIGIN = "https://trust.example.gov.cn"
EVIL = "https://evil.example"


def cookie_client(world):
    client = world.client(None)
    client.set_cookie("__Host-yinxin", "token-wang", domain="trust.example.gov.cn", secure=True)
    return client


def test_security_headers_are_on_every_answer(world):
    for path in ("/api/notes/v1/raw", "/api/nowhere", "/api/notes/v1/bug"):
        headers = world.client().get(path).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Strict-Transport-Security"].startswith("max-age=")
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers
    assert "Strict-Transport-Security" not in world.app.test_client().get("/api/notes/v1/raw").headers


def test_requests_have_different_numbers_whatever_the_client_says(world):
    client = world.client()
    numbers = {
        client.get("/api/notes/v1/raw", headers={"Request-Id": "x"}).headers["Request-Id"] for _ in range(3)
    }
    assert len(numbers) == 3
    assert "x" not in numbers


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": ORIGIN}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": EVIL}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.gov.cn"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": ORIGIN}, True),
        ({"Origin": EVIL}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://trust.example.gov.cn"}, False),
        ({}, False),
    ],
)
def test_cross_site_requests_with_a_cookie(world, headers, allowed):
    answer = cookie_client(world).post(
        "/api/notes/v1/notes", json={"text": "一"}, headers={**headers, "Idempotency-Key": "k"}
    )
    assert answer.status_code == (201 if allowed else 403)
    assert world.count("test_note") == int(allowed)
    if not allowed:
        assert answer.json["code"] == "request.cross_site"
        assert world.events()[0]["actor"]["id"] == "p1"


def test_bearer_calls_are_exempt_and_questions_too(world):
    evil = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL, "Idempotency-Key": "k"}
    assert world.client().post("/api/notes/v1/notes", json={"text": "一"}, headers=evil).status_code == 201
    assert cookie_client(world).get("/api/notes/v1/notes", headers=evil).status_code == 200


def test_a_strangers_form_from_another_site_is_refused(world):
    """Signing somebody in as somebody else is an attack too."""
    answer = world.client(None).post("/api/notes/v1/questions", json={"text": "一"}, headers={"Origin": EVIL})
    assert answer.json["code"] == "request.cross_site"


def test_other_host_names_are_refused_when_the_names_are_set(world):
    world.app.config["TRUSTED_HOSTS"] = ["trust.example.gov.cn"]
    assert world.client().get("/api/notes/v1/raw").status_code == 200
    assert world.client().get("/api/notes/v1/raw", headers={"Host": "evil.example"}).status_code == 400
