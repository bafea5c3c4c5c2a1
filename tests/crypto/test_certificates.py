from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from pkilint import loader, report
from pkilint.pkix import certificate, extension, name
from pkilint.validation import ValidationFindingSeverity

from yinxin.crypto import der, known, oids, pem
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import (
    BadSignature,
    MalformedCertificate,
    MalformedTemplate,
    UnsupportedAlgorithm,
    WrongIssuer,
)
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.suite import INTL, SM
from yinxin.crypto.tbs import assemble, throwaway_sign, to_be_signed
from yinxin.errors import YinxinError

DISTID = ("-vfyopt", "distid:1234567812345678")


def full(hierarchy):
    return hierarchy.template(
        Name.of([("C", "CN"), ("O", "某省人民政府办公厅"), ("CN", "张三")]),
        extended_key_usage=("clientAuth", "documentSigning", "1.2.3.4.5"),
        san=(
            ("dns", "a.example"),
            ("ip", "10.0.0.1"),
            ("ip", "2001:db8::1"),
            ("email", "a@b.cn"),
            ("uri", "https://gov.example/x"),
        ),
        policies=("1.2.3.4", "1.2.3.5"),
        crl_urls=("http://crl.example/1.crl",),
        ocsp_urls=("http://ocsp.example/",),
        ca_issuer_urls=("http://ca.example/ca.cer",),
        extensions=(Extension("1.2.156.10260.4.1.1", critical=False, value=der.utf8("110101199001011234")),),
    )


def test_a_certificate_says_what_its_template_said(hierarchy):
    wanted = full(hierarchy)
    certificate = hierarchy.issue(wanted).certificate
    assert certificate.subject == wanted.subject
    assert certificate.issuer == hierarchy.issuing.certificate.subject
    assert (certificate.not_before, certificate.not_after) == (wanted.not_before, wanted.not_after)
    assert certificate.key_usage == wanted.key_usage
    assert certificate.extended_key_usage == frozenset(wanted.extended_key_usage)
    assert certificate.san == wanted.san
    assert certificate.policies == wanted.policies
    assert certificate.crl_urls == wanted.crl_urls
    assert certificate.ocsp_urls == wanted.ocsp_urls
    assert certificate.ca_issuer_urls == wanted.ca_issuer_urls
    assert certificate.extensions["1.2.156.10260.4.1.1"] == wanted.extensions[0]
    assert certificate.subject_key_id == certificate.public_key.key_id
    assert certificate.authority_key_id == hierarchy.issuing.certificate.subject_key_id
    assert not certificate.is_ca
    assert hierarchy.issuing.certificate.is_ca
    assert hierarchy.issuing.certificate.path_length == 0
    assert hierarchy.root.certificate.path_length is None
    assert certificate.signature_algorithm is hierarchy.suite.signature


def test_cryptography_reads_the_same(intl):
    wanted = full(intl)
    ours = intl.issue(wanted).certificate
    theirs = x509.load_der_x509_certificate(ours.der)
    theirs.verify_directly_issued_by(x509.load_der_x509_certificate(intl.issuing.certificate.der))
    assert theirs.serial_number == ours.serial
    assert len(theirs.extensions) == 10


def test_what_is_remembered_of_one_certificate_is_not_said_of_another(intl):
    """Fields that certificates share are read once; each reader agrees with the library's, whatever it read before.

    Seen to fail when extensions are remembered by their names alone, and when a writer forgets what it was asked.
    """
    for each in (
        full(intl),
        replace(full(intl), ocsp_urls=("http://o.example/2",), crl_urls=(), policies=()),
    ):
        for usage in ({"digitalSignature"}, {"digitalSignature", "keyAgreement"}):
            for purposes in (("timeStamping",), ("timeStamping", "clientAuth")):
                wanted = replace(each, key_usage=frozenset(usage), extended_key_usage=purposes)
                for _ in range(2):
                    ours = intl.issue(wanted).certificate
                    theirs = x509.load_der_x509_certificate(ours.der).extensions
                    assert [(e.oid.dotted_string, e.critical) for e in theirs] == [
                        (e.oid, e.critical) for e in ours.extensions.values()
                    ]
                    access = theirs.get_extension_for_class(x509.AuthorityInformationAccess).value
                    assert [a.access_location.value for a in access] == [
                        *ours.ocsp_urls,
                        *ours.ca_issuer_urls,
                    ]
                    assert ours.key_usage == usage
                    assert ours.extended_key_usage == set(purposes)
                    assert (ours.crl_urls, ours.ocsp_urls) == (wanted.crl_urls, wanted.ocsp_urls)


def test_what_is_remembered_stays_small(intl, monkeypatch):
    """Seen to fail without the bound of their number, of their size, and when each certificate's own identifier is kept."""
    monkeypatch.setattr(known, "_known", {})
    monkeypatch.setattr(known, "_KEEP", 20)
    for number in range(100):
        hosts = tuple(("dns", f"host-{number}-{each}.example") for each in range(1 + number % 2 * 40))
        made = Certificate(intl.issue(replace(full(intl), san=hosts)).certificate.der)
        assert made.key_usage
    kept = known._known
    assert 0 < len(kept) < 40
    assert max(len(each.value) for each in kept) <= 512
    assert not any(each.oid == oids.SUBJECT_KEY_ID for each in kept)


def test_every_address_of_a_method_is_read_and_nothing_but_addresses(intl):
    names = [
        x509.UniformResourceIdentifier("http://o.example/1"),
        x509.DNSName("o.example"),
        x509.UniformResourceIdentifier("http://o.example/2"),
    ]
    access = x509.AuthorityInformationAccess(
        [x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.OCSP, each) for each in names]
    )
    extension = Extension(oids.AUTHORITY_INFORMATION_ACCESS, critical=False, value=access.public_bytes())
    plain = replace(full(intl), ocsp_urls=(), ca_issuer_urls=(), extensions=(extension,))
    certificate = intl.issue(plain).certificate
    assert certificate.ocsp_urls == ("http://o.example/1", "http://o.example/2")
    assert certificate.ca_issuer_urls == ()


def test_openssl_verifies_the_whole_chain(intl, openssl, files, at):
    leaf = intl.issue(full(intl))
    root = files.certificates("root.pem", intl.root.certificate)
    sub = files.certificates("sub.pem", intl.issuing.certificate)
    person = files.certificates("person.pem", leaf.certificate)
    when = ("-attime", str(int(at.timestamp())))
    openssl("verify", "-x509_strict", "-check_ss_sig", *when, "-CAfile", root, "-untrusted", sub, person)


def test_openssl_verifies_sm2_link_by_link(sm, openssl, files, at):
    """openssl gives the distinguishing identifier to the first certificate only, so each link is its own call."""
    leaf = sm.issue(full(sm))
    root = files.certificates("root.pem", sm.root.certificate)
    sub = files.certificates("sub.pem", sm.issuing.certificate)
    person = files.certificates("person.pem", leaf.certificate)
    when = ("-attime", str(int(at.timestamp())))
    openssl("verify", "-x509_strict", *DISTID, *when, "-CAfile", root, sub)
    openssl("verify", "-x509_strict", *DISTID, *when, "-partial_chain", "-trusted", sub, person)
    own = sm.root.certificate
    files.sm2(own.public_key.spki, own.tbs, own.signature)


def test_openssl_refuses_a_certificate_of_another_issuer(sm, openssl, files, at):
    """The command above can fail: that is what makes it a witness."""
    other = sm.self_signed(SM, sm.authority(sm.root.certificate.subject))
    root, sub = (
        files.certificates("root.pem", other.certificate),
        files.certificates("sub.pem", sm.issuing.certificate),
    )
    openssl("verify", *DISTID, "-attime", str(int(at.timestamp())), "-CAfile", root, sub, status=2)


def test_the_same_template_gives_the_same_octets(hierarchy):
    wanted, key = full(hierarchy), PrivateKey.generate(hierarchy.suite)
    given = {
        "spki": key.public_key.spki,
        "issuer_name": hierarchy.issuing.certificate.subject,
        "issuer_key_id": hierarchy.issuing.certificate.public_key.key_id,
        "serial": 77,
        "algorithm": hierarchy.suite.signature,
    }
    tbs = to_be_signed(wanted, **given)
    assert tbs == to_be_signed(replace(wanted), **given)
    linted = Certificate(throwaway_sign(tbs, hierarchy.suite.signature))
    assert (
        linted.tbs
        == tbs
        == Certificate(assemble(tbs, hierarchy.suite.signature, hierarchy.issuing.key.sign(tbs))).tbs
    )
    with pytest.raises(BadSignature):
        linted.issued_by(hierarchy.issuing.certificate)
    # whatever is linted bears this one signature
    other = to_be_signed(wanted, **{**given, "serial": 78})
    assert Certificate(throwaway_sign(other, hierarchy.suite.signature)).signature == linted.signature


def test_suites_may_meet_in_one_chain(intl, sm):
    leaf = intl.issue(full(intl), suite=SM)
    leaf.certificate.issued_by(intl.issuing.certificate)
    assert leaf.certificate.public_key.suite is SM
    assert leaf.certificate.signature_algorithm is INTL.signature


def findings(encoded):
    """What pkilint, an independent reading of RFC 5280, finds wrong with a certificate."""
    decoders = certificate.create_decoding_validators(
        name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
    )
    validators = [
        certificate.create_issuer_validator_container([]),
        certificate.create_validity_validator_container(),
        certificate.create_subject_validator_container([]),
        certificate.create_extensions_validator_container([]),
        certificate.create_spki_validator_container([]),
    ]
    document = loader.RFC5280CertificateDocumentLoader().load_der_document(encoded, "certificate")
    results = certificate.create_pkix_certificate_validator_container(decoders, validators).validate(
        document.root
    )
    return report.get_findings_count(results, ValidationFindingSeverity.WARNING)


def test_an_independent_linter_finds_nothing(hierarchy):
    person = hierarchy.issue(full(hierarchy)).certificate
    for each in (hierarchy.root.certificate, hierarchy.issuing.certificate, person):
        assert findings(each.der) == 0
    bare = rebuilt(
        person, _7=der.explicit(3, der.sequence(Extension("2.5.29.15", False, b"\x03\x01\x00").der))
    )
    assert findings(bare) > 0


# --- reading ---------------------------------------------------------------------------------------------------


def test_pem_and_der(hierarchy):
    certificate = hierarchy.root.certificate
    assert Certificate.load(certificate.der) == Certificate.load(certificate.pem.encode()) == certificate
    text = "some words\n" + certificate.pem.replace("\n", "\r\n") + hierarchy.issuing.certificate.pem
    assert Certificate.load_many(text.encode()) == [certificate, hierarchy.issuing.certificate]
    with pytest.raises(MalformedCertificate):
        Certificate.load(text.encode())
    with pytest.raises(MalformedCertificate):
        Certificate.load_many(b"nothing here")


def test_openssl_writes_the_same_pem(intl, openssl, files):
    made = files.write("root.der", intl.root.certificate.der)
    assert openssl("x509", "-inform", "DER", "-in", made) == intl.root.certificate.pem


def test_no_changed_octet_keeps_its_issuer(hierarchy, flipped):
    """Every octet of the certificate, signed or not, is covered by the signature or by strict reading."""
    certificate = hierarchy.issue(full(hierarchy)).certificate
    for data in flipped(certificate.der):
        with pytest.raises(YinxinError):
            Certificate(data).issued_by(hierarchy.issuing.certificate)


def test_another_authority_of_the_same_name_is_not_the_issuer(hierarchy):
    certificate = hierarchy.person().certificate
    twin = hierarchy.self_signed(hierarchy.suite, hierarchy.authority(hierarchy.issuing.certificate.subject))
    with pytest.raises(WrongIssuer):
        certificate.issued_by(twin.certificate)
    with pytest.raises(WrongIssuer):
        certificate.issued_by(hierarchy.root.certificate)
    renamed = hierarchy.self_signed(
        hierarchy.suite, hierarchy.authority(Name.of({"CN": "x"})), hierarchy.issuing.key
    )
    with pytest.raises(WrongIssuer):
        certificate.issued_by(renamed.certificate)


def rebuilt(certificate, **changes):
    """The certificate with some TBS fields replaced, by position, signature left as it is."""
    tbs, algorithm, signature = der.elements(certificate.der)
    fields = der.elements(tbs)
    for place, value in changes.items():
        fields[int(place[1:])] = value
    return der.sequence(der.sequence(*fields), algorithm, signature)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"_0": b""}, "version 1"),
        ({"_0": der.explicit(0, der.integer(1))}, "version 2"),
        ({"_1": der.integer(0)}, "serial number zero"),
        ({"_1": der.integer(-5)}, "negative serial number"),
        ({"_1": der.integer(1 << 170)}, "serial number too long"),
        ({"_2": INTL.hash.identifier}, "another algorithm inside than outside"),
        ({"_4": der.sequence(der.null(), der.null())}, "validity that is no time"),
        ({"_7": der.explicit(3, der.sequence(*[Extension("2.5.29.14", False, der.octets(b"x")).der] * 2))}, "one extension twice"),
        ({"_7": der.explicit(3, der.sequence(Extension("2.5.29.19", True, b"junk").der))}, "an extension that is none"),
    ],
)  # fmt: skip
def test_malformed_certificates_are_refused(intl, changes, why):
    with pytest.raises((MalformedCertificate, UnsupportedAlgorithm)):
        Certificate(rebuilt(intl.person().certificate, **changes))


@pytest.mark.parametrize(
    "wrong", [b"", b"junk", der.integer(5), der.octets(b"k") + b"\0", der.octets(b"k")[:-1]]
)
def test_a_malformed_extension_beside_such_as_were_read_before_is_refused(intl, wrong):
    """Seen to fail where what is remembered of the others speaks for it, and where the key's identifier is not read."""
    certificate = intl.person().certificate
    assert Certificate(certificate.der).subject_key_id == certificate.public_key.key_id
    for of in ("2.5.29.14", "2.5.29.19", "2.5.29.35"):
        written = [
            replace(each, value=wrong) if each.oid == of else each for each in certificate.extensions.values()
        ]
        assert any(each.value == wrong for each in written)
        for _ in range(2):
            with pytest.raises(MalformedCertificate):
                Certificate(
                    rebuilt(certificate, _7=der.explicit(3, der.sequence(*[each.der for each in written])))
                )


def test_sha1_signatures_are_refused(intl):
    old = der.sequence(der.oid("1.2.840.10045.4.1"))
    tbs, _, signature = der.elements(rebuilt(intl.person().certificate, _2=old))
    with pytest.raises(UnsupportedAlgorithm):
        Certificate(der.sequence(tbs, old, signature))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"0",
        b"\x30\x80\x00\x00",
        b"\x30\x03\x02\x01\x01",
        b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n",
    ],
)
def test_junk_is_no_certificate(data):
    with pytest.raises(MalformedCertificate):
        Certificate.load(data)


def test_absent_and_null_parameters_are_both_read(sm):
    """Some national authorities write NULL behind SM2-with-SM3."""
    algorithm = der.sequence(der.oid(oids.SM2_WITH_SM3), der.null())
    tbs, _, _ = der.elements(rebuilt(sm.person().certificate, _2=algorithm))
    signed = Certificate(der.sequence(tbs, algorithm, der.bits(sm.issuing.key.sign(tbs))))
    signed.issued_by(sm.issuing.certificate)


# --- templates that contradict themselves ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("key_usage", {"key_usage": frozenset()}),
        ("key_usage", {"key_usage": frozenset({"signing"})}),
        ("key_usage", {"key_usage": frozenset({"keyCertSign"})}),
        ("path_length", {"path_length": 0}),
        ("subject", {"subject": Name.of([]), "san": ()}),
        ("not_after", {"not_after": None}),
        ("san", {"san": (("dns", "bad name"),)}),
        ("san", {"san": (("ip", "1.2.3"),)}),
        ("san", {"san": (("email", "nobody"),)}),
        ("san", {"san": (("email", "nobody@*.gov.cn"),)}),
        ("san", {"san": (("dns", "*.*.gov.cn"),)}),
        ("san", {"san": (("dns", f"*.{'a.' * 125}cn"),)}),
        ("san", {"san": (("uri", "no-scheme"),)}),
        ("san", {"san": (("dns", "例.cn"),)}),
        ("san", {"san": (("phone", "1"),)}),
        ("extensions", {"extensions": (Extension(oids.KEY_USAGE, True, b""),)}),
    ],
)
def test_bad_templates_name_the_field(intl, field, changes):
    wanted = full(intl)
    if "not_after" in changes:
        changes = {"not_after": wanted.not_before - timedelta(seconds=1)}
    with pytest.raises(MalformedTemplate) as caught:
        intl.issue(replace(wanted, **changes))
    assert caught.value.facts["field"] == field


@pytest.mark.parametrize("serial", [0, -1, 1 << 159])
def test_serial_numbers_are_positive_and_fit(intl, serial):
    key = PrivateKey.generate(INTL).public_key
    with pytest.raises(MalformedTemplate):
        to_be_signed(
            full(intl),
            spki=key.spki,
            issuer_name=Name.of({"CN": "x"}),
            issuer_key_id=b"x",
            serial=serial,
            algorithm=INTL.signature,
        )


def test_pem_that_is_not_base64():
    with pytest.raises(ValueError, match="base64"):
        pem.decode("X", b"-----BEGIN X-----\nabc\n-----END X-----\n")
