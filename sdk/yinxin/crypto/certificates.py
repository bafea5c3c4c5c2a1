"""X.509 certificates (RFC 5280, GM/T 0015) of every suite, read strictly and never changed."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self, TypeVar, cast

from cryptography import x509

from yinxin.crypto import der, oids, pem
from yinxin.crypto.constraints import (
    NameConstraints,
    PolicyConstraints,
    PolicyMapping,
    read_mappings,
    skip_certs,
)
from yinxin.crypto.errors import (
    MalformedCertificate,
    MalformedDer,
    MalformedName,
    UnsupportedAlgorithm,
    WrongIssuer,
)
from yinxin.crypto.general_names import GeneralName, read_general_names
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.known import values_of, whole_octets
from yinxin.crypto.names import Name
from yinxin.crypto.oids import EXTENDED_KEY_USAGES, KEY_USAGES, Extension, read_extensions
from yinxin.crypto.points import CrlPoint, read_points
from yinxin.crypto.public_key import public_key
from yinxin.crypto.suite import SignatureAlgorithm, signature_algorithm
from yinxin.once import once

#: the version field of every certificate
V3 = der.explicit(0, der.integer(2))
_PURPOSES = {oid: name for name, oid in EXTENDED_KEY_USAGES.items()}
#: octets of a field that is remembered once it was read: what a stranger sends must not fill the memory
_REMEMBERED_SIZE = 512

_Value = TypeVar("_Value", bound=x509.ExtensionType)
_Read = TypeVar("_Read")


class _Parts(NamedTuple):
    """A certificate's fields, octets where their reading can wait."""

    tbs: bytes
    algorithm: SignatureAlgorithm
    signature: bytes
    serial: int
    issuer: Name
    validity: bytes
    subject: Name
    spki: bytes
    extensions: Mapping[str, Extension]


class Certificate:
    """One certificate. Immutable; equal when the DER is.

    Reading checks the form only: DER, version 3 fields, known extensions well formed. Whether it can be trusted is
    `yinxin.crypto.path.validate`'s to say.
    """

    def __init__(self, encoded: bytes) -> None:
        """Read DER; raises MalformedCertificate, MalformedKey or UnsupportedAlgorithm."""
        try:
            self._parts = _split(
                encoded, self._read_algorithm
            )  # first: what it refuses, the library below would only warn about
            #: every extension by object identifier
            self.extensions = self._parts.extensions
            self._parsed = x509.load_der_x509_certificate(encoded)  # holds every field it knows to DER
            self._values = values_of(self._parsed, self.extensions)
            self._read_constraints()
        except (MalformedDer, MalformedName, ValueError, TypeError, IndexError, x509.InvalidVersion) as error:
            raise MalformedCertificate(reason=str(error)) from error
        except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
            raise MalformedCertificate(reason=str(error)) from error
        self.der = encoded
        self.serial = self._parts.serial
        self.subject = self._parts.subject
        self.issuer = self._parts.issuer
        self.signature_algorithm = self._parts.algorithm
        self.public_key = self._read_key(self._parts.spki)

    @staticmethod
    def _read_key(spki: bytes) -> PublicKey:
        return public_key(spki)

    @staticmethod
    def _read_algorithm(identifier: bytes) -> SignatureAlgorithm:
        return algorithm_of(identifier, "certificate")

    def _read_constraints(self) -> None:
        """The extensions that a path must never pass over: read with the certificate, or the certificate is not."""
        read = self._read
        #: in which names the holder may issue (RFC 5280 4.2.1.10)
        self.name_constraints: NameConstraints | None = read(oids.NAME_CONSTRAINTS, NameConstraints.read)
        #: which of the issuer's policies are equal to which of the subject's (RFC 5280 4.2.1.5)
        self.policy_mappings: tuple[PolicyMapping, ...] = read(oids.POLICY_MAPPINGS, read_mappings) or ()
        #: RFC 5280 4.2.1.11
        self.policy_constraints: PolicyConstraints | None = read(
            oids.POLICY_CONSTRAINTS, PolicyConstraints.read
        )
        #: after how many further certificates anyPolicy means nothing (RFC 5280 4.2.1.14)
        self.inhibit_any_policy: int | None = read(oids.INHIBIT_ANY_POLICY, skip_certs)
        #: where its status is published (RFC 5280 4.2.1.13), and the deltas to that (4.2.1.15)
        self.crl_points: tuple[CrlPoint, ...] = read(oids.CRL_DISTRIBUTION_POINTS, read_points) or ()
        self.freshest_crl: tuple[CrlPoint, ...] = read(oids.FRESHEST_CRL, read_points) or ()

    def _read(self, oid: str, reader: Callable[[bytes], _Read]) -> _Read | None:
        extension = self.extensions.get(oid)
        if extension is None:
            return None
        if len(extension.value) <= _REMEMBERED_SIZE:
            return cast("_Read", _remembered(reader, extension.value))
        return _held(reader, extension.value)

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read one certificate in DER or PEM; raises MalformedCertificate, also when the PEM holds several."""
        if not pem.is_pem(data):
            return cls(data)
        found = cls.load_many(data)
        if len(found) != 1:
            raise MalformedCertificate(reason=f"{len(found)} certificates where one is expected")
        return found[0]

    @classmethod
    def load_many(cls, text: bytes) -> list[Self]:
        """Read every certificate of a PEM text, in order; raises MalformedCertificate when there is none."""
        try:
            blocks = pem.decode("CERTIFICATE", text)
        except ValueError as error:
            raise MalformedCertificate(reason=str(error)) from error
        if not blocks:
            raise MalformedCertificate(reason="no PEM certificate found")
        return [cls(block) for block in blocks]

    def signed_by(self, signature: bytes) -> Self:
        """The certificate of the same octets under another signature, without reading them once more.

        For whoever has just verified that signature over `tbs`.
        """
        tbs, algorithm, _ = der.elements(self.der)
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        for each in ("fingerprint", "pem"):
            other.__dict__.pop(each, None)
        other._parts = self._parts._replace(signature=signature)
        other.der = der.sequence(tbs, algorithm, der.bits(signature))
        return other

    # --- what it says ------------------------------------------------------------------------------------------

    @once
    def pem(self) -> str:
        """RFC 7468 text."""
        return pem.encode("CERTIFICATE", self.der)

    @once
    def fingerprint(self) -> str:
        """SHA-256 of the DER, hexadecimal: how pages and logs name it."""
        return hashlib.sha256(self.der).hexdigest()

    @once
    def not_before(self) -> datetime:
        """First instant of validity, aware, UTC."""
        return self._parsed.not_valid_before_utc

    @once
    def not_after(self) -> datetime:
        """Last instant of validity, aware, UTC; the certificate is still valid in that second."""
        return self._parsed.not_valid_after_utc

    @property
    def tbs(self) -> bytes:
        """The signed octets (TBSCertificate)."""
        return self._parts.tbs

    @property
    def validity(self) -> bytes:
        """DER of its Validity (RFC 5280 4.1.2.5)."""
        return self._parts.validity

    @property
    def signature(self) -> bytes:
        """The issuer's signature value."""
        return self._parts.signature

    def _extension(self, kind: type[_Value]) -> _Value | None:
        return cast("_Value | None", self._values.get(kind))

    @once
    def subject_key_id(self) -> bytes | None:
        """Subject key identifier (RFC 5280 4.2.1.2)."""
        extension = self.extensions.get(oids.SUBJECT_KEY_ID)
        return whole_octets(extension.value) if extension else None

    @once
    def authority_key_id(self) -> bytes | None:
        """Key identifier of the issuer (RFC 5280 4.2.1.1)."""
        value = self._extension(x509.AuthorityKeyIdentifier)
        return value.key_identifier if value else None

    @once
    def key_usage(self) -> frozenset[str] | None:
        """Names of `KEY_USAGES` (RFC 5280 4.2.1.3); None when the certificate does not say."""
        extension = self.extensions.get("2.5.29.15")
        if extension is None:
            return None
        return _usages(extension.value)

    @once
    def extended_key_usage(self) -> frozenset[str] | None:
        """Names of `EXTENDED_KEY_USAGES`, or dotted identifiers (RFC 5280 4.2.1.12); None when it does not say."""
        extension = self.extensions.get(oids.EXTENDED_KEY_USAGE)
        return _purposes(extension.value) if extension else None

    @once
    def is_ca(self) -> bool:
        """Whether basicConstraints says so."""
        value = self._extension(x509.BasicConstraints)
        return bool(value and value.ca)

    @once
    def path_length(self) -> int | None:
        """How many intermediate certificates may follow; None for no limit."""
        value = self._extension(x509.BasicConstraints)
        return value.path_length if value else None

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are one name (RFC 5280 6.1)."""
        return self.subject.matches(self.issuer)

    @once
    def san(self) -> tuple[GeneralName, ...]:
        """Subject alternative names as (kind, text), kinds as in `general_names`."""
        extension = self.extensions.get("2.5.29.17")
        return read_general_names(extension.value) if extension else ()

    @once
    def policies(self) -> tuple[str, ...]:
        """Certificate policies, dotted."""
        extension = self.extensions.get(oids.CERTIFICATE_POLICIES)
        return _policies(extension.value) if extension else ()

    @once
    def crl_urls(self) -> tuple[str, ...]:
        """Every address where a CRL that covers it is published (RFC 5280 4.2.1.13)."""
        return tuple(url for point in self.crl_points for url in point.urls)

    @once
    def ocsp_urls(self) -> tuple[str, ...]:
        """Where its status can be asked (RFC 5280 4.2.2.1)."""
        return self._access("1.3.6.1.5.5.7.48.1")

    @once
    def ca_issuer_urls(self) -> tuple[str, ...]:
        """Where its issuer's certificate is published (RFC 5280 4.2.2.1)."""
        return self._access("1.3.6.1.5.5.7.48.2")

    def _access(self, method: str) -> tuple[str, ...]:
        extension = self.extensions.get(oids.AUTHORITY_INFORMATION_ACCESS)
        if extension is None:
            return ()
        read = _access if len(extension.value) <= _REMEMBERED_SIZE else _access.__wrapped__
        return read(extension.value).get(method, ())

    # --- what it proves ----------------------------------------------------------------------------------------

    def issued_by(self, issuer: "Certificate") -> None:
        """Verify that `issuer`'s key signed this and that the names meet; raises WrongIssuer or BadSignature.

        Says nothing of validity, usage or revocation: that is `path.validate`.
        """
        expected = self.authority_key_id
        if not self.issuer.matches(issuer.subject) or expected not in (
            None,
            issuer.subject_key_id or expected,
        ):
            raise WrongIssuer(subject=self.subject.text, issuer=issuer.subject.text)
        issuer.public_key.verify(self.signature, self.tbs, self.signature_algorithm, what="certificate")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __reduce__(self) -> tuple[type[Self], tuple[bytes]]:
        return type(self), (self.der,)

    def __repr__(self) -> str:
        return f"<Certificate {self.subject.text} serial {self.serial:x}>"


def _held(reader: Callable[[bytes], _Read], value: bytes) -> _Read:
    """What an extension says that must be DER throughout."""
    der.check(value)
    return reader(value)


#: certificates of one issuer say the same of most of this
_remembered: Callable[[Callable[[bytes], Any], bytes], Any] = lru_cache(maxsize=1024)(_held)


@lru_cache(maxsize=128)
def _purposes(value: bytes) -> frozenset[str]:
    return frozenset(_PURPOSES.get(oid, oid) for oid in map(der.dotted, der.elements(value)))


@lru_cache(maxsize=128)
def _policies(value: bytes) -> tuple[str, ...]:
    return tuple(der.dotted(der.elements(each)[0]) for each in der.elements(value))


@lru_cache(maxsize=128)
def _usages(value: bytes) -> frozenset[str]:
    octets = der.content(value, der.BIT_STRING)[1:]
    given = int.from_bytes(octets.ljust(2, b"\0"), "big")
    return frozenset(name for name, position in KEY_USAGES.items() if given >> (15 - position) & 1)


@lru_cache(maxsize=256)
def _access(value: bytes) -> Mapping[str, tuple[str, ...]]:
    """By method, the addresses that an AuthorityInfoAccessSyntax gives."""
    found: dict[str, tuple[str, ...]] = {}
    for description in der.elements(value):
        method, place = der.elements(description)
        urls = (text for kind, text in read_general_names(der.sequence(place)) if kind == "uri")
        name = der.dotted(method)
        found[name] = (*found.get(name, ()), *urls)
    return found


def algorithm_of(identifier: bytes, what: str) -> SignatureAlgorithm:
    """The signature algorithm of an AlgorithmIdentifier; raises UnsupportedAlgorithm, MalformedDer.

    Parameters are absent; RSA has NULL (RFC 4055), and SM2 is met with and without.
    """
    name, *parameters = der.elements(identifier) or [b""]
    algorithm = signature_algorithm(der.dotted(name), what=what)
    if parameters and (parameters != [der.null()] or algorithm.family not in ("rsa", "sm2")):
        raise UnsupportedAlgorithm(what=what, algorithm=f"{algorithm.name} with parameters")
    return algorithm


def _split(encoded: bytes, read_algorithm: Callable[[bytes], SignatureAlgorithm]) -> _Parts:
    tbs, algorithm, signature = der.elements(encoded)
    version, serial, inner, issuer, validity, subject, spki, *rest = der.elements(tbs)
    if version != V3:
        raise MalformedCertificate(reason="not version 3")
    if inner != algorithm:
        raise MalformedCertificate(reason="the two signature algorithms differ")
    number = der.number(serial)
    if not 0 < number < 1 << 160:
        raise MalformedCertificate(reason="serial number is not positive or longer than 20 octets")
    return _Parts(
        tbs=tbs,
        algorithm=read_algorithm(algorithm),
        signature=der.octets_of_bits(signature),
        serial=number,
        issuer=Name(issuer),
        validity=validity,
        subject=Name(subject),
        spki=spki,
        extensions=_extensions(rest),
    )


def _extensions(rest: list[bytes]) -> Mapping[str, Extension]:
    """After the key: the unique identifiers that nobody writes any more (RFC 5280 4.1.2.8), then the extensions."""
    tags = [each[0] for each in rest]
    if tags != sorted(set(tags)) or not set(tags) <= {0x81, 0x82, 0xA3}:
        raise MalformedCertificate(reason="unknown fields after the key")
    return read_extensions(rest[-1], 3) if tags[-1:] == [0xA3] else {}
