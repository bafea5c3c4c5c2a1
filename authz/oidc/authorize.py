"""The authorization endpoint: what a client asks for, what its person says, and where she is sent (RFC 6749 4.1, RFC 7636, RFC 9207)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import sqlalchemy as sa

from authz.challenges import text_token, token_hash
from authz.oidc.clients import Client, Clients
from authz.oidc.errors import (
    AccessDenied,
    ConsentRequired,
    DelegationLimited,
    InvalidRequest,
    InvalidScope,
    LoginRequired,
    Protocol,
    RedirectMismatch,
    RequestGone,
    UnauthorizedClient,
    UnsupportedResponse,
)
from authz.oidc.granted import Grants
from authz.oidc.models import GrantRow, RequestRow
from authz.oidc.scopes import SCOPES
from yinxin.store import Store
from yinxin.web.caller import Caller

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
#: `prompt=login` is content with a proof of this age: the one that the sign-in page just saw
_JUST_NOW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An authorization request, held to the client's registration."""

    client: Client
    redirect_uri: str
    scope: str
    state: str | None
    nonce: str | None
    challenge: str
    prompt: frozenset[str]
    max_age: int | None


@dataclass(frozen=True, slots=True)
class Sent:
    """The browser goes to the client at `address`."""

    address: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The person is asked: `ticket` names the question, once."""

    ticket: str
    client: Client
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignIn:
    """The person has to sign in, or to prove again who she is, and then comes back."""


Outcome = Sent | Asked | SignIn


class Authorize:
    """The way in for clients; `issuer` stands in every answer, so that no client takes another site's for ours."""

    def __init__(self, store: Store, clients: Clients, grants: Grants, issuer: str) -> None:
        self._store = store
        self._clients = clients
        self._grants = grants
        self._issuer = issuer

    def begin(self, parameters: Mapping[str, Sequence[str]], caller: Caller | None) -> Outcome:
        """What becomes of a request; raises UnknownClient, RedirectMismatch, InvalidRequest when nobody can be answered.

        Every other fault is told to the client at its registered address.
        """
        client, redirect_uri = self._client(parameters)
        state = next(iter(parameters.get("state", ())), None)
        try:
            wanted = _read(parameters, client, redirect_uri)
            if caller is None or not self._recent(wanted, caller):
                if "none" in wanted.prompt:
                    raise LoginRequired
                return SignIn()
            if not self._agreed(wanted, caller):
                if "none" in wanted.prompt:
                    raise ConsentRequired
                return self._ask(wanted, caller)
        except Protocol as error:
            return Sent(self._address(redirect_uri, state, {"error": error.oauth}))
        return self._grant(wanted, caller)

    def answer(self, ticket: str, caller: Caller, *, agreed: bool) -> Sent:
        """What becomes of the person's answer to `Asked`; raises RequestGone for another session's question or an old one."""
        now = self._store.clock.now()
        with self._store.housekeep() as session:
            waiting = (
                sa.update(RequestRow)
                .where(
                    RequestRow.id == token_hash(ticket)[:40],
                    RequestRow.session == caller.session,
                    RequestRow.used.is_(None),
                    RequestRow.expires > now,
                )
                .values(used=now)
                .returning(RequestRow.wanted)
            )
            kept: dict[str, Any] | None = session.scalar(waiting)
        if kept is None:
            raise RequestGone
        wanted = Wanted(
            client=self._clients.get(kept["client"]),
            redirect_uri=kept["redirect_uri"],
            scope=kept["scope"],
            state=kept["state"],
            nonce=kept["nonce"],
            challenge=kept["challenge"],
            prompt=frozenset(),
            max_age=None,
        )
        if not agreed:
            error = AccessDenied()
            self._store.refuse(caller.actor, "authz.authorize-client", f"client:{wanted.client.id}", error)
            return Sent(self._address(wanted.redirect_uri, wanted.state, {"error": error.oauth}))
        return self._grant(wanted, caller)

    def forget(self, before: datetime) -> None:
        """Delete questions that expired before `before`."""
        with self._store.housekeep() as session:
            session.execute(sa.delete(RequestRow).where(RequestRow.expires < before))

    def _client(self, parameters: Mapping[str, Sequence[str]]) -> tuple[Client, str]:
        """Who asks and where the answer goes; until both are certain, nothing goes anywhere."""
        for name in ("client_id", "redirect_uri"):
            if len(parameters.get(name, ())) != 1:
                raise InvalidRequest(parameter=name)
        client = self._clients.get(parameters["client_id"][0])
        redirect_uri = parameters["redirect_uri"][0]
        if redirect_uri not in client.registration.redirect_uris:
            raise RedirectMismatch(client=client.id)
        return client, redirect_uri

    def _recent(self, wanted: Wanted, caller: Caller) -> bool:
        """Whether she proved who she is as lately as the client wants it."""
        if caller.proved is None:
            return False
        age = self._store.clock.now() - caller.proved
        if "login" in wanted.prompt and age > _JUST_NOW:
            return False
        return wanted.max_age is None or age <= max(timedelta(seconds=wanted.max_age), _JUST_NOW)

    def _agreed(self, wanted: Wanted, caller: Caller) -> bool:
        """Whether the registration answers for her, or she agreed to as much in this very session."""
        if "consent" in wanted.prompt:
            return False
        if wanted.client.registration.consent == "registered":
            return True
        earlier = sa.select(GrantRow.scope).where(
            GrantRow.session == caller.session,
            GrantRow.client == wanted.client.id,
            GrantRow.ended.is_(None),
        )
        with self._store.read() as session:
            return any(set(wanted.scope.split()) <= set(scope.split()) for scope in session.scalars(earlier))

    def _ask(self, wanted: Wanted, caller: Caller) -> Asked:
        ticket = text_token(self._store.randomness.token(32))
        row = RequestRow(
            id=token_hash(ticket)[:40],
            session=caller.session,
            client=wanted.client.id,
            wanted={
                "client": wanted.client.id,
                "redirect_uri": wanted.redirect_uri,
                "scope": wanted.scope,
                "state": wanted.state,
                "nonce": wanted.nonce,
                "challenge": wanted.challenge,
            },
            expires=self._store.clock.now() + self._grants.lifetimes.request,
        )
        with self._store.housekeep() as session:
            session.add(row)
        return Asked(ticket, wanted.client, tuple(wanted.scope.split()))

    def _grant(self, wanted: Wanted, caller: Caller) -> Sent:
        client = wanted.client.id
        try:
            with self._store.act(caller.actor, "authz.authorize-client", f"client:{client}") as act:
                grant = self._grants.add(act, caller.session, client, wanted.scope, wanted.nonce)
                code = self._grants.add_code(act, grant, wanted.redirect_uri, wanted.challenge)
        except DelegationLimited as error:
            told = {"error": error.oauth, "error_description": error.text("en")}
            return Sent(self._address(wanted.redirect_uri, wanted.state, told))
        return Sent(self._address(wanted.redirect_uri, wanted.state, {"code": code}))

    def _address(self, redirect_uri: str, state: str | None, answer: Mapping[str, str]) -> str:
        parts = urlsplit(redirect_uri)
        query = [*parse_qsl(parts.query, keep_blank_values=True), *answer.items()]
        query += [("state", state)] if state is not None else []
        return urlunsplit(parts._replace(query=urlencode([*query, ("iss", self._issuer)])))


def scope_of(text: str, client: Client) -> str:
    """The scope in the order we name them; raises InvalidScope for one that is not this client's."""
    asked = text.split(" ") if text else []
    for each in asked:
        if each not in SCOPES or each not in client.registration.scopes:
            raise InvalidScope(client=client.id, scope=each[:40])
    if "openid" not in asked:
        raise InvalidScope(client=client.id, scope="openid")
    return " ".join(each for each in SCOPES if each in asked)


def _read(parameters: Mapping[str, Sequence[str]], client: Client, redirect_uri: str) -> Wanted:
    for name, values in parameters.items():
        if len(values) != 1:
            raise InvalidRequest(parameter=name[:40])
    given = {name: values[0] for name, values in parameters.items()}
    if given.get("response_type") != "code":
        raise UnsupportedResponse
    if "authorization_code" not in client.registration.grants:
        raise UnauthorizedClient(client=client.id, grant="authorization_code")
    for name, good in _RULES.items():
        if not good(given.get(name)):
            raise InvalidRequest(parameter=name)
    max_age = given.get("max_age")
    return Wanted(
        client=client,
        redirect_uri=redirect_uri,
        scope=scope_of(given.get("scope", ""), client),
        state=given.get("state"),
        nonce=given.get("nonce"),
        challenge=given["code_challenge"],
        prompt=frozenset(given.get("prompt", "").split()),
        max_age=int(max_age) if max_age is not None else None,
    )


def _good_prompt(value: str | None) -> bool:
    asked = set((value or "").split())
    return asked <= {"none", "login", "consent", "select_account"} and (
        "none" not in asked or asked == {"none"}
    )


#: what each parameter must be; None is one that is not there
_RULES: Mapping[str, Callable[[str | None], bool]] = {
    "request": lambda value: value is None,
    "request_uri": lambda value: value is None,
    "registration": lambda value: value is None,
    "response_mode": lambda value: value in (None, "query"),
    "code_challenge_method": lambda value: value == "S256",
    "code_challenge": lambda value: bool(_CHALLENGE.fullmatch(value or "")),
    "state": lambda value: len(value or "") <= 500,
    "nonce": lambda value: len(value or "") <= 200,
    "max_age": lambda value: value is None or bool(re.fullmatch(r"[0-9]{1,9}", value)),
    "prompt": _good_prompt,
}
