"""A platform in miniature behind both transports, with faults on demand; identities of both suites."""

import contextlib
import ssl
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization as s
from flask import request
from pydantic import BaseModel, ConfigDict
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support.databases import create_tables
from yinxin.act import Actor, Kind
from yinxin.authz import sign_in_statement
from yinxin.client import Client, https, in_process
from yinxin.clock import ManualClock
from yinxin.crypto import cms
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.keys import Identity, PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.suite import INTL, SM, Suite
from yinxin.crypto.tbs import CertificateTemplate, assemble, to_be_signed
from yinxin.errors import NotAuthenticated, NotFound, Unavailable
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Raw, WebSettings, create_app, cursor, peer_certificate, position

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
PATH = "/api/shelf/v1"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ended(NotAuthenticated):
    code = "test.session_ended"
    zh = "会话已结束；请重新登录。"
    en = "The session has ended; sign in again."


class NoBook(NotFound):
    code = "test.no_book"
    zh = "书架上没有 {name}；请核对书名。"
    en = "There is no {name} on the shelf; check the title."


class Asleep(Unavailable):
    code = "test.asleep"
    zh = "书架管理员不应答；请稍后重试。"
    en = "The keeper does not answer; try again later."


class Empty(Model):
    pass


class SessionIn(Model):
    challenge: str
    signature: str


class Token(Model):
    token: str


class ChallengeOut(Model):
    challenge: str


class Words(Model):
    zh: str
    en: str


class Who(Model):
    person: str
    name: str
    post: str
    post_name: Words
    organ: str
    organ_name: Words
    roles: list[str]
    session: str
    newer_field: str = "a newer platform says more"


class Book(Model):
    name: str


class Listing(Model):
    after: str | None = None


class KeyOut(Model):
    label: str
    purpose: str = "seal"
    algorithm: str
    suite: str
    owner: str = "o1"
    state: str = "active"
    public_key: str | None


class SignIn(Model):
    digest_base64: str
    purpose: str
    subject: str


class Signature(Model):
    signature_base64: str


@dataclass
class Platform:
    """The little platform's state: `faults` are raised, one for each call to put or take."""

    folder: Path
    store: Store
    keys: dict[str, PrivateKey]
    sessions: dict[str, Caller] = field(default_factory=dict)
    challenges: int = 0
    faults: list[BaseException] = field(default_factory=list)
    keys_seen: list[str] = field(default_factory=list)
    books: list[str] = field(default_factory=lambda: ["甲", "乙", "丙", "丁", "戊"])
    forge: bool = False
    app: Any = None
    origins: tuple[str, ...] = ("https://localhost",)

    def authenticate(self, token: str, peer: bytes | None = None) -> Caller:
        try:
            return self.sessions[token]
        except KeyError:
            raise Ended from None

    def admit(self, certificate: Certificate) -> Token:
        actor = Actor(Kind.PERSON, "p1", post="post1", organ="o1", certificate=certificate.fingerprint)
        token = f"token-{len(self.sessions)}"
        words = Text("处长", "Head"), Text("办公厅", "Office")
        self.sessions[token] = Caller(actor, "s1", frozenset({"clerk"}), "王芳", *words)
        return Token(token=token)

    def fail(self) -> None:
        if key := request.headers.get("Idempotency-Key"):
            self.keys_seen.append(key)
        if self.faults:
            raise self.faults.pop(0)


def authz(platform: Platform) -> Api:
    api = Api("authz", "/api/authz/v1", Text("授权", "Authorization"))

    @api.post("/challenges", public=True, summary=Text("挑战", "Challenge"))
    def challenge(body: Empty) -> ChallengeOut:
        platform.challenges += 1
        return ChallengeOut(challenge=f"c{platform.challenges}")

    @api.post("/sessions", public=True, summary=Text("登录", "Sign in"))
    def sign_in(body: SessionIn) -> Token:
        host = f"https://{request.host}"
        signed = cms.verify_detached(b64decode(body.signature), sign_in_statement(body.challenge, host))
        return platform.admit(signed.certificate)

    @api.post("/sessions/tls", public=True, summary=Text("证书登录", "Sign in by TLS"))
    def sign_in_tls(body: Empty) -> Token:
        der = peer_certificate(request.environ)
        if der is None:
            raise Ended
        return platform.admit(Certificate.load(der))

    @api.get("/sessions/current", summary=Text("我", "Who"))
    def current(caller: Caller) -> Who:
        post = Words(zh=caller.post_name.zh, en=caller.post_name.en)
        organ = Words(zh=caller.organ_name.zh, en=caller.organ_name.en)
        names = {"post": "post1", "post_name": post, "organ": "o1", "organ_name": organ}
        return Who(person="p1", name=caller.name, roles=["clerk"], session=caller.session, **names)

    @api.delete("/sessions/current", summary=Text("退出", "Sign out"))
    def sign_out(caller: Caller) -> None:
        platform.sessions.clear()

    return api


def shelf(platform: Platform) -> Api:
    api = Api("shelf", PATH, Text("书架", "Shelf"))

    @api.post("/books", status=201, summary=Text("上架", "Put"))
    def put(body: Book, caller: Caller) -> Book:
        platform.fail()
        with platform.store.act(caller.actor, "shelf.put", "book:new"):
            platform.books.append(body.name)
        return body

    @api.get("/books/<name>", summary=Text("取书", "Take"), problems=(NoBook,))
    def take(name: str) -> Book:
        platform.fail()
        if name not in platform.books:
            raise NoBook(name=name)
        return Book(name=name)

    @api.get("/books", summary=Text("目录", "List"))
    def listing(query: Listing) -> Page[Book]:
        start = position(query.after, int)[0] if query.after else 0
        rest = platform.books[start : start + 2]
        more = cursor(start + 2) if start + 2 < len(platform.books) else None
        return Page[Book](items=[Book(name=name) for name in rest], next=more)

    @api.get("/page", public=True, summary=Text("网页", "Page"))
    def page() -> Raw:
        return Raw(b"<html>proxy</html>", "text/html")

    return api


def kms(platform: Platform) -> Api:
    api = Api("kms", "/api/kms/v1", Text("密钥", "Keys"))

    @api.get("/keys/<label>", summary=Text("公钥", "Key"))
    def key(label: str) -> KeyOut:
        public = platform.keys[label].public_key
        spki = b64encode(public.spki).decode()
        return KeyOut(label=label, algorithm=public.algorithm, suite=public.suite.name, public_key=spki)

    @api.post("/keys/<label>/signatures", status=201, summary=Text("签名", "Sign"))
    def sign(label: str, body: SignIn, caller: Caller) -> Signature:
        signature = platform.keys["other" if platform.forge else label].sign_prehashed(
            b64decode(body.digest_base64)
        )
        return Signature(signature_base64=b64encode(signature).decode())

    return api


def issue(suite: Suite, subject: str, *, issuer: Identity | None = None, **more: Any) -> Identity:
    """A certificate for a new key: self-signed, or by `issuer`."""
    key = PrivateKey.generate(suite)
    name = Name.of({"CN": subject})
    template = CertificateTemplate(
        subject=name,
        not_before=datetime.now(UTC).replace(microsecond=0) - timedelta(days=1),
        not_after=datetime.now(UTC).replace(microsecond=0) + timedelta(days=30),
        **{"key_usage": frozenset({"digitalSignature"}), **more},
    )
    signer = issuer.key if issuer else key
    tbs = to_be_signed(
        template,
        spki=key.public_key.spki,
        issuer_name=issuer.certificate.subject if issuer else name,
        issuer_key_id=signer.public_key.key_id,
        serial=int.from_bytes(key.public_key.key_id[:8]) | 1,
        algorithm=signer.public_key.signature_algorithm,
    )
    return Identity(
        key, Certificate.load(assemble(tbs, signer.public_key.signature_algorithm, signer.sign(tbs)))
    )


@pytest.fixture(scope="session")
def identities() -> dict[str, Identity]:
    return {"intl": issue(INTL, "王芳"), "sm": issue(SM, "王芳")}


@pytest.fixture(scope="session")
def tls() -> dict[str, Identity]:
    """A little TLS world: root, server, client, and a root nobody asked for."""
    usage = frozenset({"keyCertSign", "cRLSign"})
    root = issue(INTL, "Root", ca=True, key_usage=usage)
    return {
        "root": root,
        "server": issue(
            INTL, "localhost", issuer=root, san=(("dns", "localhost"),), extended_key_usage=("serverAuth",)
        ),
        "client": issue(INTL, "王芳", issuer=root, extended_key_usage=("clientAuth",)),
        "stranger": issue(INTL, "Stranger", ca=True, key_usage=usage),
    }


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    clock = ManualClock(NOW)
    store = Store(open_engine(f"sqlite:///{tmp_path}/p.db"), clock=clock, randomness=SystemRandomness())
    create_tables(store.engine)
    keys = {"seal-intl": PrivateKey.generate(INTL), "seal-sm": PrivateKey.generate(SM)}
    keys["other"] = PrivateKey.generate(INTL)
    platform = Platform(tmp_path, store, keys)
    app = create_app(authenticator=platform, store=store, clock=clock, settings=WebSettings())
    for api in (authz(platform), shelf(platform), kms(platform)):
        app.register_blueprint(api.blueprint)
    platform.app = app
    yield platform
    store.engine.dispose()


class Handler(WSGIRequestHandler):
    """Gives the application the connection, as gunicorn does."""

    def make_environ(self):
        return {**super().make_environ(), "gunicorn.socket": self.connection}

    def log(self, *_arguments, **_more):
        pass


def pem(identity: Identity, path: Path) -> Path:
    path.write_text(identity.certificate.pem)
    return path


@contextlib.contextmanager
def serve(platform: Platform, tls: dict[str, Identity]) -> Iterator[str]:
    """The platform over real TLS, asking for a client certificate; its address."""
    key = s.load_der_private_key(tls["server"].key.pkcs8(), None)
    chain = platform.folder / "server.pem"
    chain.write_bytes(
        key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
        + tls["server"].certificate.pem.encode()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    context.load_verify_locations(pem(tls["root"], platform.folder / "root.pem"))
    context.verify_mode = ssl.CERT_OPTIONAL
    server = make_server(
        "127.0.0.1", 0, platform.app, threaded=True, request_handler=Handler, ssl_context=context
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://localhost:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=["in_process", "https"])
def connect(request, platform, tls):
    """How to make clients of the platform: the same tests pass through both transports."""
    made: list[Client] = []
    slept: list[float] = []

    def client(**options: Any) -> Client:
        mutual = options.pop("mutual", None)
        if request.param == "https":
            root = pem(tls["root"], platform.folder / "trust.pem")
            transport = https(trust=root, identity=mutual)
        else:
            transport = in_process(platform.app, certificate=mutual.certificate.der if mutual else None)
        made.append(Client(address, transport=transport, sleep=slept.append, **options))
        return made[-1]

    client.slept = slept
    with contextlib.ExitStack() as stack:
        address = "https://localhost"
        if request.param == "https":
            address = stack.enter_context(serve(platform, tls))
        stack.callback(lambda: [each.close() for each in made])
        yield client


@pytest.fixture
def served(platform, tls):
    """The platform over real TLS, as a context."""
    return lambda: serve(platform, tls)
