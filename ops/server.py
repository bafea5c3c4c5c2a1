"""The server of the embedded shape: gunicorn with TLS of its own, a plain port for what is signed itself, and the jobs.

One worker process with threads: the HSM is opened in it, after the fork. TLS asks for a client certificate and takes
none for an answer, so that the same port serves people with a certificate, people without, and the public.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import ssl
import threading
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from ops.modules import MODULES
from ops.platform import Platform
from ops.proxy_socket import listen_for_proxy
from ops.public import public_only
from ops.worker import Worker
from yinxin import files
from yinxin.errors import Conflict, YinxinError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ops.data import DataDirectory
    from ops.settings import Common

_log = logging.getLogger("yinxin.server")

#: seconds between looks at the job table when nothing wakes it
TICK = 1.0
#: seconds of rest after each look: under load every commit wakes, and what many have left is done together
REST = 0.1
#: octets of a request to the plain port
_LARGEST = 1 << 20
#: seconds in which a request must have been sent, its TLS handshake included
PATIENCE = 60.0


class PortTaken(Conflict):
    """Another program listens there."""

    code = "ops.port_taken"
    zh = "端口 {port} 已被占用；请用 {option} 换一个，或停止占用它的程序。"
    en = "Port {port} is taken; choose another with {option}, or stop the program that listens there."


class _Hurried(ssl.SSLSocket):
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
        if self.gettimeout():
            self.settimeout(max(self._until - time.monotonic(), 0.001))
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


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn on our data directory; `ready` is called in the worker once it answers."""

    def __init__(
        self,
        data: DataDirectory,
        overrides: Iterable[str],
        settings: Common,
        sockets: tuple[socket.socket, socket.socket, socket.socket | None],
        ready: Callable[[], None],
    ) -> None:
        self._data = data
        self._overrides = list(overrides)
        self._settings = settings
        self._tls, self._plain, self._proxy = sockets
        self._ready = ready
        self._stack = ExitStack()
        super().__init__()

    def load_config(self) -> None:
        """Our settings in gunicorn's words."""
        listeners = (self._tls, self._proxy) if self._proxy else (self._tls,)
        chosen = {
            "bind": [f"fd://{each.fileno()}" for each in listeners],
            "workers": 1,
            "worker_class": Worker,
            "threads": self._settings.server.threads,
            "timeout": 120,
            "keepalive": 15,
            "graceful_timeout": 15,
            "accesslog": None,
            "loglevel": "warning",
            "certfile": str(self._data.path("tls", "tls-server.pem")),
            "keyfile": str(self._data.path("tls", "tls-server.key")),
            "ssl_context": self._context,
            "post_worker_init": self._begin,
            "worker_exit": lambda _server, _worker: self._stack.close(),
            "control_socket_disable": True,
            # what a proxy may say is ours to judge (yinxin.web.peer); gunicorn believes nobody
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
        }
        for name, value in chosen.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def _context(self, _config: Any, _factory: Any) -> ssl.SSLContext:
        """TLS 1.2 or later; a client certificate of one of our authorities is welcome, none is fine."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslsocket_class = _Hurried
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        password = self._data.path("secrets", "tls-server.password").read_text("utf-8")
        context.load_cert_chain(
            self._data.path("tls", "tls-server.pem"), self._data.path("tls", "tls-server.key"), password
        )
        for name in ("intl.root.pem", "intl.issuing.pem"):
            context.load_verify_locations(self._data.path("trust", name))
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def load(self) -> Any:
        """The application; called in the worker, after the fork."""
        self._platform = self._stack.enter_context(Platform.open(self._data, self._overrides))
        return self._platform.app

    def _begin(self, _worker: Any) -> None:
        """Start what runs beside the requests, then say that the server is ready."""
        _Background(self._platform).start()
        self._serve_plain(self._platform)
        self._ready()

    def _serve_plain(self, platform: Platform) -> None:
        from ca.status.face import Front, in_front
        from ca.status.kept import Shelf
        from ops.plain import Handed, PlainPort

        shelf = Shelf(platform.ca.ctx)
        application = public_only(in_front(platform.ca, shelf, platform.app))
        where = self._plain.getsockname()
        slow = Handed(application, where, threads=4, ident=None, max_request_body_size=_LARGEST)
        threading.Thread(target=slow.run, name="plain-port-wsgi", daemon=True).start()
        PlainPort(self._plain, Front(platform.ca, shelf), slow).start()


class _Background(threading.Thread):
    """The periodic jobs of every module, woken when something was recorded."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(name="jobs", daemon=True)
        self._platform = platform
        self._wake = threading.Event()
        platform.store.recorded.append(self._wake.set)
        for module in MODULES:
            service = platform.service(module)
            for job in module.jobs:
                platform.jobs.periodic(job.name, job.every, partial(job.run, service))

    def run(self) -> None:
        while True:
            self._wake.wait(TICK)
            self._wake.clear()
            try:
                self._platform.jobs.run_due()
            except YinxinError:
                _log.exception("the jobs could not be run")
            time.sleep(REST)


def _listeners(settings: Common) -> tuple[socket.socket, socket.socket]:
    """The TLS and the plain listener; raises PortTaken."""
    where = settings.server
    tls = listen(where.host, where.port, "--port")
    try:
        return tls, listen(where.host, where.plain_port, "--set server.plain_port=N")
    except PortTaken:
        tls.close()
        raise


def see_that_ports_are_free(settings: Common) -> None:
    """Raise PortTaken now rather than after long work; somebody may still take one meanwhile."""
    for listener in _listeners(settings):
        listener.close()


def serve(
    data: DataDirectory, overrides: list[str], settings: Common, announce: Callable[[dict[str, Any]], None]
) -> None:
    """Serve until stopped; `announce` is told where, once the server answers."""
    tls, plain_listener = _listeners(settings)
    proxy = listen_for_proxy(data, settings)
    port, plain = (each.getsockname()[1] for each in (tls, plain_listener))
    actual = [*overrides, f"server.port={port}", f"server.plain_port={plain}"]
    where: dict[str, Any] = {
        "pid": os.getpid(),
        "host": settings.server.host,
        "port": port,
        "plain_port": plain,
    }
    if proxy is not None:
        where["proxy_socket"] = proxy.getsockname()
    file = data.path("run", "server.json")

    def ready() -> None:
        files.replace(file, json.dumps(where).encode(), mode=0o600)
        announce(where)

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        Server(data, actual, settings, (tls, plain_listener, proxy), ready).run()
    finally:
        file.unlink(missing_ok=True)
