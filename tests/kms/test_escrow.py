"""Encryption keys in escrow: given once, opened by nobody else, recovered by several people together and once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from kms.errors import WrappedKeyAltered
from kms.escrow import ALGORITHMS, Basis, Standing, Wish
from kms.escrow.errors import (
    BadRecovery,
    NotAlone,
    NotAnEncryptionKey,
    RecoveryClosed,
    RecoveryNotApproved,
    RecoveryUnknown,
    UserKeyElsewhere,
    UserKeyUnknown,
)
from kms.escrow.models import RecoveryApprovalRow, UserKeyRow
from kms.escrow.pool import Wanted
from yinxin.act import STRANGER, SYSTEM, Actor, Kind
from yinxin.authz import Denied
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed

ASKER = Actor(Kind.PERSON, "asker", post="registration", organ="county")
FIRST = Actor(Kind.PERSON, "first", post="officer", organ="county", certificate="a" * 64)
SECOND = Actor(Kind.PERSON, "second", post="leader", organ="county")
REASON = "持有者的介质损坏，需要打开历史公文"


def wanted(reference="pair/1", algorithm="sm2", holder="zhang"):
    return Wanted(reference, algorithm, "person", holder, "county")


def certificate(clock):
    key, now = PrivateKey.generate(INTL), clock.now()
    name = Name.of({"commonName": "recipient"})
    template = CertificateTemplate(
        name, now, now + timedelta(days=1), key_usage=frozenset({"digitalSignature"})
    )
    tbs = to_be_signed(
        template,
        spki=key.public_key.spki,
        issuer_name=name,
        issuer_key_id=key.public_key.key_id,
        serial=1,
        algorithm=INTL.signature,
    )
    return Certificate(assemble(tbs, INTL.signature, key.sign(tbs)))


def asked(world, **parts):
    key = world.centre.escrow.give(SYSTEM, wanted())
    given = {
        "key": key.id,
        "basis": Basis.HOLDER,
        "reason": REASON,
        "recipient": certificate(world.store.clock),
    }
    return world.centre.escrow.request(ASKER, Wish(**{**given, **parts}))  # fmt: skip


def envelop(_key, _recipient):
    return b"envelope"


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_given_and_opens_what_was_encrypted_to_it(either, algorithm):
    key = either.centre.escrow.give(SYSTEM, wanted(algorithm=algorithm))
    assert (key.standing, key.holder, key.public_key.algorithm) == (Standing.IN_USE, "zhang", algorithm)
    with either.centre.escrow.opened(key) as private:
        assert private.public_key == key.public_key


def test_the_pool_is_filled_and_drawn_from(either):
    centre = either.restarted(pool={"sm2": 3, "ecdsa-p256": 1})
    assert centre.escrow.fill() == 4
    assert centre.escrow.levels() == {"ecdsa-p256": 1, "sm2": 3}
    with either.store.read() as session:
        standby = set(session.scalars(sa.select(UserKeyRow.id).where(UserKeyRow.algorithm == "sm2")))
    given = {centre.escrow.give(SYSTEM, wanted(f"pair/{n}")).id for n in range(3)}
    assert given == standby
    assert centre.escrow.levels()["sm2"] == 0
    assert centre.escrow.give(SYSTEM, wanted("pair/4")).id not in standby
    assert centre.escrow.fill() == 3
    assert centre.escrow.fill() == 0


def test_a_reference_gives_one_key_however_often_and_parallel(either):
    """Seen to fail when the reference is looked up and not unique."""
    either.restarted(pool={"sm2": 2, "ecdsa-p256": 0}).escrow.fill()
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: either.centre.escrow.give(SYSTEM, wanted()).id, range(16)))
    assert len(set(given)) == 1
    assert either.centre.escrow.levels()["sm2"] == 1
    done = [event for event in either.events("kms.give-user-key") if event["outcome"] == "done"]
    assert len(done) == 1


def test_two_references_never_share_a_key(either):
    either.restarted(pool={"sm2": 4, "ecdsa-p256": 0}).escrow.fill()
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda n: either.centre.escrow.give(SYSTEM, wanted(f"pair/{n}")).id, range(12)))
    assert len(set(given)) == 12


def test_a_reference_is_one_holders(world):
    world.centre.escrow.give(SYSTEM, wanted())
    with pytest.raises(UserKeyElsewhere):
        world.centre.escrow.give(SYSTEM, wanted(holder="li"))
    with pytest.raises(UserKeyElsewhere):
        world.centre.escrow.give(SYSTEM, wanted(algorithm="ecdsa-p256"))


@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-65", "aes-256", ""])
def test_keys_that_sign_are_not_kept(world, algorithm):
    with pytest.raises(NotAnEncryptionKey):
        world.centre.escrow.give(SYSTEM, wanted(algorithm=algorithm))
    assert world.events("kms.give-user-key")[-1]["outcome"] == "refused"


def test_nothing_of_the_secret_is_in_the_database_or_the_log(world):
    """Law 2. Seen to fail when the row keeps the PKCS#8."""
    key = world.centre.escrow.give(SYSTEM, wanted(algorithm="ecdsa-p256"))
    with world.centre.escrow.opened(key) as private:
        pkcs8 = private.pkcs8()
    secret = pkcs8[36:68]  # the private number of a P-256 PrivateKeyInfo (RFC 5915)
    assert secret in pkcs8
    for file in world.root.rglob("*.sqlite*"):
        assert secret not in file.read_bytes()
    assert all(secret.hex() not in str(event) for event in world.events())


def test_a_ciphertext_moved_to_another_row_does_not_open(world):
    one = world.centre.escrow.give(SYSTEM, wanted())
    two = world.centre.escrow.give(SYSTEM, wanted("pair/2"))
    with world.store.engine.begin() as connection:
        moved = {"nonce": one.wrapped.nonce, "blob": one.wrapped.blob}
        connection.execute(sa.update(UserKeyRow).where(UserKeyRow.id == two.id).values(**moved))
    with pytest.raises(WrappedKeyAltered), world.centre.escrow.opened(world.centre.escrow.key(two.id)):
        pass


def test_a_key_goes_into_history_and_is_still_there(world):
    key = world.centre.escrow.give(SYSTEM, wanted())
    with world.store.act(SYSTEM, "kms.create", "test") as act:
        world.centre.escrow.to_history(act.session, key.id)
    kept = world.centre.escrow.key(key.id)
    assert kept.standing is Standing.HISTORY
    with world.centre.escrow.opened(kept) as private:
        assert private.public_key == key.public_key


# --- recovery -----------------------------------------------------------------------------------------------------


def test_recovered_by_two_people_and_delivered_once(either):
    """Thirty-two at once. Seen to fail when the delivery is not looked at again under the lock."""
    escrow, id_ = either.centre.escrow, asked(either)
    escrow.approve(FIRST, id_)
    escrow.approve(SECOND, id_)
    made = []

    def once(key, recipient):
        made.append(key)
        return f"envelope-{len(made)}".encode()

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: escrow.deliver(ASKER, id_, once), range(32)))
    assert len(set(got)) == 1
    delivered = [
        event for event in either.events("kms.deliver-recovery") if "again" not in event.get("facts", {})
    ]
    assert len(delivered) == 1
    assert delivered[0]["facts"]["approved_by"] == ["first", "second"]
    assert escrow.recovery(FIRST, id_).state == "delivered"


def test_one_approval_is_not_enough(world):
    escrow, id_ = world.centre.escrow, asked(world)
    escrow.approve(FIRST, id_)
    with pytest.raises(RecoveryNotApproved) as refused:
        escrow.deliver(ASKER, id_, envelop)
    assert refused.value.facts["given"] == 1
    assert world.events("kms.deliver-recovery")[-1]["outcome"] == "refused"


@pytest.mark.parametrize(
    "approver",
    [
        ASKER,
        Actor(Kind.PERSON, "asker", post="another", organ="county"),
        Actor(Kind.PERSON, "another", post="registration", organ="county"),
        FIRST,
        Actor(Kind.PERSON, "first", post="another", organ="county"),
        Actor(Kind.PERSON, "another", post="officer", organ="county"),
        Actor(Kind.SERVICE, "service", organ="county"),
        STRANGER,
    ],
    ids=[
        "who-asks",
        "who-asks-in-another-post",
        "her-post",
        "twice",
        "twice-in-another-post",
        "the-post-twice",
        "a-service",
        "a-stranger",
    ],
)
def test_nobody_is_enough_alone(world, approver):
    """Law 3. Seen to fail with each part of `_distinct` taken out."""
    escrow, id_ = world.centre.escrow, asked(world)
    escrow.approve(FIRST, id_)
    with pytest.raises(NotAlone):
        escrow.approve(approver, id_)
    assert escrow.recovery(FIRST, id_).approved_by == ("first",)
    assert world.events("kms.approve-recovery")[-1]["outcome"] == "refused"


def test_two_approvals_of_one_person_at_once_are_one(either):
    escrow, id_ = either.centre.escrow, asked(either)

    def approve(n):
        try:
            escrow.approve(Actor(Kind.PERSON, "first", post=f"post-{n}", organ="county"), id_)
        except NotAlone as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(approve, range(8)))
    with either.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(RecoveryApprovalRow)) == 1


def test_one_refusal_ends_it(world):
    escrow, id_ = world.centre.escrow, asked(world)
    escrow.approve(FIRST, id_)
    escrow.refuse(SECOND, id_)
    for verb in (
        lambda: escrow.approve(Actor(Kind.PERSON, "third", post="third", organ="county"), id_),
        lambda: escrow.refuse(FIRST, id_),
        lambda: escrow.deliver(ASKER, id_, envelop),
    ):
        with pytest.raises(RecoveryClosed) as closed:
            verb()
        assert closed.value.facts["state"] == "refused"


def test_it_expires_with_its_approvals(world):
    escrow, id_ = world.centre.escrow, asked(world)
    escrow.approve(FIRST, id_)
    escrow.approve(SECOND, id_)
    world.store.clock.advance(timedelta(hours=168))
    with pytest.raises(RecoveryClosed) as closed:
        escrow.deliver(ASKER, id_, envelop)
    assert closed.value.facts["state"] == "expired"


def test_what_fails_while_enveloping_leaves_it_open(world):
    escrow, id_ = world.centre.escrow, asked(world)
    escrow.approve(FIRST, id_)
    escrow.approve(SECOND, id_)

    def fails(_key, _recipient):
        raise WrappedKeyAltered(label="x")

    with pytest.raises(WrappedKeyAltered):
        escrow.deliver(ASKER, id_, fails)
    assert escrow.deliver(ASKER, id_, envelop) == b"envelope"


@pytest.mark.parametrize("reason", ["", "  short ", "长" * 2001])
def test_a_reason_is_needed(world, reason):
    with pytest.raises(BadRecovery):
        asked(world, reason=reason)
    assert world.events("kms.request-recovery")[-1]["outcome"] == "refused"


def test_keys_that_nobody_has_are_not_recovered(world):
    world.restarted(pool={"sm2": 1, "ecdsa-p256": 0}).escrow.fill()
    with world.store.read() as session:
        standby = session.scalars(sa.select(UserKeyRow.id)).one()
    for key in (standby, "nothing"):
        wish = Wish(key, Basis.HOLDER, REASON, certificate(world.store.clock))
        with pytest.raises(UserKeyUnknown):
            world.centre.escrow.request(ASKER, wish)
    with pytest.raises(RecoveryUnknown):
        world.centre.escrow.approve(FIRST, "nothing")


def test_each_verb_asks_the_policies(world):
    escrow, id_ = world.centre.escrow, asked(world)
    world.decider.allowed = lambda *_: False
    for verb in (
        lambda: escrow.request(ASKER, Wish("x", Basis.ORGAN, REASON, certificate(world.store.clock))),
        lambda: escrow.approve(FIRST, id_),
        lambda: escrow.refuse(FIRST, id_),
        lambda: escrow.deliver(FIRST, id_, envelop),
        lambda: escrow.recovery(FIRST, id_),
        lambda: escrow.recoveries(FIRST, "county"),
        lambda: escrow.keys_of(FIRST, "zhang", "county"),
    ):
        with pytest.raises((Denied, UserKeyUnknown)):
            verb()
