"""Orders (RFC 8555 7.4): made, looked at, and never left half done."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from ca.acme import authorization, look
from ca.acme.account import credential_of
from ca.acme.ari import predecessor
from ca.acme.change import Change
from ca.acme.errors import BadProfile, CutOff, Malformed, NoResource
from ca.acme.identifiers import identifiers, shown
from ca.acme.models import AuthorizationRow, AuthorizationState, OrderRow, OrderState
from ca.acme.parts import Answer, Asked, Parts, Urls, actor_of
from ca.acme.payload import instant, needed, nothing, text
from ca.acme.problems import problem
from ca.acme.standing import authorizations_of, of_order
from ca.enrolment import Credential
from ca.reconcile import abandon_reference
from yinxin.act import SYSTEM
from yinxin.clock import rfc3339
from yinxin.crypto.general_names import GeneralName
from yinxin.store import Act, Sql, Within, listed
from yinxin.text import Text

ORDER = "ca.acme-order"
FAIL = "ca.acme-fail-order"
#: what the certificate of an order is issued under
REFERENCE = "acme/"

_ATTEMPT = Text("下单", "new orders")
#: an authorization that ends sooner is not worth reusing
_LEAST = timedelta(hours=1)
#: seconds after which a client asks again
RETRY_AFTER = 1


def new(parts: Parts, asked: Asked) -> Change:
    """NewOrder: its making gives the answer. Raises CredentialEnded, Malformed, Rejected, BadProfile, Replaced, TooMany."""
    account, payload = asked.owner, needed(asked.payload)
    credential = credential_of(parts, account)
    names = identifiers(parts, credential, payload)
    profile = _profile(parts, credential, names, text(payload, "profile"))
    _own_validity(payload)
    replaced = text(payload, "replaces")
    replaces = predecessor(parts, account, names, replaced) if replaced else None
    parts.limits.count(_ATTEMPT, account.id, parts.settings.orders_per_hour)
    store = parts.ctx.store
    now, id_ = store.clock.now(), store.identifier()

    def make(act: Act) -> Answer:
        act.facts |= {"profile": profile, "names": [name for _, name in names]}
        act.decision = dict(credential.decision)
        proofs = _proofs(parts, act.connection, account.id, names, now)
        row = OrderRow(
            id=id_,
            account=account.id,
            state=OrderState.OPEN,
            profile=profile,
            names=[list(name) for name in names],
            authorizations=[each.id for each in proofs],
            replaces=replaces,
            created=now,
            expires=min(
                now + timedelta(hours=parts.settings.order_hours), *(each.expires for each in proofs)
            ),
        )
        _KEEP.run(act.connection, {name: getattr(row, name) for name in _NEW})
        body = _described(asked.urls, row, proofs, now)
        return Answer(body, 201, location=asked.urls.of("order", id_))

    return Change(actor_of(account), ORDER, f"acme-order:{id_}", make)


_NEW = (
    "id",
    "account",
    "state",
    "profile",
    "names",
    "authorizations",
    "replaces",
    "created",
    "expires",
)
_KEEP = Sql(sa.insert(cast("sa.Table", OrderRow.__table__)), *_NEW)


def _proofs(
    parts: Parts, within: Within, account: str, names: tuple[GeneralName, ...], now: datetime
) -> list[AuthorizationRow]:
    """An authorization for each name: one that is valid already, or else a new one."""
    found: dict[GeneralName, AuthorizationRow] = {}
    if parts.settings.authorization_days > 0:
        asked = {"of": account, "names": [name for _, name in names], "then": now + _LEAST}
        found = {(each.kind, each.name): each for each in _REUSABLE.all(within, asked)}
    made = {
        name: authorization.made(parts, account, name, now)
        for name in dict.fromkeys(names)
        if name not in found
    }
    authorization.keep(within, made.values())
    return [found.get(name) or made[name] for name in names]


_PROOF = cast("sa.Table", AuthorizationRow.__table__)
_REUSABLE = Sql(
    sa.select(_PROOF).where(
        _PROOF.c.account == sa.bindparam("of"),
        listed(_PROOF.c.name, "names"),
        _PROOF.c.state == AuthorizationState.VALID,
        _PROOF.c.expires > sa.bindparam("then"),
    )
)


def _profile(parts: Parts, credential: Credential, names: tuple[GeneralName, ...], wanted: str) -> str:
    """The profile that is asked for, or the first granted one that certifies such names; raises BadProfile."""
    usable = [name for name in credential.grant.profiles if parts.ctx.profiles[name].may_name(names)]
    if (wanted and wanted not in usable) or not usable:
        raise BadProfile(profile=wanted[:60] or "-", known=", ".join(usable) or "-")
    return wanted or usable[0]


def _own_validity(payload: Mapping[str, Any]) -> None:
    for field in ("notBefore", "notAfter"):
        if instant(payload, field) is not None:
            reason = Text(
                "有效期由证书模板决定，请省略", "the profile says how long certificates last: leave it out"
            )
            raise Malformed(field=field, reason=reason)


def show(parts: Parts, asked: Asked, id_: str) -> Answer:
    """The order; one whose processing was cut off has failed by now."""
    nothing(asked.payload)
    row, proofs = found(parts, asked, id_)
    if cut_off(parts, row):
        settle(parts, row.id)
        row, proofs = found(parts, asked, id_)
    return described(parts, asked.urls, row, proofs)


def found(parts: Parts, asked: Asked, id_: str) -> tuple[OrderRow, list[AuthorizationRow]]:
    """An order of the asking account; raises NoResource, also for another's."""
    with parts.ctx.store.look() as within:
        row = look.order(within, id_)
        if row is None or row.account != asked.owner.id:
            raise NoResource
        return row, authorizations_of(within, row)


def described(parts: Parts, urls: Urls, row: OrderRow, proofs: list[AuthorizationRow]) -> Answer:
    """The order as an answer."""
    now = parts.ctx.store.clock.now()
    body = _described(urls, row, proofs, now)
    waiting = body["status"] == OrderState.PROCESSING
    return Answer(body, location=urls.of("order", row.id), retry_after=RETRY_AFTER if waiting else None)


def _described(urls: Urls, row: OrderRow, proofs: list[AuthorizationRow], now: datetime) -> dict[str, Any]:
    status = of_order(row, proofs, now)
    body: dict[str, Any] = {
        "status": status,
        "expires": rfc3339(row.expires),
        "identifiers": [shown(name) for name in row.names],
        "profile": row.profile,
        "authorizations": [urls.of("authorization", each) for each in row.authorizations],
        "finalize": urls.of("order", row.id, "finalize"),
    }
    if row.replaces is not None:
        body["replaces"] = row.replaces
    if row.serial is not None:
        body["certificate"] = urls.of("certificate", row.serial)
    error = row.error or next(
        (each.error for each in proofs if each.state == AuthorizationState.INVALID), None
    )
    if status == "invalid" and error is not None:
        body["error"] = error
    return body


# --- nothing stays in processing -------------------------------------------------------------------------------


def cut_off(parts: Parts, row: OrderRow) -> bool:
    """Whether its processing must be over by now, whatever became of the process that did it."""
    horizon = parts.ctx.store.clock.now() - timedelta(seconds=parts.ctx.settings.intent_seconds)
    return row.state == OrderState.PROCESSING and row.begun is not None and row.begun <= horizon


def settle(parts: Parts, id_: str) -> None:
    """Let an order fail that was cut off, and revoke what may have been signed for it.

    Its certificate is stored in the same transaction that makes it valid, so one that is still processing has none;
    should its process be alive after all, it finds the order failed and hands nothing out.
    """
    fail(parts, id_, problem(CutOff()))
    abandon_reference(parts.ctx, SYSTEM, REFERENCE + id_)


def fail(parts: Parts, id_: str, error: Mapping[str, Any]) -> None:
    """From processing to invalid; nothing when it is elsewhere already."""
    processing = sa.update(OrderRow).where(OrderRow.id == id_, OrderRow.state == OrderState.PROCESSING)
    with parts.ctx.store.act(SYSTEM, FAIL, f"acme-order:{id_}", error=error["type"]) as act:
        done = act.session.execute(processing.values(state=OrderState.INVALID, error=dict(error)))
        act.facts["changed"] = done.rowcount  # type: ignore[attr-defined]


def settle_all(parts: Parts) -> None:
    """Let every order fail that was cut off; a job."""
    horizon = parts.ctx.store.clock.now() - timedelta(seconds=parts.ctx.settings.intent_seconds)
    query = sa.select(OrderRow.id).where(OrderRow.state == OrderState.PROCESSING, OrderRow.begun <= horizon)
    with parts.ctx.store.read() as session:
        ids = list(session.scalars(query))
    for id_ in ids:
        settle(parts, id_)
