"""Grants: the register, one grant, proposing one from a template, and revoking one."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, redirect, render_template, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from authz.grant import Grant, Wanted
from authz.version.rehearse import permit_reading
from ops.console.export import csv_file
from ops.console.show import VERBS
from yinxin.authz import PLATFORM, Resource
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, current_caller, page_of, reader_language
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.service import Authz
    from ops.platform import Platform

PAGE = 50
#: matches that a search for a holder or an organ shows of each kind
FOUND = 20
STATES: Mapping[str, tuple[Text, str]] = {
    "in-force": (Text("现行", "in force"), "done"),
    "future": (Text("尚未开始", "not yet begun"), "waiting"),
    "ended": (Text("已到期", "ended"), "neutral"),
    "revoked": (Text("已撤销", "revoked"), "refused"),
}
KINDS: Mapping[str, Text] = {
    "person": Text("人员", "person"),
    "post": Text("岗位", "post"),
    "organ": Text("机关", "organ"),
    "client": Text("系统", "system"),
}
COLUMNS = (
    "id",
    "template",
    "holder",
    "organ",
    "resource",
    "state",
    "valid_from",
    "valid_to",
    "source",
    "granted_by",
    "proposal",
    "revoked_at",
    "revoked_by",
    "revoked_because",
)


class Look(Paged):
    """Which grants; a field left empty is anything, and no organ is the own one."""

    under: str = Field(default="", max_length=64)
    holder: str = Field(default="", max_length=80)
    template: str = Field(default="", max_length=100)
    resource: str = Field(default="", max_length=120)
    state: Literal["", "in-force"] = ""


class NewGrant(Model):
    """What shall be opened to whom; the two searches narrow the choices and mean nothing for the grant."""

    template: str = Field(min_length=1, max_length=100)
    holder: str = Field(min_length=1, max_length=80)
    organ: str = Field(min_length=1, max_length=64)
    resource: str | None = Field(default=None, max_length=120)
    days: int = Field(ge=1, le=3660)
    source: str = Field(min_length=1, max_length=400)
    reason: str = Field(min_length=8, max_length=2000)
    find_holder: str = ""
    find_organ: str = ""


class Revocation(Model):
    """Why it is revoked."""

    reason: str = Field(min_length=1, max_length=400)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform.authz)
    _add_giving(pages, platform.authz)
    _add_revoking(pages, platform.authz)


def _add_looking(pages: Pages, authz: "Authz") -> None:
    def rows(caller: Caller, query: Look, after: str, limit: int) -> tuple[Grant, ...]:
        return authz.grants.listed_for(
            caller.actor,
            under=query.under or caller.actor.organ or PLATFORM,
            holding=query.holder or None,
            template=query.template or None,
            resource=query.resource or None,
            at=authz.store.clock.now() if query.state else None,
            after=after,
            limit=limit,
        )

    @pages.get("/console/grants")
    def grants(query: Look, caller: Caller) -> str:
        found = rows(caller, query, query.begin(str) or "", PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        under = query.under or caller.actor.organ or PLATFORM
        return render_template(
            "console/grants.html",
            rows=found[:PAGE],
            following=page.next,
            under=under,
            now=authz.store.clock.now(),
            states=STATES,
            kinds=KINDS,
            templates=authz.decisions.policies.templates,
            may_give=_may(authz, caller, "authz.grant", under),
        )

    @pages.get("/console/grants.csv")
    def grants_export(query: Look, caller: Caller) -> Response:
        """Every grant that matches."""
        now, first = authz.store.clock.now(), rows(caller, query, "", 200)

        def told() -> Iterator[dict[str, Any]]:
            page = first
            while page:
                yield from (_line(each, now) for each in page)
                page = rows(caller, query, page[-1].id, 200) if len(page) == 200 else ()

        return csv_file("grants.csv", told(), COLUMNS)

    @pages.get("/console/grants/<id>")
    def grant(id: str, caller: Caller) -> str:  # noqa: A002 - the field's name
        found = authz.grants.grant_for(caller.actor, id)
        now = authz.store.clock.now()
        return render_template(
            "console/grant.html",
            grant=found,
            state=STATES[found.state(now)],
            kinds=KINDS,
            template=authz.decisions.policies.templates.get(found.template),
            verbs=VERBS,
            may_revoke=found.state(now) in ("in-force", "future")
            and _may(authz, caller, "authz.revoke-grant", found.organ),
        )


def _add_giving(pages: Pages, authz: "Authz") -> None:
    def context() -> Mapping[str, Any]:
        actor = current_caller().actor
        permit_reading(authz.decisions, actor)
        return {
            "templates": [
                (each.id, getattr(each.text, reader_language()))
                for each in authz.decisions.policies.templates.values()
            ],
            "holders": _holders(authz, request.values.get("find_holder", "").strip()),
            "organs": _organs(authz, actor.organ or "", request.values.get("find_organ", "").strip()),
        }

    @pages.form("/console/grants/new", "console/grant_new.html", context=context)
    def grant_new(body: NewGrant, caller: Caller) -> BaseResponse:
        now = authz.store.clock.now()
        until = now + timedelta(days=body.days)
        wanted = Wanted(body.template, body.holder, body.organ, now, until, body.source, body.resource)
        authz.grants.sound(wanted)
        made = authz.proposals.propose(caller.actor, "authz.grant", wanted.fields(), reason=body.reason)
        return redirect(url_for("console.proposal", proposal=made.row.id), 303)


def _add_revoking(pages: Pages, authz: "Authz") -> None:
    def context(id: str) -> Mapping[str, Any]:  # noqa: A002 - the field's name
        return {"grant": authz.grants.grant_for(current_caller().actor, id), "kinds": KINDS}

    @pages.form("/console/grants/<id>/revocation", "console/grant_revoke.html", context=context)
    def grant_revoke(id: str, body: Revocation, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        authz.grants.revoke(caller.actor, id, body.reason)
        return redirect(url_for("console.grant", id=id), 303)


def _holders(authz: "Authz", text: str) -> list[tuple[str, str]]:
    """The holders that the search is for; one that was chosen before stays."""
    chosen = request.values.get("holder", "")
    found = authz.directory.find(text, limit=FOUND) if text else ()
    language = reader_language()
    options: dict[str, str] = {}
    for each in found:
        words = f"{getattr(KINDS[each.kind], language)} · {getattr(each.name, language)}"
        if each.organ is not None:
            words += f"（{getattr(authz.directory.organ(each.organ).name, language)}）"
        options[f"{each.kind}:{each.id}"] = f"{words} · {each.id}"
    for system in authz.oidc.clients.named(text, limit=FOUND) if text else ():
        words = f"{getattr(KINDS['client'], language)} · {getattr(system.registration.name, language)}"
        options[f"client:{system.id}"] = f"{words} · {system.id}"
    if chosen and chosen not in options:
        options[chosen] = chosen
    return list(options.items())


def _organs(authz: "Authz", own: str, text: str) -> list[tuple[str, str]]:
    """The organs that the search is for, at or below the own one; without a search those nearest to it."""
    chosen, language = request.values.get("organ", ""), reader_language()
    found = authz.directory.organs(under=own or None, name=text or None, status="active", limit=FOUND)
    options = {each.id: str(getattr(each.name, language)) for each in found}
    if chosen and chosen not in options:
        options[chosen] = chosen
    options[PLATFORM] = getattr(Text("平台自身", "the platform itself"), language)
    return list(options.items())


def _may(authz: "Authz", caller: Caller, verb: str, organ: str) -> bool:
    return authz.decisions.check(caller.actor, verb, Resource("Grant", "*", organ)).allowed


def _line(each: Grant, now: Any) -> dict[str, Any]:
    return {
        "resource": "",
        **each.link(),
        "state": each.state(now),
        "valid_from": rfc3339(each.valid_from),
        "valid_to": rfc3339(each.valid_to),
        "source": each.source,
        "granted_by": each.granted_by,
        "proposal": each.proposal or "",
        "revoked_at": rfc3339(each.revoked_at) if each.revoked_at else "",
        "revoked_by": each.revoked_by or "",
        "revoked_because": each.revoked_because or "",
    }
