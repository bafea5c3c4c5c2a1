"""RecipientInfo (RFC 5652 6.2): how a content key reaches whoever holds a key, by whichever way that kind of key has.

RSA and SM2 by key transport, elliptic curves by ephemeral agreement (RFC 5753), ML-KEM by encapsulation (RFC 9629).
"""

from collections.abc import Iterable

from yinxin.crypto import der, kem_recipient
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.kem_recipient import KemRecipient, encapsulated
from yinxin.crypto.key_transport import agree, agreed, opened, transport
from yinxin.crypto.keys import PrivateKey, PublicKey

Recipient = Certificate | PublicKey


def info_for(recipient: Recipient, key: bytes, *, oaep: bool = True) -> bytes:
    """RecipientInfo with `key` for the recipient; raises UnsupportedAlgorithm for a key that only signs.

    A certificate is named by issuer and serial number, a key by its identifier.
    """
    public_key = key_of(recipient)
    if public_key.algorithm.startswith("ecdsa"):
        return der.implicit(1, agree(public_key, _named_for_agreement(recipient), key))
    if public_key.algorithm.startswith("ml-kem"):
        return encapsulated(public_key, named(recipient), key)
    algorithm, encrypted = transport(public_key, key, oaep=oaep)
    by_name = isinstance(recipient, Certificate)
    return der.sequence(der.integer(0 if by_name else 2), named(recipient), algorithm, der.octets(encrypted))


def version_with(info: bytes) -> int:
    """Version of the EnvelopedData that has this one recipient and nothing unusual (RFC 5652 6.1)."""
    if info[0] == kem_recipient.TAG:
        return 3
    # version 0 goes with issuer-and-serial recipients only
    return 0 if info[0] == der.SEQUENCE and der.elements(info)[0] == der.integer(0) else 2


def key_for(infos: Iterable[bytes], recipient: Recipient, pkcs8: bytes) -> bytes | None:
    """The content key, by the recipient's private key (DER PrivateKeyInfo, for this moment only); None when it is for others.

    Raises ValueError, MalformedDer or CannotDecrypt when it does not open, UnsupportedAlgorithm.
    """
    for info in infos:
        if info[0] == der.SEQUENCE:
            _, name, algorithm, encrypted = der.elements(info)
            if name == named(recipient):
                return opened(pkcs8, algorithm, der.content(encrypted, der.OCTET_STRING))
        elif info[0] == 0xA1:
            key = agreed(pkcs8, key_of(recipient), info, _named_for_agreement(recipient))
            if key is not None:
                return key
        elif info[0] == kem_recipient.TAG:
            asked = KemRecipient.read(info)
            if asked is not None and asked.rid == named(recipient):
                return asked.opened(PrivateKey.load(pkcs8, proved=True))
    return None


def key_of(recipient: Recipient) -> PublicKey:
    """The recipient's key."""
    return recipient if isinstance(recipient, PublicKey) else recipient.public_key


def named(recipient: Recipient) -> bytes:
    """RecipientIdentifier (RFC 5652 6.2.1)."""
    if isinstance(recipient, PublicKey):
        return der.tlv(0x80, recipient.key_id)
    return der.sequence(recipient.issuer.der, der.integer(recipient.serial))


def _named_for_agreement(recipient: Recipient) -> bytes:
    """KeyAgreeRecipientIdentifier (RFC 5652 6.2.2): a key identifier stands in a RecipientKeyIdentifier."""
    if isinstance(recipient, PublicKey):
        return der.tlv(0xA0, der.octets(recipient.key_id))
    return named(recipient)
