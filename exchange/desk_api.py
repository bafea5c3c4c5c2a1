"""Messages of departments' systems over HTTP: sent, fetched and acknowledged, by whoever was granted that."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from flask import Blueprint
from pydantic import Field

from exchange import desk
from exchange.errors import (
    ExchangeOff,
    KindReserved,
    NoSuchFile,
    NoSuchMessage,
    NotItsTurn,
    NotOurOrgan,
    PartAltered,
    ReferenceReused,
    TooLarge,
    TooSecret,
    UnknownRecipient,
)
from exchange.service import Exchange
from yinxin.authz import Denied
from yinxin.exchange import Enclosed, Outgoing
from yinxin.messages import (
    AcknowledgementIn,
    IncomingContentOut,
    IncomingFileOut,
    IncomingOut,
    OutgoingIn,
    SentOut,
)
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, Raw, Upload, cursor, position

#: what a system's token must be for
SCOPE = "exchange.use"
#: octets of a request with a message and its files
_LARGEST = 1 << 30


class InboxQuery(Paged):
    """Whose messages, and of which kind."""

    organ: str = Field(min_length=1, max_length=64)
    """The organ of this site that they are for."""
    kind: str = Field(min_length=1, max_length=40)


def routes(exchange: Exchange) -> tuple[Blueprint, ...]:
    """The operations."""
    api = Api(
        "exchange_desk", "/api/exchange/v1", Text("业务系统的跨站点消息", "Messages of departments' systems")
    )
    _sending(api, exchange)
    _fetching(api, exchange)
    return (api.blueprint,)


def _sending(api: Api, exchange: Exchange) -> None:
    @api.post(
        "/outgoing",
        scope=SCOPE,
        limit=_LARGEST,
        summary=Text("向其他站点的机关发送消息", "Send a message to an organ of another site"),
        problems=(
            *(Denied, KindReserved, ExchangeOff, NotOurOrgan, UnknownRecipient),
            *(TooSecret, TooLarge, ReferenceReused),
        ),
    )
    def outgoing(body: OutgoingIn, files: tuple[Upload, ...], caller: Caller) -> SentOut:
        said = body.model_dump(exclude={"content"})
        with TemporaryDirectory(prefix="yinxin-") as spool:
            enclosed = tuple(_spooled(Path(spool) / str(at), each) for at, each in enumerate(files))
            sent = desk.send_for(exchange, caller.actor, Outgoing(**said, body=body.content, files=enclosed))
        return SentOut.model_validate({name: getattr(sent, name) for name in ("id", "peer", "seq", "state")})

    @api.get(
        "/outgoing/<sender>/<reference>",
        scope=SCOPE,
        summary=Text("一条已发消息的状态", "What became of a message that was sent"),
        problems=(Denied, NoSuchMessage),
    )
    def sent(sender: str, reference: str, caller: Caller) -> SentOut:
        row = desk.sent_for(exchange, caller.actor, sender, reference)
        return SentOut.model_validate({name: getattr(row, name) for name in SentOut.model_fields})


def _fetching(api: Api, exchange: Exchange) -> None:
    one = "/inbox/<peer>/<id>"

    @api.get(
        "/inbox",
        scope=SCOPE,
        summary=Text("待领取的消息", "Messages that wait to be fetched"),
        problems=(Denied, KindReserved),
    )
    def inbox(query: InboxQuery, caller: Caller) -> Page[IncomingOut]:
        after = position(query.after, str, int) if query.after else ("", 0)
        found = desk.inbox_for(
            exchange, caller.actor, query.organ, query.kind, after=after, limit=query.limit + 1
        )
        page, more = found[: query.limit], len(found) > query.limit
        items = [
            IncomingOut.model_validate({name: getattr(each, name) for name in IncomingOut.model_fields})
            for each in page
        ]
        return Page(items=items, next=cursor(page[-1].peer, page[-1].seq) if more else None)

    @api.get(
        one,
        scope=SCOPE,
        summary=Text("领取一条消息的内容", "What a message says"),
        problems=(Denied, NoSuchMessage, KindReserved, PartAltered),
    )
    def content(peer: str, id: str, caller: Caller) -> IncomingContentOut:  # noqa: A002 - the parameter's name in the address
        message = desk.opened_for(exchange, caller.actor, peer, id)
        files = [
            IncomingFileOut(
                name=each.name,
                media_type=each.media_type,
                size=each.size,
                sha256=each.sha256,
                sm3=each.sm3,
            )
            for each in message.files
        ]
        names = ("id", "peer", "sender", "recipient", "kind", "object", "grade")
        said = {name: getattr(message, name) for name in names}
        return IncomingContentOut.model_validate({**said, "content": dict(message.body), "files": files})

    @api.get(
        f"{one}/files/<int:number>",
        scope=SCOPE,
        summary=Text("领取消息的一个文件", "A file of a message"),
        problems=(Denied, NoSuchMessage, KindReserved, NoSuchFile, PartAltered),
    )
    def file(peer: str, id: str, number: int, caller: Caller) -> Raw:  # noqa: A002 - the parameter's name in the address
        found, pieces = desk.file_for(exchange, caller.actor, peer, id, number)
        # whatever the sender calls it, a browser only keeps it
        named = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
        headers = {"Content-Disposition": named, "Content-Length": str(found.size)}
        return Raw(pieces, "application/octet-stream", headers)

    @api.post(
        f"{one}/acknowledgement",
        scope=SCOPE,
        status=204,
        summary=Text("确认已收妥一条消息", "Acknowledge a message"),
        problems=(Denied, NoSuchMessage, KindReserved, NotItsTurn),
    )
    def acknowledge(peer: str, id: str, body: AcknowledgementIn, caller: Caller) -> None:  # noqa: A002 - the parameter's name in the address
        desk.acknowledge_for(exchange, caller.actor, peer, id, unusable=body.unusable)


def _spooled(path: Path, file: Upload) -> Enclosed:
    with path.open("wb") as out:
        shutil.copyfileobj(file.stream, out, 1 << 20)
    return Enclosed(file.name, file.media_type, path)
