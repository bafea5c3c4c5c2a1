"""Checkpoints are timestamped once an hour, and the proofs of what they cover stand under them."""

from datetime import timedelta

import pytest

from audit import StampBroken
from tests.pdf.authority import Authority
from yinxin.crypto.suite import INTL, SM
from yinxin.crypto.timestamps import Token
from yinxin.errors import Unavailable
from yinxin.tlog import Checkpoint

from .neighbourhood import app_of, grow

pytestmark = pytest.mark.engines("any")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def authorities():
    return {suite.name: Authority(suite) for suite in (INTL, SM)}


class Refused(Unavailable):
    code = "test.no_stamp"
    zh = en = "?"


class Stamps:
    """As the authority above has them: each token is an entry of its own."""

    def __init__(self, store, authorities, verb="ca.timestamp"):
        self.store, self.authorities, self.fault, self.verb = store, authorities, None, verb

    def stamp(self, message, suite_name, actor):
        if self.fault == "refused":
            raise Refused
        if self.fault == "none":
            return None
        authority = self.authorities[suite_name]
        authority.at = self.store.clock.now()
        with self.store.act(actor, self.verb, f"timestamp:{suite_name}"):
            pass
        return authority.token(message)


@pytest.fixture
def stamped(site, authorities):
    site.log.stamps.authority = Stamps(site.store, authorities)
    return site


@pytest.mark.engines("both")
@pytest.mark.parametrize("verb", ["ca.timestamp", "ca.timestamp-outside"])
def test_once_an_hour_when_something_was_done(stamped, clock, authorities, verb):
    """Seen to fail when: the records of outside tokens count as something that was done."""
    stamped.log.stamps.authority = Stamps(stamped.store, authorities, verb)
    log = stamped.log
    assert log.stamps.run() == 0
    event = stamped.act()
    grow(stamped, 2)
    assert log.stamps.run() == 0
    clock.advance(HOUR)
    assert log.stamps.run() == 2
    grow(stamped, 0)
    clock.advance(5 * HOUR)
    assert log.stamps.run() == 0  # nothing but the tokens themselves since
    late = stamped.act()
    grow(stamped, 0)
    clock.advance(HOUR)
    assert log.stamps.run() == 2
    grow(stamped, 3)
    for suite in (INTL, SM):
        proof = log.proof(event, suite)
        checkpoint = Checkpoint.parse(proof.checkpoint.text)
        assert checkpoint.size == Checkpoint.parse(log.proof(late, suite).checkpoint.text).size
        assert checkpoint.size < log.health().facts["signed"]
        token = Token.load(log.stamp_on(checkpoint.size, suite))
        assert token.at == (clock.now()).replace(microsecond=0)
        authority = authorities[suite.name]
        token.verify(
            proof.checkpoint.text.encode(),
            anchors=[authority.root.certificate],
            intermediates=[authority.issuing.certificate],
            require_revocation=False,
        )
        got = (
            app_of(stamped)
            .test_client()
            .get(f"/api/audit/v1/checkpoints/{checkpoint.size}/timestamp?suite={suite.name}")
        )
        assert got.data == token.der
    assert app_of(stamped).test_client().get("/api/audit/v1/checkpoints/1/timestamp").status_code == 404
    assert log.check().stamps == 4
    stamped.drop_triggers()
    stamped.execute(
        "UPDATE audit_stamp SET (token, at) = (SELECT token, at FROM audit_stamp WHERE tree = 'sm3' ORDER BY size LIMIT 1) "
        "WHERE tree = 'sm3'"
    )
    with pytest.raises(StampBroken):
        log.check()
    stamped.execute(
        "UPDATE audit_stamp SET token = (SELECT token FROM audit_stamp WHERE tree = 'sm3' ORDER BY size LIMIT 1) WHERE tree = 'sha256'"
    )
    with pytest.raises(StampBroken):
        log.check()


def test_an_authority_that_does_not_stamp(stamped, clock):
    grow(stamped, 1)
    clock.advance(HOUR)
    stamped.log.stamps.authority.fault = "none"
    assert stamped.log.stamps.run() == 0
    stamped.log.stamps.authority.fault = "refused"
    with pytest.raises(Refused):
        stamped.log.stamps.run()
    stamped.log.stamps.authority.fault = None
    assert stamped.log.stamps.run() == 2
    stamped.log.stamps.authority = None
    clock.advance(HOUR)
    grow(stamped, 1)
    clock.advance(HOUR)
    assert stamped.log.stamps.run() == 0


def test_a_stamped_checkpoint_without_a_quorum_is_not_preferred(witnessed, clock, authorities, net):
    """The proof stands under what the policy asks for first."""
    log = witnessed.log
    log.stamps.authority = Stamps(witnessed.store, authorities)
    event = witnessed.act()
    grow(witnessed, 1)
    clock.advance(HOUR)
    log.stamps.run()  # before any witness has spoken: the newest is stamped
    grow(witnessed, 1)
    log.witnesses.gather()
    proof = log.proof(event)
    assert len(proof.checkpoint.signatures) == 3
    assert log.stamp_on(Checkpoint.parse(proof.checkpoint.text).size) is None
    clock.advance(HOUR)
    grow(witnessed, 1)
    assert log.stamps.run() == 2  # from now on what has a quorum is
    proof = log.proof(event)
    assert len(proof.checkpoint.signatures) == 3
    assert log.stamp_on(Checkpoint.parse(proof.checkpoint.text).size)
