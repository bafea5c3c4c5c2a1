"""Holding parts of the evidence against each other."""

from yinxin.crypto.suite import INTL, SM
from yinxin.evidence.errors import EvidenceMismatch


def digests(data: bytes) -> dict[str, str]:
    """The digests by which statements and log entries name a file, in both suites."""
    return {"sha256": INTL.hash.digest(data).hex(), "sm3": SM.hash.digest(data).hex()}


def same(found: object, expected: object, what: str) -> None:
    """Raise EvidenceMismatch, naming `what`, unless the two are equal."""
    if found != expected:
        raise EvidenceMismatch(what=what)
