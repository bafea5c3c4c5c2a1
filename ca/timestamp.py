"""The timestamp authority (RFC 3161) of every suite: the injected clock's time, never behind the last one told.

A token's serial number is 128 random bits: it is never looked up or revoked, so a table of them would only cost a
write; two alike among 2^32 tokens have a chance below 2^-64. What is kept is the record of every token in the log.
"""

import logging
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.clock import watch
from ca.context import Context
from ca.errors import ClockUncertain, ClockWentBack
from ca.models import TimestampClock
from ca.services import Service, service
from yinxin.act import STRANGER, Actor
from yinxin.clock import rfc3339
from yinxin.crypto.errors import TimestampRefused
from yinxin.crypto.suite import suite
from yinxin.crypto.timestamps import TimestampRequest, build_rejection, build_response
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Sql

_log = logging.getLogger("yinxin.ca")

VERB = "ca.timestamp"
#: the stored clock is moved on at most this often, so that tokens do not queue for one row
_TICK = timedelta(seconds=1)
_CLOCK = cast("sa.Table", TimestampClock.__table__).c
_LAST = Sql(sa.select(_CLOCK.last).where(_CLOCK.suite == sa.bindparam("suite")))


def unit(ctx: Context, suite_name: str) -> Service:
    """The unit that stamps for a suite now; raises UnknownAuthority, StatusUnavailable."""
    return service(ctx, "tsa", ctx.issuers.get(f"{suite_name}-issuing"))


def stamp(
    ctx: Context,
    suite_name: str,
    encoded: bytes,
    actor: Actor = STRANGER,
    found: Service | None = None,
) -> bytes:
    """A TimeStampResp for a TimeStampReq, both DER; raises UnknownSuite. `found` is the unit, for whoever has just looked for it.

    Every other failure is a rejection, recorded unless too many came within the minute: nobody signs in here.
    """
    suite(suite_name)
    try:
        return _stamp(ctx, suite_name, encoded, actor, found)
    except TimestampRefused as error:
        ctx.rejections.record(actor, VERB, f"timestamp:{suite_name}", error)
        return build_rejection(error.facts["failure"])
    except (ClockWentBack, ClockUncertain) as error:
        _log.critical("%s", error)
        ctx.rejections.record(actor, VERB, f"timestamp:{suite_name}", error)
        return build_rejection("timeNotAvailable")
    except YinxinError as error:
        _log.exception("a timestamp could not be issued")
        ctx.rejections.record(actor, VERB, f"timestamp:{suite_name}", error)
        return build_rejection("systemFailure")


def _stamp(ctx: Context, suite_name: str, encoded: bytes, actor: Actor, found: Service | None) -> bytes:
    if len(encoded) > ctx.settings.most_request_bytes:
        raise TimestampRefused(failure="badDataFormat")
    # 1. the request is good, the unit has a certificate, the clock is vouched for and has not gone back
    asked = TimestampRequest.load(encoded)
    by = found or unit(ctx, suite_name)
    now = ctx.store.clock.now()
    watch(ctx.settings).check(now)
    tolerance = timedelta(seconds=ctx.settings.tsa_accuracy_seconds)
    with ctx.store.look() as look:
        last = _LAST.first(look, {"suite": suite_name})
    told = None if last is None else last.last
    _forwards(told, now, tolerance)
    # 2. signed
    serial = int.from_bytes(ctx.store.randomness.token(16)) | 1
    response = build_response(
        encoded,
        signer=by.signer,
        certificate=by.certificate,
        chain=by.chain,
        policy=ctx.settings.tsa_policy,
        serial=serial,
        at=now,
        accuracy=tolerance,
    )
    step("ca.timestamp.2-signed")
    # 3. recorded; only then handed out
    with ctx.store.act(actor, VERB, f"timestamp:{serial:x}") as act:
        act.facts |= {"suite": suite_name, "hash": asked.hash.name, "imprint": asked.digest.hex()}
        act.facts["at"] = rfc3339(now)
        # it is never moved back, so what was told so lately has not become older since
        if told is None or now - told >= _TICK:
            _move_on(act.session, suite_name, now)
    return response


def _forwards(told: datetime | None, now: datetime, tolerance: timedelta) -> None:
    if told is not None and now < told - tolerance:
        raise ClockWentBack(now=rfc3339(now), last=rfc3339(told))


def _move_on(session: Session, suite_name: str, now: datetime) -> None:
    clock = session.get(TimestampClock, suite_name)
    if clock is None:
        session.add(TimestampClock(suite=suite_name, last=now))
    elif now - clock.last >= _TICK:
        later = sa.update(TimestampClock).where(TimestampClock.suite == suite_name, TimestampClock.last < now)
        session.execute(later.values(last=now))
