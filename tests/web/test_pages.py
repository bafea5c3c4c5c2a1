"""Pages: who may read them, forms that tell every fault, acts done once, two languages, static files."""

import io
import re

import pytest

from yinxin.web.signin import local

pytestmark = pytest.mark.engines("any")


def cookie_client(world, who="token-wang"):
    client = world.client(None, ACCEPT="text/html", SEC_FETCH_SITE="same-origin")
    client.set_cookie("__Host-yinxin", who, domain="trust.example.gov.cn", secure=True)
    return client


def key_of(answer):
    return re.search(r'name="_key" value="(\w+)"', answer.text)[1]


def test_a_stranger_is_sent_to_sign_in_and_back(world):
    answer = world.client(None, ACCEPT="text/html").get("/sample/?tag=a")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=/sample/?tag%3Da")
    answer = cookie_client(world, "ended").get("/sample/")
    assert answer.status_code == 303
    assert "__Host-yinxin=;" in answer.headers["Set-Cookie"]
    assert world.client(None, ACCEPT="text/html").get("/sample/open").status_code == 200


def test_the_frame_says_who_and_shows_what_concerns_her(world):
    page = cookie_client(world).get("/sample/").text
    assert "云岭省人民政府办公厅 · 文书岗 · 王芳" in page
    assert ">新建<" in page
    other = cookie_client(world, "token-li").get("/sample/").text
    assert ">新建<" not in other
    english = cookie_client(world).get("/sample/?lang=en").text
    assert "General Office · Clerk · 王芳" in english
    assert '<html lang="en">' in english


def test_a_form_tells_every_fault_and_keeps_what_was_written(world):
    client = cookie_client(world)
    key = key_of(client.get("/sample/new"))
    answer = client.post("/sample/new", data={"_key": key, "text": "", "copies": "12", "level": "secret"})
    assert answer.status_code == 422
    assert 'href="#text"' in answer.text
    assert "缺少此项" in answer.text
    assert "不得大于 9" in answer.text
    assert "密级只能是 public 或 internal" in answer.text
    assert 'value="12"' in answer.text
    assert 'aria-describedby="text-hint text-fault1" aria-invalid="true"' in answer.text
    assert key_of(answer) != key
    assert world.count("test_note") == 0
    assert [event["error"] for event in world.events()] == ["request.invalid"]


def test_a_refusal_by_the_module_is_shown_in_the_form(world):
    client = cookie_client(world)
    key = key_of(client.get("/sample/new"))
    answer = client.post("/sample/new", data={"_key": key, "text": "无此文"})
    assert answer.status_code == 404
    assert "没有编号为 7 的便签" in answer.text
    assert ">无此文</textarea>" in answer.text


def test_a_form_sent_twice_is_one_act(world):
    client = cookie_client(world)
    key = key_of(client.get("/sample/new"))
    answers = [
        client.post(
            "/sample/new", data={"_key": key, "text": "一", "attachment": (io.BytesIO(b"x"), "附.pdf")}
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert [answer.headers["Location"] for answer in answers] == ["/sample/", "/sample/"]
    assert world.count("test_note") == 1
    assert answers[0].headers["Audit-Entry"] == answers[1].headers["Audit-Entry"]


def test_a_form_without_its_key_is_refused(world):
    answer = cookie_client(world).post("/sample/new", data={"text": "一"})
    assert answer.status_code == 400
    assert world.count("test_note") == 0


@pytest.mark.parametrize(
    "sent",
    [
        {"answer": "MAA="},
        {"answer": "-----BEGIN CMS-----\nMA\nA=\n-----END CMS-----"},
        {"file": b"\x30\x00"},
    ],
)
def test_signing_in_by_challenge(world, sent):
    client = world.client(None, ACCEPT="text/html", SEC_FETCH_SITE="same-origin")
    if "file" in sent:
        sent = {"file": (io.BytesIO(sent["file"]), "a.p7s")}
    page = client.get("/sign-in?next=/sample/").text
    assert "yinxin sign-in --challenge challenge-1 --origin https://trust.example.gov.cn" in page
    answer = client.post(
        "/sign-in",
        data={**sent, "challenge": "challenge-1", "next": "/sample/"},
        content_type="multipart/form-data",
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sample/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-yinxin=token-wang;")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
    assert client.get("/sample/").status_code == 200


@pytest.mark.parametrize("answer", ["", "!!", "AAAA"])
def test_a_wrong_answer_is_explained_in_place(world, answer):
    client = world.client(None, ACCEPT="text/html", SEC_FETCH_SITE="same-origin")
    page = client.post("/sign-in", data={"answer": answer, "challenge": "challenge-1"})
    assert page.status_code in {401, 422}
    assert 'role="alert"' in page.text
    assert "Set-Cookie" not in page.headers


def test_signing_in_by_certificate(world):
    client = world.client(None, ACCEPT="text/html", SEC_FETCH_SITE="same-origin")
    assert "浏览器没有出示证书" in client.post("/sign-in/tls").text
    shown = {"yinxin.peer_certificate": b"certificate of wang"}
    assert "浏览器已出示您的证书" in client.get("/sign-in", environ_overrides=shown).text
    answer = client.post("/sign-in/tls", environ_overrides=shown)
    assert answer.status_code == 303
    assert answer.headers["Set-Cookie"].startswith("__Host-yinxin=token-wang;")
    other = client.post("/sign-in/tls", environ_overrides={"yinxin.peer_certificate": b"of another"})
    assert "会话已失效" in other.text


def test_signing_out_ends_the_session_on_the_platform(world):
    answer = cookie_client(world).post("/sign-out")
    assert world.signed_out == ["s1"]
    assert "__Host-yinxin=;" in answer.headers["Set-Cookie"]


def test_the_language_switch(world):
    client = cookie_client(world)
    answer = client.post("/language", data={"lang": "en", "next": "/sample/?tag=a"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sample/?tag=a")
    page = client.get("/sample/")
    assert "Next page" in page.text
    assert page.headers["Content-Language"] == "en"
    assert "Set-Cookie" not in client.post("/language", data={"lang": "klingon"}).headers


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\/evil",
        "javascript:1",
        "/a\nb",
        "",
        None,
        "/\t/evil",
    ],
)
def test_nobody_is_sent_elsewhere(world, address):
    with world.app.test_request_context("/"):
        assert local(address) == "/"


def test_local_addresses_pass(world):
    with world.app.test_request_context("/"):
        assert local("/sample/?tag=公文#a") == "/sample/?tag=公文#a"


def test_static_files_are_named_by_their_content(world):
    page = world.client(None).get("/sample/open").text
    address = re.search(r'href="(/static/tokens.css\?v=\w{16})"', page)[1]
    with world.client(None).get(address) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    with world.client(None).get("/static/tokens.css?v=0123456789abcdef") as stale:
        assert stale.headers["Cache-Control"] == "no-cache"
    assert world.client(None).get("/static/../settings.py").status_code == 404


def test_the_error_page_stands_even_when_nothing_else_does(world, monkeypatch):
    def broken(token, peer=None):
        raise ZeroDivisionError("secret-detail")

    monkeypatch.setattr(
        world.app.extensions["yinxin.web"],
        "authenticator",
        type("B", (), {"authenticate": staticmethod(broken)}),
    )
    answer = cookie_client(world).get("/sample/")
    assert answer.status_code == 500
    assert "系统内部错误" in answer.text
    assert "secret-detail" not in answer.text


def test_nothing_inline(world):
    """The strict policy would stop it; better not to write it."""
    for path in ("/sample/", "/sample/new", "/sign-in", "/api", "/nowhere"):
        page = cookie_client(world).get(path).text
        assert not re.search(
            r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:|https?://(?!trust\.example|www\.w3\.org)",
            page,
        ), path
