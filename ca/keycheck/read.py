"""The key that a file is about: a certificate, a request, a public key, or the private key itself as proof."""

from cryptography.hazmat.primitives import serialization

from ca.errors import NoKeyInFile
from yinxin.crypto import pem
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import Malformed, UnsupportedAlgorithm
from yinxin.crypto.keys import PrivateKey, PublicKey
from yinxin.crypto.requests import CertificationRequest
from yinxin.errors import YinxinError


def key_in(data: bytes, file: str) -> PublicKey:
    """The public key of a file in PEM; raises NoKeyInFile. A private key is read for its public part and let go."""
    try:
        for label, read in _READERS.items():
            if blocks := pem.decode(label, data):
                return read(blocks[0])
    except (YinxinError, ValueError) as error:
        raise NoKeyInFile(file=file) from error
    raise NoKeyInFile(file=file)


def _of_any_private_key(encoded: bytes) -> PublicKey:
    """A key of any size or kind that the library reads: what is published as proof need not be fit for use."""
    try:
        return PrivateKey.load(encoded).public_key
    except (Malformed, UnsupportedAlgorithm):
        key = serialization.load_der_private_key(encoded, password=None)
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return PublicKey(key.public_key().public_bytes(serialization.Encoding.DER, form))


_READERS = {
    "CERTIFICATE": lambda block: Certificate(block).public_key,
    "CERTIFICATE REQUEST": lambda block: CertificationRequest(block).public_key,
    "PUBLIC KEY": PublicKey,
    "PRIVATE KEY": _of_any_private_key,
    "RSA PRIVATE KEY": _of_any_private_key,
    "EC PRIVATE KEY": _of_any_private_key,
}
