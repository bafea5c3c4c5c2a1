"""Finalization (RFC 8555 7.4): one order, one certificate, whoever asks however often.

1. The request is held against order, credential and profile; what is wrong with it leaves the order as it was.
2. The order goes from ready to processing by compare-and-swap: of many who ask at once, one goes on.
3. The certificate is issued under the order's reference. The transaction that stores it makes the order valid, and
   stores nothing if the order is no longer processing.
4. What fails makes the order invalid; what dies is made invalid by whoever looks next (`order.settle`).
"""

from dataclasses import dataclass
from functools import partial
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from ca.acme.account import credential_of
from ca.acme.change import Change
from ca.acme.errors import AcmeError, BadRequest, CredentialEnded, CutOff, NotReady, Replaced
from ca.acme.models import OrderRow, OrderState
from ca.acme.order import REFERENCE, described, fail, found
from ca.acme.parts import Answer, Asked, Parts, actor_of
from ca.acme.payload import needed, text
from ca.acme.problems import problem
from ca.acme.standing import authorizations_of, of_order
from ca.enrolment import Credential
from ca.enrolment.errors import CredentialRefused, CredentialSpent
from ca.errors import IntentLost
from ca.issue import Also, Issued, issue_wanted
from ca.issue import Asked as Wanted
from ca.request import Application, application_of
from yinxin.act import Outcome
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.jose import decode64
from yinxin.errors import InternalError, Unavailable, YinxinError
from yinxin.steps import step
from yinxin.store import Act, Sql
from yinxin.text import Text

FINALIZE = "ca.acme-finalize"


def finalize(parts: Parts, asked: Asked, id_: str) -> Answer:
    """The order, valid. Raises NotReady, BadRequest, CredentialEnded, Replaced, and what issuance raises."""
    fitting = fit(parts, asked, id_)
    fitting.claim.alone(parts.ctx.store)
    wanted = fitting.claimed(parts)
    # 3. the certificate, and with it the order
    try:
        issued: Issued | Exception = issue_wanted(parts.ctx, wanted.actor, wanted.wanted)
    except Exception as error:  # noqa: BLE001 - whatever it was, the order ends with it
        issued = error
    return ended(parts, asked, issued, id_)


@dataclass(frozen=True, slots=True)
class Fitting:
    """A request that fits its order: how the order becomes its own alone, and what may be issued then."""

    row: OrderRow
    credential: Credential
    application: Application
    claim: Change

    def claimed(self, parts: Parts) -> Wanted:
        """The certificate, and with it the order that was claimed."""
        step("ca.acme-finalize.2-claimed")
        id_, profile = self.row.id, self.row.profile
        reference, also = REFERENCE + id_, _concluded(id_)
        try:
            return parts.enrolment.wanted(
                self.credential, reference, self.application, profile=profile, also=also
            )
        except Exception as error:
            raise failed(parts, id_, error) from error


def fit(parts: Parts, asked: Asked, id_: str) -> Fitting:
    """Step one, and how step two is taken; raises NotReady, BadRequest, CredentialEnded.

    The claim raises NotReady, and Replaced when another order was first to replace.
    """
    # 1. the request fits
    csr = text(needed(asked.payload), "csr")
    row, proofs = found(parts, asked, id_)
    status = of_order(row, proofs, parts.ctx.store.clock.now())
    if status != "ready":
        raise NotReady(status=status)
    credential = credential_of(parts, asked.owner)
    application = _fitting(parts, asked, row, csr, credential)
    # 2. the order is this request's alone
    claim = Change(
        actor_of(asked.owner),
        FINALIZE,
        f"acme-order:{row.id}",
        partial(_claimed, parts, row),
        outcome=Outcome.INTENT,
        taken=partial(Replaced, certificate=row.replaces),
    )
    return Fitting(row, credential, application, claim)


def failed(parts: Parts, id_: str, error: Exception) -> Exception:
    """What is to be raised for an issuance that ended in `error`; its order has failed with it."""
    told = _told(error) if isinstance(error, YinxinError) else error
    fail(parts, id_, problem(told if isinstance(told, YinxinError) else InternalError(request=id_)))
    return told


def ended(parts: Parts, asked: Asked, issued: Issued | Exception, id_: str) -> Answer:
    """The order, after an issuance that gave the certificate; raises what is told of another."""
    if isinstance(issued, Exception):
        raise failed(parts, id_, issued) from issued
    step("ca.acme-finalize.3-issued")
    return described(parts, asked.urls, *found(parts, asked, id_))


def _fitting(parts: Parts, asked: Asked, row: OrderRow, csr: str, credential: Credential) -> Application:
    """What the request asks for, if it is exactly what was ordered; raises BadRequest, CredentialEnded."""
    try:
        application = application_of(decode64(csr, "csr"), parts.ctx.settings)
    except YinxinError as error:
        raise BadRequest(reason=error) from error
    names = tuple((kind, name) for kind, name in row.names)
    ordered = set(names)
    asked_for = {(kind, name.lower()) for kind, name in application.san}
    common = (application.subject.common_name or "").lower()
    asked_for |= {name for name in ordered if name[1] == common}
    if asked_for != ordered or common not in {"", *(name for _, name in names)}:
        listed = ", ".join(name for _, name in row.names[:8])
        raise BadRequest(
            reason=Text(
                f"其中的名称须与订单完全一致（{listed}）", f"its names must be the order's ({listed})"
            )
        )
    if application.public_key == asked.key.key:
        reason = Text("账户密钥不能用作证书密钥", "the account's key must not be certified")
        raise BadRequest(reason=reason)
    complete = Application(application.public_key, application.subject, names)
    try:
        parts.enrolment.examine(credential, complete, profile=row.profile)
    except Unavailable:
        raise
    except YinxinError as error:
        raise _told(error) from error
    return complete


def _claimed(parts: Parts, row: OrderRow, act: Act) -> None:
    """From ready to processing, once; raises NotReady."""
    now = parts.ctx.store.clock.now()
    done = _CLAIM.run(act.connection, {"of": row.id, "now": now})
    proofs = authorizations_of(act.connection, row)
    # a proof may have been withdrawn since it was looked at
    status = of_order(row, proofs, now)
    if done != 1 or status != "ready":
        raise NotReady(status="processing" if status == "ready" else status)


def _concluded(id_: str) -> Also:
    """The order becomes valid with its certificate, or there is no certificate."""

    def conclude(session: Session, certificate: Certificate) -> None:
        made = {"of": id_, "number": f"{certificate.serial:x}"}
        if _CONCLUDE.run(session, made) != 1:
            raise CutOff

    return conclude


_ORDER = cast("sa.Table", OrderRow.__table__)
_OF = sa.update(_ORDER).where(_ORDER.c.id == sa.bindparam("of"))
_CLAIM = Sql(
    _OF.where(_ORDER.c.state == OrderState.OPEN).values(
        state=OrderState.PROCESSING, begun=sa.bindparam("now")
    )
)
_CONCLUDE = Sql(
    _OF.where(_ORDER.c.state == OrderState.PROCESSING).values(
        state=OrderState.VALID, serial=sa.bindparam("number")
    )
)


def _told(error: YinxinError) -> YinxinError:
    """What the client is told of a failed issuance."""
    if isinstance(error, AcmeError | Unavailable):
        return error
    if isinstance(error, CredentialRefused | CredentialSpent):
        return CredentialEnded()
    if isinstance(error, IntentLost):
        return CutOff()
    return BadRequest(reason=error) if error.status < 500 else error
