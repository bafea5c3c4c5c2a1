"""The words of revocation, common to CRL and OCSP."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why a certificate was revoked (RFC 5280 5.3.1); the value is the standard's own name."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    CERTIFICATE_HOLD = "certificateHold"
    REMOVE_FROM_CRL = "removeFromCRL"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"
    AA_COMPROMISE = "aACompromise"

    @property
    def code(self) -> int:
        """The CRLReason number."""
        return _CODES[self]

    @classmethod
    def of(cls, code: int) -> Self:
        """The reason with this CRLReason number; ValueError when there is none."""
        for reason, number in _CODES.items():
            if number == code:
                return cls(reason)
        raise ValueError(f"{code} is no revocation reason")


_CODES = {reason: number for number, reason in zip((0, 1, 2, 3, 4, 5, 6, 8, 9, 10), Reason, strict=True)}


@dataclass(frozen=True)
class Good:
    """Not revoked, as far as the one who answers knows."""


@dataclass(frozen=True)
class Revoked:
    """Revoked at `at` (aware, whole seconds)."""

    at: datetime
    reason: Reason | None = None
    #: since when it should not be trusted, where that is earlier (RFC 5280 5.3.2); CRLs only
    invalid_since: datetime | None = None

    @property
    def effective(self) -> datetime:
        """The instant from which it is not to be trusted."""
        return min(self.at, self.invalid_since) if self.invalid_since else self.at


@dataclass(frozen=True)
class Unknown:
    """The one who answers knows nothing of such a certificate."""


Status = Good | Revoked | Unknown
