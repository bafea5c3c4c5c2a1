"""What changed and when, in the order of commits: the questions that lists and answers put to `ca_change`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.models import CertificateRow
from ca.status.line import Line
from ca.status.models import ChangeRow
from yinxin.crypto.status import Reason, Revoked


@dataclass(frozen=True, slots=True)
class Change:
    """A certificate's status as one change left it; `revoked_at` is None when it was released."""

    serial: str
    revoked_at: datetime | None
    reason: str | None
    not_after: datetime

    @property
    def entry(self) -> tuple[int, Revoked]:
        """What a list says of it, once it is revoked."""
        if self.revoked_at is None:
            raise ValueError(f"{self.serial} is not revoked")
        reason = Reason(self.reason or Reason.UNSPECIFIED)
        given = None if reason is Reason.UNSPECIFIED else reason
        return int(self.serial, 16), Revoked(self.revoked_at.replace(microsecond=0), given)


def newest(session: Session, line: Line | None = None) -> int:
    """The number of the newest change, of a line or of all; 0 when there was none."""
    query = sa.select(sa.func.max(ChangeRow.sequence))
    return session.scalar(query.where(*_of(line)) if line else query) or 0


def since(session: Session, line: Line, after: int) -> Sequence[Change]:
    """The changes of a line after a number, in order."""
    columns = (ChangeRow.serial, ChangeRow.revoked_at, ChangeRow.reason, ChangeRow.not_after)
    query = sa.select(*columns).where(*_of(line), ChangeRow.sequence > after).order_by(ChangeRow.sequence)
    return [Change(*row) for row in session.execute(query)]


def known_before(session: Session, serials: Iterable[str], through: int) -> bool:
    """Whether any of these had changed by then, so that a list may mention it already."""
    query = sa.select(ChangeRow.sequence).where(ChangeRow.serial.in_(serials), ChangeRow.sequence <= through)
    return session.scalar(query.limit(1)) is not None


def in_force(session: Session, line: Line, ended_before: datetime | None) -> Sequence[Change]:
    """Every revocation of a line that stands now, but for certificates that had expired and been listed before then."""
    columns = (
        CertificateRow.serial,
        CertificateRow.revoked_at,
        CertificateRow.reason,
        CertificateRow.not_after,
    )
    query = sa.select(*columns).where(
        CertificateRow.authority == line.authority, CertificateRow.revoked_at.is_not(None)
    )
    if line.shard:
        query = query.where(CertificateRow.shard == line.shard)
    if ended_before is not None:
        still = sa.or_(CertificateRow.not_after >= ended_before, CertificateRow.revoked_at >= ended_before)
        query = query.where(still)
    rows = session.execute(query.order_by(CertificateRow.revoked_at, CertificateRow.serial))
    return [Change(*row) for row in rows]


def _of(line: Line) -> tuple[sa.ColumnElement[bool], ...]:
    authority = ChangeRow.authority == line.authority
    return (authority, ChangeRow.shard == line.shard) if line.shard else (authority,)
