"""Delta lists (RFC 5280 5.2.4): what changed since a base, for readers who keep the base.

A delta is made with every whole list, under the same number. Its base is the last list that was made by the timer, or
made when the delta had grown too long; a reader may apply it to that list or any later one.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from ca.errors import CrlNotNewer
from ca.status import changes
from ca.status.changes import Change
from ca.status.compose import lint
from ca.status.line import Line
from ca.status.models import CrlRow
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList, Reason, Revoked
from yinxin.errors import YinxinError
from yinxin.text import Text

#: entries from which on the next delta gets a new base
MOST = 500


def since_base(session: Session, line: Line, row: CrlRow | None) -> Sequence[tuple[int, Revoked]]:
    """What the next delta says: the newest word on each certificate that changed since the base of `row`."""
    if row is None:
        return ()
    last = {each.serial: each for each in changes.since(session, line, row.base_through)}
    return [_told(each, row) for each in last.values()]


def _told(change: Change, row: CrlRow) -> tuple[int, Revoked]:
    if change.revoked_at is not None:
        return change.entry
    return int(change.serial, 16), Revoked(row.this_update, Reason.REMOVE_FROM_CRL)


def check(
    own: Certificate,
    line: Line,
    encoded: bytes,
    *,
    number: int,
    base: int,
    told: Sequence[tuple[int, Revoked]],
) -> None:
    """Read a new delta back and hold it to what it should say; raises CrlNotNewer."""
    try:
        made = CertificateList(encoded)
        made.verify(own)
        differs = made.serials != {serial for serial, _ in told}
    except YinxinError as error:
        raise CrlNotNewer(authority=line.path, reason=error.code) from error
    if differs or (made.number, made.delta_base) != (number, base):
        raise CrlNotNewer(authority=line.path, reason=Text("增量列表不符", "its delta differs"))
    lint(own, line, made)
