"""What monitoring is told of the exchange: of each peer what waits, what came to no good end, and since when."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from exchange.standing import Standing, standings
from yinxin.metrics import Figure, Metrics, Sample
from yinxin.text import Text

if TYPE_CHECKING:
    from exchange.service import Exchange


def _figure(name: str, zh: str, en: str) -> Figure:
    return Figure(f"yinxin_exchange_{name}", Text(zh, en), ("peer",))


UNRECEIPTED = _figure("unreceipted_messages", "尚无回执的消息数", "messages that wait for the peer's receipt")
OLDEST = _figure(
    "oldest_unreceipted_seconds", "其中最早一条已等待的秒数", "for how long the oldest of them has waited"
)
FAILURES = _figure(
    "failed_calls", "呼叫对方连续失败的次数", "calls to the peer that failed one after the other"
)
HEARD = _figure(
    "heard_age_seconds", "最近一次收到对方签名距今的秒数", "time since something that the peer signed came in"
)
DIFFERS = _figure("differs", "对账不符为 1", "1 while counts differ from the peer's")

_COUNTS: tuple[tuple[Figure, Callable[[Standing], int]], ...] = (
    (UNRECEIPTED, lambda found: found.waiting.number),
    (
        _figure(
            "early_messages",
            "因缺号而等待的来信数",
            "messages that came and wait for a missing one before them",
        ),
        lambda found: found.early.number,
    ),
    (
        _figure(
            "undelivered_messages", "尚未交付应用的来信数", "messages that came and are not delivered yet"
        ),
        lambda found: found.undelivered.number,
    ),
    (
        _figure("undeliverable_messages", "无法交付的来信数", "messages that came and cannot be delivered"),
        lambda found: found.undeliverable.number,
    ),
    (
        _figure("refused_messages", "被对方拒收的消息数", "messages that the peer refused"),
        lambda found: found.refused.number,
    ),
    (
        _figure("rejected_messages", "本站拒收的来信数", "messages of the peer that this site refused"),
        lambda found: found.rejected.number,
    ),
    (FAILURES, lambda found: found.failures),
    (DIFFERS, lambda found: found.difference is not None),
)


def _peers(exchange: "Exchange") -> Iterator[Sample]:
    if not exchange.on:
        return
    now = exchange.store.clock.now()
    for each in standings(exchange, exchange.peers.standing()):
        site = each.peer.site
        for figure, number in _COUNTS:
            yield figure.at(number(each), site)
        yield OLDEST.at(_since(each.waiting.since, now) or 0.0, site)
        if (heard := _since(each.heard, now)) is not None:
            yield HEARD.at(heard, site)


def _since(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())


METRICS: "tuple[Metrics[Exchange], ...]" = (
    Metrics("exchange.peers", (*(each for each, _ in _COUNTS), OLDEST, HEARD), _peers),
)
