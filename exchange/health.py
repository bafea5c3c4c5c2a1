"""Whether the exchange is well: what waits for whom and since when, what differs, what could not be delivered."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from exchange.reconcile import DIFFERENCES
from exchange.standing import Standing, standings
from yinxin.module import Health
from yinxin.text import Text

if TYPE_CHECKING:
    from exchange.service import Exchange

#: a message that waits so long, for a receipt or for the one before it, is said
_LATE = timedelta(hours=24)


def health(exchange: "Exchange") -> Health:
    """The peers and their queues; not well when counts differ, a message was put aside, or one waits for a day."""
    if not exchange.on:
        return Health(
            ok=True, text=Text("未参加跨站点交换", "takes no part in the exchange"), facts={"site": None}
        )
    now = exchange.store.clock.now()
    found = standings(exchange, exchange.peers.standing())
    since = [each.waiting.since for each in found if each.waiting.since]
    facts: dict[str, Any] = {
        "site": exchange.own.site,
        "peers": [each.fields() for each in found],
        "differences": {each.peer.site: each.difference for each in found if each.difference},
        "unreceipted": sum(each.waiting.number for each in found),
        "oldest_seconds": int((now - min(since)).total_seconds()) if since else 0,
        "refused": sum(each.refused.number for each in found),
        "rejected": sum(each.rejected.number for each in found),
        "early": sum(each.early.number for each in found),
        "undelivered": sum(each.undelivered.number for each in found),
        "undeliverable": sum(each.undeliverable.number for each in found),
        "unreached": [each.peer.site for each in found if each.failures or each.error],
    }
    for each in found:
        if (wrong := _wrong(each, now)) is not None:
            return Health(ok=False, text=wrong, facts=facts)
    return Health(
        ok=True,
        text=Text(f"与 {len(found)} 个站点交换正常", f"exchange is well; sites: {len(found)}"),
        facts=facts,
    )


def _wrong(found: Standing, now: datetime) -> Text | None:
    """What is wrong with exchange with a peer, the worst first; None when nothing is."""
    site = found.peer.site
    if found.difference:
        said = DIFFERENCES[found.difference]
        return Text(f"与 {site} 对账不符：{said.zh}", f"{site}: {said.en}")
    if found.undeliverable.number:
        return Text(f"有消息无法交付（来自 {site}）", f"messages of {site} could not be delivered")
    if found.waiting.since and found.waiting.since < now - _LATE:
        return Text(f"发往 {site} 的消息超过一天未送达", f"messages for {site} wait for over a day")
    if found.early.since and found.early.since < now - _LATE:
        return Text(
            f"{site} 的消息超过一天缺号，后到的在等待",
            f"a message of {site} is missing for over a day, and later ones wait",
        )
    return None
