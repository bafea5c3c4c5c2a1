"""PKCS#12 files (RFC 7292) for keys of every suite.

One form is written: key and certificates under PBES2 (PBKDF2-HMAC-SHA256, AES-256-CBC; RFC 8018), the whole under
HMAC-SHA256. OpenSSL, browsers and `cryptography` read it; the general libraries refuse SM2 keys, so it is written and
read here. Older password schemes (RC2, 3DES, SHA-1) are refused: they protect nothing.
"""

import hmac
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from asn1crypto import pkcs12
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from yinxin import files
from yinxin.crypto import der, oids
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.errors import CannotOpenKeyFile, Malformed, UnsupportedAlgorithm, WrongPassword
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.libcrypto import ffi, library, must

#: fifty times OpenSSL's default, about a tenth of a second; every reader known accepts it
ITERATIONS = 100_000
_MOST_ITERATIONS = 10_000_000  # a hostile file must not hold the reader for minutes

_SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2"
_CERT_BAG = "1.2.840.113549.1.12.10.1.3"
_X509_CERTIFICATE = "1.2.840.113549.1.9.22.1"
_LOCAL_KEY_ID = "1.2.840.113549.1.9.21"
_FRIENDLY_NAME = "1.2.840.113549.1.9.20"
_PBES2, _PBKDF2 = "1.2.840.113549.1.5.13", "1.2.840.113549.1.5.12"
_HMAC_SHA256, _AES256_CBC, _SHA256 = "1.2.840.113549.2.9", "2.16.840.1.101.3.4.1.42", "2.16.840.1.101.3.4.2.1"


class _WrongPassword(ValueError):
    """The MAC does not hold."""


def save(identity: Identity, path: Path, password: str) -> None:
    """Write `identity` to `path`: mode 0600, whole or not at all, on disk when this returns.

    A key that is not a `PrivateKey` cannot leave where it is: UnsupportedAlgorithm.
    """
    if not isinstance(identity.key, PrivateKey):
        raise UnsupportedAlgorithm(what="PKCS#12 file", algorithm="a key that never leaves its device")
    files.replace(path, encode(identity.key, (identity.certificate, *identity.chain), password), mode=0o600)


def load(path: Path, password: str) -> Identity:
    """Read `path`; raises CannotOpenKeyFile when the password is wrong, or the file is damaged or of an old scheme."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CannotOpenKeyFile(path=str(path), reason=error.strerror) from error
    try:
        return decode(data, password)
    except _WrongPassword as error:
        raise WrongPassword(path=str(path)) from error
    except (Malformed, UnsupportedAlgorithm, ValueError, TypeError, KeyError) as error:
        raise CannotOpenKeyFile(path=str(path), reason=str(error)) from error


# --- writing ---------------------------------------------------------------------------------------------------


def encode(key: PrivateKey, certificates: Sequence[Certificate], password: str) -> bytes:
    """The PFX of a key and its certificates, the key's own certificate first."""
    salt = secrets.token_bytes(16)
    secret = _pbkdf2(password, salt, ITERATIONS)
    local = certificates[0].public_key.key_id
    bags = [_certificate_bag(each, local if each is certificates[0] else None) for each in certificates]
    algorithm, encrypted = _encrypt(secret, salt, der.sequence(*bags))
    content = der.sequence(der.oid(oids.DATA), algorithm, der.implicit(0, der.octets(encrypted)))
    sealed = der.sequence(
        der.oid(oids.ENCRYPTED_DATA), der.explicit(0, der.sequence(der.integer(0), content))
    )
    algorithm, encrypted = _encrypt(secret, salt, key.pkcs8())
    shrouded = der.sequence(algorithm, der.octets(encrypted))
    attributes = _attributes(local, certificates[0].subject.common_name)
    key_bag = der.sequence(der.oid(_SHROUDED_KEY_BAG), der.explicit(0, shrouded), attributes)
    contents = der.sequence(sealed, _data(der.sequence(key_bag)))
    return der.sequence(der.integer(3), _data(contents), _mac(contents, password))


def _data(octets: bytes) -> bytes:
    return der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(octets)))


def _certificate_bag(certificate: Certificate, local: bytes | None) -> bytes:
    value = der.sequence(der.oid(_X509_CERTIFICATE), der.explicit(0, der.octets(certificate.der)))
    attributes = _attributes(local, certificate.subject.common_name)
    return der.sequence(der.oid(_CERT_BAG), der.explicit(0, value), attributes)


def _attributes(local: bytes | None, name: str) -> bytes:
    found = []
    if local:
        found.append(der.sequence(der.oid(_LOCAL_KEY_ID), der.set_of([der.octets(local)])))
    if name:
        bmp = name.encode("utf-16-be", "replace")
        found.append(der.sequence(der.oid(_FRIENDLY_NAME), der.set_of([der.tlv(0x1E, bmp)])))
    return der.set_of(found) if found else b""


def _encrypt(secret: bytes, salt: bytes, plaintext: bytes) -> tuple[bytes, bytes]:
    vector = secrets.token_bytes(16)
    pad = padding.PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(secret), modes.CBC(vector)).encryptor()
    encrypted = cipher.update(pad.update(plaintext) + pad.finalize()) + cipher.finalize()
    function = der.sequence(der.oid(_HMAC_SHA256), der.null())
    derivation = der.sequence(der.octets(salt), der.integer(ITERATIONS), der.integer(32), function)
    scheme = der.sequence(der.oid(_AES256_CBC), der.octets(vector))
    parameters = der.sequence(der.sequence(der.oid(_PBKDF2), derivation), scheme)
    return der.sequence(der.oid(_PBES2), parameters), encrypted


def _mac(contents: bytes, password: str) -> bytes:
    salt = secrets.token_bytes(16)
    value = hmac.digest(_mac_key(password, salt, ITERATIONS), contents, "sha256")
    info = der.sequence(der.sequence(der.oid(_SHA256), der.null()), der.octets(value))
    return der.sequence(info, der.octets(salt), der.integer(ITERATIONS))


# --- reading ---------------------------------------------------------------------------------------------------


def decode(data: bytes, password: str) -> Identity:
    """Read a PFX; raises ValueError with the reason, or what reading its key and certificates raises."""
    try:
        pfx = pkcs12.Pfx.load(data, strict=True)
        contents = bytes(pfx["auth_safe"]["content"].native)
        mac = pfx["mac_data"]
        kind, expected = mac["mac"]["digest_algorithm"]["algorithm"].native, mac["mac"]["digest"].native
        salt, rounds = mac["mac_salt"].native, mac["iterations"].native
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError("not a PKCS#12 file with a MAC") from error
    if kind != "sha256":
        raise ValueError(f"its MAC uses {kind}; export it again with SHA-256")
    if not hmac.compare_digest(hmac.digest(_mac_key(password, salt, rounds), contents, "sha256"), expected):
        raise _WrongPassword
    bags = list(_bags(pkcs12.AuthenticatedSafe.load(contents, strict=True), _Opener(password)))
    keys = [key for key in bags if isinstance(key, PrivateKey)]
    certificates = [each for each in bags if isinstance(each, Certificate)]
    if len(keys) != 1:
        raise ValueError(f"it holds {len(keys)} private keys, not one")
    own = next((each for each in certificates if each.public_key == keys[0].public_key), None)
    if own is None:
        raise ValueError("no certificate in it belongs to its key")
    return Identity(keys[0], own, tuple(each for each in certificates if each is not own))


def _bags(safe: Any, opener: "_Opener") -> Iterable[PrivateKey | Certificate]:
    for part in safe:
        if part["content_type"].native == "data":
            content = part["content"].native
        else:
            info = part["content"]["encrypted_content_info"]
            content = opener.open(info["content_encryption_algorithm"], info["encrypted_content"].native)
        for bag in pkcs12.SafeContents.load(content, strict=True):
            value = bag["bag_value"]
            if bag["bag_id"].native == "pkcs8_shrouded_key_bag":
                yield PrivateKey.load(
                    opener.open(value["encryption_algorithm"], value["encrypted_data"].native)
                )
            elif bag["bag_id"].native == "cert_bag":
                yield Certificate(value["cert_value"].parsed.dump())


class _Opener:
    """Undoes PBES2; derives each key once."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._secrets: dict[tuple[bytes, int, str], bytes] = {}

    def open(self, algorithm: Any, encrypted: bytes) -> bytes:
        """The plaintext; raises ValueError for another scheme."""
        if algorithm["algorithm"].native != "pbes2":
            raise ValueError("it uses an old password scheme; export it again with AES-256")
        derivation, scheme = (
            algorithm["parameters"]["key_derivation_func"],
            algorithm["parameters"]["encryption_scheme"],
        )
        given = derivation["parameters"]
        if derivation["algorithm"].native != "pbkdf2" or not scheme["algorithm"].native.endswith("_cbc"):
            raise ValueError("its password scheme is not PBKDF2 with AES-CBC")
        size = int(scheme["algorithm"].native.removeprefix("aes").partition("_")[0]) // 8
        found = (
            given["salt"].chosen.native,
            given["iteration_count"].native,
            given["prf"]["algorithm"].native,
        )
        if found not in self._secrets:
            self._secrets[found] = _pbkdf2(self._password, found[0], found[1], size, found[2])
        cipher = Cipher(
            algorithms.AES(self._secrets[found]), modes.CBC(scheme["parameters"].native)
        ).decryptor()
        pad = padding.PKCS7(128).unpadder()
        return pad.update(cipher.update(encrypted) + cipher.finalize()) + pad.finalize()


# --- deriving --------------------------------------------------------------------------------------------------


def _pbkdf2(password: str, salt: bytes, rounds: int, size: int = 32, function: str = "sha256") -> bytes:
    _check_rounds(rounds)
    if function not in ("sha256", "sha512"):
        raise ValueError(f"its key derivation uses {function}")
    hash_ = hashes.SHA256() if function == "sha256" else hashes.SHA512()
    return PBKDF2HMAC(hash_, size, salt, rounds).derive(password.encode())


def _check_rounds(rounds: int) -> None:
    if not 0 < rounds <= _MOST_ITERATIONS:
        raise ValueError("its iteration count is out of bounds")


def _mac_key(password: str, salt: bytes, rounds: int) -> bytes:
    """The MAC key (RFC 7292 appendix B.2, ID 3, SHA-256), by OpenSSL: in Python it would take ten times as long."""
    _check_rounds(rounds)
    if not salt:
        raise ValueError("its MAC has no salt")
    text = password.encode("utf-16-be") + b"\0\0"
    key = ffi.new("unsigned char[32]")
    loaded = library()
    done = loaded.PKCS12_key_gen_uni(
        text, len(text), salt, len(salt), 3, rounds, 32, key, loaded.EVP_sha256()
    )
    must(done, "PKCS#12 key derivation")
    return bytes(ffi.buffer(key))
