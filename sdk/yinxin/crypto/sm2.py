"""SM2 (GB/T 32918, GM/T 0003 and 0009) on the system's OpenSSL 3.

A signature is made over e = SM3(ZA ‖ M), where ZA binds the signer's identity and public key (GM/T 0003.2 5.5). `e` is
computed here, so that a key in software and a key in a security module sign exactly the same 32 octets.
Objects may be shared between threads: every call has a context of its own.
"""

from functools import cached_property
from typing import Any, Self

from yinxin.crypto import der, oids
from yinxin.crypto.errors import BadSignature, CannotDecrypt, CryptoFailure, MalformedDer, MalformedKey
from yinxin.crypto.libcrypto import ffi, library, must, reason, take_der
from yinxin.crypto.suite import SM3

#: the identity that GM/T 0009 clause 10 and GM/T 0015 prescribe where no other is agreed
DEFAULT_ID = b"1234567812345678"

#: a, b, xG, yG of the recommended curve (GM/T 0003.5), as they enter ZA
_CURVE = bytes.fromhex(
    "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
    "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
    "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
    "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
)
#: AlgorithmIdentifier of an SM2 public key
ALGORITHM = der.sequence(der.oid("1.2.840.10045.2.1"), der.oid(oids.SM2_CURVE))


class SM2PublicKey:
    """A point on the curve; holds its DER SubjectPublicKeyInfo."""

    def __init__(self, spki: bytes) -> None:
        """Read a SubjectPublicKeyInfo; raises MalformedKey when it is none, or the point is not on the curve."""
        self.point = _point(spki)
        self.spki = spki
        lib, start = library(), ffi.new("const unsigned char **")
        buffer = ffi.from_buffer(spki)
        start[0] = ffi.cast("const unsigned char *", buffer)
        lib.ERR_clear_error()
        handle = lib.d2i_PUBKEY(ffi.NULL, start, len(spki))
        if handle == ffi.NULL:
            raise MalformedKey(reason=reason())
        self._handle = ffi.gc(handle, lib.EVP_PKEY_free)
        if not lib.EVP_PKEY_is_a(self._handle, b"SM2"):
            raise MalformedKey(reason="not an SM2 key")

    def prehash(self, message: bytes, identity: bytes = DEFAULT_ID) -> bytes:
        """The 32 octets e = SM3(ZA ‖ M) that are signed (GM/T 0003.2 6.1 steps A1 and A2)."""
        return SM3.digest(self.za(identity) + message)

    def za(self, identity: bytes = DEFAULT_ID) -> bytes:
        """ZA = SM3(ENTL ‖ ID ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA) (GM/T 0003.2 5.5)."""
        return SM3.digest((8 * len(identity)).to_bytes(2, "big") + identity + _CURVE + self.point[1:])

    def verify(self, signature: bytes, message: bytes, identity: bytes = DEFAULT_ID) -> None:
        """Verify a DER signature over `message`; raises BadSignature."""
        self.verify_digest(signature, self.prehash(message, identity))

    def verify_digest(self, signature: bytes, digest: bytes) -> None:
        """Verify a DER signature over e; raises BadSignature."""
        _digest_size(digest)
        lib, context = _begin(self._handle, "EVP_PKEY_verify_init")
        if lib.EVP_PKEY_verify(context, signature, len(signature), digest, len(digest)) != 1:
            lib.ERR_clear_error()
            raise BadSignature(what="object")

    def encrypt(self, plaintext: bytes) -> bytes:
        """SM2Cipher in DER (GM/T 0009 7.2); any length from one octet up."""
        lib, context = _begin(self._handle, "EVP_PKEY_encrypt_init")
        return _output(lib.EVP_PKEY_encrypt, context, plaintext, "EVP_PKEY_encrypt")


class SM2PrivateKey:
    """A private key in process memory; its repr shows nothing of it."""

    def __init__(self, handle: Any) -> None:
        self._handle = ffi.gc(handle, library().EVP_PKEY_free)
        #: DER SubjectPublicKeyInfo of its public part
        self.spki = take_der(library().i2d_PUBKEY, self._handle, "i2d_PUBKEY")

    @cached_property
    def public_key(self) -> SM2PublicKey:
        """The key that verifies what this signs."""
        return SM2PublicKey(self.spki)

    @classmethod
    def generate(cls) -> Self:
        """A new key from OpenSSL's private random generator."""
        lib = library()
        context = must(
            lib.EVP_PKEY_CTX_new_from_name(ffi.NULL, b"SM2", ffi.NULL), "EVP_PKEY_CTX_new_from_name"
        )
        context = ffi.gc(context, lib.EVP_PKEY_CTX_free)
        must(lib.EVP_PKEY_keygen_init(context), "EVP_PKEY_keygen_init")
        out = ffi.new("EVP_PKEY **")
        must(lib.EVP_PKEY_generate(context, out), "EVP_PKEY_generate")
        return cls(out[0])

    @classmethod
    def load(cls, pkcs8: bytes, *, proved: bool = False) -> Self:
        """Read a DER PrivateKeyInfo (RFC 5208); raises MalformedKey, also when private and public part differ.

        `proved` leaves that last test out, which costs more than a signature: for octets that were written by
        `pkcs8` and came back authenticated.
        """
        lib, start = library(), ffi.new("const unsigned char **")
        buffer = ffi.from_buffer(pkcs8)
        start[0] = ffi.cast("const unsigned char *", buffer)
        lib.ERR_clear_error()
        info = lib.d2i_PKCS8_PRIV_KEY_INFO(ffi.NULL, start, len(pkcs8))
        if info == ffi.NULL:
            raise MalformedKey(reason=reason())
        handle = lib.EVP_PKCS82PKEY(ffi.gc(info, lib.PKCS8_PRIV_KEY_INFO_free))
        if handle == ffi.NULL:
            raise MalformedKey(reason=reason())
        if not lib.EVP_PKEY_is_a(handle, b"SM2"):
            lib.EVP_PKEY_free(handle)
            raise MalformedKey(reason="not an SM2 key")
        key = cls(handle)
        if not proved:
            key._check()
        return key

    def _check(self) -> None:
        lib = library()
        context = ffi.gc(
            must(lib.EVP_PKEY_CTX_new(self._handle, ffi.NULL), "EVP_PKEY_CTX_new"), lib.EVP_PKEY_CTX_free
        )
        if lib.EVP_PKEY_check(context) != 1:
            raise MalformedKey(reason=reason())

    def pkcs8(self) -> bytes:
        """DER PrivateKeyInfo (RFC 5208). Secret: the caller wraps it at once and lets it go."""
        lib = library()
        info = must(lib.EVP_PKEY2PKCS8(self._handle), "EVP_PKEY2PKCS8")
        return take_der(lib.i2d_PKCS8_PRIV_KEY_INFO, ffi.gc(info, lib.PKCS8_PRIV_KEY_INFO_free), "i2d_PKCS8")

    def sign(self, message: bytes, identity: bytes = DEFAULT_ID) -> bytes:
        """DER signature over `message`."""
        return self.sign_digest(self.public_key.prehash(message, identity))

    def sign_digest(self, digest: bytes) -> bytes:
        """DER signature over e (32 octets)."""
        _digest_size(digest)
        lib, context = _begin(self._handle, "EVP_PKEY_sign_init")
        return _output(lib.EVP_PKEY_sign, context, digest, "EVP_PKEY_sign")

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Open an SM2Cipher (GM/T 0009 7.2); raises CannotDecrypt."""
        lib, context = _begin(self._handle, "EVP_PKEY_decrypt_init")
        try:
            return _output(lib.EVP_PKEY_decrypt, context, ciphertext, "EVP_PKEY_decrypt")
        except CryptoFailure as error:
            raise CannotDecrypt(algorithm="SM2") from error

    def __repr__(self) -> str:
        return "<SM2PrivateKey>"


def _point(spki: bytes) -> bytes:
    try:
        der.check(spki)
        algorithm, bits = der.elements(spki)
        point = der.octets_of_bits(bits)
    except (MalformedDer, ValueError) as error:
        raise MalformedKey(reason="not a SubjectPublicKeyInfo") from error
    if algorithm != ALGORITHM or len(point) != 65 or point[0] != 4:
        raise MalformedKey(reason="not an uncompressed point on the SM2 curve")
    return point


def _digest_size(digest: bytes) -> None:
    if len(digest) != 32:
        raise ValueError("SM2 signs exactly 32 octets")


def _begin(handle: Any, init: str) -> tuple[Any, Any]:
    lib = library()
    lib.ERR_clear_error()
    context = ffi.gc(must(lib.EVP_PKEY_CTX_new(handle, ffi.NULL), "EVP_PKEY_CTX_new"), lib.EVP_PKEY_CTX_free)
    must(getattr(lib, init)(context), init)
    return lib, context


def _output(function: Any, context: Any, data: bytes, operation: str) -> bytes:
    """Run one of the two-step functions: ask for the size, then for the octets; the C copy is wiped."""
    size = ffi.new("size_t *")
    must(function(context, ffi.NULL, size, data, len(data)), operation)
    room = size[0]
    out = ffi.new("unsigned char[]", room)
    try:
        must(function(context, out, size, data, len(data)), operation)
        return bytes(ffi.buffer(out, size[0]))
    finally:
        library().OPENSSL_cleanse(out, room)
