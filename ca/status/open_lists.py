"""New lists for new certificates, once those that are open are full.

A list has at most one entry for each certificate that names it. So a bound on these bounds the list, and a revocation
among a million certificates, a hundred thousand of them revoked, costs what it costs among a thousand. Nothing is ever
moved: full lists are made as before, for the certificates that name them.
"""

import sqlalchemy as sa

from ca.context import Context
from ca.models import AuthorityRow, CertificateRow
from ca.status.models import CrlRow
from yinxin.act import SYSTEM

VERB = "ca.open-lists"


def open_lists(ctx: Context) -> None:
    """Open the next lists of every authority whose open ones are full; for the timer.

    Between two looks a list may take in more than it should: the bound is for economy.
    """
    for name in ctx.issuers.names():
        issuer = ctx.issuers.get(name)
        count, most = ctx.settings.status.shards_for(name), ctx.settings.status.list_certificates
        if issuer.certificate is None or issuer.certificate.is_self_issued or not count or not most:
            continue
        with ctx.store.read() as session:
            row = session.get_one(AuthorityRow, name)
            since = row.lists_opened or row.created
            # by the index of `created`: what was there before is not looked at
            named = sa.select(CertificateRow.serial).where(
                CertificateRow.authority == name,
                CertificateRow.created >= since,
                CertificateRow.shard > row.lists_full,
            )
            enough = sa.select(sa.func.count()).select_from(named.limit(count * most).subquery())
            if (session.scalar(enough) or 0) < count * most:
                continue
        _open(ctx, name, row.lists_full, count)


def _open(ctx: Context, name: str, before: int, count: int) -> None:
    """Once, whoever else does it now."""
    with ctx.store.read() as session:
        # with fewer shards than there were, lists after these may have been used already
        made = session.scalar(sa.select(sa.func.max(CrlRow.shard)).where(CrlRow.authority == name))
    full = max(before + count, made or 0)
    opened = {"lists_full": full, "lists_opened": ctx.store.clock.now()}
    mine = sa.update(AuthorityRow).where(AuthorityRow.name == name, AuthorityRow.lists_full == before)
    with ctx.store.act(SYSTEM, VERB, f"authority:{name}", first=full + 1, last=full + count) as act:
        done = act.session.execute(mine.values(opened))
        act.facts["changed"] = done.rowcount  # type: ignore[attr-defined]
