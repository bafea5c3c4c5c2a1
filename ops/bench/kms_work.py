"""The key centre in one process, without HTTP: in bulk by the module, unwrapping for one use, filling the pools."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

from pkcs11 import ObjectClass

from kms.engine import ProtectedKey, gcm
from kms.escrow.pool import Pool, fill
from kms.keyring import Item, ServiceKeyRequest
from kms.keyring.secret import Hand, Keys, label_of
from kms.keyring.use import USES, run
from kms.mechanisms import NATIVE, from_signed
from kms.models import Place
from kms.service import KeyCentre
from kms.sign import KeySigner, signer
from ops.bench.house import house
from ops.bench.measure import Result, Work, rates
from ops.platform import Platform
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.suite import INTL, suite

_BATCH, _COUNT = 500, 200
_OFFICER = Actor(Kind.PERSON, "demo-officer", "province-office-security-officer", "province-office")
#: keys that a pool is filled with in one round
_POOL = int(os.environ.get("YINXIN_BENCH_POOL", "500"))


class _InHardware:
    """The key centre as it is where `kms.signatures` is trusted and the token says that it has hardware."""

    def __init__(self, real: KeyCentre) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def signer(self, label: str) -> KeySigner:
        """As the key centre's, its signatures not verified."""
        return signer(self._real.engine, self._real.key(label), None, trusted=True)


def kms_bulk() -> Iterator[Result]:
    """P-256 in the module, 500 at a time, beside C_Sign alone and beside C_Sign with the signature verified."""
    with house() as platform:
        wanted = ServiceKeyRequest("bench", "platform", "bench", "ecdsa-p256", place=Place.HSM)
        key = platform.kms.keyring.create(_OFFICER, wanted)
        info = platform.kms.key(label_of(key, 1))
        native, public = NATIVE[info.algorithm], info.public_key
        if public is None:
            raise AssertionError
        items, digest = [Item(data=b"benchmark")] * _BATCH, INTL.hash.digest(b"benchmark")

        def ours(keys: Keys = platform.kms) -> int:
            hand = Hand(platform.store, keys, key)
            found = run(hand, USES["sign"], items)
            hand.close()
            platform.store.note(SYSTEM, "kms.sign", "service-key:bench", number=len(found))
            return len(found)

        def raw(*, verified: bool = False) -> int:
            def signing(session_key: Any) -> int:
                for _ in range(_BATCH):
                    made = bytes(session_key.sign(digest, mechanism=native.use))
                    if verified:
                        public.verify_prehashed(from_signed(native, made), digest)
                return _BATCH

            return platform.kms.token.use_key(info.label, info.handle, native.kind, signing)

        peers: dict[str, Work] = {"raw token": raw, "raw token, verified": lambda: raw(verified=True)}
        own = {"": ours, "-trusted": lambda: ours(cast("Keys", _InHardware(platform.kms)))}
        found = rates({**own, **peers})
        for name, checked in (
            ("", "own signature verified"),
            ("-trusted", "trusted as of a token with hardware"),
        ):
            yield Result(
                f"kms-bulk{name}",
                found[name],
                "signatures per CPU-second",
                {peer: found[peer] for peer in peers},
                f"{_BATCH} at a time: hashed, C_Sign, DER, {checked}, one record; raw: C_Sign alone, and with DER and verification",
            )


def kms_wrap() -> Iterator[Result]:
    """A key beside the module used once: opened under the key in it, one signature, verified; beside the same two steps raw."""
    with house() as platform:
        for name in ("intl", "sm"):
            yield _unwrap_and_sign(platform, name)


def _unwrap_and_sign(platform: Platform, name: str) -> Result:
    kms, algorithm = platform.kms, suite(name).key_algorithm
    kek = kms.wrapping_key(SYSTEM)
    key = PrivateKey.generate(suite(name))
    pkcs8, nonce, bound = key.pkcs8(), bytes(gcm.NONCE), b"benchmark" * 10
    digest = key.public_key.prehash(b"benchmark")
    blob = kms.engine.encrypt(kek.reference, nonce, bound, pkcs8)
    protected = ProtectedKey("bench", bound, nonce, blob)

    def ours() -> int:
        for _ in range(_COUNT):
            signature = kms.engine.sign_protected(kek.reference, protected, digest)
            key.public_key.verify_prehashed(signature, digest)
        return _COUNT

    def raw() -> int:
        def opening(session: Any) -> int:
            secret = session.get_key(object_class=ObjectClass.SECRET_KEY, id=kek.handle)
            for _ in range(_COUNT):
                gcm.decrypt(secret, nonce, bound, blob)
            return _COUNT

        kms.token.use(opening)
        for _ in range(_COUNT):
            key.sign_prehashed(digest)
        return _COUNT

    found = rates({"key centre": ours, "raw": raw})
    return Result(
        f"kms-wrap-{name}",
        found["key centre"],
        f"uses of a wrapped {algorithm} key per CPU-second",
        {"raw": found["raw"]},
        "C_Decrypt, key read, signed, verified, cleansed; raw: C_Decrypt in one session, and signing with a key that is open",
    )


def kms_pool() -> Iterator[Result]:
    """Encryption keys made ahead: made, wrapped, stored with their record; beside making and C_Encrypt alone."""
    with house("kms.pool={}") as platform:
        kms = platform.kms
        for algorithm in ("ecdsa-p256", "sm2"):
            level = [0]

            def ours(algorithm: Any = algorithm, level: list[int] = level) -> int:
                level[0] += _POOL
                pool = Pool(algorithm, level[0] - _POOL, 0, level[0])
                kek = lambda: kms.wrapping_key(SYSTEM)  # noqa: E731 - given to the pool
                return fill(platform.store, kms.engine, kek, [pool], timedelta(hours=1))

            def raw(algorithm: str = algorithm) -> int:
                kek = kms.wrapping_key(SYSTEM)

                def making(session: Any) -> int:
                    secret = session.get_key(object_class=ObjectClass.SECRET_KEY, id=kek.handle)
                    for _ in range(_POOL):
                        pkcs8 = PrivateKey.generate(algorithm).pkcs8()
                        gcm.encrypt(secret, bytes(gcm.NONCE), b"benchmark", pkcs8)
                    return _POOL

                return kms.token.use(making)

            contestants: dict[str, Work] = {"key centre": ours, "raw": raw}
            found = rates(contestants)
            yield Result(
                f"kms-pool-{algorithm}",
                found["key centre"],
                "keys per CPU-second",
                {"raw": found["raw"]},
                "made by OpenSSL, C_Encrypt, row and record (SQLite, synchronous=FULL); raw: made and C_Encrypt",
            )
