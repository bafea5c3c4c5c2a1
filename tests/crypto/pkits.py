"""The Public Key Interoperability Test Suite of NIST (version 1.0.1, 2011): its tests, and what must come of each.

The certificates and lists are those of `cryptography_vectors`. A test's number is its place in its section, and its
end certificate's file says whether the path is valid; what the document asks beyond that, for the settings of the
policy tests, stands in `SETTINGS`.

Three tests have keys and signatures of DSA with SHA-1, which the platform refuses. So that the algorithm can be run on
them, they are read by classes of this file's own, which exist nowhere else: no caller and no setting of the platform
reaches them, and it refuses to read these certificates. All other files are read by the platform's own.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cryptography_vectors
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization

from yinxin.crypto import der
from yinxin.crypto import errors as e
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.constraints import ANY_POLICY
from yinxin.crypto.path import Policies
from yinxin.crypto.status import CertificateList
from yinxin.crypto.suite import SHA1, SignatureAlgorithm
from yinxin.errors import YinxinError

DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
DSA, DSA_SHA1 = "1.2.840.10040.4.1", "1.2.840.10040.4.3"

#: section → end certificates in the order of its tests
SECTIONS = {
    "4.1": """ValidCertificatePath InvalidCASignature InvalidEESignature ValidDSASignatures
        ValidDSAParameterInheritance InvalidDSASignature""",
    "4.2": """InvalidCAnotBeforeDate InvalidEEnotBeforeDate Validpre2000UTCnotBeforeDate
        ValidGeneralizedTimenotBeforeDate InvalidCAnotAfterDate InvalidEEnotAfterDate Invalidpre2000UTCEEnotAfterDate
        ValidGeneralizedTimenotAfterDate""",
    "4.3": """InvalidNameChaining InvalidNameChainingOrder ValidNameChainingWhitespace ValidNameChainingWhitespace
        ValidNameChainingCapitalization ValidNameUIDs ValidRFC3280MandatoryAttributeTypes
        ValidRFC3280OptionalAttributeTypes ValidUTF8StringEncodedNames ValidRolloverfromPrintableStringtoUTF8String
        ValidUTF8StringCaseInsensitiveMatch""",
    "4.4": """InvalidMissingCRL InvalidRevokedCA InvalidRevokedEE InvalidBadCRLSignature InvalidBadCRLIssuerName
        InvalidWrongCRL ValidTwoCRLs InvalidUnknownCRLEntryExtension InvalidUnknownCRLExtension
        InvalidUnknownCRLExtension InvalidOldCRLnextUpdate Invalidpre2000CRLnextUpdate
        ValidGeneralizedTimeCRLnextUpdate ValidNegativeSerialNumber InvalidNegativeSerialNumber ValidLongSerialNumber
        ValidLongSerialNumber InvalidLongSerialNumber ValidSeparateCertificateandCRLKeys
        InvalidSeparateCertificateandCRLKeys InvalidSeparateCertificateandCRLKeys""",
    "4.5": """ValidBasicSelfIssuedOldWithNew InvalidBasicSelfIssuedOldWithNew ValidBasicSelfIssuedNewWithOld
        ValidBasicSelfIssuedNewWithOld InvalidBasicSelfIssuedNewWithOld ValidBasicSelfIssuedCRLSigningKey
        InvalidBasicSelfIssuedCRLSigningKey InvalidBasicSelfIssuedCRLSigningKey""",
    "4.6": """InvalidMissingbasicConstraints InvalidcAFalse InvalidcAFalse ValidbasicConstraintsNotCritical
        InvalidpathLenConstraint InvalidpathLenConstraint ValidpathLenConstraint ValidpathLenConstraint
        InvalidpathLenConstraint InvalidpathLenConstraint InvalidpathLenConstraint InvalidpathLenConstraint
        ValidpathLenConstraint ValidpathLenConstraint ValidSelfIssuedpathLenConstraint
        InvalidSelfIssuedpathLenConstraint ValidSelfIssuedpathLenConstraint""",
    "4.7": """InvalidkeyUsageCriticalkeyCertSignFalse InvalidkeyUsageNotCriticalkeyCertSignFalse
        ValidkeyUsageNotCritical InvalidkeyUsageCriticalcRLSignFalse InvalidkeyUsageNotCriticalcRLSignFalse""",
    "4.8": """ValidCertificatePath AllCertificatesNoPolicies DifferentPolicies DifferentPolicies DifferentPolicies
        OverlappingPolicies DifferentPolicies DifferentPolicies DifferentPolicies AllCertificatesSamePolicies
        AllCertificatesanyPolicy DifferentPolicies AllCertificatesSamePolicies AnyPolicy UserNoticeQualifier
        UserNoticeQualifier UserNoticeQualifier UserNoticeQualifier UserNoticeQualifier CPSPointerQualifier""",
    "4.9": """ValidrequireExplicitPolicy ValidrequireExplicitPolicy InvalidrequireExplicitPolicy
        ValidrequireExplicitPolicy InvalidrequireExplicitPolicy ValidSelfIssuedrequireExplicitPolicy
        InvalidSelfIssuedrequireExplicitPolicy InvalidSelfIssuedrequireExplicitPolicy""",
    "4.10": """ValidPolicyMapping InvalidPolicyMapping ValidPolicyMapping InvalidPolicyMapping ValidPolicyMapping
        ValidPolicyMapping InvalidMappingFromanyPolicy InvalidMappingToanyPolicy ValidPolicyMapping
        InvalidPolicyMapping ValidPolicyMapping ValidPolicyMapping ValidPolicyMapping ValidPolicyMapping""",
    "4.11": """InvalidinhibitPolicyMapping ValidinhibitPolicyMapping InvalidinhibitPolicyMapping
        ValidinhibitPolicyMapping InvalidinhibitPolicyMapping InvalidinhibitPolicyMapping
        ValidSelfIssuedinhibitPolicyMapping InvalidSelfIssuedinhibitPolicyMapping
        InvalidSelfIssuedinhibitPolicyMapping InvalidSelfIssuedinhibitPolicyMapping
        InvalidSelfIssuedinhibitPolicyMapping""",
    "4.12": """InvalidinhibitAnyPolicy ValidinhibitAnyPolicy inhibitAnyPolicy InvalidinhibitAnyPolicy
        InvalidinhibitAnyPolicy InvalidinhibitAnyPolicy ValidSelfIssuedinhibitAnyPolicy
        InvalidSelfIssuedinhibitAnyPolicy ValidSelfIssuedinhibitAnyPolicy InvalidSelfIssuedinhibitAnyPolicy""",
    "4.13": """ValidDNnameConstraints InvalidDNnameConstraints InvalidDNnameConstraints ValidDNnameConstraints
        ValidDNnameConstraints ValidDNnameConstraints InvalidDNnameConstraints InvalidDNnameConstraints
        InvalidDNnameConstraints InvalidDNnameConstraints ValidDNnameConstraints InvalidDNnameConstraints
        InvalidDNnameConstraints ValidDNnameConstraints InvalidDNnameConstraints InvalidDNnameConstraints
        InvalidDNnameConstraints ValidDNnameConstraints ValidDNnameConstraints InvalidDNnameConstraints
        ValidRFC822nameConstraints InvalidRFC822nameConstraints ValidRFC822nameConstraints
        InvalidRFC822nameConstraints ValidRFC822nameConstraints InvalidRFC822nameConstraints
        ValidDNandRFC822nameConstraints InvalidDNandRFC822nameConstraints InvalidDNandRFC822nameConstraints
        ValidDNSnameConstraints InvalidDNSnameConstraints ValidDNSnameConstraints InvalidDNSnameConstraints
        ValidURInameConstraints InvalidURInameConstraints ValidURInameConstraints InvalidURInameConstraints
        InvalidDNSnameConstraints""",
    "4.14": """ValiddistributionPoint InvaliddistributionPoint InvaliddistributionPoint ValiddistributionPoint
        ValiddistributionPoint InvaliddistributionPoint ValiddistributionPoint InvaliddistributionPoint
        InvaliddistributionPoint ValidNoissuingDistributionPoint InvalidonlyContainsUserCerts
        InvalidonlyContainsCACerts ValidonlyContainsCACerts InvalidonlyContainsAttributeCerts InvalidonlySomeReasons
        InvalidonlySomeReasons InvalidonlySomeReasons ValidonlySomeReasons ValidonlySomeReasons InvalidonlySomeReasons
        InvalidonlySomeReasons ValidIDPwithindirectCRL InvalidIDPwithindirectCRL ValidIDPwithindirectCRL
        ValidIDPwithindirectCRL InvalidIDPwithindirectCRL InvalidcRLIssuer ValidcRLIssuer ValidcRLIssuer
        ValidcRLIssuer InvalidcRLIssuer InvalidcRLIssuer ValidcRLIssuer InvalidcRLIssuer InvalidcRLIssuer""",
    "4.15": """InvaliddeltaCRLIndicatorNoBase ValiddeltaCRL InvaliddeltaCRL InvaliddeltaCRL ValiddeltaCRL
        InvaliddeltaCRL ValiddeltaCRL ValiddeltaCRL InvaliddeltaCRL InvaliddeltaCRL""",
    "4.16": """ValidUnknownNotCriticalCertificateExtension InvalidUnknownCriticalCertificateExtension""",
}


def policy(number):
    """NIST-test-policy-N."""
    return f"2.16.840.1.101.3.2.1.48.{number}"


def these(*numbers):
    return frozenset(map(policy, numbers))


ANY = frozenset({ANY_POLICY})
NONE = frozenset()


@dataclass(frozen=True)
class Case:
    """One run of one test."""

    number: str
    file: str
    settings: Policies
    #: None when the path is valid
    refusal: type[YinxinError] | None
    #: of a valid path: the policies that hold by the authorities, and those of them that are accepted
    authorities: frozenset | None = None
    accepted: frozenset | None = None


def explicit(accepted=ANY):
    return Policies(accepted, require_explicit=True)


def only(*numbers):
    return Policies(these(*numbers))


DEFAULT = Policies()
#: number → (settings, whether the path is valid, authorities-constrained and user-constrained-policy-set) of each run
SETTINGS = {
    "4.8.1": [
        (explicit(), True, these(1), these(1)),
        (explicit(these(1)), True, these(1), these(1)),
        (explicit(these(2)), False),
        (explicit(these(1, 2)), True, these(1), these(1)),
    ],
    "4.8.2": [(DEFAULT, True, NONE, NONE), (explicit(), False)],
    "4.8.3": [(DEFAULT, True, NONE, NONE), (explicit(), False), (explicit(these(1, 2)), False)],
    "4.8.6": [(DEFAULT, True, these(1), these(1)), (only(1), True, these(1), these(1)), (only(2), False)],
    "4.8.10": [
        (DEFAULT, True, these(1, 2), these(1, 2)),
        (only(1), True, these(1, 2), these(1)),
        (only(2), True, these(1, 2), these(2)),
    ],
    "4.8.11": [(DEFAULT, True, ANY, ANY), (only(1), True, ANY, these(1))],
    "4.8.13": [(only(n), True, these(1, 2, 3), these(n)) for n in (1, 2, 3)],
    "4.8.14": [(only(1), True, these(1), these(1)), (only(2), False)],
    **{f"4.8.{n}": [(DEFAULT, True, these(1), these(1))] for n in (15, 16, 17, 19)},
    "4.8.18": [(only(1), True, these(1, 2), these(1)), (only(2), True, these(1, 2), these(2))],
    "4.8.20": [(explicit(), True, these(1), these(1))],
    "4.9.1": [(DEFAULT, True, NONE, NONE)],
    "4.9.2": [(DEFAULT, True, NONE, NONE)],
    "4.9.4": [(DEFAULT, True, these(1), these(1))],
    "4.9.6": [(DEFAULT, True, NONE, NONE)],
    "4.10.1": [
        (only(1), True, these(1), these(1)),
        (only(2), False),
        (Policies(inhibit_mapping=True), False),
    ],
    "4.10.2": [(DEFAULT, False), (Policies(inhibit_mapping=True), False)],
    "4.10.3": [(only(1), False), (only(2), True, these(2), these(2))],
    "4.10.5": [(only(1), True, these(1), these(1)), (only(6), False)],
    "4.10.6": [(only(1), True, these(1), these(1)), (only(6), False)],
    "4.10.9": [(DEFAULT, True, these(1), these(1))],
    "4.10.11": [(DEFAULT, True, these(1), these(1))],
    "4.10.12": [(only(1), True, these(1, 2), these(1)), (only(2), True, these(1, 2), these(2))],
    "4.10.13": [
        (DEFAULT, True, these(1), these(1)),
        (only(1, 2), True, these(1), these(1)),
        (only(2), False),
    ],
    "4.10.14": [(DEFAULT, True, these(1), these(1))],
    "4.11.2": [(DEFAULT, True, these(1), these(1))],
    "4.11.4": [(DEFAULT, True, these(2), these(2))],
    "4.11.7": [(DEFAULT, True, these(1), these(1))],
    "4.12.2": [(DEFAULT, True, these(1), these(1))],
    "4.12.3": [(DEFAULT, True, these(1), these(1)), (Policies(inhibit_any=True), False)],
}
#: policy tests whose end certificate's name does not say that the path is invalid
INVALID = {f"4.8.{number}" for number in (4, 5, 7, 8, 9, 12)}


#: section → why its invalid paths are refused; of single tests, where it is another reason
REASONS = {
    "4.1": e.UnknownIssuer,  # the authority's certificate is not even DER
    "4.1.3": e.BadSignature,
    "4.1.6": e.MalformedCertificate,
    "4.2": e.Expired,
    "4.2.1": e.NotYetValid,
    "4.2.2": e.NotYetValid,
    "4.3": e.UnknownIssuer,
    "4.4": e.RevocationUnknown,
    **dict.fromkeys(("4.4.2", "4.4.3", "4.4.18", "4.4.20"), e.CertificateRevoked),
    "4.4.15": e.MalformedCertificate,  # a negative serial number
    "4.4.21": e.RevocationUnusable,
    "4.5": e.CertificateRevoked,
    "4.5.8": e.NotAnAuthority,
    "4.6": e.PathTooLong,
    **dict.fromkeys(("4.6.1", "4.6.2", "4.6.3"), e.NotAnAuthority),
    "4.7": e.NotAnAuthority,
    **dict.fromkeys(("4.7.4", "4.7.5"), e.RevocationUnusable),
    **dict.fromkeys(("4.8", "4.9", "4.10", "4.11", "4.12"), e.PolicyNotAccepted),
    **dict.fromkeys(("4.10.7", "4.10.8"), e.PolicyMappingInvalid),
    "4.13": e.NameNotPermitted,
    "4.14": e.CertificateRevoked,
    **{f"4.14.{n}": e.RevocationUnknown for n in (3, 8, 9, 11, 12, 14, 17, 26, 27, 35)},
    "4.15": e.CertificateRevoked,
    **dict.fromkeys(("4.15.1", "4.15.10"), e.RevocationUnknown),
    "4.16": e.UnsupportedExtension,
}


def cases():
    """Every run of every test."""
    for section, names in SECTIONS.items():
        for place, name in enumerate(names.split(), 1):
            number, file = f"{section}.{place}", f"{name}Test{place}EE"
            usual = [(DEFAULT, number not in INVALID and not name.startswith("Invalid"))]
            runs = SETTINGS.get(number, usual)
            for run, (settings, valid, *expected) in enumerate(runs, 1):
                shown = number if len(runs) == 1 else f"{number} ({run})"
                refusal = None if valid else REASONS.get(number, REASONS[section])
                yield Case(shown, file, settings, refusal, *expected)


# --- reading ----------------------------------------------------------------------------------------------------


def whole_key(spki):
    """A DSA key without parameters has its issuer's (RFC 3279 2.3.2)."""
    algorithm, bits = der.elements(spki)
    if algorithm != der.sequence(der.oid(DSA)):
        return spki
    return der.sequence(der.elements(certificate("DSACACert").public_key.spki)[0], bits)


class DsaKey:
    """Stands where a `PublicKey` does."""

    algorithm = "dsa"

    def __init__(self, spki):
        self.spki = spki
        self.key_id = hashlib.sha1(der.octets_of_bits(der.elements(spki)[1])).digest()  # noqa: S324 - the identifier of a key
        self._key = serialization.load_der_public_key(spki)

    def verify(self, signature, message, algorithm, *, what):
        if algorithm is not DSA_WITH_SHA1:
            raise e.UnsupportedAlgorithm(what=what, algorithm=algorithm.name)
        try:
            self._key.verify(signature, message, hashes.SHA1())  # noqa: S303 - what the suite signed with
        except InvalidSignature as error:
            raise e.BadSignature(what=what) from error

    def __eq__(self, other):
        return isinstance(other, DsaKey) and self.spki == other.spki

    def __hash__(self):
        return hash(self.spki)


DSA_WITH_SHA1 = SignatureAlgorithm("dsa-sha1", DSA_SHA1, SHA1, "dsa")


def with_dsa(read):
    """A reader of algorithm identifiers that knows DSA as well."""

    def reader(identifier):
        is_dsa = der.dotted(der.elements(identifier)[0]) == DSA_SHA1
        return DSA_WITH_SHA1 if is_dsa else read(identifier)

    return staticmethod(reader)


class OldCertificate(Certificate):
    """A certificate that may have a DSA key or signature."""

    _read_algorithm = with_dsa(Certificate._read_algorithm)

    def __init__(self, encoded):
        """The library that reads dates and extensions wants the key's parameters; what was signed has none."""
        tbs, *rest = der.elements(encoded)
        fields = der.elements(tbs)
        fields[6] = whole_key(fields[6])
        super().__init__(der.sequence(der.sequence(*fields), *rest))
        self._parts = self._parts._replace(tbs=tbs)
        self.der = encoded

    @staticmethod
    def _read_key(spki):
        is_dsa = der.dotted(der.elements(der.elements(spki)[0])[0]) == DSA
        return DsaKey(spki) if is_dsa else Certificate._read_key(spki)


class OldList(CertificateList):
    """A list that may have a DSA signature."""

    _read_algorithm = with_dsa(CertificateList._read_algorithm)


def read(path):
    """By the platform's own classes if they will, or else by those of this file; raises what reading raises."""
    ours, old = (Certificate, OldCertificate) if path.suffix == ".crt" else (CertificateList, OldList)
    try:
        return ours(path.read_bytes())
    except YinxinError:
        return old(path.read_bytes())


@cache
def certificate(name):
    """One certificate by the name of its file; raises what reading raises."""
    return read(DATA / "certs" / f"{name}.crt")


@cache
def everything():
    """Every certificate and every list that can be read, and why the other files cannot, by name."""
    found, unreadable = {".crt": [], ".crl": []}, {}
    for path in sorted((*DATA.glob("certs/*.crt"), *DATA.glob("crls/*.crl"))):
        try:
            found[path.suffix].append(read(path))
        except YinxinError as error:
            unreadable[path.name] = error
    return tuple(found[".crt"]), tuple(found[".crl"]), unreadable
