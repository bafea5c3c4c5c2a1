"""What narrows a path, and where lists are: written, read back, and read by others."""

from datetime import timedelta

import pytest
from cryptography import x509

from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.constraints import ANY_POLICY, NameConstraints, PolicyConstraints
from yinxin.crypto.errors import MalformedCertificate, MalformedTemplate
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.points import CrlPoint
from yinxin.crypto.status import CertificateList, DistributionPoint, Reason, Revoked, build_crl

HOUR = timedelta(hours=1)
ORGAN = Name.of([("C", "CN"), ("O", "某市人民政府")])
NAMES = NameConstraints(
    permitted=(
        ("dirname", ORGAN.der.hex()),
        ("dns", "gov.example"),
        ("email", ".gov.example"),
        ("email", "a@gov.example"),
        ("uri", ".gov.example"),
        ("ip", "10.0.0.0/8"),
        ("ip", "2001:db8::/32"),
    ),
    excluded=(("dns", "secret.gov.example"), ("email", "mail.gov.example")),
)
RELATIVE = der.set_of([der.sequence(der.oid("2.5.4.3"), der.utf8("一号列表"))])
POINTS = (
    CrlPoint(("http://crl.example/1.crl", "ldap://crl.example/cn=1"), frozenset({Reason.KEY_COMPROMISE})),
    CrlPoint(issuer=(("dirname", ORGAN.der.hex()),), relative=RELATIVE),
    CrlPoint(others=(("dirname", ORGAN.der.hex()),), reasons=frozenset({"aACompromise", "superseded"})),
)


def narrow(hierarchy, **given):
    wanted = hierarchy.authority(Name.of({"CN": "窄 CA"}), **given)
    return hierarchy.issue(wanted, by=hierarchy.root).certificate


def full(hierarchy):
    return narrow(
        hierarchy,
        policies=("1.2.3.1", ANY_POLICY),
        name_constraints=NAMES,
        policy_mappings=(("1.2.3.1", "1.2.4.1"), ("1.2.3.1", "1.2.4.2")),
        policy_constraints=PolicyConstraints(require_explicit=2, inhibit_mapping=0),
        inhibit_any_policy=300,
        crl_points=POINTS,
        freshest_crl=(CrlPoint(("http://crl.example/delta.crl",)),),
    )


def test_an_authority_says_what_its_template_said(hierarchy):
    found = Certificate(full(hierarchy).der)
    assert found.name_constraints == NAMES
    assert found.policy_mappings == (("1.2.3.1", "1.2.4.1"), ("1.2.3.1", "1.2.4.2"))
    assert found.policy_constraints == PolicyConstraints(2, 0)
    assert found.inhibit_any_policy == 300
    assert found.crl_points == POINTS
    assert found.crl_urls == POINTS[0].urls
    assert found.freshest_crl == (CrlPoint(("http://crl.example/delta.crl",)),)
    critical = {oid for oid, each in found.extensions.items() if each.critical}
    assert {
        oids.NAME_CONSTRAINTS,
        oids.POLICY_MAPPINGS,
        oids.POLICY_CONSTRAINTS,
        oids.INHIBIT_ANY_POLICY,
    } < critical
    assert not {oids.CRL_DISTRIBUTION_POINTS, oids.FRESHEST_CRL} & critical


def test_cryptography_reads_the_same(intl):
    theirs = x509.load_der_x509_certificate(full(intl).der).extensions
    names = theirs.get_extension_for_class(x509.NameConstraints).value
    assert [str(each.value) for each in names.permitted_subtrees or ()][1:] == [
        text for _, text in NAMES.permitted[1:]
    ]
    assert [each.value for each in names.excluded_subtrees or ()] == [text for _, text in NAMES.excluded]
    policy = theirs.get_extension_for_class(x509.PolicyConstraints).value
    assert (policy.require_explicit_policy, policy.inhibit_policy_mapping) == (2, 0)
    assert theirs.get_extension_for_class(x509.InhibitAnyPolicy).value.skip_certs == 300
    first, second, third = theirs.get_extension_for_class(x509.CRLDistributionPoints).value
    assert first.reasons == {x509.ReasonFlags.key_compromise}
    assert second.relative_name
    assert second.crl_issuer[0].value.rfc4514_string() == "O=某市人民政府,C=CN"
    assert third.reasons == {x509.ReasonFlags.aa_compromise, x509.ReasonFlags.superseded}
    assert theirs.get_extension_for_class(x509.FreshestCRL).value[0].full_name


def test_openssl_prints_the_same(intl, openssl, files):
    said = openssl("x509", "-in", files.certificates("ca.pem", full(intl)), "-noout", "-text")
    for words in (
        "Permitted:",
        "DNS:secret.gov.example",
        "IP:10.0.0.0/255.0.0.0",
        "1.2.3.1:1.2.4.1, 1.2.3.1:1.2.4.2",
        "Require Explicit Policy:2, Inhibit Policy Mapping:0",
        "X509v3 Freshest CRL",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name_constraints", {"name_constraints": NameConstraints()}),
        ("name_constraints", {"name_constraints": NameConstraints((("ip", "10.0.0.1/8"),))}),
        ("name_constraints", {"name_constraints": NameConstraints((("dns", "not a domain"),))}),
        ("name_constraints", {"name_constraints": NameConstraints((("other", "8001"),))}),
        ("name_constraints", {"name_constraints": NameConstraints((("dns", "*.gov.cn"),))}),
        ("policy_mappings", {"policy_mappings": ((ANY_POLICY, "1.2.3"),)}),
        ("policy_mappings", {"policy_mappings": (("1.2.3", ANY_POLICY),)}),
        ("policy_constraints", {"policy_constraints": PolicyConstraints()}),
        ("policy_constraints", {"policy_constraints": PolicyConstraints(-1)}),
        ("inhibit_any_policy", {"inhibit_any_policy": -1}),
        ("crl_points", {"crl_points": (CrlPoint(),)}),
        ("crl_points", {"crl_points": (CrlPoint(("http://a.example/",), frozenset()),)}),
        ("crl_points", {"crl_points": (CrlPoint(("http://a.example/",), frozenset({"whim"})),)}),
        ("crl_points", {"crl_points": POINTS, "crl_urls": ("http://a.example/",)}),
    ],
)
def test_a_template_that_cannot_be_meant(intl, field, given):
    with pytest.raises(MalformedTemplate) as caught:
        narrow(intl, **given)
    assert caught.value.facts["field"] == field


@pytest.mark.parametrize(
    "field", ["name_constraints", "policy_mappings", "policy_constraints", "inhibit_any_policy"]
)
def test_only_an_authority_imposes(intl, field):
    given = {
        "name_constraints": NAMES,
        "policy_mappings": (("1.2.3", "1.2.4"),),
        "policy_constraints": PolicyConstraints(0),
        "inhibit_any_policy": 0,
    }
    with pytest.raises(MalformedTemplate, match=field):
        intl.person(**{field: given[field]})


def subtree(base, *more):
    return der.sequence(der.tlv(0xA0, der.sequence(base, *more)))


DNS = der.tlv(0x82, b"gov.example")


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        (oids.NAME_CONSTRAINTS, der.sequence()),
        (oids.NAME_CONSTRAINTS, der.sequence(der.tlv(0xA0, b""))),
        (oids.NAME_CONSTRAINTS, subtree(DNS, der.tlv(0x80, b"\1"))),
        (oids.NAME_CONSTRAINTS, subtree(DNS, der.tlv(0x81, b"\1"))),
        (oids.NAME_CONSTRAINTS, subtree(der.tlv(0x87, bytes(5)))),
        (oids.NAME_CONSTRAINTS, subtree(der.tlv(0x87, bytes((10, 0, 0, 0, 255, 0, 255, 0))))),
        (oids.NAME_CONSTRAINTS, der.sequence(*2 * [der.tlv(0xA0, der.sequence(DNS))])),
        (oids.POLICY_CONSTRAINTS, der.sequence()),
        (oids.POLICY_CONSTRAINTS, der.sequence(der.tlv(0x80, b"\xff"))),
        (oids.POLICY_CONSTRAINTS, der.sequence(der.tlv(0x81, b"\0"), der.tlv(0x80, b"\0"))),
        (oids.INHIBIT_ANY_POLICY, der.integer(-1)),
        (oids.POLICY_MAPPINGS, der.sequence()),
        (oids.POLICY_MAPPINGS, der.sequence(der.sequence(der.oid("1.2.3")))),
        (oids.CRL_DISTRIBUTION_POINTS, der.sequence(der.sequence())),
        (oids.CRL_DISTRIBUTION_POINTS, der.sequence(der.sequence(der.tlv(0xA0, der.tlv(0xA0, b""))))),
    ],
)
def test_what_narrows_a_path_is_read_strictly_or_not_at_all(intl, oid, value):
    """Seen to fail with `_base` passing over a subtree's minimum: the certificate was read, wider than it says."""
    with pytest.raises(MalformedCertificate):
        narrow(intl, extensions=(Extension(oid, critical=True, value=value),))


def test_a_list_says_what_it_speaks_for(hierarchy, at):
    scopes = (
        DistributionPoint(("http://crl.example/1.crl",), only_user=True),
        DistributionPoint(only_ca=True, indirect=True),
        DistributionPoint(only_attribute=True, reasons=frozenset({"keyCompromise", "superseded"})),
        DistributionPoint(others=(("dirname", ORGAN.der.hex()),)),
        DistributionPoint(relative=RELATIVE),
    )
    for scope in scopes:
        encoded = build_crl(
            signer=hierarchy.issuing.key,
            issuer=hierarchy.issuing.certificate,
            number=9,
            this_update=at - HOUR,
            next_update=at + HOUR,
            revoked=[(5, Revoked(at - HOUR, Reason.REMOVE_FROM_CRL))],
            scope=scope,
            delta_base=7,
            freshest=POINTS,
        )
        found = CertificateList(encoded)
        assert (found.scope, found.delta_base, found.freshest) == (scope, 7, POINTS)
        assert found.lookup(5) == Revoked(at - HOUR, Reason.REMOVE_FROM_CRL)
        theirs = x509.load_der_x509_crl(encoded).extensions
        point = theirs.get_extension_for_class(x509.IssuingDistributionPoint).value
        assert point.only_contains_user_certs == scope.only_user
        assert point.indirect_crl == scope.indirect
        assert bool(point.only_some_reasons) == bool(scope.reasons)
