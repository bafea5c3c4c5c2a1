"""How renewal stands, for health."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from audit.renewal.ledger import count_ending, missing, unbegun
from audit.renewal.renew import MOST, ages_of
from yinxin.text import Text

if TYPE_CHECKING:
    from audit.service import Log


def facts(log: "Log") -> dict[str, Any]:
    """How renewal stands: how many proofs end within the days in which they are renewed, and which files are away."""
    now, days = log.store.clock.now(), log.settings.renewal.before_days
    with log.store.read() as session:
        soon = count_ending(session, ages_of(log), now + timedelta(days=days))
        late = count_ending(session, ages_of(log), now + timedelta(days=days) / 2)
        return {
            "expiring": soon,
            "within_days": days,
            "overdue": late,
            "without": len(unbegun(session, MOST)),
            "lost": missing(session),
        }


def trouble(found: dict[str, Any]) -> Text | None:
    """What health says of it, when there is something to do."""
    days, lost_files = found["within_days"], found["lost"]
    if found["overdue"]:
        return Text(
            f"有 {found['expiring']} 件证明将在 {days} 天内失效，其中 {found['overdue']} 件早该续期：请运行 yinxin audit renew 查看原因",
            f"{found['expiring']} proofs expire within {days} days, and {found['overdue']} of them should have been renewed: yinxin audit renew says why",
        )
    if lost_files:
        return Text(
            f"保管的 {len(lost_files)} 个文件不在原处或已改动，其证明无法换新摘要：{lost_files[0]}",
            f"{len(lost_files)} kept files are gone or changed, so their proofs cannot be hashed anew: {lost_files[0]}",
        )
    return None
