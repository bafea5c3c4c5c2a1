"""A small application on the kit: two people, a few operations, a database of its own."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import redirect, render_template, request, url_for
from flask.testing import FlaskClient
from pydantic import BaseModel, ConfigDict, Field, field_validator

from tests.support.databases import create_tables
from yinxin.act import Actor, Kind, Outcome
from yinxin.clock import ManualClock
from yinxin.errors import NotAuthenticated, NotFound, Unavailable
from yinxin.faults import BadValue
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine
from yinxin.text import Text
from yinxin.web import (
    Api,
    Caller,
    NavItem,
    Page,
    Pages,
    Raw,
    Upload,
    WebSettings,
    answering,
    create_app,
    cursor,
    peer_certificate,
    position,
)

ORIGIN = "https://trust.example.gov.cn"


class UnknownToken(NotAuthenticated):
    code = "test.unknown_token"
    zh = "会话已失效；请重新登录。"
    en = "The session has ended; sign in again."


class NoSuchNote(NotFound):
    code = "test.no_such_note"
    zh = "没有编号为 {id} 的便签；请核对编号。"
    en = "There is no note {id}; check the number."


class Offline(Unavailable):
    code = "test.offline"
    zh = "密码机不应答；请稍后重试。"
    en = "The security module does not answer; try again later."


#: not on the product's metadata: no other test must see it
METADATA = sa.MetaData()
NOTE = sa.Table(
    "test_note",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.String(200), nullable=False),
)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoteIn(Strict):
    text: str = Field(min_length=1, max_length=40)
    copies: int = Field(default=1, ge=1, le=9)
    level: str = "public"

    @field_validator("level")
    @classmethod
    def known(cls, value: str) -> str:
        if value not in {"public", "internal"}:
            raise BadValue("密级只能是 public 或 internal", "The level is public or internal")
        return value


class NoteOut(Strict):
    id: int
    text: str


class SecretOut(Strict):
    secret: str


SECRET = "iuJ8mB2vQ0"
_RENEW = Text("请更换口令", "renew the secret")


class Listing(Strict):
    after: str | None = None
    limit: int = Field(default=2, ge=1, le=50)
    tag: list[str] = []


class UploadOut(Strict):
    name: str
    size: int
    note: str


PEOPLE = {
    "token-wang": Caller(
        Actor(Kind.PERSON, "p1", post="post1", organ="o1"),
        "s1",
        frozenset({"clerk"}),
        "王芳",
        Text("文书岗", "Clerk"),
        Text("云岭省人民政府办公厅", "General Office"),
    ),
    "token-li": Caller(
        Actor(Kind.PERSON, "p2", post="post2", organ="o2"),
        "s2",
        frozenset({"leader"}),
        "李雷",
        Text("主任", "Director"),
        Text("省发展改革委", "Development Commission"),
    ),
}


class People:
    def authenticate(self, token: str, peer: bytes | None = None) -> Caller:
        try:
            return PEOPLE[token]
        except KeyError:
            raise UnknownToken from None


class Browser(FlaskClient):
    """A test client that talks to the public address."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("base_url", ORIGIN)
        return super().open(*args, **kwargs)


class World:
    """What a test may look into and disturb."""

    def __init__(self, url: str) -> None:
        self.clock = ManualClock(datetime(2026, 11, 22, 1, 30, tzinfo=UTC))
        self.store = Store(open_engine(url), clock=self.clock, randomness=SystemRandomness())
        create_tables(self.store.engine)
        METADATA.create_all(self.store.engine)
        self.settings = WebSettings(public_url=ORIGIN, body_limit=4096, upload_limit=8192)
        self.before_answer: Any = None
        #: called with the name of each place that a draft reaches
        self.reached: Any = lambda _place: None
        self.signed_out: list[str] = []
        self.app = create_app(
            authenticator=People(), store=self.store, clock=self.clock, settings=self.settings
        )
        self.app.register_blueprint(notes(self).blueprint)
        self.app.register_blueprint(doors(self).blueprint)
        self.app.register_blueprint(pages(self).blueprint)

    def client(self, who: str | None = "token-wang", **headers: str) -> FlaskClient:
        client = Browser(self.app)
        if who:
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {who}"
        for name, value in headers.items():
            client.environ_base["HTTP_" + name.upper()] = value
        return client

    def count(self, table: str) -> int:
        with self.store.read() as session:
            return int(session.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one())

    def events(self) -> list[dict[str, Any]]:
        with self.store.read() as session:
            rows = session.execute(sa.text("SELECT data FROM outbox ORDER BY number")).scalars()
            return [json.loads(row) for row in rows]


def notes(world: World) -> Api:
    api = Api("notes", "/api/notes/v1", Text("便签", "Notes"))

    @api.post("/notes", status=201, summary=Text("新建便签", "Write a note"))
    def write(body: NoteIn, caller: Caller) -> NoteOut:
        with world.store.act(caller.actor, "notes.write", "note:new") as act:
            key = act.session.execute(sa.insert(NOTE).values(text=body.text)).inserted_primary_key
            out = NoteOut(id=key[0], text=body.text)
        if world.before_answer is not None:
            world.before_answer()
        return out

    @api.post("/drafts", status=201, claimed_by_act=True, summary=Text("起草便签", "Draft a note"))
    def draft(body: NoteIn, caller: Caller) -> NoteOut:
        hold = answering()
        assert hold is not None
        world.reached("begun")
        with world.store.act(caller.actor, "notes.intend", "note:new", outcome=Outcome.INTENT):
            pass
        world.reached("intended")
        with world.store.act(caller.actor, "notes.write", "note:new") as act:
            (number,) = act.session.execute(sa.insert(NOTE).values(text=body.text)).inserted_primary_key
            out = NoteOut(id=number, text=body.text)
            hold.answer(act.session, 201, out.model_dump_json().encode())
        world.reached("written")
        return out

    @api.post("/keys", status=201, secret=_RENEW, summary=Text("新建口令", "Make a secret"))
    def key(body: NoteIn, caller: Caller) -> SecretOut:
        if body.text == "无此文":
            raise NoSuchNote(id=7)
        with world.store.act(caller.actor, "notes.write", "note:new") as act:
            act.session.execute(sa.insert(NOTE).values(text="口令"))
        if world.before_answer is not None:
            world.before_answer()
        return SecretOut(secret=f"{SECRET}-{body.text}")

    @api.get("/notes", summary=Text("便签目录", "Notes"))
    def listing(query: Listing, caller: Caller) -> Page[NoteOut]:
        after = position(query.after, int)[0] if query.after else 0
        with world.store.read() as session:
            wanted = sa.select(NOTE).where(NOTE.c.id > after).order_by(NOTE.c.id).limit(query.limit + 1)
            rows = session.execute(wanted).all()
        items = [NoteOut(id=row.id, text=row.text) for row in rows[: query.limit]]
        more = len(rows) > query.limit
        return Page[NoteOut](items=items, next=cursor(items[-1].id) if more else None)

    @api.get("/notes/<int:number>", summary=Text("便签", "A note"), problems=(NoSuchNote,))
    def show(number: int) -> NoteOut:
        with world.store.read() as session:
            row = session.execute(sa.select(NOTE).where(NOTE.c.id == number)).first()
            if row is None:
                raise NoSuchNote(id=number)
            return NoteOut(id=row.id, text=row.text)

    @api.delete("/notes/<int:number>", summary=Text("删除便签", "Remove a note"))
    def remove(number: int, caller: Caller) -> None:
        with world.store.act(caller.actor, "notes.remove", f"note:{number}") as act:
            act.session.execute(sa.delete(NOTE).where(NOTE.c.id == number))

    @api.post("/questions", repeatable=True, summary=Text("提问", "Ask"))
    def ask(body: NoteIn, caller: Caller) -> NoteOut:
        return NoteOut(id=len(caller.roles), text=body.text)

    @api.post("/files", status=201, limit=6000, summary=Text("上传", "Upload"))
    def send(attachment: Upload, body: NoteIn, caller: Caller) -> UploadOut:
        return UploadOut(name=attachment.name, size=len(attachment.stream.read()), note=body.text)

    @api.get("/raw", public=True, summary=Text("原文", "Raw"))
    def raw() -> Raw:
        return Raw(b"\x30\x00", "application/pkix-crl", {"ETag": '"x"'})

    @api.get("/offline", public=True, problems=(Offline,), summary=Text("离线", "Offline"))
    def offline() -> Raw:
        raise Offline

    @api.get("/bug", public=True, summary=Text("缺陷", "Bug"))
    def bug() -> Raw:
        raise ZeroDivisionError("secret-detail")

    return api


class Empty(Strict):
    pass


class ChallengeOut(Strict):
    challenge: str


class SessionIn(Strict):
    challenge: str
    signature: str


class TokenOut(Strict):
    token: str


class WrongSignature(NotAuthenticated):
    code = "test.wrong_signature"
    zh = "签名不是对本次挑战码的签名；请重新签署。"
    en = "The signature is not over this challenge; sign it again."


def doors(world: World) -> Api:
    """The authorization service's part in signing in; a good signature is the octets 0x30 0x00."""
    api = Api("authz", "/api/authz/v1", Text("授权", "Authorization"))

    @api.post("/challenges", public=True, summary=Text("挑战", "Challenge"))
    def challenge(body: Empty) -> ChallengeOut:
        return ChallengeOut(challenge="challenge-1")

    @api.post("/sessions", public=True, problems=(WrongSignature,), summary=Text("登录", "Sign in"))
    def sign_in(body: SessionIn) -> TokenOut:
        if (body.challenge, body.signature) != ("challenge-1", "MAA="):
            raise WrongSignature
        return TokenOut(token="token-wang")

    @api.post("/sessions/tls", public=True, summary=Text("证书登录", "Sign in by TLS"))
    def sign_in_tls(body: Empty) -> TokenOut:
        if peer_certificate(request.environ) != b"certificate of wang":
            raise UnknownToken
        return TokenOut(token="token-wang")

    @api.delete("/sessions/current", summary=Text("退出", "Sign out"))
    def sign_out(caller: Caller) -> None:
        world.signed_out.append(caller.session)

    return api


def pages(world: World) -> Pages:
    items = (
        NavItem(Text("便签", "Notes"), "sample.listing"),
        NavItem(Text("新建", "New"), "sample.new", frozenset({"clerk"})),
    )
    pages = Pages("sample", __name__, prefix="/sample", navigation=items)

    @pages.get("/")
    def listing(query: Listing, caller: Caller) -> str:
        with world.store.read() as session:
            rows = session.execute(sa.select(NOTE)).all()
        return render_template("sample/list.html", rows=rows, next=cursor(2), at=world.clock.now())

    @pages.get("/open", public=True)
    def hall() -> str:
        return render_template("sample/list.html", rows=[], next=None, at=world.clock.now())

    @pages.form("/new", "sample/new.html")
    def new(body: NoteIn, attachment: Upload | None, caller: Caller) -> Any:
        if body.text == "无此文":
            raise NoSuchNote(id=7)
        with world.store.act(caller.actor, "notes.write", "note:new") as act:
            act.session.execute(
                sa.insert(NOTE).values(text=body.text + (attachment.name if attachment else ""))
            )
        return redirect(url_for("sample.listing"), 303)

    return pages


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World(database_url)
    yield world
    world.store.engine.dispose()
