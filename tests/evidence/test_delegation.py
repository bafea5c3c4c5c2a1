"""Acting for somebody: the evidence carries her signed delegation, and holds only within it."""

import copy
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.evidence.case import Person, verify
from tests.pdf.authority import AT
from yinxin import canonical
from yinxin.act import Actor, Kind
from yinxin.clock import rfc3339
from yinxin.crypto.errors import BadSignature, CertificateRevoked, DigestMismatch
from yinxin.errors import YinxinError
from yinxin.evidence import BeyondDelegation, DelegationMissing, MalformedEvidence, SignedDelegation
from yinxin.statement import Statement

pytestmark = pytest.mark.engines("any")
HOUR = timedelta(hours=1)
ID = "01jd000000000000000000000d"


@pytest.fixture(scope="module")
def acting(case):
    """The case, where the city's receipt was given by its registrar in the county registrar's place: she had delegated it."""
    found = copy.copy(case)
    county = case.people["p-county"].actor
    stand_in = Actor(Kind.PERSON, "p-city", post=county.post, organ="organ-p-city")
    found.people = {**case.people, "p-city": Person(stand_in, case.people["p-city"].identity)}

    def entry(verb, actor, **facts):
        made = canonical.decode(type(case).entry(found, verb, actor, **facts))
        if actor is stand_in:
            made["decision"] = {"allowed": True, "delegation": ID}
            made["facts"]["delegation_sha256"] = found.logged.sha256
        return canonical.encode(made)

    found.entry = entry
    found.logged = delegation(found)
    return found


def delegation(
    acting, *, by="p-county", signer=None, post=None, organ="organ-p-city", id_=ID, at=AT, **changes
):
    who = acting.people[by]
    given = Actor(Kind.PERSON, who.actor.id, post=post or acting.people["p-county"].actor.post, organ=organ)
    content = {
        "delegate": "p-city",
        "valid_from": rfc3339(at - HOUR),
        "valid_to": rfc3339(at + HOUR),
        "reason": "出差",
        "site": "https://trust.example.gov.cn",
    } | changes
    statement = Statement.of(given, "authz.delegate", f"post:{given.post}", AT - HOUR, content).encode()
    identity = acting.people[signer or by].identity
    authority = acting.authority_of(identity)
    signature = authority.sign(identity, statement)
    return SignedDelegation(id_, statement, signature, authority.ocsp(identity.certificate))


@pytest.fixture(scope="module")
def whole(acting):
    return acting.bundle()


@pytest.fixture
def packed(acting, whole):
    """The bundle with this delegation (or none) beside the receipt of the stand-in, and in the log, or another there."""

    def packed(brought, logged=None):
        genuine = acting.logged
        acting.logged = logged or (brought if isinstance(brought, SignedDelegation) else genuine)
        proofs = acting.proofs(acting.entries(whole.sealed))
        acting.logged = genuine
        data = brought.encode() if isinstance(brought, SignedDelegation) else brought
        acts = [replace(each, delegation=data) if at == 1 else each for at, each in enumerate(whole.acts)]
        return acting.repacked(whole, acts=acts, proofs=proofs)

    return packed


def test_it_is_said_in_words(acting, packed):
    held = verify(acting, packed(delegation(acting)))
    said = [each for each in held if "委托代行" in each]
    assert len(said) == 1
    assert "张登记" in said[0]
    limited = verify(acting, packed(delegation(acting, actions=["document.receive"])))
    assert any("限于所列操作" in each for each in limited)


def test_without_it_nothing_holds(acting, packed, whole, case, bundle):
    with pytest.raises(DelegationMissing) as missing:
        verify(acting, packed(b""))
    assert missing.value.facts["delegation"] == ID
    with pytest.raises(DelegationMissing):
        verify(acting, packed(delegation(acting, id_="01jd000000000000000000000e")))
    # and one is not brought for an act that the log says was done without
    acts = [
        replace(each, delegation=delegation(acting, organ="organ-p-county", delegate="p-county").encode())
        if at == 2
        else each
        for at, each in enumerate(bundle.acts)
    ]
    with pytest.raises(DelegationMissing):
        verify(case, case.repacked(bundle, acts=acts))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"at": AT - 2 * HOUR}, "outside its window"),
        ({"at": AT + 3 * HOUR}, "outside its window"),
        ({"delegate": "p-town"}, "another delegate"),
        ({"post": "another"}, "another post"),
        ({"organ": "organ-p-county"}, "another post"),
        ({"actions": ["document.return"]}, "not among its actions"),
        ({"signer": "p-leader"}, "another signed it"),
    ],
)
def test_one_that_does_not_cover_the_act(acting, packed, changes, part):
    with pytest.raises(BeyondDelegation) as refused:
        verify(acting, packed(delegation(acting, **changes)))
    assert part in refused.value.facts["part"].en


def test_one_that_another_has_signed_is_not_the_one_in_the_log(acting, packed):
    """Anybody with a certificate can sign that she holds the post and gives it to the same person, and an exporter bring it.

    Seen to fail when the digest in the log is not compared.
    """
    forged = delegation(acting, by="p-leader")
    assert verify(acting, packed(forged))  # it is sound by itself
    borrowed = delegation(acting, reason="another trip")
    for each in (forged, borrowed):
        with pytest.raises(BeyondDelegation) as refused:
            verify(acting, packed(each, acting.logged))
        assert "another one" in refused.value.facts["part"].en


def test_one_signed_with_a_revoked_certificate(acting, packed):
    """Whose certificate had ended by then gives nobody her post. Seen to fail when the answer about it is not looked at."""
    certificate = acting.people["p-county"].identity.certificate
    authority = acting.authority_of(acting.people["p-county"].identity)
    authority.revoke(certificate, AT - 2 * HOUR)
    try:
        revoked = delegation(acting)
    finally:
        del authority.revoked[certificate.serial]
    with pytest.raises(CertificateRevoked):
        verify(acting, packed(revoked))


def test_one_that_was_altered(acting, packed):
    genuine = delegation(acting)
    longer = canonical.decode(genuine.statement)
    longer["content"]["valid_to"] = rfc3339(AT + 90 * HOUR)
    with pytest.raises((BadSignature, DigestMismatch)):
        verify(acting, packed(replace(genuine, statement=canonical.encode(longer))))
    with pytest.raises(MalformedEvidence):
        verify(acting, packed(b"{}"))
    octets = bytearray(genuine.cms)
    octets[-9] ^= 1
    with pytest.raises(YinxinError):
        verify(acting, packed(replace(genuine, cms=bytes(octets))))
