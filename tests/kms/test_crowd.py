"""Those who go the quick way below WSGI, on the worker that serves in earnest, over TLS: the same answers, in the same order."""

import json
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from authz.models import SessionRow
from kms.keyring.together import Together
from ops import quick
from tests.authz.conftest import NOW
from tests.support.working import Link, Post, working
from yinxin.store import OutboxRow

from .provinces import Province, opened

TEXT = b64encode(b"a statement").decode()
BODY = json.dumps({"data_base64": TEXT}).encode()


@dataclass
class Door:
    """A worker on a port, and what went below WSGI."""

    province: Province
    key: str
    token: str
    below: list[int] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    post: Post = field(init=False)

    def link(self) -> AbstractContextManager[Link]:
        return self.post.link()

    def request(self, body: bytes = BODY, *more: bytes, token: str = "") -> bytes:
        lines = [
            b"POST /api/kms/v1/service-keys/%b/signatures HTTP/1.1" % self.key.encode(),
            b"Host: 127.0.0.1:%d" % self.post.port,
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


@pytest.fixture
def door(
    database_url: str, tmp_path: Path, soft_token: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Door]:
    monkeypatch.delenv("SOFTHSM2_CONF", raising=False)
    with opened(database_url, tmp_path, soft_token) as province:
        key = province.key("ecdsa-p256")
        identity = province.enrol("zhang", "clerk-a")
        province.grant("kms.grant-signing", "person:zhang", None)
        made = Door(province, key, province.sign_in(identity))
        serve, use = quick.Clerk._serve, Together.use

        def below(self: Any, group: Any) -> None:
            made.below.append(len(group))
            serve(self, group)

        def above(self: Any, *arguments: Any) -> Any:
            made.above.append("used")
            return use(self, *arguments)

        monkeypatch.setattr(quick.Clerk, "_serve", below)
        monkeypatch.setattr(Together, "use", above)
        with working(province.app, tmp_path) as made.post:
            yield made


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
                with suppress(
                    ssl.SSLEOFError, ConnectionError
                ):  # whoever sends too much may be refused before all is sent
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
