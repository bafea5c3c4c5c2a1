"""The linter: every rule can fail, good certificates pass, and an independent linter agrees."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from pkilint import loader
from pkilint.pkix import certificate as pkix
from pkilint.pkix import name
from pkilint.validation import ValidationFindingSeverity

from ca.issuer import addresses
from ca.lint import Case, findings, house, keys, rfc5280
from ca.lint.case import Rules
from ca.prepare import prepare
from ca.profile import Profile
from ca.profile.gmt0015 import IDENTIFIERS
from ca.recheck.judge import extension_types
from ca.request import examine
from yinxin.crypto import der, oids
from yinxin.crypto.attribute import Controls
from yinxin.crypto.attribute.controls import OURS
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.suite import INTL
from yinxin.crypto.tbs import throwaway_sign

from .asking import asked
from .conftest import REGISTRAR, Site

pytestmark = pytest.mark.engines("any")


Edit = Callable[[list[Extension]], Sequence[Extension]]


@pytest.fixture
def case(site: Site) -> Case:
    """A good certificate of a server, about to be signed."""
    ruled = {"dns": {"domains": ["example.gov.cn"]}, "commonName": {"pattern": "a[.].*"}}
    shipped = site.ctx.profiles["tls-server"].model_dump(exclude_defaults=True)
    profile = Profile.model_validate({**shipped, "rules": ruled})
    issuer = site.ctx.issuers.get("intl-issuing")
    order = examine(site.request(), profile, site.ctx.register, site.ctx.settings)
    ready = prepare(order, issuer, site.ctx.settings, site.clock, site.randomness)
    return Case(ready.lint_certificate, issuer, profile, addresses(site.ctx.settings, issuer, ready.shard), 1)


def altered(case: Case, fields: Mapping[int, bytes], edit: Edit = list) -> Case:
    """The case with other fields of the TBSCertificate (by position) and other extensions."""
    parts = der.elements(case.certificate.tbs)
    for position, value in fields.items():
        parts[position] = value
    listed = [Extension.read(each) for each in der.elements(der.content(parts[7]))]
    parts[7] = der.explicit(3, der.sequence(*(each.der for each in edit(listed))))
    certificate = Certificate(throwaway_sign(der.sequence(*parts), case.issuer.algorithm))
    return Case(certificate, case.issuer, case.profile, case.addresses, case.node)


def name_of(*pairs: tuple[str, str]) -> bytes:
    return Name.of([("C", "CN"), *pairs]).der


def raw(oid: str, value: bytes) -> bytes:
    """A relative name as no writer of ours makes it."""
    return der.set_of([der.sequence(der.oid(oid), value)])


def validity(first: datetime, last: datetime) -> bytes:
    return der.sequence(der.time(first), der.time(last))


def without(oid: str) -> Edit:
    return lambda listed: [each for each in listed if each.oid != oid]


def instead(oid: str, value: bytes, *, critical: bool = False) -> Edit:
    return lambda listed: [*without(oid)(listed), Extension(oid, critical, value)]


def names(*texts: str) -> bytes:
    return der.sequence(*(der.tlv(0x82, text.encode()) for text in texts))


NOW = datetime.now(UTC).replace(microsecond=0)
RAW_NAME = der.sequence(
    der.set_of([der.sequence(der.oid("2.5.4.6"), der.printable("CN"))]),
    der.set_of([der.sequence(der.oid("2.5.4.3"), der.utf8("a\u0007b"))]),
)
ONE_C = der.sequence(der.oid("2.5.4.6"), der.printable("CN"))
ONE_CN = der.sequence(der.oid("2.5.4.3"), der.utf8("a.example.gov.cn"))
BAD_HOSTS = ("10.0.0.1", "127.1", "2130706433", "a.0x7f", "a_b.gov.cn", "ab--cd.gov.cn", "xn--a.gov.cn")
BAD_NAMES = (
    (0x81, b"a@b@c.cn"),
    (0x81, b".a@c.cn"),
    (0x86, b"http://"),
    (0x86, b"https://u@h/"),
    (0x86, b"x:"),
)
UTC_2051 = der.sequence(der.tlv(0x17, b"200101000000Z"), der.tlv(0x18, b"20400101000000Z"))
BROKEN: list[tuple[str, Mapping[int, bytes], Edit]] = [
    ("RFC 5280 4.1.2.2", {1: der.integer((1 << 160) - 1)}, list),
    ("RFC 5280 4.1.2.4", {3: name_of(("CN", "somebody else"))}, list),
    ("RFC 5280 4.1.2.4", {3: der.sequence()}, list),
    ("RFC 5280 4.1.2.5", {4: validity(NOW, NOW - timedelta(days=1))}, list),
    ("RFC 5280 4.1.2.5", {4: validity(NOW, NOW + timedelta(days=5000))}, list),
    ("RFC 5280 4.1.2.5", {4: UTC_2051}, list),
    ("RFC 5280 7.1", {5: RAW_NAME}, list),
    ("RFC 5280 4.1.2.6", {5: name_of(("CN", "a"), ("CN", "b"))}, list),
    ("RFC 5280 4.1.2.6", {5: name_of(("CN", "a"), ("1.2.3.4", "b"))}, list),
    ("RFC 5280 7.1", {5: der.sequence(raw("2.5.4.6", der.printable("C")))}, list),
    ("RFC 5280 7.1", {5: der.sequence(raw("2.5.4.6", der.printable("cn")))}, list),
    ("RFC 5280 4.1.2.6", {5: der.sequence(raw("2.5.4.6", der.utf8("CN")))}, list),
    ("RFC 5280 4.1.2.6", {5: der.sequence(raw("2.5.4.3", der.tlv(0x1E, "a".encode("utf-16-be"))))}, list),
    ("RFC 5280 7.1", {5: der.sequence(raw("2.5.4.3", der.utf8("")))}, list),
    ("RFC 5280 7.1", {5: der.sequence(raw("2.5.4.3", der.utf8("a" * 65)))}, list),
    ("RFC 5280 7.1", {5: der.sequence(raw("2.5.4.3", der.utf8(" a")))}, list),
    ("RFC 5280 7.1", {5: name_of(("CN", "a\u3164b"))}, list),
    ("RFC 5280 7.1", {5: name_of(("CN", "e\u0301"))}, list),
    ("profile: subject", {5: der.sequence(der.set_of([ONE_C, ONE_CN]))}, list),
    ("RFC 5280 4.2.1.1", {}, without(oids.AUTHORITY_KEY_ID)),
    ("RFC 5280 4.2.1.1", {}, instead(oids.AUTHORITY_KEY_ID, der.sequence(der.implicit(0, der.octets(b"x" * 20))))),
    ("RFC 5280 4.2.1.2", {}, without(oids.SUBJECT_KEY_ID)),
    ("RFC 5280 4.2.1.2", {6: PrivateKey.generate(INTL).public_key.spki}, list),
    ("RFC 5280 4.2.1.3", {}, without(oids.KEY_USAGE)),
    ("RFC 5280 4.2.1.3", {}, instead(oids.KEY_USAGE, der.named_bits([0]))),
    ("RFC 5280 4.2.1.3", {}, instead(oids.KEY_USAGE, der.named_bits([0, 5]), critical=True)),
    ("RFC 5280 4.2.1.3", {}, instead(oids.KEY_USAGE, der.named_bits([0, 6]), critical=True)),
    ("RFC 5280 4.2.1.4", {}, instead(oids.CERTIFICATE_POLICIES, der.sequence(*[der.sequence(der.oid("1.2.3"))] * 2))),
    ("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence())),
    ("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, names("a.b", "a.b"))),
    ("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, names("a.b"), critical=True)),
    ("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, names("*.gov.cn"))),
    ("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, names("a.*.example.gov.cn"))),
    ("profile: wildcards", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, names("*.example.gov.cn"))),
    ("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, names("A.example.gov.cn"))),
    *(("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, names(each))) for each in BAD_HOSTS),
    *(("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(der.tlv(*each)))) for each in BAD_NAMES),
    ("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, names("a..b"))),
    ("RFC 5280 4.2.1.6", {5: der.sequence()}, without(oids.SUBJECT_ALTERNATIVE_NAME)),
    ("RFC 5280 4.2.1.9", {}, instead(oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True)))),
    ("RFC 5280 4.2.1.9", {}, instead(oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True)), critical=True)),
    ("RFC 5280 4.2.1.12", {}, without(oids.EXTENDED_KEY_USAGE)),
    ("RFC 5280 4.2.1.12", {}, instead(oids.EXTENDED_KEY_USAGE, der.sequence(der.oid("2.5.29.37.0")))),
    ("RFC 5280 4.2.1.12", {}, instead(oids.EXTENDED_KEY_USAGE, der.sequence(der.oid("1.3.6.1.5.5.7.3.8")))),
    ("RFC 5280 4.2.1.12", {}, instead(oids.EXTENDED_KEY_USAGE, der.sequence(der.oid("1.3.6.1.5.5.7.3.9")))),
    ("RFC 5280 4.2.1.12", {}, lambda listed: [*listed, oids.OCSP_NO_CHECK]),
    (
        "RFC 5280 4.2.1.13",
        {},
        instead(oids.AUTHORITY_INFORMATION_ACCESS, der.sequence(der.sequence(der.oid(oids.OCSP), der.tlv(0x86, b"ldap://x")))),
    ),
    ("RFC 5280 4.2", {}, lambda listed: [*listed, Extension("1.2.3.4", False, der.null())]),
    ("RFC 5280 4.2", {}, lambda listed: [Extension(each.oid, True, each.value) for each in listed]),
    ("profile: serial", {1: der.integer(2 << 128)}, list),
    ("profile: days", {4: validity(NOW, NOW + timedelta(days=399))}, list),
    ("profile: subject", {5: Name.of([("CN", "a"), ("C", "CN")]).der}, list),
    ("profile: subject", {5: Name.of([("CN", "a")]).der}, list),
    ("profile: subject", {5: Name.of([("C", "US"), ("CN", "a")]).der}, list),
    ("profile: san", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(der.tlv(0x81, b"a@b.cn")))),
    ("profile: rules", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, names("a.example.com"))),
    ("profile: rules", {5: name_of(("CN", "b.example.gov.cn"))}, list),
    ("profile: gmt0015", {}, lambda listed: [*listed, IDENTIFIERS["taxationNumber"].write("1" * 15)]),
    ("profile: attributes", {}, lambda listed: [*listed, OURS.extension]),
    ("profile: attributes", {}, lambda listed: [*listed, oids.SOURCE_OF_AUTHORITY]),
    ("profile: attributes", {}, instead(oids.AA_CONTROLS, Controls().extension.value)),
    ("profile: ca", {}, instead(oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True)), critical=True)),
    ("profile: constraints", {}, lambda listed: [*listed, Extension(oids.INHIBIT_ANY_POLICY, True, der.integer(0))]),
    ("profile: key_usage", {}, instead(oids.KEY_USAGE, der.named_bits([0, 1]), critical=True)),
    ("profile: key_usage", {}, instead(oids.EXTENDED_KEY_USAGE, der.sequence(der.oid("1.3.6.1.5.5.7.3.2")))),
    ("profile: key_usage", {}, instead(oids.CERTIFICATE_POLICIES, der.sequence(der.sequence(der.oid("1.2.3"))))),
    ("profile: key_usage", {}, lambda listed: [*listed, oids.OCSP_NO_CHECK]),
    ("configuration: public_url", {}, without(oids.CRL_DISTRIBUTION_POINTS)),
    ("configuration: public_url", {}, without(oids.AUTHORITY_INFORMATION_ACCESS)),
]  # fmt: skip


def clauses(case: Case) -> list[str]:
    return [finding.clause for finding in findings(case)]


def test_every_rule_can_fail(case: Case) -> None:
    assert clauses(case) == []
    for position, (clause, fields, edit) in enumerate(BROKEN):
        found = clauses(altered(case, fields, edit))
        assert any(each.startswith(clause) for each in found), f"BROKEN[{position}] {clause}: {found}"


NEAR = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
CA_MARK = instead(oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True)), critical=True)


def also(*edits: Edit) -> Edit:
    def all_of(listed: list[Extension]) -> Sequence[Extension]:
        for edit in edits:
            listed = list(edit(listed))
        return listed

    return all_of


def mapped(ours: str, theirs: str) -> Edit:
    pair = der.sequence(der.oid(ours), der.oid(theirs))
    return instead(oids.POLICY_MAPPINGS, der.sequence(pair), critical=True)


def fetched(url: bytes) -> Edit:
    place = der.sequence(der.oid(oids.OCSP), der.tlv(0x86, url))
    return instead(oids.AUTHORITY_INFORMATION_ACCESS, der.sequence(place))


STAMPS = der.sequence(der.oid("1.3.6.1.5.5.7.3.8"))
INHIBITS = Extension(oids.INHIBIT_ANY_POLICY, True, der.integer(0))
FAULTS: list[tuple[str, Mapping[int, bytes], Edit]] = [
    ("must be UTCTime", {4: der.sequence(der.tlv(0x18, f"{NEAR:%Y%m%d%H%M%SZ}".encode()), der.time(NEAR))}, list),
    ("an authority needs a subject", {5: der.sequence()}, CA_MARK),
    ("is not critical, or not of an authority", {}, lambda listed: [*listed, INHIBITS]),
    ("is not critical, or not of an authority", {}, also(CA_MARK, instead(INHIBITS.oid, INHIBITS.value))),
    ("anyPolicy is mapped", {}, also(CA_MARK, mapped("1.2.3", "2.5.29.32.0"))),
    ("is mapped and not granted", {}, also(CA_MARK, mapped("1.2.3", "1.2.4"))),
    ("must be critical", {}, instead(oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True)))),
    ("must be the only purpose, and critical", {}, instead(oids.EXTENDED_KEY_USAGE, STAMPS)),
    ("is no address to fetch from", {}, fetched(b"http:///x")),
    ("is no address to fetch from", {}, fetched(b"http://u@example.gov.cn/")),
    ("is no address to fetch from", {}, fetched(b"http://example.gov.cn/#x")),
    ("must not be critical", {}, lambda listed: [Extension(each.oid, True, each.value) for each in listed]),
    ("not 1 to 100 names", {}, without(oids.SUBJECT_ALTERNATIVE_NAME)),
    ("aaControls differs", {}, lambda listed: [*listed, OURS.extension]),
    ("sOAIdentifier differs", {}, lambda listed: [*listed, oids.SOURCE_OF_AUTHORITY]),
]  # fmt: skip


def test_each_fault_is_told_in_its_own_words(case: Case) -> None:
    """Seen to fail with each of these sentences taken out of its rule, which still told of another fault."""
    for position, (fault, fields, edit) in enumerate(FAULTS):
        found = [each.fault for each in findings(altered(case, fields, edit))]
        assert any(fault in each for each in found), f"FAULTS[{position}] {fault}: {found}"


LAWFUL: list[tuple[str, Mapping[int, bytes], Edit]] = [
    ("RFC 5280 4.1.2.5", {4: validity(NEAR, NEAR)}, list),
    ("RFC 5280 4.1.2.6", {5: der.sequence(raw("0.9.2342.19200300.100.1.25", der.ia5("cn")), raw("0.9.2342.19200300.100.1.25", der.ia5("gov")))}, list),
    ("RFC 5280 4.1.2.6", {5: der.sequence(raw("2.5.4.3", der.tlv(0x1E, "a".encode("utf-16-be"))))}, CA_MARK),
    ("RFC 5280 4.2.1.3", {}, also(CA_MARK, instead(oids.KEY_USAGE, der.named_bits([5, 6]), critical=True))),
    ("RFC 5280 4.2.1.3", {}, also(lambda listed: [*listed, OURS.extension], instead(oids.KEY_USAGE, der.named_bits([0, 6]), critical=True))),
    ("RFC 5280 4.2.1.5", {}, also(CA_MARK, lambda listed: [*listed, INHIBITS])),
    ("RFC 5280 4.2.1.6", {}, instead(oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(der.tlv(0x81, b"A*b@c.cn"), der.tlv(0x87, b"\x0a\0\0\1")))),
    ("RFC 5280 4.2.1.12", {}, also(CA_MARK, without(oids.EXTENDED_KEY_USAGE))),
    ("RFC 5280 4.2.1.12", {}, also(without(oids.EXTENDED_KEY_USAGE), lambda listed: [*listed, oids.SOURCE_OF_AUTHORITY])),
    ("RFC 5280 4.2.1.12", {}, instead(oids.EXTENDED_KEY_USAGE, STAMPS, critical=True)),
    ("profile: days", {4: validity(NEAR, NEAR + timedelta(days=398))}, list),
]  # fmt: skip


def test_what_is_just_lawful_is_no_fault(case: Case) -> None:
    """Seen to fail with the bound or the exception taken out of each rule."""
    for position, (clause, fields, edit) in enumerate(LAWFUL):
        found = [str(each) for each in findings(altered(case, fields, edit))]
        assert not any(each.startswith(f"{clause}") for each in found), f"LAWFUL[{position}]: {found}"


@pytest.mark.parametrize(
    ("above", "own", "lawful"),
    [
        (None, None, True),
        (None, 7, True),
        (0, 0, False),
        (0, None, False),
        (1, 0, True),
        (1, 1, False),
        (1, None, False),
        (2, 1, True),
        (2, 0, True),
    ],
)
def test_a_path_grows_shorter_with_each_authority(
    case: Case, above: int | None, own: int | None, *, lawful: bool
) -> None:
    """Seen to fail with each bound of the rule moved by one."""
    length = b"" if own is None else der.integer(own)
    mark = instead(oids.BASIC_CONSTRAINTS, der.sequence(der.boolean(True), length), critical=True)
    certificate: Any = SimpleNamespace(path_length=above, not_after=case.issuer.not_after)
    issuer = replace(case.issuer, certificate=certificate, chain=())
    given = replace(altered(case, {}, mark), issuer=issuer)
    assert ("RFC 5280 4.2.1.9" not in clauses(given)) == lawful
    # of an end entity the length above says nothing
    assert "RFC 5280 4.2.1.9" not in clauses(replace(case, issuer=issuer))


def test_what_a_profile_asks_of_alternative_names(case: Case) -> None:
    """Seen to fail without the kinds that are required, and with the bound of their number moved by one."""

    def faults(**changed: Any) -> set[str]:
        profile = case.profile.model_copy(update=changed)
        return {each.clause for each in findings(replace(case, profile=profile))}

    count = len(case.certificate.san)
    assert faults(san={"dns": "required"}) == set()
    assert faults(san={"dns": "optional", "ip": "required"}) == {"profile: san, least_names, most_names"}
    assert faults(most_names=count) == faults(least_names=count) == set()
    assert faults(most_names=count - 1, least_names=0) == {"profile: san, least_names, most_names"}


def test_rules_about_key_issuer_and_algorithm_can_fail(site: Site, case: Case) -> None:
    other = site.ctx.issuers.get("sm-issuing")
    wrong = Case(case.certificate, other, case.profile, case.addresses, case.node)
    assert {"RFC 5280 4.1.2.3", "RFC 5280 4.1.2.4", "RFC 5280 4.2.1.1"} <= set(clauses(wrong))
    own = altered(case, {6: case.issuer.public_key.spki})
    assert "RFC 5280 4.1.2.7" in clauses(own)
    sealing = altered(case, {6: PrivateKey.generate("ml-kem-768").public_key.spki})
    assert {"profile: keys", "RFC 4055 1.2, 8813 3, 9295 3, 9881 5, 9935 5"} <= set(clauses(sealing))


def test_every_rule_is_among_those_that_were_broken() -> None:
    tried = {clause for clause, _, _ in BROKEN}
    tried |= {"RFC 5280 4.1.2.3", "RFC 5280 4.1.2.7", "profile: keys", "RFC 4055"}

    def all_of(rules: Rules) -> set[str]:
        return {rule.clause for rule in rules.all}

    known = all_of(rfc5280.rules) | all_of(keys.rules) | all_of(house.rules)
    assert [rule for rule in known if not any(rule.startswith(each) for each in tried)] == []


def pkilint(encoded: bytes) -> list[str]:
    """ERROR and FATAL findings of DigiCert's linter."""
    judge = pkix.create_pkix_certificate_validator_container(
        pkix.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension_types()),
        [
            pkix.create_issuer_validator_container([]),
            pkix.create_validity_validator_container(),
            pkix.create_subject_validator_container([]),
            pkix.create_extensions_validator_container([]),
            pkix.create_spki_validator_container([]),
        ],
    )
    document = loader.RFC5280CertificateDocumentLoader().load_der_document(encoded, "it")
    results: list[Any] = judge.validate(document.root)
    return [
        str(finding.finding.code)
        for result in results
        for finding in result.finding_descriptions
        if finding.finding.severity in (ValidationFindingSeverity.ERROR, ValidationFindingSeverity.FATAL)
    ]


def test_an_independent_linter_finds_no_error_in_what_the_ceremony_made(site: Site) -> None:
    site.ca.issue(REGISTRAR, site.person("i"))
    site.ca.issue(REGISTRAR, site.person("s", suite="sm"))
    site.ca.issue(REGISTRAR, site.request("t"))
    for suite_name in ("intl", "sm"):
        site.ca.agents.signing(suite_name)
    site.ca.agents.deciphering()
    rows = site.rows()
    # the others are tried in tests/ca/test_profiles.py
    ceremonial = {name for name, profile in site.ctx.profiles.items() if profile.ceremony_only}
    # of ceremonies after the founding, and of a site's meeting another: see tests/ca/test_council.py and tests/exchange
    later = {"cross", "link", "subordinate", "exchange-site", "exchange-tls", "exchange-organ"}
    assert ceremonial - later <= {row.profile for row in rows}
    for row in rows:
        assert pkilint(row.der) == [], row.subject


def test_the_independent_linter_says_the_same_whatever_was_read_before_it(site: Site) -> None:
    """Seen to fail with the tables as pkilint makes them: what another module of ASN.1 registered before it is in them."""
    rows = {row.profile: row.der for row in site.rows() if row.authority == "intl-issuing"}
    program = (
        "import sys\n"
        "from pyasn1_alt_modules import rfc5755\n"
        "from ca.recheck.judge import certificate_faults\n"
        "from yinxin.crypto.certificates import Certificate\n"
        "given = Certificate(bytes.fromhex(sys.stdin.read()))\n"
        "print(certificate_faults(given.der, given.public_key))"
    )
    command = [sys.executable, "-I", "-X", "utf8", "-c", program]
    asked = rows["attribute-authority"].hex()
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "()", done.stderr


def test_the_independent_linter_is_awake(case: Case) -> None:
    assert pkilint(altered(case, {}, without(oids.AUTHORITY_KEY_ID)).certificate.der)


NATIONAL: list[tuple[str, Edit]] = [
    ("is missing", without(IDENTIFIERS["organizationCode"].oid)),
    ("is malformed", instead(IDENTIFIERS["organizationCode"].oid, der.utf8("11511301008778183N"))),
    ("is malformed", instead(IDENTIFIERS["organizationCode"].oid, der.printable("no code"))),
    ("is malformed", instead(IDENTIFIERS["organizationCode"].oid, der.explicit(0, der.printable("11511301008778183N")))),
    ("is not allowed", lambda listed: [*listed, IDENTIFIERS["identityCode"].write("11010519491231002X")]),
    ("must not be critical", lambda listed: [Extension(each.oid, each.critical or each.oid.startswith("1.2."), each.value) for each in listed]),
]  # fmt: skip


def test_rules_about_national_identifiers_can_fail(site: Site) -> None:
    """Seen to fail with the rule `profile: gmt0015` taken out."""
    shipped = site.ctx.profiles["organ-seal"].model_dump(exclude_defaults=True)
    profile = Profile.model_validate({**shipped, "gmt0015": {"organizationCode": "organ.code"}})
    issuer = site.ctx.issuers.get("sm-issuing")
    order = examine(asked(site, "organ-seal", suite="sm"), profile, site.ctx.register, site.ctx.settings)
    ready = prepare(order, issuer, site.ctx.settings, site.clock, site.randomness)
    good = Case(ready.lint_certificate, issuer, profile, addresses(site.ctx.settings, issuer, ready.shard), 1)
    assert findings(good) == ()
    for fault, edit in NATIONAL:
        found = findings(altered(good, {}, edit))
        assert any(each.fault.endswith(fault) for each in found), f"{fault}: {found}"
