"""The directory is loaded by several people: what the approver is told of it, and that it is done as one."""

import pytest

from authz.directory.proposal import LOAD
from authz.errors import BadDivision, PowersMeet
from authz.proposal.errors import ApproverConcerned, BadProposal
from tests.authz.conftest import PROVINCE
from tests.authz.offices import REASON, Office

pytestmark = pytest.mark.engines("any")

TOWN = {"id": "town-b", "parent": "county-b", "name_zh": "西镇人民政府", "name_en": "West Town", "short_name": "西政", "level": "township", "division": "990122100"}  # fmt: skip
MORE = {
    "organs": [TOWN, {**PROVINCE["organs"][0], "name_zh": "示范省政府"}, PROVINCE["organs"][1]],
    "posts": [{"id": "audit-b", "organ": "town-b", "name_zh": "审计岗", "name_en": "Auditor", "roles": ["auditor"]}],
    "people": [{"id": "ma", "name": "马骁", "clearance": "internal"}],
    "appointments": [{"person": "ma", "post": "audit-b", "valid_from": "2026-11-01T00:00:00+08:00"}],
}  # fmt: skip


@pytest.fixture
def office(office: Office) -> Office:
    return office.carrying_out(LOAD)


def proposed(office: Office, content: object, by: str = "zhao") -> str:
    return str(
        office.proposals.propose(office.actor(by), "authz.load-directory", content, reason=REASON).row.id
    )


def test_it_is_told_and_loaded_once(office: Office) -> None:
    id_ = proposed(office, MORE, by="qian")
    told = [each.zh for each in office.proposals.show(office.actor("qin"), id_).described]
    assert told[0].startswith("导入 3 个机关")
    assert "ma 任 audit-b（审计员），自 2026-11-01T00:00:00+08:00" in told
    assert "新增机关 town-b 西镇人民政府" in told
    assert "变更机关 province 示范省政府" in told
    assert "新增岗位 audit-b 审计岗 [auditor]" in told
    assert not [each for each in told if "甲市" in each]  # what stays as it is need not be read
    for person in ("qin", "han"):
        office.approve(id_, person)
    assert office.execute(id_, "qian") == "executed"
    assert office.site.authz.directory.organ("town-b").path == ("town-b", "county-b", "city", "province")
    shown = office.proposals.show(office.actor("qin"), id_)
    assert shown.row.outcome == {"added": 4, "changed": 1, "same": 1}


def test_what_breaks_a_rule_is_not_loaded(office: Office) -> None:
    with pytest.raises(BadDivision):
        proposed(office, {"organs": [{**TOWN, "division": "x"}]})
    with pytest.raises(BadProposal):
        proposed(office, {"organs": [{**TOWN, "head": "zhao"}]})
    id_ = proposed(office, appointing("bo", "auditor"))
    for person in ("qin", "han"):
        office.approve(id_, person)
    with pytest.raises(PowersMeet):
        office.execute(id_)
    assert office.state(id_) == "failed"
    assert len(office.site.authz.directory.appointments_of("bo")) == 1


def appointing(person: str, post: str, **more: object) -> dict[str, list[dict[str, object]]]:
    return {
        "appointments": [{"person": person, "post": post, "valid_from": "2026-01-01T00:00:00+08:00", **more}]
    }


def test_whom_a_file_gives_something_has_no_say_in_it(office: Office) -> None:
    """Seen to fail when: `gaining` leaves out one of the ways in which somebody gets more."""
    posts = [
        {"id": "officer-han", "organ": "province", "name_zh": "安全管理岗", "name_en": "Security officer"}
    ]
    giving = {
        "a post": appointing("han", "deputy"),
        "more in a post": {"posts": [posts[0] | {"roles": ["security-officer", "registration-officer"]}]},
        "a clearance": {"people": [{"id": "han", "name": "han", "clearance": "top-secret"}]},
    }
    for name, content in giving.items():
        id_ = proposed(office, content)
        with pytest.raises(ApproverConcerned):
            office.approve(id_, "han")
        assert "han" not in {each for each, _ in office.proposals.show(office.actor("qin"), id_).may_approve}
        with pytest.raises(ApproverConcerned):
            proposed(office, content, by="han")
        assert office.approve(id_, "qin") == "open", name
    for content in (
        appointing("han", "officer-han"),
        appointing("han", "officer-han", valid_to="2027-01-01T00:00:00+08:00"),
        {"people": [{"id": "han", "name": "韩", "clearance": "internal"}]},
    ):
        assert office.approve(proposed(office, content), "han") == "open"
