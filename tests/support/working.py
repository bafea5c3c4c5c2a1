"""The worker that serves in earnest, in a thread of the test's, over TLS; and connections to it."""

import json
import os
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gunicorn.config import Config
from gunicorn.glogging import Logger

from ops import listening
from ops.worker import Worker
from tests.kms.kmip_site import Maker


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


@dataclass(frozen=True)
class Post:
    """Where a worker listens, and whom its certificate is by."""

    port: int
    trust: Path

    @contextmanager
    def link(self) -> Iterator[Link]:
        context = ssl.create_default_context(cafile=str(self.trust))
        context.check_hostname = False
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain,
            context.wrap_socket(plain) as link,
        ):
            yield Link(link)


class Application:
    """As gunicorn's worker knows one."""

    def __init__(self, app: Any) -> None:
        self.wsgi = lambda: app


@contextmanager
def working(app: Any, folder: Path) -> Iterator[Post]:
    """A worker of two threads that serves the application on a port of its own; its papers are made in the folder."""
    authority = Maker(folder, "tls")
    papers = authority.make("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = listening.Hurried
    context.load_cert_chain(papers.certificate, papers.key)
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
    worker = Worker(1, os.getppid(), [listener], Application(app), 30, config, Logger(config))
    worker.wsgi = app
    worker.tpool, worker.poller = worker.get_thread_pool(), selectors.DefaultSelector()
    worker.method_queue.init()
    worker.alive = True
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield Post(listener.getsockname()[1], authority.file)
    finally:
        worker.handle_exit(None, None)
        thread.join(30)
