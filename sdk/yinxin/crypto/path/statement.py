"""One verified statement about one certificate."""

from dataclasses import dataclass
from datetime import datetime

from yinxin.crypto.certificates import Certificate
from yinxin.crypto.oids import REASON_FLAGS
from yinxin.crypto.status import Good, Revoked

ALL_REASONS = frozenset(REASON_FLAGS)


@dataclass(frozen=True)
class Statement:
    """What a list or an answer says, for how long, and for which reasons it would have said otherwise."""

    status: Good | Revoked
    this_update: datetime
    next_update: datetime | None
    reasons: frozenset[str] = ALL_REASONS
    #: which sequence of lists it is from, and its number there; answers have none
    series: object = None
    number: int = 0

    def speaks_for(self, at: datetime, certificate: Certificate) -> bool:
        """Current at `at`, or later but before the certificate expired: after that a list may leave it out."""
        if self.this_update > at:
            return self.this_update <= certificate.not_after
        return self.next_update is not None and at <= self.next_update

    def is_ended_by(self, other: "Statement", at: datetime) -> bool:
        """Whether `other`, made by `at`, is newer and tells of a hold no more."""
        if (
            not isinstance(other.status, Good)
            or "certificateHold" not in other.reasons
            or other.this_update > at
        ):
            return False
        if self.series is not None and self.series == other.series and self.this_update == other.this_update:
            return other.number > self.number
        return other.this_update > self.this_update
