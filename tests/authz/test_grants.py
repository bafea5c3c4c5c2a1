"""Grants: what they open, over which organs, for whom and until when; and that no forbid yields to one."""

from datetime import timedelta

import pytest

from authz import errors
from authz.directory import DirectoryFile
from authz.grant import Wanted
from authz.grant.errors import (
    BadGrantPeriod,
    BadHolder,
    GrantOver,
    GrantWithoutSource,
    OwnGrant,
    UnknownGrant,
    UnknownTemplate,
)
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import PLATFORM, Denied

from .conftest import NOW
from .test_decide import SUN, WANG, ZHANG, paper, seal

OFFICER = Actor(Kind.PERSON, "zhao", "officer", "city")
YEAR = timedelta(days=365)


def wanted(holder="post:clerk-a", organ="county-b", *, starts=timedelta(0), lasts=YEAR, **other):
    given = {"template": "test.grant-reading", "source": "子府办〔2026〕3 号"} | other
    return Wanted(holder=holder, organ=organ, valid_from=NOW + starts, valid_to=NOW + starts + lasts, **given)


def give(site, grant, actor=OFFICER):
    site.authz.grants.sound(grant)
    with site.store.act(actor, "authz.grant", f"grant:{grant.template}") as act:
        return site.authz.grants.give(act.session, act.actor, grant)


def may(site, who, organ, level="internal"):
    return site.authz.decisions.check(who, "test.read", paper(organ, level)).allowed


@pytest.mark.parametrize("holder", ["person:zhang", "post:clerk-a", "organ:county-a"])
def test_a_grant_opens_its_part_of_the_tree_and_no_more(site, holder):
    assert not may(site, ZHANG, "county-b")
    give(site, wanted(holder))
    assert may(site, ZHANG, "county-b")
    assert not may(site, ZHANG, "city")
    assert not site.authz.decisions.check(ZHANG, "test.edit", paper("county-b")).allowed
    assert may(site, WANG, "county-b") == (holder == "organ:county-a")


def test_a_grant_reaches_below_its_organ(site):
    give(site, wanted("person:wang", "city"))
    assert may(site, WANG, "county-b")
    assert not may(site, WANG, "province")


def test_the_record_names_the_grant_and_is_decided_again(site):
    """Seen to fail when: `decide` is not given the grants of the record."""
    site.authz.decisions.adopt()
    given = give(site, wanted())
    record = site.authz.decisions.require(ZHANG, "test.read", paper("county-b")).record()
    assert record["policies"] == [f"test.grant-reading#{given.id}"]
    assert record["grants"] == [given.link()]
    site.authz.grants.revoke(OFFICER, given.id, "到岗")
    assert site.authz.decisions.replay(ZHANG, record).allowed
    with pytest.raises(errors.ReplayDiffers):
        site.authz.decisions.replay(ZHANG, record | {"grants": []})


def test_an_expired_grant_stops_at_once(site, clock):
    """Seen to fail when: `in_force` leaves the end out."""
    give(site, wanted(lasts=timedelta(hours=1)))
    clock.advance(timedelta(minutes=59, seconds=59))
    assert may(site, ZHANG, "county-b")
    clock.advance(timedelta(seconds=1))
    assert not may(site, ZHANG, "county-b")


def test_a_grant_begins_when_it_says(site, clock):
    give(site, wanted(starts=timedelta(days=1)))
    assert not may(site, ZHANG, "county-b")
    clock.advance(timedelta(days=1))
    assert may(site, ZHANG, "county-b")


def test_a_revoked_grant_stops_at_once_and_is_revoked_once(site, events):
    given = give(site, wanted())
    site.authz.grants.revoke(OFFICER, given.id, "不再需要")
    assert not may(site, ZHANG, "county-b")
    assert events()[-1]["verb"] == "authz.revoke-grant"
    with pytest.raises(GrantOver):
        site.authz.grants.revoke(OFFICER, given.id, "again")


def test_no_forbid_yields_to_a_grant(site):
    give(site, wanted("person:zhang"))
    give(site, wanted("person:qian", "county-a"))
    assert not may(site, ZHANG, "county-b", "secret")
    assert not may(site, Actor(Kind.PERSON, "qian", "admin", "province"), "county-a")


def test_a_grant_ends_with_the_appointment(site, clock):
    give(site, wanted("person:zhang"))
    ended = {
        "person": "zhang",
        "post": "clerk-a",
        "valid_from": "2026-01-01T00:00:00+08:00",
        "valid_to": (NOW + timedelta(hours=1)).isoformat(),
    }
    site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": [ended]}))
    clock.advance(timedelta(hours=1))
    assert not may(site, ZHANG, "county-b")


@pytest.mark.engines("any")
@pytest.mark.parametrize(
    ("grant", "error"),
    [
        (wanted(template="test.read"), UnknownTemplate),
        (wanted(template="base.no-read-up"), UnknownTemplate),
        (wanted("zhang"), BadHolder),
        (wanted("role:clerk"), BadHolder),
        (wanted("person:"), BadHolder),
        (wanted("person:nobody"), errors.UnknownPerson),
        (wanted("post:nothing"), errors.UnknownPost),
        (wanted("organ:nowhere"), errors.UnknownOrgan),
        (wanted(organ="nowhere"), errors.UnknownOrgan),
        (wanted(lasts=timedelta(0)), BadGrantPeriod),
        (wanted(lasts=timedelta(days=367)), BadGrantPeriod),
        (wanted(starts=timedelta(days=-2), lasts=timedelta(days=1)), BadGrantPeriod),
        (wanted(source="  "), GrantWithoutSource),
        (wanted("person:zhao"), OwnGrant),
        (wanted("post:officer"), OwnGrant),
        (wanted("organ:province"), OwnGrant),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else each.holder,
)
def test_what_is_not_granted(site, grant, error):
    with pytest.raises(error):
        give(site, grant)


def test_a_grant_of_another_part_of_the_tree_is_as_unknown_as_none(site):
    given = give(site, wanted())
    with pytest.raises(UnknownGrant):
        site.authz.grants.grant_for(ZHANG, given.id)
    with pytest.raises(UnknownGrant):
        site.authz.grants.grant_for(OFFICER, "nothing")
    with pytest.raises(UnknownGrant):
        site.authz.grants.revoke(ZHANG, given.id, "mine now")


def test_lists(site, clock):
    first = give(site, wanted())
    clock.advance(timedelta(seconds=1))
    second = give(site, wanted("person:wang", starts=YEAR))
    grants = site.authz.grants
    assert grants.listed_for(OFFICER, under="city") == (first, second)
    assert grants.listed_for(OFFICER, under="city", limit=1) == (first,)
    assert grants.listed_for(OFFICER, under="city", after=first.id) == (second,)
    assert grants.listed_for(OFFICER, under="city", at=NOW) == (first,)
    assert grants.listed_for(OFFICER, under="city", holding="person:wang") == (second,)
    assert grants.listed_for(OFFICER, under="county-a") == ()
    assert grants.listed_for(SUN, under=PLATFORM) == ()
    assert (first.state(NOW), second.state(NOW), first.state(NOW + YEAR)) == ("in-force", "future", "ended")
    with pytest.raises(Denied):
        grants.listed_for(ZHANG, under="county-a")


def test_a_grant_of_one_kind_of_thing_opens_no_other(site):
    give(site, wanted("person:zhang"))
    assert not site.authz.decisions.check(ZHANG, "test.status", seal("county-b")).allowed


def test_the_grants_of_a_person(site):
    given = give(site, wanted("organ:county-a"))
    pair = ("zhang", "clerk-a")
    assert site.authz.decisions.state.facts([pair], ()).people[pair].grants == (given,)
