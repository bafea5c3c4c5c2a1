"""What strangers see: home, sign-in, verify, the API's reference; and nothing else."""

import hashlib
import ssl
from http.client import HTTPSConnection

import httpx
import pytest

from tests.pages.conftest import COOKIE
from yinxin.evidence import page as evidence_page


@pytest.fixture
def http(site):
    context = ssl.create_default_context(cafile=str(site.data.path("trust", "tls.pem")))
    with httpx.Client(base_url=site.address, verify=context, headers={"Accept": "text/html"}) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/verify", "/sign-in", "/api"])
def test_public_pages(http, path):
    answer = http.get(path)
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "/sign-out" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/documents/",
        "/documents/new",
        "/documents/export.csv",
        "/documents/{document}",
        "/documents/{document}/files/sealed.pdf",
        "/documents/{document}/pages/1.png",
        "/documents/{document}/send-back",
        "/documents/{document}/sign/document.receive",
        "/console",
        "/console/health",
    ],
)
def test_a_stranger_is_sent_to_sign_in(http, site, path):
    answer = http.get(path.format(document=site.document))
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize(
    "path", ["/documents/{document}/evidence", "/documents/{document}/acts/document.dispatch"]
)
def test_a_stranger_acts_on_nothing(http, site, path):
    assert http.post(path.format(document=site.document)).status_code == 401


def test_another_site_cannot_act_through_a_readers_browser(http, site):
    http.cookies.set(COOKIE, site.token("demo-registrar"), domain="127.0.0.1")
    address = f"/documents/{site.document}/evidence"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        answer = http.post(address, headers=headers, data={"_key": "k-1"})
        assert answer.status_code == 403, headers
        assert "request.cross_site" in answer.text
    same = http.post(address, headers={"Sec-Fetch-Site": "same-origin"}, data={"_key": "k-1"})
    assert same.status_code == 200
    assert same.headers["Content-Type"].startswith("application/vnd.etsi.asic-e+zip")


def verdict(http, name, data, language="zh"):
    return http.post(f"/verify?lang={language}", files={"file": (name, data)})


def test_a_good_bundle_holds(http, site):
    answer = verdict(http, "公文.asice", site.evidence.read_bytes())
    assert answer.status_code == 200
    assert "全部成立" in answer.text
    assert answer.text.count("<li>") >= 6
    assert "verdict-true" in answer.text
    english = verdict(http, "a.asice", site.evidence.read_bytes(), "en").text
    assert "Everything holds" in english
    assert "The seal holds" in english


def test_whoever_sends_no_file_takes_the_page_that_checks_it(http):
    made = http.get("/verify/yinxin-verify.html")
    assert made.content == evidence_page.build()
    assert made.headers["Content-Disposition"].startswith("attachment")
    assert hashlib.sha256(made.content).hexdigest() in http.get("/verify").text


def test_a_sealed_document_holds_by_itself(http, site):
    assert "印章有效" in verdict(http, "公文.pdf", site.sealed.read_bytes()).text


def test_one_changed_byte_does_not(http, site):
    data = bytearray(site.evidence.read_bytes())
    data[len(data) // 2] ^= 1
    answer = verdict(http, "公文.asice", bytes(data))
    assert answer.status_code == 422
    assert "核验不成立" in answer.text
    assert "verdict-true" not in answer.text
    pdf = bytearray(site.sealed.read_bytes())
    pdf[len(pdf) // 3] ^= 1
    assert "核验不成立" in verdict(http, "公文.pdf", bytes(pdf)).text


@pytest.mark.parametrize("data", [b"hello", b"", b"%PDF-1.7\n%%EOF", b"PK\x03\x04"])
def test_a_foreign_file_is_explained(http, data):
    answer = verdict(http, "<script>alert(1)</script>.asice", data)
    assert 400 <= answer.status_code < 500
    assert "核验不成立" in answer.text
    assert "<script>alert" not in answer.text
    assert "It does not hold" in verdict(http, "a.asice", data, "en").text


def test_nothing_to_verify(http):
    answer = http.post("/verify", data={"nothing": "1"})
    assert answer.status_code == 422
    assert 'href="#file"' in answer.text


def test_a_file_over_the_limit_is_refused_unread(site):
    context = ssl.create_default_context(cafile=str(site.data.path("trust", "tls.pem")))
    connection = HTTPSConnection(site.address.removeprefix("https://"), context=context, timeout=20)
    connection.putrequest("POST", "/verify")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(40 << 20))
    connection.putheader("Accept", "text/html")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert "request.too_large" in answer.read().decode()
    connection.close()


def test_the_roots_that_were_trusted_are_named(http, site):
    with site.client("demo-clerk") as client:
        for authority in ("intl-root", "sm-root"):
            assert client.ca.authority(authority).fingerprint in http.get("/verify").text


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "没有 /nowhere 这个地址"), ("en", "There is nothing at /nowhere")]
)
def test_errors_speak_the_readers_language(http, language, words):
    answer = http.get(f"/nowhere?lang={language}")
    assert answer.status_code == 404
    assert words in answer.text
