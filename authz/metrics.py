"""What monitoring is told of authorization: sessions that are open, proposals that wait, receivers that cannot be told, quotas of tenants."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, get_args

import sqlalchemy as sa

from authz.models import SessionRow
from authz.proposal.models import ProposalRow
from authz.scim.push.models import DeliveryRow
from authz.tenant.records import State
from yinxin.metrics import Figure, Metrics, Sample
from yinxin.quota import Measure
from yinxin.text import Text

if TYPE_CHECKING:
    from authz.service import Authz

SESSIONS = Figure("yinxin_authz_sessions", Text("有效的登录会话数", "sessions that are open"))
PROPOSALS = Figure(
    "yinxin_authz_proposals", Text("提案数，按状态", "proposals, by the state they are in"), ("state",)
)
RECEIVERS = Figure(
    "yinxin_authz_receivers_failing",
    Text("名录推送失败的接收系统数", "receivers of the directory that could not be told last"),
)


QUOTAS = Figure(
    "yinxin_authz_tenant_quotas",
    Text(
        "租户额度的项数，按所计内容和状态（free 有余，near 已用九成以上，full 已满）",
        "quotas of tenants, by what they count and how they stand: free, near (nine tenths used), full",
    ),
    ("measure", "state"),
)


def _sessions(authz: "Authz") -> Iterator[Sample]:
    opened = sa.select(sa.func.count()).where(
        SessionRow.ended.is_(None), SessionRow.expires > authz.store.clock.now()
    )
    with authz.store.read() as session:
        yield SESSIONS.at(session.scalar(opened) or 0)


def _proposals(authz: "Authz") -> Iterator[Sample]:
    with authz.store.read() as session:
        found = session.execute(
            sa.select(ProposalRow.state, sa.func.count())
            .group_by(ProposalRow.state)
            .order_by(ProposalRow.state)
        ).all()
    for state, number in found:
        yield PROPOSALS.at(number, state)


def _receivers(authz: "Authz") -> Iterator[Sample]:
    failing = sa.select(sa.func.count()).where(DeliveryRow.failure.is_not(None))
    with authz.store.read() as session:
        yield RECEIVERS.at(session.scalar(failing) or 0)


def _quotas(authz: "Authz") -> Iterator[Sample]:
    found = Counter((each.measure, each.state) for _, each in authz.tenants.quotas())
    for measure in Measure:
        for state in get_args(State):
            yield QUOTAS.at(found[measure, state], measure, state)


METRICS: "tuple[Metrics[Authz], ...]" = (
    Metrics("authz.sessions", (SESSIONS,), _sessions),
    Metrics("authz.proposals", (PROPOSALS,), _proposals),
    Metrics("authz.receivers", (RECEIVERS,), _receivers),
    Metrics("authz.quotas", (QUOTAS,), _quotas),
)
