"""What is asked of the exchange's tables by its faces, on whichever engine they are: pages, counts, lives, the inbox of a system."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from exchange import ask, desk
from exchange.errors import NotItsTurn
from exchange.models import MessageRow
from yinxin.act import SYSTEM
from yinxin.authz import Decision
from yinxin.text import Text

from .sites import letter


class Everybody:
    """A decider that permits everything: who may is asked elsewhere."""

    def require(self, _actor, action, resource, _context=None):
        return Decision(True, action, resource, Text("-", "-"), (), "0" * 64, (), {})

    check = require


def pages(exchange, **wanted):
    """Every message, five at a time."""
    found, before = [], None
    while page := ask.messages_for(exchange, SYSTEM, ask.Filter(**wanted), before=before, limit=5):
        found += page
        before = ask.place(page[-1])
    return found


def asked(jia, yi):
    """Two sites that have exchanged messages of the kind test, all of them delivered; `jia` pushes to `yi`."""
    for each in (jia, yi):
        each.decider = Everybody()
    with jia.store.read() as session:
        number = session.scalar(sa.select(sa.func.count()).select_from(MessageRow))
    listed = pages(jia)
    assert len({(each.direction, each.peer, each.id) for each in listed}) == len(listed) == number
    assert listed == sorted(listed, key=lambda each: each.at, reverse=True)
    middle = listed[number // 2]
    assert [each.id for each in pages(jia, object=middle.object)] == [middle.id]
    since, until = pages(jia, since=middle.at), pages(jia, until=middle.at)
    assert {each.id for each in since} ^ {each.id for each in until} == {each.id for each in listed}
    assert pages(jia, state="waiting") == pages(jia, kind="none") == []
    assert [each["state"] for each in map(ask.shown, ask.every_for(jia, SYSTEM, ask.Filter()))] == [
        "received"
    ] * number
    (stands,) = ask.peers_for(jia, SYSTEM)
    assert (stands.sent, stands.waiting.number, stands.difference) == (number, 0, None)
    steps = [each.moment.value for each in ask.life_for(jia, SYSTEM, ask.Known(middle.id)).steps]
    assert steps == ["made", "signed", "receipted", "recorded"]
    assert jia.health().ok

    # a system of the other site fetches what is of its own kind, in order, however many ask
    sent = [jia.sending.send(SYSTEM, letter(f"own-{n}", kind="own")) for n in range(3)]
    jia.courier.call(jia.peers.get("yi.example"), at_once=True)
    first = desk.inbox_for(yi, SYSTEM, "city-yi", "own", after=("", 0), limit=2)
    rest = desk.inbox_for(yi, SYSTEM, "city-yi", "own", after=(first[-1].peer, first[-1].seq), limit=2)
    assert [each.id for each in (*first, *rest)] == [each.id for each in sent]
    assert desk.opened_for(yi, SYSTEM, "jia.example", sent[1].id).body["n"] == "own-1"
    with pytest.raises(NotItsTurn):
        desk.acknowledge_for(yi, SYSTEM, "jia.example", sent[1].id)
    for each in sent:
        with ThreadPoolExecutor(4) as pool:
            done = [pool.submit(desk.acknowledge_for, yi, SYSTEM, "jia.example", each.id) for _ in range(4)]
        assert [each.result() for each in done] == [None] * 4
    assert desk.inbox_for(yi, SYSTEM, "city-yi", "own", after=("", 0), limit=2) == []
    (stands,) = ask.peers_for(yi, SYSTEM)
    assert (stands.received, stands.undelivered.number, stands.undeliverable.number) == (number + 3, 0, 0)

    # both say how far they have come
    assert jia.reconciling.ask(jia.peers.get("yi.example")).difference is None
    assert [each.difference for each in ask.reports_for(yi, SYSTEM, "", limit=5)] == [None]
    assert jia.sweep() == yi.sweep() == 0
