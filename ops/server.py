"""The server of the embedded shape: gunicorn with TLS of its own, a plain port for what is signed itself, and the jobs.

One worker process with threads: the HSM is opened in it, after the fork. TLS asks for a client certificate and takes
none for an answer, so that the same port serves people with a certificate, people without, and the public.
"""

from __future__ import annotations

import logging
import os
import ssl
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from kms.custodians.wait import attend
from ops.kmip import listen_for_kmip, serve_kmip
from ops.listening import Announcement, Listening, PortTaken, listen
from ops.modules import MODULES
from ops.platform import Platform
from ops.proxy_socket import listen_for_proxy
from ops.public import public_only
from yinxin import collector
from yinxin.errors import YinxinError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from kms.secrets import Sources
    from ops.data import DataDirectory
    from ops.settings import Common

_log = logging.getLogger("yinxin.server")

#: seconds between looks at the job table when nothing wakes it
TICK = 1.0
#: seconds of rest after each look: under load every commit wakes, and what many have left is done together
REST = 0.1
#: octets of a request to the plain port
_LARGEST = 1 << 20


class Server(Listening):
    """The platform's server: what it serves is its whole application."""

    certificate = "tls-server"

    def __init__(
        self,
        data: DataDirectory,
        overrides: Iterable[str],
        settings: Common,
        sockets: tuple[socket.socket, socket.socket, socket.socket | None],
        announcement: Announcement,
        *,
        secrets: Sources,
        kmip: socket.socket | None = None,
    ) -> None:
        tls, self._plain, proxy = sockets
        self._overrides = list(overrides)
        self._kmip = kmip
        super().__init__(data, settings, (tls, proxy) if proxy else (tls,), announcement, secrets=secrets)

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or later; a client certificate of one of our authorities is welcome, none is fine."""
        context = super().context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_OPTIONAL
        # sites that messages are exchanged with show certificates of their own authorities
        anchors = self.data.path("exchange", "anchors.pem")
        if anchors.is_file():
            context.load_verify_locations(anchors)
        return context

    def load(self) -> Any:
        """The application; called in the worker, after the fork."""
        self._platform = self.stack.enter_context(
            Platform.open(self.data, self._overrides, secrets=self.secrets)
        )
        return self._platform.app

    def began(self) -> None:
        """The jobs, the custodians' door and the plain port."""
        self._platform.audit.forward.operational.start()
        _Background(self._platform).start()
        if self.secrets.settings.uses("custodians"):
            attending = partial(attend, self.secrets.sealed, self.data.root)
            threading.Thread(target=attending, name="custodians-door", daemon=True).start()
        self._serve_plain(self._platform)
        collector.spare()
        if self._kmip is not None:
            serve_kmip(self._platform, self.data, self.secrets, self._kmip)

    def _serve_plain(self, platform: Platform) -> None:
        from ca.status.face import Front, in_front
        from ca.status.kept import Shelf
        from ops.plain import Handed, PlainPort

        shelf = Shelf(platform.ca.ctx)
        application = public_only(in_front(platform.ca, shelf, platform.app))
        where = self._plain.getsockname()
        slow = Handed(application, where, threads=4, ident=None, max_request_body_size=_LARGEST)
        threading.Thread(target=slow.run, name="plain-port-wsgi", daemon=True).start()
        PlainPort(self._plain, Front(platform.ca, shelf), slow, platform.counts).start()


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
        with self._platform.jobs.attended():
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
    for listener in (*_listeners(settings), listen_for_kmip(settings)):
        if listener is not None:
            listener.close()


def serve(
    data: DataDirectory,
    overrides: list[str],
    settings: Common,
    secrets: Sources,
    announce: Callable[[dict[str, Any]], None],
) -> None:
    """Serve until stopped; `announce` is told where, once the server answers. `secrets` are as the parent opened them."""
    tls, plain_listener = _listeners(settings)
    kmip = listen_for_kmip(settings)
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
    if kmip is not None:
        where["kmip"] = "{}:{}".format(*kmip.getsockname())
    announcement = Announcement(data.path("run", "server.json"), where, announce)
    sockets = (tls, plain_listener, proxy)
    Server(data, actual, settings, sockets, announcement, secrets=secrets, kmip=kmip).serve()
