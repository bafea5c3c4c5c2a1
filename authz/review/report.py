"""What the directory adds to audit reports: who holds which post and roles now, conflicts of powers, dormant accounts."""

from collections.abc import Iterator
from datetime import timedelta

import sqlalchemy as sa

from authz.models import OrganRow, PersonRow
from authz.review.matrix import conflicts, matrix
from authz.service import Authz
from yinxin.clock import rfc3339
from yinxin.module import ReportTable
from yinxin.text import Text

#: who has not signed in for so long is told to be dormant
DORMANT = timedelta(days=90)


def _holders(authz: Authz) -> Iterator[tuple[str, ...]]:
    """A row for each appointment in force in the whole directory; identifiers, no names."""
    store = authz.store
    with store.read() as session:
        tops = list(session.scalars(sa.select(OrganRow.id).where(OrganRow.parent.is_(None))))
        seen = {
            row.id: row.signed_in for row in session.execute(sa.select(PersonRow.id, PersonRow.signed_in))
        }
    before = store.clock.now() - DORMANT
    for top in sorted(tops):
        for row in matrix(store, top):
            last = seen.get(row["person"])
            state = "长期未登录 dormant" if last is None or last < before else ""
            when = rfc3339(last) if last else "从未 never"
            yield (
                row["organ"],
                row["post"],
                row["person"],
                row["roles"],
                row["kind"],
                row["valid_to"],
                when,
                state,
            )


def _conflicts(authz: Authz) -> Iterator[tuple[str, ...]]:
    """A row for each person with more than one of the three powers; that there is none is said in a row."""
    found = conflicts(authz.store)
    for each in found:
        yield each["person"], ";".join(each["powers"])
    if not found:
        yield "无 none", ""


HOLDERS: ReportTable[Authz] = ReportTable(
    "grants",
    "holders",
    Text("现任岗位与角色", "Posts and roles held now"),
    (
        ("organ", Text("机关", "Organ")),
        ("post", Text("岗位", "Post")),
        ("person", Text("人员", "Person")),
        ("roles", Text("角色", "Roles")),
        ("kind", Text("任职方式", "How held")),
        ("valid_to", Text("有效期至", "Until")),
        ("signed_in", Text("最近登录", "Last signed in")),
        ("state", Text("状态", "State")),
    ),
    _holders,
)
CONFLICTS: ReportTable[Authz] = ReportTable(
    "grants",
    "conflicts",
    Text("三员冲突", "Conflicts of the three powers"),
    (("person", Text("人员", "Person")), ("powers", Text("兼有", "Powers held"))),
    _conflicts,
)
