from dataclasses import replace
from datetime import timedelta

import pytest

from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import (
    BadSignature,
    Expired,
    NotAnAuthority,
    NotYetValid,
    PathTooComplex,
    PathTooLong,
    UnknownIssuer,
    UnsupportedExtension,
    UsageNotAllowed,
)
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.path import Usage, validate

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_good_path(hierarchy, at):
    leaf = hierarchy.person().certificate
    found = hierarchy.judge(leaf, at)
    assert found.certificates == (leaf, hierarchy.issuing.certificate, hierarchy.root.certificate)
    assert (found.leaf, found.anchor, found.at, found.usage) == (
        leaf,
        hierarchy.root.certificate,
        at,
        Usage.SIGNATURE,
    )


def test_the_anchor_may_be_any_authority_or_the_leaf_itself(hierarchy, at):
    leaf = hierarchy.person().certificate
    assert (
        hierarchy.judge(leaf, at, anchors=(hierarchy.issuing.certificate,)).anchor
        == hierarchy.issuing.certificate
    )
    assert hierarchy.judge(leaf, at, anchors=(leaf,)).certificates == (leaf,)


def test_an_unknown_issuer(hierarchy, at):
    leaf = hierarchy.person().certificate
    for given in ({"anchors": ()}, {"intermediates": ()}):
        with pytest.raises(UnknownIssuer):
            hierarchy.judge(leaf, at, **given)


def test_a_self_signed_stranger_is_not_trusted(hierarchy, at):
    stranger = hierarchy.self_signed(
        hierarchy.suite, hierarchy.authority(hierarchy.root.certificate.subject)
    ).certificate
    with pytest.raises(UnknownIssuer):
        hierarchy.judge(stranger, at, anchors=(), intermediates=(stranger,), usage=Usage.AUTHORITY)


def test_validity_to_the_second(hierarchy, at):
    leaf = hierarchy.person(not_before=at - HOUR, not_after=at + HOUR).certificate
    hierarchy.judge(leaf, at - HOUR)
    hierarchy.judge(leaf, at + HOUR + timedelta(microseconds=999_999))
    with pytest.raises(NotYetValid):
        hierarchy.judge(leaf, at - HOUR - timedelta(microseconds=1))
    with pytest.raises(Expired):
        hierarchy.judge(leaf, at + HOUR + timedelta(seconds=1))


def test_an_expired_authority_spoils_the_path(hierarchy, at):
    old = hierarchy.issue(
        hierarchy.authority(Name.of({"CN": "旧 CA"}), not_after=at - DAY), by=hierarchy.root
    )
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=old).certificate
    with pytest.raises(Expired):
        hierarchy.judge(leaf, at, intermediates=(old.certificate,))


def test_a_forged_link(hierarchy, at):
    subject = hierarchy.issuing.certificate.subject
    twin = hierarchy.self_signed(hierarchy.suite, hierarchy.authority(subject))

    class Impostor:
        public_key = hierarchy.issuing.key.public_key

        def sign(self, message):
            return twin.key.sign(message)

    forged = hierarchy.issue(
        hierarchy.template(Name.of({"CN": "x"})), by=replace(hierarchy.issuing, key=Impostor())
    )
    with pytest.raises(BadSignature):
        hierarchy.judge(forged.certificate, at)


def test_only_authorities_issue(hierarchy, at):
    person = hierarchy.person()
    below = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=person)
    with pytest.raises(NotAnAuthority):
        hierarchy.judge(
            below.certificate,
            at,
            intermediates=(person.certificate, hierarchy.issuing.certificate),
        )
    mute = hierarchy.issue(
        hierarchy.authority(Name.of({"CN": "m"}), key_usage=frozenset({"cRLSign"})), by=hierarchy.root
    )
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=mute)
    with pytest.raises(NotAnAuthority):
        hierarchy.judge(leaf.certificate, at, intermediates=(mute.certificate,))


def test_key_usage_alone_makes_no_authority(hierarchy, at):
    wanted = hierarchy.template(Name.of({"CN": "m"}))
    object.__setattr__(
        wanted, "key_usage", frozenset({"keyCertSign"})
    )  # our own templates refuse to say this
    pretender = hierarchy.issue(wanted, by=hierarchy.root)
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=pretender)
    with pytest.raises(NotAnAuthority):
        hierarchy.judge(leaf.certificate, at, intermediates=(pretender.certificate,))


def test_path_length_counts_what_is_between(hierarchy, at):
    """The issuing authority has path length 0: a further authority below it is one too many."""
    below = hierarchy.issue(hierarchy.authority(Name.of({"CN": "下级 CA"})))
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=below)
    with pytest.raises(PathTooLong):
        hierarchy.judge(
            leaf.certificate, at, intermediates=(below.certificate, hierarchy.issuing.certificate)
        )
    hierarchy.judge(below.certificate, at, usage=Usage.ANY, anchors=(below.certificate,))
    with pytest.raises(PathTooLong):  # the anchor's own limit counts too
        hierarchy.judge(
            leaf.certificate,
            at,
            intermediates=(below.certificate,),
            anchors=(hierarchy.issuing.certificate,),
        )


def test_self_issued_authorities_do_not_count(hierarchy, at):
    """Key rollover (RFC 5280 6.1.4 l): the same name with a new key takes nothing of the path length."""
    subject = Name.of({"CN": "换钥 CA"})
    old = hierarchy.issue(hierarchy.authority(subject, path_length=0), by=hierarchy.root)
    new = hierarchy.issue(hierarchy.authority(subject, path_length=0), by=old)
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=new)
    found = hierarchy.judge(leaf.certificate, at, intermediates=(old.certificate, new.certificate))
    assert len(found.certificates) == 4


@pytest.mark.parametrize(
    ("usage", "given", "good"),
    [
        (Usage.SIGNATURE, {}, True),
        (Usage.SIGNATURE, {"key_usage": frozenset({"keyEncipherment"})}, False),
        (Usage.SIGNATURE, {"extended_key_usage": ("serverAuth",)}, False),
        (Usage.SIGNATURE, {"extended_key_usage": ()}, True),
        (Usage.SIGNATURE, {"extended_key_usage": ("anyExtendedKeyUsage",)}, True),
        (Usage.CLIENT, {}, True),
        (Usage.CLIENT, {"extended_key_usage": ("documentSigning",)}, False),
        (Usage.SERVER, {}, False),
        (Usage.SERVER, {"extended_key_usage": ("serverAuth",)}, True),
        (Usage.TIMESTAMP, {}, False),
        (Usage.TIMESTAMP, {"extended_key_usage": ("timeStamping",)}, True),
        (Usage.ENCRYPTION, {}, False),
        (Usage.ENCRYPTION, {"key_usage": frozenset({"keyAgreement"})}, True),
        (Usage.AUTHORITY, {}, False),
        (Usage.ANY, {"extended_key_usage": ("1.2.3",)}, True),
    ],
)
def test_usage(hierarchy, at, usage, given, good):
    leaf = hierarchy.person(**given).certificate
    if good:
        hierarchy.judge(leaf, at, usage=usage)
        return
    with pytest.raises((UsageNotAllowed, NotAnAuthority)):
        hierarchy.judge(leaf, at, usage=usage)


def test_an_authority_for_one_purpose_gives_no_other(hierarchy, at):
    servers = hierarchy.issue(
        hierarchy.authority(Name.of({"CN": "TLS CA"}), extended_key_usage=("serverAuth",)), by=hierarchy.root
    )
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=servers).certificate
    hierarchy.judge(leaf, at, intermediates=(servers.certificate,), usage=Usage.SERVER)
    with pytest.raises(UsageNotAllowed):
        hierarchy.judge(leaf, at, intermediates=(servers.certificate,))


def test_what_is_not_processed_is_refused(hierarchy, at):
    extension = Extension("1.2.3.4", critical=True, value=der.null())
    narrow = hierarchy.issue(
        hierarchy.authority(Name.of({"CN": "窄 CA"}), extensions=(extension,)), by=hierarchy.root
    )
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=narrow).certificate
    with pytest.raises(UnsupportedExtension, match=r"1\.2\.3\.4"):
        hierarchy.judge(leaf, at, intermediates=(narrow.certificate,))


def test_unknown_extensions_that_are_not_critical_are_passed_over(hierarchy, at):
    leaf = hierarchy.person(extensions=(Extension("1.2.3.4", critical=False, value=der.null()),)).certificate
    hierarchy.judge(leaf, at)


def test_the_good_way_is_found_among_bad_ones(hierarchy, at):
    """A renewed authority: same name and key, one certificate expired, one valid."""
    name, key = Name.of({"CN": "续期 CA"}), PrivateKey.generate(hierarchy.suite)
    old = hierarchy.issue(hierarchy.authority(name, not_after=at - DAY), by=hierarchy.root, key=key)
    new = hierarchy.issue(hierarchy.authority(name), by=hierarchy.root, key=key)
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=new).certificate
    for pool in ((old.certificate, new.certificate), (new.certificate, old.certificate)):
        assert hierarchy.judge(leaf, at, intermediates=pool).certificates[1] == new.certificate


def test_a_maze_of_authorities_ends(intl, at):
    """Many authorities of one name that all claim to have issued each other: bounded work, clear refusal."""
    name = Name.of({"CN": "迷宫"})
    keys = [PrivateKey.generate(intl.suite) for _ in range(12)]
    maze = [intl.self_signed(intl.suite, intl.authority(name), key) for key in keys]
    cross = [
        intl.issue(intl.authority(name), by=by, key=key).certificate
        for by in maze
        for key in keys
        if key is not by.key
    ]
    leaf = intl.issue(intl.template(Name.of({"CN": "x"})), by=maze[0]).certificate
    with pytest.raises((PathTooComplex, UnknownIssuer, BadSignature)) as caught:
        intl.judge(leaf, at, intermediates=cross)
    assert isinstance(caught.value, PathTooComplex)


@pytest.mark.parametrize(
    ("critical", "more"), [(False, ()), (True, ("1.3.6.1.5.5.7.3.2",)), (True, ("2.5.29.37.0",))]
)
def test_a_timestamp_unit_has_that_purpose_alone_and_critical(hierarchy, at, critical, more):
    purposes = der.sequence(*map(der.oid, ("1.3.6.1.5.5.7.3.8", *more)))
    extension = Extension(oids.EXTENDED_KEY_USAGE, critical, purposes)
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"}), extensions=(extension,))).certificate
    with pytest.raises(UsageNotAllowed):
        hierarchy.judge(leaf, at, usage=Usage.TIMESTAMP)


def test_certificates_of_the_two_suites_may_meet(intl, sm, at):
    """A cross certificate: the intl root vouches for the sm root's key."""
    wanted = intl.authority(sm.root.certificate.subject)
    cross = intl.issue(wanted, by=intl.root, key=sm.root.key).certificate
    leaf = sm.person().certificate
    found = validate(
        leaf,
        (sm.issuing.certificate, cross),
        intl.anchors,
        at=at,
        usage=Usage.SIGNATURE,
        require_revocation=False,
    )
    assert [each.public_key.suite.name for each in found.certificates] == ["sm", "sm", "sm", "intl"]
    assert isinstance(found.anchor, Certificate)
