"""The key centre in a process of its own, over mutual TLS: every call is one request, and may be repeated."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from kms.engine.calls import Calls
from kms.engine.messages import question, value_of
from kms.errors import CentreUnreachable
from yinxin.client.problems import MEDIA_TYPE, error_of

#: where the engine is asked, and how its messages are called
PATH = "/engine"
TYPE = "application/vnd.yinxin.engine"
#: seconds between two tries of a call that found nobody
_REST = 0.2
_CONNECT = 3.0

Transport = Callable[[], httpx.BaseTransport]


class RemoteEngine(Calls):
    """`kms.engine.Engine` in the key centre's process. Safe to share between threads; nothing is sent before the first use.

    While the centre is restarted its callers wait, at most `patience` seconds; then they are told CentreUnreachable,
    which may be retried.
    """

    def __init__(
        self,
        address: str,
        transport: Transport,
        *,
        deadline: float,
        patience: float,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`address` is `host:port`; `deadline` the seconds that an answer may take."""
        self.label = address
        self._transport = transport
        self._timeout = httpx.Timeout(deadline, connect=_CONNECT)
        self._patience = patience
        self._sleep = sleep
        self._now = now
        self._http: httpx.Client | None = None

    def call(self, operation: str, *arguments: Any) -> Any:
        """Ask the key centre; raises CentreUnreachable, what it refuses with, or as the operation does."""
        asked = question(operation, arguments)
        until = self._now() + self._patience
        while True:
            try:
                response = self._client().post(PATH, content=asked, headers={"Content-Type": TYPE})
            except httpx.TransportError as error:
                if self._now() >= until:
                    reason = f"{type(error).__name__}: {error}"
                    raise CentreUnreachable(address=self.label, reason=reason) from error
                self._sleep(_REST)
                continue
            if response.headers.get("Content-Type") == TYPE:
                return value_of(response.content)
            if response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
                raise error_of(response)
            raise CentreUnreachable(address=self.label, reason=f"HTTP {response.status_code}")

    def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def _client(self) -> httpx.Client:
        if self._http is None:
            self._http = httpx.Client(
                base_url=f"https://{self.label}", transport=self._transport(), timeout=self._timeout
            )
        return self._http
