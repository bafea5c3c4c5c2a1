"""Two cities issue one notice, in the browser: the clerk names the other, its leader refuses and then countersigns, the first one's signs off."""

import base64
import re
from datetime import UTC, datetime

from tests.support.browser import accessibility_faults
from yinxin.crypto import cms

TITLE = "关于联合开展安全检查的通知"


def sound(page):
    """No fault that axe finds, and nothing to scroll sideways for on a phone."""
    assert accessibility_faults(page) == []
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 390, page.url
    page.set_viewport_size(size)


def press(page, name):
    page.locator(".acts").get_by_role("button", name=name, exact=True).click()


def sign(site, page, person):
    link = page.get_by_role("link", name="下载声明").get_attribute("href")
    statement = base64.b64decode(link.partition("base64,")[2])
    signature = cms.sign_detached(site.identity(person), statement, signed_at=datetime.now(UTC))
    page.get_by_label("命令输出的签名").fill(base64.b64encode(signature).decode())
    page.get_by_role("button", name=re.compile("^确认")).click()


def test_three_people_of_two_cities(site, visit, tmp_path):
    file = tmp_path / "joint.md"
    file.write_text(f"# {TITLE}\n\n子县人民政府：\n\n请组织检查，逐项整改。\n", "utf-8")
    with site.client("city-jia-registrar") as clerk:
        document = clerk.documents.draft(file, reference="joint-page", recipients=("county-zi",))
    here = f"/documents/{document}"
    clerk = visit("city-jia-registrar", java_script_enabled=False)
    clerk.goto(here)
    clerk.get_by_role("link", name="联署和会签机关").click()
    clerk.get_by_label("联署 示范省财政厅").check()
    clerk.get_by_role("button", name="保存").click()
    assert "联合行文只能在同级机关之间" in clerk.locator("main").inner_text()
    clerk.goto(f"{here}/countersigners")
    clerk.get_by_label("联署 乙市人民政府").check()
    clerk.get_by_label("会签 示范省财政厅").check()
    clerk.get_by_label("会签 示范省财政厅").uncheck()
    clerk.get_by_role("button", name="保存").click()
    row = clerk.locator("section[aria-labelledby=countersigners] tr", has_text="乙市人民政府")
    assert "未送会签" in row.inner_text()
    press(clerk, "送审")
    own = visit("city-jia-leader")
    own.goto(here)
    press(own, "核稿通过，送会签")
    assert own.locator(".lead .tag").first.inner_text() == "会签中"
    assert own.get_by_role("link", name="签发", exact=True).count() == 0
    other = visit("city-yi-leader")
    other.goto("/documents/")
    other.get_by_role("link", name=TITLE).first.click()
    other.get_by_role("link", name="不同意会签").click()
    other.get_by_label("理由").fill("请写明检查时间")
    other.get_by_role("button", name="退回").click()
    assert "请写明检查时间" in other.locator(".timeline").inner_text()
    # the draft is mended, and named before its second review
    clerk.goto(here)
    clerk.get_by_role("link", name="修改", exact=True).click()
    file.write_text(f"# {TITLE}\n\n子县人民政府：\n\n请于年底前组织检查，逐项整改。\n", "utf-8")
    clerk.get_by_label("正文文件").set_input_files(file)
    clerk.get_by_role("button", name="保存修改").click()
    press(clerk, "送审")
    own.goto(here)
    press(own, "核稿通过，送会签")
    other.goto(here)
    sound(other)
    other.get_by_role("link", name="会签", exact=True).click()
    sign(site, other, "city-yi-leader")
    assert other.locator(".lead .tag").first.inner_text() == "待签发"
    own.goto(here)
    own.get_by_role("link", name="预览版面").click()
    assert own.locator(".sheet img").count() >= 1
    own.goto(here)
    own.get_by_role("link", name="签发", exact=True).click()
    sign(site, own, "city-jia-leader")
    row = own.locator("section[aria-labelledby=countersigners] tr", has_text="乙市人民政府")
    assert "已会签" in row.inner_text()
    clerk = visit("city-jia-registrar")
    with site.client("city-jia-registrar") as api:
        second = api.documents.draft(file, reference="joint-page-2", recipients=("county-zi",))
    clerk.goto(f"/documents/{second}/countersigners")
    sound(clerk)


def test_organs_of_other_sites_are_not_offered(site, visit, tmp_path):
    """子县东镇 is at another site, 子县西镇 at this one."""
    file = tmp_path / "order.md"
    file.write_text("# 关于公布联合规定的令\n\n现予公布，自公布之日起施行。\n", "utf-8")
    with site.client("demo-clerk") as clerk:
        document = clerk.documents.draft(
            file, reference="of-this-site", kind="ORDER", recipients=("city-jia",)
        )
    page = visit("demo-clerk", java_script_enabled=False)
    page.goto(f"/documents/{document}/countersigners")
    offered = {
        name: page.get_by_label(f"会签 {name}").count() for name in ("子县东镇人民政府", "子县西镇人民政府")
    }
    assert offered == {"子县东镇人民政府": 0, "子县西镇人民政府": 1}
    assert "逐行列出各机关签发人的职务和签名章" in page.locator("main").inner_text()
    page.get_by_label("按名称查找机关").fill("子县东镇")
    page.get_by_role("button", name="查找").click()
    assert "找到 0 个机关" in page.locator("main").inner_text()
