"""Policies and grants over HTTP: each operation, by whom it is for and by whom it is not."""

import re
from datetime import timedelta

import pytest

from authz.version.errors import PoliciesUnchanged
from tests.authz.hall import OTHERS, hall, refused
from tests.authz.offices import REASON
from tests.authz.test_change import BASIS
from tests.authz.test_versions import EVERYBODY_READS, LEADERS_EDIT
from yinxin.clock import rfc3339

__all__ = ["hall"]

pytestmark = pytest.mark.engines("any")
KEEPERS_EDIT = """
@id("site.keepers-edit")
@zh("印章保管人可修改本机关文稿")
@en("seal keepers edit papers of the own organ")
permit (principal, action == Action::"test.edit", resource is Paper)
when { principal.roles.contains("seal-keeper") && resource.organ == principal.organ };
"""


def test_versions_and_their_text(hall):
    for officer in ("zhao", "sun"):
        _, listed = hall.api(officer, "GET", "/policies/versions")
        assert listed["items"][-1]["number"] == 1
        _, one = hall.api(officer, "GET", "/policies/versions/1")
        assert '@id("base.three-powers")' in one["text"]
        assert one["types"] == hall.authz.decisions.versions.version(1)[1].schema
        assert hall.api(officer, "GET", "/policies/in-force")[1]["number"] == listed["items"][0]["number"]
    assert hall.api("zhao", "GET", "/policies/versions/99")[1]["code"] == "authz.unknown_policy_version"
    for path in ("/policies/versions", "/policies/versions/1", "/policies/in-force"):
        refused(hall, "GET", path)


def test_a_set_is_proved_and_compared_before_it_is_proposed(hall):
    """Seen to fail when: `permit_reading` asks nobody."""
    now = hall.authz.decisions.policies
    _, proof = hall.api("sun", "POST", "/policies/proof", {"text": now.text})
    assert (proof["holds"], all(each["holds"] for each in proof["theorems"])) == (True, True)
    _, wider = hall.api("zhao", "POST", "/policies/difference", {"text": now.text + LEADERS_EDIT})
    assert wider["sound"]
    assert [
        (each["roles"], each["place"], each["people"], each["names"]) for each in wider["differences"]
    ] == [
        (["leader"], "below", 1, ["李堃"]),
        (["leader"], "own", 1, ["李堃"]),
    ]
    _, holed = hall.api("zhao", "POST", "/policies/difference", {"text": now.text + EVERYBODY_READS})
    assert not holed["sound"]
    broken = [each for each in holed["proof"]["theorems"] if not each["holds"]]
    assert broken[0]["policies"] == ["site.clerks-read"]
    assert broken[0]["counterexample"]["zh"].startswith("经办人可以对上级机关的 Paper")
    status, problem = hall.api("zhao", "POST", "/policies/difference", {"text": now.text})
    assert (status, problem["code"]) == (409, PoliciesUnchanged.code)
    for text in ("permit (", now.text + LEADERS_EDIT.replace("leaders-edit", "base.three-powers")):
        assert hall.api("zhao", "POST", "/policies/proof", {"text": text})[0] == 422
    for path in ("/policies/proof", "/policies/difference"):
        refused(hall, "POST", path, {"text": now.text})


def test_a_change_by_http_from_the_text_to_the_next_version(hall):
    _, current = hall.api("zhao", "GET", "/policies/in-force")
    content = {
        "text": current["text"] + LEADERS_EDIT,
        "types": current["types"],
        "note": "领导可改文稿",
        "made_from": current["number"],
    }
    body = {"kind": "authz.change-policies", "content": content, "reason": REASON, "basis": BASIS}
    assert hall.api("sun", "POST", "/proposals", body)[0] == 403
    status, made = hall.api("zhao", "POST", "/proposals", body)
    assert status == 201, made
    hall.agreed(made["id"])
    _, listed = hall.api("sun", "GET", "/policies/versions")
    assert [each["number"] for each in listed["items"]] == [2, 1]
    assert (listed["items"][0]["proposal"], listed["items"][0]["shipped"]) == (made["id"], False)


def granted(hall, holder="person:zhang", organ="county-b", **more):
    now = hall.clock.now()
    content = {
        "template": "test.grant-reading",
        "holder": holder,
        "organ": organ,
        "valid_from": rfc3339(now),
        "valid_to": rfc3339(now + timedelta(days=30)),
        "source": "子府办〔2026〕3 号",
        **more,
    }
    body = {"kind": "authz.grant", "content": content, "reason": REASON}
    status, made = hall.api("zhao", "POST", "/proposals", body)
    assert status == 201, made
    hall.agreed(made["id"])
    return hall.api("zhao", "GET", f"/proposals/{made['id']}")[1]["outcome"]["grant"]


def test_grants_are_listed_shown_and_revoked(hall):
    """Seen to fail when: the template's condition is left out of `listed_for`."""
    first, second = granted(hall), granted(hall, "post:clerk-a", "county-a")

    def found(who="zhao", **query):
        status, page = hall.api(who, "GET", "/grants", query_string=query)
        assert status == 200, page
        return [each["id"] for each in page["items"]]

    assert found() == [first, second]
    assert found("sun", under="city") == [first, second]
    assert found(under="county-a") == [second]
    assert found(holder="person:zhang") == [first]
    assert found(template="test.grant-reading") == [first, second]
    assert found(template="other") == []
    _, page = hall.api("zhao", "GET", "/grants", query_string={"limit": 1})
    assert found(after=page["next"]) == [second]
    assert hall.api("zhao", "GET", "/grants", query_string={"under": "nowhere"})[0] == 404
    _, one = hall.api("sun", "GET", f"/grants/{first}")
    assert (one["holder"], one["state"], one["granted_by"]) == ("person:zhang", "in-force", "zhao")
    refused(hall, "GET", "/grants")
    refused(hall, "GET", "/grants?under=city", people=("bo",))
    assert hall.api("zhang", "GET", f"/grants/{first}")[0] == 404
    revocation = f"/grants/{first}/revocation"
    assert hall.api("zhao", "POST", revocation, {"reason": ""})[0] == 422
    assert hall.api("zhang", "POST", revocation, {"reason": "?"})[0] == 404
    refused(hall, "POST", revocation, {"reason": "?"}, people=("sun",))
    _, ended = hall.api("zhao", "POST", revocation, {"reason": "借调结束"})
    assert (ended["state"], ended["revoked_because"]) == ("revoked", "借调结束")
    assert hall.api("zhao", "POST", revocation, {"reason": "again"})[1]["code"] == "authz.grant_over"
    assert found(in_force="true") == [second]


def test_what_can_be_granted(hall):
    _, templates = hall.api("sun", "GET", "/grant-templates")
    assert [each["id"] for each in templates["items"]] == ["test.grant-reading"]
    assert templates["items"][0]["actions"]
    refused(hall, "GET", "/grant-templates")


def test_pages_of_policies(hall):
    """Seen to fail when: the page of a broken set offers to propose it."""
    for person in ("zhao", "sun"):
        assert "授权策略" in hall.page(person, "/console/authorization").text
        assert "第 1 版" in hall.page(person, "/console/policies").text
        assert "base.three-powers" in hall.page(person, "/console/policies/1").text
    assert "试算并提出变更" not in hall.page("sun", "/console/policies").text
    now = hall.authz.decisions.versions.current()
    text = hall.page("zhao", f"/console/policies/{now.number}/policies").text
    assert text == now.policies.text
    assert hall.page("zhao", "/console/policies.csv").text.startswith("\ufeffnumber,in_force_from")
    holed = hall.page("zhao", "/console/policies/change", {"text": text + EVERYBODY_READS})
    assert "不成立：" in holed.text
    assert "反例：经办人可以对上级机关的 Paper" in holed.text
    assert "提出，交他人批准" not in holed.text
    wider = hall.page("zhao", "/console/policies/change", {"text": text + KEEPERS_EDIT}, "en")
    assert "Every theorem holds" in wider.text
    assert "王䶮" in wider.text
    fields = {name: hidden(wider, name) for name in ("text", "types", "made_from")}
    wrong = hall.page("zhao", "/console/policies/change/proposal", {**fields, "reason": REASON})
    assert wrong.status_code == 422
    assert hidden(wrong, "text") == fields["text"]
    whole = {**fields, "reason": REASON, "basis": BASIS}
    assert hall.page("sun", "/console/policies/change/proposal", whole).status_code == 403
    made = hall.page("zhao", "/console/policies/change/proposal", whole)
    assert made.status_code == 303
    seen = hall.page("qin", made.location).text
    for told in ("各项定理全部成立", "印章保管人", "王䶮", "site.keepers-edit"):
        assert told in seen
    assert hall.page("zhao", "/console/policies/change", {"text": ""}).status_code == 422
    for person in OTHERS:
        assert hall.page(person, "/console/policies").status_code == 403
        assert hall.last()["verb"] == "authz.read-policies"
        assert hall.page(person, "/console/policies/change", {"text": text}).status_code == 403
    assert hall.page("zhang", "/console/authorization").status_code == 403


def test_pages_of_grants(hall):
    given = granted(hall, "person:wang", "town")
    for person in ("zhao", "sun"):
        assert "王䶮" in hall.page(person, "/console/grants?holder=person:wang").text
        assert "东镇人民政府" in hall.page(person, f"/console/grants/{given}").text
    assert "没有符合条件的记录" in hall.page("zhao", "/console/grants?holder=person:nobody").text
    lines = hall.page("zhao", "/console/grants.csv?state=in-force").text.splitlines()
    assert any(given in line and "person:wang" in line for line in lines[1:])
    assert "人员 · 张喆 · zhang" in hall.page("zhao", "/console/grants/new?find_holder=张").text
    form = {"template": "test.grant-reading", "holder": "post:clerk-a", "organ": "county-b", "days": "0"}
    wrong = hall.page("zhao", "/console/grants/new", {**form, "source": "x"})
    assert (wrong.status_code, "error-summary" in wrong.text) == (422, True)
    form |= {"days": "30", "source": "子府办〔2026〕4 号", "reason": REASON}
    assert hall.page("sun", "/console/grants/new", form).status_code == 403
    made = hall.page("zhao", "/console/grants/new", form)
    assert "子县人民政府的岗位“经办岗”" in hall.page("qin", made.location).text
    revocation = f"/console/grants/{given}/revocation"
    assert "撤销立即生效" in hall.page("zhao", revocation).text
    assert hall.page("sun", revocation, {"reason": "?"}).status_code == 403
    assert hall.page("zhao", revocation, {"reason": ""}).status_code == 422
    assert hall.page("zhao", revocation, {"reason": "不再需要"}).status_code == 303
    assert "不再需要" in hall.page("sun", f"/console/grants/{given}").text
    for person in OTHERS:
        for path in ("/console/grants", "/console/grants.csv", "/console/grants/new"):
            assert hall.page(person, path).status_code == 403


def hidden(answer, name):
    """The value of a hidden field."""
    return re.search(rf'name="{name}" value="([^"]*)"', answer.text)[1]
