"""Message authentication from a shared secret: PasswordBasedMac (RFC 9810 5.1.3.1) and PBMAC1 (RFC 9045, RFC 8018)."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Self

from yinxin.crypto import der
from yinxin.crypto.errors import BadSignature, MalformedDer, UnsupportedAlgorithm
from yinxin.crypto.suite import SHA256, HashAlgorithm, hash_algorithm

PBM, PBMAC1 = "1.2.840.113533.7.66.13", "1.2.840.113549.1.5.14"
_PBKDF2 = "1.2.840.113549.1.5.12"
_HMACS = {
    # as a MAC, not as a digest, SHA-1 still holds (NIST SP 800-131A), and OpenSSL's clients begin with it
    "1.3.6.1.5.5.8.1.2": "sha1",
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
_HMAC_SHA256 = "1.2.840.113549.2.9"
#: rounds asked for: fewer protect nothing (RFC 9810 5.1.3.1), more are an attack on whoever computes them
FEWEST, MOST = 100, 50_000
#: octets of a salt and of a derived key
_SALT, _LONGEST = 8, 64


@dataclass(frozen=True)
class PasswordMac:
    """One way to compute a MAC, with its salt."""

    #: AlgorithmIdentifier in DER
    identifier: bytes
    kind: str
    salt: bytes
    rounds: int
    hash: HashAlgorithm
    hmac: str
    key_size: int = 32

    @classmethod
    def fresh(cls, kind: str, salt: bytes) -> Self:
        """The way we do it: SHA-256, HMAC-SHA-256, 1,000 rounds; `kind` is PBM or PBMAC1, `salt` 16 random octets."""
        rounds, mac = 1000, der.sequence(der.oid(_HMAC_SHA256), der.null())
        if kind == PBM:
            owf = der.sequence(der.oid(SHA256.oid))
            parameters = der.sequence(der.octets(salt), owf, der.integer(rounds), mac)
        else:
            prf = der.sequence(der.oid(_HMAC_SHA256), der.null())
            derivation = der.sequence(der.octets(salt), der.integer(rounds), der.integer(32), prf)
            parameters = der.sequence(der.sequence(der.oid(_PBKDF2), derivation), mac)
        return cls.read(der.sequence(der.oid(kind), parameters))

    @classmethod
    def read(cls, identifier: bytes) -> Self:
        """Read an AlgorithmIdentifier; raises MalformedDer, UnsupportedAlgorithm, also for rounds out of bounds."""
        name, *parameters = der.elements(identifier)
        kind = der.dotted(name)
        if kind not in (PBM, PBMAC1) or len(parameters) != 1:
            raise UnsupportedAlgorithm(what="message protection", algorithm=kind)
        try:
            return cls(identifier, kind, *(_pbm if kind == PBM else _pbmac1)(parameters[0]))
        except (ValueError, IndexError) as error:
            raise MalformedDer(offset=0, reason="not the parameters of a MAC") from error

    def mac(self, secret: bytes, message: bytes) -> bytes:
        """The MAC of `message` under `secret`."""
        return hmac.digest(self._key(secret), message, self.hmac)

    def verify(self, secret: bytes, message: bytes, mac: bytes, *, what: str = "message") -> None:
        """Raise BadSignature unless `mac` is that of `message`; in constant time."""
        if not hmac.compare_digest(self.mac(secret, message), mac):
            raise BadSignature(what=what)

    def _key(self, secret: bytes) -> bytes:
        if self.kind == PBMAC1:
            return hashlib.pbkdf2_hmac(self.hash.name, secret, self.salt, self.rounds, self.key_size)
        key = secret + self.salt
        for _ in range(self.rounds):
            key = self.hash.digest(key)
        return key


def _pbm(parameters: bytes) -> tuple[bytes, int, HashAlgorithm, str]:
    salt, owf, rounds, mac = der.elements(parameters)
    hash_ = hash_algorithm(der.dotted(der.elements(owf)[0]), what="message protection")
    return _salt(salt), _rounds(der.number(rounds)), hash_, _hmac(mac)


def _pbmac1(parameters: bytes) -> tuple[bytes, int, HashAlgorithm, str, int]:
    derivation, mac = der.elements(parameters)
    name, inner = der.elements(derivation)
    if der.dotted(name) != _PBKDF2:
        raise UnsupportedAlgorithm(what="message protection", algorithm=der.dotted(name))
    salt, rounds, *rest = der.elements(inner)
    # the default of prf is HMAC-SHA-1 (RFC 8018 A.2), which nobody chooses any more
    prf = rest[-1] if rest and rest[-1][0] == der.SEQUENCE else der.sequence(der.oid("1.2.840.113549.2.7"))
    size = der.number(rest[0]) if rest and rest[0][0] == der.INTEGER else 32
    if not 0 < size <= _LONGEST:
        raise ValueError("key length")
    hash_ = hash_algorithm(_hmac(prf), what="message protection")
    return _salt(salt), _rounds(der.number(rounds)), hash_, _hmac(mac), size


def _salt(field: bytes) -> bytes:
    salt = der.content(field, der.OCTET_STRING)
    if len(salt) < _SALT:
        raise ValueError("a short salt")
    return salt


def _rounds(number: int) -> int:
    if not FEWEST <= number <= MOST:
        raise UnsupportedAlgorithm(what="message protection", algorithm=f"{number} iterations")
    return number


def _hmac(field: bytes) -> str:
    dotted = der.dotted(der.elements(field)[0])
    if dotted not in _HMACS:
        raise UnsupportedAlgorithm(what="message protection", algorithm=dotted)
    return _HMACS[dotted]
