"""Where the installation's secrets stand. None of these settings is a secret itself."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from kms.custodians.settings import CustodianSettings
from kms.secrets.secret import SecretName
from yinxin.faults import BadValue
from yinxin.settings import Section

SourceName = Literal["files", "openbao", "custodians"]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class OpenBaoSettings(Section):
    """An OpenBao or Vault server, where this installation logs in by AppRole and reads one secret of KV version 2."""

    address: str = ""
    """Address of the server, such as https://bao.example.gov.cn:8200; plain http only to this machine, and in no province."""
    namespace: str = ""
    """Namespace of login and secret; empty is the root."""
    ca_file: str = ""
    """PEM file of the only anchors by which the server is known; empty believes the system's."""
    timeout: int = Field(default=5, ge=1, le=60)
    """Seconds that the server may take to connect, and to answer."""
    role_id: str = ""
    """The AppRole's role id; it names the role and is no secret."""
    secret_id_file: str = ""
    """File with the AppRole's secret id, mode 0600; empty for `openbao-secret-id` in the data directory's secrets."""
    wrapped: bool = False
    """Whether that file holds a response-wrapping token, which gives the secret id once, to whoever comes first."""
    auth_mount: str = "approle"
    """Where the server has the AppRole method."""
    mount: str = "secret"
    """Where the server has the KV version 2 store."""
    path: str = "yinxin"
    """Path of this installation's secret in that store."""
    fields: dict[SecretName, str] = {}  # noqa: RUF012 - pydantic copies defaults
    """Fields of that secret, by the name of ours, where they are not called the same."""

    @field_validator("address")
    @classmethod
    def _safe(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise BadValue("不是网址", "not an address") from error
        if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query:
            raise BadValue("应写成 https://HOST:PORT", "expected https://host:port")
        if parts.username is not None or parts.password is not None:
            raise BadValue("网址中不得有口令", "no password belongs in the address")
        if parts.scheme == "http" and host not in _LOOPBACK:
            raise BadValue("对其他主机必须用 https", "https is needed to any other machine")
        return value.rstrip("/")


class SecretsSettings(Section):
    """The sources of the installation's secrets."""

    source: SourceName = "files"
    """Where secrets stand: `files` of mode 0600 in the data directory's secrets, `openbao` (OpenBao or Vault), or `custodians` (sealed under shares of several people)."""
    sources: dict[SecretName, SourceName] = {}  # noqa: RUF012 - pydantic copies defaults
    """Sources of single secrets, by name (hsm-pin, hsm-so-pin, database-password, LABEL.password), where another one than `source`."""
    openbao: OpenBaoSettings = OpenBaoSettings()
    custodians: CustodianSettings = CustodianSettings()

    def of(self, name: str) -> SourceName:
        """The source of one secret."""
        return self.sources.get(name, self.source)

    def uses(self, source: SourceName) -> bool:
        """Whether any secret has this source."""
        return source in (self.source, *self.sources.values())

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.uses("openbao") and not (self.openbao.address and self.openbao.role_id):
            raise BadValue(
                "来源为 openbao 时须填写 openbao.address 与 openbao.role_id",
                "the source openbao needs openbao.address and openbao.role_id",
            )
        return self
