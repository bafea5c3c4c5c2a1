"""Whether the log is well: what it can record, what contradicts it, and what of its copies and proofs wants looking after."""

from typing import TYPE_CHECKING

import sqlalchemy as sa

from audit.archive import tend as archives
from audit.checkpoint import signed_size
from audit.renewal import health as renewal
from audit.tree import log_size
from yinxin.module import Health
from yinxin.store import OutboxRow
from yinxin.text import Text

if TYPE_CHECKING:
    from audit.service import Log


def of(log: "Log") -> Health:
    """How far the log is, and whether acts can be recorded."""
    now = log.store.clock.now()
    with log.store.read() as session:
        archiving = archives.facts(session)
        size, signed = log_size(session), signed_size(session)
        since, overdue = log.behind(session)
        waiting = session.scalar(sa.select(sa.func.count()).select_from(OutboxRow))
    contradictions = log.witnesses.contradictions()
    aging = renewal.facts(log)
    facts = {
        "size": size,
        "signed": signed,
        "waiting": waiting,
        "oldest_seconds": 0 if since is None else max(0, int((now - since).total_seconds())),
        "failures": log.failures(),
        "keys": {name: verifier.encode() for name, verifier in log.verifiers.items()},
        "witnessing": log.witnesses.facts(),
        "forward": log.forward.facts(),
        "renewal": aging,
        "archiving": archiving,
    }
    if facts["failures"]:
        text = Text("审计日志无法记录，各项操作已停止", "The audit log cannot record; acts are refused")
        return Health(ok=False, text=text, facts=facts)
    if overdue:
        text = Text(
            f"有记录等待入日志或签名已 {facts['oldest_seconds']} 秒：服务是否在运行？下一个操作会先补上",
            f"Records have waited for the log {facts['oldest_seconds']} s: is anything serving? The next act enters and signs them first",
        )
        return Health(ok=False, text=text, facts=facts)
    if contradictions:
        found = contradictions[0].text()
        text = Text(
            f"见证方 {contradictions[0].witness} 拒绝联署：{found.zh}",
            f"The witness {contradictions[0].witness} refused to cosign: {found.en}",
        )
        return Health(ok=False, text=text, facts=facts)
    if trouble := ", ".join(log.forward.trouble()):
        text = Text(
            f"审计日志正常，但外发副本有问题：{trouble}",
            f"The audit log is recording, but copies outward are in trouble: {trouble}",
        )
        return Health(ok=False, text=text, facts=facts)
    if needed := renewal.trouble(aging) or archives.trouble(archiving):
        return Health(ok=False, text=needed, facts=facts)
    return Health(ok=True, text=Text("审计日志正常", "The audit log is recording"), facts=facts)
