"""KMIP's port in the serving process: the platform's own TLS certificate, and one of a registered system on the other side."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from kms.kmip.listener import Listener
from ops.listening import listen, tls_context

if TYPE_CHECKING:
    import socket

    from kms.secrets import Sources
    from ops.data import DataDirectory
    from ops.platform import Platform
    from ops.settings import Common


def listen_for_kmip(settings: Common) -> socket.socket | None:
    """The listening socket, none where no address is set; raises PortTaken."""
    address = settings.section("kms").kmip.address
    if not address:
        return None
    host, _, port = address.rpartition(":")
    return listen(host.strip("[]"), int(port), "--set kms.kmip.address=HOST:PORT")


def context_of(data: DataDirectory, secrets: Sources) -> ssl.SSLContext:
    """TLS 1.2 or later, as storage speaks it, and no connection without a certificate of our intl authorities."""
    context = tls_context(data, "tls-server", secrets)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # a connection stays between messages; how long each may take is the listener's to say
    context.sslsocket_class = ssl.SSLSocket
    return context


def serve_kmip(
    platform: Platform, data: DataDirectory, secrets: Sources, listener: socket.socket
) -> Listener:
    """Serve there from now on, in threads of this process."""
    settings = platform.section("kms").kmip
    serving = Listener(listener, context_of(data, secrets), platform.kms.kmip, settings.connections)
    serving.start()
    return serving
