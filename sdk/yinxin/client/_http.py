"""One call and what becomes of it: signing in, idempotency keys, bounded retries, errors."""

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import httpx

from yinxin.authz import StepUpRequired, sign_in_statement
from yinxin.client.errors import IdentityNeeded, NotAPlatform, SystemRefused, Unreachable
from yinxin.client.problems import error_of, worth_retrying
from yinxin.client.system import TOKENS, System
from yinxin.clock import Clock, SystemClock
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity
from yinxin.crypto.suite import INTL
from yinxin.randomness import Randomness, SystemRandomness, identifier
from yinxin.text import Language

#: tries of one call, the first included
ATTEMPTS = 4
#: seconds before the second try, doubled each time, unless the platform says how long
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
SAFE = frozenset({"GET", "HEAD"})


@dataclass
class Connection:
    """The conversation with one platform, shared by all groups of a Client. Threads may share it."""

    http: httpx.Client
    identity: Identity | None
    language: Language
    token: str | None = field(default=None, repr=False)
    clock: Clock = field(default_factory=SystemClock)
    randomness: Randomness = field(default_factory=SystemRandomness)
    sleep: Callable[[float], None] = time.sleep
    system: System | None = None
    _signing_in: threading.Lock = field(default_factory=threading.Lock)

    @property
    def origin(self) -> str:
        """Scheme, host and port as we ourselves address the platform (RFC 6454)."""
        url = self.http.base_url
        return f"{url.scheme}://{url.netloc.decode('ascii')}"

    def json(self, method: str, path: str, *, public: bool = False, **call: Any) -> Any:
        """The JSON of the answer (None when empty); raises what `send` raises."""
        return decoded(self.send(method, path, public=public, **call))

    def send(self, method: str, path: str, *, public: bool = False, **call: Any) -> httpx.Response:
        """The answer, after as many tries as help. An unsafe call keeps its Idempotency-Key over all of them.

        Raises the platform's error, Unreachable or NotAPlatform; IdentityNeeded when there is nothing to sign in with.
        """
        headers = dict(call.pop("headers", {}))
        if method not in SAFE:
            headers["Idempotency-Key"] = identifier(self.clock, self.randomness)
        stale: str | None = None
        proved = False
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            token = None if public else self._valid_token(stale)
            try:
                response = self._exchange(method, path, token, headers, call)
            except Unreachable:
                if last:
                    raise
                self._pause(attempt)
                continue
            if response.is_success:
                return response
            itself = self.identity or self.system
            if response.status_code == httpx.codes.UNAUTHORIZED and token and itself and stale is None:
                stale = token  # the session or token is over: get another, once
                continue
            refusal = error_of(response)
            if isinstance(refusal, StepUpRequired) and self.identity and not proved and not last:
                proved = True  # the act wants the key proved just now: that is ours to do, once
                self.prove(*self._signed())
                continue
            if last or not worth_retrying(refusal):
                raise refusal
            self._pause(attempt, response)
        raise AssertionError("the last try returns or raises")

    def pages(self, path: str, query: Mapping[str, Any], *, public: bool = False) -> Iterator[Any]:
        """Every item of a paged list, fetching pages as they are needed."""
        after: str | None = None
        while True:
            wanted = {name: value for name, value in {**query, "after": after}.items() if value is not None}
            page = self.json("GET", path, params=wanted, public=public)
            yield from page["items"]
            after = page.get("next")
            if after is None:
                return

    def sign_in(self) -> str:
        """Prove the identity's key, or who the system is, and keep the token; raises IdentityNeeded or what the platform says."""
        with self._signing_in:
            return self._sign_in()

    def _valid_token(self, stale: str | None) -> str:
        """The token; a new one when there is none, or only the `stale` one that was just refused."""
        with self._signing_in:  # of many threads, one signs in and the others get its token
            if self.token is not None and self.token != stale:
                return self.token
            return self._sign_in()

    def challenge(self) -> str:
        """A challenge to sign, single use (`yinxin.authz.sign_in_statement`)."""
        return str(self._ask("/api/authz/v1/challenges", {})["challenge"])

    def open_session(self, challenge: str, signature: bytes) -> str:
        """The token of a session opened by a DER CMS signature over the challenge."""
        answer = {"challenge": challenge, "signature": b64encode(signature).decode()}
        self.token = str(self._ask("/api/authz/v1/sessions", answer)["token"])
        return self.token

    def prove(self, challenge: str, signature: bytes) -> None:
        """Prove the session's certificate again by a DER CMS signature over the challenge."""
        answer = {"challenge": challenge, "signature": b64encode(signature).decode()}
        response = self._exchange(
            "POST", "/api/authz/v1/sessions/current/proof", self.token, {}, {"json": answer}
        )
        if not response.is_success:
            raise error_of(response)

    def open_session_by_passkey(self, credential: str) -> str:
        """The token of a session opened by a browser's answer to a challenge."""
        self.token = str(self._ask("/api/authz/v1/sessions/passkey", {"credential": credential})["token"])
        return self.token

    def open_session_by_tls(self) -> str:
        """The token of a session opened by the certificate of the TLS connection."""
        self.token = str(self._ask("/api/authz/v1/sessions/tls", {})["token"])
        return self.token

    def _sign_in(self) -> str:
        if self.system is not None:
            return self._token_of(self.system)
        return self.open_session(*self._signed())

    def _token_of(self, system: System) -> str:
        """A token in the system's own name; raises SystemRefused, Unreachable or NotAPlatform."""
        call: dict[str, Any] = {"data": system.form(self.origin, self.clock, self.randomness)}
        if system.secret is not None:
            call["auth"] = (quote_plus(system.id), quote_plus(system.secret))  # RFC 6749 2.3.1
        response = self._exchange("POST", TOKENS, None, {}, call)
        answer = decoded(response)
        if response.is_success and isinstance(answer, dict) and "access_token" in answer:
            self.token = str(answer["access_token"])
            return self.token
        if not isinstance(answer, dict) or "error" not in answer:
            raise NotAPlatform(url=self.origin + TOKENS, http_status=response.status_code)
        reason = str(answer.get("error_description", answer["error"]))
        if response.is_server_error:
            raise Unreachable(url=self.origin, reason=reason)
        raise SystemRefused(system=system.id, error=str(answer["error"]), reason=reason)

    def _signed(self) -> tuple[str, bytes]:
        """A challenge and the identity's signature over it; raises IdentityNeeded."""
        if self.identity is None:
            raise IdentityNeeded
        challenge = self.challenge()
        statement = sign_in_statement(challenge, self.origin)
        told = INTL.hash.digest(challenge.encode()).hex()[:16]  # as the platform's own record names it
        signing = self.identity.stating("authz.sign-in", f"challenge:{told}")
        return challenge, cms.sign_detached(signing, statement, signed_at=self.clock.now())

    def _ask(self, path: str, body: Mapping[str, str]) -> Any:
        """One try: a challenge is used up by the first answer, so the answer is not sent twice."""
        response = self._exchange("POST", path, None, {}, {"json": body})
        if not response.is_success:
            raise error_of(response)
        return decoded(response)

    def _exchange(
        self, method: str, path: str, token: str | None, headers: Mapping[str, str], call: Mapping[str, Any]
    ) -> httpx.Response:
        sent = {"Accept": "application/json, */*;q=0.5", "Accept-Language": self.language, **headers}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        try:
            return self.http.request(method, path, headers=sent, **call)
        except httpx.TransportError as error:
            raise Unreachable(url=self.origin, reason=f"{type(error).__name__}: {error}") from error

    def _pause(self, attempt: int, response: httpx.Response | None = None) -> None:
        stated = response.headers.get("Retry-After", "") if response is not None else ""
        seconds = float(stated) if stated.isdigit() else FIRST_WAIT * 2 ** (attempt - 1)
        self.sleep(min(seconds, LONGEST_WAIT))


def segment(text: str) -> str:
    """`text` as one segment of a path, whatever it holds: no identifier leads to another address (RFC 3986 3.3)."""
    return "%2E" * len(text) if text in (".", "..") else quote(text, safe="")


def decoded(response: httpx.Response) -> Any:
    """The JSON of an answer, None when it is empty; raises NotAPlatform."""
    if response.status_code == httpx.codes.NO_CONTENT:
        return None
    try:
        return response.json()
    except ValueError as error:
        address = str(response.request.url.copy_with(query=None))
        raise NotAPlatform(url=address, http_status=response.status_code) from error
