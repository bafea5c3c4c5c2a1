"""The inventory of certificates: found, shown with their history, exported; for officers and auditors."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from flask import Response, render_template
from pydantic import Field

from ca.inventory import COLUMNS, Filter, Sort, Standing, describe, position, standing
from ca.timeline import timeline
from yinxin.tables import lines
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, page_of

if TYPE_CHECKING:
    from ops.platform import Platform

#: who has certificates to look after
ROLES = frozenset({"registration-officer", "security-officer", "auditor"})
PAGE = 50

STATES: dict[str, tuple[Text, str]] = {
    "issued": (Text("有效", "in force"), "done"),
    "suspended": (Text("已暂停", "suspended"), "waiting"),
    "revoked": (Text("已撤销", "revoked"), "refused"),
    "expired": (Text("已到期", "expired"), "neutral"),
    "intent": (Text("签发中", "being issued"), "waiting"),
    "abandoned": (Text("已放弃", "given up"), "neutral"),
}
SORTS: dict[str, Text] = {
    "serial": Text("序列号", "serial number"),
    "not_after": Text("先到期的在前", "first to end"),
    "-not_after": Text("后到期的在前", "last to end"),
    "created": Text("先签发的在前", "oldest first"),
    "-created": Text("后签发的在前", "newest first"),
}
WITHIN: dict[str, Text] = {days: Text(f"{days} 天内", f"within {days} days") for days in ("7", "30", "90")}


class Look(Paged):
    """What to look for; a field left empty is anything."""

    name: str = Field(default="", max_length=100)
    holder: str = Field(default="", max_length=80)
    organ: str = Field(default="", max_length=64)
    profile: str = Field(default="", max_length=60)
    serial: str = Field(default="", max_length=40)
    state: Standing | Literal[""] = ""
    within: Literal["", "7", "30", "90"] = ""
    sort: Sort | Literal[""] = ""


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""

    @pages.get("/console/certificates")
    def certificates(query: Look, caller: Caller) -> str:
        wanted = _wanted(platform, query)
        rows = platform.ca.search(caller.actor, wanted, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(rows, PAGE, key=lambda row: position(row, wanted.sort), show=lambda row: row.serial)
        now = platform.clock.now()
        return render_template(
            "console/certificates.html",
            rows=[(row, *STATES[standing(row, now)]) for row in rows[:PAGE]],
            following=page.next,
            states=STATES,
            sorts=SORTS,
            within=WITHIN,
            profiles=platform.ca.ctx.profiles,
        )

    @pages.get("/console/certificates.csv")
    def certificates_export(query: Look, caller: Caller) -> Response:
        """Every certificate that matches, a line each as they are read."""
        rows = platform.ca.every(caller.actor, _wanted(platform, query))
        first = next(rows, None)  # what is refused is refused before the answer begins
        now = platform.clock.now()

        def told() -> Iterator[dict[str, str | None]]:
            if first is not None:
                yield describe(first, now)
                yield from (describe(row, now) for row in rows)

        def text() -> Iterator[str]:
            yield "\ufeff"
            yield from lines(told(), COLUMNS, "csv")

        headers = {"Content-Disposition": 'attachment; filename="certificates.csv"'}
        return Response(text(), mimetype="text/csv", headers=headers)

    @pages.get("/console/certificates/<serial>")
    def certificate(serial: str, caller: Caller) -> str:
        row = platform.ca.show(caller.actor, serial)
        state, colour = STATES[standing(row, platform.clock.now())]
        return render_template(
            "console/certificate.html",
            row=row,
            state=state,
            colour=colour,
            profile=platform.ca.ctx.profiles[row.profile].text,
            moments=timeline(platform.ca.ctx, row),
        )


def _wanted(platform: "Platform", query: Look) -> Filter:
    ends = platform.clock.now() + timedelta(days=int(query.within)) if query.within else None
    state: Standing | None = query.state or ("issued" if ends else None)
    return Filter(
        holder=query.holder or None,
        organ=query.organ or None,
        profile=query.profile or None,
        state=state,
        name=query.name or None,
        serial=query.serial or None,
        ends_to=ends,
        sort=query.sort or "-created",
    )
