"""The anchors by which other systems are known when this one calls them, and the clients that hold them."""

import ssl
from collections.abc import Callable, Iterable
from functools import cache, partial

import httpx

from yinxin.outward import outward

Anchors = Callable[[], ssl.SSLContext]


def anchors(trust_file: str) -> Anchors:
    """The certificates in a file, or the system's where none is named; read once for all calls.

    A file is read now, so that a start says what is wrong with it (OSError, ssl.SSLError). The system's are read when first
    needed: it takes longer than opening the database, and few processes ever call another system.
    """
    if not trust_file:
        return cache(ssl.create_default_context)
    return partial(_same, ssl.create_default_context(cafile=trust_file))


def _same(context: ssl.SSLContext) -> ssl.SSLContext:
    return context


def client(opened: Iterable[str], known: Anchors, seconds: float, whole: float | None) -> httpx.Client:
    """A client for calls outward (`yinxin.outward.outward`) to whoever is `known`."""
    return outward(opened, known(), seconds, whole)
