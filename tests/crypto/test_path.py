from dataclasses import replace
from datetime import timedelta

import pytest

from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import (
    BadSignature,
    CertificateRevoked,
    Expired,
    NotAnAuthority,
    NotYetValid,
    PathTooComplex,
    PathTooLong,
    RevocationUnknown,
    RevocationUnusable,
    UnknownIssuer,
    UnsupportedExtension,
    UsageNotAllowed,
)
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.path import RevocationEvidence, Usage, validate
from yinxin.crypto.status import (
    CertId,
    CertificateList,
    DistributionPoint,
    Good,
    OcspAnswer,
    OcspResponse,
    Reason,
    Revoked,
    Unknown,
    build_crl,
    build_ocsp_response,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def judge(hierarchy, leaf, at, **given):
    usual = {"at": at, "usage": Usage.SIGNATURE, "require_revocation": False}
    intermediates = given.pop("intermediates", (hierarchy.issuing.certificate,))
    anchors = given.pop("anchors", hierarchy.anchors)
    return validate(leaf, intermediates, anchors, **(usual | given))


def crl(by, revoked, at, **given):
    usual = {
        "signer": by.key,
        "issuer": by.certificate,
        "number": 1,
        "this_update": at - HOUR,
        "next_update": at + HOUR,
    }
    return CertificateList(build_crl(revoked=revoked, **(usual | given)))


def ocsp(hierarchy, leaf, status, at, responder=None, **given):
    by, responder = hierarchy.issuing, responder or hierarchy.responder()
    window = (given.get("this_update", at - HOUR), given.get("next_update", at + HOUR))
    answer = OcspAnswer(CertId.of(leaf.serial, by.certificate), status, *window)
    return OcspResponse(
        build_ocsp_response(
            signer=responder.key, responder=responder.certificate, answers=[answer], produced_at=window[0]
        )
    )


def test_a_good_path(hierarchy, at):
    leaf = hierarchy.person().certificate
    found = judge(hierarchy, leaf, at)
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
        judge(hierarchy, leaf, at, anchors=(hierarchy.issuing.certificate,)).anchor
        == hierarchy.issuing.certificate
    )
    assert judge(hierarchy, leaf, at, anchors=(leaf,)).certificates == (leaf,)


def test_an_unknown_issuer(hierarchy, at):
    leaf = hierarchy.person().certificate
    for given in ({"anchors": ()}, {"intermediates": ()}):
        with pytest.raises(UnknownIssuer):
            judge(hierarchy, leaf, at, **given)


def test_a_self_signed_stranger_is_not_trusted(hierarchy, at):
    stranger = hierarchy.self_signed(
        hierarchy.suite, hierarchy.authority(hierarchy.root.certificate.subject)
    ).certificate
    with pytest.raises(UnknownIssuer):
        judge(hierarchy, stranger, at, anchors=(), intermediates=(stranger,), usage=Usage.AUTHORITY)


def test_validity_to_the_second(hierarchy, at):
    leaf = hierarchy.person(not_before=at - HOUR, not_after=at + HOUR).certificate
    judge(hierarchy, leaf, at - HOUR)
    judge(hierarchy, leaf, at + HOUR + timedelta(microseconds=999_999))
    with pytest.raises(NotYetValid):
        judge(hierarchy, leaf, at - HOUR - timedelta(microseconds=1))
    with pytest.raises(Expired):
        judge(hierarchy, leaf, at + HOUR + timedelta(seconds=1))


def test_an_expired_authority_spoils_the_path(hierarchy, at):
    old = hierarchy.issue(
        hierarchy.authority(Name.of({"CN": "旧 CA"}), not_after=at - DAY), by=hierarchy.root
    )
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=old).certificate
    with pytest.raises(Expired):
        judge(hierarchy, leaf, at, intermediates=(old.certificate,))


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
        judge(hierarchy, forged.certificate, at)


def test_only_authorities_issue(hierarchy, at):
    person = hierarchy.person()
    below = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=person)
    with pytest.raises(NotAnAuthority):
        judge(
            hierarchy,
            below.certificate,
            at,
            intermediates=(person.certificate, hierarchy.issuing.certificate),
        )
    mute = hierarchy.issue(
        hierarchy.authority(Name.of({"CN": "m"}), key_usage=frozenset({"cRLSign"})), by=hierarchy.root
    )
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=mute)
    with pytest.raises(NotAnAuthority):
        judge(hierarchy, leaf.certificate, at, intermediates=(mute.certificate,))


def test_key_usage_alone_makes_no_authority(hierarchy, at):
    wanted = hierarchy.template(Name.of({"CN": "m"}))
    object.__setattr__(
        wanted, "key_usage", frozenset({"keyCertSign"})
    )  # our own templates refuse to say this
    pretender = hierarchy.issue(wanted, by=hierarchy.root)
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=pretender)
    with pytest.raises(NotAnAuthority):
        judge(hierarchy, leaf.certificate, at, intermediates=(pretender.certificate,))


def test_path_length_counts_what_is_between(hierarchy, at):
    """The issuing authority has path length 0: a further authority below it is one too many."""
    below = hierarchy.issue(hierarchy.authority(Name.of({"CN": "下级 CA"})))
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=below)
    with pytest.raises(PathTooLong):
        judge(
            hierarchy, leaf.certificate, at, intermediates=(below.certificate, hierarchy.issuing.certificate)
        )
    judge(hierarchy, below.certificate, at, usage=Usage.ANY, anchors=(below.certificate,))
    with pytest.raises(PathTooLong):  # the anchor's own limit counts too
        judge(
            hierarchy,
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
    found = judge(hierarchy, leaf.certificate, at, intermediates=(old.certificate, new.certificate))
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
        judge(hierarchy, leaf, at, usage=usage)
        return
    with pytest.raises((UsageNotAllowed, NotAnAuthority)):
        judge(hierarchy, leaf, at, usage=usage)


def test_an_authority_for_one_purpose_gives_no_other(hierarchy, at):
    servers = hierarchy.issue(
        hierarchy.authority(Name.of({"CN": "TLS CA"}), extended_key_usage=("serverAuth",)), by=hierarchy.root
    )
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=servers).certificate
    judge(hierarchy, leaf, at, intermediates=(servers.certificate,), usage=Usage.SERVER)
    with pytest.raises(UsageNotAllowed):
        judge(hierarchy, leaf, at, intermediates=(servers.certificate,))


@pytest.mark.parametrize(
    ("oid", "critical"),
    [
        ("1.2.3.4", True),
        (oids.NAME_CONSTRAINTS, True),
        (oids.NAME_CONSTRAINTS, False),
        (oids.POLICY_CONSTRAINTS, True),
        (oids.INHIBIT_ANY_POLICY, True),
    ],
)
def test_what_is_not_processed_is_refused(hierarchy, at, oid, critical):
    values = {
        oids.NAME_CONSTRAINTS: der.sequence(der.explicit(0, der.sequence(der.tlv(0x82, b"gov.example")))),
        oids.POLICY_CONSTRAINTS: der.sequence(der.tlv(0x80, b"\0")),
        oids.INHIBIT_ANY_POLICY: der.integer(0),
    }
    extension = Extension(oid, critical, values.get(oid, der.null()))
    narrow = hierarchy.issue(
        hierarchy.authority(Name.of({"CN": "窄 CA"}), extensions=(extension,)), by=hierarchy.root
    )
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=narrow).certificate
    with pytest.raises(UnsupportedExtension, match=oid):
        judge(hierarchy, leaf, at, intermediates=(narrow.certificate,))


def test_unknown_extensions_that_are_not_critical_are_passed_over(hierarchy, at):
    leaf = hierarchy.person(extensions=(Extension("1.2.3.4", critical=False, value=der.null()),)).certificate
    judge(hierarchy, leaf, at)


def test_the_good_way_is_found_among_bad_ones(hierarchy, at):
    """A renewed authority: same name and key, one certificate expired, one valid."""
    name, key = Name.of({"CN": "续期 CA"}), PrivateKey.generate(hierarchy.suite)
    old = hierarchy.issue(hierarchy.authority(name, not_after=at - DAY), by=hierarchy.root, key=key)
    new = hierarchy.issue(hierarchy.authority(name), by=hierarchy.root, key=key)
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=new).certificate
    for pool in ((old.certificate, new.certificate), (new.certificate, old.certificate)):
        assert judge(hierarchy, leaf, at, intermediates=pool).certificates[1] == new.certificate


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
        judge(intl, leaf, at, intermediates=cross)
    assert isinstance(caught.value, PathTooComplex)


# --- revocation ------------------------------------------------------------------------------------------------


def evidence(hierarchy, at, leaf, revoked=(), **given):
    """CRLs of both authorities, current at `at`."""
    return RevocationEvidence(
        crls=(crl(hierarchy.issuing, revoked, at, **given), crl(hierarchy.root, (), at, **given))
    )


def test_good_by_lists_and_by_answers(hierarchy, at):
    leaf = hierarchy.person().certificate
    judge(hierarchy, leaf, at, revocation=evidence(hierarchy, at, leaf), require_revocation=True)
    mixed = RevocationEvidence(ocsp=(ocsp(hierarchy, leaf, Good(), at),), crls=(crl(hierarchy.root, (), at),))
    judge(hierarchy, leaf, at, revocation=mixed, require_revocation=True)


def test_nothing_known_means_no(hierarchy, at):
    leaf = hierarchy.person().certificate
    for given in (
        None,
        RevocationEvidence(),
        RevocationEvidence(crls=(crl(hierarchy.issuing, (), at),)),
        RevocationEvidence(crls=(crl(hierarchy.root, (), at),)),
    ):
        with pytest.raises(RevocationUnknown):
            judge(hierarchy, leaf, at, revocation=given, require_revocation=True)
    unknown = RevocationEvidence(
        ocsp=(ocsp(hierarchy, leaf, Unknown(), at),), crls=(crl(hierarchy.root, (), at),)
    )
    with pytest.raises(RevocationUnknown):
        judge(hierarchy, leaf, at, revocation=unknown, require_revocation=True)


def test_revoked_before_is_revoked_and_later_is_fine(hierarchy, at):
    leaf = hierarchy.person().certificate
    before, later = Revoked(at, Reason.SUPERSEDED), Revoked(at + timedelta(seconds=1), Reason.SUPERSEDED)
    for status, good in ((before, False), (later, True)):
        known = at + 2 * HOUR
        by_list = evidence(hierarchy, known, leaf, [(leaf.serial, status)])
        by_answer = RevocationEvidence(
            ocsp=(ocsp(hierarchy, leaf, status, known),), crls=(crl(hierarchy.root, (), known),)
        )
        for given in (by_list, by_answer):
            if good:
                judge(hierarchy, leaf, at, revocation=given, require_revocation=True)
                continue
            with pytest.raises(CertificateRevoked) as caught:
                judge(hierarchy, leaf, at, revocation=given)
            assert caught.value.facts["revoked_at"] == at
            assert caught.value.facts["reason"] == "superseded"


def test_a_compromise_reaches_back(hierarchy, at):
    leaf = hierarchy.person().certificate
    status = Revoked(at + HOUR, Reason.KEY_COMPROMISE, invalid_since=at - DAY)
    with pytest.raises(CertificateRevoked):
        judge(
            hierarchy, leaf, at, revocation=evidence(hierarchy, at + 2 * HOUR, leaf, [(leaf.serial, status)])
        )


def test_one_revoking_statement_outweighs_good_ones(hierarchy, at):
    leaf = hierarchy.person().certificate
    both = RevocationEvidence(
        ocsp=(ocsp(hierarchy, leaf, Good(), at),),
        crls=(crl(hierarchy.issuing, [(leaf.serial, Revoked(at - HOUR))], at), crl(hierarchy.root, (), at)),
    )
    with pytest.raises(CertificateRevoked):
        judge(hierarchy, leaf, at, revocation=both)


def test_a_revoked_authority(hierarchy, at):
    leaf = hierarchy.person().certificate
    issuing = hierarchy.issuing.certificate
    given = RevocationEvidence(
        crls=(
            crl(hierarchy.issuing, (), at),
            crl(hierarchy.root, [(issuing.serial, Revoked(at - HOUR, Reason.CA_COMPROMISE))], at),
        )
    )
    with pytest.raises(CertificateRevoked) as caught:
        judge(hierarchy, leaf, at, revocation=given)
    assert caught.value.facts["subject"] == issuing.subject.text


def test_statements_have_their_time(hierarchy, at):
    leaf = hierarchy.person().certificate
    stale = evidence(hierarchy, at - 3 * HOUR, leaf)
    with pytest.raises(RevocationUnknown):
        judge(hierarchy, leaf, at, revocation=stale, require_revocation=True)
    later = evidence(hierarchy, at + 30 * DAY, leaf)
    judge(hierarchy, leaf, at, revocation=later, require_revocation=True)
    forgotten = evidence(hierarchy, leaf.not_after + DAY, leaf)
    with pytest.raises(RevocationUnknown):
        judge(hierarchy, leaf, at, revocation=forgotten, require_revocation=True)


def test_statements_that_do_not_count(hierarchy, at):
    leaf = hierarchy.person().certificate
    root = crl(hierarchy.root, (), at)
    other_shard = crl(hierarchy.issuing, (), at, scope=DistributionPoint(("http://crl.example/2.crl",)))
    delta = crl(hierarchy.issuing, (), at, delta_base=1)
    twin = hierarchy.self_signed(hierarchy.suite, hierarchy.authority(hierarchy.issuing.certificate.subject))
    strangers = crl(twin, (), at)
    for useless in (other_shard, delta, strangers):
        with pytest.raises(RevocationUnknown):
            judge(
                hierarchy,
                leaf,
                at,
                revocation=RevocationEvidence(crls=(useless, root)),
                require_revocation=True,
            )
    unauthorised = ocsp(
        hierarchy, leaf, Good(), at, responder=hierarchy.responder(extended_key_usage=("clientAuth",))
    )
    with pytest.raises(RevocationUnusable, match="OCSPSigning"):
        judge(
            hierarchy,
            leaf,
            at,
            revocation=RevocationEvidence(ocsp=(unauthorised,), crls=(root,)),
            require_revocation=True,
        )


def test_the_right_shard_counts(hierarchy, at):
    leaf = hierarchy.person().certificate
    shard = crl(hierarchy.issuing, (), at, scope=DistributionPoint(leaf.crl_urls, only_user=True))
    judge(
        hierarchy,
        leaf,
        at,
        revocation=RevocationEvidence(crls=(shard, crl(hierarchy.root, (), at))),
        require_revocation=True,
    )


def test_anchors_need_no_statement(hierarchy, at):
    judge(hierarchy, hierarchy.root.certificate, at, usage=Usage.AUTHORITY, require_revocation=True)


@pytest.mark.parametrize(
    ("critical", "more"), [(False, ()), (True, ("1.3.6.1.5.5.7.3.2",)), (True, ("2.5.29.37.0",))]
)
def test_a_timestamp_unit_has_that_purpose_alone_and_critical(hierarchy, at, critical, more):
    purposes = der.sequence(*map(der.oid, ("1.3.6.1.5.5.7.3.8", *more)))
    extension = Extension(oids.EXTENDED_KEY_USAGE, critical, purposes)
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"}), extensions=(extension,))).certificate
    with pytest.raises(UsageNotAllowed):
        judge(hierarchy, leaf, at, usage=Usage.TIMESTAMP)


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
