"""CertReqMessages (RFC 4211, RFC 9810 5.2): what is asked for, and the proof that the key is held."""

from dataclasses import dataclass
from typing import Self

from ca.cmp.errors import BadMessage, BadPossession
from ca.request import Application
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import algorithm_of
from yinxin.crypto.errors import Malformed
from yinxin.crypto.general_names import read_general_names
from yinxin.crypto.keys import PublicKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension

#: regCtrl-oldCertID (RFC 4211 6.5): which certificate a key update replaces
_OLD_CERT_ID = "1.3.6.1.5.5.7.5.1.5"
#: the choices of ProofOfPossession that are no signature
_OTHER_PROOFS = {0xA0: "raVerified", 0x80: "raVerified", 0xA2: "keyEncipherment", 0xA3: "keyAgreement"}


@dataclass(frozen=True)
class Template:
    """CertTemplate, as far as it is looked at."""

    issuer: Name | None
    serial: int | None
    subject: Name
    spki: bytes | None
    extensions: tuple[Extension, ...]

    @classmethod
    def read(cls, encoded: bytes) -> Self:
        """Read a CertTemplate; raises MalformedDer or ValueError."""
        fields = {field[0] & 0x1F: field for field in der.elements(encoded)}
        return cls(
            issuer=Name(der.content(fields[3])) if 3 in fields else None,
            serial=int.from_bytes(der.content(fields[1]), "big", signed=True) if 1 in fields else None,
            subject=Name(der.content(fields[5])) if 5 in fields else Name.of([]),
            spki=der.tlv(der.SEQUENCE, der.content(fields[6])) if 6 in fields else None,
            extensions=tuple(map(Extension.read, der.elements(fields[9], 0xA9))) if 9 in fields else (),
        )


@dataclass(frozen=True)
class CertRequest:
    """One certificate that is asked for, its key shown to be held."""

    number: int
    application: Application
    #: (issuer's name in DER, serial number) of the certificate to be replaced, where it is named
    replaces: tuple[bytes, int] | None


def read_requests(content: bytes) -> CertRequest:
    """The one request of CertReqMessages (RFC 9483 4.1.1 knows no more); raises BadMessage, BadPossession, BadSignature.

    Raises MalformedKey and UnsupportedAlgorithm for the key as well.
    """
    try:
        (message,) = der.elements(content)
        request, *rest = der.elements(message)
        number, template, *controls = der.elements(request)
        asked = Template.read(template)
        der.require(asked.spki is not None, "no public key")
        san = [each for each in asked.extensions if each.oid == oids.SUBJECT_ALTERNATIVE_NAME]
        names = tuple(name for each in san for name in read_general_names(each.value))
        replaces = _replaces(controls[0]) if controls else None
        key = PublicKey(asked.spki or b"")
        _prove(key, request, rest[0] if rest else b"")
    except (Malformed, ValueError, IndexError) as error:
        raise BadMessage(reason=str(error)) from error
    return CertRequest(der.number(number), Application(key, asked.subject, names), replaces)


def _replaces(controls: bytes) -> tuple[bytes, int] | None:
    for control in der.elements(controls):
        name, *value = der.elements(control)
        if der.dotted(name) == _OLD_CERT_ID:
            issuer, serial = der.elements(value[0])
            return der.tagged(issuer, 4), der.number(serial)
    return None


def _prove(key: PublicKey, request: bytes, proof: bytes) -> None:
    """The signature of the key over the request itself (RFC 4211 4.1, without poposkInput)."""
    if not proof or proof[0] in _OTHER_PROOFS:
        raise BadPossession(kind=_OTHER_PROOFS.get(proof[0], "-") if proof else "-")
    fields = der.elements(proof, 0xA1)
    if len(fields) != 2:
        # poposkInput is for requests without a subject, which could be moved to another sender
        raise BadPossession(kind="poposkInput")
    algorithm, signature = fields
    key.verify(der.octets_of_bits(signature), request, algorithm_of(algorithm, "request"), what="certification request")  # fmt: skip


def read_revocation(content: bytes) -> tuple[Template, int]:
    """The one certificate that an rr names, and the reason code it gives (0 for none); raises BadMessage."""
    try:
        (details,) = der.elements(content)
        template, *extensions = der.elements(details)
        asked = Template.read(template)
        der.require(asked.issuer is not None and asked.serial is not None, "no issuer or serial number")
        for extension in map(Extension.read, der.elements(extensions[0]) if extensions else ()):
            if extension.oid == oids.REASON_CODE:
                return asked, der.number(extension.value)
    except (Malformed, ValueError, IndexError) as error:
        raise BadMessage(reason=str(error)) from error
    return asked, 0
