from datetime import timedelta

import pytest
import sqlalchemy as sa

from authz import errors
from authz.bind import bind, end_binding
from authz.directory import DirectoryFile
from authz.models import Attempt, CertificateBinding, ChallengeRow, SessionRow
from yinxin.act import SYSTEM
from yinxin.authz import Denied

from .conftest import Unreachable
from .test_directory import changed

APPOINTED = {"person": "zhang", "post": "clerk-a", "valid_from": "2026-01-01T00:00:00+08:00"}


def refused(site, error, token, peer=None):
    with pytest.raises(error) as caught:
        site.authz.sessions.authenticate(token, peer)
    return caught.value


def test_only_the_hash_is_kept(site):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    assert len(token) == 43
    with site.store.read() as session:
        row = session.scalars(sa.select(SessionRow)).one()
        assert token not in str(vars(row))


def test_guessed_token(site, events):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    error = refused(site, errors.NotSignedIn, token[:-1] + ("A" if token[-1] != "A" else "B"))
    assert events()[-1]["id"] == error.entry
    refused(site, errors.NotSignedIn, "")
    refused(site, errors.NotSignedIn, "0" * 43)


def test_the_kept_hash_is_no_token(site):
    site.sign_in(site.enrol("zhang", "clerk-a"))
    with site.store.read() as session:
        kept = session.scalars(sa.select(SessionRow.token_hash)).one()
    refused(site, errors.NotSignedIn, kept)


def test_lasts_eight_hours(site):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    for _ in range(15):
        site.clock.advance(timedelta(minutes=30))
        site.authz.sessions.authenticate(token)
    site.clock.advance(timedelta(minutes=30) - timedelta(microseconds=1))
    site.authz.sessions.authenticate(token)
    site.clock.advance(timedelta(microseconds=1))
    refused(site, errors.SessionExpired, token)


def test_never_longer_than_the_certificate(site):
    identity = site.enrol("zhang", "clerk-a", days=1)
    site.clock.advance(timedelta(hours=23))
    token = site.sign_in(identity)
    site.clock.advance(timedelta(hours=1))
    refused(site, errors.SessionExpired, token)


def test_revoked_mid_session(site, events):
    identity = site.enrol("zhang", "clerk-a")
    token = site.sign_in(identity)
    site.authz.sessions.authenticate(token)
    site.ca.revoke(identity.certificate)
    refused(site, errors.CertificateRevoked, token)
    assert events()[-1]["actor"]["id"] == "zhang"


def test_binding_ended_mid_session(site):
    identity = site.enrol("zhang", "clerk-a")
    token = site.sign_in(identity)
    for _ in range(2):
        with site.store.act(SYSTEM, "test.unbind", "x") as act:
            end_binding(act.session, identity.certificate.fingerprint, site.clock.now())
    refused(site, errors.CertificateRevoked, token)
    with pytest.raises(errors.CertificateRevoked):
        site.sign_in(identity)


def test_revocation_unknown_mid_session(site):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    site.ca.reachable = False
    refused(site, Unreachable, token)
    site.ca.reachable = True
    site.authz.sessions.authenticate(token)


def test_appointment_over_mid_session(site):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    end = APPOINTED | {"valid_to": "2026-11-22T10:00:00+08:00"}
    site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": [end]}))
    site.authz.sessions.authenticate(token)
    site.clock.advance(timedelta(minutes=30))
    refused(site, errors.NoAppointment, token)


def test_changed_roles_take_effect_at_once(site):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    site.authz.directory.load(SYSTEM, DirectoryFile.parse(changed("posts", 0, roles=["reviewer"])))
    assert site.authz.sessions.authenticate(token).roles == {"reviewer"}


def test_swapped_session(site):
    """A stolen token shown over a connection with another certificate."""
    mine, thief = site.enrol("zhang", "clerk-a"), site.enrol("li", "leader-city")
    token = site.sign_in(mine)
    refused(site, errors.SessionOfAnother, token, peer=thief.certificate.der)
    site.authz.sessions.authenticate(token, peer=mine.certificate.der)


def test_sign_out(site):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    other = site.sign_in(site.enrol("zhang", "clerk-a"))
    caller = site.authz.sessions.authenticate(token)
    site.authz.sessions.sign_out(caller)
    site.authz.sessions.sign_out(caller)
    refused(site, errors.SessionEnded, token)
    site.authz.sessions.authenticate(other)


def test_sign_out_everywhere(site):
    mine, other = site.enrol("zhang", "clerk-a"), site.enrol("wang", "seal-a")
    tokens = [site.sign_in(mine) for _ in range(3)]
    stays = site.sign_in(other)
    actor = site.authz.sessions.authenticate(tokens[0]).actor
    assert site.authz.end_sessions(actor, "zhang") == 3
    for token in tokens:
        refused(site, errors.SessionEnded, token)
    site.authz.sessions.authenticate(stays)


def test_unused_for_an_hour_is_over(site, events):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    for _ in range(3):  # in use it goes on, long after the limit on idleness
        site.clock.advance(timedelta(minutes=60) - timedelta(microseconds=1))
        site.authz.sessions.authenticate(token)
    site.clock.advance(timedelta(minutes=60))
    error = refused(site, errors.SessionIdle, token)
    assert error.facts["minutes"] == 60
    assert events()[-1]["id"] == error.entry
    refused(site, errors.SessionIdle, token)  # a refused use is none


def used(site):
    """When the one session was last used, as it is kept."""
    with site.store.read() as session:
        return session.scalars(sa.select(SessionRow.used)).one()


def test_the_last_use_is_written_once_a_minute(site):
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    begun = used(site)
    site.clock.advance(timedelta(seconds=59))
    site.authz.sessions.authenticate(token)
    assert used(site) == begun
    site.clock.advance(timedelta(seconds=1))
    site.authz.sessions.authenticate(token)
    assert used(site) == begun + timedelta(minutes=1)


def test_a_minute_that_ends_within_an_act_leaves_the_use_to_the_next_request(site):
    """An application asks the core within its act; the use is kept once nothing else is under way."""
    token = site.sign_in(site.enrol("zhang", "clerk-a"))
    begun = used(site)
    with site.store.act(SYSTEM, "test.act", "document:1"):
        site.clock.advance(timedelta(minutes=1))
        assert site.authz.sessions.authenticate(token).actor.id == "zhang"
    assert used(site) == begun
    site.authz.sessions.authenticate(token)
    assert used(site) == begun + timedelta(minutes=1)


def test_my_sessions_and_ending_one(site, events):
    mine, other = site.enrol("zhang", "clerk-a"), site.enrol("wang", "seal-a")
    first, second, theirs = site.sign_in(mine), site.sign_in(mine), site.sign_in(other)
    caller = site.authz.sessions.authenticate(second)
    assert [row.way for row in site.authz.sessions.open_of("zhang")] == ["signature"] * 2
    ended = site.authz.sessions.authenticate(first).session
    site.authz.sessions.end_one(caller.actor, ended)
    refused(site, errors.SessionEnded, first)
    site.authz.sessions.authenticate(second)
    assert [row.id for row in site.authz.sessions.open_of("zhang")] == [caller.session]
    for unknown in (ended, site.authz.sessions.authenticate(theirs).session, "nothing"):
        with pytest.raises(errors.UnknownSession) as caught:
            site.authz.sessions.end_one(caller.actor, unknown)
        assert events()[-1]["id"] == caught.value.entry
    site.authz.sessions.authenticate(theirs)


def test_who_has_to_know_is_told_in_the_same_transaction(site):
    told = []
    site.authz.sessions.ended.append(lambda _session, ended, _at: told.extend(ended))
    mine = site.enrol("zhang", "clerk-a")
    tokens = [site.sign_in(mine) for _ in range(3)]
    callers = [site.authz.sessions.authenticate(each) for each in tokens]
    site.authz.sessions.sign_out(callers[0])
    assert told == [callers[0].session]
    site.authz.end_sessions(callers[1].actor, "zhang")
    assert sorted(told) == sorted(each.session for each in callers)

    def fail(*_):
        raise RuntimeError("the queue is gone")

    site.authz.sessions.ended.append(fail)
    token = site.sign_in(mine)
    with pytest.raises(RuntimeError):
        site.authz.sessions.sign_out(site.authz.sessions.authenticate(token))
    site.authz.sessions.authenticate(token)


def test_who_may_end_the_sessions_of_others(site):
    clerk = site.authz.sessions.authenticate(site.sign_in(site.enrol("zhang", "clerk-a")))
    officer = site.authz.sessions.authenticate(site.sign_in(site.enrol("zhao", "officer")))
    admin = site.authz.sessions.authenticate(site.sign_in(site.enrol("qian", "admin")))
    for caller, victim in ((clerk, "zhao"), (admin, "zhang"), (officer, "qian")):
        with pytest.raises(Denied):
            site.authz.end_sessions(caller.actor, victim)
    assert site.authz.end_sessions(officer.actor, "zhang") == 1
    with pytest.raises(errors.UnknownPerson):
        site.authz.end_sessions(officer.actor, "nobody")


def test_what_is_long_over_is_forgotten(site):
    site.sign_in(site.enrol("zhang", "clerk-a"))
    site.clock.advance(timedelta(days=40))
    live = site.sign_in(site.enrol("zhang", "clerk-a"))
    site.authz.forget()
    site.authz.sessions.authenticate(live)
    with site.store.read() as session:
        for table in (SessionRow, ChallengeRow, Attempt):
            assert len(session.scalars(sa.select(table)).all()) == 1


# --- bindings ------------------------------------------------------------------------------------------------------


def attempt(site, identity, person, post):
    with site.store.act(SYSTEM, "test.bind", "x") as act:
        bind(act.session, identity.certificate, person, post, at=site.clock.now())


def test_binding_twice_changes_nothing_and_never_moves(site):
    identity = site.enrol("zhang", "clerk-a")
    attempt(site, identity, "zhang", "clerk-a")
    with pytest.raises(errors.AlreadyBound):
        attempt(site, identity, "wang", "seal-a")


@pytest.mark.parametrize(
    ("person", "post", "error"),
    [
        ("zhang", "seal-a", errors.CannotBind),
        ("nobody", "seal-a", errors.UnknownPerson),
        ("zhang", "nothing", errors.UnknownPost),
    ],
)
def test_binding_needs_an_appointment(site, person, post, error):
    with pytest.raises(error):
        attempt(site, site.ca.identity("x"), person, post)


def test_binding_and_issuing_are_one_commit(site):
    identity = site.ca.identity("zhang")
    with pytest.raises(RuntimeError), site.store.act(SYSTEM, "test.bind", "x") as act:  # noqa: PT012 - the act fails after binding
        bind(act.session, identity.certificate, "zhang", "clerk-a", at=site.clock.now())
        raise RuntimeError("the last step of issuing fails")
    with site.store.read() as session:
        assert session.get(CertificateBinding, identity.certificate.fingerprint) is None


def test_unbinding_what_was_never_bound(site):
    with pytest.raises(errors.NotBound), site.store.act(SYSTEM, "test.unbind", "x") as act:
        end_binding(act.session, "00" * 32, site.clock.now())
