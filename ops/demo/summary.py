"""What the demo says at the end, in words and figures."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ca.models import CertificateRow
from ca.models import State as CertificateState
from ops.demo.story import RECIPIENTS, RETURNS, Outcome
from yinxin.text import Text

if TYPE_CHECKING:
    from ops.platform import Platform


def summary(platform: "Platform", outcome: Outcome, seconds: float) -> Iterator[Text]:
    """The sentences of the summary."""
    with platform.store.read() as session:
        issued = session.scalar(
            sa.select(sa.func.count()).where(CertificateRow.state == CertificateState.ISSUED)
        )
    facts = platform.audit.health().facts
    yield Text(
        f"《{outcome.title}》编号为 {outcome.number}，已用印并发往 {len(RECIPIENTS)} 个机关：{len(RECIPIENTS) - 1} 家签收，1 家（{RETURNS}）退回。",
        f"《{outcome.title}》 became {outcome.number}, was sealed and sent to {len(RECIPIENTS)} organs: {len(RECIPIENTS) - 1} signed for it, 1 ({RETURNS}) returned it.",
    )
    yield Text(
        f"证据已由另一进程离线核验（{len(outcome.held)} 项成立）；改动一个字节的副本被拒绝；签发人证书撤销后旧签名仍然成立。",
        f"Another process verified the evidence offline ({len(outcome.held)} statements hold); a copy with one changed byte was refused; after the leader's certificate was revoked the old signature still holds.",
    )
    yield Text(
        f"证书 {issued} 张，审计日志 {facts['size']} 条（已签到第 {facts['signed']} 条），用时 {seconds:.0f} 秒。",
        f"{issued} certificates, {facts['size']} audit entries ({facts['signed']} under a signed checkpoint), {seconds:.0f} seconds.",
    )
    for kind, zh, en in (
        ("sealed", "盖章的公文", "the sealed document"),
        ("sealed_ofd", "国密印章的公文（OFD）", "the document under its SM2 seal (OFD)"),
        ("evidence", "证据包", "the evidence bundle"),
    ):
        yield Text(f"{zh}：{outcome.files[kind]}", f"{en}: {outcome.files[kind]}")
    trust = platform.data.path("trust")
    yield Text(
        f"自己核验：./yinxin verify {outcome.files['evidence']} --trust {trust}",
        f"verify it yourself: ./yinxin verify {outcome.files['evidence']} --trust {trust}",
    )
    yield Text(
        f"演示人员的证书：{platform.data.path('accounts')}；继续使用：./yinxin up --data {platform.data.root}",
        f"the demo people's certificates: {platform.data.path('accounts')}; go on: ./yinxin up --data {platform.data.root}",
    )
