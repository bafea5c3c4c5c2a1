"""Validation: one attempt at a challenge, and what follows from it."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import sqlalchemy as sa

from ca.acme import dns01, http01, look, tlsalpn01
from ca.acme.change import Change
from ca.acme.jws import key_of_account
from ca.acme.models import AccountRow, AuthorizationRow, AuthorizationState
from ca.acme.parts import Parts, actor_of
from ca.acme.problems import problem
from ca.acme.reach import Reach
from ca.acme.settings import AcmeSettings
from yinxin.act import Outcome
from yinxin.errors import InternalError, Unavailable, YinxinError
from yinxin.store import Act, Sql
from yinxin.text import Text

_log = logging.getLogger("yinxin.ca")

VALIDATE = "ca.acme-validate"
FAILURES = Text("验证失败", "failed challenges")
_PROBES = {"http-01": http01.probe, "dns-01": dns01.probe, "tls-alpn-01": tlsalpn01.probe}
#: attempts taken up in one run of the job
_BATCH = 100


def lease(settings: AcmeSettings) -> int:
    """Seconds within which an attempt has ended, or its process is dead."""
    return 2 * settings.validation_timeout_seconds + 30


def attempt(parts: Parts, reach: Reach, id_: str) -> None:
    """Try the challenge of an authorization that is due to this process, and write down what came of it."""
    with parts.ctx.store.look() as within:
        row = look.authorization(within, id_)
        account = look.account(within, row.account) if row is not None else None
    if row is None or account is None:
        return
    if row.state != AuthorizationState.PENDING or row.challenge is None:
        return
    expected = f"{row.token}.{key_of_account(account).thumbprint}"
    try:
        _PROBES[row.challenge](reach, row.kind, row.name, row.token, expected)
    except Unavailable:
        raise  # ours, not the client's: it is tried again when the lease is out
    except YinxinError as error:
        _failed(parts, row, account, error)
    except Exception as error:  # noqa: BLE001 - a fault of ours must end as one attempt, or it would be tried for ever
        _log.exception("challenge of authorization %s could not be tried", id_, exc_info=error)
        _failed(parts, row, account, InternalError(request=id_))
    else:
        _held(parts, row, account)


def _held(parts: Parts, row: AuthorizationRow, account: AccountRow) -> None:
    now, days = parts.ctx.store.clock.now(), parts.settings.authorization_days
    expires = now + timedelta(days=days) if days else row.expires
    _write(parts, row, account, _HELD, {"now": now, "until": expires, "told": None})


def _failed(parts: Parts, row: AuthorizationRow, account: AccountRow, error: YinxinError) -> None:
    settings, now = parts.settings, parts.ctx.store.clock.now()
    wait = timedelta(seconds=settings.validation_wait_seconds * 2**row.attempts)
    again = row.attempts + 1 < settings.validation_attempts and now + wait < row.expires
    state = AuthorizationState.PENDING if again else AuthorizationState.INVALID
    values = {"became": state, "again": now + wait if again else None, "told": problem(error)}
    if not again:
        parts.limits.add(FAILURES, account.id, settings.failures_per_hour)
    _write(parts, row, account, _FAILED, values, failure=error.code)


def _write(
    parts: Parts,
    row: AuthorizationRow,
    account: AccountRow,
    result: Sql,
    values: Mapping[str, Any],
    *,
    failure: str | None = None,
) -> None:
    """The result, with those that are there at the same time, and unless another came first: the attempts counted so far are part of what is compared."""
    same = {"of": row.id, "counted": row.attempts, "count": row.attempts + 1}
    facts: dict[str, Any] = {"challenge": row.challenge, "attempt": row.attempts + 1}
    if failure is not None:
        facts["error"] = failure

    def make(act: Act) -> int:
        changed = result.run(act.connection, {**values, **same})
        act.facts |= {**facts, "changed": changed}
        return changed

    outcome = Outcome.FAILED if failure else Outcome.DONE
    change = Change(actor_of(account), VALIDATE, f"acme-authorization:{row.id}", make, outcome)
    given = parts.results.join(change)
    if isinstance(given, Exception):
        raise given
    if given is None:  # whoever wrote for several was cut off
        change.alone(parts.ctx.store)


_PROOF = cast("sa.Table", AuthorizationRow.__table__)
_RESULT = (
    sa.update(_PROOF)
    .where(
        _PROOF.c.id == sa.bindparam("of"),
        _PROOF.c.state == AuthorizationState.PENDING,
        _PROOF.c.attempts == sa.bindparam("counted"),
    )
    .values(attempts=sa.bindparam("count"), error=sa.bindparam("told"))
)
_HELD = Sql(
    _RESULT.values(
        state=AuthorizationState.VALID,
        validated=sa.bindparam("now"),
        expires=sa.bindparam("until"),
        due=None,
    )
)
_FAILED = Sql(_RESULT.values(state=sa.bindparam("became"), due=sa.bindparam("again")))


def take_over(parts: Parts) -> list[str]:
    """The challenges that are due, now due to this process: later attempts, and those whose process died."""
    now = parts.ctx.store.clock.now()
    due = sa.select(AuthorizationRow).where(
        AuthorizationRow.state == AuthorizationState.PENDING, AuthorizationRow.due <= now
    )
    with parts.ctx.store.read() as session:
        rows = list(session.scalars(due.order_by(AuthorizationRow.due).limit(_BATCH)))
        accounts = {row.account: session.get_one(AccountRow, row.account) for row in rows}
    return [row.id for row in rows if _claimed(parts, row, accounts[row.account])]


def _claimed(parts: Parts, row: AuthorizationRow, account: AccountRow) -> bool:
    later = parts.ctx.store.clock.now() + timedelta(seconds=lease(parts.settings))
    same = sa.update(AuthorizationRow).where(
        AuthorizationRow.id == row.id,
        AuthorizationRow.state == AuthorizationState.PENDING,
        AuthorizationRow.due == row.due,
    )
    subject = f"acme-authorization:{row.id}"
    with parts.ctx.store.act(actor_of(account), VALIDATE, subject, outcome=Outcome.INTENT) as act:
        done = act.session.execute(same.values(due=later))
        act.facts["changed"] = changed = done.rowcount  # type: ignore[attr-defined]
    return bool(changed)
