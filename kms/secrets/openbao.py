"""Secrets in OpenBao or HashiCorp Vault: AppRole login, one secret of KV version 2, read anew each time.

The token of the login stays in memory, is renewed at half its time, and is got anew when it is gone. Nothing that is
read is kept.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import requests
from hvac import Client
from hvac import exceptions as answered

from kms.secrets.errors import (
    SecretAbsent,
    SecretFileMissing,
    SecretIdSpent,
    SecretIdSwapped,
    SecretLoginRefused,
    SecretRefused,
    SecretStoreSealed,
    SecretStoreUnavailable,
    SecretStoreUntrusted,
)
from kms.secrets.files import one_line, read_file
from kms.secrets.secret import Secret
from kms.secrets.settings import OpenBaoSettings
from yinxin.clock import Clock
from yinxin.errors import YinxinError
from yinxin.text import Text

T = TypeVar("T")

#: name of the secret id, and of its file in the folder of secrets
SECRET_ID = "openbao-secret-id"  # noqa: S105 - a name


class OpenBao:
    """One server and one role on it; safe to share between threads, and to inherit by a fork."""

    def __init__(self, settings: OpenBaoSettings, secret_id: Path, clock: Clock) -> None:
        self._settings = settings
        self._file = secret_id
        self._clock = clock
        self._lock = Lock()
        self._token = ""
        self._renew_at: datetime | None = None
        #: the secret id that a wrapping token gave, and which state of the file that token was
        self._unwrapped = ("", "")

    def read(self, name: str) -> Secret:
        """The secret; its state is the version in the store.

        Raises SecretStoreUnavailable and SecretStoreSealed, which pass; SecretStoreUntrusted, SecretLoginRefused,
        SecretIdSpent, SecretIdSwapped, SecretRefused, SecretAbsent, and what `read_file` says of the secret id's file, which do not.
        """
        chosen = self._settings
        path, field = f"{chosen.mount}/{chosen.path}", chosen.fields.get(name, name)
        place = f"{chosen.address} {path}#{field}"
        found = self._asked(lambda client: self._as_ourselves(client, self._fetch))
        if found is None:
            raise SecretAbsent(
                place=place, reason=Text("没有这个路径或该版本已删除", "no such path, or deleted")
            )
        value, version = found["data"].get(field), found["metadata"]
        if not isinstance(value, str):
            raise SecretAbsent(place=place, reason=Text("没有这个字段", "no such field"))
        line = one_line(bytearray(value.encode()))
        if line is None:
            raise SecretAbsent(place=place, reason=Text("内容不是一行文字", "not one line of text"))
        # a secret that was destroyed and written anew counts from 1 again: the time tells them apart
        state = f"openbao:{path}:{version['version']}:{version['created_time']}"
        return Secret(name, line, place=place, state=state)

    def ensure(self, name: str, make: Callable[[], bytes]) -> Secret:  # noqa: ARG002 - others write the store
        """The secret; the store is written by its keepers, never by this process. Raises as `read`."""
        return self.read(name)

    def keep(self) -> None:
        """Renew the login's token when half its time is over; raises as `read`."""
        if self._token and self._due():
            self._asked(self._renew)

    # --- the login's token ---------------------------------------------------------------------------------------

    def backup(self) -> tuple[Path, ...]:
        """None: the store's keepers back it up."""
        return ()

    def _as_ourselves(self, client: Client, ask: Callable[[Client], T]) -> T:
        """What `ask` gets with our token; a token that is gone is got anew once."""
        if not self._token:
            self._log_in(client)
        elif self._due():
            self._renew(client)
        client.token = self._token
        with suppress(answered.Forbidden):
            return ask(client)
        if not self._known(client):
            self._log_in(client)
            with suppress(answered.Forbidden):
                return ask(client)
        path = f"{self._settings.mount}/data/{self._settings.path}"
        raise SecretRefused(address=self._settings.address, path=path)

    def _fetch(self, client: Client) -> Any:
        """The data and metadata of our path, or None when the store has nothing there."""
        with suppress(answered.InvalidPath):
            return _json(
                client.secrets.kv.v2.read_secret_version(
                    self._settings.path, mount_point=self._settings.mount, raise_on_deleted_version=True
                )
            )["data"]
        return None

    def _known(self, client: Client) -> bool:
        try:
            client.auth.token.lookup_self()
        except answered.Forbidden:
            return False
        return True

    def _log_in(self, client: Client) -> None:
        client.token = ""
        chosen, refused, answer = self._settings, False, None
        with self._secret_id(client) as secret_id:
            client.token = ""
            try:
                answer = client.auth.approle.login(
                    chosen.role_id, secret_id.text(), use_token=False, mount_point=chosen.auth_mount
                )
            except (answered.InvalidRequest, answered.Forbidden, answered.Unauthorized, answered.InvalidPath):
                refused = True
        if refused:
            raise SecretLoginRefused(address=chosen.address, mount=chosen.auth_mount, file=str(self._file))
        self._took(_json(answer)["auth"])
        client.token = self._token

    def _renew(self, client: Client) -> None:
        client.token = self._token
        try:
            answer = client.auth.token.renew_self()
        except (answered.Forbidden, answered.InvalidRequest):
            self._log_in(client)
        else:
            self._took(_json(answer)["auth"])

    def _took(self, auth: Mapping[str, Any]) -> None:
        self._token = auth["client_token"]
        lasts = timedelta(seconds=auth["lease_duration"])
        self._renew_at = self._clock.now() + lasts / 2 if lasts and auth["renewable"] else None

    def _due(self) -> bool:
        return self._renew_at is not None and self._clock.now() >= self._renew_at

    def _secret_id(self, client: Client) -> Secret:
        """What stands in the file, or what the wrapping token in it gave, which it gives once."""
        if not self._settings.wrapped:
            return read_file(SECRET_ID, self._file)
        known, value = self._unwrapped
        try:
            held = read_file(SECRET_ID, self._file)
        except SecretFileMissing:
            if not value:
                raise
        else:
            with held:
                if held.state != known:
                    value = self._unwrap(client, held)
                    self._unwrapped = (held.state, value)
        return Secret(SECRET_ID, bytearray(value.encode()), place=str(self._file), state=known)

    def _unwrap(self, client: Client, wrapping: Secret) -> str:
        """The secret id in a wrapping token that the AppRole made: whoever took the right one could leave one of his own."""
        client.token, chosen = "", self._settings
        made, value = None, None
        with suppress(answered.InvalidRequest, answered.Forbidden):
            made = _json(client.write_data("sys/wrapping/lookup", data={"token": wrapping.text()}))["data"]
        if made is None:
            raise SecretIdSpent(file=str(self._file))
        path = str(made["creation_path"]).removeprefix(f"{chosen.namespace.strip('/')}/")
        if not re.fullmatch(rf"auth/{re.escape(chosen.auth_mount)}/role/[^/]+/secret-id", path):
            raise SecretIdSwapped(file=str(self._file), path=path[:200], mount=chosen.auth_mount)
        client.token = wrapping.text()
        with suppress(answered.InvalidRequest, answered.Forbidden):
            value = _json(client.sys.unwrap())["data"].get("secret_id")
        if not isinstance(value, str):
            raise SecretIdSpent(file=str(self._file))
        return value

    # --- the connection ------------------------------------------------------------------------------------------

    def _asked(self, ask: Callable[[Client], T]) -> T:
        """What `ask` gets, alone, on a connection that is closed again.

        The library's exceptions hold requests and answers, secrets included: ours are raised when those are gone.
        """
        with self._lock, self._client() as client:
            try:
                return ask(client)
            except (requests.RequestException, answered.VaultError, OSError) as error:
                fault = self._told(error)
        raise fault

    @contextmanager
    def _client(self) -> Iterator[Client]:
        chosen = self._settings
        with requests.Session() as session:
            session.trust_env = False  # no proxy, .netrc or bundle from the environment
            session.verify = chosen.ca_file or True
            yield Client(
                chosen.address,
                token="",
                cert=(),  # nor a client certificate
                verify=session.verify,
                timeout=chosen.timeout,
                allow_redirects=False,
                session=session,
                namespace=chosen.namespace or None,
            )

    def _told(self, error: Exception) -> YinxinError:
        address = self._settings.address
        if isinstance(error, requests.exceptions.SSLError) or (
            isinstance(error, OSError) and not isinstance(error, requests.RequestException)
        ):  # the latter is a bundle that cannot be read
            return SecretStoreUntrusted(address=address)
        if isinstance(error, answered.VaultDown) and "sealed" in str(error.errors or error).lower():
            return SecretStoreSealed(address=address)
        return SecretStoreUnavailable(address=address, reason=type(error).__name__)


def _json(answer: Any) -> Any:
    """The JSON of an answer; the library hands others over as they are, a redirection among them."""
    if not isinstance(answer, dict):
        raise answered.UnexpectedError
    return answer
