"""What strangers may write into the log is bounded: who could write at will could fill the disk, and then nobody acts.

Seen to fail when: `_stranger` gives every certificate a name of its own; `stamp` records with `store.refuse`.
"""

from datetime import timedelta

import pytest

from ops.platform import INSIDE, Platform
from tests.laws.province import identity
from yinxin.authz import sign_in_statement
from yinxin.client import Client, in_process
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed
from yinxin.errors import NotAuthenticated

#: more than any limit on one minute; a minute may end meanwhile, and then twice as many are recorded
MANY = 130


def recorded(site: Platform) -> int:
    site.audit.sequence()
    return site.audit.entries(limit=1)[0].index + 1


def made_up(site: Platform) -> Identity:
    """A certificate of the attacker's own making; it costs her a tenth of a millisecond."""
    key, name, now = PrivateKey.generate(INTL), Name.of({"commonName": "x"}), site.clock.now()
    day = timedelta(days=1)
    tbs = to_be_signed(
        CertificateTemplate(name, now - day, now + day, key_usage=frozenset({"digitalSignature"})),
        spki=key.public_key.spki,
        issuer_name=name,
        issuer_key_id=key.public_key.key_id,
        serial=7,
        algorithm=INTL.signature,
    )
    return Identity(key, Certificate.load(assemble(tbs, INTL.signature, key.sign(tbs))))


def test_certificates_made_up_by_the_hundred_leave_a_bounded_trace(site: Platform) -> None:
    before = recorded(site)
    refused = 0
    with Client(INSIDE, transport=in_process(site.app)) as client:
        for _ in range(MANY):
            identity = made_up(site)
            challenge = client.authz.challenge()
            signature = cms.sign_detached(identity, sign_in_statement(challenge, INSIDE), signed_at=None)
            try:
                client.authz.open_session(challenge, signature)
            except NotAuthenticated:
                refused += 1
    assert refused == MANY
    assert 1 <= recorded(site) - before <= 2 * site.section("authz").refusals_per_minute


def test_malformed_timestamp_requests_leave_a_bounded_trace(site: Platform) -> None:
    before = recorded(site)
    for number in range(MANY):
        assert site.ca.timestamp("intl", number.to_bytes(2))
    assert 1 <= recorded(site) - before <= 2 * site.section("ca").rejections_per_minute


def test_nobody_locks_an_officer_out(site: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """More attempts in her name than she has in a minute, by somebody with an old answer of hers and no key; then hers.

    Seen to fail when `by_signature` counts the attempt before the signature is verified.
    """
    officer = identity(site.data.root, "demo-officer")
    limit = 10
    monkeypatch.setattr(site.authz.sign_in, "_attempts", limit)
    old = cms.sign_detached(officer, sign_in_statement("x", INSIDE), signed_at=None)
    with Client(INSIDE, transport=in_process(site.app)) as client:
        for _ in range(limit + 5):
            challenge = client.authz.challenge()
            with pytest.raises(NotAuthenticated):
                client.authz.open_session(challenge, old)
    with Client(INSIDE, identity=officer, transport=in_process(site.app)) as client:
        assert client.authz.whoami().person == "demo-officer"
