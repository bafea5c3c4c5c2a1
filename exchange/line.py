"""The line to a peer: mutual TLS, believed by the anchors of its card, and what is asked and answered on it."""

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Self, cast

import httpx

from exchange.errors import PeerUnreachable
from exchange.frames import MEDIA_TYPE
from exchange.identity import Own
from exchange.peers import Peer
from exchange.settings import ExchangeSettings
from yinxin.client.transports import present
from yinxin.crypto.suite import INTL
from yinxin.outward import outward
from yinxin.wire import Reply

PATH = "/exchange/v1"
#: octets of a part in one request: a request must have arrived within a minute
CHUNK = 4 << 20
#: seconds for a connection, and between two octets
_PATIENCE = 30.0

_KIND = {
    "Content-Type": "application/octet-stream",
    "Accept-Encoding": "identity",
    "Accept": "*/*, application/problem+json",
}

Http = Callable[[Peer], httpx.Client]


class LackingPart(Reply):
    """A part that is still to come, and how many octets of it have arrived."""

    digest: str
    received: int


class Lack(Reply):
    """Why a run has no receipt yet: parts are lacking, or message `expected`, which comes before it."""

    lacking: tuple[LackingPart, ...] = ()
    expected: int | None = None


class Arrived(Reply):
    """How many octets of a part have arrived."""

    received: int


def calling(own: Own, settings: ExchangeSettings) -> Http:
    """What makes the clients that call peers."""

    def client(peer: Peer) -> httpx.Client:
        anchors = [each.pem for each in peer.card.anchors if each.public_key.suite is INTL]
        if not anchors:
            raise PeerUnreachable(site=peer.site, reason="no anchor for TLS")
        context = ssl.create_default_context(cadata="".join(anchors))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        present(context, own.calling())
        return outward(settings.networks, context, _PATIENCE, None)

    return client


class Line:
    """Requests to one peer; raises PeerUnreachable whatever the reason is. Close it."""

    def __init__(self, peer: Peer, http: Http) -> None:
        self._peer = peer
        self._http = http(peer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(
        self, method: str, path: str, *, content: bytes | None = None, params: dict[str, int] | None = None
    ) -> httpx.Response:
        """An answer, read whole; raises PeerUnreachable for one that is no success."""
        url = f"{self._peer.url}{PATH}{path}"
        try:
            answer = self._http.request(method, url, content=content, headers=_KIND, params=params)
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise PeerUnreachable(site=self._peer.site, reason=type(error).__name__) from error
        if not answer.is_success:
            raise PeerUnreachable(site=self._peer.site, reason=_reason(answer))
        return answer

    @contextmanager
    def stream(self, path: str) -> Iterator[BinaryIO]:
        """An answer of frames as it comes; raises PeerUnreachable."""
        url = f"{self._peer.url}{PATH}{path}"
        try:
            with self._http.stream("POST", url, content=b"", headers=_KIND) as answer:
                if not answer.is_success or answer.headers.get("Content-Type") != MEDIA_TYPE:
                    answer.read()
                    raise PeerUnreachable(site=self._peer.site, reason=_reason(answer))
                yield cast("BinaryIO", Octets(answer.iter_bytes()))
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise PeerUnreachable(site=self._peer.site, reason=type(error).__name__) from error


class Octets:
    """Octets as they come, to be read like a file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` octets; none at the end."""
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._held = piece
        if size < 0:
            size = len(self._held)
        taken, self._held = self._held[:size], self._held[size:]
        return taken


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["code"])[:80]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code}"
