"""The registers of seals in the browser: looked at, exported, applied to without scripts."""

import os
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

SEAL = "/console/seals/S-founding-province-office"


def looked_at(page, name):
    """A picture for whoever wants to look, where the environment says so."""
    if folder := os.environ.get("LOOK"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_the_keeper_looks_and_applies(site, visit):
    page = visit("demo-seal", java_script_enabled=False)
    page.goto("/console/seals")
    looked_at(page, "seals")
    page.get_by_role("link", name="示范省人民政府办公厅").first.click()
    expect(page.get_by_text("制章者（国密）")).to_be_visible()
    expect(page.get_by_text(f"document:{site.document}")).to_be_visible()
    looked_at(page, "seal")
    with Image.open(BytesIO(page.request.get(f"{SEAL}/picture.png").body())) as picture:
        assert picture.size == (992, 992)
    page.get_by_role("link", name="全部用印记录").click()
    exported = page.request.get("/console/seal-uses.csv").text()
    assert f"document:{site.document}" in exported
    looked_at(page, "uses")
    page.goto(f"{SEAL}")
    page.get_by_role("link", name="申请换发").click()
    page.get_by_label("理由").fill("证书即将到期，申请换发")
    looked_at(page, "new")
    page.get_by_role("button", name="提交申请").click()
    expect(page.get_by_text("原印章 S-founding-province-office 同时停止使用")).to_be_visible()
    looked_at(page, "proposal")


def test_whoever_does_not_keep_it_is_offered_nothing(visit):
    page = visit("demo-registrar", language="en", viewport={"width": 390, "height": 900})
    page.goto(SEAL)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Suspend at once")).to_have_count(0)
    expect(page.get_by_role("link", name="Hand over")).to_have_count(0)
    looked_at(page, "phone")
