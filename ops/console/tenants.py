"""The tenants of the installation: who they are and how much is theirs; proposing that one be made, its quotas be changed, and that it end."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, redirect, render_template, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from authz.tenant import Tenant
from authz.tenant.proposal import MOST, MOST_OCTETS
from authz.tenant.records import MARK_TEXT
from ops.console.export import csv_file
from yinxin.clock import rfc3339
from yinxin.quota import GIB, Measure, octets
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
    "documents_this_year",
    "octets",
    "most_people",
    "most_documents",
    "most_octets",
    "acted",
)


class Look(Paged):
    """Which tenants: those that are, those that were, or all."""

    state: Literal["", "standing", "ended"] = ""

    @property
    def ended(self) -> bool | None:
        """As the service is asked."""
        return None if not self.state else self.state == "ended"


class Quotas(Model):
    """What a tenant may have at most; an empty field is no limit."""

    most_people: int | None = Field(default=None, ge=1, le=MOST)
    most_documents: int | None = Field(default=None, ge=0, le=MOST)
    most_gib: int | None = Field(default=None, ge=0, le=MOST_OCTETS // GIB)

    def content(self) -> dict[str, int | None]:
        """As it is proposed."""
        octets = None if self.most_gib is None else self.most_gib * GIB
        return {
            "most_people": self.most_people,
            "most_documents": self.most_documents,
            "most_octets": octets,
        }


class NewTenant(Quotas):
    """The form: which organ, in which colour, with which quotas, and why."""

    organ: str = Field(min_length=1, max_length=64)
    mark: Literal["crimson", "jade", "indigo", "plum", "slate", "ochre"] = "indigo"
    reason: str = Field(min_length=1, max_length=2000)
    basis: str = Field(default="", max_length=2000)


class Limiting(Quotas):
    """The form: its quotas from then on, and why."""

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
            caller.actor, ended=query.ended, after=query.begin(str) or "", limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda each: each.place, show=lambda each: each.organ)
        return render_template(
            "console/tenants.html",
            rows=found[:PAGE],
            following=page.next,
            marks=MARK_TEXT,
            size=octets,
            quotas={row.place: {each.measure: each for each in row.quotas} for row in found},
            may_admit=OFFICER in caller.roles and caller.tenant is None,
            may_end=OFFICER in caller.roles and caller.tenant is not None,
        )

    @pages.get("/console/tenants.csv")
    def tenants_export(query: Look, caller: Caller) -> Response:
        """Every tenant that matches."""
        first = authz.tenants.listed_for(caller.actor, ended=query.ended)

        def rows() -> Iterator[dict[str, Any]]:
            page = first
            while page:
                yield from map(_line, page)
                page = authz.tenants.listed_for(caller.actor, ended=query.ended, after=page[-1].place)

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
        content = {"organ": body.organ, "mark": body.mark, **body.content()}
        made = authz.proposals.propose(
            caller.actor, "authz.admit-tenant", content, reason=body.reason, basis=body.basis
        )
        return redirect(url_for("console.proposal", proposal=made.row.id), 303)

    def tenant(id: str) -> Mapping[str, Any]:  # noqa: A002 - the field's name
        return {"tenant": authz.tenants.shown_for(current_caller().actor, id)}

    def limited(id: str) -> Mapping[str, Any]:  # noqa: A002 - the field's name
        """The tenant, and its quotas as the form has them."""
        shown = authz.tenants.shown_for(current_caller().actor, id)
        now = {each.measure: each.most for each in shown.quotas}
        gib = now[Measure.OCTETS] // GIB if Measure.OCTETS in now else ""
        return {"tenant": shown, "now": {**{str(each): now.get(each, "") for each in Measure}, "gib": gib}}

    @pages.form("/console/tenants/<id>/quotas", "console/tenant_quotas.html", context=limited)
    def tenant_quotas(id: str, body: Limiting, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        made = authz.proposals.propose(
            caller.actor,
            "authz.limit-tenant",
            {"organ": id, **body.content()},
            reason=body.reason,
            basis=body.basis,
        )
        return redirect(url_for("console.proposal", proposal=made.row.id), 303)

    @pages.form("/console/tenants/<id>/end", "console/tenant_end.html", context=tenant)
    def tenant_end(id: str, body: Ending, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        made = authz.proposals.propose(
            caller.actor, "authz.end-tenant", {"organ": id}, reason=body.reason, basis=body.basis
        )
        return redirect(url_for("console.proposal", proposal=made.row.id), 303)


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
        "documents_this_year": each.more.get("documents_this_year", 0),
        **{f"most_{quota.measure}": quota.most for quota in each.quotas},
        "octets": each.more.get("octets", 0),
        "acted": rfc3339(each.acted) if each.acted else "",
    }
