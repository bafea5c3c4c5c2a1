"""The registry's, the leader's and the clerk's day with what came in, in the browser: with scripts and without, by keyboard, on a phone."""

import base64
import re
from datetime import UTC, datetime

import pytest

from ops.demo.story import SAMPLE
from tests.pages.test_way import hurry
from tests.support.browser import accessibility_faults, screenshot
from yinxin.crypto import cms

REGISTRAR, LEADER = "city-jia-registrar", "city-jia-leader"


@pytest.fixture(scope="module")
def sent(site):
    """An urgent notice to two cities and, for their knowledge, a department; one city has signed for it."""
    with site.client("demo-clerk") as clerk:
        document = clerk.documents.draft(
            SAMPLE,
            reference="the-day",
            recipients=("city-jia", "city-yi"),
            copied_to=("dept-health",),
            urgency="加急",
        )
    hurry(site, document)
    with site.client(REGISTRAR) as registrar:
        registrar.documents.receive(document)
    return document


def sound(page, name=""):
    """No fault that axe finds, and nothing to scroll sideways for on a phone."""
    assert accessibility_faults(page) == []
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390, page.url
    if name:
        screenshot(page, name)
    page.set_viewport_size(size)


def tab_to(page, role, name):
    """Press Tab until the focus is on what is wanted: whoever has no mouse gets there too."""
    wanted = page.get_by_role(role, name=name, exact=True).first.element_handle()
    for _ in range(120):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"no way to {name} by keyboard on {page.url}")


def signed(site, page, person):
    """The signature over the very statement that the page hands out, put into its field."""
    link = page.get_by_role("link", name="下载声明").get_attribute("href")
    statement = base64.b64decode(link.partition("base64,")[2])
    signature = cms.sign_detached(site.identity(person), statement, signed_at=datetime.now(UTC))
    page.get_by_label("命令输出的签名").fill(base64.b64encode(signature).decode())


def say(page, verb, label, text):
    page.get_by_role("link", name=verb, exact=True).click()
    page.get_by_label(label).fill(text)
    page.get_by_role("button", name=verb, exact=True).click()


def test_the_day(site, visit, sent, tmp_path):
    # the registry, without scripts: registers what was signed for, and proposes
    registrar = visit(REGISTRAR, java_script_enabled=False)
    registrar.goto("/documents/registry")
    row = registrar.locator("section[aria-labelledby=unregistered] tr", has_text="安全检查").first
    row.get_by_role("button", name="登记").click()
    registrar.wait_for_url(re.compile("/documents/intake/[0-9a-z]{20,}$"))
    intake = registrar.url
    assert re.match(r"收〔\d{4}〕1号", registrar.locator(".lead").inner_text())
    registrar.get_by_role("link", name="拟办", exact=True).click()
    registrar.get_by_role("button", name="拟办", exact=True).click()
    assert "必须写明理由" in registrar.locator(".error-summary").inner_text()
    registrar.get_by_label("拟办意见").fill("请信息化处主办，于月底前完成自查")
    registrar.get_by_role("button", name="拟办", exact=True).click()
    assert registrar.locator(".lead .tag").first.inner_text() == "待批示"

    # the leader, by keyboard alone: reads and instructs on one page, signs
    leader = visit(LEADER)
    leader.goto("/documents/leader")
    sound(leader, tmp_path / "leader.png")
    tab_to(leader, "link", "阅文批示")
    leader.keyboard.press("Enter")
    leader.get_by_text("请信息化处主办").wait_for()
    assert leader.locator(".sheet img").count() >= 1
    sound(leader, tmp_path / "instruct.png")
    tab_to(leader, "textbox", "批示")
    leader.keyboard.type("同意拟办意见，按期办结")
    tab_to(leader, "button", "下一步：签名")
    leader.keyboard.press("Enter")
    leader.get_by_text("同意拟办意见，按期办结").first.wait_for()
    sound(leader)
    signed(site, leader, LEADER)
    tab_to(leader, "button", "确认批示")
    leader.keyboard.press("Enter")
    leader.wait_for_url(intake)
    assert leader.locator(".lead .tag").first.inner_text() == "已批示"
    assert leader.locator("blockquote", has_text="按期办结").count() == 1

    # given to a handler with one working day; circulated; the clock shows before it is over
    registrar.goto(intake)
    registrar.get_by_role("link", name="交办", exact=True).click()
    registrar.get_by_label("主办岗位").select_option("city-jia-registrar")
    registrar.get_by_label("办理期限").fill("1")
    registrar.get_by_role("button", name="交办", exact=True).click()
    clock = registrar.locator(".lead .tag").nth(1)
    assert re.fullmatch("还剩 [12] 个工作日", clock.inner_text())
    registrar.get_by_role("link", name="传阅", exact=True).click()
    registrar.get_by_label("负责人").check()
    registrar.get_by_role("button", name="传阅", exact=True).click()
    assert registrar.locator("section[aria-labelledby=readers]").get_by_text("未阅", exact=True).is_visible()
    leader.goto("/documents/intake/")
    leader.get_by_role("link", name=re.compile("安全检查")).first.click()
    leader.get_by_role("button", name="已阅").click()
    assert leader.locator("section[aria-labelledby=readers] .tag").count() == 0
    sound(leader, tmp_path / "intake.png")

    # the handler's list, hurried, finished with a result
    registrar.goto("/documents/intake/?box=todo")
    assert registrar.locator(".documents td .tag").first.inner_text().startswith("还剩")
    leader.goto(intake)
    say(leader, "催办", "说明", "")
    registrar.goto(intake)
    say(registrar, "办结", "办理结果", "自查完成，问题 3 项已整改")
    assert registrar.locator(".lead .tag").first.inner_text() == "已办结"
    assert registrar.locator(".lead .tag").count() == 1, "the clock runs on"

    # what became of last month's instructions
    leader.goto("/documents/leader")
    became = leader.locator("section[aria-labelledby=became] tr", has_text="按期办结").first
    assert "已办结" in became.inner_text()
    assert leader.locator("section[aria-labelledby=waiting] tbody tr").count() == 0
    leader.goto("/documents/intake/?box=all")
    sound(leader, tmp_path / "list.png")
    with leader.expect_download() as download:
        leader.get_by_role("link", name="导出 CSV").click()
    assert "收〔" in download.value.path().read_text("utf-8-sig").splitlines()[1]


def test_the_senders_book(site, visit, sent, tmp_path):
    """Who has signed and who has not; urged; withdrawn before the receipt; passed down after it."""
    page = visit("demo-registrar")
    page.goto("/documents/registry?show=all&text=安全检查")
    rows = {
        re.split(r"\s", row.locator("td").first.inner_text())[0]: row.locator(".tag").last.inner_text()
        for row in page.locator("section[aria-labelledby=sent] tbody tr").all()
        if row.get_by_role("link").first.get_attribute("href").endswith(sent)
    }
    assert rows == {"甲市人民政府": "已签收", "乙市人民政府": "已送达", "示范省卫生健康委员会": "已送达"}
    sound(page, tmp_path / "registry.png")
    page.goto(f"/documents/{sent}")
    page.get_by_role("link", name="催收", exact=True).click()
    sound(page)
    page.get_by_label("乙市人民政府").check()
    page.get_by_role("button", name="催收", exact=True).click()
    assert "已催收 1 次" in page.locator("tr", has_text="乙市人民政府").first.inner_text()
    page.get_by_role("link", name="撤回", exact=True).click()
    page.get_by_label("示范省卫生健康委员会").check()
    page.get_by_label("理由").fill("抄送有误")
    page.get_by_role("button", name="撤回", exact=True).click()
    assert page.locator("tr", has_text="示范省卫生健康委员会").first.locator(".tag").inner_text() == "已撤回"
    assert visit("dept-health-registrar").goto(f"/documents/{sent}").status == 404

    city = visit(REGISTRAR)
    city.goto(f"/documents/{sent}")
    city.get_by_role("link", name="转发下级", exact=True).click()
    sound(city, tmp_path / "redispatch.png")
    city.get_by_label("子县人民政府", exact=True).check()
    city.get_by_role("button", name="转发下级", exact=True).click()
    county = city.locator("tr", has_text="子县人民政府").first
    assert "由甲市人民政府转发" in county.inner_text()
    with site.client(REGISTRAR) as client:
        passed = client.documents.redispatch(sent, below="city-jia", level="county")
    assert passed == ["county-chou"]


def test_an_opinion(site, visit, sent):
    """Given, corrected, and seen by its own organ alone."""
    page = visit(LEADER)
    page.goto(f"/documents/{sent}")
    page.get_by_role("link", name="发表意见").click()
    page.get_by_label("意见", exact=True).fill("附表请补齐")
    page.get_by_role("button", name="提交").click()
    page.get_by_role("link", name="更正", exact=True).click()
    page.get_by_label("意见", exact=True).fill("附表二请补齐")
    page.get_by_role("button", name="提交").click()
    said = page.locator(".opinion")
    assert said.locator("> blockquote").all_inner_texts() == ["附表二请补齐"]
    assert said.locator("details blockquote").all_text_contents() == ["附表请补齐"]
    sound(page)
    other = visit("demo-registrar")
    other.goto(f"/documents/{sent}")
    assert other.locator(".opinion").count() == 0
