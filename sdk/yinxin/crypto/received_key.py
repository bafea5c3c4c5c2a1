"""The holder's side of a pair: opening the envelope in which her encryption key came, whatever form it has."""

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.enveloped_data import EnvelopedData
from yinxin.crypto.enveloped_key import open_enveloped
from yinxin.crypto.errors import CannotDecrypt, KeyMismatch, MalformedKey
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.libcrypto import cleanse


def open_received(
    envelope: bytes, key: PrivateKey, certificate: Certificate, *, encryption: Certificate | None = None
) -> PrivateKey:
    """The encryption key in `envelope`, opened by the signing `key` of `certificate`.

    With `encryption`, its certificate, the key is held against it: KeyMismatch when it is another one. Raises
    MalformedKey when the envelope has no form known here, CannotDecrypt when it is for somebody else.
    """
    opened = _opened(envelope, key, certificate)
    if encryption is not None and encryption.public_key != opened.public_key:
        raise KeyMismatch(subject=encryption.subject.text)
    return opened


def _opened(envelope: bytes, key: PrivateKey, certificate: Certificate) -> PrivateKey:
    if certificate.public_key.algorithm == "sm2":
        try:
            return open_enveloped(key, envelope)
        except MalformedKey:  # not an SM2EnvelopedKey: an EnvelopedData of GB/T 35275, or nothing
            pass
    data, own = EnvelopedData.load(envelope), key.pkcs8()
    try:
        try:
            opened = data.open(certificate, own)
        except CannotDecrypt:  # its recipient may be named by the key
            opened = data.open(certificate.public_key, own)
    finally:
        cleanse(own)
    try:
        return PrivateKey.load(opened)
    finally:
        cleanse(opened)
