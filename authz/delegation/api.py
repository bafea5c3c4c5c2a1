"""Delegations over HTTP: the statement to sign, the signature back, lists, ends, and acting by one."""

from typing import Annotated

from pydantic import Field

from authz import errors
from authz.delegation import Delegation, Wish
from authz.delegation import errors as refused
from authz.service import Authz
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.crypto.errors import BadSignature, DigestMismatch, MalformedSignature
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model, Octets, base64_text

_REFUSALS = (
    Denied,
    refused.DelegationWindow,
    refused.DelegationToOneself,
    errors.UnknownAction,
)


class StatementOut(Model):
    """What to sign (base64)."""

    statement: str


class SignedIn(Model):
    """The statement as it was given, and the detached CMS signature over it (DER in base64)."""

    statement: Annotated[Octets, Field(max_length=65536)]
    signature: Annotated[Octets, Field(max_length=65536)]


class DelegationOut(Model):
    """A delegation; `actions` are what it is limited to, absent when it is not."""

    id: str
    post: str
    delegator: str
    delegate: str
    valid_from: str
    valid_to: str
    actions: list[str] | None
    given: str
    ended_at: str | None
    ended: str | None


class SignedOut(Model):
    """What a delegator signed, and the detached CMS signature over it (DER); both in base64."""

    id: str
    statement: str
    signature: str


class UnderOut(Model):
    """By which delegation the caller acts in the post she is in; null for who holds it otherwise."""

    delegation: SignedOut | None


class ActingOut(Model):
    """A further session, in the delegated post: its token, shown once."""

    token: str
    post: str
    organ: str


def add_delegations(api: Api, authz: Authz) -> None:
    """Declare the operations."""

    @api.post(
        "/delegations/statements",
        repeatable=True,
        problems=_REFUSALS,
        summary=Text("取得授权代行的待签声明", "Get a delegation's statement to sign"),
    )
    def delegation_statement(body: Wish, caller: Caller) -> StatementOut:
        return StatementOut(statement=base64_text(authz.delegations.statement(caller.actor, body)))

    @api.post(
        "/delegations",
        status=201,
        problems=(
            *_REFUSALS,
            refused.DelegationStatementWrong,
            refused.DelegationTooLong,
            errors.UnknownPerson,
            errors.PowersMeet,
            BadSignature,
            DigestMismatch,
            MalformedSignature,
        ),
        summary=Text("授权代行", "Delegate the own post"),
    )
    def delegate(body: SignedIn, caller: Caller) -> DelegationOut:
        return _told(authz.delegations.give(caller.actor, body.statement, body.signature))

    @api.get("/delegations", summary=Text("本人给出和得到的授权代行", "The delegations one gave or got"))
    def delegations(query: Paged, caller: Caller) -> Page[DelegationOut]:
        after = query.begin(str) or ""
        found = authz.delegations.of(caller.actor.id, after=after, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.id, show=_told)

    @api.get(
        "/delegations/current",
        summary=Text("本次会话所凭的授权代行", "The delegation that one acts by in this session"),
    )
    def current_delegation(caller: Caller) -> UnderOut:
        found = authz.delegations.under(caller.actor)
        if found is None:
            return UnderOut(delegation=None)
        statement, signature = base64_text(found.statement), base64_text(found.signature)
        return UnderOut(delegation=SignedOut(id=found.id, statement=statement, signature=signature))

    @api.post(
        "/delegations/<id>/end",
        problems=(Denied, refused.UnknownDelegation, refused.DelegationOver),
        summary=Text("终止授权代行", "End a delegation"),
    )
    def end_delegation(id: str, caller: Caller) -> DelegationOut:  # noqa: A002 - the field's name
        return _told(authz.delegations.end(caller.actor, id))

    @api.post(
        "/delegations/<id>/session",
        status=201,
        problems=(refused.UnknownDelegation, refused.DelegationOver, errors.NoAppointment),
        secret=Text(
            "登录令牌只给出一次，请以新的幂等键再次以代行身份登录",
            "a session's token is given once: open another session by the delegation under a new key",
        ),
        summary=Text("以代行身份登录", "Act by a delegation"),
    )
    def act_for(id: str, caller: Caller) -> ActingOut:  # noqa: A002 - the field's name
        held = authz.delegations.held(caller.actor, id)
        token, acting = authz.sessions.act_for(caller, held.post, held.id)
        return ActingOut(token=token, post=held.post, organ=acting.actor.organ or "")


def _told(each: Delegation) -> DelegationOut:
    return DelegationOut(
        id=each.id,
        post=each.post,
        delegator=each.delegator,
        delegate=each.delegate,
        valid_from=rfc3339(each.valid_from),
        valid_to=rfc3339(each.valid_to),
        actions=None if each.actions is None else list(each.actions),
        given=rfc3339(each.given),
        ended_at=rfc3339(each.ended_at) if each.ended_at else None,
        ended=each.ended,
    )
