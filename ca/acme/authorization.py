"""Authorizations (RFC 8555 7.5): the proof that an account may have certificates for a name."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from ca.acme import look
from ca.acme.errors import Malformed, NoResource
from ca.acme.identifiers import shown
from ca.acme.models import AuthorizationRow, AuthorizationState
from ca.acme.parts import Answer, Asked, Parts, Urls, actor_of
from ca.acme.payload import text
from ca.acme.standing import of_authorization
from ca.profile.wildcards import domain_of, is_wildcard
from yinxin.clock import rfc3339
from yinxin.crypto.general_names import GeneralName
from yinxin.crypto.jose import encode64
from yinxin.store import Sql, Within
from yinxin.text import Text

DEACTIVATE = "ca.acme-deactivate-authorization"

#: RFC 8555 8.3 and 8.4, RFC 8737; an address is no name of the DNS (RFC 8738 section 7)
_CHALLENGES = {"dns": ("http-01", "dns-01", "tls-alpn-01"), "ip": ("http-01", "tls-alpn-01")}
#: who answers as one host has not shown to hold all of them: only the zone has (RFC 8555 10.5)
_OF_WILDCARDS = ("dns-01",)
#: octets of a token: twice the 128 bits that RFC 8555 8.1 asks for
_TOKEN = 32
#: seconds after which a client asks again
RETRY_AFTER = 1


def made(parts: Parts, account: str, name: GeneralName, now: datetime) -> AuthorizationRow:
    """A new one, to be proved."""
    store = parts.ctx.store
    return AuthorizationRow(
        id=store.identifier(),
        account=account,
        kind=name[0],
        name=name[1],
        state=AuthorizationState.PENDING,
        expires=now + timedelta(hours=parts.settings.order_hours),
        token=encode64(store.randomness.token(_TOKEN)),
        attempts=0,
    )


def keep(within: Within, rows: Iterable[AuthorizationRow]) -> None:
    """Write new ones down."""
    _KEEP.run_many(within, [{name: getattr(row, name) for name in _NEW} for row in rows])


_NEW = ("id", "account", "kind", "name", "state", "expires", "token", "attempts")
_KEEP = Sql(sa.insert(cast("sa.Table", AuthorizationRow.__table__)), *_NEW)


def show(parts: Parts, asked: Asked, id_: str) -> Answer:
    """The authorization, after its deactivation if that is asked for (RFC 8555 7.5.2)."""
    row = found(parts, asked, id_)
    if asked.payload is not None:
        if text(asked.payload, "status") != AuthorizationState.DEACTIVATED:
            reason = Text("只能改为 deactivated", "it can be changed to deactivated only")
            raise Malformed(field="status", reason=reason)
        row = _deactivated(parts, asked, row)
    now = parts.ctx.store.clock.now()
    waiting = row.challenge is not None and of_authorization(row, now) == AuthorizationState.PENDING
    return Answer(
        described(asked.urls, row, now),
        retry_after=RETRY_AFTER if waiting else None,
        awaits=row.id if waiting else None,
    )


def _deactivated(parts: Parts, asked: Asked, row: AuthorizationRow) -> AuthorizationRow:
    alive = (AuthorizationState.PENDING, AuthorizationState.VALID)
    change = sa.update(AuthorizationRow).where(
        AuthorizationRow.id == row.id, AuthorizationRow.state.in_(alive)
    )
    subject = f"acme-authorization:{row.id}"
    with parts.ctx.store.act(actor_of(asked.owner), DEACTIVATE, subject) as act:
        act.session.execute(change.values(state=AuthorizationState.DEACTIVATED, due=None))
    return found(parts, asked, row.id)


def found(parts: Parts, asked: Asked, id_: str) -> AuthorizationRow:
    """An authorization of the asking account; raises NoResource, also for another's."""
    with parts.ctx.store.look() as within:
        row = look.authorization(within, id_)
    if row is None or row.account != asked.owner.id:
        raise NoResource
    return row


def challenges(row: AuthorizationRow) -> tuple[str, ...]:
    """The kinds of challenge by which its name can be proved."""
    return _OF_WILDCARDS if is_wildcard(row.name) else _CHALLENGES[row.kind]


def described(urls: Urls, row: AuthorizationRow, now: datetime) -> dict[str, Any]:
    """The authorization as JSON; once a challenge has decided it, with that one alone."""
    status = of_authorization(row, now)
    kinds = challenges(row)
    if row.challenge is not None and status != AuthorizationState.PENDING:
        kinds = (row.challenge,)
    body: dict[str, Any] = {
        "identifier": shown((row.kind, domain_of(row.name))),
        "status": status,
        "expires": rfc3339(row.expires),
        "challenges": [challenge(urls, row, kind) for kind in kinds],
    }
    # there and true for these, and absent for all others (RFC 8555 7.1.4)
    return body | {"wildcard": True} if is_wildcard(row.name) else body


def challenge(urls: Urls, row: AuthorizationRow, kind: str) -> dict[str, Any]:
    """One of its challenges as JSON (RFC 8555 7.1.5)."""
    chosen = kind == row.challenge
    body: dict[str, Any] = {
        "type": kind,
        "url": urls.of("authorization", row.id, kind),
        "status": _status(row) if chosen else "pending",
        "token": row.token,
    }
    if chosen and row.validated is not None:
        body["validated"] = rfc3339(row.validated)
    if chosen and row.error is not None:
        body["error"] = row.error
    return body


def _status(row: AuthorizationRow) -> str:
    """Of the challenge that was chosen."""
    if row.validated is not None:
        return "valid"
    return "processing" if row.state == AuthorizationState.PENDING else "invalid"
