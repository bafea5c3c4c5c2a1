"""The tenants of the installation: who they are and how much is theirs; proposing that an organ become one, and that one end."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, redirect, render_template, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from authz.tenant import Tenant
from authz.tenant.records import MARK_TEXT
from ops.console.export import csv_file
from yinxin.clock import rfc3339
from yinxin.web import Caller, Paged, Pages, current_caller, page_of, reader_language
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.service import Authz
    from ops.platform import Platform

PAGE, FOUND = 50, 30
OFFICER = "security-officer"
COLUMNS = (
    "organ",
    "name_zh",
    "name_en",
    "host",
    "since",
    "ended",
    "organs",
    "people",
    "documents",
    "octets",
    "acted",
)
_STEP, _UNITS = 1024, ("B", "KiB", "MiB", "GiB", "TiB")


class Look(Paged):
    """Which tenants: those that are, or those that were."""

    state: Literal["", "ended"] = ""


class NewTenant(Model):
    """The form: which organ, in which colour, and why."""

    organ: str = Field(min_length=1, max_length=64)
    mark: Literal["crimson", "jade", "indigo", "plum", "slate", "ochre"] = "indigo"
    reason: str = Field(min_length=1, max_length=2000)
    basis: str = Field(default="", max_length=2000)


class Ending(Model):
    """Why it shall be one no longer."""

    reason: str = Field(min_length=1, max_length=2000)
    basis: str = Field(default="", max_length=2000)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform.authz)
    _add_deciding(pages, platform.authz)


def _add_looking(pages: Pages, authz: "Authz") -> None:
    @pages.get("/console/tenants")
    def tenant_list(query: Look, caller: Caller) -> str:
        found = authz.tenants.listed_for(
            caller.actor, ended=bool(query.state), after=query.begin(str) or "", limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda each: each.organ, show=lambda each: each.organ)
        return render_template(
            "console/tenants.html",
            rows=found[:PAGE],
            following=page.next,
            marks=MARK_TEXT,
            size=size,
            may_admit=OFFICER in caller.roles and caller.tenant is None,
            may_end=OFFICER in caller.roles and caller.tenant is not None,
        )

    @pages.get("/console/tenants.csv")
    def tenants_export(query: Look, caller: Caller) -> Response:
        """Every tenant that matches."""
        first = authz.tenants.listed_for(caller.actor, ended=bool(query.state))

        def rows() -> Iterator[dict[str, Any]]:
            page = first
            while page:
                yield from map(_line, page)
                page = authz.tenants.listed_for(caller.actor, ended=bool(query.state), after=page[-1].organ)

        return csv_file("tenants.csv", rows(), COLUMNS)


def _add_deciding(pages: Pages, authz: "Authz") -> None:
    def choices() -> Mapping[str, Any]:
        authz.tenants.listed_for(current_caller().actor, limit=1)  # who may not see them has no form either
        language = reader_language()
        return {
            "organs": _organs(authz, current_caller(), request.values.get("find_organ", "").strip()),
            "marks": [(name, getattr(text, language)) for name, text in MARK_TEXT.items()],
        }

    @pages.form("/console/tenants/new", "console/tenant_new.html", context=choices)
    def tenant_new(body: NewTenant, caller: Caller) -> BaseResponse:
        content = {"organ": body.organ, "mark": body.mark}
        made = authz.proposals.propose(
            caller.actor, "authz.admit-tenant", content, reason=body.reason, basis=body.basis
        )
        return redirect(url_for("console.proposal", proposal=made.row.id), 303)

    def tenant(id: str) -> Mapping[str, Any]:  # noqa: A002 - the field's name
        return {"tenant": authz.tenants.shown_for(current_caller().actor, id)}

    @pages.form("/console/tenants/<id>/end", "console/tenant_end.html", context=tenant)
    def tenant_end(id: str, body: Ending, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        made = authz.proposals.propose(
            caller.actor, "authz.end-tenant", {"organ": id}, reason=body.reason, basis=body.basis
        )
        return redirect(url_for("console.proposal", proposal=made.row.id), 303)


def size(octets: int) -> str:
    """So many octets as people read them."""
    number, unit = float(octets), 0
    while number >= _STEP and unit < len(_UNITS) - 1:
        number, unit = number / _STEP, unit + 1
    return f"{number:.0f} {_UNITS[unit]}" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


def _organs(authz: "Authz", caller: Caller, text: str) -> list[tuple[str, str]]:
    """Organs below the own one that the search is for, and that are no tenant's yet."""
    chosen, language = request.values.get("organ", ""), reader_language()
    found = authz.directory.organs(under=caller.actor.organ, name=text or None, status="active", limit=FOUND)
    options = {
        each.id: str(getattr(each.name, language))
        for each in found
        if each.tenant is None and each.id != caller.actor.organ
    }
    if chosen and chosen not in options:
        options[chosen] = chosen
    return list(options.items())


def _line(each: Tenant) -> dict[str, Any]:
    return {
        "organ": each.organ,
        "name_zh": each.name.zh,
        "name_en": each.name.en,
        "host": each.host or "",
        "since": rfc3339(each.since),
        "ended": rfc3339(each.ended) if each.ended else "",
        "organs": each.organs,
        "people": each.people,
        "documents": each.more.get("documents", 0),
        "octets": each.more.get("octets", 0),
        "acted": rfc3339(each.acted) if each.acted else "",
    }
