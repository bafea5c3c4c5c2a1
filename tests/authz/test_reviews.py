"""Appointments are confirmed again or end; who does not use an account is seen.

Seen to fail when: `_close` leaves the undecided alone; the policy lets an officer confirm herself; `_end` is left out of a
decision; a sign-in is not noted.
"""

from datetime import timedelta

import pytest

from authz import errors
from authz.delegation import Wish
from authz.directory import DirectoryFile
from authz.review.errors import NothingToReview, ReviewClosed, ReviewTooShort, UnknownReview
from authz.review.matrix import conflicts, matrix
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import Denied
from yinxin.crypto import cms

from .conftest import Site

OFFICER = Actor(Kind.PERSON, "zhao", "officer", "city")


@pytest.fixture
def begun(site: Site):
    """A review of the city, with its officer, its leader and county A's two posts."""
    deadline = site.clock.now() + timedelta(days=30)
    assert site.authz.reviews.scope(OFFICER, "city", deadline) == 4
    return site.authz.reviews.begin(OFFICER, "city", deadline)


def test_confirmed_stays_ended_ends_at_once_and_silence_ends_by_the_deadline(
    site: Site, begun, events
) -> None:
    reviews, directory = site.authz.reviews, site.authz.directory
    assert (begun.items, begun.undecided) == (4, 4)
    token = site.sign_in(site.enrol("wang", "seal-a"))
    reviews.decide(OFFICER, begun.id, "zhang", "clerk-a", "confirmed")
    reviews.decide(OFFICER, begun.id, "wang", "seal-a", "ended")
    with pytest.raises(errors.SessionEnded):
        site.authz.sessions.authenticate(token)
    for person, post in (("zhang", "clerk-a"), ("wang", "seal-a")):
        with pytest.raises(ReviewClosed):
            reviews.decide(OFFICER, begun.id, person, post, "confirmed")
    assert reviews.close_due() == 0
    assert [each.person for each in reviews.items(begun.id, undecided=True)] == ["li", "zhao"]
    site.clock.advance(timedelta(days=30))
    with pytest.raises(ReviewClosed):
        reviews.decide(OFFICER, begun.id, "li", "leader-city", "confirmed")
    assert reviews.close_due() == 1
    assert reviews.close_due() == 0
    assert (events()[-1]["verb"], events()[-1]["facts"]) == ("authz.close-review", {"ended": 2})
    standing = {
        person: directory.standing(person, post).appointed
        for person, post in (
            ("zhang", "clerk-a"),
            ("wang", "seal-a"),
            ("li", "leader-city"),
            ("zhao", "officer"),
        )
    }
    assert standing == {"zhang": True, "wang": False, "li": False, "zhao": False}
    assert directory.appointments_of("li")[0].ended == "not-confirmed"
    assert reviews.show(begun.id).closed == site.clock.now()


def test_nobody_confirms_herself_nor_beyond_the_own_organ(site: Site, begun) -> None:
    for actor, person, post in (
        (OFFICER, "zhao", "officer"),
        (Actor(Kind.PERSON, "zhang", "clerk-a", "county-a"), "wang", "seal-a"),
        (Actor(Kind.PERSON, "qian", "admin", "province"), "li", "leader-city"),
    ):
        for outcome in ("confirmed", "ended"):
            with pytest.raises(Denied):
                site.authz.reviews.decide(actor, begun.id, person, post, outcome)
    with pytest.raises(Denied):
        site.authz.reviews.begin(OFFICER, "province", site.clock.now() + timedelta(days=30))
    assert site.authz.reviews.show(begun.id).undecided == 4


def test_what_cannot_be_reviewed(site: Site, begun) -> None:
    reviews, month = site.authz.reviews, site.clock.now() + timedelta(days=30)
    with pytest.raises(ReviewTooShort):
        reviews.begin(OFFICER, "city", site.clock.now() + timedelta(days=6))
    with pytest.raises(NothingToReview):
        reviews.begin(OFFICER, "town", month)
    with pytest.raises(errors.UnknownOrgan):
        reviews.begin(OFFICER, "nowhere", month)
    with pytest.raises(UnknownReview):
        reviews.decide(OFFICER, begun.id, "sun", "auditor", "confirmed")
    with pytest.raises(UnknownReview):
        reviews.show("none")
    assert [each.id for each in reviews.campaigns(under="city")] == [begun.id]
    (here,) = reviews.campaigns(under="county-a")
    assert (here.items, here.undecided) == (2, 2)
    assert reviews.campaigns(under="county-b") == ()


def test_a_delegation_ends_by_itself_and_is_not_reviewed(site: Site) -> None:
    leader = site.enrol("li", "leader-city")
    actor = site.authz.sessions.authenticate(site.sign_in(leader)).actor
    now = site.clock.now()
    wish = Wish(delegate="zhang", valid_from=now, valid_to=now + timedelta(days=7), reason="出差")
    statement = site.authz.delegations.statement(actor, wish)
    signature = cms.sign_detached(leader, statement, signed_at=now)
    site.authz.delegations.give(actor, statement, signature)
    assert site.authz.reviews.scope(OFFICER, "city", now + timedelta(days=30)) == 4


def test_unused_accounts(site: Site) -> None:
    identity = site.enrol("zhang", "clerk-a")
    site.sign_in(identity)
    site.clock.advance(timedelta(days=89))
    assert "zhang" not in dict(site.authz.reviews.dormant(90))
    assert dict(site.authz.reviews.dormant(90))["li"] is None
    site.clock.advance(timedelta(days=2))
    assert dict(site.authz.reviews.dormant(90))["zhang"] == site.clock.now() - timedelta(days=91)
    site.sign_in(identity)
    assert "zhang" not in dict(site.authz.reviews.dormant(90))


def test_the_matrix_of_who_holds_what(site: Site) -> None:
    rows = list(matrix(site.store, "city"))
    assert [(row["organ"], row["post"], row["person"]) for row in rows] == [
        ("city", "leader-city", "li"),
        ("city", "officer", "zhao"),
        ("county-a", "clerk-a", "zhang"),
        ("county-a", "seal-a", "wang"),
    ]
    assert rows[3]["roles"] == "registrar;seal-keeper"
    assert conflicts(site.store) == []
    more = {"person": "zhang", "post": "leader-city", "valid_from": "2026-01-01T00:00:00+08:00"}
    site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": [more]}))
    assert len(list(matrix(site.store, "city"))) == 5
