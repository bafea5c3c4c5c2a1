"""ACME below WSGI: on the worker that serves in earnest, both ways say the same, and whoever comes with others is answered alone."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ca.acme.client import HOST, JOSE, AcmeClient, request_for
from tests.ca.acme.conftest import HOME, Desk
from tests.support.working import Link, Post, working
from yinxin.crypto.jose import encode64
from yinxin.web import SignedLayer

pytestmark = pytest.mark.engines("any")

#: fields that are another at every answer
OWN = {"replay-nonce", "request-id", "audit-entry", "date"}
Heard = tuple[int, dict[str, str], dict[str, Any]]


@pytest.fixture
def post(desk: Desk, tmp_path: Path) -> Iterator[Post]:
    with working(desk.app, tmp_path) as serving:
        yield serving


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The statuses that were answered on the quick way."""
    told: list[int] = []
    answer = SignedLayer.answer

    def seen(self: Any, begun: Any, given: Any) -> bytes | None:
        said = answer(self, begun, given)
        if said is not None:
            told.append(begun.status)
        return said

    monkeypatch.setattr(SignedLayer, "answer", seen)
    return told


class Caller:
    """A client that reaches the worker by its own name for it."""

    def __init__(self, client: AcmeClient, post: Post) -> None:
        self.client = client
        self.name = f"127.0.0.1:{post.port}"
        client.kid = str(client.kid).replace(HOST, f"https://{self.name}")

    def octets(self, url: str, payload: Any, *lines: str, media_type: str = JOSE, most: int = 0) -> bytes:
        """The request for an address of `HOST`, with the lines in its head, and its body as long as `most` at least."""
        path = url.removeprefix(HOST)
        body = json.dumps(self.client.signed(f"https://{self.name}{path}", payload)).encode().ljust(most)
        head = (f"POST {path} HTTP/1.1", f"Host: {self.name}", f"Content-Type: {media_type}", *lines)
        return "\r\n".join((*head, f"Content-Length: {len(body)}\r\n\r\n")).encode() + body

    def heard(self, link: Link, *asked: Any, **parts: Any) -> Heard:
        link.send(self.octets(*asked, **parts))
        return link.heard()


def told(heard: Heard) -> tuple[Any, ...]:
    status, fields, body = heard
    return (
        status,
        {name: value for name, value in fields.items() if name not in OWN},
        OWN & fields.keys(),
        body,
    )


def test_both_ways_say_the_same_on_the_wire(desk: Desk, post: Post, quick: list[int]) -> None:
    client = desk.client()
    url, order = desk.ready(client)
    _, done = desk.ready(client, "c.example.gov.cn")
    certificate = json.loads(client.finalize(done).data)["certificate"]
    waiting = client.order("d.example.gov.cn")[1]
    challenge = client.challenge(waiting["authorizations"][0])["url"]
    new = f"{HOST}/acme/new-order"
    requests = [
        (url, None), (order["authorizations"][0], None), (challenge, None), (certificate, None),
        (url, {}), (certificate, {"a": 1}), (f"{HOST}/acme/order/01{'a' * 24}", None), (new, None),
        (new, {"identifiers": [{"type": "dns", "value": "a.example.com"}]}),
        (order["finalize"], {"csr": "AAAA"}), (done["finalize"], {"csr": encode64(request_for(done))}),
    ]  # fmt: skip
    caller = Caller(client, post)
    with post.link() as link:
        assert caller.heard(link, url, None)[0] == 200  # since then the name is known
        assert quick == []
        for number, (where, payload) in enumerate(requests, 1):
            ordinary = caller.heard(link, where, payload, "X-Other: 1")
            assert len(quick) == number - 1
            assert told(caller.heard(link, where, payload)) == told(ordinary)
            assert len(quick) == number
        assert set(quick) == {200, 400, 403, 404}


def test_what_is_out_of_the_ordinary_is_answered_ordinarily(desk: Desk, post: Post, quick: list[int]) -> None:
    """And the connection goes on after it."""
    client = desk.client()
    url = client.order(HOME)[0]
    caller = Caller(client, post)
    with post.link() as link:
        assert caller.heard(link, url, None)[0] == 200
        for parts, status in (
            ({"media_type": "application/json"}, 415),
            ({"media_type": "text/plain"}, 415),
            ({"media_type": f"{JOSE}; charset=utf-8"}, 200),
            ({"most": (1 << 16) + 1}, 200),
        ):
            assert caller.heard(link, url, None, **parts)[0] == status
            assert quick == []
        assert caller.heard(link, url, None)[0] == 200
        assert quick == [200]
    with post.link() as link:
        assert caller.heard(link, url, None, most=(1 << 18) + 1)[0] == 413


def test_sixteen_connections_finalize_one_order(desk: Desk, post: Post, quick: list[int]) -> None:
    """And a replay among them is refused, wherever it comes."""
    client = desk.client()
    url, order = desk.ready(client)
    caller = Caller(client, post)
    with ExitStack() as stack:
        links = [stack.enter_context(post.link()) for _ in range(16)]
        for link in links:
            assert caller.heard(link, url, None)[0] == 200
        asked = [caller.octets(order["finalize"], {"csr": encode64(request_for(order))}) for _ in links]
        asked[-1] = asked[0]
        for link, octets in zip(links, asked, strict=True):
            link.send(octets)
        answers = [link.heard() for link in links]
    assert Counter((status, said.get("type", "").rpartition(":")[2]) for status, _, said in answers) == {
        (200, ""): 1,
        (403, "orderNotReady"): 14,
        (400, "badNonce"): 1,
    }
    assert len(desk.site.rows(reference=f"acme/{url.rpartition('/')[2]}")) == 1
