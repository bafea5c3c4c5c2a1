"""What several people decide about the exchange (law 3): whom this site exchanges with, and that it no longer does."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from exchange.card import Card
from exchange.errors import BadCard, CarrierMisconfigured, UnknownPeer
from exchange.introduce import read_card
from exchange.models import Carrier, PeerRow, Relation
from exchange.peers import Terms, end, keep, lower
from yinxin.authz import Level
from yinxin.proposal import Approved, Outcome, ProposalKind
from yinxin.text import Text
from yinxin.wire import Model, Octets

if TYPE_CHECKING:
    from exchange.service import Exchange

_PROPOSERS = frozenset({"administrator", "security-officer"})
_APPROVERS = frozenset({"security-officer", "leader"})
RELATIONS = {
    Relation.PARENT: Text("上级站点", "its parent"),
    Relation.CHILD: Text("下级站点", "a child"),
    Relation.NEIGHBOUR: Text("相邻站点", "a neighbour"),
}
CARRIERS = {
    Carrier.PUSH: Text("由本站点主动推送", "this site calls it"),
    Carrier.PULL: Text("由对方前来领取", "it calls this site"),
    Carrier.NATS: Text("经 NATS 服务器转送", "a NATS server carries them"),
    Carrier.MEDIUM: Text("以移动介质传递", "by a medium that is carried"),
}


class AdmitContent(Model):
    """A site to exchange with."""

    card: Octets
    """The site's card, as its command `yinxin exchange card` wrote it; base64."""
    relation: Literal["parent", "child", "neighbour"]
    """What it is to this site; the signed directory of a parent is believed, and that of a child of those below it."""
    carrier: Literal["push", "pull", "nats", "medium"] = "push"
    """How messages get to it."""
    clearance: Level
    """The highest level of secrecy that may leave for it; what its card states limits it further."""


class StopContent(Model):
    """A site to exchange with no longer."""

    site: str = Field(min_length=1, max_length=64)
    """The site's identifier."""


def _card(exchange: "Exchange", content: AdmitContent) -> Card:
    card = read_card(content.card)
    if card.site == exchange.own.site:
        raise BadCard(reason=Text("这是本站点自己的名片", "it is this site's own card"))
    if Carrier(content.carrier) is Carrier.PUSH and not card.url:
        raise BadCard(
            reason=Text("名片没有写网址，不能推送", "it names no address, so nothing can be pushed to it")
        )
    if Carrier(content.carrier) is Carrier.NATS and not exchange.settings.nats.url:
        raise CarrierMisconfigured(file="exchange.nats.url", reason="-")
    return card


def _check(exchange: "Exchange", content: AdmitContent) -> None:
    card = _card(exchange, content)
    with exchange.store.read() as session:
        known = session.get(PeerRow, card.site)
        if known is not None and known.stopped is None and known.version > card.version:
            raise BadCard(reason=Text("已登记的名片更新", "a newer card is on record"))


def _describe(exchange: "Exchange", content: AdmitContent) -> tuple[Text, ...]:
    card = _card(exchange, content)
    relation, carrier = RELATIONS[Relation(content.relation)], CARRIERS[Carrier(content.carrier)]
    highest = lower(card.clearance, content.clearance)
    zh, en = "、".join(each.name.zh for each in card.organs), ", ".join(each.name.en for each in card.organs)
    return (
        Text(
            f"接纳{card.name.zh}（{card.site}）为{relation.zh}，{carrier.zh}，最高密级 {highest}",
            f"admit {card.name.en} ({card.site}) as {relation.en}; {carrier.en}; up to {highest}",
        ),
        Text(
            f"名片摘要 {card.digest}；批准前请用其他途径与对方核对",
            f"digest of its card {card.digest}; compare it with the other site by another way before you approve",
        ),
        Text(f"接收机关：{zh}", f"organs that it receives for: {en}"),
    )


def _admit(exchange: "Exchange", approved: Approved[AdmitContent], session: Session) -> Outcome:
    content = approved.content
    card = _card(exchange, content)
    terms = Terms(
        Relation(content.relation),
        Carrier(content.carrier),
        content.clearance,
        approved.proposal,
        [each.id for each in card.organs],
    )
    keep(session, content.card, card, terms, exchange.store.clock.now())
    return {"site": card.site, "digest": card.digest, "version": card.version}


def _check_stop(exchange: "Exchange", content: StopContent) -> None:
    exchange.peers.get(content.site)


def _describe_stop(_exchange: "Exchange", content: StopContent) -> tuple[Text, ...]:
    return (
        Text(
            f"停止与站点 {content.site} 交换；未送达的消息留在发件箱",
            f"stop exchanging with the site {content.site}; what has not arrived stays in the outbox",
        ),
    )


def _stop(exchange: "Exchange", approved: Approved[StopContent], session: Session) -> Outcome:
    row = session.get(PeerRow, approved.content.site)
    if row is None:
        raise UnknownPeer(site=approved.content.site)
    end(session, row, approved.proposal, exchange.store.clock.now())
    return {"site": row.site}


ADMIT: ProposalKind["Exchange", Any] = ProposalKind(
    name="exchange.admit-peer",
    title=Text("接纳站点参加交换", "admit a site to the exchange"),
    content=AdmitContent,
    proposers=_PROPOSERS,
    approvers=_APPROVERS,
    check=_check,
    describe=_describe,
    within=_admit,
)
STOP: ProposalKind["Exchange", Any] = ProposalKind(
    name="exchange.stop-peer",
    title=Text("停止与站点交换", "stop exchanging with a site"),
    content=StopContent,
    proposers=_PROPOSERS,
    approvers=_APPROVERS,
    check=_check_stop,
    describe=_describe_stop,
    within=_stop,
)
