"""Object identifiers, and the names that RFC 5280 4.2 gives to usages; the standard of the others stands beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from yinxin.crypto import der
from yinxin.once import once

# GM/T 0006: the national algorithms
SM2_CURVE = "1.2.156.10197.1.301"
SM2_SIGNATURE = "1.2.156.10197.1.301.1"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
SM3 = "1.2.156.10197.1.401"
SM2_ENCRYPTION = "1.2.156.10197.1.301.3"
SM4_CBC = "1.2.156.10197.1.104.2"

# NIST CSOR, as RFC 9881 section 2 and RFC 9935 section 3 use them: keys and signatures under one identifier
ML_DSA_44 = "2.16.840.1.101.3.4.3.17"
ML_DSA_65 = "2.16.840.1.101.3.4.3.18"
ML_DSA_87 = "2.16.840.1.101.3.4.3.19"
ML_KEM_768 = "2.16.840.1.101.3.4.4.2"
ML_KEM_1024 = "2.16.840.1.101.3.4.4.3"

# RFC 5652 and GM/T 0010 clause 6: content types of the two cryptographic message syntaxes
DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
ENVELOPED_DATA = "1.2.840.113549.1.7.3"
ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
GM_DATA = "1.2.156.10197.6.1.4.2.1"
GM_SIGNED_DATA = "1.2.156.10197.6.1.4.2.2"
GM_ENVELOPED_DATA = "1.2.156.10197.6.1.4.2.3"
TST_INFO = "1.2.840.113549.1.9.16.1.4"  # RFC 3161

# RFC 5652 section 11, RFC 5035, RFC 3161 appendix A: attributes of a signature
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SIGNATURE_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"
CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"  # RFC 5126 6.3.3
REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"  # RFC 5126 6.3.4
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"  # RFC 2985 5.4.2
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105 - RFC 2985 5.4.1; the attribute's name
DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.37"  # RFC 7030 4.4.1.1 and 4.4.1.2
ASYMMETRIC_DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.54"
KEY_PACKAGE = "2.16.840.1.101.2.1.2.78.5"  # RFC 5958: content type of private keys
AES_256_WRAP = "2.16.840.1.101.3.4.1.45"  # RFC 3565

#: this platform's own arc (ITU-T X.667: a UUID under 2.25). Below it: .1 the policy of its timestamps, .3
#: attributes, .5 attributes of requests, .4 the security policy that its clearances are read by. Not for what certificates must say: some software
#: reads no arc of more than 31 bits, and with it not the certificate
HOUSE = "2.25.147690556251596880135077170744976928781"

# RFC 5755 and X.509: attribute certificates
ROLE = "2.5.4.72"
CLEARANCE = "2.5.4.55"
APPOINTMENT = f"{HOUSE}.3.1"  # docs/authz/attribute-certificates.md gives the syntax of these two
GRANTS = f"{HOUSE}.3.2"
TRANSPORT_KEY = (
    f"{HOUSE}.5.1"  # attribute of a request: SubjectPublicKeyInfo that an encryption key is delivered to
)
TARGET_INFORMATION = "2.5.29.55"
NO_REV_AVAIL = "2.5.29.56"
AA_CONTROLS = "1.3.6.1.5.5.7.1.6"
SOA_IDENTIFIER = "2.5.29.50"  # X.509 17.2: its holder is a source of authority 权威源

#: key usage → bit position (RFC 5280 4.2.1.3)
KEY_USAGES = {
    "digitalSignature": 0,
    "contentCommitment": 1,
    "keyEncipherment": 2,
    "dataEncipherment": 3,
    "keyAgreement": 4,
    "keyCertSign": 5,
    "cRLSign": 6,
    "encipherOnly": 7,
    "decipherOnly": 8,
}

#: reason of revocation → bit position in ReasonFlags (RFC 5280 4.2.1.13); the names are `status.Reason`'s
REASON_FLAGS = {
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "privilegeWithdrawn": 7,
    "aACompromise": 8,
}

#: extended key usage → object identifier (RFC 5280 4.2.1.12; RFC 4945 ipsecIKE, RFC 9336 documentSigning)
EXTENDED_KEY_USAGES = {
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
    "cmcCA": "1.3.6.1.5.5.7.3.27",
    "cmcRA": "1.3.6.1.5.5.7.3.28",
    "cmKGA": "1.3.6.1.5.5.7.3.32",
    "ipsecIKE": "1.3.6.1.5.5.7.3.17",
    "documentSigning": "1.3.6.1.5.5.7.3.36",
    "anyExtendedKeyUsage": "2.5.29.37.0",
}

# certificate, CRL and OCSP extensions and access methods
SUBJECT_KEY_ID = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
BASIC_CONSTRAINTS = "2.5.29.19"
CRL_NUMBER = "2.5.29.20"
REASON_CODE = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"
DELTA_CRL_INDICATOR = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
CERTIFICATE_ISSUER = "2.5.29.29"
NAME_CONSTRAINTS = "2.5.29.30"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
FRESHEST_CRL = "2.5.29.46"
CERTIFICATE_POLICIES = "2.5.29.32"
POLICY_MAPPINGS = "2.5.29.33"
AUTHORITY_KEY_ID = "2.5.29.35"
POLICY_CONSTRAINTS = "2.5.29.36"
INHIBIT_ANY_POLICY = "2.5.29.54"
ALTERNATIVE_KEY = "2.5.29.72"  # X.509 (10/2019) 9.8.2 to 9.8.4
ALTERNATIVE_ALGORITHM = "2.5.29.73"
ALTERNATIVE_SIGNATURE = "2.5.29.74"
EXTENDED_KEY_USAGE = "2.5.29.37"
AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1"
OCSP = "1.3.6.1.5.5.7.48.1"
CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1"
OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2"
OCSP_NOCHECK = "1.3.6.1.5.5.7.48.1.5"
#: the proof in a certificate for tls-alpn-01 (RFC 8737 6.1)
ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31"


@dataclass(frozen=True)
class Extension:
    """One extension: object identifier, whether it is critical, and the DER inside its OCTET STRING."""

    oid: str
    critical: bool
    value: bytes

    @once
    def der(self) -> bytes:
        """The Extension SEQUENCE; `critical` is left out when false, as DER wants."""
        critical = der.boolean(True) if self.critical else b""
        return der.sequence(der.oid(self.oid), critical, der.octets(self.value))

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read one Extension SEQUENCE; raises MalformedDer or ValueError."""
        name, *critical, value = der.elements(encoded)
        if critical not in ([], [der.boolean(True)]):
            raise ValueError("an extension's critical flag is not DER")
        return cls(der.dotted(name), bool(critical), der.content(value, der.OCTET_STRING))


def _read(encoded: bytes) -> Extension:
    """One of a certificate or list; raises as `read_extensions`."""
    extension = Extension.read(encoded)
    if extension.oid == AUTHORITY_KEY_ID:
        for part in der.elements(extension.value):
            if part[0] == 0x82 and der.content(part)[:1] >= b"\x80":
                raise ValueError("the authority key identifier has a negative serial number")
    if extension.oid == CERTIFICATE_POLICIES and any(
        not 0x20 <= octet < 0x7F for text in _visible_strings(extension.value) for octet in text
    ):
        raise ValueError("a notice of the certificate policies has in a VisibleString what cannot be seen")
    return extension


#: certificates of one profile and issuer differ in few of their extensions; what a stranger sends must not fill the memory
_remembered = lru_cache(maxsize=1024)(_read)
_REMEMBERED_SIZE = 512


def _extension(encoded: bytes) -> Extension:
    return _remembered(encoded) if len(encoded) <= _REMEMBERED_SIZE else _read(encoded)


_VISIBLE_STRING = 0x1A


def read_extensions(field: bytes, number: int) -> dict[str, Extension]:
    """Extensions under [number] EXPLICIT, by object identifier; raises MalformedDer or ValueError.

    Refused: one of them twice (RFC 5280 4.2), and what the library that reads the rest would only warn about: a negative
    serial number in the authority key identifier, and in a notice's VisibleString what is none (RFC 5280 4.2.1.4).
    """
    found: dict[str, Extension] = {}
    for extension in map(_extension, der.elements(der.tagged(field, number))):
        if extension.oid in found:
            raise ValueError(f"extension {extension.oid} stands there twice")
        found[extension.oid] = extension
    return found


def _visible_strings(data: bytes) -> Iterator[bytes]:
    for part in der.elements(data):
        if part[0] == der.SEQUENCE:
            yield from _visible_strings(part)
        elif part[0] == _VISIBLE_STRING:
            yield der.content(part)


#: the holder states attributes of others on its own authority (X.509 17.2); no standard has an extended key usage for it
SOURCE_OF_AUTHORITY = Extension(SOA_IDENTIFIER, critical=False, value=der.null())
#: the responder's own certificate needs no revocation check (RFC 6960 4.2.2.2.1)
OCSP_NO_CHECK = Extension(OCSP_NOCHECK, critical=False, value=der.null())
