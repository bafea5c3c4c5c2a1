"""Feeding the directory by SCIM: what a system may change, how, and everything that it must not get by it."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from authz.change import Appoint, FoundPost, Register, Retire
from authz.change.people import NewAppointment
from authz.change.roles import SENSITIVE
from authz.directory.file import PersonEntry, PostEntry
from authz.models import AppointmentRow, CertificateBinding, PersonRow, PostRole, SessionRow
from yinxin.act import Actor, Kind
from yinxin.store import OutboxRow

from .scimming import GROUP, OURS, PATCH, POSTED, USER, Scimming, standing
from .test_grants import give, wanted

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def scim(site):
    return Scimming(site, Actor(Kind.PERSON, "zhao", "officer", "city"))


@pytest.fixture
def system(scim):
    return scim.system("hr", "county-a")


def user(name: str = "chen", **more):
    return {"schemas": [USER], "userName": name, "displayName": "陈晨"} | more


def patch(*operations):
    return {"schemas": [PATCH], "Operations": [dict(each) for each in operations]}


def refusal(answer):
    body = answer.json()
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"], body
    assert body["status"] == str(answer.status_code)
    return answer.status_code, body.get("scimType")


def row(scim, kind, id_):
    with scim.site.store.read() as session:
        found = session.get(kind, id_)
        session.expunge_all()
        return found


@pytest.mark.engines("both")
def test_a_person_comes_changes_leaves_and_comes_back(scim, system, events):
    scim.site.authz.decisions.adopt()
    made = system.ask("POST", "/Users", user(externalId="E-7", active=True))
    assert made.status_code == 201, made.text
    body = made.json()
    assert made.headers["Location"] == body["meta"]["location"]
    assert made.headers["ETag"] == body["meta"]["version"]
    assert (body["id"], body["externalId"], body["active"], body[OURS]) == (
        "chen",
        "E-7",
        True,
        {"organ": "county-a"},
    )
    written = [each for each in events() if each["actor"]["id"] == "client:hr"][1:]
    assert [(each["verb"], each["subject"], each["outcome"]) for each in written] == [
        ("authz.scim-write", "person:chen", "done"),
        ("authz.register-person", "person:chen", "done"),
    ]
    assert all(each["decision"]["policies"] for each in written)
    assert "陈晨" not in str(written)
    replayed = scim.site.authz.decisions.replay(
        Actor(Kind.SERVICE, "client:hr", organ="county-a"), written[1]["decision"]
    )
    assert replayed.allowed

    assert refusal(system.ask("POST", "/Users", user())) == (409, "uniqueness")
    assert refusal(system.ask("POST", "/Users", user("other", externalId="E-7"))) == (409, "uniqueness")
    assert row(scim, PersonRow, "other") is None

    put = system.ask("PUT", "/Users/chen", user(displayName="陈曦", externalId="E-8", active=True))
    assert (put.json()["displayName"], put.json()["externalId"]) == ("陈曦", "E-8")
    assert put.headers["ETag"] != made.headers["ETag"]
    same = system.ask("PUT", "/Users/chen", user(displayName="陈曦", externalId="E-8", active=True))
    assert (same.status_code, same.headers["ETag"]) == (200, put.headers["ETag"])

    off = system.ask("PATCH", "/Users/chen", patch({"op": "replace", "path": "active", "value": False}))
    assert off.json()["active"] is False
    assert row(scim, PersonRow, "chen").retired == scim.site.clock.now()
    on = system.ask("PATCH", "/Users/chen", patch({"op": "Replace", "value": {"active": True}}))
    assert on.json()["active"] is True

    assert system.ask("DELETE", "/Users/chen").status_code == 204
    for method in ("GET", "DELETE"):
        assert refusal(system.ask(method, "/Users/chen")) == (404, None)
    assert "chen" not in system.ids("Users")
    assert row(scim, PersonRow, "chen").retired is not None, "nothing is erased"
    assert refusal(system.ask("POST", "/Users", user())) == (409, "uniqueness")
    again = system.ask("POST", "/Users", user("chen-2", externalId="E-8"))
    assert again.status_code == 201, "a deleted person's externalId is free again"
    from authz.change import Reinstate

    scim.site.clock.advance(timedelta(minutes=1))
    scim.site.make(Reinstate(person="chen"))
    assert system.get("/Users/chen").json()["active"] is True
    scim.site.clock.advance(timedelta(minutes=1))
    scim.site.make(Retire(person="chen"))
    assert system.get("/Users/chen").json()["active"] is False


def test_a_deleted_person_loses_posts_sessions_and_certificates(scim, system):
    scim.site.sign_in(scim.site.enrol("zhang", "clerk-a"))
    assert system.ask("DELETE", "/Users/zhang").status_code == 204
    with scim.site.store.read() as session:
        now = scim.site.clock.now()
        held = session.scalars(sa.select(AppointmentRow).where(AppointmentRow.person == "zhang")).all()
        assert [(each.valid_to, each.ended) for each in held] == [(now, "retired")]
        assert [each.ended for each in session.scalars(sa.select(SessionRow))] == [now]
        assert [each.ended_at for each in session.scalars(sa.select(CertificateBinding))] == [now]


@pytest.mark.engines("both")
def test_a_post_is_founded_held_and_given_up(scim, system, events):
    system.ask("POST", "/Users", user())
    wanted = {"schemas": [GROUP], "displayName": "信访岗", "members": [{"value": "chen"}], "externalId": "G1"}
    made = system.ask("POST", "/Groups", wanted)
    assert made.status_code == 201, made.text
    group = made.json()
    at = f"/Groups/{group['id']}"
    assert [each["value"] for each in group["members"]] == ["chen"]
    assert group[POSTED] == {"organ": "county-a"}
    assert [each["value"] for each in system.get("/Users/chen").json()["groups"]] == [group["id"]]
    verbs = [each["verb"] for each in events()][-3:]
    assert verbs == ["authz.scim-write", "authz.found-post", "authz.appoint"]
    below = system.ask(
        "POST", "/Groups", {"displayName": "镇岗", POSTED: {"organ": "town"}, "schemas": [GROUP, POSTED]}
    )
    assert below.json()[POSTED] == {"organ": "town"}

    joined = system.ask("PATCH", at, patch({"op": "add", "path": "members", "value": [{"value": "wang"}]}))
    assert {each["value"] for each in joined.json()["members"]} == {"chen", "wang"}
    again = system.ask("PATCH", at, patch({"op": "add", "path": "members", "value": [{"value": "wang"}]}))
    assert again.headers["ETag"] == joined.headers["ETag"], "what is so already changes nothing"
    left = system.ask("PATCH", at, patch({"op": "remove", "path": 'members[value eq "chen"]'}))
    assert [each["value"] for each in left.json()["members"]] == ["wang"]
    entra = patch({"op": "Remove", "path": "members", "value": [{"value": "wang"}]})
    assert "members" not in system.ask("PATCH", at, entra).json()
    scim.site.clock.advance(timedelta(seconds=1))
    put = system.ask("PUT", at, {"schemas": [GROUP], "displayName": "信访室", "members": [{"value": "chen"}]})
    assert put.status_code == 200, put.text
    assert (put.json()["displayName"], put.json()["members"][0]["value"]) == ("信访室", "chen")
    assert "externalId" not in put.json()
    assert system.ask("DELETE", at).status_code == 204
    assert refusal(system.get(at)) == (404, None)
    assert "groups" not in system.get("/Users/chen").json()


def test_a_change_that_cannot_be_made_whole_is_not_made_at_all(scim, system):
    at = "/Groups/clerk-a"
    before = system.get(at)
    wanted = patch(
        {"op": "replace", "path": "displayName", "value": "新名"},
        {"op": "remove", "path": 'members[value eq "zhang"]'},
        {"op": "add", "path": "members", "value": [{"value": "nobody"}]},
    )
    assert refusal(system.ask("PATCH", at, wanted)) == (400, "invalidValue")
    scim.site.make(Register(person=PersonEntry(id="gone", name="某"), organ="county-a"))
    scim.site.make(Retire(person="gone"))
    wanted["Operations"][2]["value"] = [{"value": "gone"}]
    assert system.ask("PATCH", at, wanted).status_code == 409
    assert system.get(at).headers["ETag"] == before.headers["ETag"]


def test_versions_hold_a_change_to_what_was_seen(scim, system):
    seen = system.get("/Users/zhang").headers["ETag"]
    wanted = patch({"op": "replace", "path": "displayName", "value": "张哲"})
    for stale in ('W/"0"', '"x"', "nonsense"):
        assert refusal(system.ask("PATCH", "/Users/zhang", wanted, **{"If-Match": stale})) == (412, None)
        assert refusal(system.ask("DELETE", "/Users/zhang", **{"If-Match": stale})) == (412, None)
    changed = system.ask("PATCH", "/Users/zhang", wanted, **{"If-Match": f'W/"1", {seen}'})
    assert changed.status_code == 200
    assert refusal(system.ask("PUT", "/Users/zhang", user("zhang"), **{"If-Match": seen})) == (412, None)
    assert system.ask("PUT", "/Users/zhang", user("zhang"), **{"If-Match": "*"}).status_code == 200


def test_a_resource_that_changes_meanwhile_is_looked_at_again(scim, system, monkeypatch):
    """Between looking and acting another renames her: the change is worked out anew and loses nothing."""
    from authz.change import AlterPerson

    write = scim.site.authz.scim_write
    real, once = write._changes.make_all, []

    def late(*args, **kwargs):
        if not once:
            once.append(scim.site.make(AlterPerson(person="zhang", name="张改")))
        return real(*args, **kwargs)

    monkeypatch.setattr(write._changes, "make_all", late)
    got = system.ask("PATCH", "/Users/zhang", patch({"op": "add", "path": "externalId", "value": "Z"}))
    assert (got.json()["displayName"], got.json()["externalId"]) == ("张改", "Z")

    def always(*args, **kwargs):
        scim.site.make(AlterPerson(person="zhang", name=f"张{len(once)}"))
        once.append(None)
        return real(*args, **kwargs)

    monkeypatch.setattr(write._changes, "make_all", always)
    lost = system.ask("PATCH", "/Users/zhang", patch({"op": "add", "path": "externalId", "value": "Y"}))
    assert (lost.status_code, lost.headers["Retry-After"]) == (409, "5")
    assert system.get("/Users/zhang").json()["externalId"] == "Z"


# --- what must not be got by it ------------------------------------------------------------------------------------


def test_what_the_platform_keeps_cannot_be_assigned(scim, system):
    sent = user(
        id="root",
        meta={"version": 'W/"1"', "created": "2020-01-01T00:00:00Z"},
        groups=[{"value": "officer"}],
        roles=[{"value": "administrator"}],
        password="x",
        clearance="top-secret",
        entered_by="province",
        retired=None,
    )
    sent[OURS] = {"clearance": "top-secret", "organ": "province", "posts": [{"value": "officer"}]}
    sent["schemas"] = [USER, OURS]
    made = system.ask("POST", "/Users", sent)
    assert made.status_code == 201, made.text
    assert (made.json()["id"], made.json()[OURS]) == ("chen", {"organ": "county-a"})
    person = row(scim, PersonRow, "chen")
    assert (person.clearance, person.entered_by, person.retired) == ("internal", "county-a", None)
    put = system.ask("PUT", "/Users/chen", sent)
    assert put.status_code == 200
    assert row(scim, PersonRow, "chen").clearance == "internal"
    group = {"schemas": [GROUP, POSTED], "displayName": "岗", POSTED: {"roles": ["security-officer"]}}
    made = system.ask("POST", "/Groups", group)
    assert made.json()[POSTED] == {"organ": "county-a"}
    with scim.site.store.read() as session:
        assert session.scalars(sa.select(PostRole).where(PostRole.post == made.json()["id"])).all() == []
    at = f"/Groups/{made.json()['id']}"
    moved = {"schemas": [GROUP, POSTED], "displayName": "岗", POSTED: {"organ": "town"}}
    assert refusal(system.ask("PUT", at, moved)) == (400, "mutability")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One site for what is refused and changes nothing."""
    with standing(tmp_path_factory.mktemp("scim")) as scim:
        yield scim.system("hr", "county-a")


def last_entry(system):
    with system.world.site.store.read() as session:
        return json.loads(
            session.scalars(sa.select(OutboxRow).order_by(OutboxRow.number.desc()).limit(1)).one().data
        )


PATCHES = {
    "clearance": ({"op": "replace", "path": f"{OURS}:clearance", "value": "secret"}, "mutability"),
    "all of ours": ({"op": "replace", "path": OURS, "value": {"clearance": "secret"}}, "mutability"),
    "by value": ({"op": "add", "value": {f"{OURS}:clearance": "secret"}}, "mutability"),
    "groups": ({"op": "add", "path": "groups", "value": [{"value": "officer"}]}, "mutability"),
    "id": ({"op": "replace", "path": "id", "value": "root"}, "mutability"),
    "name": ({"op": "replace", "path": "userName", "value": "root"}, "mutability"),
    "version": ({"op": "replace", "path": "meta.version", "value": "x"}, "mutability"),
    "unknown": ({"op": "replace", "path": "roles", "value": ["administrator"]}, "invalidPath"),
    "column": ({"op": "replace", "path": "entered_by", "value": "city"}, "invalidPath"),
    "nothing": ({"op": "remove"}, "noTarget"),
    "no name": ({"op": "remove", "path": "displayName"}, "mutability"),
    "empty name": ({"op": "replace", "path": "displayName", "value": " "}, "invalidValue"),
    "long name": ({"op": "replace", "path": "displayName", "value": "长" * 101}, "invalidValue"),
    "long externalId": ({"op": "replace", "path": "externalId", "value": "x" * 201}, "invalidValue"),
    "not a truth": ({"op": "replace", "path": "active", "value": "perhaps"}, "invalidValue"),
    "an op": ({"op": "erase", "path": "active"}, "invalidValue"),
    "no value": ({"op": "add", "path": "active"}, "invalidValue"),
    "filter": ({"op": "replace", "path": 'groups[value eq "x"].value', "value": "y"}, "mutability"),
}


@pytest.mark.parametrize(("operation", "scim_type"), PATCHES.values(), ids=PATCHES)
def test_patches_that_are_refused_change_nothing(shared, operation, scim_type):
    before = shared.get("/Users/zhang").headers["ETag"]
    shared.world.site.clock.advance(timedelta(seconds=5))  # refusals are counted by the minute
    assert refusal(shared.ask("PATCH", "/Users/zhang", patch(operation))) == (400, scim_type)
    assert shared.get("/Users/zhang").headers["ETag"] == before
    entry = last_entry(shared)
    assert (entry["verb"], entry["outcome"]) == ("authz.scim-write", "refused")


def test_nobody_is_put_into_a_post_of_power_nor_out_of_it(scim, events):
    city = scim.system("city-hr", "city")
    attempts = [
        ("PATCH", "/Groups/officer", patch({"op": "add", "path": "members", "value": [{"value": "zhang"}]})),
        ("PATCH", "/Groups/officer", patch({"op": "remove", "path": 'members[value eq "zhao"]'})),
        ("PUT", "/Groups/officer", {"displayName": "安全管理岗", "members": [{"value": "zhang"}]}),
        ("PATCH", "/Groups/officer", patch({"op": "replace", "path": "displayName", "value": "岗"})),
        ("DELETE", "/Groups/officer", None),
        ("DELETE", "/Users/zhao", None),
        ("PATCH", "/Users/zhao", patch({"op": "replace", "path": "active", "value": False})),
    ]
    before = city.get("/Groups/officer").headers["ETag"]
    for method, path, body in attempts:
        answer = city.ask(method, path, body)
        assert refusal(answer) == (403, None), (method, path, answer.text)
        assert "authz.change-directory" in answer.json()["detail"]
        assert answer.headers["Audit-Entry"]
        assert events()[-1]["outcome"] == "refused"
        assert events()[-1]["error"] == "authz.denied"
    assert city.get("/Groups/officer").headers["ETag"] == before
    ordinary = city.ask(
        "PATCH", "/Groups/clerk-a", patch({"op": "add", "path": "members", "value": [{"value": "li"}]})
    )
    assert ordinary.status_code == 200, "everyday posts are its business"


@pytest.mark.parametrize("role", sorted(SENSITIVE))
def test_no_system_fills_a_post_that_nobody_fills_alone(scim, role):
    """Leaders approve recoveries and grants: whoever holds a system's token must not make herself one by a group."""
    city = scim.system("city-hr", "city")
    scim.site.make(
        FoundPost(post=PostEntry(id="p-2", organ="city", name_zh="岗", name_en="P", roles=(role,)))
    )
    answer = city.ask(
        "PATCH", "/Groups/p-2", patch({"op": "add", "path": "members", "value": [{"value": "zhang"}]})
    )
    assert refusal(answer) == (403, None), answer.text
    assert "authz.change-directory" in answer.json()["detail"]


def test_no_system_fills_a_post_that_was_given_a_grant(scim):
    city = scim.system("city-hr", "city")
    give(scim.site, wanted("post:clerk-a"))
    answer = city.ask(
        "PATCH", "/Groups/clerk-a", patch({"op": "add", "path": "members", "value": [{"value": "li"}]})
    )
    assert refusal(answer) == (403, None), answer.text
    assert "authz.change-directory" in answer.json()["detail"]


def test_what_was_got_by_a_secret_that_was_renewed_opens_nothing(scim, system):
    """Whoever had the old secret had a token by it, which went on feeding the directory after the officer's act."""
    other = scim.system("other", "county-a")
    assert system.get("/Users").status_code == 200
    scim.site.authz.oidc.clients.renew_secret(scim.officer, "hr")
    assert system.get("/Users").status_code == 401
    assert system.ask("POST", "/Users", user()).status_code == 401
    assert other.get("/Users").status_code == 200


def test_no_patch_keeps_a_process_busy_for_minutes(scim, system):
    """Seen to take four minutes for 8000 operations in less than a mebibyte, and half a minute for one path."""
    one = {"op": "add", "path": "members", "value": [{"value": "zhang"}]}
    deep = "members[" + "(" * 200_000 + 'value eq "a"' + ")" * 200_000 + "]"
    for body in (
        patch(*[one] * 501),
        patch(*[one | {"value": [{"value": f"x{n}"} for n in range(100)]}] * 60),
        patch(*[{"op": "add", "value": {"members": [{"value": f"x{n}"} for n in range(100)]}}] * 60),
        patch({"op": "remove", "path": deep}),
        patch(*[{"op": "remove", "path": 'members[value eq "' + "x" * 900 + '"]'}] * 50),
    ):
        assert system.ask("PATCH", "/Groups/clerk-a", body).status_code == 400
    assert system.ask("PATCH", "/Groups/clerk-a", patch(*[one] * 20)).status_code == 200


def test_who_would_hold_two_of_the_three_powers_is_refused_by_the_directory_too(scim):
    """A post that gets its power later: the room itself keeps the powers apart, whatever the policies say."""
    city = scim.system("city-hr", "city")
    scim.site.make(
        FoundPost(post=PostEntry(id="aud-2", organ="city", name_zh="审", name_en="A", roles=("auditor",)))
    )
    answer = city.ask(
        "PATCH", "/Groups/aud-2", patch({"op": "add", "path": "members", "value": [{"value": "zhao"}]})
    )
    assert answer.status_code == 403


def test_another_county_is_out_of_reach(scim, system):
    scim.site.make(FoundPost(post=PostEntry(id="clerk-b", organ="county-b", name_zh="乙", name_en="B")))
    scim.site.make(Register(person=PersonEntry(id="bing", name="丙"), organ="county-b"))
    scim.site.make(Appoint(appointment=NewAppointment(person="bing", post="clerk-b")))
    for path in ("/Users/bing", "/Groups/clerk-b"):
        for method, body in (
            ("GET", None),
            ("DELETE", None),
            ("PUT", user("bing")),
            ("PATCH", patch({"op": "replace", "path": "displayName", "value": "x"})),
        ):
            assert refusal(system.ask(method, path, body)) == (404, None), (method, path)
    steal = patch({"op": "add", "path": "members", "value": [{"value": "bing"}]})
    answer = system.ask("PATCH", "/Groups/clerk-a", steal)
    assert refusal(answer) == (400, "invalidValue")
    nobody = patch({"op": "add", "path": "members", "value": [{"value": "nobody"}]})
    assert (
        system.ask("PATCH", "/Groups/clerk-a", nobody).json()["detail"].replace("nobody", "bing")
        == answer.json()["detail"]
    )
    elsewhere = {"schemas": [GROUP, POSTED], "displayName": "岗", POSTED: {"organ": "county-b"}}
    assert refusal(system.ask("POST", "/Groups", elsewhere)) == (403, None)
    assert refusal(system.ask("POST", "/Groups", elsewhere | {POSTED: {"organ": "nowhere"}}))[0] in (
        400,
        403,
        404,
    )


def test_a_person_who_holds_a_post_elsewhere_too_is_retired_by_nobody_alone(scim, system):
    scim.site.make(FoundPost(post=PostEntry(id="clerk-b", organ="county-b", name_zh="乙", name_en="B")))
    scim.site.make(Appoint(appointment=NewAppointment(person="zhang", post="clerk-b")))
    assert refusal(system.ask("DELETE", "/Users/zhang")) == (403, None)
    left = patch({"op": "remove", "path": 'members[value eq "zhang"]'})
    assert system.ask("PATCH", "/Groups/clerk-a", left).status_code == 200
    assert refusal(system.get("/Users/zhang")) == (404, None), "she belongs to the other county now"


def test_an_externalid_is_each_systems_own(scim, system):
    other = scim.system("other", "county-a")
    put = patch({"op": "add", "path": "externalId", "value": "E-1"})
    assert system.ask("PATCH", "/Users/zhang", put).json()["externalId"] == "E-1"
    assert "externalId" not in other.get("/Users/zhang").json()
    assert other.ids("Users", 'externalId eq "E-1"') == []
    assert other.ask("PATCH", "/Users/wang", put).json()["externalId"] == "E-1"
    assert system.ids("Users", 'externalId eq "E-1"') == ["zhang"]
    assert refusal(system.ask("PATCH", "/Users/wang", put)) == (409, "uniqueness")


def test_a_reader_writes_nothing_and_organs_are_nobodys_to_write(scim, system, events):
    reader = scim.system("reader", "county-a", "scim.read")
    secret = scim.register("both", "county-a")
    narrow = type(reader)(scim, scim.token("both", secret, "scim.read")["access_token"])
    for asking in (reader, narrow):
        assert refusal(asking.ask("POST", "/Users", user())) == (403, None)
        assert refusal(asking.ask("DELETE", "/Users/zhang")) == (403, None)
        assert events()[-1]["error"] == "authz.scim_scope_needed"
    for method, path in (
        ("POST", "/Organs"),
        ("PUT", "/Organs/county-a"),
        ("PATCH", "/Organs/town"),
        ("DELETE", "/Organs/town"),
    ):
        answer = system.ask(method, path, {"displayName": "县"} if method != "DELETE" else None)
        assert refusal(answer) == (403, None)
        assert "authz.change-directory" in answer.json()["detail"]


BODIES = {
    "no name": {"schemas": [USER], "userName": "chen"},
    "no userName": {"schemas": [USER], "displayName": "x"},
    "capitals": user("Chen"),
    "a client's name": user("client:hr"),
    "the platform": user("platform"),
    "long": user("x" * 65),
    "number": user(displayName=7),
    "a list": user(displayName=["x"]),
    "nul": user(displayName="a\u0000b"),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_people_that_are_refused(shared, body):
    status, scim_type = refusal(shared.ask("POST", "/Users", body))
    assert (status, scim_type) in ((400, "invalidValue"), (400, "invalidSyntax"))
    with shared.world.site.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PersonRow)) == 6


MEMBERS = {
    "a group": [{"value": "seal-a", "type": "Group"}],
    "no value": [{"$ref": "https://trust.example.gov.cn/scim/v2/Users/zhang"}],
    "bulkId": [{"value": "bulkId:1"}],
    "too many": [{"value": f"p{number}"} for number in range(600)],
}


@pytest.mark.parametrize("members", MEMBERS.values(), ids=MEMBERS)
def test_members_that_are_refused(shared, members):
    body = patch({"op": "add", "path": "members", "value": members})
    assert refusal(shared.ask("PATCH", "/Groups/clerk-a", body)) == (400, "invalidValue")
