"""The tenants' pages in the browser: filtered, one made and given other quotas, and ended by itself; by keyboard, without scripts, on a phone."""

from tests.support.browser import accessibility_faults, screenshot

NOW, WAS = "示范省应急管理厅", "示范省财政厅"


def sound(page, file=None):
    """No fault that axe finds, and nothing to scroll sideways for on a phone."""
    assert accessibility_faults(page) == []
    size = page.viewport_size
    if file is not None:
        screenshot(page, file)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390, page.url
    if file is not None:
        screenshot(page, file.with_stem(f"{file.stem}-phone"))
    page.set_viewport_size(size)


def listed(page):
    return [row.partition("\n")[0].strip() for row in page.locator("tbody th[scope=row]").all_inner_texts()]


def test_the_filter_lists_what_it_says(site, visit, tmp_path):
    page = visit("demo-auditor", java_script_enabled=False)
    page.goto("/console/tenants")
    assert listed(page) == [NOW, WAS]
    for name, found in (("现有的", [NOW]), ("已结束的", [WAS]), ("全部", [NOW, WAS])):
        page.get_by_label("状态").select_option(label=name)
        page.get_by_role("button", name="筛选").click()
        assert listed(page) == found, name
    row = page.locator("tbody tr", has_text=NOW)
    assert "最多 3 人" in row.inner_text()
    assert row.locator(".tag").all_inner_texts() == ["额度已满"]
    assert "最多 300 件" in row.inner_text()
    assert page.get_by_role("link", name="调整额度").count() == 0  # an auditor proposes nothing
    page.request.get("/console/tenants.csv?state=standing")
    text = page.request.get("/console/tenants.csv").text()
    assert (NOW in text, WAS in text) == (True, True)
    assert "most_people" in text
    page = visit("demo-auditor", language="en")
    page.goto("/console/tenants")
    sound(page, tmp_path / "tenants.png")
    assert "used up" in page.locator("tbody").inner_text().lower()


def test_an_officer_makes_one_with_the_keyboard_alone(site, visit, tmp_path):
    page = visit("demo-officer")
    page.goto("/console/tenants")
    link = page.get_by_role("link", name="设立租户")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/tenants/new")
    sound(page, tmp_path / "new.png")
    order = []
    page.locator("#find_organ").focus()
    for _ in range(10):
        order.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
        page.keyboard.press("Tab")
    wanted = "find_organ 查找 organ mark most_people most_documents most_gib reason basis 提出，交他人批准"
    assert order == wanted.split()
    page.locator("#find_organ").focus()
    page.keyboard.type("甲市")
    page.keyboard.press("Enter")
    page.wait_for_url("**find_organ=**")
    assert page.locator("#organ option").all_inner_texts() == ["甲市人民政府"]
    page.locator("#most_people").focus()
    page.keyboard.type("0")
    page.locator("#reason").focus()
    page.keyboard.type("该机关自行管理其事务")
    page.locator("#basis").focus()
    page.keyboard.press("Enter")
    page.locator(".error-summary").wait_for()
    assert "在岗人员最多" in page.locator(".error-summary").inner_text()
    sound(page)
    page.locator("#most_people").fill("40")
    page.get_by_role("button", name="提出，交他人批准").click()
    # two officers of its own it has not
    assert "至少两名安全管理员" in page.locator("main").inner_text()


def test_the_host_changes_quotas_and_the_tenant_sees_it(site, visit, tmp_path):
    page = visit("demo-officer", java_script_enabled=False)
    page.goto("/console/tenants")
    page.get_by_role("link", name="调整额度").click()
    assert page.locator("#most_people").input_value() == "3"
    assert "在岗人员已用 3 人，最多 3 人" in page.locator("main").inner_text()
    page.locator("#most_people").fill("20")
    page.locator("#most_documents").fill("")
    page.locator("#most_gib").fill("5")
    page.locator("#reason").fill("该厅增设值班岗位")
    page.get_by_role("button", name="提出，交他人批准").click()
    said = page.locator("main").inner_text()
    for each in ("在岗人员：最多 20 人", "本年度公文：不限", "附件容量：最多 5.0 GiB"):
        assert each in said
    number = page.url.rpartition("/")[2]
    own = visit("emergency-auditor")
    own.goto("/console/proposals")
    own.get_by_role("link", name="调整租户额度").first.click()
    assert own.url.endswith(number)
    assert own.get_by_role("button", name="批准").count() == 0
    sound(own, tmp_path / "proposal.png")
    looking = visit("demo-officer")
    looking.goto("/console/tenants/dept-emergency/quotas")
    sound(looking, tmp_path / "quotas.png")


def test_the_tenant_sees_itself_and_ends_it(site, visit, tmp_path):
    page = visit("emergency-officer")
    page.goto("/console/tenants")
    assert listed(page) == [NOW]
    assert page.get_by_role("link", name="设立租户").count() == 0
    page.get_by_role("link", name="结束租户关系").click()
    sound(page, tmp_path / "end.png")
    page.get_by_label("事由").fill("机构并入上级，不再自行管理")
    page.get_by_role("button", name="提出，交他人批准").click()
    assert "不再是租户" in page.locator("main").inner_text()
