"""The work list: what waits for this person, what her organ issues, what it received; and the same as a file."""

import csv
import io

from flask import Response, render_template

from apps.document import find
from apps.document.models import Document
from apps.document.pages import words
from apps.document.pages.desks import Desks
from yinxin.documents import ListQuery
from yinxin.web import Caller, Pages, cursor, position, reader_language

#: documents in an export; who needs more asks the API page by page
_MOST = 5000


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    @pages.get("/")
    def inbox(query: ListQuery, caller: Caller) -> str:
        rows, last = find.listing(desk(caller), _wanted(query))
        return render_template(
            "document/inbox.html", documents=rows, box=query.box, following=cursor(last) if last else None
        )

    @pages.get("/export.csv")
    def export_list(query: ListQuery, caller: Caller) -> Response:
        found: list[Document] = []
        wanted = _wanted(query)
        while len(found) < _MOST:
            rows, last = find.listing(desk(caller), wanted)
            found += rows
            if last is None:
                break
            wanted = find.Filter(wanted.box, wanted.text, wanted.state, wanted.kind, last)
        headers = {"Content-Disposition": f'attachment; filename="documents-{query.box}.csv"'}
        return Response("\ufeff" + _csv(found), mimetype="text/csv", headers=headers)


def _wanted(query: ListQuery) -> find.Filter:
    after = position(query.after, str)[0] if query.after else None
    return find.Filter(query.box, query.text, query.state, query.kind, after)


def _csv(rows: list[Document]) -> str:
    """RFC 4180; a cell that a spreadsheet would run as a formula is defused with an apostrophe."""
    language = reader_language()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["number", "title", "kind", "state", "organ", "updated"])
    for row in rows:
        cells = (row.number or "", row.title, words.kind(row.kind)(language), words.state(row.state)(language))
        writer.writerow([_safe(cell) for cell in (*cells, row.organ, row.updated_at.isoformat())])
    return out.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
