"""Certificate profiles in the browser: what each demands in words, which versions there were, and who reads them."""

import csv
import json

from playwright.sync_api import expect

from tests.pages.test_certificates import looked_at
from tests.pages.test_credentials import refused


def rows(page, address):
    return list(csv.DictReader(page.request.get(address).text().lstrip("\ufeff").splitlines()))


def test_a_profile_is_found_and_read_in_words(site, visit):
    page = visit("demo-officer", java_script_enabled=False)
    page.goto("/console/my-certificates")
    page.get_by_role("link", name="证书模板").click()
    page.get_by_label("名称或标识").fill("通配符")
    page.get_by_role("button", name="筛选").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    looked_at(page)
    page.get_by_role("link", name="通配符服务器证书").click()
    main = page.locator("main")
    for word in (
        "系统和设备、机关",
        "协议只有 ACME",
        "您可以为本机关办理",
        "90 天，至多 398 天",
        "证明服务器身份（TLS）",
        "可以是 *. 开头的通配符",
        "抗量子算法：ml-dsa-44",
        "3072 至 8192 位",
    ):
        expect(main).to_contain_text(word)
    looked_at(page)
    # the whole text is there, and the version is its digest
    page.locator("summary").click()
    said = json.loads(page.locator("details pre").text_content())
    assert said["wildcards"] is True
    for name, word in (
        ("person-encryption", "由密钥管理中心制作和托管"),
        ("root", "无人可以申请"),
        ("organ-seal", "统一社会信用代码"),
    ):
        page.goto(f"/console/profiles/{name}")
        expect(main).to_contain_text(word)


def test_what_the_filters_find_is_what_the_export_has(site, visit):
    page = visit("demo-auditor")
    every = rows(page, "/console/profiles.csv")
    assert len(every) == 27
    for asked, holds in (
        ("holder=person", lambda row: "person" in row["holders"].split()),
        ("suite=sm", lambda row: "sm2" in row["keys"].split()),
        ("asked=no", lambda row: row["name"] in ("root", "tsa") or row["asked_for"] == "no"),
    ):
        found = rows(page, f"/console/profiles.csv?{asked}")
        assert found == [row for row in every if holds(row)], asked
        assert 0 < len(found) < len(every)
        page.goto(f"/console/profiles?{asked}")
        assert page.locator("tbody tr").count() == len(found)
    counts = {row["name"]: int(row["in_force"]) for row in every}
    for name in ("person-signing", "tls-server"):
        listed = rows(page, f"/console/certificates.csv?profile={name}&state=issued")
        assert counts[name] == len(listed), name
    assert counts["person-signing"] > 0


def test_every_profile_has_its_page_in_both_languages(site, visit):
    """Seen to fail with a purpose that has no words."""
    page = visit("demo-officer")
    for row in rows(page, "/console/profiles.csv"):
        for language in ("zh", "en"):
            answer = page.request.get(f"/console/profiles/{row['name']}?lang={language}")
            assert answer.status == 200, row["name"]
            text = answer.text()
            assert row["hash"] in text
            assert row[f"title_{language}"] in text
        version = page.request.get(f"/console/profiles/{row['name']}?version={row['hash']}")
        assert version.status == 200


def test_who_looks_after_no_certificates_reads_no_profiles(site, visit):
    """On record; and what there is not is said so."""
    for person, opens in (("demo-clerk", 403), ("emergency-officer", 200), ("demo-auditor", 200)):
        page = visit(person)
        for path in ("/console/profiles", "/console/profiles.csv", "/console/profiles/tls-server"):
            answer = page.request.get(path)
            assert answer.status == opens, (person, path)
            if opens == 403:
                assert ("ca.read", "authz.denied", person) in refused(site, answer)
    assert page.request.get("/console/profiles/nonsense").status == 422
    assert page.request.get("/console/profiles/tls-server?version=" + "0" * 64).status == 404
    assert page.request.get("/console/profiles/tls-server?version=x").status == 422
    # a tenant's officer reads how many there are in her own part of the tree alone
    tenants, whole = (
        {row["name"]: int(row["in_force"]) for row in rows(visit(each), "/console/profiles.csv")}
        for each in ("emergency-officer", "demo-auditor")
    )
    assert 0 < tenants["person-signing"] < whole["person-signing"]
    assert not any(tenants[name] for name in tenants if name != "person-signing")
