"""What other sites call: `/exchange/v1`, by mutual TLS. Whoever calls is a peer by the certificate that it proves to hold.

The certificate says whose line it is, and gives nothing but that: a run, a receipt and a statement count by the
signature that they bring.
"""

import sqlalchemy as sa
from flask import Blueprint, request
from pydantic import Field

from exchange import frames
from exchange.again import among
from exchange.confirm import confirm
from exchange.courier import behind_magic, read_receipts, receipt_frames
from exchange.errors import (
    Behind,
    Forked,
    MalformedEnvelope,
    NotAwaited,
    NoTimestamp,
    NotOurs,
    NotSignedByPeer,
    PartAltered,
    UnknownPeer,
    WrongPlace,
)
from exchange.header import SUITES, Header, Part
from exchange.line import CHUNK, PATH, Arrived, Lack, LackingPart
from exchange.models import AwaitedRow, Direction, MessageRow, PartRow, State
from exchange.packs import Slot, slot, slots
from exchange.peers import Peer
from exchange.receive import Lacking, Receipted
from exchange.runs import MOST, Reader, next_run
from exchange.service import Exchange
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.path import Usage, validate
from yinxin.errors import YinxinError
from yinxin.store import alone
from yinxin.text import Text
from yinxin.web import Api, Incoming, Raw, peer_certificate
from yinxin.wire import Model

#: octets of a request with a run
_LARGEST = 96 << 20


class Offset(Model):
    """Where a part goes on."""

    offset: int = Field(ge=0)


def routes(exchange: Exchange) -> tuple[Blueprint, ...]:
    """The operations for peers."""
    api = Api("exchange_sites", PATH, Text("站点之间的交换", "Exchange between sites"))
    _runs(api, exchange)
    _parts(api, exchange)
    return (api.blueprint,)


def _runs(api: Api, exchange: Exchange) -> None:
    known = (UnknownPeer, NotSignedByPeer)

    @api.post(
        "/runs",
        public=True,
        limit=_LARGEST,
        summary=Text("送达一批消息", "Bring a run of messages"),
        problems=(*known, MalformedEnvelope, NotOurs, Forked, PartAltered, NoTimestamp),
    )
    def run(content: Incoming) -> Raw:
        answer = exchange.receiving.receive(_peer(exchange), Reader(content.stream))
        if isinstance(answer, Receipted):
            return Raw(frames.MAGIC + receipt_frames(answer), frames.MEDIA_TYPE)
        if isinstance(answer, Lacking):
            lacking = [LackingPart(digest=part.digest, received=here) for part, here in answer.parts]
            return _said(Lack(lacking=tuple(lacking)))
        return _said(Lack(expected=answer.expected))

    @api.post(
        "/questions",
        public=True,
        summary=Text("领取待送的消息", "Ask for what waits"),
        problems=(*known, NoTimestamp),
    )
    def question(content: Incoming) -> Raw:  # noqa: ARG001 - nothing is said but who asks
        peer = _peer(exchange)
        with alone(exchange.store.engine, f"exchange-{peer.site}") as held:
            found = exchange.reconciling.again.run(peer.site) if held else None
            if found is not None:  # whoever asks once more has it, or has said anew how far it is
                exchange.reconciling.again.handed(peer.site, found)
            elif held:
                found = next_run(exchange.store, exchange.signing, peer.site)
        pieces = () if found is None else found.pieces(exchange.folder, exchange.settings.inline)
        return Raw(behind_magic(pieces), frames.MEDIA_TYPE)

    @api.post(
        "/receipts",
        public=True,
        limit=_LARGEST,
        summary=Text("交回签名回执", "Bring signed receipts"),
        problems=(*known, MalformedEnvelope, NotOurs, Behind, Forked),
    )
    def receipt(content: Incoming) -> Raw:
        peer = _peer(exchange)  # before anything that a stranger sends is read
        for each in read_receipts(Reader(content.stream)):
            confirm(exchange.ctx, peer, each)
        return Raw(b"", frames.MEDIA_TYPE)

    @api.post(
        "/reconciliations",
        public=True,
        limit=_LARGEST,
        summary=Text("对账", "Reconcile counts and chain heads"),
        problems=(*known, MalformedEnvelope, NotOurs, NoTimestamp),
    )
    def reconciliation(content: Incoming) -> Raw:
        octets = content.stream.read(_LARGEST)
        return Raw(exchange.reconciling.answer(_peer(exchange), octets), frames.MEDIA_TYPE)


def _parts(api: Api, exchange: Exchange) -> None:
    @api.post(
        "/parts/<digest>",
        public=True,
        limit=CHUNK + 1,
        summary=Text("送达消息的一部分", "Bring octets of a part"),
        problems=(UnknownPeer, NotSignedByPeer, NotAwaited, WrongPlace, PartAltered),
    )
    def part(digest: str, query: Offset, content: Incoming) -> Raw:
        peer = _peer(exchange)
        with exchange.store.read() as session:
            row = session.get(AwaitedRow, (peer.site, digest))
            if row is None:
                raise NotAwaited(digest=digest[:64])
            awaited, suite = Part(row.digest, row.size), SUITES[row.suite]
        whole = exchange.folder.take(peer.site, suite, awaited, query.offset, content.stream)
        received = awaited.size if whole else exchange.folder.received(peer.site, digest)
        return _said(Arrived(received=received))

    @api.get(
        "/parts/<digest>",
        public=True,
        summary=Text("领取消息的一部分", "Fetch octets of a part"),
        problems=(UnknownPeer, NotSignedByPeer, NotAwaited),
    )
    def fetched(digest: str, query: Offset) -> Raw:
        peer = _peer(exchange)
        found = _ours(exchange, peer, digest)
        if found is None:
            raise NotAwaited(digest=digest[:64])
        with exchange.folder.open(*found, behind=query.offset) as stream:
            return Raw(stream.read(CHUNK), "application/octet-stream")


def _ours(exchange: Exchange, peer: Peer, digest: str) -> tuple[Part, Slot | None] | None:
    """A part of a message to a peer, and where it is in its pack; one that is packed is given while its message waits, or is sent again."""
    with exchange.store.read() as session:
        size = session.scalar(
            sa.select(PartRow.size).where(
                PartRow.direction == Direction.OUT, PartRow.peer == peer.site, PartRow.digest == digest
            )
        )
        if size is not None:
            return Part(digest, size), None
        packed = sa.select(MessageRow.header, MessageRow.pack, MessageRow.pack_at).where(
            MessageRow.direction == Direction.OUT,
            MessageRow.peer == peer.site,
            sa.or_(MessageRow.state == State.WAITING, among(session, peer.site)),
            MessageRow.pack.is_not(None),
        )
        for row in session.execute(packed.order_by(MessageRow.seq).limit(2 * MOST)):
            parts = Header.decode(row.header).parts
            for part, where in zip(parts, slots(parts, slot(row)), strict=True):
                if part.digest == digest:
                    return part, where
    return None


def _said(model: Lack | Arrived) -> Raw:
    return Raw(model.model_dump_json(exclude_none=True).encode(), "application/json")


def _peer(exchange: Exchange) -> Peer:
    """Which peer it is that calls; raises NotSignedByPeer, UnknownPeer."""
    shown = peer_certificate(request.environ)
    if shown is None:
        raise NotSignedByPeer(site="-", reason=Text("没有出示客户端证书", "no client certificate was shown"))
    certificate = Certificate.load(shown)
    site = certificate.subject.get("commonName") or "-"
    peer = exchange.peers.get(site)
    now = exchange.store.clock.now()
    try:
        # what may have been revoked is told by people (`exchange.stop-peer`): no statement of its issuer travels with TLS
        validate(
            certificate,
            peer.card.authorities,
            peer.card.anchors,
            at=now,
            usage=Usage.CLIENT,
            require_revocation=False,
        )
    except YinxinError as error:
        raise NotSignedByPeer(site=site[:64], reason=error) from error
    # the peer's authority certifies people, devices and services too, whose names may read like a site's
    if certificate.subject.get("serialNumber") or set(certificate.extended_key_usage or ()) != {"clientAuth"}:
        reason = Text("不是站点互联证书", "not the certificate of a site")
        raise NotSignedByPeer(site=site[:64], reason=reason)
    exchange.courier.couriers.heard(site)
    return peer
