"""Attribute certificates offline: what is written reads back, others read it too, and whoever cheats is refused by name.

Seen to fail when: the signature is not verified; the holder is matched by serial number alone; the authority's marks are
not asked for; its path is validated without revocation; critical extensions are passed over; targets are not looked at.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from asn1crypto import cms as asn1
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1_alt_modules import rfc5280, rfc5755

from yinxin.crypto import der, oids
from yinxin.crypto.attribute import (
    Appointment,
    AttributeCertificate,
    AttributeTemplate,
    Claims,
    Clearance,
    Controls,
    Grant,
    Holder,
    Known,
    Role,
    Target,
    to_be_signed,
    verify,
)
from yinxin.crypto.attribute.certificate import LARGEST
from yinxin.crypto.attribute.claims import Named
from yinxin.crypto.attribute.controls import OURS
from yinxin.crypto.attribute.errors import (
    AttributeCertificateExpired,
    AttributeCertificateNotYetValid,
    AttributeCertificateRevoked,
    AttributeNotPermitted,
    AttributeStatusUnknown,
    ClaimOver,
    HolderDiffers,
    HolderMissing,
    MalformedAttributeCertificate,
    NotAnAttributeAuthority,
    UnsupportedAttributeExtension,
    WrongTarget,
)
from yinxin.crypto.attribute.targets import write_targets
from yinxin.crypto.errors import (
    BadSignature,
    CertificateRevoked,
    RevocationUnknown,
    UnknownIssuer,
    UsageNotAllowed,
    WrongIssuer,
)
from yinxin.crypto.keys import Identity
from yinxin.crypto.names import Name
from yinxin.crypto.oids import SOURCE_OF_AUTHORITY, Extension
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import DistributionPoint, Reason, Revoked
from yinxin.crypto.tbs import assemble
from yinxin.errors import YinxinError
from yinxin.text import Text

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIST = "http://trust.example/ca/intl-attributes.acrl"
AUTHORITY = {
    "key_usage": frozenset({"digitalSignature", "cRLSign"}),
    "extensions": (SOURCE_OF_AUTHORITY, OURS.extension),
}


def claims_at(at, **parts):
    county = Named("county-a", Text("子县人民政府", "County A"))
    usual = {
        "appointment": Appointment(
            "zhang", "张喆", Named("clerk-a", Text("经办岗", "Clerk")), county, "acting", at - DAY, at + 9 * DAY,
            "11511301008778183N", ("document.draft",),
        ),
        "clearance": Clearance("1.2.3.4", "secret"),
        "roles": (Role("https://trust.example/roles/clerk"), Role("https://trust.example/roles/reviewer")),
        "grants": (
            Grant(
                "g1", Named("ca.grant-registration", Text("证书注册", "registration")), ("ca.issue", "ca.read"),
                "post:clerk-a", county, at - DAY, at + 5 * DAY, "示政发〔2026〕8号",
            ),
        ),
    }  # fmt: skip
    return Claims(**{**usual, **parts})


@dataclass
class World:
    """An attribute authority and a holder below one root, and everything a verifier has."""

    hierarchy: object
    at: object
    authority: Identity = field(init=False)
    holder: Identity = field(init=False)

    def __post_init__(self):
        self.authority = self.an_authority()
        self.holder = self.hierarchy.person()

    def an_authority(self, **parts):
        wanted = self.hierarchy.template(Name.of({"C": "CN", "CN": "属性权威"}), **(AUTHORITY | parts))
        return self.hierarchy.issue(wanted)

    def template(self, **parts):
        holder = parts.pop("of", self.holder).certificate
        usual = {
            "holder": Holder.of(holder, self.hierarchy.suite.hash),
            "claims": claims_at(self.at),
            "not_before": self.at - HOUR,
            "not_after": self.at + HOUR,
        }
        return AttributeTemplate(**(usual | parts))

    def issue(self, by=None, **parts):
        return sign(
            to_be_signed(self.template(**parts), authority=(by or self.authority).certificate, serial=77),
            by or self.authority,
        )

    def known(self, *crls, **parts):
        issuing, root = self.hierarchy.issuing, self.hierarchy.root
        given = {
            "anchors": self.hierarchy.anchors,
            "certificates": (issuing.certificate, self.authority.certificate, self.holder.certificate),
            "revocation": RevocationEvidence(
                crls=(self.hierarchy.crl(issuing, (), self.at), self.hierarchy.crl(root, (), self.at), *crls)
            ),
        }
        return Known(**(given | parts))

    def list(self, *revoked, by=None, **parts):
        scope = DistributionPoint((LIST,), only_attribute=True)
        return self.hierarchy.crl(by or self.authority, revoked, self.at, **({"scope": scope} | parts))


def sign(tbs, by):
    algorithm = by.key.public_key.signature_algorithm
    return AttributeCertificate(assemble(tbs, algorithm, by.key.sign(tbs)))


def edited(world, position, value):
    """An attribute certificate that is well signed and says something else in one field."""
    parts = der.elements(world.issue().tbs)
    parts[position] = value(parts[position])
    return sign(der.sequence(*parts), world.authority)


@pytest.fixture
def world(intl, at):
    return World(intl, at)


# --- what is written is read, by us and by others -------------------------------------------------------------------


def test_what_is_written_holds_and_others_read_the_same(hierarchy, at):
    world = World(hierarchy, at)
    made = world.issue(targets=(Target.of("https://docs.example"),))
    seen = verify(made, world.known(names=frozenset({"https://docs.example"})), at=at)
    assert seen.claims == claims_at(at)
    assert (seen.holder.leaf, seen.authority.leaf) == (world.holder.certificate, world.authority.certificate)
    assert AttributeCertificate.load(made.pem.encode()) == made
    theirs, rest = decode(made.der, asn1Spec=rfc5755.AttributeCertificate())
    assert (encode(theirs), rest) == (made.der, b"")
    info = theirs["acinfo"]
    assert int(info["serialNumber"]) == 77
    assert int(info["holder"]["baseCertificateID"]["serial"]) == world.holder.certificate.serial
    assert info["issuer"].getName() == "v2Form"
    clearance, _ = decode(values(info, rfc5755.id_at_clearance)[0], asn1Spec=rfc5755.Clearance())
    assert [int(bit) for bit in clearance["classList"]] == [0, 1, 1, 1, 1]
    roles = [decode(each, asn1Spec=rfc5755.RoleSyntax())[0] for each in values(info, rfc5755.id_at_role)]
    told = sorted(str(each["roleName"]["uniformResourceIdentifier"]) for each in roles)
    assert told == [each.uri for each in claims_at(at).roles]
    read = asn1.AttributeCertificateV2.load(made.der)["ac_info"]
    assert read["holder"]["base_certificate_id"]["serial"].native == world.holder.certificate.serial
    assert read["att_cert_validity_period"]["not_after_time"].native == at + HOUR


def values(info, oid):
    (found,) = [each for each in info["attributes"] if each["type"] == oid]
    return [bytes(each) for each in found["values"]]


def test_the_extensions_are_as_their_modules_have_them(world):
    made = world.issue(targets=(Target.of("a.example"), Target.of("urn:x:all", group=True)))
    (targets,) = der.elements(made.extensions[oids.TARGET_INFORMATION].value)
    theirs, _ = decode(targets, asn1Spec=rfc5755.Targets())
    assert [each.getName() for each in theirs] == ["targetName", "targetGroup"]
    assert encode(theirs) == targets
    controls, _ = decode(OURS.extension.value, asn1Spec=rfc5755.AAControls())
    assert (encode(controls), bool(controls["permitUnSpecified"])) == (OURS.extension.value, False)
    assert [str(each) for each in controls["permittedAttrs"]] == list(OURS.permitted)
    points = world.issue(crl_urls=(LIST,)).extensions[oids.CRL_DISTRIBUTION_POINTS].value
    assert encode(decode(points, asn1Spec=rfc5280.CRLDistributionPoints())[0]) == points


@pytest.mark.parametrize(
    ("level", "bits"), [("public", None), ("internal", [1, 2]), ("top-secret", [1, 2, 3, 4, 5])]
)
def test_every_level_is_a_class_list(level, bits):
    written = Clearance("1.2.3", level)
    assert Clearance.read(written.der) == written
    classes = der.elements(written.der)[1:]
    assert classes == (
        [] if bits is None else [der.named_bits(bits)]
    )  # DER leaves the default, unclassified, out


def test_no_octet_can_change_unnoticed(hierarchy, at, flipped):
    world = World(hierarchy, at)
    made = world.issue()
    for changed in flipped(made.der, step=1 if len(made.der) < 2000 else 23):
        with pytest.raises(YinxinError):
            AttributeCertificate(changed).issued_by(world.authority.certificate)


def test_another_encoding_of_the_same_is_refused(world):
    made = world.issue().der
    start = der.header(made)[1]
    indefinite = b"\x30\x80" + made[start:] + b"\0\0"
    longer = b"\x30\x83\0" + (len(made) - start).to_bytes(2, "big") + made[start:]
    for changed in (indefinite, longer, made + b"\0", made[:-1], b"", b"\x30\0"):
        with pytest.raises(MalformedAttributeCertificate):
            AttributeCertificate(changed)
    with pytest.raises(MalformedAttributeCertificate):
        AttributeCertificate.load(world.issue().pem.encode() * 2)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, lambda _: der.integer(0)),
        (1, lambda _: der.sequence()),
        (1, lambda field: der.sequence(b"\xa1" + der.elements(field)[0][1:])),
        (2, der.content),
        (4, lambda _: der.integer(0)),
        (4, lambda _: der.integer(-5)),
        (4, lambda _: der.integer(1 << 160)),
        (5, lambda field: der.sequence(*reversed(der.elements(field)))),
        (5, lambda _: der.sequence(*[der.tlv(0x17, b"260101000000Z")] * 2)),
        (5, lambda _: der.sequence(*[der.tlv(0x18, b"20260101000000.5Z")] * 2)),
        (6, lambda _: der.sequence()),
        (6, lambda field: der.sequence(*der.elements(field), der.elements(field)[0])),
        (6, lambda field: der.sequence(der.sequence(der.elements(der.elements(field)[0])[0], der.set_of([])))),
        (7, lambda field: der.sequence(*der.elements(field), der.elements(field)[0])),
        (7, lambda field: der.sequence(*der.elements(field), Extension(oids.CRL_DISTRIBUTION_POINTS, False, der.sequence()).der)),
        (7, lambda field: der.sequence(*der.elements(field), Extension(oids.TARGET_INFORMATION, True, der.sequence()).der)),
        (7, lambda field: der.sequence(*der.elements(field), Extension(oids.TARGET_INFORMATION, False, write_targets([Target.of("a.b")])).der)),
    ],
)  # fmt: skip
def test_what_the_profile_forbids_is_not_read(world, position, value):
    with pytest.raises(MalformedAttributeCertificate):
        edited(world, position, value)


def test_a_huge_one_is_refused_unread():
    with pytest.raises(MalformedAttributeCertificate, match="octets"):
        AttributeCertificate(der.sequence(der.octets(b"x" * LARGEST)))


# --- attacks --------------------------------------------------------------------------------------------------------


def test_it_is_of_no_use_with_another_certificate(world, at):
    made = world.issue()
    other = world.hierarchy.person("李四")
    with pytest.raises(HolderDiffers, match="serial"):
        verify(made, world.known(), at=at, holder=other.certificate)
    with pytest.raises(HolderMissing):
        verify(made, world.known(certificates=(world.authority.certificate,)), at=at)


def test_a_certificate_of_the_same_issuer_and_serial_number_is_told_apart_by_its_digest(world, at):
    parts = der.elements(world.holder.certificate.tbs)
    forged = world.hierarchy.person("李四").certificate
    parts[6] = der.elements(forged.tbs)[6]
    tbs, issuing = der.sequence(*parts), world.hierarchy.issuing
    twin = type(forged)(assemble(tbs, issuing.key.public_key.signature_algorithm, issuing.key.sign(tbs)))
    with pytest.raises(HolderDiffers, match="digest"):
        verify(world.issue(), world.known(), at=at, holder=twin)
    named_only = world.issue(holder=Holder.of(world.holder.certificate))
    assert verify(named_only, world.known(), at=at, holder=twin)  # which is what the digest is for


def test_the_holders_revoked_certificate_takes_it_along(world, at):
    revoked = (world.holder.certificate.serial, Revoked(at - HOUR / 2))
    crl = world.hierarchy.crl(world.hierarchy.issuing, [revoked], at)
    with pytest.raises(CertificateRevoked):
        verify(world.issue(), world.known(crl), at=at)


def test_no_certification_authority_states_attributes(world, at):
    for by in (world.hierarchy.issuing, world.hierarchy.root):
        with pytest.raises(NotAnAttributeAuthority):
            verify(world.issue(by=by), world.known(), at=at)
    # nor one that bears the marks of an attribute authority
    usage = frozenset({"digitalSignature", "keyCertSign"})
    both = world.hierarchy.issue(
        world.hierarchy.authority(Name.of({"CN": "CA"}), **(AUTHORITY | {"key_usage": usage})),
        by=world.hierarchy.root,
    )
    for trusted in (None, (both.certificate,)):
        known = world.known(
            certificates=(both.certificate, world.holder.certificate, world.hierarchy.issuing.certificate),
            authorities=trusted,
        )
        with pytest.raises(NotAnAttributeAuthority):
            verify(world.issue(by=both), known, at=at)


@pytest.mark.parametrize(
    "marks",
    [(), (SOURCE_OF_AUTHORITY,), (OURS.extension,), (Extension(oids.AA_CONTROLS, False, b"\x01\x01\x01"),)],
)
def test_no_ordinary_person_states_attributes(world, at, marks):
    somebody = world.hierarchy.person("王五", extensions=marks)
    known = world.known(certificates=(somebody.certificate, world.hierarchy.issuing.certificate))
    with pytest.raises(NotAnAttributeAuthority):
        verify(world.issue(by=somebody), known, at=at, holder=world.holder.certificate)


def test_an_authority_must_be_certified_for_signatures_and_be_unrevoked(world, at):
    sealed = world.an_authority(key_usage=frozenset({"cRLSign"}))
    known = world.known(certificates=(sealed.certificate, world.hierarchy.issuing.certificate))
    with pytest.raises(NotAnAttributeAuthority):
        verify(world.issue(by=sealed), known, at=at, holder=world.holder.certificate)
    revoked = (world.authority.certificate.serial, Revoked(at - HOUR / 2, Reason.AA_COMPROMISE))
    crl = world.hierarchy.crl(world.hierarchy.issuing, [revoked], at)
    with pytest.raises(CertificateRevoked):
        verify(world.issue(), world.known(crl), at=at)
    with pytest.raises(RevocationUnknown):
        verify(world.issue(), world.known(revocation=RevocationEvidence()), at=at)
    assert verify(
        world.issue(), world.known(revocation=RevocationEvidence()), at=at, require_revocation=False
    )


def test_another_authority_of_the_same_name_is_not_believed(world, at):
    tbs = world.issue().tbs
    with pytest.raises(BadSignature):
        verify(sign(tbs, world.holder), world.known(), at=at)
    outside = world.hierarchy.self_signed(
        world.hierarchy.suite,
        world.hierarchy.template(world.authority.certificate.subject, **AUTHORITY),
    )
    with pytest.raises(WrongIssuer):
        verify(world.issue(by=outside), world.known(), at=at)
    with pytest.raises(UnknownIssuer):
        verify(
            world.issue(),
            world.known(certificates=(world.holder.certificate,)),
            at=at,
            require_revocation=False,
        )


def test_an_authority_that_is_trusted_by_name_needs_no_mark_and_no_other_is_heard(world, at):
    plain = world.an_authority(extensions=())
    made = world.issue(by=plain)
    with pytest.raises(NotAnAttributeAuthority):
        verify(
            made,
            world.known(
                certificates=(
                    plain.certificate,
                    world.hierarchy.issuing.certificate,
                    world.holder.certificate,
                )
            ),
            at=at,
        )
    assert verify(made, world.known(authorities=(plain.certificate,)), at=at)
    with pytest.raises(NotAnAttributeAuthority):
        verify(world.issue(), world.known(authorities=(plain.certificate,)), at=at)


def test_an_authority_states_what_it_may_and_nothing_else(world, at):
    for controls in (
        Controls(permitted=(oids.ROLE,), unspecified=False),
        Controls(excluded=(oids.CLEARANCE,)),
        Controls(permitted=OURS.permitted, excluded=(oids.GRANTS,), unspecified=False),
    ):
        world.authority = world.an_authority(extensions=(SOURCE_OF_AUTHORITY, controls.extension))
        with pytest.raises(AttributeNotPermitted):
            verify(world.issue(), world.known(), at=at)
        assert Controls.read(controls.extension.value) == controls


def test_its_key_is_for_nothing_else(world, at):
    for usage in (Usage.SIGNATURE, Usage.CLIENT, Usage.SERVER, Usage.ENCRYPTION):
        with pytest.raises(UsageNotAllowed):
            world.hierarchy.judge(world.authority.certificate, at, usage=usage)
    assert world.hierarchy.judge(world.authority.certificate, at, usage=Usage.ATTRIBUTES)
    with pytest.raises(UsageNotAllowed):
        world.hierarchy.judge(world.holder.certificate, at, usage=Usage.ATTRIBUTES)


@pytest.mark.parametrize(
    ("moment", "error"),
    [(-HOUR - timedelta(seconds=1), AttributeCertificateNotYetValid), (HOUR + timedelta(seconds=1), AttributeCertificateExpired)],
)  # fmt: skip
def test_it_holds_in_its_time_only(world, at, moment, error):
    made = world.issue()
    for inside in (-HOUR, HOUR):
        assert verify(made, world.known(), at=at + inside, require_revocation=False)
    with pytest.raises(error):
        verify(made, world.known(), at=at + moment, require_revocation=False)


def test_a_grant_or_appointment_that_is_over_is_not_believed_in_a_longer_certificate(world, at):
    usual = claims_at(at)
    over = replace(usual.grants[0], valid_to=at)
    left = replace(usual.appointment, valid_to=at)
    for parts in (
        {"grants": (over,)},
        {"appointment": left},
        {"grants": (replace(over, valid_from=at + HOUR, valid_to=at + DAY),)},
    ):
        with pytest.raises(ClaimOver):
            verify(world.issue(claims=claims_at(at, **parts)), world.known(), at=at)


def test_what_is_critical_and_unknown_is_not_passed_over(world, at):
    unknown = Extension("1.2.3.4", True, der.null())
    with pytest.raises(UnsupportedAttributeExtension):
        verify(world.issue(extensions=(unknown,)), world.known(), at=at)
    assert verify(world.issue(extensions=(replace(unknown, critical=False),)), world.known(), at=at)


def test_it_is_used_where_it_is_meant_to_be(world, at):
    made = world.issue(
        targets=(Target.of("https://a.example"), Target.of("B.example"), Target.of("urn:x:g", group=True))
    )
    for known in (
        {},
        {"names": frozenset({"https://a.example/"})},
        {"names": frozenset({"urn:x:g"})},
        {"groups": frozenset({"b.example"})},
    ):
        with pytest.raises(WrongTarget):
            verify(made, world.known(**known), at=at)
    for known in (
        {"names": frozenset({"b.EXAMPLE"})},
        {"names": frozenset({"https://a.example"})},
        {"groups": frozenset({"urn:x:g"})},
    ):
        assert verify(made, world.known(**known), at=at)


def test_one_that_can_be_revoked_needs_a_list_that_says_it_was_not(world, at):
    made = world.issue(crl_urls=(LIST,))
    revoked = (77, Revoked(at - HOUR / 2, Reason.PRIVILEGE_WITHDRAWN))
    elsewhere = DistributionPoint(("http://other.example/x",), only_attribute=True)
    for useless in (
        (),
        (world.list(scope=DistributionPoint((LIST,), only_user=True)),),
        (world.list(scope=elsewhere),),
        (world.list(this_update=at - 3 * HOUR, next_update=at - HOUR),),
        (world.hierarchy.crl(world.hierarchy.issuing, (), at),),
    ):
        with pytest.raises(AttributeStatusUnknown):
            verify(made, world.known(*useless), at=at)
    assert verify(made, world.known(world.list()), at=at)
    assert verify(made, world.known(world.list((77, Revoked(at + HOUR / 2)))), at=at)  # revoked later
    for lists in ((world.list(revoked),), (world.list(), world.list(revoked, number=2))):
        with pytest.raises(AttributeCertificateRevoked):
            verify(made, world.known(*lists), at=at)
    forged = world.list(by=world.an_authority())  # another key under the same name
    with pytest.raises(AttributeStatusUnknown):
        verify(made, world.known(forged), at=at)
    with pytest.raises(AttributeCertificateRevoked):
        verify(made, world.known(forged, world.list(revoked)), at=at)


def test_a_list_of_attribute_certificates_says_nothing_of_certificates(world, at):
    """Their serial numbers are not the same numbers."""
    signer = world.hierarchy.issuing
    lists = world.list((world.holder.certificate.serial, Revoked(at - HOUR)), by=signer)
    known = RevocationEvidence(crls=(lists,))
    with pytest.raises(RevocationUnknown):
        validate(
            world.holder.certificate,
            (signer.certificate,),
            world.hierarchy.anchors,
            at=at,
            usage=Usage.SIGNATURE,
            revocation=known,
        )
