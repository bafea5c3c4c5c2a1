"""Tenants over HTTP: the list with figures, and one.

To make one, to change its quotas and to end it is proposed like every act that takes several people: `POST /proposals`, kinds
`authz.admit-tenant`, `authz.limit-tenant` and `authz.end-tenant`.
"""

from flask import Blueprint

from authz.service import Authz
from authz.tenant.errors import NoTenant
from authz.tenant.records import State, Tenant
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.quota import Measure
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model, Words


class TenantQuery(Paged):
    """Which tenants, and which page."""

    ended: bool = False
    """Those that were, in place of those that are."""


class QuotaOut(Model):
    """What was agreed of one measure and how much of it is used; `state` is free, near (from nine tenths on) or full."""

    measure: Measure
    used: int
    most: int
    state: State


class TenantOut(Model):
    """A tenant with its figures: organs, people in post, documents, octets of files; `acted` is the last act for it.

    `quotas` are what it may have at most; what has no limit is not among them.
    """

    organ: str
    name: Words
    host: str | None
    mark: str
    since: str
    proposal: str
    ended: str | None
    organs: int
    people: int
    documents: int
    documents_this_year: int
    octets: int
    acted: str | None
    quotas: tuple[QuotaOut, ...]


def routes(authz: Authz) -> tuple[Blueprint, ...]:
    """The operations on tenants."""
    api = Api("authz_tenants", "/api/authz/v1", Text("租户", "Tenants"))

    @api.get("/tenants", problems=(Denied,), summary=Text("租户清单", "The tenants"))
    def tenants(query: TenantQuery, caller: Caller) -> Page[TenantOut]:
        found = authz.tenants.listed_for(
            caller.actor, ended=query.ended, after=query.begin(str) or "", limit=query.limit + 1
        )
        return page_of(found, query.limit, key=lambda each: each.place, show=_out)

    @api.get("/tenants/<organ>", problems=(Denied, NoTenant), summary=Text("查看租户", "One tenant"))
    def tenant(organ: str, caller: Caller) -> TenantOut:
        return _out(authz.tenants.shown_for(caller.actor, organ))

    return (api.blueprint,)


def _out(tenant: Tenant) -> TenantOut:
    return TenantOut(
        organ=tenant.organ,
        name=Words.of(tenant.name),
        host=tenant.host,
        mark=tenant.mark,
        since=rfc3339(tenant.since),
        proposal=tenant.proposal,
        ended=rfc3339(tenant.ended) if tenant.ended else None,
        organs=tenant.organs,
        people=tenant.people,
        documents=tenant.more.get("documents", 0),
        octets=tenant.more.get("octets", 0),
        acted=rfc3339(tenant.acted) if tenant.acted else None,
        documents_this_year=tenant.more.get("documents_this_year", 0),
        quotas=tuple(
            QuotaOut(measure=each.measure, used=each.used, most=each.most, state=each.state)
            for each in tenant.quotas
        ),
    )
