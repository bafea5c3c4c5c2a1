"""The exchange over HTTP: peers and their cards, the message log, evidence, reconciling, files that are carried by hand."""

from typing import Literal

from flask import Blueprint
from pydantic import Field

from exchange import ask
from exchange.desk_api import SCOPE
from exchange.errors import (
    AmbiguousMessage,
    Behind,
    ExchangeOff,
    Forked,
    MalformedEnvelope,
    NoSuchMessage,
    NotReceipted,
    NotSignedByPeer,
    PartAltered,
    PeerUnreachable,
    UnknownPeer,
)
from exchange.export import export_for
from exchange.frames import MEDIA_TYPE
from exchange.life import WORDS, Life
from exchange.models import MessageRow
from exchange.reconcile import DIFFERENCES
from exchange.reports import Report
from exchange.service import Exchange
from exchange.standing import Standing
from yinxin.authz import Denied
from yinxin.evidence import MEDIA_TYPE as EVIDENCE
from yinxin.messages import (
    CarriedOut,
    LifeOut,
    MessageOut,
    PeerOrganOut,
    PeerOrgansOut,
    PeerOut,
    ReachOut,
    ReconciliationOut,
    SpanOut,
    StepOut,
)
from yinxin.tables import Format, lines
from yinxin.text import Text
from yinxin.web import Api, Caller, Incoming, Page, Paged, Raw, cursor, page_of, position
from yinxin.wire import Instant, Model, Words

#: octets of a file that was carried here
_LARGEST = 1 << 30
_TABLES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


class Conditions(Model):
    """Which messages, but for their times; whatever is left out is anything."""

    direction: Literal["", "out", "in"] = ""
    peer: str = Field(default="", max_length=64)
    organ: str = Field(default="", max_length=64)
    """The organ that sent it, or that it is for."""
    kind: str = Field(default="", max_length=40)
    object: str = Field(default="", max_length=200)
    state: Literal["", "waiting", "received", "refused", "early", "delivered", "undeliverable"] = ""


class FilterQuery(Conditions):
    """Which messages; times are from `since` until before `until`."""

    since: Instant | None = None
    until: Instant | None = None

    def wanted(self) -> ask.Filter:
        """The conditions."""
        return ask.Filter(**{name: getattr(self, name) for name in FilterQuery.model_fields})


class MessageQuery(FilterQuery, Paged):
    """Which messages, newest first, and which page of them."""


class ExportQuery(FilterQuery):
    """Which messages, and how they are written."""

    format: Format = "csv"


class ReconciliationQuery(Paged):
    """Whose word; no peer is everybody's."""

    peer: str = Field(default="", max_length=64)


def routes(exchange: Exchange) -> tuple[Blueprint, ...]:
    """The operations."""
    api = Api("exchange", "/api/exchange/v1", Text("跨站点交换", "Exchange between sites"))
    _peers(api, exchange)
    _messages(api, exchange)
    _reconciling(api, exchange)
    _carrying(api, exchange)
    return (api.blueprint,)


def _peers(api: Api, exchange: Exchange) -> None:
    @api.get("/peers", summary=Text("交换站点", "Sites that are exchanged with"), problems=(Denied,))
    def peers(query: Paged, caller: Caller) -> Page[PeerOut]:
        found = ask.peers_for(exchange, caller.actor, after=query.begin(str) or "", limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.peer.site, show=peer_out)

    @api.get(
        "/peers/<site>",
        summary=Text("一个交换站点", "A site that is exchanged with"),
        problems=(Denied, UnknownPeer),
    )
    def peer(site: str, caller: Caller) -> PeerOut:
        return peer_out(ask.peer_for(exchange, caller.actor, site))

    @api.get(
        "/peers/<site>/organs",
        summary=Text("站点名片上的机关", "The organs on a site's card"),
        problems=(Denied, UnknownPeer),
    )
    def peer_organs(site: str, caller: Caller) -> PeerOrgansOut:
        found = ask.peer_for(exchange, caller.actor, site)
        return PeerOrgansOut(
            items=[
                PeerOrganOut(
                    id=each.id,
                    name=Words.of(each.name),
                    clearance=each.clearance,
                    reached=found.peer.stopped is None and each.id not in found.claimed,
                )
                for each in found.peer.card.organs
            ]
        )

    @api.get(
        "/peers/<site>/card",
        summary=Text("已登记的站点名片", "A site's card as it is on record"),
        problems=(Denied, UnknownPeer),
    )
    def peer_card(site: str, caller: Caller) -> Raw:
        data, _ = ask.peer_card_for(exchange, caller.actor, site)
        return Raw(data, MEDIA_TYPE, _named(f"{site}.card"))

    @api.post(
        "/card",
        unkept=True,
        summary=Text("出具本站点名片", "This site's card"),
        problems=(Denied, ExchangeOff),
    )
    def card(caller: Caller) -> Raw:
        data, digest = ask.card_for(exchange, caller.actor)
        return Raw(data, MEDIA_TYPE, {**_named(f"{exchange.own.site}.card"), "Card-Digest": digest})


def _messages(api: Api, exchange: Exchange) -> None:
    one = "/messages/<direction>/<peer>/<id>"

    @api.get("/messages", summary=Text("消息日志", "The message log"), problems=(Denied,))
    def messages(query: MessageQuery, caller: Caller) -> Page[MessageOut]:
        before = ask.Place(*position(query.after, str, str, str, int)) if query.after else None
        found = ask.messages_for(exchange, caller.actor, query.wanted(), before=before, limit=query.limit + 1)
        page, more = found[: query.limit], len(found) > query.limit
        return Page(
            items=[message_out(each) for each in page], next=cursor(*ask.place(page[-1])) if more else None
        )

    @api.get("/message-export", summary=Text("导出消息日志", "The message log as a file"), problems=(Denied,))
    def export(query: ExportQuery, caller: Caller) -> Raw:
        rows = map(ask.shown, ask.every_for(exchange, caller.actor, query.wanted()))
        mark = "\ufeff" if query.format == "csv" else ""
        text = (
            f"{mark}{line}" if at == 0 else line
            for at, line in enumerate(lines(rows, ask.COLUMNS, query.format))
        )
        octets = (each.encode() for each in text)
        return Raw(octets, _TABLES[query.format], _named(f"messages.{query.format}"))

    @api.get(
        one,
        scope=SCOPE,
        summary=Text("一条消息的办理过程", "A message, and its life"),
        problems=(Denied, NoSuchMessage, AmbiguousMessage),
    )
    def message(direction: str, peer: str, id: str, caller: Caller) -> LifeOut:  # noqa: A002 - the parameter's name in the address
        return life_out(ask.life_for(exchange, caller.actor, ask.Known(id, peer, direction)))

    @api.post(
        f"{one}/evidence",
        unkept=True,
        scope=SCOPE,
        summary=Text("导出消息证据", "The evidence of a message (ASiC-E)"),
        problems=(Denied, NoSuchMessage, AmbiguousMessage, NotReceipted),
    )
    def evidence(direction: str, peer: str, id: str, caller: Caller) -> Raw:  # noqa: A002 - the parameter's name in the address
        data = export_for(exchange, caller.actor, ask.Known(id, peer, direction))
        return Raw(data, EVIDENCE, _named(f"{id}.asice"))


def _reconciling(api: Api, exchange: Exchange) -> None:
    @api.get("/reconciliations", summary=Text("对账记录", "What reconciling came to"), problems=(Denied,))
    def reconciliations(query: ReconciliationQuery, caller: Caller) -> Page[ReconciliationOut]:
        found = ask.reports_for(
            exchange, caller.actor, query.peer, before=query.begin(str) or "", limit=query.limit + 1
        )
        return page_of(found, query.limit, key=lambda each: each.id, show=report_out)

    @api.post(
        "/peers/<site>/reconciliation",
        summary=Text("立即收发并对账", "Call a site and reconcile now"),
        problems=(Denied, UnknownPeer, PeerUnreachable, NotSignedByPeer, MalformedEnvelope),
    )
    def reconcile(site: str, caller: Caller) -> ReconciliationOut:
        ask.reconcile_for(exchange, caller.actor, site)
        return report_out(ask.reports_for(exchange, caller.actor, site, limit=1)[0])


def _carrying(api: Api, exchange: Exchange) -> None:
    @api.post(
        "/peers/<site>/medium",
        unkept=True,
        summary=Text("写出移动介质文件", "A file to be carried to a site"),
        problems=(Denied, UnknownPeer),
    )
    def carry_out(site: str, caller: Caller) -> Raw:
        pieces, count = ask.carried_out_for(exchange, caller.actor, site)
        headers = {**_named(f"{exchange.own.site}-{site}.exchange"), "Message-Count": str(count)}
        return Raw(pieces, MEDIA_TYPE, headers)

    @api.post(
        "/media",
        unkept=True,
        limit=_LARGEST,
        summary=Text("导入移动介质文件", "Take in a file that was carried"),
        problems=(Denied, UnknownPeer, MalformedEnvelope, NotSignedByPeer, Behind, Forked, PartAltered),
    )
    def carry_in(content: Incoming, caller: Caller) -> CarriedOut:
        found = ask.carry_in_for(exchange, caller.actor, content.stream)
        return CarriedOut(
            messages=found.messages, early=found.early, settled=found.settled, difference=found.difference
        )


def peer_out(found: Standing) -> PeerOut:
    """A peer as the API shows it."""
    peer = found.peer
    return PeerOut.model_validate(
        {
            **found.fields(),
            "name": Words.of(peer.name),
            "url": peer.url,
            "source": peer.source,
            "since": peer.since,
            "stopped": peer.stopped,
            "version": peer.card.version,
            "digest": peer.card.digest,
        }
    )


def message_out(row: MessageRow) -> MessageOut:
    """A message as the API shows it."""
    return MessageOut.model_validate(ask.shown(row))


def life_out(found: Life) -> LifeOut:
    """A message with its life as the API shows it."""
    return LifeOut.model_validate(
        {
            **ask.shown(found.row),
            "steps": [
                StepOut(
                    moment=each.moment.value,
                    words=Words.of(WORDS[each.moment]),
                    at=each.at,
                    site=each.site,
                    stamped=each.stamped,
                    error=each.error,
                )
                for each in found.steps
            ],
            "run": found.run and SpanOut(first=found.run[0], upto=found.run[1]),
            "receipt": found.receipt and SpanOut(first=found.receipt[0], upto=found.receipt[1]),
            "parts": len(found.parts),
            "size": sum(each.size for each in found.parts),
        }
    )


def report_out(found: Report) -> ReconciliationOut:
    """A report of reconciling as the API shows it."""
    return ReconciliationOut(
        id=found.id,
        peer=found.peer,
        at=found.at,
        sent=ReachOut(seq=found.sent.seq, head=found.sent.head, receipted=found.sent.receipted),
        received=ReachOut(
            seq=found.received.seq, head=found.received.head, receipted=found.received.receipted
        ),
        difference=found.difference,
        words=Words.of(DIFFERENCES[found.difference]) if found.difference else None,
    )


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
