"""Certificates in the browser, without scripts: applied for, vetted, approved; suspended, resumed, revoked; chain and ends."""

import csv
import re

from playwright.sync_api import expect

from tests.pages.test_day import sound
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL

HOST = "pages.example.gov.cn"


def request():
    """A request for a service, as an administrator of a department makes it."""
    return CertificationRequest.build(PrivateKey.generate(INTL), {"commonName": HOST}, [("dns", HOST)]).pem


def looked_at(page):
    """The same address as the same person sees it with scripts on: axe needs timers, and a page without scripts has none."""
    context = page.context.browser.new_context(
        locale="zh-CN", ignore_https_errors=True, storage_state=page.context.storage_state()
    )
    seen = context.new_page()
    assert seen.goto(page.url).status == 200
    sound(seen)
    context.close()


def applied(page):
    """What the clerk applies for, and where that is shown."""
    page.goto("/console/my-certificates")
    page.get_by_role("link", name="申请新证书").click()
    page.get_by_label("为谁申请").select_option("service")
    page.get_by_label("证书种类").select_option("tls-server")
    page.get_by_label("证书请求（PEM）").fill("no request")
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator(".error-summary")).to_contain_text("请重新生成请求")
    page.get_by_label("证书请求（PEM）").fill(request())
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("等待证书注册员核验")).to_be_visible()
    looked_at(page)
    return page.url


def test_three_people_from_the_request_to_the_end_of_a_certificate(site, visit):
    clerk = visit("demo-clerk", java_script_enabled=False)
    address = applied(clerk)
    expect(clerk.get_by_role("link", name="核验…")).to_have_count(0)
    # one officer vets, and cannot approve
    officer = visit("demo-officer", java_script_enabled=False)
    officer.goto("/console/applications?state=submitted")
    officer.get_by_role("link", name=HOST).click()
    officer.get_by_role("link", name="核验…").click()
    officer.get_by_role("button", name="确认核验").click()
    expect(officer.locator(".error-summary")).to_contain_text("请写明核验了什么")
    officer.get_by_label("核验结果 2").fill("示政任〔2026〕3号")
    looked_at(officer)
    officer.get_by_role("button", name="确认核验").click()
    expect(officer.get_by_text("等待另一名证书注册员批准")).to_be_visible()
    expect(officer.get_by_role("button", name="批准并签发")).to_have_count(0)
    # another approves, who reads what was found
    deputy = visit("demo-deputy", java_script_enabled=False)
    deputy.goto(address)
    expect(deputy.locator("dt", has_text="任职文件")).to_be_visible()
    expect(deputy.locator("dt", has_text="身份证件")).to_have_count(0)
    deputy.get_by_role("button", name="批准并签发").click()
    # the applicant has it
    clerk.goto(address)
    pem = clerk.request.get(f"{address}/certificate.pem").text()
    certificate = Certificate.load(pem[: pem.index("-----END CERTIFICATE-----") + 26].encode())
    assert certificate.subject.common_name == HOST
    assert len(re.findall("BEGIN CERTIFICATE", pem)) == 3
    # its page draws who vouches for it, and says what each act would do
    deputy.get_by_role("link", name="查看证书及其经过").click()
    links = deputy.locator(".chain li strong").all_inner_texts()
    assert links == ["示范省根证书（国际）", "示范省签发机构（国际）", "服务器证书"]
    deputy.get_by_role("button", name="暂停").click()
    expect(deputy.get_by_text("暂时不能使用")).to_be_visible()
    deputy.get_by_role("button", name="恢复").click()
    expect(deputy.get_by_text("证书有效，可以按用途使用")).to_be_visible()
    deputy.get_by_role("link", name="撤销…").click()
    looked_at(deputy)
    deputy.get_by_role("button", name="确认撤销").click()
    expect(deputy.locator(".error-summary")).to_be_visible()
    deputy.get_by_label("原因").select_option("keyCompromise")
    deputy.get_by_role("button", name="确认撤销").click()
    expect(deputy.get_by_text("原因：密钥已泄露或可能泄露")).to_be_visible()
    expect(deputy.get_by_role("button", name="暂停")).to_have_count(0)
    told = deputy.locator(".timeline").inner_text()
    for word in ("提交申请", "核验", "批准", "签发", "暂停", "撤销生效", "密钥已泄露"):
        assert word in told
    deputy.get_by_role("link", name="查看申请").click()
    assert deputy.url == address
    # its key is never certified again, and leads to it
    deputy.goto("/console/blocked-keys")
    looked_at(deputy)
    deputy.get_by_role("link", name=re.compile("密钥 .*… 的证书")).last.click()
    expect(deputy.get_by_role("link", name=HOST)).to_be_visible()


def test_an_application_is_refused_with_a_reason_or_taken_back(site, visit):
    clerk, officer = (visit(each, java_script_enabled=False) for each in ("demo-clerk", "demo-officer"))
    address = applied(clerk)
    officer.goto(address)
    officer.get_by_role("link", name="驳回…").click()
    officer.get_by_label("理由").fill("主机名不属于本机关")
    officer.get_by_role("button", name="确认驳回").click()
    clerk.goto(address)
    expect(clerk.get_by_role("note")).to_contain_text("主机名不属于本机关")
    applied(clerk)
    clerk.get_by_role("button", name="撤回").click()
    expect(clerk.get_by_text("申请人已撤回")).to_be_visible()


def test_whose_certificates_and_applications_everybody_sees(site, visit):
    """A clerk has her own, and nothing of others'; an officer has her region's."""
    clerk, officer = visit("demo-clerk"), visit("demo-officer")
    clerk.goto("/console/my-certificates")
    serials = [each.inner_text() for each in clerk.locator(".paper code.digest").all()]
    officer.goto("/console/certificates?holder=demo-clerk")
    assert sorted(serials) == sorted(each.inner_text() for each in officer.locator("td .digest").all())
    assert clerk.request.get(f"/console/my-certificates/{serials[0]}.pem").text().count("BEGIN") == 3
    officer.goto("/console/certificates?holder=demo-leader")
    other = officer.locator("td .digest").first.inner_text()
    assert clerk.request.get(f"/console/my-certificates/{other}.pem").status == 403
    for path in ("/console/certificate-ends", "/console/authorities", "/console/authorities/intl-root"):
        assert clerk.request.get(path).status == 403
    address = applied(officer)
    clerk.goto("/console/applications?own=&holder=")
    assert not clerk.locator("tbody td", has_text="演示安全管理员").count()
    assert clerk.request.get(address).status == 403
    exported = csv.DictReader(
        clerk.request.get("/console/applications.csv").text().lstrip("\ufeff").splitlines()
    )
    assert {row["applicant"] for row in exported} == {"demo-clerk"}


def test_every_tab_that_is_shown_is_a_page_that_answers(site, visit):
    """Of the installation's own, which is none of a tenant's, its officers see none. Seen to fail with two of it shown to them."""
    for person, shown in (("demo-clerk", 2), ("emergency-officer", 7), ("demo-auditor", 9)):
        page = visit(person)
        page.goto("/console/my-certificates")
        tabs = [each.get_attribute("href") for each in page.locator(".nav-tabs a").all()]
        assert len(tabs) == shown, person
        assert {path: page.request.get(path).status for path in tabs} == dict.fromkeys(tabs, 200)


def test_what_is_no_serial_number_is_said_to_be_none(site, visit):
    """Seen to fail: a list of nothing. As tools write one, it is found."""
    auditor = visit("demo-auditor")
    for page in ("certificates", "certificates.csv"):
        assert auditor.request.get(f"/console/{page}?serial=zz").status == 422
    assert auditor.goto("/console/certificates?serial=zz").status == 422
    expect(auditor.locator("main")).to_contain_text("/serial：序列号是十六进制数字")
    certificate = site.identity("demo-clerk").certificate
    octets = certificate.serial.to_bytes(20, "big").hex(":").upper().removeprefix("00:")
    for written in (f"0x{certificate.serial:x}", f" {octets} "):
        auditor.goto("/console/certificates")
        auditor.get_by_label("序列号开头").fill(written)
        auditor.get_by_role("button", name="筛选").click()
        expect(auditor.locator("tbody .digest")).to_have_text([f"{certificate.serial:x}"])


def test_what_ends_when_leads_to_the_certificates(site, visit):
    page = visit("demo-officer", java_script_enabled=False)
    page.goto("/console/certificate-ends")
    counts = page.locator("tbody td:nth-child(2)")
    assert counts.count() == 13
    ahead = sum(int(each) for each in counts.all_inner_texts())
    lines = page.request.get("/console/certificates.csv?state=issued").text().splitlines()
    assert ahead == len(lines) - 1
    later = counts.last.get_by_role("link")
    said = int(later.inner_text())
    href = later.get_attribute("href")
    listed = page.request.get(href.replace("/certificates?", "/certificates.csv?")).text().splitlines()
    assert len(listed) - 1 == said


def test_the_hierarchy_is_drawn(site, visit):
    page = visit("demo-auditor")
    page.goto("/console/authorities")
    tree = page.locator("main > .tree > li", has_text="示范省根证书（国密）")
    expect(tree.locator(".tree h2")).to_contain_text("示范省签发机构（国密）")
    tree.locator(".tree a").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("示范省签发机构（国密）")
    expect(page.get_by_text("/crl/sm-issuing.crl")).to_be_visible()
    page.get_by_role("link", name="由它签发的证书").click()
    expect(page.locator("#filter-authority")).to_have_value("sm-issuing")


def test_a_credential_is_withdrawn_and_its_secret_is_nowhere(site, visit):
    page, auditor = (visit(each, java_script_enabled=False) for each in ("demo-officer", "demo-auditor"))
    page.goto("/console/credentials")
    row = page.locator("tbody tr", has_text="SCEP").first
    expect(row).to_contain_text("可用")
    auditor.goto("/console/credentials")
    expect(auditor.get_by_role("button", name="撤回")).to_have_count(0)
    row.get_by_role("button", name="撤回").click()
    expect(page.locator("tbody tr", has_text="SCEP").first).to_contain_text("已撤回")
    exported = page.request.get("/console/credentials.csv").text()
    assert exported.splitlines()[0].endswith("expires,withdrawn_at")
    assert "secret" not in exported
