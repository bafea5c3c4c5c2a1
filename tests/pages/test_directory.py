"""The directory's pages: the tree found, filtered and exported; an organ and a person with their timelines."""

import csv
import io

from tests.support.browser import accessibility_faults


def test_the_tree_is_filtered_paged_and_exported(visit, site) -> None:
    page = visit("demo-clerk")
    page.goto("/console/organs")
    assert page.locator("tbody tr").count() == 18
    assert accessibility_faults(page) == []
    page.get_by_label("此机关及其下级").fill("city-jia")
    page.get_by_label("层级").select_option("county")
    page.get_by_role("button", name="筛选").click()
    assert page.locator("tbody th").all_inner_texts() == ["丑县人民政府", "子县人民政府"]
    with page.expect_download() as download:
        page.get_by_role("link", name="导出").click()
    text = download.value.path().read_text("utf-8-sig")
    assert [row["id"] for row in csv.DictReader(io.StringIO(text))] == ["county-chou", "county-zi"]


def test_an_organ_and_who_holds_its_posts(visit, site) -> None:
    page = visit("demo-clerk", language="en")
    page.goto("/console/organs/province-office")
    assert accessibility_faults(page) == []
    assert page.locator("h1").inner_text().startswith("General Office")
    page.locator("tbody a").first.click()
    assert "/console/people/" in page.url
    assert accessibility_faults(page) == []
    assert "to this day" in page.locator("tbody").inner_text()
    page.goto("/console/organs/nowhere")
    assert "nowhere" in page.locator("main").inner_text()


def test_strangers_are_sent_to_sign_in(visit) -> None:
    page = visit()
    page.goto("/console/organs")
    assert "/sign-in" in page.url
