"""Those who go the quick way below WSGI, on the worker that serves in earnest, over TLS: the same answers, in the same order."""

import json
import os
import selectors
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from gunicorn.config import Config
from gunicorn.glogging import Logger

from authz.models import SessionRow
from kms.keyring.together import Together
from ops import listening, quick
from ops.worker import Worker
from tests.authz.conftest import NOW
from yinxin.store import OutboxRow

from .kmip_site import Maker
from .provinces import Province, opened

TEXT = b64encode(b"a statement").decode()
BODY = json.dumps({"data_base64": TEXT}).encode()


class Link:
    """A connection; its answers are read one after the other."""

    def __init__(self, connected: ssl.SSLSocket) -> None:
        self.send = connected.sendall
        self._reader = connected.makefile("rb")

    def heard(self) -> tuple[int, dict[str, str], dict[str, Any]]:
        """The next answer: status, fields and body."""
        status = self._reader.readline().split()[1]
        fields = {}
        while line := self._reader.readline().strip():
            name, _, value = line.decode().partition(": ")
            fields[name.lower()] = value
        body = self._reader.read(int(fields["content-length"]))
        return int(status), fields, json.loads(body) if "json" in fields["content-type"] else {}


@dataclass
class Door:
    """A worker on a port, and what went below WSGI."""

    province: Province
    port: int
    trust: Path
    key: str
    token: str
    below: list[int] = field(default_factory=list)
    above: list[str] = field(default_factory=list)

    @contextmanager
    def link(self) -> Iterator[Link]:
        context = ssl.create_default_context(cafile=str(self.trust))
        context.check_hostname = False
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain,
            context.wrap_socket(plain) as link,
        ):
            yield Link(link)

    def request(self, body: bytes = BODY, *more: bytes, token: str = "") -> bytes:
        lines = [
            b"POST /api/kms/v1/service-keys/%b/signatures HTTP/1.1" % self.key.encode(),
            b"Host: 127.0.0.1:%d" % self.port,
            b"Authorization: Bearer %b" % (token or self.token).encode(),
            b"Content-Type: application/json",
            b"Content-Length: %d" % len(body),
            *more,
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def records(self) -> list[dict[str, Any]]:
        with self.province.store.read() as session:
            rows = session.scalars(sa.select(OutboxRow.data).order_by(OutboxRow.number))
            return [each for each in map(json.loads, rows) if each["verb"] == "kms.sign"]


UNUSUAL: tuple[tuple[Callable[[Door], bytes], int], ...] = (
    (lambda door: door.request(BODY, b"X-Other: 1"), 200),
    (lambda door: door.request(BODY, b"Transfer-Encoding: chunked"), 400),
    (lambda door: door.request(BODY, b"Content-Length: 2"), 400),
    (lambda door: door.request(token="x" * 43), 401),
    (lambda door: door.request(b'{"data_base64": "%b"}' % (b"A" * 3_000_000)), 413),
    (lambda door: door.request().replace(door.key.encode(), b"none", 1), 404),
)


class Application:
    """As gunicorn's worker knows one."""

    def __init__(self, app: Any) -> None:
        self.wsgi = lambda: app


@pytest.fixture
def door(
    database_url: str, tmp_path: Path, soft_token: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Door]:
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    authority = Maker(tmp_path, "tls")
    papers = authority.make("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = listening.Hurried
    context.load_cert_chain(papers.certificate, papers.key)
    with opened(database_url, tmp_path, soft_token) as province:
        key = province.key("ecdsa-p256")
        identity = province.enrol("zhang", "clerk-a")
        province.grant("kms.grant-signing", "person:zhang", None)
        listener = listening.listen("127.0.0.1", 0, "--port")
        config = Config()
        for name, value in {
            "threads": 2,
            "keepalive": 15,
            "graceful_timeout": 1,
            "certfile": str(papers.certificate),
            "keyfile": str(papers.key),
            "ssl_context": lambda _config, _factory: context,
        }.items():
            config.set(name, value)
        worker = Worker(1, os.getppid(), [listener], Application(province.app), 30, config, Logger(config))
        worker.wsgi = province.app
        worker.tpool, worker.poller = worker.get_thread_pool(), selectors.DefaultSelector()
        worker.method_queue.init()
        worker.alive = True
        port = listener.getsockname()[1]
        made = Door(province, port, authority.file, key, province.sign_in(identity))
        serve, use = quick.Clerk._serve, Together.use

        def below(self: Any, group: Any) -> None:
            made.below.append(len(group))
            serve(self, group)

        def above(self: Any, *arguments: Any) -> Any:
            made.above.append("used")
            return use(self, *arguments)

        monkeypatch.setattr(quick.Clerk, "_serve", below)
        monkeypatch.setattr(Together, "use", above)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            yield made
        finally:
            worker.handle_exit(None, None)
            thread.join(30)


def warm(door: Door, link: Link) -> None:
    """Ask until it goes below."""
    before = len(door.below)
    for _ in range(3):
        link.send(door.request())
        assert link.heard()[0] == 200
    assert len(door.below) > before


@pytest.mark.engines("any")
def test_both_ways_answer_alike_and_each_answer_names_its_record(door: Door) -> None:
    with door.link() as link:
        told = []
        for _ in range(5):
            link.send(door.request())
            status, fields, body = link.heard()
            told.append((status, sorted(fields), sorted(body), fields["audit-entry"], fields["request-id"]))
            for name in ("date", "request-id", "audit-entry", "content-length"):
                del fields[name]
            told[-1] += (fields,)  # type: ignore[assignment]
    assert len({json.dumps([*each[:3], each[5]], sort_keys=True) for each in told}) == 1
    assert len({each[4] for each in told}) == 5
    named = {each["id"]: each for each in door.records()}
    assert [each[3] in named for each in told] == [True] * 5
    assert (len(door.above), door.below) == (1, [1, 1, 1])


@pytest.mark.engines("any")
def test_parts_wait_what_comes_at_once_is_answered_in_order_and_the_unusual_goes_the_ordinary_way(
    door: Door,
) -> None:
    """Seen to fail (nobody is let in) while the poller's thread lingered on whoever was refused and stayed."""
    with door.link() as link:
        warm(door, link)
        whole = door.request()
        for cut in (len(whole) - len(BODY), len(whole) - 3, 30):
            link.send(whole[:cut])
            time.sleep(0.05)  # so that the parts come apart
            link.send(whole[cut:])
            assert link.heard()[0] == 200
        link.send(door.request() + door.request(b"{}"))
        assert [link.heard()[0] for _ in range(2)] == [200, 422]
        warm(door, link)
        went = len(door.below)
        link.send(door.request())
        link.send(door.request(b"{}"))
        assert [link.heard()[0] for _ in range(2)] == [200, 422]
        assert len(door.below) == went + 1
        warm(door, link)
        # each stays open once it is answered, for its reader holds it: whoever is refused and stays holds up nobody
        for request, status in UNUSUAL:
            with door.link() as another:
                warm(door, another)
                went = len(door.below)
                another.send(request(door))
                assert (another.heard()[0], len(door.below)) == (status, went)
        link.send(door.request())
        assert link.heard()[0] == 200


@pytest.mark.engines("any")
def test_many_connections_share_their_groups_and_nothing_else(door: Door) -> None:
    """Sixteen connections on two threads."""
    links, answers = [], list[tuple[str, str]]()
    with ExitStack() as stack:
        for _ in range(16):
            links.append(stack.enter_context(door.link()))
            links[-1].send(door.request())
            assert links[-1].heard()[0] == 200
        warm(door, links[0])
        for _ in range(4):
            for link in links:
                link.send(door.request())
            for link in links:
                status, fields, _ = link.heard()
                assert status == 200
                answers.append((fields["request-id"], fields["audit-entry"]))
    assert max(door.below) > 1
    assert len(set(answers)) == 64
    by_entry = {each["id"]: each for each in door.records()}
    for request, entry in answers:
        assert request in json.dumps(by_entry[entry])


@pytest.mark.engines("any")
def test_a_right_that_ended_is_refused_a_fault_is_nobodys_and_the_connection_goes_on(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    with door.link() as link:
        warm(door, link)
        with door.province.store.engine.begin() as connection:
            connection.execute(sa.update(SessionRow).values(ended=NOW))
        link.send(door.request())
        assert link.heard()[2]["code"] == "authz.session_ended"
        with door.province.store.engine.begin() as connection:
            connection.execute(sa.update(SessionRow).values(ended=None))
        warm(door, link)
        went, used = len(door.below), len(door.above)

        def broken(*_: Any) -> Any:
            raise RuntimeError

        with monkeypatch.context() as patch:
            patch.setattr(door.province.centre.keyring.together.windows[True], "serve", broken)
            link.send(door.request())
            assert link.heard()[0] == 200
        assert (len(door.below), len(door.above)) == (went + 1, used)  # by the ordinary way, past the window
