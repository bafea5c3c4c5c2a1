"""A client whose signed requests go the quick way where there is one for them, and the ordinary way else."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from queue import Queue
from typing import Any

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import Client, TestResponse

from tests.ca.acme.client import HOST, JOSE
from yinxin.web import SIGNED, Held, SignedBegun, SignedLayer

NAME = HOST.removeprefix("https://")


def layer(app: Flask) -> SignedLayer:
    found: SignedLayer = app.extensions[SIGNED]
    return found


def begun(app: Flask, target: str, body: bytes, host: str = NAME) -> SignedBegun | None:
    """The request on its quick way, if it has one."""
    face = layer(app).at(target, len(body))
    return None if face is None else layer(app).begin(face, target, host, body)


def served(app: Flask, group: Sequence[SignedBegun]) -> list[TestResponse | None]:
    """What a window answers to those who came to it together."""
    window = group[0].wished.window
    assert all(each.wished.window is window for each in group)
    given = window.serve([each.wished.wish for each in group])
    return [told(app, each, reply) for each, reply in zip(group, given, strict=True)]


def told(app: Flask, each: SignedBegun, reply: Any) -> TestResponse | None:
    """The answer as its client reads it; what is kept back is waited for."""
    if isinstance(reply, Held):
        sent: Queue[Any] = Queue()
        reply.then(sent.put)
        reply = sent.get(timeout=30)
    said = layer(app).answer(each, reply)
    if said is None:
        return None
    head, _, body = said.partition(b"\r\n\r\n")
    headers = Headers([tuple(line.split(": ", 1)) for line in head.decode("latin-1").split("\r\n")])
    return TestResponse([body], str(each.status), headers, request=None)  # type: ignore[arg-type]


@dataclass
class Ways:
    """How many went which way."""

    quick: int = 0
    ordinary: int = 0
    targets: set[str] = field(default_factory=set)


class Quickly(Client):
    """As `Client`; `ways` tells where its requests went."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.app = app
        self.ways = Ways()

    def open(self, path: Any, **parts: Any) -> TestResponse:  # type: ignore[override]
        if parts.get("method") == "POST" and parts.get("content_type") == JOSE and "?" not in path:
            if (one := begun(self.app, path, parts["data"])) is not None:
                (answer,) = served(self.app, [one])
                if answer is not None:
                    self.ways.quick += 1
                    self.ways.targets.add(path.split("/")[2])
                    return answer
            self.ways.ordinary += 1
        return super().open(path, **parts)
