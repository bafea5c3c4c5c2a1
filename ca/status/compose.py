"""The entries of the next list: those of the list before as they stand, and the new ones after them.

What a list already says is copied as octets, so that a revocation costs the same whether ten or a hundred thousand
came before it. Only where an entry goes away or changes – a release, a hold made final, an expiry – all are written
anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from ca.errors import CrlNotNewer
from ca.lint.lists import list_findings
from ca.status import changes
from ca.status.changes import Change
from ca.status.line import Line
from ca.status.models import CrlRow
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList, DistributionPoint, Revoked, entries_of, read_entries
from yinxin.errors import YinxinError
from yinxin.text import Text

#: more changes than these at once are no cheaper to add than to write anew
_MOST_ADDED = 500


@dataclass(frozen=True, slots=True)
class Body:
    """The entries of a list: octets of an earlier one, and what comes after them."""

    kept: bytes
    kept_count: int
    added: Sequence[tuple[int, Revoked]]
    #: the first expiry among all certificates listed
    earliest: datetime | None

    @property
    def count(self) -> int:
        """How many entries there are."""
        return self.kept_count + len(self.added)


def body_after(session: Session, line: Line, row: CrlRow | None, *, scheduled: bool) -> Body:
    """The entries that follow those of `row`; a `scheduled` list leaves out what has expired.

    An entry stays until it has been on one list made after its certificate's expiry (RFC 5280 3.3).
    """
    if row is None or row.der is None:
        return _anew(changes.in_force(session, line, None))
    # a whole period before the list in force: a list made by the timer came between
    ended = row.this_update - (row.next_update - row.this_update)
    new = changes.since(session, line, row.through)
    goes = scheduled and row.earliest is not None and row.earliest < ended
    if goes or not _only_adds(session, new, row.through):
        return _anew(changes.in_force(session, line, ended))
    return Body(
        entries_of(row.der),
        row.entries,
        [each.entry for each in new],
        min((each for each in (row.earliest, *(each.not_after for each in new)) if each), default=None),
    )


def _only_adds(session: Session, new: Sequence[Change], through: int) -> bool:
    serials = {each.serial for each in new}
    if len(new) > _MOST_ADDED or len(serials) != len(new) or any(each.revoked_at is None for each in new):
        return False
    return not serials or not changes.known_before(session, serials, through)


def _anew(revoked: Sequence[Change]) -> Body:
    return Body(
        b"", 0, [each.entry for each in revoked], min((each.not_after for each in revoked), default=None)
    )


def check(
    own: Certificate,
    line: Line,
    encoded: bytes,
    *,
    number: int,
    body: Body,
    scope: DistributionPoint | None,
) -> None:
    """Read a new list back and hold it to what it should say; raises CrlNotNewer."""
    try:
        made = CertificateList(encoded)
        made.verify(own)
        entries = made.entries
        added = read_entries(entries.removeprefix(body.kept))
    except YinxinError as error:
        raise CrlNotNewer(authority=line.path, reason=error.code) from error
    whole = entries.startswith(body.kept) and added == list(body.added) and len(made) == body.count
    if not whole or made.number != number or made.delta_base is not None:
        raise CrlNotNewer(authority=line.path, reason=Text("编号或条目不符", "its number or entries differ"))
    lint(own, line, made)
    if made.scope != (scope or DistributionPoint()):
        raise CrlNotNewer(authority=line.path, reason=Text("适用范围不符", "its scope differs"))


def lint(own: Certificate, line: Line, made: CertificateList) -> None:
    """Hold what a list says of itself to the linter's rules; raises CrlNotNewer."""
    if found := list_findings(made, own):
        raise CrlNotNewer(authority=line.path, reason="; ".join(map(str, found)))
