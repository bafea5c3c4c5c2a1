"""Who may say that a certificate was not revoked: signers of lists, delegates of OCSP, deltas, holds."""

from datetime import timedelta
from itertools import permutations

import pytest

from yinxin.crypto import der, oids
from yinxin.crypto.errors import CertificateRevoked, PathTooComplex, RevocationUnknown, RevocationUnusable
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.path import RevocationEvidence, Usage
from yinxin.crypto.path.work import Kind
from yinxin.crypto.points import CrlPoint
from yinxin.crypto.status import (
    CertificateList,
    DistributionPoint,
    Good,
    Reason,
    Revoked,
    build_crl,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def judged(hierarchy, at, leaf, *crls, more=(), **given):
    """The leaf, with these lists and an empty one of the root."""
    given.setdefault("ocsp", ())
    evidence = RevocationEvidence(given.pop("ocsp"), (*crls, hierarchy.crl(hierarchy.root, (), at)))
    pool = (hierarchy.issuing.certificate, *more)
    return hierarchy.judge(
        leaf, at, intermediates=pool, revocation=evidence, require_revocation=True, **given
    )


# --- who signs ------------------------------------------------------------------------------------------------------


def list_key(hierarchy, by):
    """A key for lists alone, in the issuing authority's name, certified by `by`."""
    wanted = hierarchy.template(hierarchy.issuing.certificate.subject, key_usage=frozenset({"cRLSign"}))
    return hierarchy.issue(wanted, by=by)


def test_a_list_key_that_the_authority_above_certified(hierarchy, at):
    leaf = hierarchy.person().certificate
    for by in (hierarchy.root, hierarchy.issuing):
        signer = list_key(hierarchy, by)
        own = hierarchy.crl(hierarchy.issuing, (), at)
        given = [hierarchy.crl(signer, (), at)] + ([own] if by is hierarchy.issuing else [])
        judged(hierarchy, at, leaf, *given, more=(signer.certificate,))
        with pytest.raises(RevocationUnknown):
            judged(hierarchy, at, leaf, hierarchy.crl(signer, (), at))
        revoked = hierarchy.crl(signer, [(leaf.serial, Revoked(at - DAY))], at)
        with pytest.raises(CertificateRevoked):
            judged(hierarchy, at, leaf, revoked, own, more=(signer.certificate,))


def test_a_list_in_the_issuers_name_by_somebody_else(hierarchy, at):
    """Another authority of the same hierarchy gives itself the issuer's name and says that nothing was revoked.

    Seen to fail when any valid path to the anchor will do for the signer of a list, as RFC 5280 6.3.3 f has it.
    """
    leaf = hierarchy.person().certificate
    other = hierarchy.issue(hierarchy.authority(Name.of({"CN": "邻 CA"})), by=hierarchy.root)
    usurper = list_key(hierarchy, other)
    lists = (hierarchy.crl(usurper, (), at), hierarchy.crl(other, (), at))
    with pytest.raises(RevocationUnusable):
        judged(hierarchy, at, leaf, *lists, more=(other.certificate, usurper.certificate))


SERVICE = Name.of({"CN": "撤销服务"})
BY_SERVICE = {"crl_urls": (), "crl_points": (CrlPoint(issuer=(("dirname", SERVICE.der.hex()),)),)}


def test_a_revoked_authority_does_not_clear_itself(hierarchy, at):
    """It certifies a key in the name of the authority above it, or of the list's signer that its certificate names, and
    the list made with that key leaves it out.

    Seen to fail when the path of a list's signer may lead over the certificate that is asked about.
    """
    root_name = hierarchy.root.certificate.subject
    for name, points in ((root_name, {}), (SERVICE, BY_SERVICE)):
        rogue = hierarchy.issue(hierarchy.authority(Name.of({"CN": "失信 CA"}), **points), by=hierarchy.root)
        fake = hierarchy.issue(hierarchy.template(name, key_usage=frozenset({"cRLSign"})), by=rogue)
        leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=rogue).certificate
        forged = (
            hierarchy.crl(fake, (), at),
            hierarchy.crl(fake, (), at, scope=DistributionPoint(indirect=True)),
            hierarchy.crl(rogue, (), at),
        )
        with pytest.raises(RevocationUnknown):
            hierarchy.judge(
                leaf,
                at,
                intermediates=(rogue.certificate, fake.certificate),
                revocation=RevocationEvidence(crls=forged),
                require_revocation=True,
            )


def test_a_signers_own_status_counts(hierarchy, at):
    leaf, signer = hierarchy.person().certificate, list_key(hierarchy, hierarchy.root)
    clean = hierarchy.crl(signer, (), at)
    revoking = hierarchy.crl(hierarchy.root, [(signer.certificate.serial, Revoked(at - DAY))], at)
    with pytest.raises(RevocationUnusable):
        judged(hierarchy, at, leaf, clean, revoking, more=(signer.certificate,))


# --- indirect lists -------------------------------------------------------------------------------------------------


def indirect(hierarchy, at, signer, entries):
    """A list for many issuers: (issuer's name or none, serial number) in order."""
    encoded = build_crl(
        signer=signer.key,
        issuer=signer.certificate,
        number=1,
        this_update=at - HOUR,
        next_update=at + HOUR,
        revoked=[(serial, Revoked(at - DAY)) for _, serial in entries],
        scope=DistributionPoint(indirect=True),
    )
    tbs, algorithm, _ = der.elements(encoded)
    fields = der.elements(tbs)
    for place, field in enumerate(fields[5:-1], 5):
        written = []
        for entry, (issuer, _) in zip(der.elements(field), entries, strict=True):
            parts = der.elements(entry)
            if issuer is not None:
                value = der.sequence(der.tlv(0xA4, issuer.der))
                parts.append(der.sequence(Extension(oids.CERTIFICATE_ISSUER, critical=True, value=value).der))
            written.append(der.sequence(*parts))
        fields[place] = der.sequence(*written)
    tbs = der.sequence(*fields)
    return CertificateList(der.sequence(tbs, algorithm, der.bits(signer.key.sign(tbs))))


def test_an_indirect_list_of_the_signer_that_the_certificate_names(hierarchy, at):
    signer = hierarchy.issue(hierarchy.template(SERVICE, key_usage=frozenset({"cRLSign"})), by=hierarchy.root)
    leaf = hierarchy.person(**BY_SERVICE).certificate
    name, serial = hierarchy.issuing.certificate.subject, leaf.serial
    judged(hierarchy, at, leaf, indirect(hierarchy, at, signer, []), more=(signer.certificate,))
    others = [(None, serial), (hierarchy.root.certificate.subject, serial)]
    judged(hierarchy, at, leaf, indirect(hierarchy, at, signer, others), more=(signer.certificate,))
    named = [(hierarchy.root.certificate.subject, 5), (name, 6), (None, serial)]
    with pytest.raises(CertificateRevoked):
        judged(hierarchy, at, leaf, indirect(hierarchy, at, signer, named), more=(signer.certificate,))
    plain = hierarchy.person().certificate  # names nobody: the list is not for it
    with pytest.raises(RevocationUnknown):
        judged(hierarchy, at, plain, indirect(hierarchy, at, signer, []), more=(signer.certificate,))
    direct = hierarchy.crl(signer, (), at)  # not indirect: it speaks of its signer's own certificates alone
    with pytest.raises(RevocationUnknown):
        judged(hierarchy, at, leaf, direct, more=(signer.certificate,))


# --- deltas and holds -------------------------------------------------------------------------------------------------


def test_deltas_in_any_order(hierarchy, at):
    leaf = hierarchy.person().certificate
    held = (leaf.serial, Revoked(at - 2 * DAY, Reason.CERTIFICATE_HOLD))
    whole = hierarchy.crl(hierarchy.issuing, [held], at, number=5)
    released = hierarchy.crl(
        hierarchy.issuing,
        [(leaf.serial, Revoked(at - DAY, Reason.REMOVE_FROM_CRL))],
        at,
        number=6,
        delta_base=5,
    )
    revoked = hierarchy.crl(
        hierarchy.issuing,
        [(leaf.serial, Revoked(at - DAY, Reason.KEY_COMPROMISE))],
        at,
        number=7,
        delta_base=5,
    )
    for order in permutations((whole, released)):
        judged(hierarchy, at, leaf, *order)
    for order in permutations((whole, released, revoked)):
        with pytest.raises(CertificateRevoked):
            judged(hierarchy, at, leaf, *order)
    with pytest.raises(CertificateRevoked):
        judged(hierarchy, at, leaf, whole)
    with pytest.raises(RevocationUnknown):
        judged(hierarchy, at, leaf, released)
    with pytest.raises(CertificateRevoked):  # a delta without its list knows of nobody who is good
        judged(hierarchy, at, leaf, revoked)


@pytest.mark.parametrize(
    "given",
    [
        {"number": 5, "delta_base": 3},
        {"number": 9, "delta_base": 6},
        {"number": 9, "delta_base": 5, "scope": DistributionPoint(only_user=True)},
    ],
)
def test_a_delta_to_another_list_does_not_renew_this_one(hierarchy, at, given):
    """The whole list is out of date, and only a delta to it could speak for now."""
    leaf = hierarchy.person().certificate
    old = hierarchy.crl(hierarchy.issuing, (), at - DAY, number=5)
    judged(hierarchy, at, leaf, old, hierarchy.crl(hierarchy.issuing, (), at, number=9, delta_base=4))
    with pytest.raises(RevocationUnknown):
        judged(hierarchy, at, leaf, old, hierarchy.crl(hierarchy.issuing, (), at, **given))


def test_a_hold_ends_by_what_was_known_then(hierarchy, at):
    """Seen to fail when any newer statement ends a hold: what was done during it would become good afterwards."""
    leaf = hierarchy.person().certificate
    held = hierarchy.crl(
        hierarchy.issuing,
        [(leaf.serial, Revoked(at - 3 * HOUR, Reason.CERTIFICATE_HOLD))],
        at - HOUR,
        number=1,
    )
    after = hierarchy.crl(hierarchy.issuing, (), at + 3 * HOUR, number=2)
    with pytest.raises(CertificateRevoked):
        judged(hierarchy, at, leaf, held, after)
    lists = (held, after, hierarchy.crl(hierarchy.root, (), at + 3 * HOUR))
    hierarchy.judge(leaf, at + 3 * HOUR, revocation=RevocationEvidence(crls=lists), require_revocation=True)
    gone = hierarchy.crl(hierarchy.issuing, [(leaf.serial, Revoked(at - 3 * HOUR))], at - HOUR, number=1)
    with pytest.raises(CertificateRevoked):
        hierarchy.judge(
            leaf,
            at + 3 * HOUR,
            revocation=RevocationEvidence(crls=(gone, *lists[1:])),
            require_revocation=True,
        )


def test_reasons_add_up(hierarchy, at):
    leaf = hierarchy.person().certificate
    some = frozenset({Reason.KEY_COMPROMISE, Reason.CA_COMPROMISE})
    rest = frozenset(oids.REASON_FLAGS) - some
    lists = [
        hierarchy.crl(hierarchy.issuing, (), at, scope=DistributionPoint(reasons=each))
        for each in (some, rest)
    ]
    judged(hierarchy, at, leaf, *lists)
    judged(hierarchy, at, leaf, *reversed(lists))
    for each in lists:
        with pytest.raises(RevocationUnknown):
            judged(hierarchy, at, leaf, each, each)


# --- OCSP delegates ---------------------------------------------------------------------------------------------------


def test_a_delegate_whose_own_status_is_known(hierarchy, at):
    leaf = hierarchy.person().certificate
    delegate = hierarchy.responder(extensions=())
    answer = hierarchy.ocsp(leaf, Good(), at, responder=delegate)
    clean = hierarchy.crl(hierarchy.issuing, (), at, scope=DistributionPoint(("http://other.example/",)))
    with pytest.raises(RevocationUnusable):
        judged(hierarchy, at, leaf, clean, ocsp=(answer,))
    judged(hierarchy, at, leaf, hierarchy.crl(hierarchy.issuing, (), at), ocsp=(answer,))
    itself = hierarchy.ocsp(delegate.certificate, Good(), at, responder=delegate)
    with pytest.raises(RevocationUnusable):
        judged(hierarchy, at, leaf, ocsp=(answer, itself))
    by_issuer = hierarchy.ocsp(delegate.certificate, Good(), at, responder=hierarchy.issuing)
    judged(hierarchy, at, leaf, ocsp=(answer, itself, by_issuer))
    revoked = hierarchy.ocsp(delegate.certificate, Revoked(at - DAY), at, responder=hierarchy.issuing)
    with pytest.raises(RevocationUnusable):
        judged(hierarchy, at, leaf, ocsp=(answer, revoked))


def test_two_delegates_do_not_vouch_for_each_other(hierarchy, at):
    leaf = hierarchy.person().certificate
    one, two = hierarchy.responder(extensions=()), hierarchy.responder(extensions=())
    answers = (
        hierarchy.ocsp(leaf, Good(), at, responder=one),
        hierarchy.ocsp(one.certificate, Good(), at, responder=two),
        hierarchy.ocsp(two.certificate, Good(), at, responder=one),
    )
    for order in permutations(answers):
        with pytest.raises(RevocationUnusable):
            judged(hierarchy, at, leaf, ocsp=order)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_many_forged_statements_end(intl, at):
    leaf = intl.person().certificate
    real = intl.crl(intl.issuing, (), at).der
    tbs, algorithm, _ = der.elements(real)
    forged = tuple(
        CertificateList(
            der.sequence(tbs, algorithm, der.bits(intl.issuing.key.sign(bytes((n % 256, n // 256)))))
        )
        for n in range(Kind.STATEMENTS.limit + 1)
    )
    with pytest.raises(PathTooComplex, match="revocation statements"):
        judged(intl, at, leaf, *forged)
    judged(intl, at, leaf, *forged[:9], CertificateList(real), usage=Usage.SIGNATURE)
