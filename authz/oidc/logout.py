"""The end of a session, told to every client that it let in (OIDC Back-Channel Logout), and asked for by one (RP-Initiated Logout)."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import sqlalchemy as sa
from sqlalchemy.orm import Session

from authz.models import SessionRow
from authz.oidc.clients import Clients, Registration
from authz.oidc.errors import InvalidGrant, InvalidRequest, RedirectMismatch, UnknownClient
from authz.oidc.granted import Grants
from authz.oidc.id_token import IdTokens
from authz.oidc.keys import SigningKeys
from authz.oidc.models import ClientRow, GrantRow, LogoutRow
from yinxin.act import SYSTEM
from yinxin.crypto.jose import Jws
from yinxin.errors import Invalid, Untrue
from yinxin.store import Store

_log = logging.getLogger("yinxin.authz")

#: a client that does not answer is told again after so long, doubled each time, this many times in all
_FIRST_WAIT = timedelta(seconds=30)
_TRIES = 8
#: in one go, so that one slow client keeps the others waiting for a bounded time
_BATCH = 20
#: grants that are looked at from the ground each time
_LOOK = 200


@dataclass(frozen=True, slots=True)
class LeaveTaking:
    """A client's wish that its person signs out: of which session, and where she goes then (None: stays here)."""

    session: str | None
    client: str | None
    address: str | None


class Logouts:
    """Ends grants with their sessions, and tells clients. `http` makes the client that tells them."""

    def __init__(
        self,
        store: Store,
        clients: Clients,
        grants: Grants,
        keys: SigningKeys,
        id_tokens: IdTokens,
        *,
        issuer: str,
        http: Callable[[], httpx.Client],
    ) -> None:
        self._store = store
        self._clients = clients
        self._grants = grants
        self._keys = keys
        self._id_tokens = id_tokens
        self._issuer = issuer
        self._http = http
        #: the grant at which the last look from the ground ended
        self._looked = ""

    def sessions_ended(self, session: Session, ended: Sequence[str], at: datetime) -> None:
        """End the grants of these sessions in the transaction that ends them, and put their clients on the list."""
        granted = (
            sa.select(GrantRow, ClientRow)
            .join(ClientRow, ClientRow.id == GrantRow.client)
            .where(GrantRow.session.in_(ended))
        )
        told: set[tuple[str, str]] = set()
        for grant, client in session.execute(granted).all():
            grant.ended = grant.ended or at
            place = (grant.session, grant.client)
            if place in told or client.ended is not None:
                continue
            told.add(place)
            if Registration.model_validate(client.details).backchannel_logout_uri is None:
                continue
            if session.get(LogoutRow, place) is None:
                row = LogoutRow(
                    session=grant.session, client=grant.client, person=grant.person, due=at, tries=0
                )
                session.add(row)

    def end_what_is_over(self) -> None:
        """End grants whose session ended by itself: time, revocation, the end of an appointment; a job.

        What the sessions' own rows say is asked in one question; what only a look from the ground says, of so many
        grants each time, in turn. Nothing hangs on how soon: every use of a token looks for itself.
        """
        with self._store.read() as session:
            over = {*session.scalars(_over_by_now(self._store.clock.now())), *self._looked_at(session)}
        for session_id in sorted(over):
            with self._store.act(
                SYSTEM, "authz.end-sign-on", f"session:{session_id}", reason="session-over"
            ) as act:
                self.sessions_ended(act.session, [session_id], self._store.clock.now())

    def tell(self) -> int:
        """Tell the clients that are due; how many took it. A job."""
        now = self._store.clock.now()
        due = (
            sa.select(LogoutRow)
            .where(LogoutRow.done.is_(None), LogoutRow.due <= now, LogoutRow.tries < _TRIES)
            .order_by(LogoutRow.due)
            .limit(_BATCH)
        )
        with self._store.read() as session:
            rows = list(session.scalars(due))
            session.expunge_all()
        if not rows:
            return 0
        self._keys.ready()
        with self._http() as http:
            return sum(self._tell(http, row) for row in rows)

    def wish(self, parameters: Mapping[str, str]) -> LeaveTaking:
        """A logout request, held to what we signed and what the client registered; raises InvalidRequest, RedirectMismatch, UnknownClient.

        An ID token that is over is as good a hint as any (RP-Initiated Logout 2).
        """
        hint = self._hint(parameters["id_token_hint"]) if "id_token_hint" in parameters else {}
        client_id = parameters.get("client_id", hint.get("aud"))
        if hint and client_id != hint["aud"]:
            raise InvalidRequest(parameter="client_id")
        address = parameters.get("post_logout_redirect_uri")
        if address is not None:
            if not isinstance(client_id, str):
                raise InvalidRequest(parameter="id_token_hint")
            registration = self._clients.get(client_id).registration
            if address not in registration.post_logout_redirect_uris:
                raise RedirectMismatch(client=client_id)
            if "state" in parameters:
                glue = "&" if urlsplit(address).query else "?"
                address += glue + urlencode({"state": parameters["state"]})
        return LeaveTaking(hint.get("sid"), client_id, address)

    def forget(self, before: datetime) -> None:
        """Delete what was told, or given up, before `before`."""
        with self._store.housekeep() as session:
            session.execute(sa.delete(LogoutRow).where(LogoutRow.due < before))

    def _looked_at(self, session: Session) -> set[str]:
        """The sessions of the next grants in turn that hold no more."""
        live = sa.select(GrantRow).where(GrantRow.ended.is_(None), GrantRow.id > self._looked)
        grants = session.scalars(live.order_by(GrantRow.id).limit(_LOOK)).all()
        self._looked = grants[-1].id if len(grants) == _LOOK else ""
        return {grant.session for grant in grants if self._over(session, grant)}

    def _over(self, session: Session, grant: GrantRow) -> bool:
        try:
            self._grants.live(session, grant)
        except InvalidGrant:
            return True
        return False

    def _tell(self, http: httpx.Client, row: LogoutRow) -> bool:
        place = (row.session, row.client)
        taken = self._delivered(http, row)
        now = self._store.clock.now()
        with self._store.housekeep() as session:
            kept = session.get_one(LogoutRow, place)
            kept.tries += 1
            kept.due = now if taken else now + _FIRST_WAIT * 2 ** (kept.tries - 1)
            kept.done = now if taken else None
        if not taken:
            _log.warning("client %s did not take the logout of session %s", row.client, row.session)
        return taken

    def _delivered(self, http: httpx.Client, row: LogoutRow) -> bool:
        try:
            address = self._clients.get(row.client).registration.backchannel_logout_uri
        except UnknownClient:
            return True  # nobody is left to be told
        if address is None:
            return True
        token = self._id_tokens.logout(row.client, row.person, row.session)
        try:
            return http.post(address, data={"logout_token": token}).status_code in (200, 204)
        except httpx.HTTPError:
            return False

    def _hint(self, token: str) -> dict[str, Any]:
        """The claims of an ID token that we signed for somebody, however long ago; raises InvalidRequest."""
        try:
            jws = Jws.read_compact(token)
            jwk = self._keys.known(str(jws.header.get("kid")))
            if jwk is None or jws.header.get("typ") != "JWT":
                raise InvalidRequest(parameter="id_token_hint")
            jws.verify(jwk.key)
        except (Invalid, Untrue) as error:
            raise InvalidRequest(parameter="id_token_hint") from error
        claims: dict[str, Any] = json.loads(jws.payload)
        return claims


def _over_by_now(now: datetime) -> sa.Select[str]:
    """The sessions of grants in force that are signed out, over by time, or forgotten."""
    return (
        sa.select(GrantRow.session)
        .distinct()
        .outerjoin_from(GrantRow, SessionRow, SessionRow.id == GrantRow.session)
        .where(
            GrantRow.ended.is_(None),
            sa.or_(SessionRow.id.is_(None), SessionRow.ended.is_not(None), SessionRow.expires <= now),
        )
    )
