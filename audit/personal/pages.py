"""The pages of personal data: an extract, with what is to be withheld; what was erased, and what is ordered to be kept."""

from typing import Literal

from flask import Blueprint, Response, render_template, request
from pydantic import Field

from audit.export import TYPES
from audit.pages import PAGE, Look
from audit.personal.erasures import erasures_for
from audit.personal.extract import extract_for
from audit.personal.holds import COLUMNS, holds_for
from audit.personal.proposals import GROUNDS
from audit.service import Log
from audit.tree import TREES
from yinxin.crypto.suite import suite
from yinxin.personal import FIELDS
from yinxin.tables import lines
from yinxin.web import Caller, Paged, Pages, page_of

#: orders of one table; whoever has more asks over HTTP, page by page
_MOST = 10_000


class Extract(Look):
    """Which entries, by what they must match or by identifier, and what is not opened."""

    entry: str = Field(default="", max_length=40)
    withhold: list[str] = Field(default_factory=list, max_length=20)
    suite: Literal["intl", "sm"] = "intl"


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The blueprint of the pages."""
    pages = Pages("audit-personal-pages", "audit.pages")

    @pages.get("/console/audit/extract")
    def extract(query: Extract, caller: Caller) -> str:  # noqa: ARG001 - nothing is shown of the log yet
        asked = {name: value for name, value in request.args.to_dict().items() if value and name != "after"}
        return render_template("audit/extract.html", asked=asked, fields=FIELDS, suites=TREES)

    @pages.get("/console/audit/extract/file")
    def extract_file(query: Extract, caller: Caller) -> Response:
        made = extract_for(
            log, caller.actor, query.entry or query.filters, query.withhold, suite=suite(query.suite)
        )
        headers = {"Content-Disposition": 'attachment; filename="log.extract"'}
        return Response(made.encode(), content_type="application/json", headers=headers)

    @pages.get("/console/audit/erasures")
    def erasures(query: Paged, caller: Caller) -> str:
        found = erasures_for(log, caller.actor, before=query.begin(str), limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.proposal, show=lambda each: each.proposal)
        return render_template(
            "audit/erasures.html", erasures=found[:PAGE], following=page.next, grounds=GROUNDS
        )

    @pages.get("/console/audit/holds")
    def holds(query: Paged, caller: Caller) -> str:
        found = holds_for(log, caller.actor, before=query.begin(str), limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.proposal, show=lambda each: each.proposal)
        return render_template("audit/holds.html", holds=found[:PAGE], following=page.next)

    @pages.get("/console/audit/holds/file")
    def holds_file(caller: Caller) -> Response:
        found = holds_for(log, caller.actor, limit=_MOST)
        table = "".join(lines((each.told() for each in found), COLUMNS, "csv"))
        headers = {"Content-Disposition": 'attachment; filename="holds.csv"'}
        return Response(table, content_type=TYPES["csv"], headers=headers)

    return (pages.blueprint,)
