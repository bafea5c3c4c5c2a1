"""The holder's side of a pair: opening the envelope in which her encryption key came, whatever form it has."""

from yinxin.crypto.authenticated_envelope import AuthenticatedEnvelope, is_authenticated
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import EnvelopedData
from yinxin.crypto.enveloped_key import open_enveloped
from yinxin.crypto.errors import CannotDecrypt, KeyMismatch, MalformedKey
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.libcrypto import cleanse


def open_received(
    envelope: bytes,
    key: PrivateKey,
    certificate: Certificate | None,
    *,
    encryption: Certificate | None = None,
) -> PrivateKey:
    """The encryption key in `envelope`, opened by `key`: the signing key of `certificate`, or the transport key.

    A signing key that only signs (ML-DSA) opens nothing: the request for such a pair brought a transport key, and that one
    is given here, with no certificate. With `encryption`, the certificate of what is inside, the key is held against it:
    KeyMismatch when it is another one. Raises MalformedKey when the envelope has no form known here, CannotDecrypt when it is
    for somebody else.
    """
    opened = _opened(envelope, key, certificate)
    if encryption is not None and encryption.public_key != opened.public_key:
        raise KeyMismatch(subject=encryption.subject.text)
    return opened


def _opened(envelope: bytes, key: PrivateKey, certificate: Certificate | None) -> PrivateKey:
    if key.public_key.algorithm == "sm2":
        try:
            return open_enveloped(key, envelope)
        except MalformedKey:  # not an SM2EnvelopedKey: an EnvelopedData of GB/T 35275, or nothing
            pass
    data = (
        AuthenticatedEnvelope.load(envelope) if is_authenticated(envelope) else EnvelopedData.load(envelope)
    )
    own = key.pkcs8()
    try:
        opened = _content(data, key, certificate, own)
    finally:
        cleanse(own)
    try:
        return PrivateKey.load(opened)
    finally:
        cleanse(opened)


def _content(
    data: EnvelopedData | AuthenticatedEnvelope, key: PrivateKey, certificate: Certificate | None, own: bytes
) -> bytes:
    """Its recipient is named by the certificate, or by the key."""
    if certificate is not None:
        try:
            return data.open(certificate, own)
        except CannotDecrypt:
            pass
    return data.open(key.public_key, own)
