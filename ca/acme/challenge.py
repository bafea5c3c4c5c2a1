"""Challenges (RFC 8555 7.5.1): the client says that one is ready; it is tried at once, and again if need be."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import cast

import sqlalchemy as sa

from ca.acme import authorization, look
from ca.acme.change import Change
from ca.acme.errors import Expired, NoResource
from ca.acme.models import AuthorizationRow, AuthorizationState
from ca.acme.parts import Answer, Asked, Parts, actor_of
from ca.acme.standing import of_authorization
from ca.acme.validate import FAILURES, lease
from yinxin.clock import rfc3339
from yinxin.store import Act, Sql

RESPOND = "ca.acme-respond"


def respond(
    parts: Parts, asked: Asked, id_: str, kind: str, tried: Callable[[str, str], None]
) -> Answer | Change:
    """A challenge, taken up if the client asks for that, which gives the answer; `tried` is told what to try at once.

    The first challenge that is taken up decides; asked again, it is shown as it stands. Raises NoResource, Expired,
    TooMany.
    """
    row = authorization.found(parts, asked, id_)
    if kind not in authorization.challenges(row):
        raise NoResource
    now = parts.ctx.store.clock.now()
    if asked.payload is not None and row.state == AuthorizationState.PENDING and row.challenge is None:
        if row.expires <= now:
            raise Expired(at=rfc3339(row.expires))
        parts.limits.check(FAILURES, asked.owner.id, parts.settings.failures_per_hour)
        take_up = partial(_taken_up, parts, asked, row, kind)
        subject = f"acme-authorization:{row.id}"
        return Change(
            actor_of(asked.owner), RESPOND, subject, take_up, after=partial(tried, id_, row.account)
        )
    return _shown(asked, row, kind, now)


def _shown(asked: Asked, row: AuthorizationRow, kind: str, now: datetime) -> Answer:
    body = authorization.challenge(asked.urls, row, kind)
    waiting = row.challenge is not None and of_authorization(row, now) == AuthorizationState.PENDING
    return Answer(
        body,
        links=(("up", asked.urls.of("authorization", row.id)),),
        retry_after=authorization.RETRY_AFTER if waiting else None,
        awaits=row.id if waiting else None,
    )


def _taken_up(parts: Parts, asked: Asked, row: AuthorizationRow, kind: str, act: Act) -> Answer:
    act.facts["challenge"] = kind
    now = parts.ctx.store.clock.now()
    # whoever takes it up tries it; should this process die, the job takes over when the lease is out
    due = now + timedelta(seconds=lease(parts.settings))
    _TAKE_UP.run(act.connection, {"of": row.id, "chosen": kind, "now": now, "then": due})
    return _shown(asked, look.authorization(act.connection, row.id) or row, kind, now)


_PROOF = cast("sa.Table", AuthorizationRow.__table__)
_TAKE_UP = Sql(
    sa.update(_PROOF)
    .where(
        _PROOF.c.id == sa.bindparam("of"),
        _PROOF.c.state == AuthorizationState.PENDING,
        _PROOF.c.challenge.is_(None),
    )
    .values(challenge=sa.bindparam("chosen"), answered=sa.bindparam("now"), due=sa.bindparam("then"))
)
