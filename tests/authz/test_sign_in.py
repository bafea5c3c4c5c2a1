from datetime import timedelta

import pytest

from authz import errors
from authz.challenges import token_hash
from authz.settings import AuthzSettings
from yinxin.act import SYSTEM
from yinxin.authz import sign_in_statement
from yinxin.crypto import cms
from yinxin.crypto.suite import INTL, SM

from .conftest import ORIGIN, Authority, Unreachable

pytestmark = pytest.mark.engines("any")


def test_by_signature(site, events):
    identity = site.enrol("zhang", "clerk-a")
    challenge = site.authz.sign_in.challenge()
    token, caller = site.authz.sign_in.by_signature(site.answer(identity, challenge.nonce), challenge.nonce)
    assert (caller.actor.id, caller.actor.post, caller.actor.organ) == ("zhang", "clerk-a", "county-a")
    assert caller.actor.certificate == identity.certificate.fingerprint
    assert caller.roles == {"clerk"}
    assert (caller.name, caller.organ_name.zh, caller.post_name.en) == ("张喆", "子县人民政府", "Clerk")
    assert site.authz.sessions.authenticate(token) == caller
    entry = events()[-1]
    assert (entry["verb"], entry["outcome"], entry["subject"]) == (
        "authz.sign-in",
        "done",
        f"session:{caller.session}",
    )
    assert token not in str(events())


def test_by_tls(site):
    identity = site.enrol("zhang", "clerk-a")
    token, caller = site.authz.sign_in.by_tls(identity.certificate.der)
    assert site.authz.sessions.authenticate(token, peer=identity.certificate.der) == caller


def test_sm_suite(store, clock, site):
    site.ca.__init__(SM, clock)
    site.sign_in(site.enrol("zhang", "clerk-a"))


def refused(site, events, error, cms_der, nonce, *, subject=None):
    with pytest.raises(error) as caught:
        site.authz.sign_in.by_signature(cms_der, nonce)
    assert caught.value.entry
    entry = events()[-1]
    assert (entry["id"], entry["verb"], entry["outcome"], entry["error"]) == (
        caught.value.entry,
        "authz.sign-in",
        "refused",
        error.code,
    )
    assert entry["actor"]["kind"] == "stranger"
    assert subject is None or entry["subject"] == subject
    return entry


def test_replayed_challenge(site, events):
    identity = site.enrol("zhang", "clerk-a")
    nonce = site.authz.sign_in.challenge().nonce
    answer = site.answer(identity, nonce)
    site.authz.sign_in.by_signature(answer, nonce)
    refused(site, events, errors.ChallengeUsed, answer, nonce, subject=f"challenge:{token_hash(nonce)[:16]}")


def test_a_failed_answer_uses_the_challenge_up_too(site, events):
    identity = site.enrol("zhang", "clerk-a")
    nonce = site.authz.sign_in.challenge().nonce
    refused(site, events, errors.WrongSignature, b"junk", nonce)
    refused(site, events, errors.ChallengeUsed, site.answer(identity, nonce), nonce)


def test_invented_challenge(site, events):
    identity = site.enrol("zhang", "clerk-a")
    refused(site, events, errors.ChallengeUnknown, site.answer(identity, "AAAA"), "AAAA")


def test_late_answer(site, events):
    identity = site.enrol("zhang", "clerk-a")
    nonce = site.authz.sign_in.challenge().nonce
    answer = site.answer(identity, nonce)
    site.clock.advance(timedelta(seconds=120))
    refused(site, events, errors.ChallengeExpired, answer, nonce)


def test_answer_in_the_last_moment(site):
    identity = site.enrol("zhang", "clerk-a")
    nonce = site.authz.sign_in.challenge().nonce
    site.clock.advance(timedelta(seconds=120) - timedelta(microseconds=1))
    site.authz.sign_in.by_signature(site.answer(identity, nonce), nonce)


def test_signature_given_to_a_false_site(site, events):
    identity = site.enrol("zhang", "clerk-a")
    nonce = site.authz.sign_in.challenge().nonce
    answer = site.answer(identity, nonce, origin="https://trust.example.gov.cn.evil.example")
    refused(site, events, errors.WrongSignature, answer, nonce)


def test_signature_over_another_challenge(site, events):
    identity = site.enrol("zhang", "clerk-a")
    first, second = (site.authz.sign_in.challenge().nonce for _ in range(2))
    refused(site, events, errors.WrongSignature, site.answer(identity, first), second)


def test_signature_over_something_else(site, events):
    """A signature obtained for a document opens no session."""
    identity = site.enrol("zhang", "clerk-a")
    nonce = site.authz.sign_in.challenge().nonce
    statement = sign_in_statement(nonce, ORIGIN).replace(b"sign-in", b"sign-up")
    refused(
        site, events, errors.WrongSignature, cms.sign_detached(identity, statement, signed_at=None), nonce
    )


def test_no_flipped_byte_lets_in_anybody_else(site):
    """What a signature does not cover (the container's own labels) may change; who is let in may not."""
    identity = site.enrol("zhang", "clerk-a")
    site.authz.sign_in._refusals.record = lambda *_: None
    length = len(site.answer(identity, site.authz.sign_in.challenge().nonce))
    inside = 0
    for place in range(0, length, 7):
        site.clock.advance(timedelta(seconds=10))
        nonce = site.authz.sign_in.challenge().nonce
        answer = bytearray(site.answer(identity, nonce))
        answer[place % len(answer)] ^= 1
        try:
            _, caller = site.authz.sign_in.by_signature(bytes(answer), nonce)
        except (errors.WrongSignature, errors.UnknownCertificate):
            continue
        inside += 1
        assert caller.actor.certificate == identity.certificate.fingerprint
    assert inside < length / 7 / 4


def test_strangers_certificate(site, events):
    """Issued by somebody else under the same names."""
    stranger = Authority(INTL, site.clock).identity("zhang")
    nonce = site.authz.sign_in.challenge().nonce
    entry = refused(site, events, errors.UnknownCertificate, site.answer(stranger, nonce), nonce)
    assert entry["subject"] == f"certificate:{stranger.certificate.fingerprint}"


def test_forged_certificate(site, events):
    """The officer's certificate shown with another key's signature."""
    officer = site.enrol("zhao", "officer")
    forger = site.ca.identity("forger")
    nonce = site.authz.sign_in.challenge().nonce
    forged = site.answer(forger, nonce).replace(forger.certificate.der, officer.certificate.der)
    refused(site, events, errors.WrongSignature, forged, nonce)


def test_ours_but_bound_to_nobody(site, events):
    identity = site.ca.identity("zhang")
    nonce = site.authz.sign_in.challenge().nonce
    refused(site, events, errors.UnknownCertificate, site.answer(identity, nonce), nonce)


def test_encryption_certificate_does_not_sign_in(site):
    from authz.bind import bind

    identity = site.ca.identity("zhang")
    with site.store.act(SYSTEM, "test.bind", "x") as act:
        bind(act.session, identity.certificate, "zhang", "clerk-a", at=site.clock.now(), purpose="encryption")
    with pytest.raises(errors.UnknownCertificate):
        site.authz.sign_in.by_tls(identity.certificate.der)


def test_expired_certificate(site, events):
    identity = site.enrol("zhang", "clerk-a", days=1)
    site.clock.advance(timedelta(days=2))
    nonce = site.authz.sign_in.challenge().nonce
    refused(site, events, errors.CertificateExpired, site.answer(identity, nonce), nonce)


def test_revoked_certificate(site, events):
    identity = site.enrol("zhang", "clerk-a")
    site.ca.revoke(identity.certificate)
    nonce = site.authz.sign_in.challenge().nonce
    refused(site, events, errors.CertificateRevoked, site.answer(identity, nonce), nonce)


def test_appointment_over(site, events):
    from authz.directory import DirectoryFile

    identity = site.enrol("zhang", "clerk-a")
    end = {"person": "zhang", "post": "clerk-a", "valid_from": "2026-01-01T00:00:00+08:00", "valid_to": "2026-11-22T09:30:00+08:00"}  # fmt: skip
    site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": [end]}))
    nonce = site.authz.sign_in.challenge().nonce
    refused(site, events, errors.NoAppointment, site.answer(identity, nonce), nonce)


def test_revocation_unknown_lets_nobody_in(site, events):
    identity = site.enrol("zhang", "clerk-a")
    site.ca.reachable = False
    nonce = site.authz.sign_in.challenge().nonce
    refused(site, events, Unreachable, site.answer(identity, nonce), nonce)


def test_unreadable_tls_certificate(site):
    from yinxin.crypto.errors import MalformedCertificate

    with pytest.raises(MalformedCertificate) as caught:
        site.authz.sign_in.by_tls(b"\x30\x03junk")
    assert caught.value.entry


# --- limits --------------------------------------------------------------------------------------------------------


def test_rate_per_certificate(site):
    identity, other = site.enrol("zhang", "clerk-a"), site.enrol("zhang", "clerk-a")
    for _ in range(AuthzSettings().attempts_per_minute):
        site.sign_in(identity)
    with pytest.raises(errors.TooManyAttempts):
        site.sign_in(identity)
    site.sign_in(other)
    site.clock.advance(timedelta(minutes=1, seconds=1))
    site.sign_in(identity)


def test_nobody_can_lock_an_officer_out(site):
    """Certificates are public: showing one without its key must not count against it."""
    officer = site.enrol("zhao", "officer")
    forger = site.ca.identity("forger")
    for _ in range(AuthzSettings().attempts_per_minute + 1):
        nonce = site.authz.sign_in.challenge().nonce
        forged = site.answer(forger, nonce).replace(forger.certificate.der, officer.certificate.der)
        with pytest.raises(errors.WrongSignature):
            site.authz.sign_in.by_signature(forged, nonce)
    site.sign_in(officer)


def test_strangers_cannot_fill_the_log(site, events, caplog):
    for _ in range(80):
        with pytest.raises(errors.NotSignedIn):
            site.authz.sessions.authenticate("guess")
    assert sum(entry["outcome"] == "refused" for entry in events()) == 60
    site.clock.advance(timedelta(minutes=1))
    with pytest.raises(errors.NotSignedIn):
        site.authz.sessions.authenticate("guess")
    assert "20 refusals of stranger" in caplog.text
    assert sum(entry["outcome"] == "refused" for entry in events()) == 61


def test_two_answers_at_once(site):
    """However many answer one challenge together, one is let in."""
    from concurrent.futures import ThreadPoolExecutor

    identity = site.enrol("zhang", "clerk-a")
    nonce = site.authz.sign_in.challenge().nonce
    answer = site.answer(identity, nonce)

    def attempt(_):
        try:
            site.authz.sign_in.by_signature(answer, nonce)
        except errors.ChallengeUsed:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
