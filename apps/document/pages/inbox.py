"""The work list: what waits for this person, what her organ issues, what it received; and the same as a file."""

import csv
import io
from collections.abc import Sequence
from typing import get_args

from flask import Response, render_template
from flask_babel import gettext as _

from apps.document import find
from apps.document.desk import Desk
from apps.document.models import Document
from apps.document.pages import words
from apps.document.pages.desks import Desks
from yinxin.documents import ListQuery
from yinxin.tables import cell
from yinxin.web import Caller, Pages, cursor, position, reader_language
from yinxin.web.frame import named

#: documents in an export; who needs more asks the API page by page
_MOST = 5000
BOXES: tuple[str, ...] = get_args(ListQuery.model_fields["box"].annotation)


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    @pages.get("/")
    def inbox(query: ListQuery, caller: Caller) -> str:
        at_desk = desk(caller)
        rows, last = find.listing(at_desk, _wanted(query))
        return render_template(
            "document/inbox.html",
            documents=rows,
            shown=find.shown(at_desk, rows, query.text) if query.text else {},
            box=query.box,
            counts={box: _count(at_desk, box) for box in BOXES},
            following=cursor(last) if last else None,
        )

    @pages.get("/export.csv")
    def export_list(query: ListQuery, caller: Caller) -> Response:
        at_desk = desk(caller)
        wanted = _wanted(query)
        found: list[Document] = []
        while len(found) < _MOST:
            rows, last = find.listing(at_desk, wanted)
            found += rows
            if last is None:
                break
            wanted = find.Filter(wanted.box, wanted.text, wanted.state, wanted.kind, last)
        headers = {"Content-Disposition": f'attachment; filename="documents-{query.box}.csv"'}
        return Response("\ufeff" + _csv(found), mimetype="text/csv", headers=headers)


def _count(desk: Desk, box: str) -> str:
    """How many a box holds; a page and more is said so, not counted."""
    rows, last = find.listing(desk, find.Filter(box))
    return f"{find.PAGE}+" if last else str(len(rows))


def _wanted(query: ListQuery) -> find.Filter:
    after = position(query.after, str)[0] if query.after else None
    return find.Filter(query.box, query.text, query.state, query.kind, after)


def _csv(rows: Sequence[Document]) -> str:
    """RFC 4180; a cell that a spreadsheet would run as a formula is defused with an apostrophe."""
    language = reader_language()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_("文号"), _("标题"), _("文种"), _("状态"), _("发文机关"), _("更新时间")])
    for row in rows:
        writer.writerow(
            [
                cell(row.number or ""),
                cell(row.title),
                words.kind(row.kind)(language),
                words.state(row.state)(language),
                cell(named(row.organ, "organ")),
                row.updated_at.isoformat(),
            ]
        )
    return out.getvalue()
