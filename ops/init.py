"""The first start of a data directory: its configuration is written once, with the ports that certificates will name."""

import json
import socket

from ops.data import DataDirectory
from ops.settings import Common, configuration
from yinxin import files

DEFAULT_PORT = 8443
#: the plain port stands beside the TLS port unless it is configured
_PLAIN_OFFSET = 1


def prepare(data: DataDirectory, overrides: list[str], port: int | None) -> Common:
    """The configuration of this directory; written on the first start. `port` overrides the TLS port for this run.

    Ports that the first start is given by `--set` are written too: a certificate names the plain port for ever, so the next start
    has to serve there as well. Raises BadConfiguration, before anything is written.
    """
    if data.config is None:
        given = configuration(None, overrides)
        chosen = port if port is not None else _said(given, "port") or DEFAULT_PORT
        plain = _said(given, "plain_port") or (0 if chosen == 0 else chosen + _PLAIN_OFFSET)
        chosen, plain = chosen or _free(), plain or _free()
        public = given.section("ca").public_url if _wrote(given, "ca", "public_url") else ""
        configuration(None, [*overrides, f"server.port={chosen}", f"server.plain_port={plain}"])
        text = _first(chosen, plain, public or f"http://127.0.0.1:{plain}")
        files.replace(data.path("config.toml"), text.encode(), mode=0o600)
    elif port is not None:
        overrides.append(f"server.port={port}")
    return configuration(data.config, overrides)


def _wrote(given: Common, section: str, name: str) -> bool:
    return name in given.section(section).model_fields_set


def _said(given: Common, name: str) -> int:
    """A port of the server that an override names; 0 where none does, or where it leaves the choice."""
    return int(getattr(given.section("server"), name)) if _wrote(given, "server", name) else 0


def _first(port: int, plain: int, public: str) -> str:
    return (
        "# Written on the first start. `yinxin settings` lists every key.\n"
        f"[server]\nport = {port}\nplain_port = {plain}\n\n"
        "[ca]\n# written into every certificate; changing it does not change certificates that exist\n"
        f"public_url = {json.dumps(public, ensure_ascii=False)}\n"  # as TOML quotes it
    )


def _free() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
