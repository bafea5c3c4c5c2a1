"""What statements about revocation do to a path."""

from datetime import timedelta

import pytest

from yinxin.crypto.errors import (
    CertificateRevoked,
    RevocationUnknown,
    RevocationUnusable,
)
from yinxin.crypto.path import RevocationEvidence, Usage
from yinxin.crypto.status import (
    DistributionPoint,
    Good,
    Reason,
    Revoked,
    Unknown,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def evidence(hierarchy, at, leaf, revoked=(), **given):
    """CRLs of both authorities, current at `at`."""
    return RevocationEvidence(
        crls=(
            hierarchy.crl(hierarchy.issuing, revoked, at, **given),
            hierarchy.crl(hierarchy.root, (), at, **given),
        )
    )


def test_good_by_lists_and_by_answers(hierarchy, at):
    leaf = hierarchy.person().certificate
    hierarchy.judge(leaf, at, revocation=evidence(hierarchy, at, leaf), require_revocation=True)
    mixed = RevocationEvidence(
        ocsp=(hierarchy.ocsp(leaf, Good(), at),), crls=(hierarchy.crl(hierarchy.root, (), at),)
    )
    hierarchy.judge(leaf, at, revocation=mixed, require_revocation=True)


def test_nothing_known_means_no(hierarchy, at):
    leaf = hierarchy.person().certificate
    for given in (
        None,
        RevocationEvidence(),
        RevocationEvidence(crls=(hierarchy.crl(hierarchy.issuing, (), at),)),
        RevocationEvidence(crls=(hierarchy.crl(hierarchy.root, (), at),)),
    ):
        with pytest.raises(RevocationUnknown):
            hierarchy.judge(leaf, at, revocation=given, require_revocation=True)
    unknown = RevocationEvidence(
        ocsp=(hierarchy.ocsp(leaf, Unknown(), at),), crls=(hierarchy.crl(hierarchy.root, (), at),)
    )
    with pytest.raises(RevocationUnknown):
        hierarchy.judge(leaf, at, revocation=unknown, require_revocation=True)


def test_revoked_before_is_revoked_and_later_is_fine(hierarchy, at):
    leaf = hierarchy.person().certificate
    before, later = Revoked(at, Reason.SUPERSEDED), Revoked(at + timedelta(seconds=1), Reason.SUPERSEDED)
    for status, good in ((before, False), (later, True)):
        known = at + 2 * HOUR
        by_list = evidence(hierarchy, known, leaf, [(leaf.serial, status)])
        by_answer = RevocationEvidence(
            ocsp=(hierarchy.ocsp(leaf, status, known),), crls=(hierarchy.crl(hierarchy.root, (), known),)
        )
        for given in (by_list, by_answer):
            if good:
                hierarchy.judge(leaf, at, revocation=given, require_revocation=True)
                continue
            with pytest.raises(CertificateRevoked) as caught:
                hierarchy.judge(leaf, at, revocation=given)
            assert caught.value.facts["revoked_at"] == at
            assert caught.value.facts["reason"] == "superseded"


def test_a_compromise_reaches_back(hierarchy, at):
    leaf = hierarchy.person().certificate
    status = Revoked(at + HOUR, Reason.KEY_COMPROMISE, invalid_since=at - DAY)
    with pytest.raises(CertificateRevoked):
        hierarchy.judge(
            leaf, at, revocation=evidence(hierarchy, at + 2 * HOUR, leaf, [(leaf.serial, status)])
        )


def test_one_revoking_statement_outweighs_good_ones(hierarchy, at):
    leaf = hierarchy.person().certificate
    both = RevocationEvidence(
        ocsp=(hierarchy.ocsp(leaf, Good(), at),),
        crls=(
            hierarchy.crl(hierarchy.issuing, [(leaf.serial, Revoked(at - HOUR))], at),
            hierarchy.crl(hierarchy.root, (), at),
        ),
    )
    with pytest.raises(CertificateRevoked):
        hierarchy.judge(leaf, at, revocation=both)


def test_a_revoked_authority(hierarchy, at):
    leaf = hierarchy.person().certificate
    issuing = hierarchy.issuing.certificate
    given = RevocationEvidence(
        crls=(
            hierarchy.crl(hierarchy.issuing, (), at),
            hierarchy.crl(hierarchy.root, [(issuing.serial, Revoked(at - HOUR, Reason.CA_COMPROMISE))], at),
        )
    )
    with pytest.raises(CertificateRevoked) as caught:
        hierarchy.judge(leaf, at, revocation=given)
    assert caught.value.facts["subject"] == issuing.subject.text


def test_statements_have_their_time(hierarchy, at):
    leaf = hierarchy.person().certificate
    stale = evidence(hierarchy, at - 3 * HOUR, leaf)
    with pytest.raises(RevocationUnknown):
        hierarchy.judge(leaf, at, revocation=stale, require_revocation=True)
    later = evidence(hierarchy, at + 30 * DAY, leaf)
    hierarchy.judge(leaf, at, revocation=later, require_revocation=True)
    forgotten = evidence(hierarchy, leaf.not_after + DAY, leaf)
    with pytest.raises(RevocationUnknown):
        hierarchy.judge(leaf, at, revocation=forgotten, require_revocation=True)


def test_statements_that_do_not_count(hierarchy, at):
    leaf = hierarchy.person().certificate
    root = hierarchy.crl(hierarchy.root, (), at)
    other_shard = hierarchy.crl(
        hierarchy.issuing, (), at, scope=DistributionPoint(("http://crl.example/2.crl",))
    )
    delta = hierarchy.crl(hierarchy.issuing, (), at, delta_base=1)
    twin = hierarchy.self_signed(hierarchy.suite, hierarchy.authority(hierarchy.issuing.certificate.subject))
    strangers = hierarchy.crl(twin, (), at)
    for useless in (other_shard, delta, strangers):
        with pytest.raises(RevocationUnknown):
            hierarchy.judge(
                leaf,
                at,
                revocation=RevocationEvidence(crls=(useless, root)),
                require_revocation=True,
            )
    unauthorised = hierarchy.ocsp(
        leaf, Good(), at, responder=hierarchy.responder(extended_key_usage=("clientAuth",))
    )
    with pytest.raises(RevocationUnusable, match="OCSPSigning"):
        hierarchy.judge(
            leaf,
            at,
            revocation=RevocationEvidence(ocsp=(unauthorised,), crls=(root,)),
            require_revocation=True,
        )


def test_the_right_shard_counts(hierarchy, at):
    leaf = hierarchy.person().certificate
    shard = hierarchy.crl(hierarchy.issuing, (), at, scope=DistributionPoint(leaf.crl_urls, only_user=True))
    hierarchy.judge(
        leaf,
        at,
        revocation=RevocationEvidence(crls=(shard, hierarchy.crl(hierarchy.root, (), at))),
        require_revocation=True,
    )


def test_anchors_need_no_statement(hierarchy, at):
    hierarchy.judge(hierarchy.root.certificate, at, usage=Usage.AUTHORITY, require_revocation=True)
