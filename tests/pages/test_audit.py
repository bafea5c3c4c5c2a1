"""The auditor's pages: a search, one entry in words with its proof, a story, a saved question."""

import csv
import io
from datetime import UTC, datetime, timedelta, timezone

from tests.support.browser import accessibility_faults
from yinxin import evidence
from yinxin.evidence import Extract, Trust
from yinxin.tlog import LogProof, NoteVerifier


def test_from_a_question_to_the_proof(visit, site) -> None:
    page = visit("demo-auditor")
    page.goto("/console/audit")
    page.get_by_label("对象").fill(f"document:{site.document}")
    page.get_by_label("操作", exact=True).select_option("document.seal")
    page.get_by_role("button", name="查询").click()
    assert page.locator("tbody tr").count() == 1
    assert "演示用印" in page.locator("tbody").inner_text()
    assert accessibility_faults(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert [row["verb"] for row in rows] == ["document.seal"]
    page.locator("tbody td:last-child a").click()
    assert page.locator("h1").inner_text().startswith("用印")
    assert "印章保管人可以为本机关的公文和本机关联署的公文用印" in page.locator("main").inner_text()
    assert accessibility_faults(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="下载证明（sha256）").click()
    proof = LogProof.decode(download.value.path().read_bytes())
    keys = [NoteVerifier.decode(line) for line in (site.data.path("trust", "log.vkey")).read_text().split()]
    proof.verify(keys)
    assert f"document:{site.document}".encode() in proof.entry


def test_the_story_of_a_document_and_of_a_person(visit, site) -> None:
    page = visit("demo-auditor", language="en")
    page.goto(f"/console/audit/objects/document:{site.document}")
    told = page.locator(".story").inner_text()
    assert [word in told.lower() for word in ("draft", "sign off", "seal", "dispatch", "sign for")] == [
        True
    ] * 5
    assert accessibility_faults(page) == []
    page.locator(".story").get_by_role("link", name="演示用印").first.click()
    assert page.locator("h1").inner_text() == "演示用印"
    assert accessibility_faults(page) == []


def test_a_question_is_kept_and_asked_again(visit, site) -> None:
    page = visit("demo-auditor")
    page.goto("/console/audit?verb=ca.revoke")
    page.get_by_role("link", name="保存此查询").click()
    page.get_by_label("名称").fill("撤销")
    page.get_by_role("button", name="保存").click()
    page.locator("tbody").get_by_role("link", name="撤销").click()
    page.wait_for_url("**/console/audit?verb=ca.revoke")
    page.goto("/console/audit/questions")
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="删除").click()
    page.locator(".empty").wait_for()


def test_a_report_is_made_read_and_checked(visit, site, tmp_path) -> None:
    page = visit("demo-auditor")
    page.goto("/console/audit/reports")
    assert accessibility_faults(page) == []
    page.get_by_role("link", name="编制报告").click()
    assert accessibility_faults(page) == []
    page.get_by_label("种类").select_option("refusals")
    today = datetime.now(UTC).astimezone(timezone(timedelta(hours=8))).date().isoformat()
    page.get_by_label("自（日期）").fill(today)
    page.get_by_label("至（日期，含当日）").fill(today)
    page.get_by_role("button", name="编制").click()
    page.wait_for_url("**/console/audit/reports/0*")
    assert page.locator("h1").inner_text().startswith("被拒绝的和异常的访问")
    assert accessibility_faults(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="下载签名的报告").click()
    page.goto("/verify")
    page.locator("input[type=file]").set_input_files(download.value.path())
    page.locator("main form button").click()
    assert "记录了这份报告的编制" in page.locator(".verdict").inner_text()


def test_the_log_is_for_the_auditor_alone(visit, site) -> None:
    for person in ("demo-clerk", "demo-officer"):
        page = visit(person)
        page.goto("/console/audit")
        assert page.locator("nav").get_by_role("link", name="审计").count() == 0
        assert "不允许" in page.locator("main").inner_text()


def test_an_extract_withholds_what_is_ticked(visit, site) -> None:
    """From a signature with the caller's note to a file that the trust folder verifies, told on the public page as well."""
    page = visit("demo-auditor")
    page.goto("/console/audit?verb=kms.sign&outcome=done")
    page.locator("tbody td:last-child a").first.click()
    assert "document." in page.locator("section[aria-labelledby=personal]").inner_text()
    assert accessibility_faults(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="导出摘录").click()
        assert accessibility_faults(page) == []
        page.get_by_label("说明").check()
        page.get_by_role("button", name="下载摘录").click()
    data, held = download.value.path().read_bytes(), []
    assert Extract.decode(data).withheld() == {"note": 1}
    evidence.verify(data, Trust.load(site.data.path("trust")), at=datetime.now(UTC), held=held)
    assert "未开示的个人信息：说明" in held[-1].zh
    page.goto("/verify")
    page.set_input_files(
        "input[type=file]", {"name": "log.extract", "mimeType": "application/json", "buffer": data}
    )
    page.get_by_role("button", name="核验", exact=True).click()
    assert "未开示的个人信息：说明" in page.locator("main").inner_text()
    assert accessibility_faults(page) == []
