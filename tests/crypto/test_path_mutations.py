"""Nothing that was changed is trusted: every octet of a good path's certificates and lists, one at a time and by chance."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.crypto import pkits
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.constraints import NameConstraints, PolicyConstraints
from yinxin.crypto.names import Name
from yinxin.crypto.path import Policies, RevocationEvidence, Usage, validate
from yinxin.crypto.status import CertificateList, Good, OcspResponse
from yinxin.errors import YinxinError

POLICY = "1.2.3.1"


def case(hierarchy, at):
    """A path with everything on it: constraints, policies, mappings, lists and an answer."""
    ca = hierarchy.issue(
        hierarchy.authority(
            Name.of({"CN": "窄 CA"}),
            policies=(POLICY,),
            policy_mappings=((POLICY, "1.2.4.1"),),
            policy_constraints=PolicyConstraints(0),
            name_constraints=NameConstraints((("dns", "gov.example"),)),
        ),
        by=hierarchy.root,
    )
    wanted = hierarchy.template(Name.of({"CN": "x"}), san=(("dns", "a.gov.example"),), policies=("1.2.4.1",))
    leaf = hierarchy.issue(wanted, by=ca).certificate
    return [leaf.der, ca.certificate.der], [
        hierarchy.crl(ca, (), at).der,
        hierarchy.crl(hierarchy.root, (), at).der,
    ]


def judged(hierarchy, at, certificates, crls):
    leaf, ca = map(Certificate, certificates)
    return validate(
        leaf,
        (ca,),
        hierarchy.anchors,
        at=at,
        usage=Usage.SIGNATURE,
        revocation=RevocationEvidence(crls=tuple(map(CertificateList, crls))),
        policies=Policies(frozenset({POLICY})),
    )


def test_no_changed_octet_is_trusted(hierarchy, at, flipped):
    """Seen to fail with the signature of lists not verified, and with the authority's certificate taken by its name."""
    certificates, crls = case(hierarchy, at)
    assert judged(hierarchy, at, certificates, crls).policies == {POLICY}
    step = (
        1 if len(crls[0]) < 1000 else 37
    )  # post-quantum signatures are long, and one bit of them is like another
    for place in range(4):
        given_objects = [*certificates, *crls]
        for changed in flipped(given_objects[place], step=step):
            objects = [*given_objects[:place], changed, *given_objects[place + 1 :]]
            with pytest.raises(YinxinError):
                judged(hierarchy, at, objects[:2], objects[2:])


@pytest.fixture(scope="module")
def made(intl):
    from tests.crypto.conftest import AT

    return case(intl, AT)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_cut_moved_or_doubled_is_trusted(intl, at, made, data):
    certificates, crls = made
    objects = [*certificates, *crls]
    place = data.draw(st.integers(0, 3))
    original = objects[place]
    start = data.draw(st.integers(0, len(original) - 1))
    end = data.draw(st.integers(start, len(original)))
    piece = data.draw(st.one_of(st.binary(max_size=8), st.just(original[start:end] * 2), st.just(b"")))
    objects[place] = original[:start] + piece + original[end:]
    if objects[place] == original:
        return
    with pytest.raises(YinxinError):
        judged(intl, at, objects[:2], objects[2:])


@settings(max_examples=200, deadline=None)
@given(
    chosen=st.sampled_from([case for case in pkits.cases() if case.refusal is None]),
    place=st.integers(0, 100_000),
    bit=st.integers(0, 7),
)
def test_no_changed_certificate_of_nists_valid_paths_is_trusted(chosen, place, bit):
    """The end certificate of a valid path of PKITS with one bit changed, among everything else that the suite has."""
    from tests.crypto.conftest import AT

    certificates, lists, _ = pkits.everything()
    octets = bytearray(pkits.certificate(chosen.file).der)
    octets[place % len(octets)] ^= 1 << bit
    with pytest.raises(YinxinError):
        validate(
            type(pkits.certificate(chosen.file))(bytes(octets)),
            certificates,
            (pkits.certificate("TrustAnchorRootCertificate"),),
            at=AT,
            usage=Usage.ANY,
            revocation=RevocationEvidence(crls=lists),
            policies=chosen.settings,
        )


def test_no_changed_answer_is_believed(hierarchy, at, flipped):
    """All but the issuer's own certificate, which comes with it unsigned and is not needed."""
    leaf = hierarchy.person().certificate
    answer = hierarchy.ocsp(leaf, Good(), at, responder=hierarchy.issuing).der
    end = answer.index(hierarchy.issuing.certificate.der)
    root = (hierarchy.crl(hierarchy.root, (), at),)
    for changed in flipped(answer, end=end, step=1 if end < 1000 else 41):
        with pytest.raises(YinxinError):
            hierarchy.judge(
                leaf,
                at,
                revocation=RevocationEvidence((OcspResponse(changed),), root),
                require_revocation=True,
            )
