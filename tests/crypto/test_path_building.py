"""Finding paths: cross-certificates, rollovers, any order, and pools made to waste the verifier's time."""

from datetime import timedelta
from itertools import permutations
from time import process_time

import pytest

from yinxin.crypto import der
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import (
    BadSignature,
    CertificateRevoked,
    Expired,
    PathTooComplex,
    UnknownIssuer,
)
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.path import RevocationEvidence
from yinxin.crypto.path.work import Kind
from yinxin.crypto.status import Revoked

DAY = timedelta(days=1)


def forged(certificate, count):
    """Certificates with its names, key identifiers and dates, another key's signature, and each another serial number."""
    tbs, algorithm, signature = der.elements(certificate.der)
    fields = der.elements(tbs)
    for number in range(count):
        fields[1] = der.integer((1 << 126) + number)
        yield Certificate(der.sequence(der.sequence(*fields), algorithm, signature))


def test_any_order_gives_the_same_path(hierarchy, at):
    """Seven ways between two roots that certify each other, a renewed authority and an old one."""
    old_key, name = PrivateKey.generate(hierarchy.suite), Name.of({"CN": "换钥 CA"})
    old = hierarchy.issue(hierarchy.authority(name), by=hierarchy.root, key=old_key)
    new = hierarchy.issue(hierarchy.authority(name), by=hierarchy.root)
    link = hierarchy.issue(hierarchy.authority(name), by=old, key=new.key).certificate
    back = hierarchy.issue(hierarchy.authority(name), by=new, key=old_key).certificate
    leaf = hierarchy.issue(hierarchy.template(Name.of({"CN": "x"})), by=new).certificate
    pool = (old.certificate, new.certificate, link, back)
    found = {hierarchy.judge(leaf, at, intermediates=order).certificates for order in permutations(pool)}
    assert found == {(leaf, new.certificate, hierarchy.root.certificate)}
    only_by_link = hierarchy.judge(leaf, at, intermediates=(link, back, old.certificate))
    assert only_by_link.certificates == (leaf, link, old.certificate, hierarchy.root.certificate)


def test_two_roots_that_certify_each_other(intl, sm, at):
    outward = intl.issue(
        intl.authority(sm.root.certificate.subject), by=intl.root, key=sm.root.key
    ).certificate
    inward = sm.issue(sm.authority(intl.root.certificate.subject), by=sm.root, key=intl.root.key).certificate
    leaf = sm.person().certificate
    pool = (inward, outward, sm.issuing.certificate, sm.root.certificate)
    assert intl.judge(leaf, at, intermediates=pool).anchor == intl.root.certificate
    assert sm.judge(leaf, at, intermediates=pool).anchor == sm.root.certificate
    with pytest.raises(UnknownIssuer):
        intl.judge(leaf, at, intermediates=pool, anchors=())


def with_key_of(certificate, key):
    """The certificate with another key in it; its signature holds no more."""
    return Certificate(certificate.der.replace(certificate.public_key.spki, key.public_key.spki))


def test_thousands_of_forged_issuers_end_quickly(intl, at):
    """Those with the issuer's own key and a bad signature, and those with its name and a key of their own.

    Seen to fail without `Kind.SIGNATURES`: every signature was checked.
    """
    leaf, issuing = intl.person().certificate, intl.issuing.certificate
    strangers = tuple(forged(issuing, 3000))
    keys = [PrivateKey.generate(intl.suite) for _ in range(Kind.SIGNATURES.limit + 1)]
    impostors = tuple(with_key_of(issuing, key) for key in keys)
    started = process_time()
    assert intl.judge(leaf, at, intermediates=(issuing, *strangers)).certificates[1] == issuing
    assert intl.judge(leaf, at, intermediates=(*impostors[:100], issuing)).certificates[1] == issuing
    for pool in ((*strangers, issuing), impostors, strangers):
        with pytest.raises(PathTooComplex, match="signatures on certificates"):
            intl.judge(leaf, at, intermediates=pool)
    assert process_time() - started < 10


def test_a_maze_of_true_signatures_ends(intl, at):
    """Authorities that did certify each other: every link holds, and no way leads out."""
    name = Name.of({"CN": "迷宫"})
    keys = [PrivateKey.generate(intl.suite) for _ in range(9)]
    maze = [intl.self_signed(intl.suite, intl.authority(name), key) for key in keys]
    cross = [
        intl.issue(intl.authority(name), by=by, key=key).certificate
        for by in maze
        for key in keys
        if key is not by.key
    ]
    leaf = intl.issue(intl.template(Name.of({"CN": "x"})), by=maze[0]).certificate
    started = process_time()
    with pytest.raises(PathTooComplex):
        intl.judge(leaf, at, intermediates=cross)
    assert process_time() - started < 10


def test_a_path_has_an_end(intl, at):
    by, pool = intl.root, []
    for number in range(Kind.CERTIFICATES.limit):
        by = intl.issue(intl.authority(Name.of({"CN": f"级 {number}"})), by=by)
        pool.append(by.certificate)
    intl.judge(pool[-3], at, intermediates=pool)
    with pytest.raises(PathTooComplex, match="certificates in one path"):
        intl.judge(pool[-1], at, intermediates=pool)


def test_the_most_telling_failure_is_told(intl, at):
    """A revoked leaf is revoked, whatever else is in the pool; without a whole path, the longest way up speaks."""
    leaf, issuing = intl.person().certificate, intl.issuing.certificate
    expired = intl.issue(
        intl.authority(issuing.subject, not_after=at - DAY), by=intl.root, key=intl.issuing.key
    ).certificate
    said = RevocationEvidence(crls=(intl.crl(intl.issuing, [(leaf.serial, Revoked(at - DAY))], at),))
    for pool in ((expired, issuing), (issuing, expired)):
        with pytest.raises(CertificateRevoked):
            intl.judge(leaf, at, intermediates=pool, revocation=said)
    with pytest.raises(Expired):
        intl.judge(leaf, at, intermediates=(expired,))
    with pytest.raises(UnknownIssuer) as caught:
        intl.judge(leaf, at, anchors=())
    assert caught.value.facts["subject"] == issuing.subject.text
    (stranger,) = forged(issuing, 1)
    with pytest.raises(BadSignature):
        intl.judge(leaf, at, intermediates=(stranger,))
