"""A proposal in the browser and over HTTP: seen, approved by a signature made elsewhere, carried out, told to the auditor."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest

from tests.support.browser import accessibility_faults, screenshot
from yinxin.client import Client
from yinxin.client.proposals import NotWhatWasSeen, Proposal
from yinxin.crypto import cms

REASON = "新设县级机构，按编制批复导入"
TOWN = {"id": "town-new", "parent": "county-zi", "name_zh": "新镇人民政府", "name_en": "New Town", "short_name": "新政", "level": "township", "division": "990121109"}  # fmt: skip


def proposed(client: Client, **parts: str) -> Proposal:
    content = {"organs": [{**TOWN, **parts}]}
    return client.proposals.propose(
        "authz.load-directory", content, reason=REASON, basis="省编办批复第12号文件"
    )


def test_from_the_list_to_the_story(site, visit, tmp_path) -> None:
    with site.client("demo-officer") as officer:
        made = proposed(officer)
    page = visit("demo-deputy")
    page.goto("/console/proposals?state=open")
    page.locator("td code", has_text=made.id).wait_for()
    page.locator("tr", has_text=made.id).locator("a").click()
    assert "新增机关 town-new 新镇人民政府" in page.locator("main").inner_text()
    assert REASON in page.locator("main").inner_text()
    assert accessibility_faults(page) == []
    screenshot(page, tmp_path / "proposal.png")
    page.get_by_text("审阅并批准").click()
    assert accessibility_faults(page) == []
    statement = b64decode(page.locator("input[name=statement]").get_attribute("value"))
    signature = cms.sign_detached(site.identity("demo-deputy"), statement, signed_at=datetime.now(UTC))
    page.locator("#signature").fill(b64encode(signature).decode())
    page.get_by_text("确认批准").click()
    page.get_by_text("批准 1 / 2").wait_for()
    assert page.get_by_text("审阅并批准").count() == 0
    with site.client("demo-officer") as officer:
        # the only other officer: she proposed it, and may approve it too, for nobody else could
        assert officer.proposals.approve(officer.proposals.show(made.id)).state == "approved"
    mine = visit("demo-officer")
    mine.goto(f"/console/proposals/{made.id}")
    with mine.expect_response(lambda answer: answer.request.method == "POST") as carried_out:
        mine.get_by_role("button", name="执行").click()
    mine.locator("h1 .tag", has_text="已执行").wait_for()
    with site.client("demo-clerk") as clerk:
        assert clerk.authz.organ("town-new").name.zh == "新镇人民政府"
    with site.client("demo-auditor") as client:
        client.audit.proof(carried_out.value.headers["audit-entry"])  # enters what waits
    auditor = visit("demo-auditor", language="en")
    auditor.goto(f"/console/proposals/{made.id}")
    told = auditor.locator("section[aria-labelledby=story]").inner_text()
    for verb in ("propose", "approve a proposal", "carry out a proposal"):
        assert verb in told
    assert accessibility_faults(auditor) == []
    screenshot(auditor, tmp_path / "story.png")
    auditor.goto("/console/proposals")
    screenshot(auditor, tmp_path / "list.png")
    assert accessibility_faults(auditor) == []
    exported = auditor.request.get("/console/proposals.csv?state=executed").text()
    assert made.id in exported


def test_refused_on_the_page_with_a_reason(site, visit) -> None:
    with site.client("demo-officer") as officer:
        made = proposed(officer, id="town-other", division="990121110")
        with pytest.raises(NotWhatWasSeen):
            officer.proposals.approve(made.model_copy(update={"digest": "0" * 64}))
    page = visit("demo-deputy")
    page.goto(f"/console/proposals/{made.id}")
    page.get_by_role("link", name="否决").click()
    page.get_by_role("button", name="确认否决").click()
    page.locator(".error-summary").wait_for()
    assert accessibility_faults(page) == []
    page.locator("#reason").fill("编制批复尚未下达")
    page.get_by_role("button", name="确认否决").click()
    page.locator("h1 .tag", has_text="已否决").wait_for()
    assert "编制批复尚未下达" in page.locator("main").inner_text()


def test_a_clerk_sees_none(site, visit) -> None:
    with site.client("demo-officer") as officer:
        made = proposed(officer, id="town-third", division="990121111")
        officer.proposals.withdraw(made.id)
    page = visit("demo-clerk")
    page.goto("/console/proposals")
    assert made.id not in page.locator("main").inner_text()
    assert page.goto(f"/console/proposals/{made.id}").status == 404
