"""Whoever signed under an attribute certificate: the evidence carries it, and it must be hers, in force then, and wide enough.

Seen to fail when: the holder is not compared; it is judged at another time than the signature's; the list is not asked; the actions
are not looked at.
"""

from dataclasses import replace

import pytest

from tests.evidence.case import verify
from tests.pdf.authority import AT, DAY, Authority
from yinxin import evidence
from yinxin.crypto.attribute import (
    Appointment,
    AttributeCertificate,
    AttributeTemplate,
    Claims,
    Clearance,
    Holder,
    to_be_signed,
)
from yinxin.crypto.attribute.claims import Named
from yinxin.crypto.attribute.controls import OURS
from yinxin.crypto.attribute.errors import (
    AttributeCertificateExpired,
    AttributeCertificateNotYetValid,
    AttributeCertificateRevoked,
    AttributeStatusUnknown,
    ClaimOver,
    HolderDiffers,
    NotAnAttributeAuthority,
    WrongTarget,
)
from yinxin.crypto.attribute.targets import Target
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import UnknownIssuer, WrongIssuer
from yinxin.crypto.oids import SOURCE_OF_AUTHORITY
from yinxin.crypto.pem import encode
from yinxin.crypto.status import CertificateList, DistributionPoint, Revoked, build_crl
from yinxin.crypto.suite import INTL
from yinxin.crypto.tbs import assemble
from yinxin.evidence import BeyondAuthority
from yinxin.evidence.authority import check
from yinxin.evidence.signatures import Signed, Surroundings
from yinxin.statement import Statement
from yinxin.text import Text

LIST = "http://trust.example/ca/intl-attributes.acrl"


def an_authority(province, **parts):
    usual = {
        "key_usage": frozenset({"digitalSignature", "cRLSign"}),
        "extensions": (SOURCE_OF_AUTHORITY, OURS.extension),
    }
    return province._issue([("C", "CN"), ("CN", "属性权威")], province.issuing, 5, **(usual | parts))


@pytest.fixture(scope="module")
def source(case):
    return an_authority(case.intl)


def appointment(**parts):
    usual = {
        "person": "p-leader",
        "person_name": "王省长",
        "post": Named("省长", Text("省长", "Governor")),
        "organ": Named("organ-p-leader", Text("河源省人民政府", "Province")),
        "kind": "delegation",
        "valid_from": AT - 5 * DAY,
        "valid_to": AT + 30 * DAY,
        "actions": ("document.sign-off", "document.draft"),
    }
    return Appointment(**(usual | parts))


@pytest.fixture
def made(case, source):
    """The PEM text of an attribute certificate and of what it is judged by."""

    def made(*, by=source, lists=None, holder="p-leader", revoked=(), crl_urls=(LIST,), said=None, **parts):
        usual = {
            "holder": Holder.of(case.people[holder].identity.certificate, INTL.hash),
            "claims": Claims(said or appointment(), Clearance("1.2.3.4", "internal"), (), ()),
            "not_before": AT - DAY,
            "not_after": AT + 20 * DAY,
        }
        template = AttributeTemplate(**(usual | {"crl_urls": crl_urls} | parts))
        tbs = to_be_signed(template, authority=by.certificate, serial=77)
        algorithm = by.key.public_key.signature_algorithm
        certificate = AttributeCertificate(assemble(tbs, algorithm, by.key.sign(tbs)))
        own = build_crl(
            signer=by.key,
            issuer=by.certificate,
            number=1,
            this_update=AT - DAY,
            next_update=AT + 6 * DAY,
            revoked=[(77, Revoked(each)) for each in revoked],
            scope=DistributionPoint((LIST,), only_attribute=True),
        )
        lists = [own] if lists is None else lists
        return "".join(
            (certificate.pem, by.certificate.pem, *(encode("X509 CRL", each) for each in lists))
        ).encode()

    return made


@pytest.fixture
def hold(case, bundle):
    """Hold an attribute certificate against the leader's sign-off."""
    around = Surroundings(
        case.trust, tuple(map(Certificate, bundle.certificates)), tuple(map(CertificateList, bundle.crls))
    )
    act = bundle.acts[0]

    def hold(attributes, *, at=AT, **changes):
        held = []
        statement = replace(Statement.decode(act.statement), **changes)
        signed = Signed(case.people["p-leader"].identity.certificate, at)
        check(replace(act, attributes=attributes), statement, signed, around, held)
        return held

    return hold


def test_it_is_told(hold, made):
    (text,) = hold(made())
    for words in ("属性权威“属性权威”", "河源省人民政府 省长（受委托代行）", "未被撤销"):
        assert words in text.zh
    hold(made(said=appointment(actions=None, kind="substantive")))
    hold(made(crl_urls=(), lists=[]))  # short-lived: no list is kept of it


def test_in_the_bundle(case, bundle, packed, made):
    sign_off, *others = bundle.acts
    whole = case.repacked(bundle, acts=[replace(sign_off, attributes=made()), *others])
    told = verify(case, whole)
    assert len(told) == len(verify(case, packed)) + 1
    assert any("受委托代行" in each for each in told)
    assert verify(case, whole, 400 * DAY) == told  # it is judged for the time of the signature
    with pytest.raises(AttributeCertificateRevoked):
        verify(
            case,
            case.repacked(bundle, acts=[replace(sign_off, attributes=made(revoked=[AT - DAY])), *others]),
        )
    acts = [sign_off, replace(others[0], attributes=made()), *others[1:]]  # in another's act
    with pytest.raises(HolderDiffers):
        verify(case, case.repacked(bundle, acts=acts))


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ({"not_before": AT - 9 * DAY, "not_after": AT - DAY}, AttributeCertificateExpired),
        ({"not_before": AT + DAY}, AttributeCertificateNotYetValid),
        ({"revoked": [AT - DAY]}, AttributeCertificateRevoked),
        ({"lists": []}, AttributeStatusUnknown),
        ({"holder": "p-county"}, HolderDiffers),
        ({"targets": (Target.of("https://docs.example"),)}, WrongTarget),
        ({"said": appointment(valid_to=AT - DAY)}, ClaimOver),
    ],
)
def test_what_does_not_hold_is_named(hold, made, parts, error):
    with pytest.raises(error):
        hold(made(**parts))


def test_a_revocation_after_the_signature_changes_nothing(hold, made):
    hold(made(revoked=[AT + DAY]))
    with pytest.raises(AttributeCertificateRevoked):
        hold(made(revoked=[AT + DAY]), at=AT + 2 * DAY)


def test_another_issuer(case, hold, made):
    with pytest.raises(NotAnAttributeAuthority):
        hold(made(by=an_authority(case.intl, extensions=())))
    with pytest.raises(UnknownIssuer):
        hold(made(by=an_authority(Authority(INTL))))
    text = made()
    stranger = an_authority(case.intl).certificate.pem  # of the same name, with another key
    first = text.decode().partition("-----BEGIN CERTIFICATE-----")[0]
    with pytest.raises(WrongIssuer):
        hold((first + stranger).encode())


@pytest.mark.parametrize(
    ("parts", "changes", "part"),
    [
        ({"person": "p-other"}, {}, "person"),
        ({"post": Named("秘书", Text("秘书", "Secretary"))}, {}, "post"),
        ({"organ": Named("organ-other", Text("别处", "Elsewhere"))}, {}, "organ"),
        ({"actions": ("document.draft",)}, {}, "not among its actions"),
        ({"actions": ()}, {}, "not among its actions"),
        ({}, {"type": "document.receive"}, "not among its actions"),
    ],
)
def test_the_act_lies_within_it(hold, made, parts, changes, part):
    with pytest.raises(BeyondAuthority) as caught:
        hold(made(said=appointment(**parts)), **changes)
    assert part in caught.value.facts["part"].en


def test_it_is_one_of_the_files(case, bundle, made):
    sign_off, *others = bundle.acts
    more = replace(bundle, acts=[replace(sign_off, attributes=made()), *others])
    files = more.files()
    assert evidence.Bundle.of(files).files() == files
    assert evidence.Bundle.of(files).acts == more.acts
    files["acts/09.attributes"] = b"x"
    with pytest.raises(evidence.MalformedEvidence):
        evidence.Bundle.of(files)
