"""The way out to where somebody else says: clients that are told of a logout, systems that are told of the directory, witnesses.

An officer registers an address, or several people put it into a policy, and what its name means is decided elsewhere, at any
time; so it is the address that is connected to that counts, each time. Private networks, the usual place of an organ's
own systems, are opened by the configuration. No proxy and nothing else of the environment is followed, nor a redirection.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any

import httpx

from yinxin.networks import Address, Network, addresses_of, embedded, plain, public, within

#: names that mean this machine wherever they are looked up (RFC 6761 6.3)
_HERE = "localhost"
#: when there is a connection, by the names of httpcore's trace
_CONNECTED = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})


class Networks:
    """The networks that others may lie in: the public one, and those that are `opened` by the configuration (CIDR)."""

    def __init__(self, opened: Iterable[str] = ()) -> None:
        self._opened: tuple[Network, ...] = tuple(ip_network(each) for each in opened)

    def permit(self, address: Address) -> bool:
        """Whether this address may be connected to."""
        ends = (plain(address), *embedded(address))
        return all(public(each) or any(within(each, one) for one in self._opened) for each in ends)

    def permit_host(self, host: str) -> bool:
        """Whether somebody may be registered at this host, as far as its spelling alone says."""
        if (name := host.lower().rstrip(".")) == _HERE or name.endswith(f".{_HERE}"):
            return self.permit(ip_address("127.0.0.1"))
        try:
            return self.permit(ip_address(host))
        except ValueError:
            return _named(name)


class AddressNotPermitted(httpx.ConnectError):
    """A name without an address in a network that is permitted."""


class Outward(httpx.BaseTransport):
    """Connects to an address that was judged, and to no other: the name is looked up once, here.

    `whole`: seconds that an exchange may take from its first octet to its last, however slowly the other side sends; it wants an
    `inner` that keeps no connection for another request. Raises httpx.ConnectError for a name without an address, and
    AddressNotPermitted for one that has none that is permitted; httpx.ReadTimeout when the time is over.
    """

    def __init__(
        self,
        networks: Networks,
        inner: httpx.BaseTransport,
        look_up: Callable[[str], Iterable[str]] = addresses_of,
        whole: float | None = None,
    ) -> None:
        self._networks = networks
        self._inner = inner
        self._look_up = look_up
        self._whole = whole

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it on, to the first address that is permitted; TLS still demands the name's certificate."""
        host = request.url.host
        try:
            found = [ip_address(each) for each in self._look_up(host)]
        except (OSError, ValueError) as error:
            raise httpx.ConnectError(f"{host} has no address: {error}", request=request) from error
        permitted = [each for each in found if self._networks.permit(each)]
        if not permitted:
            raise AddressNotPermitted(f"{host} lies in no network that is permitted", request=request)
        judged = httpx.Request(
            request.method,
            request.url.copy_with(host=str(permitted[0])),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return self._inner.handle_request(judged) if self._whole is None else self._timed(judged, self._whole)

    def _timed(self, request: httpx.Request, seconds: float) -> httpx.Response:
        deadline = _Deadline(seconds)
        request.extensions["trace"] = deadline.traced
        try:
            response = self._inner.handle_request(request)
        except httpx.TransportError as error:
            deadline.met(error)
            raise
        response.stream = _Timed(response.stream, deadline)
        return response

    def close(self) -> None:
        """Let the connections go."""
        self._inner.close()


class _Deadline:
    """Ends a connection when its time is over, wherever the exchange then is: a read's own limit begins anew with every octet."""

    def __init__(self, seconds: float) -> None:
        self._over = False
        self._connection: socket.socket | None = None
        self._changing = threading.Lock()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def traced(self, name: str, info: dict[str, Any]) -> None:
        """Be told of the connection."""
        if name in _CONNECTED:
            with self._changing:
                self._connection = info["return_value"].get_extra_info("socket")
            if self._over:
                self._shut()

    def met(self, cause: Exception | None = None) -> None:
        """The exchange has ended; raises httpx.ReadTimeout when it was ended here."""
        self._timer.cancel()
        if self._over:
            raise httpx.ReadTimeout("the whole answer took too long") from cause

    def _end(self) -> None:
        self._over = True
        self._shut()

    def _shut(self) -> None:
        with self._changing, suppress(OSError):
            if self._connection is not None:
                # not TLS's own: that would change what another thread is reading with
                socket.socket.shutdown(self._connection, socket.SHUT_RDWR)


class _Timed(httpx.SyncByteStream):
    """An answer's octets, which end in httpx.ReadTimeout when their time is over."""

    def __init__(self, inner: Any, deadline: _Deadline) -> None:
        self._inner = inner
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._inner
        except httpx.TransportError as error:
            self._deadline.met(error)
            raise
        self._deadline.met()  # what was cut off may look as if it were all

    def close(self) -> None:
        with suppress(httpx.ReadTimeout):
            self._deadline.met()
        self._inner.close()


def outward(
    opened: Iterable[str], verify: ssl.SSLContext, seconds: float, whole: float | None
) -> httpx.Client:
    """The client that calls others, in public networks and those `opened`; every such client of the platform is made here.

    `seconds`: for a connection, and between two octets; `whole`: for an exchange from end to end, by a connection of its own
    (see `Outward`); None keeps connections for whoever makes many requests and limits their time itself.
    """
    kept = httpx.Limits() if whole is None else httpx.Limits(max_keepalive_connections=0)
    inner = httpx.HTTPTransport(verify=verify, trust_env=False, limits=kept)
    transport = Outward(Networks(opened), inner, whole=whole)
    return httpx.Client(transport=transport, timeout=seconds, follow_redirects=False, trust_env=False)


def _named(name: str) -> bool:
    """Whether it is a name, and not an address in a spelling that only some read as one (such as 2130706433 or 0x7f.1)."""
    last = name.rpartition(".")[2]
    return bool(last) and not last.isdigit() and not last.startswith("0x")
