"""Whether the exchange is well: what waits for whom and since when, what differs, what could not be delivered."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from exchange.models import Direction, MessageRow, State
from exchange.peers import Peer
from exchange.reconcile import DIFFERENCES
from yinxin.clock import rfc3339
from yinxin.module import Health
from yinxin.text import Text

if TYPE_CHECKING:
    from exchange.service import Exchange

#: a message that waits so long for a receipt is said
_LATE = timedelta(hours=24)


def health(exchange: "Exchange") -> Health:
    """The peers and their queues; not well when counts differ, a message was put aside, or one waits for a day."""
    if not exchange.on:
        return Health(
            ok=True, text=Text("未参加跨站点交换", "takes no part in the exchange"), facts={"site": None}
        )
    peers = [standing(exchange, each) for each in exchange.peers.standing()]
    differing = [
        (each.peer, each.difference) for each in exchange.reconciling.latest() if each.difference is not None
    ]
    facts: dict[str, Any] = {
        "site": exchange.own.site,
        "peers": peers,
        "differences": dict(differing),
        "waiting": sum(each["waiting"] for each in peers),
        "undelivered": sum(each["undelivered"] for each in peers),
        "undeliverable": sum(each["undeliverable"] for each in peers),
    }
    now = exchange.store.clock.now()
    late = [each["site"] for each in peers if each["oldest"] and each["oldest"] < rfc3339(now - _LATE)]
    aside = [each["site"] for each in peers if each["undeliverable"]]
    if differing:
        site, what = differing[0]
        said = DIFFERENCES[what]
        return Health(
            ok=False, text=Text(f"与 {site} 对账不符：{said.zh}", f"{site}: {said.en}"), facts=facts
        )
    if aside:
        return Health(
            ok=False,
            text=Text(f"有消息无法交付（来自 {aside[0]}）", f"messages of {aside[0]} could not be delivered"),
            facts=facts,
        )
    if late:
        return Health(
            ok=False,
            text=Text(f"发往 {late[0]} 的消息超过一天未送达", f"messages for {late[0]} wait for over a day"),
            facts=facts,
        )
    return Health(
        ok=True,
        text=Text(f"与 {len(peers)} 个站点交换正常", f"exchange with {len(peers)} sites is well"),
        facts=facts,
    )


def standing(exchange: "Exchange", peer: Peer) -> dict[str, Any]:
    """How exchange with one peer stands, as text and numbers."""
    with exchange.store.read() as session:
        counted = session.execute(
            sa.select(MessageRow.direction, MessageRow.state, sa.func.count(), sa.func.min(MessageRow.at))
            .where(MessageRow.peer == peer.site)
            .group_by(MessageRow.direction, MessageRow.state)
        ).all()
    counts = {(direction, state): (number, first) for direction, state, number, first in counted}

    def of(direction: Direction, *states: State) -> int:
        return sum(counts.get((direction, state), (0, None))[0] for state in states)

    sent, received = exchange.reconciling.reach(peer.site)
    oldest = counts.get((Direction.OUT, State.WAITING), (0, None))[1]
    works = exchange.courier.couriers.of(peer.site)
    errors = [error for _, error, _ in works.values() if error]
    done = [at for _, _, at in works.values() if at]
    return {
        "site": peer.site,
        "relation": peer.relation.value,
        "carrier": peer.carrier.value,
        "clearance": peer.clearance,
        "claimed": list(exchange.peers.claimed(peer)),
        "sent": sent.seq,
        "received": received.seq,
        "waiting": of(Direction.OUT, State.WAITING),
        "oldest": rfc3339(oldest) if oldest else None,
        "refused": of(Direction.OUT, State.REFUSED),
        "early": of(Direction.IN, State.EARLY),
        "undelivered": of(Direction.IN, State.RECEIVED),
        "undeliverable": of(Direction.IN, State.UNDELIVERABLE),
        "error": errors[0] if errors else None,
        "called": rfc3339(max(done)) if done else None,
    }
