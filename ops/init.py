"""The first start of a data directory: its configuration is written once, with the ports that certificates will name."""

import socket

from ops.data import DataDirectory
from ops.settings import Common, configuration
from yinxin import files

DEFAULT_PORT = 8443
#: the plain port stands beside the TLS port unless it is configured
_PLAIN_OFFSET = 1


def prepare(data: DataDirectory, overrides: list[str], port: int | None) -> Common:
    """The configuration of this directory; written on the first start. `port` overrides the TLS port for this run."""
    if data.config is None:
        chosen = DEFAULT_PORT if port is None else port
        plain = 0 if chosen == 0 else chosen + _PLAIN_OFFSET
        if chosen == 0:
            chosen, plain = _free(), _free()
        files.replace(data.path("config.toml"), _first(chosen, plain).encode(), mode=0o600)
    elif port is not None:
        overrides.append(f"server.port={port}")
    return configuration(data.config, overrides)


def _first(port: int, plain: int) -> str:
    return (
        "# Written on the first start. `yinxin settings` lists every key.\n"
        f"[server]\nport = {port}\nplain_port = {plain}\n\n"
        "[ca]\n# written into every certificate; changing it does not change certificates that exist\n"
        f'public_url = "http://127.0.0.1:{plain}"\n'
    )


def _free() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
