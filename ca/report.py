"""What the authority adds to audit reports: how many certificates of each kind there are."""

from collections.abc import Iterator

import sqlalchemy as sa

from ca.models import CertificateRow, State
from ca.service import Authority
from yinxin.module import ReportTable
from yinxin.text import Text


def _certificates(authority: Authority) -> Iterator[tuple[str, ...]]:
    store = authority.ctx.store
    now = store.clock.now()
    row = CertificateRow
    over = sa.case((row.not_after < now, 1), else_=0)
    revoked = sa.case((row.revoked_at.is_not(None), 1), else_=0)
    query = (
        sa.select(row.authority, row.profile, sa.func.count(), sa.func.sum(over), sa.func.sum(revoked))
        .where(row.state == State.ISSUED)
        .group_by(row.authority, row.profile)
        .order_by(row.authority, row.profile)
    )
    with store.read() as session:
        for name, profile, *counts in session.execute(query):
            yield (name, profile, *map(str, counts))


CERTIFICATES: ReportTable[Authority] = ReportTable(
    "cryptography",
    "certificates",
    Text("已签发的证书", "Certificates issued"),
    (
        ("authority", Text("签发机构", "Authority")),
        ("profile", Text("模板", "Profile")),
        ("issued", Text("签发", "Issued")),
        ("over", Text("已过期", "Expired")),
        ("revoked", Text("已撤销", "Revoked")),
    ),
    _certificates,
)
