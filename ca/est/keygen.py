"""A key made for its holder, on its way there: in the clear inside TLS, or sealed for whom the client names."""

from dataclasses import dataclass

from ca.enrolment import Credential
from ca.enrolment.errors import UnsupportedRequest
from ca.services import Service
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import envelop, envelop_shared
from yinxin.crypto.errors import Malformed
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.libcrypto import cleanse
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.signed_data import build
from yinxin.text import Text


@dataclass(frozen=True)
class Recipient:
    """For whom the key is sealed: a public key, a shared secret's name, or nobody beside TLS."""

    public_key: PublicKey | Certificate | None = None
    shared: bytes = b""

    @property
    def sealed(self) -> bool:
        """Whether the key leaves as a CMS envelope."""
        return self.public_key is not None or bool(self.shared)


@dataclass(frozen=True)
class Delivery:
    """The key as it stands in the answer: DER, a PrivateKeyInfo or a CMS envelope. Secret when it is not sealed."""

    octets: bytes
    sealed: bool

    def __repr__(self) -> str:
        return f"<Delivery {'sealed' if self.sealed else 'in the clear'}>"

    @classmethod
    def wanted(cls, request: CertificationRequest, known: Credential, peer: Certificate | None) -> Recipient:
        """For whom the client asks the key to be sealed (RFC 7030 4.4.1); raises UnsupportedRequest.

        Asymmetric: the key in the request itself, or the one of the client's TLS certificate. Symmetric: the
        credential's own secret, named by the credential's identifier.
        """
        shared = _identifier(request, oids.DECRYPT_KEY_ID)
        asymmetric = _identifier(request, oids.ASYMMETRIC_DECRYPT_KEY_ID)
        if shared is None and asymmetric is None:
            return Recipient()
        if shared is not None:
            if asymmetric is None and shared == known.id.encode():
                return Recipient(shared=shared)
            raise UnsupportedRequest(
                what="DecryptKeyIdentifier",
                remedy=Text("只能是所用凭据的标识", "it must be the identifier of the credential in use"),
            )
        for candidate in (request.public_key, peer):
            key = candidate.public_key if isinstance(candidate, Certificate) else candidate
            if candidate is not None and key is not None and key.key_id == asymmetric:
                if candidate is request.public_key:
                    request.verify()
                return Recipient(candidate)
        raise UnsupportedRequest(
            what="AsymmetricDecryptKeyIdentifier",
            remedy=Text(
                "只能是申请中公钥或客户端证书公钥的标识（SHA-1）",
                "it must be the identifier (SHA-1) of the request's key or of the client certificate's",
            ),
        )


def seal(recipient: Recipient, key: PrivateKey, agent: Service | None, secret: bytes) -> Delivery:
    """The key for its recipient: signed by the agent that made it, then encrypted (RFC 7030 4.4.2, RFC 5958)."""
    pkcs8 = key.pkcs8()
    if agent is None:
        return Delivery(pkcs8, sealed=False)
    package = der.sequence(pkcs8)
    signed = build(
        signer=agent.signer,
        certificate=agent.certificate,
        certificates=(agent.certificate, *agent.chain[:-1]),
        content=package,
        embed=True,
        content_type=oids.KEY_PACKAGE,
    )
    # what is encrypted is the SignedData itself, without the ContentInfo around it (RFC 5652 6.1)
    content = der.tagged(der.elements(signed)[1], 0)
    try:
        if recipient.public_key is not None:
            return Delivery(
                envelop(content, recipient.public_key, content_type=oids.SIGNED_DATA), sealed=True
            )
        name = recipient.shared
        return Delivery(envelop_shared(content, secret, name, content_type=oids.SIGNED_DATA), sealed=True)
    finally:
        for each in (pkcs8, package, signed, content):
            cleanse(each)


def _identifier(request: CertificationRequest, attribute: str) -> bytes | None:
    values = request.attributes.get(attribute)
    if values is None:
        return None
    try:
        (value,) = values
        return der.content(value, der.OCTET_STRING)
    except (Malformed, ValueError) as error:
        raise UnsupportedRequest(
            what=attribute, remedy=Text("须为单个 OCTET STRING", "it must be one OCTET STRING")
        ) from error
