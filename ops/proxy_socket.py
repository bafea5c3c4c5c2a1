"""The Unix socket on which the reverse proxy that ends TLS is served: whoever can open it is believed."""

import grp
import os
import socket
import stat
from pathlib import Path

from ops.data import DataDirectory
from ops.settings import Common
from yinxin.errors import Misconfigured


class ProxySocketUnusable(Misconfigured):
    """The socket cannot be made where the configuration wants it."""

    code = "ops.proxy_socket_unusable"
    zh = "反向代理套接字 {path} 无法建立（{reason}）：请检查 server.proxy_socket 与 server.proxy_group。"
    en = "The proxy's socket {path} cannot be made ({reason}): check server.proxy_socket and server.proxy_group."


def listen_for_proxy(data: DataDirectory, settings: Common) -> socket.socket | None:
    """The listening socket, open to our user and to the proxy's group alone; None when no proxy is configured.

    Raises ProxySocketUnusable.
    """
    if settings.section("web").proxy != "socket":
        return None
    named = settings.server.proxy_socket
    path = Path(named) if named else data.path("run", "proxy.sock")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()  # of a server that was killed
        before = os.umask(0o777)  # nobody comes in between making it and saying who may
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        if settings.server.proxy_group:
            os.chown(path, -1, grp.getgrnam(settings.server.proxy_group).gr_gid)
        path.chmod(0o660)
        listener.listen(128)
    except (OSError, KeyError) as error:
        listener.close()
        raise ProxySocketUnusable(path=str(path), reason=str(error)) from error
    listener.set_inheritable(True)
    return listener
