"""A set of custodians for tests: a key that everybody knows, split."""

from datetime import UTC, datetime

from kms.custodians.sealed import Custodian, SealedSet
from kms.custodians.shares import Share, split
from kms.secrets import HSM_PIN

START = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
KEY = bytes(range(32))
SECRETS = {HSM_PIN: "hush-hush", "database-password": "hush too"}


def a_set(
    threshold: int = 2, count: int = 3, key: bytes = KEY, name: str = "set-1"
) -> tuple[SealedSet, list[Share]]:
    shares = split(key, threshold, count)
    custodians = tuple(Custodian(n, each.fingerprint, f"p-{n}") for n, each in enumerate(shares, 1))
    sealed = SealedSet.seal(
        key, SECRETS, identifier=name, made="2026-11-29T08:00:00Z", threshold=threshold, custodians=custodians
    )
    return sealed, shares
