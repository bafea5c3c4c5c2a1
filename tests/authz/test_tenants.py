"""Tenants: nobody's authority reaches from above into one, nor from one into the platform; who decides it, and what cannot pass its border."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from authz.change.organs import DissolveOrgan, FoundOrgan, MergeOrgans, MoveOrgan
from authz.change.people import Appoint
from authz.change.posts import FoundPost, GiveRoles
from authz.change.proposal import CHANGE
from authz.directory import DirectoryFile
from authz.directory.errors import TenantBoundary, TenantHasAdministrator
from authz.directory.file import OrganEntry, PostEntry
from authz.grant.models import GrantRow
from authz.models import OrganClosure, OrganRow
from authz.proposal.errors import ProposalUnknown
from authz.service import Authz
from authz.settings import AuthzSettings
from authz.tenant import AlreadyTenant, NoTenant, TenantUnmanned
from authz.tenant.admit import Decided, admit, end
from authz.tenant.proposal import ADMIT, END
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import PLATFORM, Denied, Resource

from .conftest import FIXTURES, ORIGIN, PROVINCE, SoftwareKeys, nobody_to_tell
from .offices import REASON, Office
from .test_proof import FOLDERS
from .townsfolk import HOSTS, TOWNSFOLK, admitted, host, of_town, peopled, posts

#: of these groups an action is for everybody
FOR_ALL = {"open", "house"}


@pytest.fixture
def site(site):
    return peopled(site)


@pytest.fixture
def whole(store, site) -> Authz:
    """The service with the policies of every module."""
    return Authz(
        store,
        AuthzSettings(),
        site.ca,
        {**FOLDERS, "test": FIXTURES},
        origins=(ORIGIN,),
        keys=SoftwareKeys(),
        http=nobody_to_tell,
    )


def value(kind: dict[str, Any]) -> Any:
    return {"Boolean": False, "Long": 2, "Set": [], "String": "-"}[kind["type"]]


def questions(authz: Authz, organ: str) -> Iterator[tuple[str, Resource, dict[str, Any]]]:
    """Every action upon every type of thing, of this organ."""
    policies = authz.decisions.policies
    for action, declared in policies.declared["actions"].items():
        if "." not in action:
            continue
        context = declared["appliesTo"]["context"].get("attributes", {})
        asked = {name: value(each) for name, each in context.items() if each.get("required", True)}
        for kind in declared["appliesTo"]["resourceTypes"]:
            shape = policies.declared["entityTypes"][kind]["shape"]["attributes"]
            attributes = {
                name: value(each)
                for name, each in shape.items()
                if name not in ("organ", "level", "region", "sharing", "shared_with")
            }
            # a post that no policy of everyday excepts, a kind that every power proposes
            attributes |= {
                name: ["security-officer", "auditor", "administrator", "leader"]
                for name in ("proposers", "approvers", "executors")
                if name in shape
            }
            if action == "authz.execute":
                attributes |= {"needed": 2, "given": 2}
            yield action, Resource(kind, "x", organ, "public", attributes), asked


def permitted(authz: Authz, actor: Actor, organ: str) -> set[str]:
    """The actions that she may do to something of this organ, but for those that are for everybody."""
    asked = list(questions(authz, organ))
    answers = authz.decisions.check_many(actor, asked)
    groups = authz.decisions.policies.groups
    return {each.action for each in answers if each.allowed and not FOR_ALL & groups(each.action)}


@pytest.mark.engines("any")
def test_nobody_of_the_host_reaches_into_a_tenant(whole, site):
    """Every action of every module, asked by each of the host's people over what is the township's."""
    before = {person: permitted(whole, host(person), "town") for person, _, _ in HOSTS}
    assert {"ca.revoke", "authz.found-post", "seal.suspend"} <= before["zhao"]
    assert {"ca.read", "authz.read-reviews", "exchange.export"} <= before["sun"]
    admitted(site)
    for organ in ("town", "village"):
        assert {person: permitted(whole, host(person), organ) for person, _, _ in HOSTS} == {
            person: set() for person, _, _ in HOSTS
        }


@pytest.mark.engines("any")
def test_nobody_of_a_tenant_reaches_the_platform_or_the_host(whole, site):
    assert "ca.ceremony" in permitted(whole, of_town("mei"), PLATFORM)
    assert "audit.read" in permitted(whole, of_town("ju"), PLATFORM)
    admitted(site)
    for person, _, _ in TOWNSFOLK:
        for organ in (PLATFORM, "county-a", "city"):
            assert permitted(whole, of_town(person), organ) == set(), (person, organ)
    # and within it they have their powers as before
    assert {"ca.revoke", "authz.found-post", "seal.suspend", "authz.approve"} <= permitted(
        whole, of_town("mei"), "village"
    )
    assert "audit.read" in permitted(whole, of_town("ju"), "town")
    assert "audit.read" not in permitted(whole, of_town("ju"), "village")
    assert "document.draft" in permitted(whole, of_town("song"), "town")


def test_lists_end_at_a_tenant_too(whole, site):
    def organs(actor: Actor, action: str, kind: str) -> str:
        return json.dumps(whole.decisions.visible(actor, action, kind).tree)

    assert '"town"' in organs(host("zhao"), "ca.read", "Certificate")
    admitted(site)
    for person in ("zhao", "sun", "li", "qian"):
        for action, kind in (("ca.read", "Certificate"), ("seal.read", "Seal"), ("ca.read", "Registration")):
            told = organs(host(person), action, kind)
            assert '"town"' not in told
            assert '"village"' not in told
    told = organs(of_town("mei"), "ca.read", "Certificate")
    assert '"village"' in told
    assert '"county-a"' not in told


def test_the_tree_of_documents_stays_whole(site):
    admitted(site)
    directory = site.authz.directory
    town = directory.organ("village")
    assert town.path == ("village", "town", "county-a", "city", "province")
    assert town.reach == ("village", "town")
    assert directory.organ("county-a").reach == ("county-a", "city", "province")
    assert directory.tenants() == {"town": "town", "village": "town"}


def test_a_tenant_in_a_tenant_is_its_own(site):
    folk = (("na", "v-officer", ["security-officer"]), ("xu", "v-officer-2", ["security-officer"]), ("he", "v-auditor", ["auditor"]))  # fmt: skip
    site.authz.directory.load(SYSTEM, DirectoryFile.parse(posts(*folk, organ="village")))
    admitted(admitted(site), "village")
    assert site.authz.directory.organ("village").reach == ("village",)
    assert not site.authz.decisions.check(of_town("mei"), "authz.found-post", post("village")).allowed
    with site.store.act(SYSTEM, "test.end", "organ:village") as act:
        end(act.session, "village", "p2", site.clock.now())
    assert site.authz.directory.organ("village").tenant == "town"
    assert site.authz.decisions.check(of_town("mei"), "authz.found-post", post("village")).allowed


def decided(site) -> Decided:
    return Decided("p1", "zhao", site.clock.now())


def test_what_was_granted_over_it_before_ends(site):
    now = site.clock.now()
    values = {
        "template": "test.grant",
        "holder": "person:wang",
        "valid_from": now,
        "valid_to": now + timedelta(days=9),
    }
    with site.store.act(SYSTEM, "test.grant", "grant:g") as act:
        for id_, organ in (("g1", "village"), ("g2", "county-a")):
            act.session.add(
                GrantRow(id=id_, organ=organ, source="-", granted_by="zhao", granted_at=now, **values)
            )
    admitted(site)
    with site.store.read() as session:
        assert session.get_one(GrantRow, "g1").revoked_by == "zhao"
        assert session.get_one(GrantRow, "g2").revoked_at is None


def post(organ: str) -> Resource:
    return Resource(
        "Appointment", "x", organ, attributes={"roles": ["clerk"], "person": "", "granted": False}
    )


# --- who decides it ---


@pytest.fixture
def office(site) -> Office:
    office = Office.of(site).carrying_out(ADMIT, END, CHANGE)
    office.actor = _with_townsfolk(office)  # type: ignore[method-assign]
    return office


def _with_townsfolk(office: Office):
    known = office.actor

    def actor(person: str, post: str | None = None) -> Actor:
        for name, own, _ in TOWNSFOLK:
            if name == person:
                certificate = office.identity(person, own).certificate.fingerprint
                return Actor(Kind.PERSON, person, own, "town", certificate)
        return known(person, post)

    return actor


def proposed(office: Office, kind: str, content: dict[str, Any], by: str) -> str:
    return str(office.proposals.propose(office.actor(by), kind, content, reason=REASON).row.id)


@pytest.mark.engines("any")
def test_the_host_makes_it_and_the_tenant_alone_ends_it(office, events):
    id_ = proposed(office, "authz.admit-tenant", {"organ": "town", "mark": "jade"}, "zhao")
    for person in ("qin", "han"):
        office.approve(id_, person)
    assert office.proposals.execute(office.actor("zhao"), id_).state.value == "executed"
    (tenant,) = office.site.authz.tenants.listed_for(host("sun"))
    assert (tenant.organ, tenant.host, tenant.mark, tenant.organs, tenant.people) == (
        "town",
        "county-a",
        "jade",
        2,
        5,
    )
    # from now on nothing about it is the host's to propose or to approve
    with pytest.raises(Denied):
        proposed(office, "authz.end-tenant", {"organ": "town"}, "zhao")
    id_ = proposed(office, "authz.end-tenant", {"organ": "town"}, "mei")
    with pytest.raises(ProposalUnknown):
        office.approve(id_, "qin")
    shown = office.proposals.show(office.actor("mei"), id_)
    assert {person for person, _ in shown.may_approve} == {"lan", "zhu"}
    for person in ("lan", "zhu"):
        office.approve(id_, person)
    assert office.proposals.execute(office.actor("mei"), id_).state.value == "executed"
    assert office.site.authz.tenants.listed_for(host("sun")) == ()
    (was,) = office.site.authz.tenants.listed_for(host("sun"), ended=True)
    assert was.ended is not None
    assert office.site.authz.directory.organ("village").tenant is None


@pytest.mark.engines("any")
def test_a_tenants_officers_decide_its_changes(office):
    """A post of power in the township: proposed and approved there, by nobody above."""
    admitted(office.site)
    change = FoundPost(
        post=PostEntry(
            id="town-leader-2", organ="town", name_zh="副镇长", name_en="Deputy", roles=("leader",)
        )
    )
    content = {"change": change.model_dump(mode="json")}
    with pytest.raises(Denied):
        proposed(office, "authz.change-directory", content, "zhao")
    id_ = proposed(office, "authz.change-directory", content, "mei")
    assert {person for person, _ in office.proposals.show(office.actor("mei"), id_).may_approve} == {"lan"}
    with pytest.raises(ProposalUnknown):
        office.approve(id_, "han")


@pytest.mark.engines("any")
def test_who_sees_which_tenants(site):
    admitted(site)
    tenants = site.authz.tenants
    for person in ("zhao", "qian", "sun"):
        assert [each.organ for each in tenants.listed_for(host(person))] == ["town"]
        assert tenants.shown_for(host(person), "town").people == 5
    assert [each.organ for each in tenants.listed_for(of_town("mei"))] == ["town"]
    for actor in (host("li"), host("zhang"), of_town("song")):
        with pytest.raises(Denied):
            tenants.listed_for(actor)
    with pytest.raises(NoTenant):
        tenants.shown_for(of_town("ju"), "county-b")


# --- what cannot be ---


def test_an_organ_that_could_not_run_itself_is_no_tenant(site):
    with site.store.act(SYSTEM, "test.admit", "organ:county-b") as act:
        with pytest.raises(TenantUnmanned) as raised:
            admit(act.session, "county-b", "jade", decided(site))
        assert raised.value.facts["officers"] == 0
    site.authz.directory.load(SYSTEM, DirectoryFile.parse(posts(("ni", "town-admin", ["administrator"]))))
    with site.store.act(SYSTEM, "test.admit", "organ:town") as act, pytest.raises(TenantHasAdministrator):
        admit(act.session, "town", "jade", decided(site))


def test_what_is_a_tenants_stays_out_of_the_hosts_files(site):
    admitted(site)
    directory = site.authz.directory
    directory.load(SYSTEM, DirectoryFile.parse(PROVINCE))  # what changes nothing there goes on
    for file in (
        {
            "appointments": [
                {"person": "wang", "post": "town-auditor", "valid_from": "2026-11-01T00:00:00+08:00"}
            ]
        },
        posts(("wang", "town-spy", ["registrar"])),
        {"organs": [{**PROVINCE["organs"][4], "name_zh": "另一镇"}]},
        {"organs": [{**PROVINCE["organs"][4], "id": "ward", "parent": "town", "division": "990121100202"}]},
        {"people": [{"id": "ju", "name": "ju", "clearance": "top-secret"}]},
    ):
        with pytest.raises(TenantBoundary):
            directory.load(SYSTEM, DirectoryFile.parse(file))
    with site.store.read() as session:
        assert session.get(OrganRow, "ward") is None


def test_no_change_crosses_the_border(site):
    admitted(site)
    for change in (
        MoveOrgan(organ="village", parent="county-a"),
        MergeOrgans(organs=("town",), into="county-a"),
        MergeOrgans(organs=("village",), into="county-b"),
        DissolveOrgan(organ="town"),
    ):
        with pytest.raises(TenantBoundary):
            site.make(change)
    with pytest.raises(TenantHasAdministrator):
        site.make(GiveRoles(post="town-clerk", roles=("administrator",)))
    entry = OrganEntry(id="village-2", parent="town", name_zh="二村", name_en="V", short_name="二", level="township", division="990121100202")  # fmt: skip
    site.make(FoundOrgan(organ=entry))
    assert site.authz.directory.organ("village-2").tenant == "town"
    with site.store.read() as session:
        above = session.scalars(sa.select(OrganClosure.ancestor).where(OrganClosure.organ == "village-2"))
        assert "province" in set(above)


def test_a_tenant_is_made_once(site):
    admitted(site)
    with site.store.act(SYSTEM, "test.admit", "organ:town") as act:
        with pytest.raises(AlreadyTenant):
            admit(act.session, "town", "jade", decided(site))
        with pytest.raises(NoTenant):
            end(act.session, "county-a", "p2", site.clock.now())


@pytest.mark.engines("any")
def test_ones_own_officers_appoint_and_the_hosts_do_not(site):
    admitted(site)
    entry = {"person": "zhang", "post": "town-clerk", "valid_from": site.clock.now().isoformat()}
    with pytest.raises(Denied):
        site.authz.changes.make(host("zhao"), Appoint.model_validate({"appointment": entry}))
    site.authz.changes.make(of_town("mei"), Appoint.model_validate({"appointment": entry}))
