"""Bulk enrolment in the browser: a list is checked, started, watched and reported; nobody without the right does any of it."""

import csv

from playwright.sync_api import expect

from tests.pages.test_certificates import looked_at
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL

HEAD = "holder,kind,organ,profile,csr,reference"
COUNT = 3


def row(name, organ="province-office"):
    """A server of an organ, with a request of its own."""
    host = f"{name}.example.gov.cn"
    pem = CertificationRequest.build(PrivateKey.generate(INTL), {"commonName": host}, [("dns", host)]).pem
    return f'{host},service,{organ},tls-server,"{pem}",{name}'


def file(*rows, name="名册.csv"):
    return {"name": name, "mimeType": "text/csv", "buffer": "\r\n".join([HEAD, *rows, ""]).encode()}


def handed_in(page, *rows):
    page.goto("/console/lists")
    page.get_by_role("link", name="提交名册…").click()
    page.get_by_label("名册", exact=True).set_input_files(file(*rows))
    page.get_by_role("button", name="检查").click()
    return page.url


def finished(page):
    """Reload as a reader without scripts does, until the list is done."""
    for _ in range(60):
        if page.locator("#progress-title").get_by_text("已办完").count():
            return
        page.wait_for_timeout(500)
        page.get_by_role("link", name="刷新", exact=True).click()
    raise AssertionError(page.inner_text("main"))


def test_a_list_from_the_check_to_the_results(site, visit):
    page = visit("demo-officer", java_script_enabled=False)
    page.goto("/console/lists/new")
    looked_at(page)
    page.get_by_label("名册", exact=True).set_input_files(
        {"name": "x.csv", "mimeType": "text/csv", "buffer": b"a,b\r\n"}
    )
    page.get_by_role("button", name="检查").click()
    expect(page.locator(".error-summary")).to_contain_text("缺少列")
    good = [row(f"bulk-{n}") for n in range(COUNT)]
    address = handed_in(page, *good, "nobody,person,,person-signing,x,b-9")
    # what only the command does is said, with the command; nothing can be started, nothing was issued
    expect(page.locator("pre.command")).to_contain_text("yinxin ca enrol --csv")
    expect(page.get_by_role("button", name="开始批量签发")).to_have_count(0)
    looked_at(page)
    address = handed_in(page, *good, row("bulk-foreign", "no-such-organ"))
    table = page.locator("#refused ~ div table")
    expect(table.get_by_role("rowheader")).to_have_text([str(2 + COUNT)])
    listed = page.request.get("/console/certificates.csv?name=bulk-").text()
    assert len(listed.splitlines()) == 1
    report = page.request.get(f"{address}/rows.csv?state=refused").text()
    (refused,) = csv.DictReader(report.lstrip("\ufeff").splitlines())
    assert refused["code"]
    assert refused["reason_zh"]
    looked_at(page)
    page.get_by_role("button", name="开始批量签发").click()
    finished(page)
    looked_at(page)
    expect(page.locator("progress")).to_have_attribute("value", str(COUNT + 1))
    told = list(csv.DictReader(page.request.get(f"{address}/rows.csv").text().lstrip("\ufeff").splitlines()))
    assert [each["state"] for each in told] == ["issued"] * COUNT + ["refused"]
    page.goto(f"/console/certificates/{told[0]['serial']}")
    expect(page.locator("main")).to_contain_text("bulk-0.example.gov.cn")
    # the list of lists finds it again, for the auditor too, who starts nothing
    auditor = visit("demo-auditor")
    auditor.goto("/console/lists?state=ended")
    auditor.get_by_role("link", name="名册.csv").first.click()
    assert auditor.url.split("?")[0] == address
    expect(auditor.get_by_text("可以办理")).to_have_count(0)
    exported = auditor.request.get("/console/lists.csv?state=ended").text().lstrip("\ufeff")
    assert [each["issued"] for each in csv.DictReader(exported.splitlines())] == [str(COUNT)]


def test_with_scripts_the_progress_renews_itself(site, visit):
    page = visit("demo-officer")
    handed_in(page, *(row(f"live-{n}") for n in range(COUNT)))
    page.get_by_role("button", name="开始批量签发").click()
    expect(page.locator("#progress-title")).to_contain_text("已办完", timeout=60_000)
    page.get_by_role("link", name="查看结果").click()
    expect(page.locator("progress")).to_have_attribute("value", str(COUNT))


def test_who_may_not_issue_is_refused_on_record_and_others_see_nothing(site, visit):
    page = visit("demo-officer", java_script_enabled=False)
    address = handed_in(page, row("secret-0"))
    path = address[address.index("/console") :]
    for person, opens in (("demo-clerk", False), ("emergency-officer", True)):
        other = visit(person)
        other.goto("/")
        for each in (path, f"{path}/progress", f"{path}/rows.csv"):
            assert other.request.get(each).status == 403, (person, each)
        assert other.request.get("/console/lists?organ=province-office").status == 403
        listed = other.goto("/console/lists")
        assert listed.status == (200 if opens else 403)
        assert other.get_by_role("link", name="名册.csv").count() == 0
        assert other.goto("/console/lists/new").status == (200 if opens else 403)
    # the deputy may issue there, and yet does not start another's
    deputy = visit("demo-deputy", java_script_enabled=False)
    deputy.goto(path)
    expect(deputy.get_by_role("button", name="开始批量签发")).to_have_count(0)
    with site.client("demo-auditor") as client:
        refusals = [
            entry
            for entry in client.audit.entries(limit="60")
            if entry["outcome"] == "refused" and entry["event"]["actor"]["id"] == "demo-clerk"
        ]
    assert {"ca.read", "ca.issue"} <= {each["verb"] for each in refusals}
