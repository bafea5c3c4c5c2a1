"""The exchange between sites in the browser: what waits for whom, one message's life, a file written by hand, a site proposed."""

from playwright.sync_api import expect

from tests.pages.test_seals import looked_at

NAME = "邻县站点"


def test_an_officer_looks_carries_and_proposes_without_scripts(site, visit, tmp_path):
    page = visit("demo-officer", java_script_enabled=False)
    page.goto("/console/exchange")
    row = page.get_by_role("row").filter(has_text=NAME)
    expect(row).to_contain_text("以移动介质传递")
    looked_at(page, "exchange")
    page.get_by_role("link", name=NAME).click()
    expect(page.get_by_text("town-zi-west", exact=False).first).to_be_visible()
    looked_at(page, "exchange-peer")
    page.get_by_role("link", name="提请按现有名片再次接纳").click()
    page.get_by_label("理由").fill("该站点新接收一个机关的公文")
    looked_at(page, "exchange-again")
    page.get_by_role("button", name="提交提案").click()
    expect(page.get_by_text("接纳邻县站点（county.example）", exact=False)).to_be_visible()

    card = tmp_path / "card"
    card.write_bytes(page.request.get("/console/exchange/peers/county.example/card").body())
    page.goto("/console/exchange/admit")
    looked_at(page, "exchange-admit")
    page.get_by_label("对方站点名片").set_input_files(card)
    page.get_by_label("与本站点的关系").select_option("neighbour")
    page.get_by_label("传递方式").select_option("medium")
    page.get_by_label("准予发往的最高密级").select_option("public")
    page.get_by_label("理由").fill("另有一个机关，名片已电话核对")
    page.get_by_role("button", name="提交提案").click()
    expect(page.get_by_text("另有一个机关，名片已电话核对")).to_be_visible()
    expect(page.get_by_text("接纳邻县站点（county.example）", exact=False)).to_be_visible()

    page.goto("/console/exchange/messages?peer=county.example&state=waiting")
    looked_at(page, "exchange-messages")
    page.get_by_role("link", name="county.example #1").click()
    expect(page.get_by_text("写入发件箱，编号并入链")).to_be_visible()
    expect(page.get_by_role("button", name="下载证据包")).to_have_count(0)
    looked_at(page, "exchange-message")
    exported = page.request.get("/console/exchange/messages.csv?peer=county.example").text()
    assert site.message in exported
    assert "county.example" in page.request.get("/console/exchange.csv").text()

    page.goto("/console/exchange/media")
    looked_at(page, "exchange-media")
    page.get_by_role("row").filter(has_text=NAME).get_by_role("link", name="写出").click()
    with page.expect_download() as begun:
        page.get_by_role("button", name="写出并下载").click()
    file = tmp_path / "medium"
    begun.value.save_as(file)
    assert file.read_bytes().startswith(b"yinxin-exchange-1\n")
    # our own file is nobody's message to us
    page.goto("/console/exchange/media")
    page.get_by_label("介质文件").set_input_files(file)
    page.get_by_role("button", name="收进", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("province.example")
    looked_at(page, "exchange-media-refused")


def test_whoever_does_not_look_after_it_sees_her_organs_messages(site, visit):
    page = visit("demo-registrar", language="en", viewport={"width": 390, "height": 900})
    page.goto("/console/exchange")
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
    expect(page.get_by_role("link", name="By hand")).to_have_count(0)
    page.get_by_role("link", name="county.example #1").click()
    expect(page.get_by_text("put into the outbox, numbered and chained")).to_be_visible()
    looked_at(page, "exchange-phone")
    other = visit("city-jia-registrar")
    other.goto(f"/console/exchange/messages/out/county.example/{site.message}")
    expect(other.get_by_text(f"没有消息 {site.message}")).to_be_visible()
