from datetime import timedelta

import pytest

from yinxin.crypto import der, oids
from yinxin.crypto.errors import BadSignature, KeyMismatch, MalformedStatus, UsageNotAllowed, WrongIssuer
from yinxin.crypto.oids import Extension
from yinxin.crypto.status import CertificateList, DistributionPoint, Reason, Revoked, build_crl
from yinxin.errors import YinxinError

HOUR = timedelta(hours=1)
URL = "http://crl.example/1.crl"


def build(hierarchy, at, revoked=(), **given):
    usual = {
        "signer": hierarchy.issuing.key,
        "issuer": hierarchy.issuing.certificate,
        "number": 7,
        "this_update": at - HOUR,
        "next_update": at + HOUR,
        "revoked": revoked,
    }
    return build_crl(**(usual | given))


@pytest.fixture
def entries(at):
    return [
        (1 << 130, Revoked(at - 3 * HOUR, Reason.KEY_COMPROMISE, invalid_since=at - 50 * HOUR)),
        (5, Revoked(at - 2 * HOUR)),
        (6, Revoked(at - 2 * HOUR, Reason.CERTIFICATE_HOLD)),
    ]


def test_a_list_says_what_was_put_on_it(hierarchy, at, entries):
    crl = CertificateList.load(build(hierarchy, at, entries))
    crl.verify(hierarchy.issuing.certificate)
    assert {serial: crl.lookup(serial) for serial, _ in entries} == dict(entries)
    assert crl.lookup(4) is None
    assert len(crl) == 3
    assert (crl.number, crl.this_update, crl.next_update) == (7, at - HOUR, at + HOUR)
    assert crl.issuer == hierarchy.issuing.certificate.subject
    assert crl.delta_base is None
    assert CertificateList.load(crl.pem.encode()).der == crl.der
    assert entries[0][1].effective == at - 50 * HOUR


def test_an_empty_list_is_a_list(hierarchy, at):
    crl = CertificateList.load(build(hierarchy, at))
    crl.verify(hierarchy.issuing.certificate)
    assert len(crl) == 0


def test_openssl_verifies_it(intl, at, entries, openssl, files):
    crl = files.write("list.der", build(intl, at, entries))
    issuer = files.certificates("issuer.pem", intl.issuing.certificate)
    said = openssl(
        "crl", "-inform", "DER", "-in", crl, "-CAfile", issuer, "-noout", "-text", "-nameopt", "utf8"
    )
    assert "verify OK" in said
    assert "Key Compromise" in said
    assert "Certificate Hold" in said


def test_openssl_verifies_the_sm2_one(sm, at, entries, openssl, files):
    """`openssl crl` cannot be told the distinguishing identifier, so its `dgst` is asked for the signature itself."""
    tbs, _, signature = der.elements(build(sm, at, entries))
    files.sm2(sm.issuing.certificate.public_key.spki, tbs, der.octets_of_bits(signature))
    openssl(
        "crl", "-inform", "DER", "-in", files.write("list.der", build(sm, at, entries)), "-noout", "-text"
    )


def test_openssl_honours_it_in_a_chain(intl, at, openssl, files):
    good, bad = intl.person("好"), intl.person("坏")
    lists = [
        CertificateList(build(intl, at, [(bad.certificate.serial, Revoked(at - 2 * HOUR))])),
        CertificateList(build(intl, at, signer=intl.root.key, issuer=intl.root.certificate)),
    ]
    crls = files.write("lists.pem", "".join(each.pem for each in lists))
    root, sub = (
        files.certificates("root.pem", intl.root.certificate),
        files.certificates("sub.pem", intl.issuing.certificate),
    )
    base = (
        "verify",
        "-attime",
        str(int(at.timestamp())),
        "-crl_check_all",
        "-CAfile",
        root,
        "-untrusted",
        sub,
        "-CRLfile",
        crls,
    )
    openssl(*base, files.certificates("good.pem", good.certificate))
    said = openssl(*base, files.certificates("bad.pem", bad.certificate), status=2)
    assert "certificate revoked" in said


def test_no_changed_octet_verifies(hierarchy, at, entries, flipped):
    for data in flipped(build(hierarchy, at, entries, scope=DistributionPoint((URL,)))):
        with pytest.raises(YinxinError):
            CertificateList(data).verify(hierarchy.issuing.certificate)


def test_only_its_issuer_vouches_for_it(hierarchy, at):
    crl = CertificateList(build(hierarchy, at))
    with pytest.raises(WrongIssuer):
        crl.verify(hierarchy.root.certificate)
    twin = hierarchy.self_signed(hierarchy.suite, hierarchy.authority(crl.issuer))
    with pytest.raises(WrongIssuer):
        crl.verify(twin.certificate)
    with pytest.raises(KeyMismatch):
        build(hierarchy, at, signer=hierarchy.root.key)


def test_an_authority_without_the_right_to_sign_lists(hierarchy, at):
    subject = hierarchy.root.certificate.subject
    mute = hierarchy.self_signed(
        hierarchy.suite, hierarchy.authority(subject, key_usage=frozenset({"keyCertSign"}))
    )
    crl = CertificateList(build(hierarchy, at, signer=mute.key, issuer=mute.certificate))
    with pytest.raises(UsageNotAllowed):
        crl.verify(mute.certificate)


def test_a_shard_covers_its_own(hierarchy, at):
    person, other = hierarchy.person(), hierarchy.person(crl_urls=("http://crl.example/2.crl",))
    crl = CertificateList(build(hierarchy, at, scope=DistributionPoint((URL,), only_user=True)))
    crl.verify(hierarchy.issuing.certificate)
    assert crl.scope == DistributionPoint((URL,), only_user=True)
    assert crl.scope.covers(person.certificate)
    assert not crl.scope.covers(other.certificate)
    assert not crl.scope.covers(hierarchy.issuing.certificate)
    assert CertificateList(build(hierarchy, at)).scope.covers(other.certificate)
    authorities = CertificateList(build(hierarchy, at, scope=DistributionPoint(only_ca=True))).scope
    assert not authorities.covers(person.certificate)
    assert authorities.covers(hierarchy.issuing.certificate)


def test_a_delta_says_to_what(hierarchy, at):
    assert CertificateList(build(hierarchy, at, delta_base=5)).delta_base == 5


def resigned(hierarchy, crl, change):
    """The list with its TBS fields changed and honestly signed again."""
    tbs, algorithm, _ = der.elements(crl)
    tbs = der.sequence(*change(der.elements(tbs)))
    return der.sequence(tbs, algorithm, der.bits(hierarchy.issuing.key.sign(tbs)))


NUMBER = Extension(oids.CRL_NUMBER, critical=False, value=der.integer(1))


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f[1:],
        lambda f: [*f[:4], f[5]],
        lambda f: f[:5],
        lambda f: [*f[:5], der.explicit(0, der.sequence(NUMBER.der, NUMBER.der))],
        lambda f: [
            *f[:5],
            der.explicit(0, der.sequence(NUMBER.der, Extension("1.2.3.4", True, der.null()).der)),
        ],
        lambda f: [*f[:5], der.explicit(0, der.sequence(Extension("1.2.3.4", False, der.null()).der))],
        lambda f: [f[0], der.sequence(der.oid("1.2.840.10045.4.3.3")), *f[2:]],
    ],
    ids=[
        "version 1",
        "no next update",
        "no extensions",
        "extension twice",
        "unknown critical",
        "no number",
        "two algorithms",
    ],
)
def test_malformed_lists_are_refused(intl, at, entries, change):
    with pytest.raises(MalformedStatus):
        CertificateList(resigned(intl, build(intl, at, entries), change))


def test_an_entry_with_an_unknown_critical_extension_is_refused(intl, at):
    extension = Extension("1.2.3.4", critical=True, value=der.null())
    entry = der.sequence(der.integer(5), der.time(at), der.sequence(extension.der))
    data = resigned(
        intl, build(intl, at, [(1, Revoked(at))]), lambda f: [*f[:5], der.sequence(entry), *f[6:]]
    )
    with pytest.raises(MalformedStatus, match=r"1\.2\.3\.4"):
        CertificateList(data)


def test_a_partial_list_covers_nothing(intl, at):
    scope = Extension(oids.ISSUING_DISTRIBUTION_POINT, True, der.sequence(der.implicit(4, der.boolean(True))))
    person = intl.person()

    def indirect(fields):
        extensions = der.elements(der.tagged(fields[-1], 0))
        return [*fields[:-1], der.explicit(0, der.sequence(*extensions, scope.der))]

    assert not CertificateList(resigned(intl, build(intl, at), indirect)).scope.covers(person.certificate)


def test_a_hundred_thousand_entries(intl, at):
    crl = CertificateList(build(intl, at, ((serial, Revoked(at)) for serial in range(1, 100_001))))
    crl.verify(intl.issuing.certificate)
    assert crl.lookup(99_999) == Revoked(at)
    assert crl.lookup(100_001) is None


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"junk", b"-----BEGIN X509 CRL-----\n"])
def test_junk_is_no_list(data):
    with pytest.raises(MalformedStatus):
        CertificateList.load(data)


def test_reasons_keep_the_numbers_of_the_standard():
    codes = {reason.value: reason.code for reason in Reason}
    assert codes["keyCompromise"] == 1
    assert codes["removeFromCRL"] == 8
    assert codes["aACompromise"] == 10
    assert all(Reason.of(code).value == name for name, code in codes.items())
    with pytest.raises(ValueError, match="7"):
        Reason.of(7)


def test_bad_signatures_are_told_from_other_troubles(intl, at):
    tbs, algorithm, _ = der.elements(build(intl, at))
    forged = der.sequence(tbs, algorithm, der.bits(intl.root.key.sign(tbs)))
    with pytest.raises(BadSignature):
        CertificateList(forged).verify(intl.issuing.certificate)
