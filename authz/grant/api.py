"""Grants over HTTP: the register, one grant, revoking one, and what can be granted.

A grant itself is proposed like every act that takes several people: `POST /proposals`, kind `authz.grant`.
"""

from flask import Blueprint
from pydantic import Field

from authz import errors as common
from authz.grant import errors
from authz.grant.records import Grant
from authz.service import Authz
from authz.version.rehearse import permit_reading
from yinxin.authz import PLATFORM, Denied
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, kit, page_of
from yinxin.wire import Model, Words


class GrantQuery(Paged):
    """Which grants, and which page."""

    under: str = Field(default="", max_length=64)
    """Over this organ and those below it, or `platform`; the own organ if left out."""
    holder: str = Field(default="", max_length=80)
    """Only of this holder: person:ID, post:ID, organ:ID or client:ID."""
    template: str = Field(default="", max_length=100)
    """Only of this template."""
    resource: str = Field(default="", max_length=120)
    """Only over this single thing, such as ServiceKey:hrss.records."""
    in_force: bool = False
    """Only those in force now."""


class GrantOut(Model):
    """A grant on record; `state` is `in-force`, `future`, `ended` or `revoked`. `resource`: over that thing alone."""

    id: str
    template: str
    holder: str
    organ: str
    resource: str | None = None
    state: str
    valid_from: str
    valid_to: str
    source: str
    granted_by: str
    granted_at: str
    proposal: str | None
    revoked_at: str | None
    revoked_by: str | None
    revoked_because: str | None


class RevocationIn(Model):
    """Why it is revoked."""

    reason: str = Field(min_length=1, max_length=400)


class TemplateOut(Model):
    """What can be granted, in words, and the acts it opens."""

    id: str
    text: Words
    actions: list[str]


class TemplatesOut(Model):
    """The templates of the policies in force."""

    items: list[TemplateOut]


def routes(authz: Authz) -> tuple[Blueprint, ...]:
    """The operations on grants."""
    api = Api("authz_grants", "/api/authz/v1", Text("授权登记", "Grants"))

    @api.get("/grants", problems=(Denied, common.UnknownOrgan), summary=Text("授权登记", "The grants"))
    def grants(query: GrantQuery, caller: Caller) -> Page[GrantOut]:
        now = kit().clock.now()
        found = authz.grants.listed_for(
            caller.actor,
            under=query.under or caller.actor.organ or PLATFORM,
            holding=query.holder or None,
            template=query.template or None,
            resource=query.resource or None,
            at=now if query.in_force else None,
            after=query.begin(str) or "",
            limit=query.limit + 1,
        )
        return page_of(found, query.limit, key=lambda each: each.id, show=_told)

    @api.get("/grants/<id>", problems=(errors.UnknownGrant,), summary=Text("一项授权", "One grant"))
    def grant(id: str, caller: Caller) -> GrantOut:  # noqa: A002 - the field's name
        return _told(authz.grants.grant_for(caller.actor, id))

    @api.post(
        "/grants/<id>/revocation",
        problems=(Denied, errors.UnknownGrant, errors.GrantOver),
        summary=Text("撤销授权，立即生效", "Revoke a grant, at once"),
    )
    def revoke_grant(id: str, body: RevocationIn, caller: Caller) -> GrantOut:  # noqa: A002 - the field's name
        return _told(authz.grants.revoke(caller.actor, id, body.reason))

    @api.get("/grant-templates", problems=(Denied,), summary=Text("可以授予的模板", "What can be granted"))
    def grant_templates(caller: Caller) -> TemplatesOut:
        permit_reading(authz.decisions, caller.actor)
        found = authz.decisions.policies.templates.values()
        return TemplatesOut(
            items=[
                TemplateOut(id=each.id, text=Words.of(each.text), actions=sorted(each.actions))
                for each in found
            ]
        )

    return (api.blueprint,)


def _told(grant: Grant) -> GrantOut:
    return GrantOut(
        **grant.link(),
        state=grant.state(kit().clock.now()),
        valid_from=rfc3339(grant.valid_from),
        valid_to=rfc3339(grant.valid_to),
        source=grant.source,
        granted_by=grant.granted_by,
        granted_at=rfc3339(grant.granted_at),
        proposal=grant.proposal,
        revoked_at=rfc3339(grant.revoked_at) if grant.revoked_at else None,
        revoked_by=grant.revoked_by,
        revoked_because=grant.revoked_because,
    )
