"""Enrolment credentials granted in the browser: the secret is shown once and works, is kept nowhere, and nobody grants what she may not."""

import base64
import re
import ssl

import httpx
import pytest
from playwright.sync_api import expect

from tests.pages.conftest import ROOT
from tests.pages.test_certificates import looked_at
from tests.pages.test_day import sound
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL

NEW = "/console/credentials/new"
HOST = "granted.zi.example.gov.cn"


def granted(page, protocol, **more):
    """The answer to a form that is filled in as it should be."""
    page.goto(NEW)
    page.get_by_label("协议", exact=True).select_option(protocol)
    page.get_by_label("域", exact=True).fill("Zi.example.gov.cn")
    for label, text in more.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="发放", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("凭据已发放")
    return page.locator("#identifier").inner_text(), page.locator("#secret").inner_text()


def sent(page, body):
    """The form as a browser sends it from our own page."""
    return page.request.post(NEW, form=body, headers={"Sec-Fetch-Site": "same-origin"})


def enrolled(site, address, login):
    """What EST answers to a request for the host, on user name and password."""
    key = PrivateKey.generate(INTL)
    request = CertificationRequest.build(key, {"commonName": HOST}, [("dns", HOST)]).der
    return httpx.post(
        f"{address}/tls-server/simpleenroll",
        content=base64.encodebytes(request),
        auth=login,
        headers={"Content-Type": "application/pkcs10"},
        verify=ssl.create_default_context(cafile=site.data.path("trust", "tls.pem")),
    )


def refused(site, answer, auditor="demo-auditor"):
    """What the log has of the refusals that an answer names: verb, error, and who was refused. A tenant's are its own auditor's to see."""
    found = []
    with site.client(auditor) as client:
        for each in answer.headers["audit-entry"].split(", "):
            client.audit.proof(each)  # enters what waits
            entry = client.audit.entry(each)
            assert entry["outcome"] == "refused"
            found.append((entry["verb"], entry["event"]["error"], entry["event"]["actor"]["id"]))
    return found


def test_a_credential_is_granted_and_its_secret_is_shown_once_and_kept_nowhere(site, visit):
    """Seen to fail with the answer kept for its key (a form without `secret`)."""
    page = visit("demo-officer", java_script_enabled=False)
    page.goto("/console/credentials")
    page.get_by_role("link", name="发放凭据…").click()
    looked_at(page)
    key = page.locator("form.measure input[name=_key]").get_attribute("value")
    body = {
        "_key": key,
        "protocol": "est",
        "profile": "tls-server",
        "domains": "zi.example.gov.cn",
        "uses": "1",
    }
    first = sent(page, body)
    assert first.status == 200
    assert first.headers["cache-control"] == "no-store"
    text = first.text()
    id_, secret = (re.search(f'id="{name}">([^<]+)<', text)[1] for name in ("identifier", "secret"))
    # the same form again is the same act, and says what whoever lost the secret does
    again = sent(page, body)
    assert again.status == 409
    assert "请撤回这一凭据" in again.text()
    assert secret not in again.text()
    listed = page.request.get("/console/credentials.csv").text()
    (row,) = [line for line in listed.splitlines() if line.startswith(id_)]
    assert ",zi.example.gov.cn,1," in row
    # it is the credential's, by the address that the page says, for what was granted and as often
    address = re.search(r"EST=(\S+)", text)[1]
    assert address == f"{site.address}/.well-known/est"
    assert enrolled(site, address, (id_, "x" * 43)).status_code == 401
    assert enrolled(site, address, (id_, secret)).status_code == 200
    assert enrolled(site, address, (id_, secret)).status_code == 403
    # and nowhere: not in the tables, their journal, the audit log, what the server said
    octets = base64.urlsafe_b64decode(secret + "=")
    spellings = {secret.encode(), octets, octets.hex().encode(), base64.b64encode(octets)}
    files = [each for each in site.data.root.rglob("*") if each.is_file()]
    files.append(site.data.root.with_name("server.log"))
    assert sum(id_.encode() in each.read_bytes() for each in files), "the credential itself is found so"
    assert [each for each in files if any(spelt in each.read_bytes() for spelt in spellings)] == []


@pytest.mark.parametrize("protocol", ["acme", "est", "cmp", "scep"])
def test_the_lines_are_the_manuals(site, visit, protocol):
    """Seen to fail with one letter of a line changed."""
    page = visit("demo-officer")
    id_, secret = granted(page, protocol)
    sound(page)
    manual = (ROOT / f"docs/ca/{protocol}.md").read_text("utf-8")
    said = page.locator("pre.lines").all_text_contents()
    assert said
    assert [line for each in said for line in each.splitlines() if line not in manual.splitlines()] == []
    setup = page.locator("#setup").text_content()
    assert f"{protocol.upper() if protocol != 'acme' else 'DIRECTORY'}=http" in setup
    assert secret not in setup
    assert secret.partition(":")[0] == id_ or protocol != "scep"
    # each name that the lines take from the shell is set before them, or by them
    names = set(re.findall(r"\$\{?([A-Z]+)", "\n".join(said)))
    assert names <= set(re.findall(r"^(?:read -r )?([A-Z]+)(?:=|$)", setup, re.MULTILINE))


def test_wildcards_have_their_own_lines(visit):
    page = visit("demo-officer", java_script_enabled=False)
    page.goto(NEW)
    page.get_by_label("可取得的证书", exact=True).select_option("tls-wildcard")
    page.get_by_label("服务器证书 · tls-server", exact=True).check()
    page.get_by_label("域", exact=True).fill("zi.example.gov.cn")
    page.get_by_role("button", name="发放", exact=True).click()
    expect(page.locator("main")).to_contain_text("通配符服务器证书、服务器证书")
    expect(page.locator("pre.lines").last).to_contain_text('-d "*.$NAME"')
    granted(page, "acme")
    expect(page.locator("main")).not_to_contain_text('"*.$NAME"')


@pytest.mark.parametrize(
    ("filled", "field", "said"),
    [
        ({"域": ""}, "domains", "请列出至少一个域"),
        ({"域": "*.zi.example.gov.cn"}, "domains", "不是域名"),
        ({"主机名的范围": "any"}, "domains", "清空这里"),
        ({"主机名的范围": "proved", "域": ""}, "domains", "含主机名"),
        ({"证书持有者的种类": "person", "该人员的岗位标识": "x"}, "holder", "须写明标识"),
        ({"该人员的岗位标识": "x"}, "post", "只有人员才有岗位"),
        ({"机关标识": "no-such-organ"}, "organ", "no-such-organ"),
        ({"可取得的证书": "person-signing"}, "profile", "不能发给这类持有者"),
        ({"凭据有效天数": "4000"}, "days", "1096"),
        ({"可签发张数": "0"}, "uses", "1"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_stays_filled_in(visit, filled, field, said):
    page = visit("demo-officer", java_script_enabled=False)
    page.goto(NEW)
    page.get_by_label("协议", exact=True).select_option("est")
    page.get_by_label("持有者标识", exact=True).fill("" if field == "holder" else "kept-17")
    page.get_by_label("应用系统证书 · tls-client", exact=True).check()
    for label, value in {"域": "zi.example.gov.cn", **filled}.items():
        element = page.get_by_label(label, exact=True)
        choice = element.evaluate("e => e.tagName") == "SELECT"
        element.select_option(value) if choice else element.fill(value)
    page.get_by_role("button", name="发放", exact=True).click()
    fault = page.locator(f".error-summary a[href='#{field}']")
    expect(fault).to_contain_text(said)
    expect(page.locator(f"#{field}")).to_have_count(1)
    if field != "holder":
        expect(page.locator("#holder")).to_have_value("kept-17")
    expect(page.locator("#protocol")).to_have_value("est")
    expect(page.locator("#also-tls-client")).to_be_checked()


def test_nobody_grants_what_she_may_not_and_the_log_has_it(site, visit):
    """A clerk and an auditor see no form; an officer of another organ grants nothing here, by whatever she sends."""
    body = {"_key": "K" * 26, "protocol": "est", "profile": "tls-server", "domains": "zi.example.gov.cn"}
    for person in ("demo-clerk", "demo-auditor"):
        page = visit(person)
        for answer in (page.goto(NEW), sent(page, body), sent(page, {**body, "domains": "a b:1"})):
            assert answer.status == 403
            assert ("ca.issue", "authz.denied", person) in refused(site, answer)
    officer = visit("emergency-officer")
    officer.goto("/")
    answer = sent(officer, {**body, "organ": "province-office"})
    assert answer.status == 403
    assert ("ca.issue", "authz.denied", "emergency-officer") in refused(site, answer, "emergency-auditor")
    officer = visit("demo-officer")
    officer.goto("/")
    seal = sent(
        officer, {**body, "organ": "province-office", "kind": "person", "holder": "demo-deputy", "post": "x"}
    )
    assert seal.status in (403, 422)
    listed = officer.request.get("/console/credentials.csv?organ=province-office").text()
    assert "demo-deputy" not in listed
