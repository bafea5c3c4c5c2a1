"""Authorization in the browser of the real site: a refusal is taken again from the log; a change is understood before it is proposed."""

import pytest

from tests.support.browser import accessibility_faults, screenshot
from yinxin.authz import Denied

HOLE = """
@id("site.clerks-grants")
@zh("经办人可以查看各处授权")
@en("clerks see every grant")
permit (principal, action == Action::"authz.read-grants", resource is Grant)
when { principal.roles.contains("clerk") };
"""
SOUND = """
@id("site.leaders-end-clients")
@zh("领导可以停用本机关及下级机关的接入系统")
@en("leaders end the clients of the own organ and those below")
permit (principal, action == Action::"authz.end-client", resource is Client)
when { principal.roles.contains("leader") && resource.organ in principal.organ };
"""


def test_an_auditor_takes_a_refusal_again(site, visit, tmp_path):
    clerk = visit("demo-clerk")
    answer = clerk.goto("/console/policies")
    assert answer.status == 403
    entry = answer.headers["audit-entry"]
    with site.client("demo-auditor") as auditor:
        auditor.audit.proof(entry)  # enters what waits
        found = auditor.authz.replay(entry)
        assert (found.agrees, found.allowed, found.actor) == (True, False, "demo-clerk")
    with site.client("demo-officer") as officer, pytest.raises(Denied):
        officer.authz.replay(entry)
    page = visit("demo-auditor", java_script_enabled=False)
    page.goto("/console/replay")
    page.get_by_label("记录号").fill(entry)
    page.get_by_role("button", name="重新判定").click()
    page.get_by_role("heading", name="重新判定与记录一致").wait_for()
    assert page.get_by_text("演示文书", exact=False).count() >= 1


@pytest.mark.slow
def test_a_change_is_understood_before_it_is_proposed_and_by_whoever_approves_it(site, visit, tmp_path):
    with site.client("demo-officer") as officer:
        now = officer.policies.in_force()
    page = visit("demo-officer")
    files = {name: tmp_path / f"{name}.cedar" for name in ("hole", "sound")}
    for name, addition in (("hole", HOLE), ("sound", SOUND)):
        files[name].write_text(now.text + addition, "utf-8")

    def hand_in(name):
        page.goto("/console/policies/change")
        page.locator("#policies").set_input_files(files[name])
        page.get_by_role("button", name="证明并试算").click(timeout=120_000)
        page.locator("#proof").wait_for(timeout=120_000)
        assert accessibility_faults(page) == []
        screenshot(page, tmp_path / f"{name}.png")

    hand_in("hole")
    assert page.get_by_text("反例：经办人可以对上级机关的 Grant").is_visible()
    assert page.get_by_role("button", name="提出，交他人批准").count() == 0
    hand_in("sound")
    page.get_by_role("button", name="提出，交他人批准").click()
    page.locator(".error-summary").wait_for()
    page.locator("#reason").fill("领导负责清理本机关接入系统")
    page.locator("#basis").fill("省府办〔2026〕5 号文件")
    page.get_by_role("button", name="提出，交他人批准").click()
    page.wait_for_url("**/console/proposals/*", timeout=120_000)
    other = visit("demo-deputy", language="en")
    other.goto(page.url)
    other.get_by_role("heading", name="Every theorem holds").wait_for()
    row = other.locator("section[aria-labelledby=differences] tbody tr").first
    assert "leader" in row.inner_text()
    assert "演示签发" in row.inner_text()
    assert accessibility_faults(other) == []
    screenshot(other, tmp_path / "proposal.png")
