"""Who may what: roles by organ, conflicts of powers, who holds what with which grants, accounts that nobody uses."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flask import Response, render_template
from pydantic import Field

from authz.review.matrix import COLUMNS, conflicts, held_below, matrix, place, roles_held
from authz.roles import POWERS, ROLES
from ops.console.export import csv_file
from ops.console.reviews import part
from yinxin.clock import rfc3339
from yinxin.web import Caller, Paged, Pages, cursor, page_of, position

if TYPE_CHECKING:
    from authz.service import Authz
    from ops.platform import Platform

PAGE = 50
#: unused accounts that are counted; more are only said to be more
COUNTED = 1000
#: unused for so many days unless somebody asks otherwise
DAYS = 90


class Look(Paged):
    """Which part of the tree; no organ is the own one."""

    under: str = Field(default="", max_length=64)


class LookDormant(Look):
    """And unused for how many days."""

    days: int = Field(default=DAYS, ge=1, le=3660)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_matrix(pages, platform.authz)
    _add_dormant(pages, platform.authz)


def _add_matrix(pages: Pages, authz: "Authz") -> None:
    def allowed(caller: Caller, under: str) -> str:
        wanted = part(caller, under)
        authz.reviews.permit_reading(caller.actor, wanted)
        return wanted

    @pages.get("/console/matrix")
    def roles_matrix(query: Look, caller: Caller) -> str:
        under = allowed(caller, query.under)
        found = roles_held(authz.store, under, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each[0], show=lambda each: each[0])
        unused = len(authz.reviews.dormant(DAYS, under=under, limit=COUNTED))
        return render_template(
            "console/matrix.html",
            rows=found[:PAGE],
            following=page.next,
            under=under,
            roles=ROLES,
            powers=POWERS,
            conflicts=conflicts(authz.store, under),
            dormant=f"{unused}+" if unused == COUNTED else str(unused),
            days=DAYS,
        )

    @pages.get("/console/matrix/people")
    def people_matrix(query: Look, caller: Caller) -> str:
        """A line for each appointment in force."""
        under = allowed(caller, query.under)
        after = position(query.after, str, str, str) if query.after else ("", "", "")
        found = held_below(authz.store, under, after=(after[0], after[1], after[2]), limit=PAGE + 1)
        rows = found[:PAGE]
        return render_template(
            "console/matrix_people.html",
            rows=rows,
            following=cursor(*place(rows[-1])) if len(found) > PAGE else None,
            under=under,
            roles=ROLES,
            templates=authz.decisions.policies.templates,
        )

    @pages.get("/console/matrix.csv")
    def matrix_export(query: Look, caller: Caller) -> Response:
        """The same, every line, for a spreadsheet."""
        return csv_file("matrix.csv", matrix(authz.store, allowed(caller, query.under)), COLUMNS)

    @pages.get("/console/matrix.json")
    def matrix_json(query: Look, caller: Caller) -> Response:
        """The same, every line, for a program: one JSON array."""
        under = allowed(caller, query.under)

        def text() -> Iterator[str]:
            mark = "["
            for row in matrix(authz.store, under):
                yield mark + json.dumps(row, ensure_ascii=False)
                mark = ",\n"
            yield "[]" if mark == "[" else "]\n"

        headers = {"Content-Disposition": 'attachment; filename="matrix.json"'}
        return Response(text(), mimetype="application/json", headers=headers)


def _add_dormant(pages: Pages, authz: "Authz") -> None:
    @pages.get("/console/dormant")
    def dormant(query: LookDormant, caller: Caller) -> str:
        under = part(caller, query.under)
        authz.reviews.permit_reading(caller.actor, under)
        found = authz.reviews.dormant(query.days, under=under, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each[0], show=lambda each: each[0])
        return render_template(
            "console/dormant.html", rows=found[:PAGE], following=page.next, under=under, days=query.days
        )

    @pages.get("/console/dormant.csv")
    def dormant_export(query: LookDormant, caller: Caller) -> Response:
        """All of them."""
        under = part(caller, query.under)
        authz.reviews.permit_reading(caller.actor, under)

        def rows() -> Iterator[dict[str, Any]]:
            after = ""
            while page := authz.reviews.dormant(query.days, under=under, after=after, limit=500):
                for person, at in page:
                    yield {"person": person, "signed_in": rfc3339(at) if at else ""}
                after = page[-1][0]

        return csv_file("dormant.csv", rows(), ("person", "signed_in"))
