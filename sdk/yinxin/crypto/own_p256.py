"""Verifying one's own P-256 signatures again and again under one key, in half the time.

A signature is verified before it leaves (`kms.keyring.secret`), against a fault in whatever made it. Verifying is u₁·G + u₂·Q (FIPS 186-5
6.4.2); OpenSSL keeps multiples of G ready and works u₂·Q out anew each time, which is most of it. Here the multiples of Q are kept
ready as well, by the same OpenSSL: for a key under which thousands are verified in a process.

Nothing here is secret, and nothing here refuses: what this does not confirm is verified by the library's own function.
"""

import threading
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from yinxin.crypto import der
from yinxin.crypto.errors import LibcryptoMissing
from yinxin.crypto.libcrypto import ffi, library

#: verifications under one key before its multiples are made: they cost as much as three hundred verifications
OFTEN = 2000
#: keys whose multiples are kept, at 150 kB each
_KEEP = 16
_NID_P256 = 415  # obj_mac.h: NID_X9_62_prime256v1
_SIZE = 32


class Often:
    """Counts the verifications under one P-256 key, and confirms most of them quickly from some number on."""

    def __init__(self, spki: bytes) -> None:
        self._spki = spki
        self._left = OFTEN

    def confirms(self, signature: bytes, digest: bytes) -> bool:
        """Whether it is certain that the signature (DER) over the digest is the key's; where it is not, ask the library."""
        if self._left > 0:
            self._left -= 1
            return False
        try:
            multiples = _multiples(self._spki)
        except LibcryptoMissing:
            self._left = OFTEN
            return False
        return multiples.confirm(signature, digest)


class Multiples:
    """The multiples of one key's point, made by OpenSSL as it makes those of the curve's own base point."""

    def __init__(self, spki: bytes) -> None:
        """Raises LibcryptoMissing where this OpenSSL makes none."""
        _algorithm, bits = der.elements(spki)
        point = der.octets_of_bits(bits)
        lib: Any = library()
        self._lib = lib
        self._base, self._own = (
            ffi.gc(lib.EC_GROUP_new_by_curve_name(_NID_P256), lib.EC_GROUP_free) for _ in range(2)
        )
        self._order = lib.EC_GROUP_get0_order(self._base)
        self._n = int.from_bytes(_octets(lib, self._order), "big")
        self._threads = threading.local()
        key, ctx = (
            ffi.gc(lib.EC_POINT_new(self._base), lib.EC_POINT_free),
            ffi.gc(lib.BN_CTX_new(), lib.BN_CTX_free),
        )
        try:
            ready = (
                lib.EC_POINT_oct2point(self._base, key, point, len(point), ctx)
                and lib.EC_GROUP_set_generator(self._own, key, self._order, ffi.NULL)
                and lib.EC_GROUP_precompute_mult(self._own, ctx)  # deprecated, and in every OpenSSL 3
            )
        except AttributeError as error:
            raise LibcryptoMissing(library="libcrypto", reason="EC_GROUP_precompute_mult") from error
        if not ready:
            raise LibcryptoMissing(library="libcrypto", reason="EC_GROUP_precompute_mult")

    def confirm(self, signature: bytes, digest: bytes) -> bool:
        """Whether r is the x of u₁·G + u₂·Q, modulo n; `digest` has 32 octets."""
        r, s = decode_dss_signature(signature)
        if not (0 < r < self._n and 0 < s < self._n) or len(digest) != _SIZE:
            return False
        lib, base = self._lib, self._base
        work: _Work | None = getattr(self._threads, "work", None)
        if work is None:
            work = self._threads.work = _Work(lib, base, self._own)
        ctx, inverse, u1, u2 = work.ctx, work.inverse, work.u1, work.u2
        lib.BN_bin2bn(s.to_bytes(_SIZE, "big"), _SIZE, inverse)
        lib.BN_bin2bn(digest, _SIZE, u1)
        lib.BN_bin2bn(r.to_bytes(_SIZE, "big"), _SIZE, u2)
        done = (
            lib.BN_mod_inverse(inverse, inverse, self._order, ctx) != ffi.NULL
            and lib.BN_mod_mul(u1, u1, inverse, self._order, ctx)
            and lib.BN_mod_mul(u2, u2, inverse, self._order, ctx)
            and lib.EC_POINT_mul(base, work.first, u1, ffi.NULL, ffi.NULL, ctx)
            and lib.EC_POINT_mul(self._own, work.second, u2, ffi.NULL, ffi.NULL, ctx)
            and lib.EC_POINT_add(base, work.first, work.first, work.second, ctx)
            and lib.EC_POINT_get_affine_coordinates(base, work.first, u1, ffi.NULL, ctx)
        )
        return bool(done) and int.from_bytes(_octets(lib, u1), "big") % self._n == r


class _Work:
    """What one thread works with."""

    def __init__(self, lib: Any, base: Any, own: Any) -> None:
        self.ctx = ffi.gc(lib.BN_CTX_new(), lib.BN_CTX_free)
        self.inverse, self.u1, self.u2 = (ffi.gc(lib.BN_new(), lib.BN_free) for _ in range(3))
        self.first = ffi.gc(lib.EC_POINT_new(base), lib.EC_POINT_free)
        self.second = ffi.gc(lib.EC_POINT_new(own), lib.EC_POINT_free)


@lru_cache(maxsize=_KEEP)
def _multiples(spki: bytes) -> Multiples:
    return Multiples(spki)


@lru_cache(maxsize=1024)
def often(spki: bytes) -> Often:
    """The count of one key (DER SubjectPublicKeyInfo), kept in this process."""
    return Often(spki)


def _octets(lib: Any, number: Any) -> bytes:
    out = ffi.new("unsigned char[]", _SIZE)
    lib.BN_bn2binpad(number, out, _SIZE)
    return bytes(ffi.buffer(out))
