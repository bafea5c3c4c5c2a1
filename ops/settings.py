"""The configuration of a whole installation: our own sections, and one per registered module."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, create_model
from sqlalchemy import make_url

from kms.secrets import SecretsSettings
from ops.metrics.settings import MetricsSettings
from ops.modules import MODULES
from yinxin.errors import Misconfigured
from yinxin.settings import Section, load
from yinxin.store import DatabaseSettings
from yinxin.text import Text


class ServerSettings(Section):
    """The listening server."""

    host: str = "127.0.0.1"
    """Address to listen on; the embedded shape stays on loopback."""
    port: int = Field(default=8443, ge=0, le=65535)
    """TLS port of pages and API; 0 takes a free one."""
    plain_port: int = Field(default=8080, ge=0, le=65535)
    """Plain HTTP port for OCSP, CRL, certificates and timestamps, which are signed themselves; 0 takes a free one."""
    threads: int = Field(default=8, ge=1, le=64)
    """Requests served at the same time."""
    proxy_socket: str = ""
    """Unix socket for a reverse proxy (`web.proxy = socket`); empty is run/proxy.sock in the data directory."""
    proxy_group: str = ""
    """Group that may open this socket besides our own user, such as www-data; empty is none."""


class Common(Section):
    """What belongs to no module."""

    shape: Literal["embedded", "province"] = "embedded"
    """Shape of deployment: `embedded` allows the soft token and SQLite; `province` refuses insecure stand-ins."""
    database: DatabaseSettings = DatabaseSettings()
    server: ServerSettings = ServerSettings()
    secrets: SecretsSettings = SecretsSettings()
    metrics: MetricsSettings = MetricsSettings()

    def section(self, name: str) -> Any:
        """A module's settings."""
        return getattr(self, name)


def _joined() -> type[Common]:
    sections: dict[str, Any] = {module.name: (module.settings, module.settings()) for module in MODULES}
    return create_model("Configuration", __base__=Common, **sections)


Configuration = _joined()


class InsecureStandIn(Misconfigured):
    """A stand-in of the embedded shape in a province's configuration."""

    code = "ops.insecure_stand_in"
    zh = "province 形态不允许使用 {part}：{remedy}。"
    en = "The province shape does not allow {part}: {remedy}."


def check_shape(settings: Common, *, token_manufacturer: str | None = None) -> None:
    """Raise InsecureStandIn where a province's configuration names what only a trial may use."""
    if settings.shape != "province":
        return
    if not settings.database.url.startswith("postgresql"):
        raise InsecureStandIn(part="SQLite", remedy="database.url = postgresql+psycopg://…")
    if make_url(settings.database.url).password is not None:
        raise InsecureStandIn(
            part=Text("database.url 中的口令", "a password in database.url"),
            remedy="database.password = secret",
        )
    openbao = settings.secrets.openbao.address
    if settings.secrets.uses("openbao") and not openbao.startswith("https://"):
        raise InsecureStandIn(part=openbao, remedy="secrets.openbao.address = https://…")
    if settings.ca.acme.eab != "required":  # type: ignore[attr-defined]
        raise InsecureStandIn(part=f"ca.acme.eab = {settings.ca.acme.eab}", remedy="ca.acme.eab = required")  # type: ignore[attr-defined]
    if token_manufacturer is not None and "softhsm" in token_manufacturer.lower():
        raise InsecureStandIn(part="SoftHSM2", remedy="kms.library = …")


def demand_shared(settings: Common) -> None:
    """Raise InsecureStandIn where a province would let every serving process open the security module."""
    if settings.shape == "province" and not settings.kms.address:  # type: ignore[attr-defined]
        raise InsecureStandIn(
            part=Text(
                "由对外服务的进程直接使用密码机", "the security module in a process that serves requests"
            ),
            remedy=Text(
                "请设置 kms.address，并运行 yinxin serve --only kms",
                "set kms.address, and run yinxin serve --only kms",
            ),
        )


def configuration(file: Path | None, overrides: Iterable[str] = ()) -> Common:
    """Read the configuration; raises BadConfiguration naming the key."""
    return load(Configuration, file, overrides)
