"""Rules of RFC 5280 and of the RFCs that amend it.

The reader in `yinxin.crypto` has already held the form to DER, version 3, one of each extension, equal algorithms.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from ca.lint.case import Case, Rules
from ca.profile import gmt0015
from ca.profile.texts import FAULTS, text_fault
from ca.profile.wildcards import is_wildcard, wildcard_fault
from yinxin.crypto import der, oids
from yinxin.crypto.constraints import ANY_POLICY
from yinxin.crypto.general_names import write_general_name
from yinxin.crypto.names import ATTRIBUTES
from yinxin.crypto.path import hold_names
from yinxin.crypto.shown import is_shown
from yinxin.errors import YinxinError

rules = Rules()

_BOUNDS = {name: bound for name, (_, _, bound) in ATTRIBUTES.items()}
_COUNTRY = re.compile(r"[A-Z]{2}")
#: attributes that are not a DirectoryString
_KINDS = {
    ATTRIBUTES["countryName"][0]: (der.PRINTABLE,),
    ATTRIBUTES["serialNumber"][0]: (der.PRINTABLE,),
    ATTRIBUTES["domainComponent"][0]: (der.IA5,),
    ATTRIBUTES["emailAddress"][0]: (der.IA5,),
}
_UTC_TIME_ENDS = datetime(2050, 1, 1, tzinfo=UTC)
#: extensions that no certificate of ours marks critical
_NEVER_CRITICAL = (
    oids.AUTHORITY_KEY_ID,
    oids.SUBJECT_KEY_ID,
    oids.CERTIFICATE_POLICIES,
    oids.CRL_DISTRIBUTION_POINTS,
    oids.AUTHORITY_INFORMATION_ACCESS,
    oids.OCSP_NOCHECK,
    oids.SOA_IDENTIFIER,
    oids.AA_CONTROLS,
    *gmt0015.BY_OID,
    oids.ALTERNATIVE_KEY,
    oids.ALTERNATIVE_ALGORITHM,
    oids.ALTERNATIVE_SIGNATURE,
)
#: what an authority imposes on those below it
_CONSTRAINTS = (
    oids.NAME_CONSTRAINTS,
    oids.POLICY_MAPPINGS,
    oids.POLICY_CONSTRAINTS,
    oids.INHIBIT_ANY_POLICY,
)
_KNOWN = {
    *_NEVER_CRITICAL,
    oids.KEY_USAGE,
    oids.BASIC_CONSTRAINTS,
    oids.EXTENDED_KEY_USAGE,
    oids.SUBJECT_ALTERNATIVE_NAME,
    *_CONSTRAINTS,
}


@rules("RFC 5280 4.1.2.2")
def serial(case: Case) -> Iterator[str]:
    """At most 20 octets as encoded; one that is not positive is not read."""
    if len(der.integer(case.certificate.serial)) - 2 > 20:
        yield "the serial number is longer than 20 octets"


@rules("RFC 5280 4.1.2.3")
def signature(case: Case) -> Iterator[str]:
    """The algorithm is the one that the issuer's key signs with."""
    used, wanted = case.certificate.signature_algorithm, case.issuer.algorithm
    if used != wanted:
        yield f"signed with {used.name}, not with {wanted.name}"


@rules("RFC 5280 4.1.2.4")
def issuer(case: Case) -> Iterator[str]:
    """The issuer's name, octet for octet."""
    if not case.certificate.issuer:
        yield "the issuer's name is empty"
    if case.certificate.issuer != case.issuer.subject:
        yield "the issuer's name is not the authority's subject"


@rules("RFC 5280 4.1.2.5")
def validity(case: Case) -> Iterator[str]:
    """In order, in the encoding prescribed for the year, and never longer than the issuer's."""
    certificate = case.certificate
    if certificate.not_before > certificate.not_after:
        yield "it ends before it begins"
    if case.issuer.not_after is not None and certificate.not_after > case.issuer.not_after:
        yield "it outlives its issuer"
    encoded = der.elements(certificate.validity)
    for at, element in zip((certificate.not_before, certificate.not_after), encoded, strict=True):
        if (element[0] == der.UTC_TIME) != (at < _UTC_TIME_ENDS):
            yield "a time through 2049 must be UTCTime, a later one GeneralizedTime"


@rules("RFC 5280 4.1.2.6 and appendix A")
def subject(case: Case) -> Iterator[str]:
    """Present for authorities, of attributes in use, one of each."""
    name = case.certificate.subject
    if not name and case.certificate.is_ca:
        yield "an authority needs a subject"
    attributes = [attribute for attribute, _ in name.pairs]
    for attribute in dict.fromkeys(attributes):
        if attribute not in _BOUNDS:
            yield f"{attribute} is not an attribute in use here"
        elif attributes.count(attribute) > 1 and attribute != "domainComponent":
            yield f"{attribute} stands twice"


@rules("RFC 5280 4.1.2.6 and appendix A", since=2)
def strings(case: Case) -> Iterator[str]:
    """Each attribute of the kind of string that it must be."""
    name = case.certificate.subject
    # an outside authority's name stays as that authority writes it (4.1.2.6)
    if not case.certificate.is_ca and any(value[0] not in _strings(oid) for oid, value in _values(name.der)):
        yield "an attribute is not of the kind of string that it must be"


@rules("RFC 5280 7.1 and appendix A")
def texts(case: Case) -> Iterator[str]:
    """Bounded, printable, no outer spaces."""
    for attribute, text in case.certificate.subject.pairs:
        if not 0 < len(text) <= _BOUNDS.get(attribute, 256):
            yield f"{attribute} is empty or too long"
        if not is_shown(text) or text != text.strip():
            yield f"{attribute} has control characters or outer spaces"


@rules("RFC 5280 7.1 and appendix A", since=2)
def misleading(case: Case) -> Iterator[str]:
    """Nothing in a text that nobody sees, or that looks like something else."""
    for attribute, text in case.certificate.subject.pairs:
        if (why := text_fault(text)) is not None:
            yield f"{attribute} {text!r}: {why.en}"
        if attribute == "countryName" and not _COUNTRY.fullmatch(text):
            yield f"{text!r} is no country of two capital letters"


def _values(encoded: bytes) -> Iterator[tuple[str, bytes]]:
    """Each attribute's object identifier and value, as encoded."""
    for relative in der.elements(encoded):
        for pair in der.elements(relative, der.SET):
            kind, value = der.elements(pair)
            yield der.dotted(kind), value


def _strings(oid: str) -> tuple[int, ...]:
    """Which kinds of string an attribute may be (RFC 5280 4.1.2.4 and appendix A)."""
    return _KINDS.get(oid, (der.UTF8, der.PRINTABLE))


@rules("RFC 5280 4.2.1.1")
def authority_key(case: Case) -> Iterator[str]:
    """Present, and the issuer's."""
    if case.certificate.authority_key_id != case.issuer.key_id:
        yield "the authority key identifier is missing or not the issuer's"


@rules("RFC 5280 4.2.1.2")
def subject_key(case: Case) -> Iterator[str]:
    """Present, and derived from the key; an outside authority's is the one it uses itself."""
    if case.certificate.subject_key_id != (case.key_id or case.certificate.public_key.key_id):
        yield "the subject key identifier is missing or not derived from the key"


@rules("RFC 5280 4.2.1.3")
def key_usage(case: Case) -> Iterator[str]:
    """Present, critical, consistent with being an authority."""
    usage = case.certificate.key_usage
    if not usage or not _critical(case, oids.KEY_USAGE):
        yield "the key usage is missing, empty or not critical"
        return
    if ("keyCertSign" in usage) != case.certificate.is_ca:
        yield "keyCertSign goes with authorities, and only with them"
    # an attribute authority signs the list of its own attribute certificates (RFC 5755 section 6)
    attributes = oids.AA_CONTROLS in case.certificate.extensions
    if "cRLSign" in usage and not case.certificate.is_ca and not attributes:
        yield "cRLSign without being an authority"


@rules("RFC 5280 4.2.1.4")
def policies(case: Case) -> Iterator[str]:
    """No policy twice."""
    if len(set(case.certificate.policies)) != len(case.certificate.policies):
        yield "a policy stands twice"


@rules("RFC 5280 4.2.1.5, 10, 11, 14")
def constraints(case: Case) -> Iterator[str]:
    """Critical, in authorities only; every mapped policy of ours is among the policies."""
    certificate = case.certificate
    for oid in _CONSTRAINTS:
        if oid in certificate.extensions and not (certificate.is_ca and _critical(case, oid)):
            yield f"constraint {oid} is not critical, or not of an authority"
    for ours, theirs in certificate.policy_mappings:
        if ANY_POLICY in (ours, theirs):
            yield "anyPolicy is mapped"
        elif ours not in certificate.policies:
            yield f"policy {ours} is mapped and not granted"


@rules("RFC 5280 4.2.1.10")
def within_constraints(case: Case) -> Iterator[str]:
    """Names within what every authority above allows: outside of that no verifier would accept it."""
    if not any(each.name_constraints for each in case.issuer.chain):
        return
    try:
        hold_names(case.certificate, case.issuer.chain)
    except YinxinError as error:
        yield error.text("en")


@rules("RFC 5280 4.2.1.6")
def alternative_names(case: Case) -> Iterator[str]:
    """Well formed, none twice, lower-case host names, a `*` as their whole first label only, critical exactly when the subject is empty."""
    names = case.certificate.san
    extension = case.certificate.extensions.get(oids.SUBJECT_ALTERNATIVE_NAME)
    if extension is None:
        if not case.certificate.subject:
            yield "neither a subject nor an alternative name"
        return
    if not names or len(set(names)) != len(names):
        yield "the alternative names are empty, or one stands twice"
    if extension.critical != (not case.certificate.subject):
        yield "alternative names are critical exactly when the subject is empty"
    for kind, text in names:
        yield from _alternative_name(kind, text)


def _alternative_name(kind: str, text: str) -> Iterator[str]:
    try:
        write_general_name(kind, text)
    except YinxinError:
        yield f"{kind} {text!r} is not well formed"
        return
    if kind == "dns" and text != text.lower():
        yield f"dns {text!r} is not in lower case"
    if kind == "dns" and is_wildcard(text) and (why := wildcard_fault(text)) is not None:
        yield f"dns {text!r}: {why.en}"


@rules("RFC 5280 4.2.1.6", since=2)
def misleading_alternative_names(case: Case) -> Iterator[str]:
    """Nothing that a reader takes for another name, or for an address."""
    for kind, text in case.certificate.san:
        if kind in FAULTS and (why := FAULTS[kind](text)) is not None:
            yield f"{kind} {text!r}: {why.en}"


@rules("RFC 5280 4.2.1.9")
def basic_constraints(case: Case) -> Iterator[str]:
    """Critical in authorities; a path length only there, and smaller than the issuer's."""
    certificate = case.certificate
    if certificate.is_ca and not _critical(case, oids.BASIC_CONSTRAINTS):
        yield "the basic constraints of an authority must be critical"
    if certificate.path_length is not None and not certificate.is_ca:
        yield "a path length without being an authority"
    above = case.issuer.certificate
    if above and above.path_length is not None and certificate.is_ca:
        left = above.path_length - 1
        if left < 0 or certificate.path_length is None or certificate.path_length > left:
            yield "the issuer's path length does not allow this authority"


@rules("RFC 5280 4.2.1.12, RFC 3161 2.3, RFC 6960 4.2.2.2")
def extended_key_usage(case: Case) -> Iterator[str]:
    """Named in every end-entity certificate; timestamps and OCSP as their RFCs want."""
    purposes = case.certificate.extended_key_usage
    if purposes is None:
        if not case.certificate.is_ca and oids.SOA_IDENTIFIER not in case.certificate.extensions:
            yield "an end entity must name its purposes"
        return
    if "anyExtendedKeyUsage" in purposes:
        yield "anyExtendedKeyUsage opens every purpose"
    if "timeStamping" in purposes and (
        purposes != {"timeStamping"} or not _critical(case, oids.EXTENDED_KEY_USAGE)
    ):
        yield "timeStamping must be the only purpose, and critical"
    if ("OCSPSigning" in purposes) != (oids.OCSP_NOCHECK in case.certificate.extensions):
        yield "OCSPSigning goes with nocheck, and only with it"


@rules("RFC 5280 4.2.1.13 and 4.2.2.1")
def places(case: Case) -> Iterator[str]:
    """Fetched over plain HTTP: asking for status over TLS would ask for status."""
    certificate = case.certificate
    for url in (*certificate.crl_urls, *certificate.ocsp_urls, *certificate.ca_issuer_urls):
        if not _fetchable(url):
            yield f"{url} is no address to fetch from"


@lru_cache(maxsize=1024)
def _fetchable(url: str) -> bool:
    parts = urlsplit(url)
    return bool(
        parts.scheme in {"http", "https"} and parts.hostname and not parts.username and not parts.fragment
    )


@rules("RFC 5280 4.2")
def extensions(case: Case) -> Iterator[str]:
    """Only known ones, critical only where the standard wants it."""
    for oid, extension in case.certificate.extensions.items():
        if oid not in _KNOWN:
            yield f"unknown extension {oid}"
        elif extension.critical and oid in _NEVER_CRITICAL:
            yield f"extension {oid} must not be critical"


@rules("RFC 5280 4.1.2.7")
def key(case: Case) -> Iterator[str]:
    """An authority's key certifies nobody but itself."""
    if case.issuer.certificate is not None and case.certificate.public_key == case.issuer.public_key:
        yield "the key is the issuer's own"


def _critical(case: Case, oid: str) -> bool:
    extension = case.certificate.extensions.get(oid)
    return extension is not None and extension.critical
