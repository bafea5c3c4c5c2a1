"""Signing with a P-256 key in the token: through the key centre, and the same token asked directly."""

from collections.abc import Iterator

from kms.mechanisms import NATIVE
from ops.bench.house import house
from ops.bench.measure import Result, Work, rates
from yinxin.crypto.suite import INTL

_COUNT = 300


def hsm_sign() -> Iterator[Result]:
    """One signature at a time; ours hashes, signs, converts to DER and verifies before release."""
    with house() as platform:
        signer = platform.kms.signer("intl-tsa")
        info = platform.kms.key("intl-tsa")
        native = NATIVE[info.algorithm]
        digest = INTL.hash.digest(b"benchmark")

        def ours() -> int:
            for _ in range(_COUNT):
                signer.sign(b"benchmark")
            return _COUNT

        def raw() -> int:
            def signing(key: object) -> int:
                for _ in range(_COUNT):
                    key.sign(digest, mechanism=native.use)  # type: ignore[attr-defined]
                return _COUNT

            return platform.kms.token.use_key(info.label, info.handle, native.kind, signing)

        contestants: dict[str, Work] = {"key centre": ours, "raw token": raw}
        found = rates(contestants)
        yield Result(
            "hsm-sign",
            found["key centre"],
            "signatures per CPU-second",
            {"raw token": found["raw token"]},
            "hash, C_Sign, DER, own signature verified before release",
        )
