"""Rules of the house: a certificate says what its profile says, no more and no less."""

from collections.abc import Iterator
from datetime import timedelta

from ca.lint.case import Case, Rules
from ca.profile import gmt0015
from ca.profile.wildcards import any_wildcard
from yinxin.crypto import der, oids
from yinxin.crypto.attribute.controls import OURS
from yinxin.crypto.errors import MalformedDer
from yinxin.crypto.suite import SM

rules = Rules()

#: octets of a serial number: the site's prefix and 128 random bits
SERIAL_SIZE = 17


@rules("profile: serial")
def serial(case: Case) -> Iterator[str]:
    """The site's prefix and 128 random bits."""
    if case.certificate.serial >> 8 * (SERIAL_SIZE - 1) != case.node:
        yield f"the serial number does not consist of the prefix {case.node} and 16 octets"


@rules("profile: days, most_days")
def validity(case: Case) -> Iterator[str]:
    """No longer than allowed."""
    certificate = case.certificate
    if certificate.not_after - certificate.not_before > timedelta(days=case.profile.most_days):
        yield f"valid for more than {case.profile.most_days} days"


@rules("profile: keys")
def key(case: Case) -> Iterator[str]:
    """A kind of key that is certified."""
    if case.certificate.public_key.algorithm not in case.profile.keys:
        yield f"a {case.certificate.public_key.algorithm} key"


@rules("profile: subject")
def subject(case: Case) -> Iterator[str]:
    """Attributes in the profile's order, fixed ones as fixed; only optional ones may be missing."""
    wanted = case.profile.subject
    given = case.certificate.subject.as_dict()
    if list(given) != [name for name in wanted if name in given]:
        yield "attributes that the profile does not name, or in another order"
    for name, source in wanted.items():
        if name not in given and not source.endswith("?"):
            yield f"{name} is missing"
        if source.startswith("=") and given.get(name, source[1:]) != source[1:]:
            yield f"{name} is not {source[1:]}"


@rules("profile: subject", since=2)
def relative_names(case: Case) -> Iterator[str]:
    """Each attribute a relative name of its own."""
    subject = case.certificate.subject
    if not case.profile.ca and len(der.elements(subject.der)) != len(subject.as_dict()):
        yield "a relative name of several attributes"


@rules("profile: san, least_names, most_names")
def alternative_names(case: Case) -> Iterator[str]:
    """Kinds that are allowed, and those that are required."""
    kinds = {kind for kind, _ in case.certificate.san}
    allowed = {str(kind): need for kind, need in case.profile.san.items()}
    for kind in sorted(kinds - allowed.keys()):
        yield f"{kind} is not allowed"
    for kind, need in allowed.items():
        if need == "required" and kind not in kinds:
            yield f"{kind} is required"
    if not case.profile.least_names <= len(case.certificate.san) <= case.profile.most_names:
        yield f"not {case.profile.least_names} to {case.profile.most_names} names"


@rules("profile: wildcards")
def wildcards(case: Case) -> Iterator[str]:
    """Only where the profile has them."""
    if any_wildcard(case.certificate.san) and not case.profile.wildcards:
        yield "a host name with a wildcard"


@rules("profile: ca, path_length")
def authority(case: Case) -> Iterator[str]:
    """An authority exactly when the profile makes one."""
    if (case.certificate.is_ca, case.certificate.path_length) != (case.profile.ca, case.profile.path_length):
        yield "basic constraints differ"


@rules("profile: key_usage, key_usage_by_key, extended_key_usage, policies, no_check")
def purposes(case: Case) -> Iterator[str]:
    """Exactly the profile's."""
    certificate, profile = case.certificate, case.profile
    if certificate.key_usage != profile.usage_of(certificate.public_key.algorithm):
        yield "key usage differs"
    if (certificate.extended_key_usage or frozenset()) != frozenset(profile.extended_key_usage):
        yield "extended key usage differs"
    if certificate.policies != profile.policies:
        yield "policies differ"
    if (oids.OCSP_NOCHECK in certificate.extensions) != profile.no_check:
        yield "nocheck differs"


@rules("profile: attributes; RFC 5755 4.5 and 7.4, X.509 17.2")
def attribute_authority(case: Case) -> Iterator[str]:
    """A source of authority, with exactly our aaControls, where the profile makes one; never a certification authority."""
    extensions, wanted = case.certificate.extensions, case.profile.attributes
    if (extensions.get(oids.AA_CONTROLS) == OURS.extension) != wanted:
        yield "aaControls differs"
    if (extensions.get(oids.SOA_IDENTIFIER) == oids.SOURCE_OF_AUTHORITY) != wanted:
        yield "sOAIdentifier differs"
    if {oids.AA_CONTROLS, oids.SOA_IDENTIFIER} & extensions.keys() and (not wanted or case.certificate.is_ca):
        yield "marked as an attribute authority and must not be one"


@rules("profile: gmt0015")
def identifiers(case: Case) -> Iterator[str]:
    """GM/T 0015's, in the national suite, each of its form; only what the profile names, and all it does not call optional."""
    certificate = case.certificate
    given = {
        gmt0015.BY_OID[oid]: each for oid, each in certificate.extensions.items() if oid in gmt0015.BY_OID
    }
    wanted = case.profile.gmt0015 if certificate.public_key.suite is SM else {}
    for name, source in wanted.items():
        if name not in given and not source.endswith("?"):
            yield f"{name} is missing"
    for name, extension in given.items():
        if name not in wanted:
            yield f"{name} is not allowed"
        try:
            gmt0015.IDENTIFIERS[name].read(extension.value)
        except MalformedDer:
            yield f"{name} is malformed"


@rules("profile: rules")
def name_rules(case: Case) -> Iterator[str]:
    """Names as the profile's own rules want them."""
    for field, text in (*case.certificate.subject.pairs, *case.certificate.san):
        rule = case.profile.rules.get(field)
        if rule is not None and not rule.allows(text):
            yield f"{field} {text!r} breaks the profile's rule"


@rules("profile: constraints")
def constraints(case: Case) -> Iterator[str]:
    """Exactly the profile's."""
    certificate, wanted = case.certificate, case.profile.constraints
    if (
        certificate.name_constraints,
        certificate.policy_mappings,
        certificate.policy_constraints,
        certificate.inhibit_any_policy,
    ) != (wanted.names, wanted.mappings, wanted.policies, wanted.inhibit_any_policy):
        yield "constraints differ"


@rules("configuration: public_url")
def places(case: Case) -> Iterator[str]:
    """Status and issuer where this authority publishes them."""
    certificate, wanted = case.certificate, case.addresses
    if (certificate.crl_urls, certificate.ocsp_urls, certificate.ca_issuer_urls) != (
        wanted.crl,
        wanted.ocsp,
        wanted.issuer,
    ):
        yield "addresses differ from those of the authority"
