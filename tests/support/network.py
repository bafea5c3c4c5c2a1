"""Tests reach this machine and no other: a connection or a name look-up beyond loopback fails at once, saying whose it was."""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class NetworkBlocked(AssertionError):
    """A test tried to leave this machine."""


def is_local(host: object) -> bool:
    """Whether host names this machine: loopback addresses, ``localhost``, and ``""`` (any interface, for listening)."""
    if host in {"", "localhost", None}:
        return True
    try:
        address = ipaddress.ip_address(str(host).split("%", maxsplit=1)[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or address.is_unspecified


def _check(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if not is_local(name):
        message = (
            f"a test may only talk to this machine, but asked for {name!r}; give it a server on 127.0.0.1"
        )
        raise NetworkBlocked(message)


def _guarded(method: Any) -> Any:
    def call(self: socket.socket, *args: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _check(args[-1][0])  # the address is the last argument of connect, connect_ex and sendto
        return method(self, *args)

    return call


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check(host)
        return resolve(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield
