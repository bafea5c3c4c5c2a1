"""Reviews, who may what, and imports, over HTTP and as pages: by whom they are for and by whom they are not."""

import csv
import io
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from authz.directory import DirectoryFile
from authz.grant import Wanted
from authz.models import AppointmentRow
from tests.authz.hall import OTHERS, Hall, refused
from tests.authz.offices import REASON
from tests.authz.test_roster import APPOINTMENTS, ORGANS, PEOPLE, POSTS
from yinxin.act import SYSTEM
from yinxin.clock import rfc3339

pytestmark = pytest.mark.engines("any")
#: the personnel officer of county A; the clerk, whom nobody let in, and the administrator
PERSONNEL = {
    "posts": [{"id": "officer-ren", "organ": "county-a", "name_zh": "人事岗", "name_en": "Personnel", "roles": ["personnel-officer"]}],
    "people": [{"id": "ren", "name": "任远", "clearance": "internal"}],
    "appointments": [{"person": "ren", "post": "officer-ren", "valid_from": "2026-01-01T00:00:00+08:00"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def hall(tmp_path_factory):
    made = Hall(tmp_path_factory.mktemp("hall"))
    made.authz.directory.load(SYSTEM, DirectoryFile.parse(PERSONNEL))
    yield made
    made.close()


def test_a_review_over_http(hall):
    """Seen to fail when: `permit_reading` is left out of `shown_for`."""
    body = {"organ": "county-a", "deadline": rfc3339(hall.clock.now() + timedelta(days=30))}
    assert hall.api("zhao", "POST", "/reviews/scope", body)[1] == {"items": 3}
    refused(hall, "POST", "/reviews", body, people=(*OTHERS, "sun", "ren"))
    soon = {**body, "deadline": rfc3339(hall.clock.now())}
    assert hall.api("zhao", "POST", "/reviews", soon)[1]["code"] == "authz.review_too_short"
    status, begun = hall.api("zhao", "POST", "/reviews", body)
    assert (status, begun["items"]) == (201, 3)
    path = f"/reviews/{begun['id']}"
    _, here = hall.api("ren", "GET", path)
    assert (here["organ"], here["items"]) == ("county-a", 3)
    _, page = hall.api("ren", "GET", f"{path}/appointments", query_string={"limit": 2})
    assert [each["person"] for each in page["items"]] == ["ren", "wang"]
    _, more = hall.api("ren", "GET", f"{path}/appointments", query_string={"after": page["next"]})
    assert [each["person"] for each in more["items"]] == ["zhang"]
    for person in ("sun", "zhao", "ren"):
        assert [each["id"] for each in hall.api(person, "GET", "/reviews")[1]["items"]] == [begun["id"]]
    assert hall.api("bo", "GET", "/reviews")[1]["items"] == []
    assert hall.api("bo", "GET", path)[0] == 404
    for address in ("/reviews", path, f"{path}/appointments"):
        refused(hall, "GET", address)
        refused(hall, "GET", f"{address}?under=city", people=("ren",))
    decide = f"{path}/decisions"
    clerk = {"person": "zhang", "post": "clerk-a", "outcome": "confirmed"}
    refused(hall, "POST", decide, clerk, people=(*OTHERS, "sun", "bo"))
    refused(hall, "POST", decide, {**clerk, "person": "ren", "post": "officer-ren"}, people=("ren",))
    assert hall.api("ren", "POST", decide, clerk)[1]["decided_by"] == "ren"
    assert hall.api("ren", "POST", decide, clerk)[0] == 409
    assert hall.api("ren", "GET", path)[1]["undecided"] == 2


def test_a_review_on_its_pages(hall):
    """Seen to fail when: `under` is left out of `items`."""
    assert hall.page("zhao", "/console/reviews/new").status_code == 200
    wrong = hall.page("zhao", "/console/reviews/new", {"organ": "county-a", "days": "3"})
    assert (wrong.status_code, "error-summary" in wrong.text) == (422, True)
    assert hall.page("sun", "/console/reviews/new", {"organ": "county-a", "days": "30"}).status_code == 403
    made = hall.page("zhao", "/console/reviews/new", {"organ": "city", "days": "30"})
    page = hall.page("ren", made.location.split("?")[0]).text
    buttons = re.findall(r'action="([^"]+/(?:confirmed|ended))"', page)
    assert len(buttons) == 4, "the clerk's and the seal keeper's, not her own"
    assert "任远" in page
    assert "李堃" not in page, "of the review of the whole city only what is of her organ"
    assert 'value="0" max="3"' in page
    assert "/confirmed" not in hall.page("sun", made.location).text
    (ended,) = [each for each in buttons if "/wang/" in each and each.endswith("ended")]
    assert hall.page("sun", ended, {}).status_code == 403
    assert hall.page("zhao", ended, {}).status_code == 303
    after = hall.page("zhao", made.location.split("?")[0]).text
    assert "已终止" in after
    export = hall.page("zhao", made.location.split("?")[0] + "/appointments.csv?state=undecided").text
    assert [line.split(",")[0] for line in export.splitlines()[1:]] == ["bo", "li", "ren", "zhang", "zhao"]
    for person in ("zhao", "sun", "ren"):
        assert "任职复核" in hall.page(person, "/console/reviews").text
    assert hall.page("zhao", "/console/reviews.csv?state=open").text.count("\n") == 3
    for person in OTHERS:
        for path in ("/console/reviews", "/console/reviews.csv", "/console/reviews/new", made.location):
            assert hall.page(person, path).status_code == 403


def test_who_may_what(hall):
    """Seen to fail when: `_add_grants` forgets the organs above; `_there` is left out of `conflicts`."""
    now = hall.clock.now()
    with hall.store.act(SYSTEM, "test.grant", "grant:new") as act:
        wanted = Wanted(
            "test.grant-reading", "organ:city", "county-b", now, now + timedelta(days=9), "甲办〔2026〕1 号"
        )
        hall.authz.grants.give(act.session, SYSTEM, wanted)
    _, first = hall.api("zhao", "GET", "/matrix", query_string={"limit": 2})
    _, rest = hall.api("zhao", "GET", "/matrix", query_string={"after": first["next"]})
    people = [each["person"] for each in (*first["items"], *rest["items"])]
    assert people == ["li", "zhao", "zhang", "ren", "bo"]
    assert (rest["items"][0]["roles"], rest["items"][0]["grants"]) == (
        ["clerk"],
        ["test.grant-reading@county-b"],
    )
    assert hall.api("ren", "GET", "/conflicts")[1] == {"items": []}
    dormant = hall.api("zhao", "GET", "/dormant", query_string={"days": 30})[1]["items"]
    assert [each["person"] for each in dormant] == ["li"]
    for path in ("/matrix", "/conflicts", "/dormant"):
        refused(hall, "GET", path)
        refused(hall, "GET", f"{path}?under=province", people=("zhao", "ren"))
    page = hall.page("sun", "/console/matrix").text
    assert "没有冲突" in page
    assert "示范省人民政府" in page
    assert "张喆" in hall.page("sun", "/console/matrix/people?under=county-a").text
    assert hall.page("sun", "/console/matrix.json?under=county-a").get_json()[0]["person"] == "zhang"
    table = list(csv.DictReader(io.StringIO(hall.page("ren", "/console/matrix.csv").text.lstrip("\ufeff"))))
    assert [row["roles"] for row in table] == ["clerk", "personnel-officer"]
    assert "李堃" in hall.page("sun", "/console/dormant?under=city").text
    assert "li," in hall.page("sun", "/console/dormant.csv?under=city").text
    for person in OTHERS:
        for path in ("/console/matrix", "/console/matrix/people", "/console/matrix.csv", "/console/matrix.json", "/console/dormant", "/console/dormant.csv"):  # fmt: skip
            assert hall.page(person, path).status_code == 403
    with hall.store.act(SYSTEM, "test.appoint", "appointment:bo") as act:  # past every check
        act.session.add(AppointmentRow(person="bo", post="auditor", valid_from=now))
    assert [each["person"] for each in hall.api("sun", "GET", "/conflicts")[1]["items"]] == ["bo"]
    assert hall.api("ren", "GET", "/conflicts")[1]["items"] == []
    assert "平台已拒绝其一切操作" in hall.page("sun", "/console/matrix?under=county-b").text
    with hall.store.act(SYSTEM, "test.appoint", "appointment:bo") as act:
        act.session.execute(
            sa.delete(AppointmentRow).where(AppointmentRow.post == "auditor", AppointmentRow.person == "bo")
        )


def table(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def tables(**changed):
    """The form's files: fresh ones each time, for each is read once."""
    rows = {"organs": ORGANS, "posts": POSTS, "people": PEOPLE, "appointments": APPOINTMENTS, **changed}
    return {name: (io.BytesIO(table(each)), f"{name}.csv") for name, each in rows.items()}


def sent(hall, person, path, files, **more):
    answer = hall.client.post(
        f"/api/authz/v1/imports{path}",
        data={**files, **more},
        headers=hall.headers(person),
        base_url="https://trust.example.gov.cn",
    )
    return answer.status_code, answer.get_json()


def test_an_import_from_its_faults_to_its_end(hall):
    """Seen to fail when: `carry_out` does not compare digests."""
    faulty = [{**PEOPLE[0], "clearance": "sky-high"}, *PEOPLE[1:]]
    status, report = sent(hall, "qian", "/rehearsal", tables(people=faulty))
    assert (status, report["faults"]) == (200, 2)
    assert (report["findings"][0]["file"], report["findings"][0]["line"]) == ("people.csv", 2)
    status, report = sent(hall, "zhao", "/rehearsal", tables())
    assert (report["faults"], report["counts"]["organs"]["new"]) == (0, 2)
    for person in ("zhang", "sun"):
        assert sent(hall, person, "/rehearsal", tables())[1]["code"] == "authz.denied"
        assert hall.page(person, "/console/imports").status_code == 403
    assert sent(hall, "zhao", "/rehearsal", {"other": (io.BytesIO(b"x"), "other.csv")})[0] == 422
    why = '{"reason": "按编制批复导入名录表"}'
    assert sent(hall, "qian", "", tables(people=faulty), body=why)[1]["code"] == "authz.roster_faulty"
    status, made = sent(hall, "qian", "", tables(), body=why)
    assert (status, made["digest"]) == (201, report["digest"])
    assert sent(hall, "zhao", f"/{made['proposal']}/execution", tables())[0] == 409

    page = hall.page("qian", "/console/imports/new", tables(people=faulty)).text
    assert "sky-high" not in page
    assert "people.csv" in page
    assert "提出，交他人批准" not in page
    page = hall.page("qian", "/console/imports/new", tables())
    fields = {name: hidden(page, name) for name in ("digest", "counts")}
    wrong = hall.page("qian", "/console/imports/new/proposal", {**fields, "reason": "?"})
    assert (wrong.status_code, hidden(wrong, "digest")) == (422, report["digest"])
    proposed = hall.page("qian", "/console/imports/new/proposal", {**fields, "reason": REASON})
    id_ = proposed.location.rpartition("/")[2]
    assert id_ in hall.page("qian", "/console/imports").text
    for person in ("qin", "han"):
        hall.office.approve(id_, person)
    assert f"/console/imports/{id_}/execution" in hall.page("qian", proposed.location).text
    execution = f"/console/imports/{id_}/execution"
    assert "交出获批的那一份表" in hall.page("qian", execution).text
    other = hall.page("qian", execution, tables(people=PEOPLE[:1]))
    assert other.status_code == 409
    assert hall.office.state(id_) == "approved", "the wrong tables leave the proposal as it was"
    assert hall.page("zhang", execution, tables()).status_code in (403, 404)
    assert hall.page("qian", execution, tables()).status_code == 303
    assert hall.office.state(id_) == "executed"
    assert hall.authz.directory.person("he").name == "何䶮"


def hidden(answer, name):
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', answer.text)
    return found[1].replace("&#34;", '"')
