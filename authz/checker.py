"""What this floor needs of the CA above it, handed in at assembly."""

from datetime import datetime
from typing import Protocol

from yinxin.crypto.certificates import Certificate
from yinxin.store import Within


class CertificateChecker(Protocol):
    """Says whether a certificate can be trusted now; fails closed."""

    def check(self, certificate: Certificate, chain: tuple[Certificate, ...], at: datetime) -> None:
        """Path, validity, usage and revocation at `at`; raises a leaf of `yinxin.crypto.path`'s errors otherwise."""
        ...

    def revoked(self, fingerprint: str, within: Within | None = None) -> bool:
        """Cheap look whether the certificate is revoked, in the transaction `within` if there is one.

        Raises Unavailable when that cannot be told.
        """
        ...
