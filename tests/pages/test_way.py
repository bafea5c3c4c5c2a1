"""One document's way through the browser: every person of it, with scripts and without; and what is refused on the way."""

import base64
import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from ops.demo.story import SAMPLE
from tests.support.browser import accessibility_faults
from yinxin.crypto import cms

#: who has scripts where not all or none have
SCRIPTED = {"demo-clerk", "demo-leader", "city-jia-registrar"}
TITLE = "关于开展2026年度政务信息系统安全检查的通知"


def open_document(page, document):
    page.goto(f"/documents/{document}")
    return page


def press(page, name):
    """Press an act's button on the document's page and come back to it."""
    before = page.url
    page.locator(".acts").get_by_role("button", name=name, exact=True).click()
    assert page.url == before
    assert page.locator("h1").inner_text() == TITLE, page.locator("main").inner_text()


def sign(site, page, person, *, file=None):
    """What the person's own computer does: sign the very file that the page hands out."""
    link = page.get_by_role("link", name="下载声明").get_attribute("href")
    statement = base64.b64decode(link.partition("base64,")[2])
    signature = cms.sign_detached(site.identity(person), statement, signed_at=datetime.now(UTC))
    if file is None:
        page.get_by_label("命令输出的签名").fill(base64.b64encode(signature).decode())
    else:
        file.write_bytes(base64.b64encode(signature))
        page.get_by_label("或上传签名文件").set_input_files(file)
    page.get_by_role("button", name=re.compile("^确认")).click()


def compose(page, tmp_path):
    """The clerk composes: first wrongly, and everything is said at once; then rightly."""
    page.goto("/documents/new")
    page.get_by_role("button", name="保存草稿").click()
    summary = page.locator(".error-summary")
    assert summary.get_by_role("link", name=re.compile("正文文件")).is_visible()
    period_of_secrecy(page)
    page.get_by_label("按名称查找机关").fill("甲市")
    page.get_by_role("button", name="查找").click()
    expect(page.get_by_role("checkbox")).to_have_count(2)
    assert page.get_by_role("checkbox", name="抄送 甲市人民政府").is_visible()
    page.get_by_label("甲市人民政府", exact=True).check()
    page.get_by_label("紧急程度").select_option("加急")
    wrong = tmp_path / "wrong.md"
    wrong.write_text("# 关于开展安全检查的请示\n\n正文。\n", "utf-8")
    page.get_by_label("正文文件").set_input_files(wrong)
    page.get_by_role("button", name="保存草稿").click()
    assert "应当以文种“通知”结尾" in page.locator(".error-summary").inner_text()
    assert page.get_by_label("甲市人民政府", exact=True).is_checked()
    assert page.get_by_label("紧急程度").input_value() == "加急"
    page.get_by_label("正文文件").set_input_files(SAMPLE)
    page.get_by_role("button", name="保存草稿").click()
    page.wait_for_url(re.compile(r"/documents/[0-9a-z]{20,}$"))
    return page.url.rpartition("/")[2]


def period_of_secrecy(page):
    """Asked of secrets alone; what is wrong with it is said at its field."""
    assert not page.get_by_label("定密依据").is_visible()
    page.get_by_label("密级").select_option("confidential")
    page.get_by_label("期限长短").fill("5")
    page.get_by_label("解密条件").fill("项目验收后")
    page.get_by_label("正文文件").set_input_files(SAMPLE)
    page.get_by_role("button", name="保存草稿").click()
    assert "解密条件：保密期限只填一项" in page.locator(".error-summary").inner_text()
    page.get_by_label("解密条件").fill("")
    page.get_by_label("密级").select_option("internal")
    page.get_by_label("正文文件").set_input_files(SAMPLE)
    page.get_by_role("button", name="保存草稿").click()
    assert "密级：已填写保密期限或定密依据" in page.locator(".error-summary").inner_text()
    page.get_by_label("期限长短").fill("")


def looked_at_before_it_is_printed(clerk, document):
    """The draft's pages as they would print, by a link that works without JavaScript."""
    clerk.get_by_role("link", name="预览版面").click()
    pictures = clerk.locator(".sheet img")
    assert pictures.count() >= 2
    drawn = clerk.request.get(pictures.first.get_attribute("src"))
    assert drawn.body().startswith(b"\x89PNG")
    assert drawn.headers["cache-control"] == "no-store"
    clerk.get_by_role("link", name="返回公文").click()
    clerk.wait_for_url(f"**/documents/{document}")


@pytest.mark.parametrize(
    "scripts",
    ["some", pytest.param("all", marks=pytest.mark.slow), pytest.param("none", marks=pytest.mark.slow)],
)
def test_from_draft_to_receipt(site, visit, tmp_path, scripts):
    """By default some of the people have scripts and some have none; in the slow tier everybody, and nobody."""
    people = {}

    def has_scripts(person):
        return person in SCRIPTED if scripts == "some" else scripts == "all"

    def at(person):
        if person not in people:
            people[person] = visit(person, java_script_enabled=has_scripts(person), accept_downloads=True)
        return people[person]

    document = compose(at("demo-clerk"), tmp_path)
    press(at("demo-clerk"), "送审")
    assert at("demo-clerk").get_by_text("目前没有需要您办理的事项").is_visible()

    reviewer = open_document(at("demo-reviewer"), document)
    assert reviewer.get_by_text("全省各级行政机关、事业单位建设").is_visible()
    reviewer.get_by_role("link", name="退回修改").click()
    reviewer.get_by_role("button", name="退回").click()
    reviewer.locator(".error-summary").wait_for()
    reviewer.get_by_label("理由").fill("请核对附件")
    reviewer.get_by_role("button", name="退回").click()
    assert reviewer.locator("blockquote").inner_text() == "请核对附件"

    clerk = open_document(at("demo-clerk"), document)
    clerk.get_by_role("link", name="修改").click()
    assert clerk.get_by_label("甲市人民政府", exact=True).is_checked()
    assert clerk.get_by_label("紧急程度").input_value() == "加急"
    clerk.get_by_label("正文文件").set_input_files(SAMPLE)
    clerk.get_by_role("button", name="保存修改").click()
    clerk.wait_for_url(f"**/documents/{document}")
    if scripts != "all":
        looked_at_before_it_is_printed(clerk, document)
    press(clerk, "送审")
    press(open_document(reviewer, document), "核稿通过")

    leader = at("demo-leader")
    leader.goto("/documents/")
    leader.get_by_role("link", name=TITLE).first.click()
    leader.get_by_role("link", name="签发", exact=True).click()
    leader.get_by_text("示范省人民政府办公厅 · 办公厅主任").last.wait_for()
    if has_scripts("demo-leader"):
        leader.set_viewport_size({"width": 390, "height": 800})
        assert accessibility_faults(leader) == []
        assert leader.evaluate("document.documentElement.scrollWidth") == 390
    sign(site, leader, "demo-reviewer")
    assert "签名所用证书不是本次登录的证书" in leader.locator(".error-summary").inner_text()
    sign(site, leader, "demo-leader")
    assert leader.locator(".lead .tag").first.inner_text() == "已签发"

    registrar = open_document(at("demo-registrar"), document)
    press(registrar, "编号排版")
    number = registrar.locator(".lead").inner_text()
    assert re.match(r"示政办〔\d{4}〕\d+号", number)
    picture = registrar.locator(".sheet img").first
    assert registrar.request.get(picture.get_attribute("src")).body().startswith(b"\x89PNG")
    press(open_document(at("demo-seal"), document), "用印")
    press(open_document(registrar, document), "发文")

    receiver = at("city-jia-registrar")
    receiver.goto("/documents/")
    receiver.get_by_role("link", name=TITLE).first.click()
    receiver.get_by_role("link", name="签收", exact=True).click()
    sign(site, receiver, "city-jia-registrar", file=tmp_path / "signature.txt")
    row = receiver.locator("tr", has_text="甲市人民政府").first
    assert row.locator(".tag").inner_text() == "已签收"
    assert receiver.locator(".timeline li").last.get_by_text("签收").first.is_visible()

    open_document(registrar, document)
    with registrar.expect_download() as download:
        registrar.get_by_role("button", name="导出证据包").click()
    bundle = tmp_path / download.value.suggested_filename
    assert bundle.name.endswith("号.asice")
    download.value.save_as(bundle)
    stranger = visit(java_script_enabled=has_scripts(None))
    stranger.goto("/verify")
    stranger.get_by_label("要核验的文件").set_input_files(bundle)
    stranger.get_by_role("button", name="核验", exact=True).click()
    stranger.get_by_role("heading", name="全部成立").wait_for()
    assert stranger.get_by_text("签收了本文").is_visible()


def drafted(site, reference):
    """A draft over the API: how one is composed on the page is shown above."""
    with site.client("demo-clerk") as clerk:
        return clerk.documents.draft(SAMPLE, reference=reference, recipients=("city-jia",))


def test_a_copy_is_returned_with_a_signed_reason(site, visit):
    document = drafted(site, "returned")
    hurry(site, document)
    receiver = open_document(visit("city-jia-registrar"), document)
    receiver.get_by_role("link", name="退文").click()
    receiver.get_by_label("理由").fill("附件缺页")
    receiver.get_by_role("button", name="下一步：签名").click()
    receiver.get_by_text("附件缺页").wait_for()
    sign(site, receiver, "city-jia-registrar")
    row = receiver.locator("tr", has_text="甲市人民政府").first
    assert "附件缺页" in row.inner_text()
    assert row.locator(".tag").inner_text() == "已退文"


def hurry(site, document):
    """The same way over the API."""
    for person, act in (
        ("demo-clerk", "submit"),
        ("demo-reviewer", "approve"),
        ("demo-leader", "sign_off"),
        ("demo-registrar", "number"),
        ("demo-seal", "seal"),
        ("demo-registrar", "dispatch"),
    ):
        with site.client(person) as client:
            getattr(client.documents, act)(document)


def test_nobody_is_offered_or_allowed_what_is_not_hers(site, visit):
    document = drafted(site, "not hers")
    clerk = open_document(visit("demo-clerk"), document)
    assert clerk.locator(".acts").get_by_role("link", name="签发").count() == 0
    leader = open_document(visit("demo-leader"), document)
    assert leader.locator(".acts li").count() == 0
    answer = clerk.goto(f"/documents/{document}/sign/document.sign-off")
    assert answer.status == 403
    assert clerk.get_by_text("未获准许").first.is_visible()
    assert visit("city-jia-registrar").goto(f"/documents/{document}").status == 404
    for path in ("acts/document.read", "acts/nonsense", "sign/nonsense"):
        assert clerk.goto(f"/documents/{document}/{path}").status == 404


def test_a_button_pressed_twice_is_one_act(site, visit):
    document = drafted(site, "twice")
    clerk = open_document(visit("demo-clerk"), document)
    form = clerk.locator("form[action$='document.submit']")
    key = form.locator("input[name=_key]").get_attribute("value")
    address = form.get_attribute("action")
    headers = {"Sec-Fetch-Site": "same-origin"}
    answers = [
        clerk.request.post(address, form={"_key": key}, headers=headers, max_redirects=0) for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [303, 303]
    assert answers[0].headers["audit-entry"] == answers[1].headers["audit-entry"]
    open_document(clerk, document)
    assert clerk.locator(".timeline strong").all_inner_texts() == ["起草", "送审"]
    late = clerk.request.post(
        address,
        form={"_key": "another"},
        headers={**headers, "Accept": "text/html", "Referer": clerk.url},
        max_redirects=0,
    )
    assert late.status == 409
    assert "核稿中" in late.text()
    assert f'href="/documents/{document}"' in late.text()  # the way back
