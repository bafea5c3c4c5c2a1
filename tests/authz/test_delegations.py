"""Acting for the holder of a post: a signed window, and nothing outside it.

Seen to fail when: `_signed` leaves out the certificate, the site or the time; `_within_own` leaves out the end of the own term;
`beyond_delegation` is left out of `decide`; `_end_delegations` is left out of an end.
"""

from datetime import timedelta

import pytest

from authz import errors
from authz.change import Appoint, EndAppointment, Retire
from authz.change.asked import post_resource
from authz.delegation import errors as refused
from authz.directory import errors as changed
from authz.models import CertificateBinding
from yinxin.act import Actor, Kind
from yinxin.authz import Denied, Resource
from yinxin.crypto import cms
from yinxin.crypto.errors import DigestMismatch
from yinxin.errors import YinxinError
from yinxin.statement import Statement

from .conftest import Site
from .delegating import give, who, wish

OFFICER = Actor(Kind.PERSON, "zhao", "officer", "city")


def test_within_the_window_she_acts_for_the_holder_and_the_record_says_so(city: Site, events) -> None:
    given = give(city, wish(city))
    assert events()[-1]["facts"] == {"delegate": "zhou", "delegation": given.id}
    own = city.authz.sessions.authenticate(city.sign_in(city.deputy))
    with pytest.raises(refused.DelegationOver):
        city.authz.delegations.held(own.actor, given.id)
    with pytest.raises(errors.NoAppointment):
        city.authz.sessions.act_for(own, "leader-city", given.id)
    city.clock.advance(timedelta(days=1))
    own = city.authz.sessions.authenticate(city.sign_in(city.deputy))
    held = city.authz.delegations.held(own.actor, given.id)
    token, acting = city.authz.sessions.act_for(own, held.post, held.id)
    assert (acting.actor.post, acting.actor.certificate) == ("leader-city", own.actor.certificate)
    assert acting.roles == {"leader"}
    decision = city.authz.decisions.require(
        acting.actor, "authz.read", Resource("Directory", "directory", "platform")
    )
    assert decision.record()["delegation"] == given.id
    assert (
        "delegation"
        not in city.authz.decisions.check(
            own.actor, "authz.read", Resource("Directory", "directory", "platform")
        ).record()
    )
    city.authz.decisions.adopt(())
    again = city.authz.decisions.replay(acting.actor, decision.record(), decision.entities)
    assert again.record() == decision.record()
    city.clock.advance(timedelta(days=7))
    with pytest.raises((errors.NoAppointment, errors.SessionExpired)):
        city.authz.sessions.authenticate(token)
    late = city.authz.decisions.check(
        acting.actor, "authz.read", Resource("Directory", "directory", "platform")
    )
    assert late.policies == ("base.not-appointed",)


def test_a_delegation_may_be_limited_to_acts(city: Site) -> None:
    given = give(city, wish(city, 0, 7, actions=("authz.read",)))
    own = city.authz.sessions.authenticate(city.sign_in(city.deputy))
    _, acting = city.authz.sessions.act_for(own, "leader-city", given.id)
    directory = Resource("Directory", "directory", "platform")
    assert city.authz.decisions.check(acting.actor, "authz.read", directory).allowed
    with pytest.raises(Denied) as caught:
        city.authz.decisions.require(
            acting.actor,
            "authz.delegate",
            post_resource("leader-city", "city", [], "zhou"),
        )
    assert "delegation" in caught.value.text("en")
    with pytest.raises(errors.UnknownAction):
        give(city, wish(city, actions=("no.such",)))


@pytest.mark.parametrize(
    ("begin", "end", "error"),
    [
        (1, 31, refused.DelegationTooLong),
        (-1, 3, refused.DelegationWindow),
        (3, 3, refused.DelegationWindow),
        (3, 2, refused.DelegationWindow),
        (0, 999, refused.DelegationWindow),
    ],
)
def test_no_window_but_within_the_own_term(city: Site, begin: int, end: int, error) -> None:
    with pytest.raises(error):
        give(city, wish(city, begin, end))
    assert city.authz.delegations.of("zhou") == ()


def test_not_passed_on_not_to_oneself_not_twice_not_across_powers(city: Site) -> None:
    with pytest.raises(refused.DelegationToOneself):
        give(city, wish(city, delegate="li"))
    with pytest.raises(errors.UnknownPerson):
        give(city, wish(city, delegate="nobody"))
    given = give(city, wish(city, 0, 8))
    with pytest.raises(changed.AppointmentOverlaps):
        give(city, wish(city, 7, 9))
    own = city.authz.sessions.authenticate(city.sign_in(city.deputy))
    _, acting = city.authz.sessions.act_for(own, "leader-city", given.id)
    with pytest.raises(Denied):
        give(city, wish(city, delegate="wang"), city.deputy, acting.actor)
    officer = city.enrol("zhao", "officer")
    for holder in ("qian", "sun"):
        with pytest.raises(errors.PowersMeet):
            give(city, wish(city, delegate=holder), officer)


def test_nobody_delegates_with_a_revoked_certificate(city: Site, events) -> None:
    """Signed in before it was revoked: what she signs now is nobody's. Seen to fail without the look at the certificate."""
    actor = who(city, city.leader)
    city.ca.revoke(city.leader.certificate)
    with pytest.raises(YinxinError) as caught:
        give(city, wish(city), city.leader, actor)
    assert "revoked" in caught.value.code
    assert (events()[-1]["verb"], events()[-1]["outcome"]) == ("authz.delegate", "refused")
    assert city.authz.delegations.of("zhou") == ()


def test_what_was_signed_must_be_it(city: Site) -> None:
    actor = who(city, city.leader)
    good = wish(city).statement(actor, "https://trust.example.gov.cn", city.clock.now())

    def tried(statement: Statement, identity=city.leader):
        data = statement.encode()
        return city.authz.delegations.give(
            actor, data, cms.sign_detached(identity, data, signed_at=city.clock.now())
        )

    def other(**fields):
        parts = {
            name: getattr(good, name)
            for name in ("type", "subject", "person", "post", "organ", "at", "content")
        }
        return Statement(**parts | fields)

    wrong = {
        "type": other(type="document.sign-off"),
        "subject": other(subject="post:deputy"),
        "person": other(person="zhou"),
        "site": other(content={**good.content, "site": "https://elsewhere.example"}),
        "at": other(at=city.clock.now() - timedelta(hours=1)),
        "reason": other(content={name: value for name, value in good.content.items() if name != "reason"}),
        "title": other(content={**good.content, "title": "king"}),
    }
    for field, statement in wrong.items():
        with pytest.raises(refused.DelegationStatementWrong) as caught:
            tried(statement)
        assert caught.value.facts["field"] == field
        assert caught.value.entry
    with pytest.raises(refused.DelegationStatementWrong) as caught:
        tried(good, city.deputy)
    assert caught.value.facts["field"] == "certificate"
    signature = cms.sign_detached(city.leader, good.encode(), signed_at=city.clock.now())
    with pytest.raises(DigestMismatch):
        city.authz.delegations.give(actor, other(person="wang").encode(), signature)
    city.ca.revoke(city.leader.certificate)
    with pytest.raises(YinxinError):
        tried(good)
    assert city.authz.delegations.of("li") == ()


def test_it_ends_at_once_and_with_either(city: Site) -> None:
    def begun():
        given = give(city, wish(city, 0, 7))
        own = city.authz.sessions.authenticate(city.sign_in(city.deputy))
        return given, city.authz.sessions.act_for(own, "leader-city", given.id)[0]

    given, token = begun()
    with pytest.raises(Denied):
        city.authz.delegations.end(who(city, city.enrol("wang", "seal-a")), given.id)
    ended = city.authz.delegations.end(who(city, city.leader), given.id)
    assert (ended.ended, ended.ended_at) == ("withdrawn", city.clock.now())
    with pytest.raises(errors.SessionEnded):
        city.authz.sessions.authenticate(token)
    with pytest.raises(refused.DelegationOver):
        city.authz.delegations.end(who(city, city.leader), given.id)
    # the delegate's own post and certificate are hers still
    assert who(city, city.deputy).post == "deputy"
    city.clock.advance(timedelta(seconds=1))

    given, token = begun()
    city.authz.changes.make(OFFICER, EndAppointment(person="li", post="leader-city"))
    with pytest.raises(errors.SessionEnded):
        city.authz.sessions.authenticate(token)
    city.clock.advance(timedelta(seconds=1))

    city.make(Appoint(appointment={"person": "li", "post": "leader-city"}))
    city.leader = city.enrol("li", "leader-city")
    given, token = begun()
    city.authz.changes.make(OFFICER, Retire(person="zhou"))
    with pytest.raises(errors.SessionEnded):
        city.authz.sessions.authenticate(token)
    assert [each.ended for each in city.authz.delegations.of("zhou")] == ["withdrawn", "withdrawn", "retired"]
    with city.store.read() as session:
        bound = session.get(CertificateBinding, city.deputy.certificate.fingerprint)
        assert bound.left_at == city.clock.now()
