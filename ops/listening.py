"""What every server of ours is: gunicorn with TLS of its own, on sockets that are open before it, until it is stopped.

One worker process with threads, so that what a server opens is opened after the fork, in the process that uses it.
"""

from __future__ import annotations

import json
import signal
import socket
import ssl
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from gunicorn.app.base import BaseApplication

from ops.worker import Worker
from yinxin import files
from yinxin.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kms.secrets import Sources
    from ops.data import DataDirectory
    from ops.settings import Common

#: seconds in which a request must have been sent, its TLS handshake included
PATIENCE = 60.0


class PortTaken(Conflict):
    """Another program listens there."""

    code = "ops.port_taken"
    zh = "端口 {port} 已被占用；请用 {option} 换一个，或停止占用它的程序。"
    en = "Port {port} is taken; choose another with {option}, or stop the program that listens there."


class Hurried(ssl.SSLSocket):
    """A connection that takes a request for so long and no longer.

    Who sends a little now and then holds up a thread, and a handful of such senders would hold up everybody for ever.
    The first request begins with the handshake; gunicorn calls `setblocking` as each later one begins.
    """

    _until = 0.0

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the socket's own signature
        self._until = time.monotonic() + PATIENCE
        self.settimeout(PATIENCE if flag else 0.0)

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the socket's own signature
        self.setblocking(True)
        super().do_handshake(block)

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        if patience := self.gettimeout():
            # never more than whoever reads has patience for: gunicorn lingers two seconds on what it has ended
            self.settimeout(min(patience, max(self._until - time.monotonic(), 0.001)))
        return super().recv(buflen, flags)


def listen(host: str, port: int, option: str) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises PortTaken, which names the `option` to choose with."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(port=port, option=option) from error
    listener.listen(128)
    listener.set_inheritable(True)
    return listener


def tls_context(data: DataDirectory, name: str, secrets: Sources) -> ssl.SSLContext:
    """TLS with the certificate `name`, for clients with certificates of our intl authorities; whoever dawdles is cut off.

    TLS 1.3, and no connection without a certificate: a server that is more open says so itself.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = Hurried
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with secrets.read(f"{name}.password") as password:
        context.load_cert_chain(
            data.path("tls", f"{name}.pem"), data.path("tls", f"{name}.key"), password.octets()
        )
    for authority in ("intl.root.pem", "intl.issuing.pem"):
        context.load_verify_locations(data.path("trust", authority))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@dataclass(frozen=True)
class Announcement:
    """Where a server is found: written into a file of the data directory while it answers, and told to `told`."""

    file: Path
    where: dict[str, Any]
    told: Callable[[dict[str, Any]], None]

    def make(self) -> None:
        """Say it."""
        files.replace(self.file, json.dumps(self.where).encode(), mode=0o600)
        self.told(self.where)

    def withdraw(self) -> None:
        """It does not answer now."""
        self.file.unlink(missing_ok=True)


class Listening(BaseApplication):  # type: ignore[misc]
    """gunicorn on our data directory. A kind of it brings `load`, in the worker, and may bring `context` and `began`."""

    #: names the certificate and its key in `tls/`, and the key's password among the secrets
    certificate: ClassVar[str]
    #: seconds for which a connection is kept between requests
    keepalive: ClassVar[int] = 15

    def __init__(
        self,
        data: DataDirectory,
        settings: Common,
        listeners: Sequence[socket.socket],
        announcement: Announcement,
        *,
        secrets: Sources,
    ) -> None:
        self.data = data
        self.settings = settings
        self.secrets = secrets
        self._listeners = listeners
        self.announcement = announcement
        #: what is to be closed as the worker ends
        self.stack = ExitStack()
        super().__init__()

    def load_config(self) -> None:
        """Our settings in gunicorn's words."""
        chosen = {
            "bind": [f"fd://{each.fileno()}" for each in self._listeners],
            "workers": 1,
            "worker_class": Worker,
            "threads": self.settings.server.threads,
            "timeout": 120,
            "keepalive": self.keepalive,
            "graceful_timeout": 15,
            "accesslog": None,
            "loglevel": "warning",
            "certfile": str(self.data.path("tls", f"{self.certificate}.pem")),
            "keyfile": str(self.data.path("tls", f"{self.certificate}.key")),
            "ssl_context": lambda _config, _factory: self.context(),
            "post_worker_init": self._begin,
            "worker_exit": lambda _server, _worker: self.stack.close(),
            "control_socket_disable": True,
            # what a proxy may say is ours to judge (yinxin.web.peer); gunicorn believes nobody
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def context(self) -> ssl.SSLContext:
        """The TLS that is spoken."""
        return tls_context(self.data, self.certificate, self.secrets)

    def began(self) -> None:
        """Called in the worker, once the application is loaded and before anybody is told: what runs beside the requests."""

    def _begin(self, _worker: Any) -> None:
        self.began()
        self.announce()

    def announce(self) -> None:
        """Say that it answers, once it does."""
        self.announcement.make()

    def serve(self) -> None:
        """Serve until stopped; the announcement stands meanwhile."""
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.announcement.withdraw()  # of a server that was killed
        try:
            self.run()
        finally:
            self.announcement.withdraw()
