"""Certification requests (PKCS#10, RFC 2986): made by applicants, checked by the certification authority."""

from collections.abc import Mapping, Sequence
from typing import Self

from yinxin.crypto import der, oids, pem
from yinxin.crypto.certificates import algorithm_of
from yinxin.crypto.errors import Malformed, MalformedRequest
from yinxin.crypto.general_names import GeneralName, read_general_names, write_general_names
from yinxin.crypto.keys import PublicKey, Signer
from yinxin.crypto.names import Name, Pairs
from yinxin.crypto.oids import Extension
from yinxin.crypto.public_key import public_key

_V1 = der.integer(0)
_T61 = 0x14  # TeletexString, as older clients write what is ASCII


class CertificationRequest:
    """A request as its applicant made it. Immutable. `verify` before believing that they hold the key."""

    def __init__(self, encoded: bytes) -> None:
        """Read DER; raises MalformedRequest, MalformedKey or UnsupportedAlgorithm."""
        try:
            der.check(encoded)
            self._info, algorithm, signature = der.elements(encoded)
            version, subject, spki, *attributes = der.elements(self._info)
            der.require(version == _V1, "not version 1")
            self._signature = der.octets_of_bits(signature)
            #: the name asked for
            self.subject = Name(subject)
            #: the attributes, each with its values in DER, by object identifier
            self.attributes = _attributes(attributes)
            #: the extensions asked for, by object identifier (RFC 2985 5.4.2)
            self.extensions = _requested(self.attributes.get(oids.EXTENSION_REQUEST, ()))
            transport = self.attributes.get(oids.TRANSPORT_KEY, ())
            der.require(len(transport) <= 1, "several transport keys")
            san = self.extensions.get(oids.SUBJECT_ALTERNATIVE_NAME)
            #: the alternative names asked for
            self.san: tuple[GeneralName, ...] = read_general_names(san.value) if san else ()
        except (Malformed, ValueError, IndexError) as error:
            raise MalformedRequest(kind="PKCS#10", reason=str(error)) from error
        self.der = encoded
        self.signature_algorithm = algorithm_of(algorithm, "request")
        self.public_key = public_key(spki)
        #: to which an encryption key shall be delivered, when the key of the request opens nothing itself; signed with it
        self.transport_key = PublicKey(transport[0]) if transport else None

    @classmethod
    def build(
        cls,
        signer: Signer,
        subject: Name | Mapping[str, str] | Pairs,
        san: Sequence[GeneralName] = (),
        *,
        transport: PublicKey | None = None,
    ) -> Self:
        """A request for `signer`'s key; raises MalformedName or MalformedTemplate.

        `transport` is the key to which the encryption key of a pair is delivered, where `signer`'s opens nothing (ML-DSA).
        """
        name = subject if isinstance(subject, Name) else Name.of(subject)
        attributes = []
        if san:
            extension = Extension(oids.SUBJECT_ALTERNATIVE_NAME, False, write_general_names(san))
            attributes.append((oids.EXTENSION_REQUEST, der.sequence(extension.der)))
        if transport is not None:
            attributes.append((oids.TRANSPORT_KEY, transport.spki))
        written = sorted(der.sequence(der.oid(oid), der.set_of([value])) for oid, value in attributes)
        key = signer.public_key
        info = der.sequence(der.integer(0), name.der, key.spki, der.tlv(0xA0, b"".join(written)))
        return cls(der.sequence(info, key.signature_algorithm.identifier, der.bits(signer.sign(info))))

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Read one request in DER or PEM; raises MalformedRequest, MalformedKey or UnsupportedAlgorithm."""
        if not pem.is_pem(data):
            return cls(data)
        try:
            blocks = pem.decode("CERTIFICATE REQUEST", data) or pem.decode("NEW CERTIFICATE REQUEST", data)
            (block,) = blocks
        except ValueError as error:
            raise MalformedRequest(kind="PKCS#10", reason="not one PEM request") from error
        return cls(block)

    @property
    def pem(self) -> str:
        """RFC 7468 text."""
        return pem.encode("CERTIFICATE REQUEST", self.der)

    @property
    def challenge_password(self) -> str | None:
        """The challenge password (RFC 2985 5.4.1), a secret; raises MalformedRequest when it is no text."""
        values = self.attributes.get(oids.CHALLENGE_PASSWORD, ())
        if not values:
            return None
        try:
            (value,) = values
            der.require(value[0] in (der.UTF8, der.PRINTABLE, der.IA5, _T61), "not a DirectoryString")
            return der.content(value).decode()
        except (Malformed, ValueError) as error:
            raise MalformedRequest(kind="PKCS#10", reason="challengePassword") from error

    def verify(self) -> None:
        """Verify proof of possession: the signature by the very key that is to be certified; raises BadSignature."""
        self.public_key.verify(
            self._signature, self._info, self.signature_algorithm, what="certification request"
        )

    def __repr__(self) -> str:
        return f"<CertificationRequest {self.subject.text}>"


def _attributes(fields: Sequence[bytes]) -> dict[str, tuple[bytes, ...]]:
    found: dict[str, tuple[bytes, ...]] = {}
    for attribute in (each for field in fields for each in der.elements(field, 0xA0)):
        kind, values = der.elements(attribute)
        name = der.dotted(kind)
        if name in found:
            raise ValueError(f"attribute {name} stands there twice")
        found[name] = tuple(der.elements(values, der.SET))
    return found


def _requested(values: Sequence[bytes]) -> dict[str, Extension]:
    found: dict[str, Extension] = {}
    if len(values) > 1:
        raise ValueError("the extension request has several values")
    for extension in (Extension.read(each) for wanted in values for each in der.elements(wanted)):
        if extension.oid in found:
            raise ValueError(f"extension {extension.oid} is asked for twice")
        found[extension.oid] = extension
    return found
