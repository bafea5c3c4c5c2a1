"""Writing in the browser: with scripts and without, kept, saved, in conflict; templates; versions compared."""

import re

import pytest
from playwright.sync_api import expect

from ops.demo.story import SAMPLE
from tests.support.browser import accessibility_faults
from yinxin.errors import YinxinError
from yinxin.manuscripts import BlockIn, PreviewIn, TemplateIn, TextIn

TITLE = "关于开展2026年度政务信息系统安全检查的通知"
SHORT = TextIn(
    title="关于检查的通知", blocks=(BlockIn(text="现将有关事项通知如下。"), BlockIn(kind="h1", text="范围"))
)


@pytest.fixture
def draft(site):
    """A new draft of the sample, by its identifier."""
    made = 0

    def draw() -> str:
        nonlocal made
        made += 1
        with site.client("demo-clerk") as client:
            return client.documents.draft(
                SAMPLE, reference=f"editor-{id(draw)}-{made}", recipients=["city-jia"]
            )

    return draw


def opened(page, document):
    page.goto(f"/documents/{document}/edit")
    page.wait_for_url(re.compile(r"/documents/write/"))
    return page


def begin(page):
    """Write from nothing: what goes with the text is asked first."""
    page.goto("/documents/new")
    page.get_by_label("甲市人民政府", exact=True).check()
    page.get_by_role("button", name="撰写正文").click()
    page.wait_for_url(re.compile(r"/documents/write/"))


def test_the_page_changes_as_one_types(site, visit, draft):
    page = opened(visit("demo-clerk", viewport={"width": 1400, "height": 900}), draft())
    sheets = page.locator("#pages svg.sheet")
    expect(sheets.first).to_be_visible()
    expect(page.locator("#standing")).to_contain_text("共 4 页")
    first = page.get_by_label("第 1 段的文字")
    first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("另有,一事。")
    # the comma is said where it stands, the words are on the page, and the cursor is shown there
    expect(page.locator("#remarks-0")).to_contain_text("“,”是半角标点")
    place = page.locator('#pages g[data-at="/body/0"] use[href$="-53e6"]')  # 另, in this paragraph alone
    expect(place).to_have_count(1)
    expect(page.locator("#pages .here .caret")).to_have_count(1)
    expect(page.locator("#kept")).to_contain_text("已暂存")
    # a click on the page goes to the words
    line = page.locator('#pages g[data-at="/body/4"]').first
    line.scroll_into_view_if_needed()
    line.click(force=True)  # between two characters it is the page that is met
    assert page.evaluate("document.activeElement.closest('.block').id") == "block-4"
    # a paragraph more, and back
    blocks = page.locator("#blocks > .block")
    many = blocks.count()
    page.keyboard.press("Enter")
    expect(blocks).to_have_count(many + 1)
    page.keyboard.press("Control+z")
    expect(blocks).to_have_count(many)
    assert accessibility_faults(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # nothing is lost with the window, and the save is a version
    page.reload()
    assert page.get_by_label("第 1 段的文字").input_value().endswith("另有,一事。")
    page.get_by_role("button", name="保存为新的一稿").click()
    page.get_by_role("link", name="历次稿和比较").click()
    assert page.locator(".comparison ins").all_inner_texts() == ["另有,一事。"]
    assert accessibility_faults(page) == []


def test_headings_tables_and_pasting_by_keyboard(site, visit):
    page = visit("demo-clerk")
    begin(page)
    page.get_by_label("标题", exact=True).fill("关于检查的通知")
    area = page.get_by_label("第 1 段的文字")
    area.click()
    page.keyboard.type("检查范围")
    page.keyboard.press("Control+Alt+Digit1")
    expect(page.locator("#block-0 .number")).to_have_text("一、")
    page.keyboard.press("Enter")
    page.evaluate(
        """() => {
        const data = new DataTransfer();
        data.setData('text/html', '<p class=MsoNormal>第一段。</p><table><tr><td>甲</td><td>乙</td></tr><tr><td>1</td><td>2</td></tr></table><p>二、要求</p>');
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
    kinds = [
        page.locator(f"#block-{n} .kind").input_value()
        for n in range(page.locator("#blocks > .block").count())
    ]
    assert kinds == ["h1", "p", "table", "h1"]
    cell = page.locator("#block-2").get_by_label("第 2 行第 2 列")
    cell.focus()
    page.keyboard.press("Control+Enter")
    page.keyboard.type("三")
    assert page.locator("#block-2").get_by_label("第 3 行第 2 列").input_value() == "三"
    expect(page.locator('#pages g[data-at="/body/2/rows/2/1"]')).to_have_count(1)
    page.get_by_role("button", name="保存草稿").click()
    page.wait_for_url(re.compile(r"/documents/[0-9a-z]{20,}$"))
    with site.client("demo-clerk") as client:
        text = client.documents.manuscript(page.url.rpartition("/")[2]).text
    assert [block.kind for block in text.blocks] == ["h1", "p", "table", "h1"]
    assert text.blocks[2].rows == (("甲", "乙"), ("1", "2"), ("", "三"))


def test_without_scripts_all_of_it_works(site, visit):
    page = visit("demo-clerk", java_script_enabled=False)
    begin(page)
    page.get_by_label("标题", exact=True).fill("关于检查的函")
    page.get_by_label("第 1 段的文字").fill("检查范围")
    page.get_by_label("第 1 段的类别").select_option("h1")
    page.get_by_role("button", name="加一段", exact=True).click()
    page.get_by_label("第 2 段的文字").fill("甲 | 乙\n1 | 2")
    page.get_by_label("第 2 段的类别").select_option("table")
    page.get_by_role("button", name="预览").click()
    assert page.locator("#block-0 .number").inner_text() == "一、"
    assert "应当以文种“通知”结尾" in page.locator("#remarks-title").inner_text()
    picture = page.locator("#pages img").first
    drawn = page.request.get(picture.get_attribute("src"))
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    page.get_by_role("button", name="加一行").click()
    page.get_by_label("第 3 行第 2 列").fill("四")
    page.get_by_role("button", name="删除第 2 行").click()
    assert [page.get_by_label(f"第 2 行第 {n} 列").input_value() for n in (1, 2)] == ["", "四"]
    # what is wrong is said, and nothing of it is lost
    page.get_by_role("button", name="保存草稿").click()
    assert "应当以文种“通知”结尾" in page.locator(".error-summary").inner_text()
    assert page.get_by_label("第 2 行第 2 列").input_value() == "四"
    page.get_by_label("标题", exact=True).fill("关于检查的通知")
    page.get_by_role("button", name="保存草稿").click()
    assert page.locator("h1").inner_text() == "关于检查的通知"


def test_two_windows_overwrite_nothing(site, visit, draft):
    document = draft()
    one, other = (opened(visit("demo-clerk", java_script_enabled=False), document) for _ in range(2))
    one.get_by_label("标题", exact=True).fill(f"一窗{TITLE}")
    one.get_by_role("button", name="暂存").click()
    other.get_by_label("标题", exact=True).fill(f"二窗{TITLE}")
    other.get_by_role("button", name="暂存").click()
    assert "已在另一个窗口改动" in other.locator("[role=alert]").inner_text()
    assert other.locator(".comparison del").all_inner_texts() == ["一"]
    assert other.locator(".comparison ins").all_inner_texts() == ["二"]
    with site.client("demo-clerk") as client:
        assert client.documents.manuscript(document).text.title == f"一窗{TITLE}"
    other.get_by_role("button", name="用本窗口的内容").click()
    assert other.get_by_label("标题", exact=True).input_value() == f"二窗{TITLE}"


def test_a_version_saved_meanwhile_is_not_overwritten(site, visit, draft):
    document = draft()
    page = opened(visit("demo-clerk", java_script_enabled=False), document)
    page.get_by_label("标题", exact=True).fill(f"我的{TITLE}")
    # meanwhile another text is handed in as a file
    elsewhere = visit("demo-clerk", java_script_enabled=False)
    elsewhere.goto(f"/documents/{document}/revise")
    elsewhere.get_by_label("正文文件").set_input_files(
        {"name": "新.md", "mimeType": "text/markdown", "buffer": f"# 别的{TITLE}\n\n正文。\n".encode()}
    )
    elsewhere.get_by_role("button", name="保存修改").click()
    page.get_by_role("button", name="保存为新的一稿").click()
    assert "公文已有第 2 稿" in page.locator("[role=alert]").inner_text()
    with site.client("demo-clerk") as client:
        assert client.documents.show(document).document.title == f"别的{TITLE}"
        assert [each.revision for each in client.documents.versions(document)] == [1, 2]
    # going past it is a decision of its own, and keeps every version
    page.get_by_role("button", name="看过了，仍把我的文稿存为新的一稿").click()
    with site.client("demo-clerk") as client:
        assert client.documents.show(document).document.title == f"我的{TITLE}"
        assert [each.verb for each in client.documents.versions(document)] == [
            "document.draft",
            "document.revise",
            "document.revise",
        ]


def test_revising_without_a_file_keeps_the_text(site, visit, draft):
    document = draft()
    page = visit("demo-clerk")
    page.goto(f"/documents/{document}/revise")
    page.get_by_label("紧急程度").select_option("加急")
    page.get_by_role("button", name="保存修改").click()
    with site.client("demo-clerk") as client:
        found = client.documents.show(document).document
        assert (found.title, found.urgency) == (TITLE, "加急")


def refused(code, act, *given):
    with pytest.raises(YinxinError) as problem:
        act(*given)
    assert problem.value.code == code, problem.value


def test_a_manuscript_is_nobody_elses(site, draft):
    document = draft()
    with site.client("demo-clerk") as clerk, site.client("demo-reviewer") as reviewer:
        mine = clerk.documents.manuscript(document)
        assert clerk.documents.keep(mine.id, mine.turn, SHORT) == mine.turn + 1
        assert clerk.documents.keep(mine.id, mine.turn, SHORT) == mine.turn + 1  # told twice, kept once
        refused("document.no_such_manuscript", reviewer.documents.keep, mine.id, mine.turn + 1, SHORT)
        refused("authz.denied", reviewer.documents.manuscript, document)
        changed = SHORT.model_copy(update={"title": "关于另一检查的通知"})
        refused("document.manuscript_moved_on", clerk.documents.keep, mine.id, mine.turn, changed)


def test_drafts_are_compared_within_their_organ_alone(site):
    with site.client("city-jia-registrar") as recipient, site.client("demo-reviewer") as own:
        assert recipient.documents.show(site.document).document.id == site.document
        refused("flow.not_found", recipient.documents.versions, site.document)
        refused("flow.not_found", recipient.documents.compare, site.document)
        assert own.documents.versions(site.document)


def test_a_preview_of_the_api_stands_by_itself(site):
    asked = PreviewIn(text=SHORT, kind="REPORT", recipients=("city-jia",))
    with site.client("demo-clerk") as client:
        found = client.documents.preview(asked)
        shared = client.documents.preview(asked.model_copy(update={"known": ()}))
        again = client.documents.preview(asked.model_copy(update={"known": tuple(shared.outlines)}))
    assert all("<defs>" in page for page in found.pages)
    assert found.labels == ["", "一、"]
    assert {each.at for each in found.remarks if each.grave} == {"title", "recipients"}
    assert shared.outlines
    assert again.outlines == {}
    assert again.pages == shared.pages


def test_a_template_is_kept_chosen_and_filled_in(site, visit):
    text = TextIn(
        title="关于【事项】的通知",
        blocks=(BlockIn(text="现就【事项】通知如下。"), BlockIn(text="特此通知。")),
    )
    page = visit("demo-clerk")
    with site.client("demo-clerk") as client:
        made = client.documents.make_template(
            TemplateIn(name="一般通知", kind="NOTICE", text=text, phrases=("请认真贯彻执行。",))
        )
        refused(
            "document.template_name_in_use",
            client.documents.make_template,
            TemplateIn(name="一般通知", kind="LETTER", text=text),
        )
    with site.client("demo-leader") as leader, site.client("city-jia-registrar") as other:
        assert leader.documents.template(made)[0].text == text
        refused("authz.denied", leader.documents.retire_template, made)
        refused("flow.not_found", other.documents.template, made)
        assert other.documents.templates() == []
    page.goto("/documents/new")
    page.get_by_label("甲市人民政府", exact=True).check()
    page.get_by_label("选用模板").select_option(label="一般通知（通知）")
    page.get_by_role("button", name="撰写正文").click()
    page.get_by_label("第 2 段的文字").focus()
    page.get_by_role("button", name="插入").click()
    assert "请认真贯彻执行。" in page.get_by_label("第 2 段的文字").input_value()
    page.get_by_label("标题", exact=True).fill("关于检查的通知")
    page.get_by_role("button", name="保存草稿").click()
    assert "模板中的待填项还没有填写：【事项】" in page.locator(".error-summary").inner_text()
    page.get_by_label("第 1 段的文字").fill("现就检查通知如下。")
    page.get_by_role("button", name="保存草稿").click()
    page.wait_for_url(re.compile(r"/documents/[0-9a-z]{20,}$"))
    # changed: the earlier version stays
    page.goto(f"/documents/templates/{made}/change")
    page.get_by_label("第 2 段的文字").fill("特此通知，请执行。")
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="保存模板").click()
    assert page.get_by_role("heading", name="第 2 版（现行）").is_visible()
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="停用模板").click()
    with site.client("demo-clerk") as client:
        assert client.documents.templates() == []
        assert [each.revision for each in client.documents.template(made)] == [1, 2]
        refused(
            "flow.wrong_state",
            client.documents.change_template,
            made,
            TemplateIn(name="一般通知", kind="NOTICE", text=text),
        )
