"""Devices without a browser of their own: a code on their screen, a person who lets them in elsewhere (RFC 8628)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from authz.challenges import text_token, token_hash
from authz.models import Attempt
from authz.oidc.authorize import scope_of
from authz.oidc.clients import Client, Clients
from authz.oidc.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredToken,
    InvalidGrant,
    SlowDown,
    TooManyUserCodes,
    UnauthorizedClient,
    UnknownUserCode,
)
from authz.oidc.granted import Grants
from authz.oidc.models import DeviceRow, GrantRow
from authz.refusals import Refusals
from yinxin.store import Store
from yinxin.web.caller import Caller

#: letters that are not mistaken for each other and make no words (RFC 8628 6.1); eight of them are 34 bits
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8
_INTERVAL = 5
#: wrong codes of one session within a minute: at this rate all codes take longer than the sun has
_GUESSES = 5
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Codes:
    """What a device is given: `device` it keeps, `user` it shows."""

    device: str
    user: str
    seconds: int
    interval: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that waits for a person's word."""

    hash: str
    client: Client
    scopes: tuple[str, ...]


class Devices:
    """The devices that wait."""

    def __init__(self, store: Store, clients: Clients, grants: Grants, refusals: Refusals) -> None:
        self._store = store
        self._refusals = refusals
        self._clients = clients
        self._grants = grants

    def begin(self, client: Client, scope: str) -> Codes:
        """Codes for a device of `client`; raises UnauthorizedClient, InvalidScope."""
        if "device_code" not in client.registration.grants:
            raise UnauthorizedClient(client=client.id, grant="device_code")
        wanted = scope_of(scope, client)
        device = text_token(self._store.randomness.token(32))
        user = "".join(_LETTERS[each % len(_LETTERS)] for each in self._letters())
        lasts = self._grants.lifetimes.device
        row = DeviceRow(
            hash=token_hash(device),
            user_code_hash=token_hash(user),
            client=client.id,
            scope=wanted,
            expires=self._store.clock.now() + lasts,
            interval=_INTERVAL,
        )
        with self._store.housekeep() as session:
            session.add(row)
        return Codes(device, f"{user[:4]}-{user[4:]}", int(lasts.total_seconds()), _INTERVAL)

    def look(self, user_code: str, caller: Caller) -> Waiting:
        """The device that shows this code; raises UnknownUserCode, or TooManyUserCodes for a session that guesses.

        Both are recorded.
        """
        try:
            return self._look(user_code, caller)
        except (UnknownUserCode, TooManyUserCodes) as error:
            self._refusals.record(caller.actor, "authz.authorize-client", "device:unknown", error)
            raise

    def _look(self, user_code: str, caller: Caller) -> Waiting:
        typed = "".join(each for each in user_code.upper() if each in _LETTERS)
        guesser = f"device:{caller.session}"
        now = self._store.clock.now()
        with self._store.housekeep() as session:
            recent = sa.select(sa.func.count()).where(
                Attempt.certificate == guesser, Attempt.at > now - _MINUTE
            )
            if (session.scalar(recent) or 0) >= _GUESSES:
                raise TooManyUserCodes
            row = session.scalar(sa.select(DeviceRow).where(DeviceRow.user_code_hash == token_hash(typed)))
            if row is None or row.expires <= now or row.grant is not None or row.refused is not None:
                session.add(Attempt(id=self._store.identifier(), certificate=guesser, at=now))
                row = None
            else:
                session.expunge(row)
        if row is None:
            raise UnknownUserCode
        return Waiting(row.hash, self._clients.get(row.client), tuple(row.scope.split()))

    def answer(self, user_code: str, caller: Caller, *, agreed: bool) -> Client:
        """The person's word on it, once; raises what `look` raises."""
        waiting = self.look(user_code, caller)
        now = self._store.clock.now()
        open_ = sa.update(DeviceRow).where(
            DeviceRow.hash == waiting.hash, DeviceRow.grant.is_(None), DeviceRow.refused.is_(None)
        )
        subject = f"client:{waiting.client.id}"
        if not agreed:
            with self._store.housekeep() as session:
                session.execute(open_.values(refused=now))
            self._store.refuse(caller.actor, "authz.authorize-client", subject, AccessDenied())
            return waiting.client
        with self._store.act(caller.actor, "authz.authorize-client", subject, device=True) as act:
            scope = " ".join(waiting.scopes)
            grant = self._grants.add(act, caller.session, waiting.client.id, scope, None)
            if act.session.scalar(open_.values(grant=grant.id).returning(DeviceRow.hash)) is None:
                raise UnknownUserCode
        return waiting.client

    def poll(self, client: Client, device_code: str) -> tuple[GrantRow, sa.Update, Any]:
        """The grant, and what uses the device's code up; raises AuthorizationPending, SlowDown, AccessDenied, ExpiredToken, InvalidGrant."""
        now, hashed = self._store.clock.now(), token_hash(device_code)
        with self._store.housekeep() as session:
            row = session.get(DeviceRow, hashed)
            if row is None or row.client != client.id or row.used is not None:
                raise InvalidGrant
            hasty = row.polled is not None and row.polled + timedelta(seconds=row.interval) > now
            row.polled = now
            if hasty:
                row.interval += _INTERVAL
            expired, refused, grant_id = row.expires <= now, row.refused is not None, row.grant
        if refused:
            raise AccessDenied
        if expired:
            raise ExpiredToken
        if hasty:
            raise SlowDown
        if grant_id is None:
            raise AuthorizationPending
        with self._store.read() as session:
            grant = session.get_one(GrantRow, grant_id)
            session.expunge(grant)
        once = sa.update(DeviceRow).where(DeviceRow.hash == hashed, DeviceRow.used.is_(None))
        return grant, once, DeviceRow.hash

    def forget(self, before: datetime) -> None:
        """Delete devices whose codes expired before `before`."""
        with self._store.housekeep() as session:
            session.execute(sa.delete(DeviceRow).where(DeviceRow.expires < before))

    def _letters(self) -> list[int]:
        """Eight octets below 240, so that each letter is as likely as any other."""
        found: list[int] = []
        while len(found) < _LENGTH:
            found += [each for each in self._store.randomness.token(16) if each < 12 * len(_LETTERS)]
        return found[:_LENGTH]
