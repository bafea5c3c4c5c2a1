"""One stored revocation list, and its delta, against its row, its authority and the linters."""

from collections.abc import Iterator

from ca.context import Context
from ca.lint.lists import list_findings
from ca.recheck.judge import list_faults
from ca.status.models import CrlRow
from yinxin.crypto.status import CertificateList
from yinxin.errors import YinxinError

#: the independent linter takes about a millisecond an entry; longer lists are left to our own
MOST_JUDGED = 2000


def faults_of_list(ctx: Context, row: CrlRow) -> tuple[str, ...]:
    """What is wrong with a stored list; empty when all is well, or when it was superseded and let go."""
    found: list[str] = []
    for name, encoded in (("list", row.der), ("delta", row.delta)):
        if encoded is None:
            continue
        try:
            made = CertificateList(encoded)
            own = ctx.issuers.get(row.authority).chain[0]
            made.verify(own)
        except YinxinError as error:
            found.append(f"{name}: {error}")
            continue
        found += (f"{name}: {fault}" for fault in _row(row, made))
        found += (f"{name}: lint: {each}" for each in list_findings(made, own, entries=True))
        if len(made) <= MOST_JUDGED:
            found += (f"{name}: pkilint: {code}" for code in list_faults(encoded))
    return tuple(found)


def _row(row: CrlRow, made: CertificateList) -> Iterator[str]:
    whole = made.delta_base is None
    wanted = {
        "number": (row.number, made.number),
        "this_update": (row.this_update, made.this_update),
        "next_update": (row.next_update, made.next_update),
        "entries": (row.entries, len(made) if whole else row.entries),
    }
    for field, (stored, said) in wanted.items():
        if stored != said:
            yield f"{field}: the row differs from the list"
