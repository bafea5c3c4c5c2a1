"""Signing in: with the browser's certificate over TLS, or by a challenge signed on one's own side."""

import ssl

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import expect

from authz.errors import SessionEnded
from tests.pages.conftest import COOKIE, answer_challenge
from tests.support.browser import accessibility_faults, screenshot
from yinxin.client import Client
from yinxin.crypto.keys import Identity


@pytest.fixture
def with_certificate(site, tmp_path):
    """A connection that shows the clerk's certificate, as a browser with an imported certificate does."""

    def connect(identity: Identity):
        file = tmp_path / "identity.pem"
        key = serialization.load_der_private_key(identity.key.pkcs8(), password=None)
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"of a test"),
            )
            + "".join(each.pem for each in (identity.certificate, *identity.chain)).encode()
        )
        context = ssl.create_default_context(cafile=str(site.data.path("trust", "tls.pem")))
        context.load_cert_chain(file, password="of a test")
        return httpx.Client(base_url=site.address, verify=context, headers={"Accept": "text/html"})

    return connect


def test_by_the_browsers_certificate(site, with_certificate):
    with with_certificate(site.identity("demo-clerk")) as http:
        assert "浏览器已出示您的证书" in http.get("/sign-in").text
        answer = http.post("/sign-in/tls", headers={"Sec-Fetch-Site": "same-origin"}, data={"next": ""})
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/documents/"
        assert answer.headers["Set-Cookie"].startswith(f"{COOKIE}=")
        assert "演示文书" in http.get("/documents/").text


def test_a_session_does_not_outlive_its_certificates_connection(site, with_certificate):
    """A cookie that was carried off is worth nothing over another person's certificate."""
    with with_certificate(site.identity("demo-clerk")) as http:
        http.cookies.set(COOKIE, site.token("demo-leader"), domain="127.0.0.1")
        answer = http.get("/documents/")
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/sign-in")


def test_without_a_certificate_the_page_says_what_to_do(visit):
    page = visit()
    page.goto("/sign-in")
    page.get_by_role("button", name="用浏览器证书登录").click()
    page.get_by_text("浏览器没有出示证书").wait_for()


def test_by_challenge_and_back_to_where_one_was_going(site, visit):
    page = visit()
    page.goto("/documents/?box=received")
    assert "/sign-in?next=" in page.url
    answer_challenge(site, page, "city-jia-registrar")
    page.wait_for_url("**/documents/?box=received")
    # by its address: other tests send that registrar documents of the same title
    expect(page.locator(f"a[href$='/{site.document}']")).to_be_visible()
    page.get_by_role("button", name="退出").click()
    page.goto("/documents/")
    assert "/sign-in" in page.url


def test_everybody_begins_where_her_work_is(site, visit):
    for person, path in (("demo-leader", "/documents/"), ("demo-auditor", "/console/audit")):
        page = visit()
        page.goto("/sign-in")
        answer_challenge(site, page, person)
        page.wait_for_url(f"**{path}")


def test_my_sessions_in_the_browser(site, visit, tmp_path):
    """Two browsers of one person: each is listed in the other; one ends the other, then both are out."""
    one, two = visit("demo-reviewer"), visit("demo-reviewer")
    one.goto("/sessions")
    assert one.locator("tbody tr").count() >= 2
    assert accessibility_faults(one) == []
    screenshot(one, tmp_path / "sessions.png")
    two.goto("/documents/")
    row = one.locator("tbody tr").last
    assert row.get_by_text("签署挑战码").is_visible()
    row.get_by_role("button", name="终止").click()
    one.wait_for_url("**/sessions")
    two.goto("/documents/")
    assert "/sign-in" in two.url
    one.get_by_role("button", name="在所有地方退出").click()
    one.wait_for_url("**/sign-in")
    one.goto("/documents/")
    assert "/sign-in?next=" in one.url


def test_signing_in_anew_leaves_no_session_behind(site, visit):
    """A session that somebody else put into the browser is not taken over: it ends, and a new one begins."""
    planted = site.token("demo-reviewer")
    page = visit()
    page.context.add_cookies([{"name": COOKIE, "value": planted, "url": site.address, "secure": True}])
    page.goto("/sign-in")
    answer_challenge(site, page, "demo-auditor")
    page.wait_for_url("**/console/audit")
    cookie = next(each for each in page.context.cookies() if each["name"] == COOKIE)
    assert cookie["value"] != planted
    before = Client(site.address, token=planted, trust=site.data.path("trust", "tls.pem"))
    with before as client, pytest.raises(SessionEnded):
        client.authz.whoami()


def test_a_passkey_in_the_browser(site, authenticator, tmp_path):
    """Added after the certificate's login, used for the next one, not enough for adding another; then removed."""
    page = authenticator
    page.goto("/passkeys")
    answer_challenge(site, page, "demo-seal", origin=page.url.split("/sign-in")[0])
    page.wait_for_url("**/passkeys")
    assert accessibility_faults(page) == []
    page.get_by_label("名称").fill("办公室电脑")
    page.get_by_role("button", name="添加").click()
    page.get_by_role("rowheader", name="办公室电脑").wait_for()
    screenshot(page, tmp_path / "passkeys.png")
    page.get_by_role("button", name="退出").click()
    page.goto("/sign-in?next=%2Fpasskeys")
    screenshot(page, tmp_path / "sign-in.png")
    page.unlock(False)
    page.get_by_role("button", name="用通行密钥登录").click()
    page.get_by_text("没有取得通行密钥的应答").wait_for()
    page.unlock(True)
    page.get_by_role("button", name="用通行密钥登录").click()
    page.get_by_role("heading", name="我的通行密钥").wait_for()
    # a passkey does not make another: the certificate has to be proved again, and then one is back here
    page.get_by_role("link", name="用证书证明").click()
    page.get_by_role("heading", name="再次证明身份").wait_for()
    assert accessibility_faults(page) == []
    answer_challenge(site, page, "demo-seal", origin=page.url.split("/step-up")[0])
    page.wait_for_url("**/passkeys")
    assert page.get_by_label("名称").is_visible()
    page.get_by_role("button", name="删除").click()
    page.get_by_text("没有符合条件的记录").wait_for()


def test_the_sign_in_page_works_without_a_script(site, browser):
    context = browser.new_context(
        locale="zh-CN", ignore_https_errors=True, base_url=site.address, java_script_enabled=False
    )
    page = context.new_page()
    page.goto("/sign-in?next=/sessions")
    assert page.get_by_text("这个浏览器或网址不能使用通行密钥").is_visible()
    assert not page.get_by_role("button", name="用通行密钥登录").is_visible()
    page.get_by_text("将要签署的内容").click()
    assert '"type":"sign-in"' in page.locator("details pre").inner_text()
    answer_challenge(site, page, "demo-reviewer")
    page.wait_for_url("**/sessions")
    context.close()
