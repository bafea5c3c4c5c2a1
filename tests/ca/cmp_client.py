"""A client of CMP that can also do everything wrong. OpenSSL's is the judge of what is right (test_protocol_clients)."""

from dataclasses import dataclass, field, replace
from typing import Any

from ca.cmp.message import Body, Header, Message, assemble, body_of, directory_name
from ca.enrolment import Protocol
from tests.ca.conftest import Site
from tests.ca.protocols import client_of, granted
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.general_names import GeneralName, write_general_names
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.oids import Extension
from yinxin.crypto.password_mac import PBM, PasswordMac
from yinxin.crypto.suite import INTL
from yinxin.randomness import SystemRandomness

MEDIA_TYPE = "application/pkixcmp"
_RANDOM = SystemRandomness()


def template(
    key: PrivateKey, name: str = "gateway-7", san: list[GeneralName] | None = None, *, controls: bytes = b""
) -> bytes:
    """CertRequest."""
    fields = [
        der.explicit(5, Name.of({"commonName": name} if name else {}).der),
        der.implicit(6, key.public_key.spki),
    ]
    if san:
        extension = Extension(oids.SUBJECT_ALTERNATIVE_NAME, False, write_general_names(san))
        fields.append(der.implicit(9, der.sequence(extension.der)))
    return der.sequence(der.integer(0), der.sequence(*fields), controls)


def requests(key: PrivateKey, request: bytes | None = None, proof: bytes | None = None) -> bytes:
    """CertReqMessages with one request, its key proved."""
    request = request or template(key)
    if proof is None:
        signed = der.sequence(key.public_key.signature_algorithm.identifier, der.bits(key.sign(request)))
        proof = der.implicit(1, signed)
    return der.sequence(der.sequence(request, proof))


@dataclass
class Peer:
    """One client: a credential or a certificate with its key."""

    site: Site
    reference: str = ""
    secret: str = ""
    certificate: Certificate | None = None
    key: PrivateKey | None = None
    path: str = "/cmp"
    kind: str = PBM
    http: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.http = client_of(self.site)

    @classmethod
    def new(cls, site: Site, **parts: Any) -> "Peer":
        known, secret = granted(site, Protocol.CMP, **parts)
        return cls(site, known.id, secret)

    def header(self, **parts: Any) -> Header:
        """A header that is right, but for `parts`."""
        name = self.certificate.subject if self.certificate else Name.of({"commonName": "device"})
        given = {
            "version": 2,
            "sender": directory_name(name),
            "recipient": directory_name(Name.of({"commonName": "ca"})),
            "transaction": _RANDOM.token(16),
            "sender_nonce": _RANDOM.token(16),
            "time": self.site.clock.now().replace(microsecond=0),
        }
        return Header(**{**given, **parts})

    def message(self, kind: Body, content: bytes, *, way: PasswordMac | None = None, **parts: Any) -> bytes:
        """A message of this sender."""
        header, body = self.header(**parts), body_of(kind, content)
        if self.certificate is not None:
            assert self.key is not None
            algorithm = self.key.public_key.signature_algorithm
            header = replace(header, protection=algorithm.identifier)
            signature = self.key.sign(der.sequence(header.der, body))
            return assemble(header, body, signature, [self.certificate])
        way = way or PasswordMac.fresh(self.kind, bytes(16))
        header = replace(header, protection=way.identifier, sender_key=self.reference.encode())
        return assemble(header, body, way.mac(self.secret.encode(), der.sequence(header.der, body)))

    def send(self, message: bytes) -> Message:
        """The answer; its form is checked, its protection where we share the secret."""
        answer = self.http.post(self.path, data=message, content_type=MEDIA_TYPE)
        assert (answer.status_code, answer.content_type) == (200, MEDIA_TYPE), answer.data[:200]
        found = Message.load(answer.data)
        if found.protection is not None and self.certificate is None:
            way = PasswordMac.read(found.header.protection)
            way.verify(self.secret.encode(), found.protected, found.protection)
        return found

    def ask(self, kind: Body, content: bytes, **parts: Any) -> Message:
        return self.send(self.message(kind, content, **parts))

    def follow(self, answer: Message, kind: Body, content: bytes, **parts: Any) -> Message:
        """The next message of the answer's transaction."""
        header = answer.header
        given = {"transaction": header.transaction, "recipient_nonce": header.sender_nonce}
        return self.ask(kind, content, **{**given, **parts})

    def confirm(self, answer: Message, **parts: Any) -> Message:
        """Accept the certificate of an answer."""
        digest = parts.pop("digest", None) or INTL.hash.digest(issued(answer).der)
        return self.follow(answer, Body.CERTCONF, confirmation(digest, parts.pop("status", None)), **parts)

    def enrolled(self, name: str = "gateway-7") -> "Peer":
        """A client that has a certificate, had by this one."""
        key = PrivateKey.generate(INTL)
        answer = self.ask(Body.IR, requests(key, template(key, name)))
        assert self.confirm(answer).kind is Body.PKICONF
        return Peer(self.site, certificate=issued(answer), key=key)


def confirmation(digest: bytes, status: int | None = None, *, more: bytes = b"") -> bytes:
    info = der.sequence(der.integer(status)) if status is not None else b""
    return der.sequence(der.sequence(der.octets(digest), der.integer(0), info, more))


def status(answer: Message) -> tuple[int, int | None, str]:
    """(PKIStatus, bit of the failure, what is said) of an answer's only response, or of an error."""
    info = der.elements(answer.content)[0] if answer.kind is Body.ERROR else _first(answer)
    number, *rest = der.elements(info)
    words = (
        [der.content(each).decode() for each in der.elements(rest[0])] if rest and rest[0][0] == 0x30 else []
    )
    bits = [each for each in rest if each[0] == der.BIT_STRING]
    bit = None
    if bits:
        value = der.content(bits[0])
        bit = 8 * (len(value) - 1) - value[0] - 1
    return der.number(number), bit, "\n".join(words)


def _first(answer: Message) -> bytes:
    fields = der.elements(answer.content)
    if answer.kind is Body.RP:
        return der.elements(fields[0])[0]
    return der.elements(der.elements(fields[-1])[0])[1]


def issued(answer: Message) -> Certificate:
    """The certificate of ip, cp or kup."""
    response = der.elements(der.elements(der.elements(answer.content)[-1])[0])
    pair = response[2]
    return Certificate(der.tagged(der.elements(pair)[0], 0))
