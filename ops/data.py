"""The data directory of an embedded installation: what lies where, and with which mode.

| path | holds | mode |
| --- | --- | --- |
| `config.toml` | configuration, optional | 0600 |
| `yinxin.db` | the database (SQLite) | 0600 |
| `token/` | the SoftHSM2 token: CA, seal, timestamp, log and master keys | 0700 |
| `secrets/` | PIN of the token, passphrase of the TLS key | 0700, files 0600 |
| `checkpoint/` | the log's last checkpoint, kept apart from the database | 0700 |
| `attachments/` | files that people attached, by their digest | 0700 |
| `tls/` | the server's certificate and its encrypted key | 0700 |
| `trust/` | certificates and log keys that verifiers need; public | 0755 |
| `credentials/` | the demo's enrolment credentials, with their secrets | 0700 |
| `accounts/` | the demo people's PKCS#12 files and passwords | 0700 |
| `artifacts/` | what the demo made: sealed documents, evidence | 0755 |
| `run/` | the running server's addresses | 0700 |
"""

import secrets
from pathlib import Path

from yinxin import files
from yinxin.errors import Misconfigured, Unavailable

PRIVATE = ("token", "secrets", "checkpoint", "attachments", "tls", "accounts", "credentials", "run")
PUBLIC = ("trust", "artifacts")


class LooseSecret(Misconfigured):
    """A secret that others may read."""

    code = "ops.loose_secret"
    zh = "密钥文件 {file} 的权限是 {mode}，他人可读；请执行 chmod 600 {file}。"
    en = "Secret file {file} has mode {mode} and others may read it; run chmod 600 {file}."


class NoDataDirectory(Misconfigured):
    """A command that looks at an installation was sent where there is none: usually a slip of the pen."""

    code = "ops.no_data_directory"
    exit = 66
    zh = "没有数据目录 {path}：请核对 --data；要新建一个，请执行 yinxin up 或 yinxin demo（或先建立这个目录）。"
    en = "There is no data directory {path}: check --data; to make one, run yinxin up or yinxin demo (or make the folder first)."


class DataDirectoryUnusable(Unavailable):
    """The data directory cannot be made or written."""

    code = "ops.data_unusable"
    retryable = False
    exit = 73
    zh = "数据目录 {path} 不能使用：{reason}。请换一个目录（--data DIR）或检查权限和磁盘空间。"
    en = "Data directory {path} cannot be used: {reason}. Choose another (--data DIR) or check its rights and the disk's free space."


class DataDirectory:
    """A data directory, made on first use."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for name in PRIVATE:
                self.path(name).mkdir(mode=0o700, exist_ok=True)
            for name in PUBLIC:
                self.path(name).mkdir(exist_ok=True)
        except OSError as error:
            raise DataDirectoryUnusable(path=str(self.root), reason=error.strerror or str(error)) from error

    def path(self, *parts: str) -> Path:
        """A path below the directory."""
        return self.root.joinpath(*parts)

    @property
    def config(self) -> Path | None:
        """The configuration file, if there is one."""
        file = self.path("config.toml")
        return file if file.is_file() else None

    def database_url(self) -> str:
        """Address of the default database, which is made here so that nobody else can read it."""
        file = self.path("yinxin.db")
        try:
            file.touch(mode=0o600)
            file.chmod(0o600)
        except OSError as error:
            raise DataDirectoryUnusable(path=str(self.root), reason=error.strerror or str(error)) from error
        return f"sqlite:///{file}"

    def secret(self, name: str) -> str:
        """The secret kept in `secrets/name`, made on first use; raises LooseSecret when others may read it."""
        file = self.path("secrets", name)
        if not file.exists():
            files.replace(file, secrets.token_urlsafe(24).encode(), mode=0o600)
        mode = file.stat().st_mode & 0o777
        if mode & 0o077:
            raise LooseSecret(file=str(file), mode=f"{mode:o}")
        return file.read_text("utf-8").strip()
