"""Decisions: the policies against a plainly written oracle, and each attack by hand."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product

import pytest

from authz import errors
from authz.directory import DirectoryFile, Organ, Person, Post, Standing
from authz.entities import slice_of
from authz.judge import decide
from authz.policy_set import load_policies
from authz.roles import POWERS, ROLES
from authz.step_up import Freshness
from yinxin.act import STRANGER, SYSTEM, Actor, Kind
from yinxin.authz import LEVELS, PLATFORM, Denied, Resource, UnknownLevel
from yinxin.text import Text

from .conftest import FIXTURES

ORGANS = {
    "province": ("province",),
    "city": ("city", "province"),
    "county-a": ("county-a", "city", "province"),
    "county-b": ("county-b", "city", "province"),
    "town": ("town", "county-a", "city", "province"),
}


@pytest.fixture
def database_url(tmp_path):
    """One engine is enough here: what is decided depends on no database."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


def paper(organ="county-a", level="internal", author="somebody"):
    return Resource("Paper", "2026-1", organ, level, {"author": author})


def seal(organ="county-a", purpose="seal"):
    return Resource("Stamp", "seal-1", organ, "internal", {"purpose": purpose})


def actor(person, post, organ=None):
    return Actor(Kind.PERSON, person, post, organ)


ZHANG = actor("zhang", "clerk-a", "county-a")
LI = actor("li", "leader-city", "city")
WANG = actor("wang", "seal-a", "county-a")
QIAN = actor("qian", "admin", "province")
SUN = actor("sun", "auditor", "province")


def test_permitted(site):
    decision = site.authz.decisions.require(ZHANG, "test.edit", paper())
    assert decision.policies == ("test.edit",)
    assert decision.reason.zh == "经办人可修改本机关的文稿"
    assert decision.record() == {
        "allowed": True,
        "action": "test.edit",
        "resource": {
            "type": "Paper",
            "id": "2026-1",
            "organ": "county-a",
            "level": "internal",
            "attributes": {"author": "somebody"},
        },
        "policies": ["test.edit"],
        "policy_set": site.authz.decisions.policies.hash,
        "entities": decision.record()["entities"],
        "known": decision.record()["known"],
    }


def test_many_at_once_are_answered_as_one_by_one(site):
    """Seen to fail when the freshness of the proof is not asked for."""
    decisions = site.authz.decisions
    known = [
        (who, "test.edit", paper())
        for who in (ZHANG, LI, SYSTEM, STRANGER, replace(ZHANG, organ="city"), replace(ZHANG, post="no-such"))
    ]
    assert decisions.check_all(known) == tuple(decisions.check(*each) for each in known)
    assert [each.allowed for each in decisions.check_all(known)] == [True, False, False, False, False, False]
    unanswerable = [(ZHANG, "no.such", paper()), (ZHANG, "test.edit", paper(organ="nowhere"))]
    assert decisions.check_all(unanswerable) == (None, None)
    decisions._freshness = Freshness(frozenset({"test.edit"}))
    stale, fresh = (replace(ZHANG, certified=site.clock.now() - timedelta(minutes=each)) for each in (6, 1))
    first, second = decisions.check_all([(stale, "test.edit", paper()), (fresh, "test.edit", paper())])
    assert first is None
    assert second.allowed


def refused(site, who, action, resource, *policies, **context):
    decision = site.authz.decisions.check(who, action, resource, context)
    assert not decision.allowed
    assert decision.policies == policies
    return decision


def test_denied_is_recorded_with_the_decision(site, events):
    with pytest.raises(Denied) as caught:
        site.authz.decisions.require(LI, "test.edit", paper())
    entry = events()[-1]
    assert entry["id"] == caught.value.entry
    assert (entry["verb"], entry["outcome"], entry["error"]) == ("test.edit", "refused", "authz.denied")
    assert entry["decision"]["allowed"] is False
    assert entry["decision"]["policies"] == []
    assert "没有规则允许" in caught.value.text("zh")
    assert "no policy permits it" in caught.value.text("en")


def test_within_an_act_it_is_the_act_that_is_refused(site, events):
    """An application asks the core within its act, about what nobody has asked before in this process."""
    with site.store.act(ZHANG, "test.act", "document:1"):
        assert site.authz.decisions.require(ZHANG, "test.edit", paper()).allowed
    with pytest.raises(Denied) as caught, site.store.act(LI, "test.act", "document:2"):
        site.authz.decisions.require(LI, "test.edit", paper())
    done, undone = events()[-2:]
    assert (done["subject"], done["outcome"]) == ("document:1", "done")
    assert (undone["id"], undone["subject"]) == (caught.value.entry, "document:2")
    assert (undone["outcome"], undone["error"]) == ("refused", "authz.denied")
    # outside it is kept for whoever replays it
    record = site.authz.decisions.require(ZHANG, "test.edit", paper()).record()
    assert site.authz.decisions._kept.entities(record)


def test_questions_are_not_recorded(site, events):
    before = len(events())
    site.authz.decisions.check(LI, "test.edit", paper())
    assert len(events()) == before


def test_horizontal_reach(site):
    """Another county's papers: neither read nor edited, whatever the clerk claims of her organ."""
    for action in ("test.read", "test.edit"):
        refused(site, ZHANG, action, paper("county-b"))
    refused(site, actor("zhang", "clerk-a", "county-b"), "test.edit", paper("county-b"))
    refused(site, actor("zhang", "leader-city"), "test.read", paper("county-b"), "base.not-appointed")


def test_upward_reach(site):
    refused(site, ZHANG, "test.read", paper("city"))
    assert site.authz.decisions.check(LI, "test.read", paper("town")).allowed


def test_no_read_up(site):
    refused(site, ZHANG, "test.read", paper(level="confidential"), "base.no-read-up")
    assert site.authz.decisions.check(LI, "test.read", paper(level="secret")).allowed
    refused(site, LI, "test.read", paper(level="top-secret"), "base.no-read-up")


def test_downgrade_of_secrecy(site):
    """A made-up level is no level, and attributes cannot overwrite the owner or the level."""
    with pytest.raises(UnknownLevel):
        paper(level="none")
    sly = Resource("Paper", "x", "county-b", "secret", {"author": "x", "level": 0, "organ": "county-a"})
    refused(site, ZHANG, "test.read", sly, "base.no-read-up")


def test_auditor_never_writes(site):
    decision = refused(site, SUN, "test.edit", paper("province"), "base.auditor-never-writes")
    assert "审计员" in decision.reason.zh
    assert site.authz.decisions.check(SUN, "test.read", paper()).allowed


def test_administrator_touches_neither_keys_nor_business(site):
    refused(site, QIAN, "test.seal", seal("province"), "base.administrator-no-keys")
    refused(site, QIAN, "test.read", paper(), "base.administrator-no-business")
    refused(site, QIAN, "test.edit", paper("province"), "base.administrator-no-business")
    assert site.authz.decisions.check(QIAN, "test.status", seal()).allowed


def test_a_power_counts_in_every_post(site):
    """An auditor who is a clerk elsewhere does not write there either."""
    also = {"person": "sun", "post": "clerk-a", "valid_from": "2026-01-01T00:00:00+08:00"}
    site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": [also]}))
    refused(site, actor("sun", "clerk-a"), "test.edit", paper(), "base.auditor-never-writes")


def test_context(site):
    decisions = site.authz.decisions
    assert decisions.check(LI, "test.approve", paper(), {"approvals": 0}).allowed
    refused(site, LI, "test.approve", paper(), "test.approve-once", approvals=1)
    refused(site, LI, "test.approve", paper(author="li"), approvals=0)
    with pytest.raises(errors.BadQuestion):
        decisions.check(LI, "test.approve", paper())
    with pytest.raises(errors.BadQuestion):
        decisions.check(LI, "test.approve", paper(), {"approvals": "none"})


@pytest.mark.parametrize(
    "who",
    [
        STRANGER,
        SYSTEM,
        Actor(Kind.SERVICE, "zhang", "clerk-a"),
        Actor(Kind.PERSON, "zhang"),
        Actor(Kind.PERSON, "zhang", "clerk-a", "county-b"),
        Actor(Kind.PERSON, "nobody", "clerk-a"),
        Actor(Kind.PERSON, "zhang", "nothing"),
    ],
    ids=str,
)
def test_who_holds_no_post_may_nothing(site, who):
    assert "在岗人员" in refused(site, who, "test.edit", paper()).reason.zh


def test_bad_questions(site):
    decisions = site.authz.decisions
    with pytest.raises(errors.UnknownAction):
        decisions.check(ZHANG, "test.destroy", paper())
    for group in ("read", "write", "key", "business"):
        with pytest.raises(errors.UnknownAction):
            decisions.check(ZHANG, group, Resource("Directory", "x", "city"))
    with pytest.raises(errors.UnknownOrgan):
        decisions.check(ZHANG, "test.edit", paper("atlantis"))
    for resource in (
        seal(),
        Resource("Paper", "x", "county-a"),
        Resource("Paper", "x", "county-a", attributes={"author": 5}),
        Resource("Paper", "x", "county-a", attributes={"author": "x", "colour": "red"}),
        Resource("Ghost", "x", "county-a"),
    ):
        with pytest.raises(errors.BadQuestion):
            decisions.check(ZHANG, "test.edit", resource)


def test_the_platforms_own_things(site):
    refused(site, LI, "test.read", paper(PLATFORM))


def test_many(site):
    answers = site.authz.decisions.check_many(
        ZHANG, [("test.edit", paper(), None), ("test.edit", paper("county-b"), None)]
    )
    assert [answer.allowed for answer in answers] == [True, False]


def test_a_decision_is_no_truth_value(site):
    with pytest.raises(TypeError):
        bool(site.authz.decisions.check(LI, "test.edit", paper()))


# --- replay --------------------------------------------------------------------------------------------------------


def test_replay(site):
    decisions = site.authz.decisions
    decisions.adopt()
    decisions.adopt()
    for who in (ZHANG, LI):
        decision = decisions.check(who, "test.edit", paper())
        site.authz.directory.load(
            SYSTEM, DirectoryFile.parse({"people": [{"id": "zhang", "name": "张", "clearance": "public"}]})
        )
        assert decisions.replay(who, decision.record(), decision.entities).allowed == decision.allowed


@pytest.mark.parametrize(
    ("field", "value"),
    [("allowed", False), ("policies", ["test.read"]), ("policy_set", "0" * 64), ("entities", "0" * 64)],
)
def test_an_altered_record_does_not_replay(site, field, value):
    decisions = site.authz.decisions
    decisions.adopt()
    decision = decisions.check(ZHANG, "test.edit", paper())
    with pytest.raises(errors.ReplayDiffers) as caught:
        decisions.replay(ZHANG, decision.record() | {field: value}, decision.entities)
    assert caught.value.facts["field"] == field


def test_altered_entities_do_not_replay(site):
    decisions = site.authz.decisions
    decisions.adopt()
    decision = decisions.check(ZHANG, "test.edit", paper(level="confidential"))
    person, *others = decision.entities
    promoted = {**person, "attrs": {**person["attrs"], "clearance": 4}}
    with pytest.raises(errors.ReplayDiffers):
        decisions.replay(ZHANG, decision.record(), (promoted, *others))


# --- the oracle ----------------------------------------------------------------------------------------------------

WRITES = {"test.edit", "test.approve", "test.seal", "authz.end-sessions"}
KEYS = {"test.seal"}
BUSINESS = {"test.read", "test.edit", "test.approve"}


def forbidden(who, action, resource, context):
    if LEVELS.index(who.person.clearance) < LEVELS.index(resource.level):
        yield "base.no-read-up"
    if not who.appointed:
        yield "base.not-appointed"
    if len(who.powers) > 1:
        yield "base.three-powers"
    if "auditor" in who.powers and action in WRITES:
        yield "base.auditor-never-writes"
    if "administrator" in who.powers and action in KEYS:
        yield "base.administrator-no-keys"
    if "administrator" in who.powers and action in BUSINESS:
        yield "base.administrator-no-business"
    if "security-officer" in who.powers and action in BUSINESS & WRITES:
        yield "base.officer-no-business"
    if action == "test.approve" and context["approvals"] > 0:
        yield "test.approve-once"


def permitted(who, action, resource):
    roles, same = who.post.roles, resource.organ == who.organ.id
    below = who.organ.id in ORGANS.get(resource.organ, (resource.organ,))
    given = resource.attributes
    rules = {
        "test.read": ("test.read", below),
        "test.edit": ("test.edit", "clerk" in roles and same),
        "test.approve": (
            "test.approve",
            "leader" in roles and below and given.get("author") != who.person.id,
        ),
        "test.seal": (
            "test.seal",
            bool(roles & {"seal-keeper", "administrator"}) and same and given.get("purpose") == "seal",
        ),
        "test.status": ("test.status", "administrator" in roles and below),
        "authz.read": ("authz.read", True),
        "authz.end-sessions": ("authz.end-sessions", "security-officer" in roles and below),
    }
    name, holds = rules[action]
    if holds:
        yield name
    for role in ("administrator", "auditor"):
        if action == "test.edit" and role in roles:
            yield f"test.{role}-edits-by-mistake"


def oracle(who, action, resource, context):
    against = sorted(forbidden(who, action, resource, context))
    if against:
        return False, tuple(against)
    rules = tuple(sorted(permitted(who, action, resource)))
    return bool(rules), rules


TYPES = {
    "test.read": "Paper",
    "test.edit": "Paper",
    "test.approve": "Paper",
    "test.seal": "Stamp",
    "test.status": "Stamp",
    "authz.read": "Directory",
    "authz.end-sessions": "Session",
}


def question(action, organ, level, *, author="other", purpose="seal"):
    attributes = {"Paper": {"author": author}, "Stamp": {"purpose": purpose}}.get(TYPES[action], {})
    return Resource(TYPES[action], "r-1", organ, level, attributes)


def someone(organ, roles, powers, clearance, *, appointed=True):
    name = Text("某", "someone")
    return Standing(
        Person("p-1", "某", clearance),
        Post("post", organ, name, frozenset(roles)),
        Organ(organ, None, name, "某", "city", "990000", None, ORGANS[organ]),
        frozenset(powers),
        appointed,
    )


@pytest.fixture(scope="module")
def policies():
    return load_policies({"test": FIXTURES})


def answer(policies, who, action, resource, context):
    entities = slice_of(who, resource, ORGANS.get(resource.organ, (resource.organ,)))
    decision = decide(policies, (who.person.id, action, resource), entities, context)
    return decision.allowed, decision.policies


def test_oracle_on_random_requests(policies):
    chance = random.Random(20261122)
    allowed = 0
    for _ in range(5000):
        roles = set(chance.sample(sorted(ROLES), chance.choice([0, 1, 1, 2, 3])))
        powers = (roles & POWERS) | set(chance.sample(sorted(POWERS), chance.choice([0, 0, 0, 0, 1])))
        who = someone(
            chance.choice(list(ORGANS)), roles, powers, chance.choice(LEVELS), appointed=chance.random() < 0.9
        )
        action = chance.choice(list(TYPES))
        resource = question(
            action,
            chance.choice([who.organ.id, who.organ.id, PLATFORM, *ORGANS]),
            chance.choice([LEVELS[0], *LEVELS]),
            author=chance.choice(["p-1", "other"]),
            purpose=chance.choice(["seal", "ca"]),
        )
        context = {"approvals": chance.choice([0, 0, 1])} if action == "test.approve" else {}
        expected = oracle(who, action, resource, context)
        assert answer(policies, who, action, resource, context) == expected, (who, action, resource)
        allowed += expected[0]
    assert 500 < allowed < 4500


def test_three_powers_small_scope(policies):
    """Every account of one or two roles, every action, position and level: what the three powers may never do."""
    accounts = [set(roles) for size in (1, 2) for roles in combinations(sorted(ROLES), size)]
    positions = [("city", "city"), ("city", "town"), ("county-a", "county-b"), ("county-a", "city")]
    pairs = [
        ("internal", "public"),
        ("internal", "internal"),
        ("internal", "secret"),
        ("public", "top-secret"),
    ]
    count = 0
    for roles, action, (own, owner), (clearance, level) in product(accounts, TYPES, positions, pairs):
        who = someone(own, roles, roles & POWERS, clearance)
        context = {"approvals": 0} if action == "test.approve" else {}
        allowed, _ = answer(policies, who, action, question(action, owner, level), context)
        count += 1
        if not allowed:
            continue
        assert len(roles & POWERS) < 2
        assert not ("auditor" in roles and action in WRITES)
        assert not ("administrator" in roles and action in KEYS | BUSINESS)
        assert LEVELS.index(level) <= LEVELS.index(clearance)
    assert count == 55 * 7 * 4 * 4
