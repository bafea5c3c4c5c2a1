"""The client itself: a connection and the groups of calls on it."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from yinxin.client._http import Connection
from yinxin.client.attachments import Attachments
from yinxin.client.audit import Audit
from yinxin.client.authz import Authz
from yinxin.client.ca import Ca
from yinxin.client.calendar import Calendars
from yinxin.client.documents import Documents
from yinxin.client.exchange import Exchange
from yinxin.client.grants import Grants
from yinxin.client.imports import Imports
from yinxin.client.kms import Kms
from yinxin.client.policies import Policies
from yinxin.client.proposals import Proposals
from yinxin.client.reviews import Reviews
from yinxin.client.seals import Seals
from yinxin.client.system import System
from yinxin.client.tenants import Tenants
from yinxin.client.transports import https
from yinxin.clock import Clock, SystemClock
from yinxin.crypto.keys import Identity
from yinxin.randomness import Randomness, SystemRandomness
from yinxin.text import Language

#: seconds to connect, and to wait for an answer
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0


class Client:
    """Typed calls to a platform.

        with Client("https://trust.example.gov.cn", identity=Identity.load_p12(path, password), trust=pem) as client:
            use = client.seals.begin(client.seals.of_organ("o1").id, subject="document:…", title="…", approval=entry)

    It signs in by itself when a call needs it, and again when the session is over. Calls raise the platform's own
    errors. Threads may share a client; a forked process needs one of its own.
    """

    def __init__(
        self,
        base_url: str,
        *,
        identity: Identity | None = None,
        token: str | None = None,
        system: System | None = None,
        trust: Path | None = None,
        transport: httpx.BaseTransport | None = None,
        language: Language = "zh",
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """A client of the platform at `base_url`; nothing is sent yet.

        `identity` signs in; `token` is a session that exists already; `system` calls in its own name. `trust` is the PEM file of the only anchors
        believed, the system's without it; `transport` is another way to the platform (`https`, `in_process`), and
        then `trust` is its own matter.
        """
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._connection = Connection(
            httpx.Client(base_url=base_url, transport=transport or https(trust=trust), timeout=timeout),
            identity,
            language,
            token,
            clock or SystemClock(),
            randomness or SystemRandomness(),
            sleep,
            system,
        )
        self.authz = Authz(self._connection)
        self.kms = Kms(self._connection)
        self.ca = Ca(self._connection)
        self.seals = Seals(self._connection)
        self.audit = Audit(self._connection)
        self.attachments = Attachments(self._connection)
        self.documents = Documents(self._connection, self.attachments)
        self.proposals = Proposals(self._connection)
        self.exchange = Exchange(self._connection, self.proposals)
        self.calendar = Calendars(self._connection, self.proposals)
        self.policies = Policies(self._connection, self.proposals)
        self.grants = Grants(self._connection, self.proposals)
        self.reviews = Reviews(self._connection)
        self.tenants = Tenants(self._connection)
        self.imports = Imports(self._connection)

    def sign_in(self) -> str:
        """Sign in now instead of at the first call that needs it; the session's token, to be kept secret."""
        return self._connection.sign_in()

    def close(self) -> None:
        """Close the connections; the session stays until `authz.sign_out` or its end."""
        self._connection.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self._connection.origin}>"
