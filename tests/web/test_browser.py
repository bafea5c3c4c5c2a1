"""The pages in a real browser: signing in, a form with faults, both languages, dark and light, keyboard, axe-core."""

import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from playwright.sync_api import expect
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support.browser import accessibility_faults


class Quiet(WSGIRequestHandler):
    def log(self, *_arguments, **_more):
        pass


@pytest.fixture
def database_url(tmp_path):
    """One engine is enough here."""
    return f"sqlite:///{tmp_path}/browser.db"


@pytest.fixture
def address(world, tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "tls.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = make_server("127.0.0.1", 0, world.app, threaded=True, request_handler=Quiet, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://localhost:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def complaints(page):
    """What the browser's console says: a policy violation is said there."""
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def sign_in(page, address):
    page.goto(f"{address}/sample/new")
    assert "/sign-in?next=" in page.url
    page.get_by_label("命令输出的内容").fill("MAA=")
    page.locator("section[aria-labelledby=by-challenge]").get_by_role("button", name="登录").click()
    page.wait_for_url(f"{address}/sample/new")


def test_signing_in_filling_in_and_switching_language(page, address, complaints, world):
    sign_in(page, address)
    page.get_by_role("button", name="保存").click()
    page.locator(".error-summary").wait_for()
    page.locator(".error-summary a").first.click()
    expect(page.locator("#text")).to_be_focused()
    page.get_by_label("内容").fill("𬱖先生来函")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"{address}/sample/#text")  # a redirection keeps the fragment (RFC 9110 10.2.2)
    assert page.get_by_text("𬱖先生来函").is_visible()
    page.get_by_role("button", name="English").click()
    page.get_by_role("link", name="Next page").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{address}/sign-in")
    assert world.signed_out == ["s1"]
    assert [text for text in complaints if "status of 4" not in text] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page, address, complaints, scheme):
    page.emulate_media(color_scheme=scheme)
    faults = {}
    for path in ("/sign-in", "/api", "/nowhere"):
        page.goto(address + path)
        faults[path] = accessibility_faults(page)
    sign_in(page, address)
    faults["new"] = accessibility_faults(page)
    page.get_by_label("份数").fill("12")
    page.get_by_role("button", name="保存").click()
    faults["wrong"] = accessibility_faults(page)
    page.get_by_label("份数").fill("1")
    page.get_by_label("内容").fill("一")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"{address}/sample/")
    faults["list"] = accessibility_faults(page)
    assert faults == {where: [] for where in faults}
    assert "htmx" in page.evaluate("Object.keys(window).join()")


def test_the_keyboard_alone(page, address):
    page.goto(f"{address}/sign-in")
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_without_scripts(browser, address):
    context = browser.new_context(locale="zh-CN", ignore_https_errors=True, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)
    page.get_by_label("内容").fill("一")
    page.get_by_role("button", name="保存").click()
    page.wait_for_url(f"{address}/sample/")
    assert page.get_by_role("cell", name="一", exact=True).is_visible()
    context.close()
