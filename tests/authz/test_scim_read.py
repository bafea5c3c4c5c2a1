"""Reading the directory by SCIM: what a system sees, how it is looked for, and what nobody learns by asking."""

import itertools
import random
from datetime import timedelta

import pytest
from scim2_models import ScimFilter

from authz.change import Register
from authz.directory.file import PersonEntry
from authz.scim import seek
from yinxin.act import Actor, Kind

from .scimming import GROUP, OURS, POSTED, USER, Scimming, standing

ORGAN = "urn:yinxin:params:scim:schemas:2.0:Organ"
pytestmark = pytest.mark.engines("any")


@pytest.fixture
def scim(site):
    return Scimming(site, Actor(Kind.PERSON, "zhao", "officer", "city"))


def test_a_token_is_got_once_registered_and_ends_with_its_time_its_scope_and_its_client(scim, events):
    secret = scim.register("hr", "county-a", ("scim.read",))
    given = scim.token("hr", secret)
    assert (given["token_type"], given["expires_in"], given["scope"]) == ("Bearer", 600, "scim.read")
    assert "refresh_token" not in given
    entry = events()[-1]
    assert (entry["verb"], entry["actor"]) == (
        "authz.issue-token",
        {"kind": "service", "id": "client:hr", "organ": "county-a"},
    )
    assert given["access_token"] not in str(events())
    assert scim.token("hr", secret, "scim.write")["error"] == "invalid_scope"
    assert scim.token("hr", secret, "openid")["error"] == "invalid_scope"
    assert scim.token("hr", secret + "x")["error"] == "invalid_client"

    def status(token: str | None) -> int:
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        with scim.http() as http:
            return http.get("/scim/v2/Users", headers=bearer).status_code

    good = given["access_token"]
    assert status(good) == 200
    assert [status(each) for each in (None, good[:-1], good + "x", "x" * 43, secret)] == [401] * 5
    with scim.http() as http:
        told = http.post("/oidc/introspect", data={"token": good}, auth=("hr", secret)).json()
        assert (told["active"], told["client_id"], told["sub"]) == (True, "hr", "hr")
        other = scim.register("mail", "county-a", ("scim.read",))
        assert not http.post("/oidc/introspect", data={"token": good}, auth=("mail", other)).json()["active"]
        http.post("/oidc/revoke", data={"token": good}, auth=("mail", other))
        assert status(good) == 200
        http.post("/oidc/revoke", data={"token": good}, auth=("hr", secret))
        assert status(good) == 401
    later = scim.token("hr", secret)["access_token"]
    scim.site.clock.advance(timedelta(seconds=600))
    assert status(later) == 401
    last = scim.token("hr", secret)["access_token"]
    scim.site.authz.oidc.clients.end(scim.officer, "hr")
    assert status(last) == 401
    scim.site.authz.oidc.forget()


REGISTRATIONS = {
    "a person's scope": {"scopes": ("openid", "scim.read")},
    "no scope of its own": {"scopes": ("openid",)},
    "no grant of its own": {"grants": ("device_code",), "scopes": ("openid", "scim.read")},
    "nothing proved": {"authentication": "none"},
    "writes without reading": {"scopes": ("scim.write",)},
}


@pytest.mark.parametrize("wrong", REGISTRATIONS.values(), ids=REGISTRATIONS)
def test_registrations_that_are_refused(scim, wrong):
    from authz.oidc.errors import BadClient

    scopes = wrong.get("scopes", ("scim.read",))
    with pytest.raises(BadClient):
        scim.register("hr", "county-a", scopes, **{k: v for k, v in wrong.items() if k != "scopes"})


def test_nobody_registers_a_system_of_a_higher_clearance_or_of_another_part_of_the_tree(scim):
    from yinxin.authz import Denied

    with pytest.raises(Denied):
        scim.register("hr", "county-a", ("scim.read",), clearance="top-secret")
    with pytest.raises(Denied):
        scim.register("hr", "province", ("scim.read",))


def test_people_posts_and_organs_as_they_are_told(scim):
    system = scim.system("hr", "city", "scim.read", "scim.clearance")
    answer = system.get("/Users/zhang")
    assert answer.headers["Content-Type"] == "application/scim+json"
    user = answer.json()
    assert answer.headers["ETag"] == user["meta"]["version"]
    assert user["meta"] == {
        "resourceType": "User",
        "location": "https://trust.example.gov.cn/scim/v2/Users/zhang",
        "version": user["meta"]["version"],
    }
    assert (user["id"], user["userName"], user["displayName"], user["active"]) == (
        "zhang",
        "zhang",
        "张喆",
        True,
    )
    assert user["groups"] == [
        {
            "value": "clerk-a",
            "$ref": "https://trust.example.gov.cn/scim/v2/Groups/clerk-a",
            "display": "经办岗",
            "type": "direct",
        }
    ]
    ours = user[OURS]
    assert (ours["organ"], ours["clearance"]) == ("county-a", "internal")
    assert ours["posts"][0] | {"validFrom": ""} == {
        "value": "clerk-a",
        "display": "经办岗",
        "organ": "county-a",
        "organName": "子县人民政府",
        "division": "990121",
        "kind": "substantive",
        "validFrom": "",
    }
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert user[enterprise] == {"organization": "子县人民政府"}
    assert set(user["schemas"]) == {USER, OURS, enterprise}
    group = system.get("/Groups/seal-a").json()
    assert group[POSTED] == {"organ": "county-a", "roles": ["registrar", "seal-keeper"]}
    assert [each["value"] for each in group["members"]] == ["wang"]
    organ = system.get("/Organs/county-a").json()
    assert (organ["parent"], organ["division"], organ["level"], organ["active"]) == (
        "city",
        "990121",
        "county",
        True,
    )
    assert "parent" not in system.get("/Organs/city").json(), "what stands above is out of sight"
    same = system.get("/Users/zhang", **{"If-None-Match": user["meta"]["version"]})
    assert (same.status_code, same.content) == (304, b"")


def test_a_clearance_is_told_to_whom_the_policies_tell_it(scim):
    plain = scim.system("plain", "city", "scim.read")
    cleared = scim.system("cleared", "city", "scim.read", "scim.clearance", clearance="secret")
    low = scim.system("low", "city", "scim.read", "scim.clearance")
    told = [system.get("/Users/li").json()[OURS].get("clearance") for system in (plain, low, cleared)]
    assert told == [None, None, "secret"]
    for system in (plain, cleared):
        for text in (f'{OURS}:clearance eq "secret"', f"{OURS}:clearance pr"):
            answer = system.ask("POST", "/Users/.search", {"filter": text})
            assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")
        assert (
            system.ask("POST", "/Users/.search", {"sortBy": f"{OURS}:clearance"}).json()["scimType"]
            == "invalidPath"
        )


def test_a_system_sees_its_part_of_the_tree_and_guesses_nothing_else(scim, events):
    system = scim.system("hr", "county-a", "scim.read")
    assert system.ids("Users") == ["wang", "zhang"]
    assert system.ids("Groups") == ["clerk-a", "seal-a"]
    assert system.ids("Organs") == ["county-a", "town"]
    unseen = ["/Users/li", "/Users/nobody", "/Groups/leader-city", "/Organs/county-b", "/Organs/platform"]
    unseen += ["/Users/..%2F..%2Foidc%2Fjwks", "/Users/zhang%00", "/Users/" + "x" * 3000, "/Groups/zhang"]
    said = {system.get(path).status_code for path in unseen}
    assert said == {404}
    answers = {system.get(path).json()["detail"].replace(path.split("/")[2], "*") for path in unseen[:2]}
    assert len(answers) == 1, "somebody out of sight and nobody are told alike"
    refused = [each for each in events() if each["verb"] == "authz.scim-read"]
    assert {each["outcome"] for each in refused} == {"refused"}
    assert refused[0]["subject"] == "person:li"
    for text in ('groups.value eq "leader-city"', f'{OURS}:posts[organ eq "city"]'):
        assert system.ids("Users", text) == []


def test_a_person_of_two_counties_is_told_to_each_as_far_as_it_goes(scim):
    scim.site.authz.directory.load(
        Actor(Kind.SYSTEM, "system"),
        _file(
            posts=[
                {
                    "id": "clerk-b",
                    "organ": "county-b",
                    "name_zh": "乙岗",
                    "name_en": "B",
                    "roles": ["clerk"],
                }
            ],
            appointments=[{"person": "zhang", "post": "clerk-b", "valid_from": "2025-01-01T00:00:00+08:00"}],
        ),
    )
    a, b = scim.system("aa", "county-a", "scim.read"), scim.system("bb", "county-b", "scim.read")
    for system, organ, post in ((a, "county-a", "clerk-a"), (b, "county-b", "clerk-b")):
        user = system.get("/Users/zhang").json()
        assert user[OURS]["organ"] == organ
        assert [each["value"] for each in user["groups"]] == [post]
    assert b.ids("Users", 'groups eq "clerk-a"') == []


def _file(**tables):
    from authz.directory import DirectoryFile

    return DirectoryFile.parse(tables)


def test_who_never_held_a_post_belongs_to_the_organ_that_entered_her_and_a_retired_one_to_the_last(scim):
    scim.site.make(Register(person=PersonEntry(id="new", name="新人"), organ="town"))
    system, other = scim.system("hr", "county-a", "scim.read"), scim.system("bb", "county-b", "scim.read")
    assert system.get("/Users/new").json()[OURS] == {"organ": "town"}
    assert other.get("/Users/new").status_code == 404
    from authz.change import Retire

    scim.site.make(Retire(person="zhang"))
    retired = system.get("/Users/zhang").json()
    assert (retired["active"], retired[OURS]["organ"]) == (False, "county-a")
    assert "groups" not in retired
    assert system.ids("Users", "active eq false") == ["zhang"]


FILTERS = [
    'userName eq "ZHANG"',
    'id eq "ZHANG"',
    'userName ne "zhang"',
    'userName co "an"',
    'userName sw "z" and userName ew "ang"',
    'displayName eq "张喆"',
    'displayName co "_" or displayName co "%"',
    "active eq true",
    "active ne true",
    "not (active eq true)",
    "externalId pr",
    "not (externalId pr)",
    'externalId eq "x"',
    'externalId ne "x"',
    "groups pr",
    "not (groups pr)",
    'groups eq "clerk-a"',
    'groups.value ne "clerk-a"',
    'groups[value eq "clerk-a" and display eq "经办岗"]',
    'groups[value eq "clerk-a" and display eq "印章岗"]',
    f'{OURS}:organ eq "county-a"',
    f'{OURS}:posts[organ eq "county-a" and kind eq "substantive"]',
    f'{OURS}:posts.division sw "9901"',
    f'{OURS}:posts.validFrom lt "2026-06-01T00:00:00+08:00"',
    f"{OURS}:posts.validTo pr",
    'meta.lastModified gt "2026-01-01T00:00:00Z"',
    "meta.lastModified pr",
    'userName eq "zhang" or userName eq "li" and active eq false',
    '(userName eq "zhang" or userName eq "li") and active eq true',
    'urn:ietf:params:scim:schemas:core:2.0:User:userName eq "li"',
]
GROUP_FILTERS = [
    'displayName eq "经办岗"',
    'members eq "zhang"',
    'members[value eq "zhang" and display co "张"]',
    "members pr",
    "not (members pr)",
    f'{POSTED}:organ eq "city"',
    f'{POSTED}:roles eq "clerk"',
    f'{POSTED}:roles ne "clerk"',
    f"{POSTED}:roles pr",
]
ORGAN_FILTERS = [
    'level eq "county"',
    'division sw "990121"',
    "creditCode pr",
    'parent eq "city"',
    "active eq true",
]


@pytest.mark.engines("both")
def test_what_is_found_in_sql_is_what_the_librarys_own_evaluator_finds(scim):
    """Every filter, and sixty that are put together of them; seen to fail with `or` and `and` exchanged."""
    system = scim.system("hr", "city")
    scim.site.make(Register(person=PersonEntry(id="a-b", name="50%_甲"), organ="town"))
    service = scim.site.authz.scim
    client = service.authenticate(system.token)
    chance = random.Random(5)
    for kind, texts in ((seek.USERS, FILTERS), (seek.GROUPS, GROUP_FILTERS), (seek.ORGANS, ORGAN_FILTERS)):
        asked = service.sight(client)
        everything = service.find(client, kind, _search(kind)).resources
        assert len(everything) > 3
        made = [
            f"({a}) {chance.choice(('and', 'or'))} not ({b})" for a, b in itertools.permutations(texts, 2)
        ]
        for text in (*texts, *chance.sample(made, min(len(made), 20))):
            found = service.find(client, kind, _search(kind, filter=text)).resources
            expected = [each for each in everything if ScimFilter[kind.model](text).match(each)]
            assert [each.id for each in found] == [each.id for each in expected], text
        assert asked.client.id == "hr"


def _search(kind, **parts):
    from scim2_models import SearchRequest

    return SearchRequest[kind.model].model_validate(parts)


BAD_FILTERS = {
    "unknown": 'nickName eq "x"',
    "not closed": 'userName eq "x',
    "sql": "userName eq 'x' OR 1=1 --",
    "clearance": f'{OURS}:clearance eq "secret"',
    "meta": 'meta.version eq "x"',
    "password": "password pr",
    "ordered truth": "active gt true",
    "number": "active eq 5",
    "time": 'meta.lastModified gt "yesterday"',
    "another schema": f'{GROUP}:displayName eq "x"',
    "inner": 'groups[roles eq "x"]',
    "inner of one value": 'userName[value eq "x"]',
    "nul": 'userName eq "a\\u0000b"',
    "half a pair": 'userName eq "\\ud800"',
    "deep": "(" * 200 + "userName pr" + ")" * 200,
    "deep behind quotes": 'userName eq "' + ")" * 500 + '" and ' + "(" * 200 + "userName pr" + ")" * 200,
    "many without spaces": "(userName pr)" + "and(userName pr)" * 100,
    "a time without a zone": 'meta.lastModified gt "2026-05-01T00:00:00"',
    "a time beyond the calendar": 'meta.lastModified gt "9999-12-31T23:59:59-23:59"',
    "a part of a time": 'meta.lastModified sw "2026"',
    "long": 'userName eq "' + "x" * 5000 + '"',
    "wide": " or ".join(["userName pr"] * 200),
    "empty": "",
}


@pytest.mark.parametrize("text", BAD_FILTERS.values(), ids=BAD_FILTERS)
def test_filters_that_are_refused(shared, text):
    answer = shared.ask("POST", "/Users/.search", {"filter": text})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter"), answer.text
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


INJECTED = [
    "' OR '1'='1",
    "x'; DROP TABLE authz_person; --",
    "%",
    "_hang",
    "\\",
    "zhang' --",
    '" or userName pr or id eq "',
]


@pytest.mark.parametrize("text", INJECTED)
def test_what_looks_like_sql_or_filter_is_a_value(shared, text):
    for op in ("eq", "co", "sw", "ew"):
        assert shared.ids("Users", f"userName {op} {ScimFilter.quote(text)}") == []
    assert shared.get(f"/Users/{text}".replace("%", "%25")).status_code == 404
    assert len(shared.ids("Users")) == 6 - 2


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One site for what changes nothing."""
    with standing(tmp_path_factory.mktemp("scim")) as scim:
        yield scim.system("hr", "city", "scim.read")


def test_pages_order_and_counts(shared):
    page = shared.get("/Users?startIndex=2&count=2&sortBy=userName&sortOrder=descending").json()
    assert page["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (4, 2, 2)
    assert [each["id"] for each in page["Resources"]] == ["zhang", "wang"]
    assert shared.get("/Users?count=0").json()["totalResults"] == 4
    assert shared.get("/Users?count=0").json()["Resources"] == []
    assert shared.get("/Users?count=-3&startIndex=-9").json()["startIndex"] == 1
    assert shared.get("/Users?startIndex=99").json()["Resources"] == []
    assert shared.get("/Users?count=1000000").json()["itemsPerPage"] == 4
    assert shared.get("/Users?count=many").json()["scimType"] == "invalidValue"
    assert shared.get("/Users?sortBy=groups.value").json()["scimType"] == "invalidPath"
    assert shared.get("/Users?sortBy=nothing").json()["scimType"] == "invalidPath"


def test_only_the_attributes_that_are_asked_for(shared):
    few = shared.get("/Users/zhang?attributes=displayName").json()
    assert set(few) == {"schemas", "id", "displayName"}
    most = shared.get("/Users/zhang?excludedAttributes=groups,userName").json()
    assert "groups" not in most
    assert "displayName" in most
    inner = shared.get(f"/Users/zhang?attributes={OURS}:posts.organ").json()
    assert inner[OURS] == {"posts": [{"organ": "county-a"}]}
    both = shared.get("/Users/zhang?attributes=id&excludedAttributes=groups")
    assert both.status_code == 400
    listed = shared.get("/Users?attributes=userName").json()["Resources"]
    assert {frozenset(each) for each in listed} == {frozenset({"schemas", "id", "userName"})}


def test_the_service_says_what_it_is_and_says_no_in_its_own_words(shared):
    with shared.world.http() as http:
        config = http.get("/scim/v2/ServiceProviderConfig").json()
        types = http.get("/scim/v2/ResourceTypes").json()
        assert http.get("/scim/v2/Schemas?filter=id pr").status_code == 403
        assert http.get(f"/scim/v2/Schemas/{ORGAN}").json()["id"] == ORGAN
        missing = http.get("/scim/v2/Users")
        assert missing.headers["WWW-Authenticate"] == 'Bearer realm="scim"'
        assert missing.json()["status"] == "401"
    assert config["bulk"]["supported"] is False
    assert {each["endpoint"] for each in types["Resources"]} == {"/Users", "/Groups", "/Organs"}
    said = {
        ("GET", "/Me"): 501,
        ("POST", "/Bulk"): 501,
        ("POST", "/.search"): 501,
        ("GET", "/"): 501,
        ("GET", "/Nothing"): 404,
        ("DELETE", "/Users"): 405,
        ("POST", "/Schemas"): 405,
        ("GET", "/Users/a/b/c"): 404,
    }
    for (method, path), status in said.items():
        answer = shared.ask(method, path, {} if method == "POST" else None)
        assert (answer.status_code, answer.json()["status"]) == (status, str(status)), path
    zh = shared.get("/Users/nobody", **{"Accept-Language": "zh"})
    assert zh.headers["Content-Language"] == "zh-CN"
    assert "没有" in zh.json()["detail"]
    assert "There is no" in shared.get("/Users/nobody").json()["detail"]


BODIES = {
    "no json": b"{",
    "a list": b"[]",
    "twice": b'{"filter": "id pr", "FILTER": "id pr"}',
    "deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "nan": b'{"count": NaN}',
    "unknown": b'{"nothing": 1}',
    "half a pair": b'{"filter": "\\ud800"}',
    "not text": b"\xff\xfe",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies_that_cannot_be_read(shared, body):
    with shared.world.http() as http:
        headers = {"Authorization": f"Bearer {shared.token}", "Content-Type": "application/scim+json"}
        answer = http.post("/scim/v2/Users/.search", content=body, headers=headers)
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidSyntax"), answer.text


def test_a_body_of_another_type_or_too_large_is_not_read(shared):
    with shared.world.http() as http:
        headers = {"Authorization": f"Bearer {shared.token}", "Content-Type": "text/plain"}
        assert http.post("/scim/v2/Users/.search", content=b"{}", headers=headers).status_code == 415
        headers["Content-Type"] = "application/scim+json"
        large = b'{"filter": "' + b" " * (2 << 20) + b'"}'
        answer = http.post("/scim/v2/Users/.search", content=large, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (413, "413")
