"""Passkeys: enrolled after the certificate, ended with it, never taken from a copy; and the acts they are not enough for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from authz import errors
from authz.api import routes
from authz.bind import end_binding
from authz.directory import DirectoryFile
from authz.passkey import api
from authz.passkey import errors as passkey_errors
from tests.support.authenticator import Authenticator
from yinxin.act import SYSTEM
from yinxin.authz import Resource, StepUpRequired
from yinxin.client import Client, in_process
from yinxin.web import WebSettings, create_app

from .conftest import ORIGIN

HOST = "trust.example.gov.cn"


@pytest.fixture
def database_url(tmp_path):
    """Nothing here depends on the engine: the counter is compared and set in one statement."""
    return f"sqlite:///{tmp_path / 'test.sqlite'}"


@pytest.fixture
def person(site):
    return site.enrol("zhang", "clerk-a")


@pytest.fixture
def caller(site, person):
    return site.authz.sessions.authenticate(site.sign_in(person))


@pytest.fixture
def key(site, caller):
    made = Authenticator(HOST, ORIGIN)
    options = site.authz.passkeys.options(caller, ORIGIN)
    site.authz.passkeys.enrol(caller, made.make(options), "办公室")
    return made


def sign_in(site, key):
    nonce = site.authz.sign_in.challenge().nonce
    return site.authz.passkeys.by_passkey(key.answer(nonce))


def test_enrolled_and_signed_in(site, caller, key, events):
    entry = events()[-1]
    assert (entry["verb"], entry["actor"]["id"], entry["facts"]) == (
        "authz.enrol-passkey",
        "zhang",
        {"way": "signature", "synced": False},
    )
    token, who = sign_in(site, key)
    assert (who.actor, who.way) == (caller.actor, "passkey")
    assert site.authz.sessions.authenticate(token) == who
    assert events()[-1]["facts"]["way"] == "passkey"
    (kept,) = site.authz.passkeys.of(caller)
    assert (kept.label, kept.counter, kept.used) == ("办公室", 1, site.clock.now())


def test_a_systems_own_client_enrols_and_signs_in(site, person):
    """The whole way through the SDK, over HTTP: prepared, made, listed, signed in with, removed."""
    app = create_app(
        authenticator=site.authz.sessions,
        store=site.store,
        clock=site.clock,
        settings=WebSettings(public_url=ORIGIN),
    )
    for blueprint in (*routes(site.authz), *api.routes(site.authz)):
        app.register_blueprint(blueprint)
    made = Authenticator(HOST, ORIGIN)
    with Client(ORIGIN, identity=person, transport=in_process(app), clock=site.clock) as client:
        client.authz.enrol_passkey(made.make(dict(client.authz.passkey_options())), "办公室")
        (kept,) = client.authz.passkeys()
        assert (kept.label, kept.used) == ("办公室", None)
        with Client(ORIGIN, transport=in_process(app), clock=site.clock) as anew:
            anew.authz.open_session_by_passkey(made.answer(anew.authz.challenge()))
            assert anew.authz.whoami().person == "zhang"
            with pytest.raises(passkey_errors.CertificateLoginNeeded):
                anew.authz.passkey_options()
        client.authz.remove_passkey(kept.id)
        assert client.authz.passkeys() == ()


def test_only_after_a_certificates_login_and_only_lately(site, caller, key):
    """Seen to fail when `_certified` lets every session through."""
    _, by_passkey = sign_in(site, key)
    with pytest.raises(passkey_errors.CertificateLoginNeeded):
        site.authz.passkeys.options(by_passkey, ORIGIN)
    other = Authenticator(HOST, ORIGIN)
    answer = other.make(site.authz.passkeys.options(caller, ORIGIN))
    site.clock.advance(timedelta(minutes=5))
    with pytest.raises(passkey_errors.CertificateLoginNeeded):
        site.authz.passkeys.enrol(caller, answer, "x")


@pytest.mark.parametrize("how", ["revoked", "unbound", "appointment", "removed"])
def test_ends_with_what_it_hangs_on(site, caller, key, person, how):
    token, _ = sign_in(site, key)
    expected: type[Exception] = errors.CertificateRevoked
    if how == "revoked":
        site.ca.revoke(person.certificate)
    elif how == "unbound":
        with site.store.act(SYSTEM, "test.unbind", "x") as act:
            end_binding(act.session, person.certificate.fingerprint, site.clock.now())
    elif how == "appointment":
        over = {
            "person": "zhang",
            "post": "clerk-a",
            "valid_from": "2026-01-01T00:00:00+08:00",
            "valid_to": "2026-11-22T09:30:00+08:00",
        }
        site.authz.directory.load(SYSTEM, DirectoryFile.parse({"appointments": [over]}))
        expected = errors.NoAppointment
    else:
        (kept,) = site.authz.passkeys.of(caller)
        site.authz.passkeys.remove(caller, kept.id)
        expected = passkey_errors.UnknownPasskey
    with pytest.raises(expected):
        sign_in(site, key)
    if how != "removed":
        with pytest.raises(expected):
            site.authz.sessions.authenticate(token)


def test_never_longer_than_its_certificate(site):
    mine = site.enrol("wang", "seal-a", days=1)
    caller = site.authz.sessions.authenticate(site.sign_in(mine))
    key = Authenticator(HOST, ORIGIN)
    options = site.authz.passkeys.options(caller, ORIGIN)
    site.authz.passkeys.enrol(caller, key.make(options), "x")
    site.clock.advance(timedelta(hours=23, minutes=50))
    token, _ = sign_in(site, key)
    site.clock.advance(timedelta(minutes=10))
    with pytest.raises(errors.SessionExpired):
        site.authz.sessions.authenticate(token)
    with pytest.raises(errors.CertificateExpired):
        sign_in(site, key)


def test_a_copy_is_seen_by_its_counter_and_both_are_out(site, caller, key, events):
    """Seen to fail when the counter is not compared."""
    sign_in(site, key)
    copy = Authenticator(HOST, ORIGIN, identifier=key.identifier, key=key.key, counter=0)
    with pytest.raises(passkey_errors.PasskeyCopied) as caught:
        sign_in(site, copy)
    assert events()[-1]["id"] == caught.value.entry
    with pytest.raises(passkey_errors.UnknownPasskey):
        sign_in(site, key)
    assert site.authz.passkeys.of(caller) == []


@pytest.mark.parametrize(
    "lie", ["unverified", "another site", "another origin", "another key", "replayed", "invented"]
)
def test_what_does_not_hold(site, key, events, lie):
    nonce = site.authz.sign_in.challenge().nonce
    liar = Authenticator(HOST, ORIGIN, identifier=key.identifier, key=key.key, counter=key.counter)
    expected: type[Exception] = passkey_errors.WrongPasskey
    if lie == "unverified":
        liar.verified = False
    elif lie == "another site":
        liar.host = "evil.example"
    elif lie == "another origin":
        liar.origin = "https://trust.example.gov.cn.evil.example"
        expected = passkey_errors.NoPasskeysHere
    elif lie == "another key":
        liar.key = Authenticator(HOST, ORIGIN).key
    elif lie == "replayed":
        site.authz.passkeys.by_passkey(key.answer(nonce))
        expected = errors.ChallengeUsed
    else:
        nonce, expected = "A" * 43, errors.ChallengeUnknown
    with pytest.raises(expected) as caught:
        site.authz.passkeys.by_passkey(liar.answer(nonce))
    assert events()[-1]["id"] == caught.value.entry


def test_rubbish_is_refused(site, caller, key):
    for rubbish in ("", "{}", "[]", '{"rawId": 1}', '{"response": {"clientDataJSON": "e30"}}', "\\0"):
        with pytest.raises(passkey_errors.WrongPasskey):
            site.authz.passkeys.by_passkey(rubbish)
        with pytest.raises(passkey_errors.WrongPasskey):
            site.authz.passkeys.enrol(caller, rubbish, "x")
    with pytest.raises(passkey_errors.UnknownPasskey):
        sign_in(site, Authenticator(HOST, ORIGIN))
    with pytest.raises(passkey_errors.NoSuchPasskey):
        site.authz.passkeys.remove(caller, "nothing")
    with pytest.raises(passkey_errors.NoPasskeysHere):
        site.authz.passkeys.options(caller, "https://127.0.0.1:8443")
    with pytest.raises(passkey_errors.NoPasskeysHere):
        site.authz.passkeys.options(caller, "https://evil.example")


def test_the_same_passkey_twice_and_a_passkey_of_somebody_else(site, caller, key):
    options = site.authz.passkeys.options(caller, ORIGIN)
    assert len(options["excludeCredentials"]) == 1
    with pytest.raises(passkey_errors.PasskeyKnown):
        site.authz.passkeys.enrol(caller, key.make(options), "x")
    other = site.authz.sessions.authenticate(site.sign_in(site.enrol("wang", "seal-a")))
    (kept,) = site.authz.passkeys.of(caller)
    with pytest.raises(passkey_errors.NoSuchPasskey):
        site.authz.passkeys.remove(other, kept.id)


# --- step-up ------------------------------------------------------------------------------------------------------


def edit(site, caller):
    paper = Resource("Paper", "p", "county-a", "internal", {"author": "zhang"})
    return site.authz.decisions.require(caller.actor, "test.edit", paper)


def test_a_dangerous_act_wants_a_fresh_proof(wary, person, events):
    """Seen to fail when `demand` does not look at the time."""
    token = wary.sign_in(person)
    caller = wary.authz.sessions.authenticate(token)
    edit(wary, caller)
    wary.clock.advance(timedelta(minutes=5))
    with pytest.raises(StepUpRequired) as caught:
        edit(wary, wary.authz.sessions.authenticate(token))
    entry = events()[-1]
    assert (entry["id"], entry["verb"], entry["outcome"]) == (caught.value.entry, "test.edit", "refused")
    nonce = wary.authz.sign_in.challenge().nonce
    wary.authz.sign_in.prove(caller, wary.answer(person, nonce), nonce)
    assert events()[-1]["verb"] == "authz.prove"
    edit(wary, wary.authz.sessions.authenticate(token))
    wary.clock.advance(timedelta(minutes=6))
    wary.authz.sign_in.prove_by_tls(caller, person.certificate.der)
    edit(wary, wary.authz.sessions.authenticate(token))


def test_a_passkey_is_never_enough_for_it(wary, caller, key, person):
    token, _ = sign_in(wary, key)
    with pytest.raises(StepUpRequired):
        edit(wary, wary.authz.sessions.authenticate(token))
    nonce = wary.authz.sign_in.challenge().nonce
    wary.authz.sign_in.prove(wary.authz.sessions.authenticate(token), wary.answer(person, nonce), nonce)
    edit(wary, wary.authz.sessions.authenticate(token))


def test_only_the_sessions_own_certificate_steps_up(wary, caller, person, events):
    """Another certificate, of the same person too; another's; a replay; a revoked one."""
    mine, other = wary.enrol("zhang", "clerk-a"), wary.enrol("wang", "seal-a")
    for identity in (mine, other):
        nonce = wary.authz.sign_in.challenge().nonce
        with pytest.raises(errors.SessionOfAnother) as caught:
            wary.authz.sign_in.prove(caller, wary.answer(identity, nonce), nonce)
        assert events()[-1]["id"] == caught.value.entry
        with pytest.raises(errors.SessionOfAnother):
            wary.authz.sign_in.prove_by_tls(caller, identity.certificate.der)
    nonce = wary.authz.sign_in.challenge().nonce
    answer = wary.answer(person, nonce)
    wary.authz.sign_in.prove(caller, answer, nonce)
    with pytest.raises(errors.ChallengeUsed):
        wary.authz.sign_in.prove(caller, answer, nonce)
    wary.ca.revoke(person.certificate)
    with pytest.raises(errors.CertificateRevoked):
        wary.authz.sign_in.prove_by_tls(caller, person.certificate.der)


def test_every_session_says_when_its_certificate_was_proved(site, person, key):
    """What freshness rests on: nobody in a session acts without it."""
    for token in (
        site.sign_in(person),
        site.authz.sign_in.by_tls(person.certificate.der)[0],
        sign_in(site, key)[0],
    ):
        assert site.authz.sessions.authenticate(token).actor.certified is not None


# --- saying yes to one thing ------------------------------------------------------------------------------------------


def agreed(site, caller, key, challenge, answered=None):
    """What the platform makes of an answer to `answered` where it asked `challenge`."""
    nonce = site.authz.passkeys.nonce()
    return site.authz.passkeys.attest(caller.actor, key.agree(answered or challenge), nonce, challenge)


def test_an_answer_is_to_one_challenge_of_ones_own(site, caller, key):
    """Seen to fail when: the challenge is not compared; anybody's passkey will do; the counter is not."""
    done = agreed(site, caller, key, b"sign this")
    assert (done.passkey, done.before, done.counter) == (site.authz.passkeys.of(caller)[0].id, 0, 1)
    with pytest.raises(passkey_errors.WrongPasskey):
        agreed(site, caller, key, b"sign this", b"sign that")
    key.verified = False
    with pytest.raises(passkey_errors.WrongPasskey):
        agreed(site, caller, key, b"sign this")
    key.verified = True
    another = replace(caller, actor=replace(caller.actor, id="li"))
    with pytest.raises(passkey_errors.UnknownPasskey):
        agreed(site, another, key, b"sign this")
    nonce = site.authz.passkeys.nonce()
    site.authz.passkeys.attest(caller.actor, key.agree(b"x"), nonce, b"x")
    with pytest.raises(errors.ChallengeUsed):
        site.authz.passkeys.attest(caller.actor, key.agree(b"x"), nonce, b"x")


def test_of_two_answers_one_counts(site, caller, key):
    first, second = agreed(site, caller, key, b"x"), agreed(site, caller, key, b"x")
    with site.store.act(caller.actor, "test.sign", "test:1") as act:
        second.count(act.session)
    with (
        pytest.raises(passkey_errors.WrongPasskey),
        site.store.act(caller.actor, "test.sign", "test:1") as act,
    ):
        first.count(act.session)
    key.counter = 0
    with pytest.raises(passkey_errors.PasskeyCopied):
        agreed(site, caller, key, b"x")
    assert site.authz.passkeys.of(caller) == []


def test_a_passkey_says_nothing_when_its_certificate_has_ended(site, caller, key):
    with site.store.act(SYSTEM, "test.end", "test:1") as act:
        end_binding(act.session, caller.actor.certificate, site.clock.now())
    with pytest.raises(errors.CertificateRevoked):
        agreed(site, caller, key, b"x")
