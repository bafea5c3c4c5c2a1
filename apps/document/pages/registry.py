"""The registry's page: what was sent, who has signed for it and who has not, and what was received and is not yet registered."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from flask import Response, render_template
from flask_babel import gettext as _

from apps.document import registry
from apps.document.models import Document
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS
from apps.document.states import COPIES
from yinxin.distribution import Role
from yinxin.documents import BookQuery
from yinxin.store import Road
from yinxin.tables import cell
from yinxin.web import Caller, Pages, cursor, position, reader_language
from yinxin.web.frame import named

#: copies in an export
_MOST = 10_000


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    @pages.get("/registry")
    def registry_book(query: BookQuery, caller: Caller) -> str:
        at_desk = desk(caller)
        entries, last = registry.book(at_desk, _wanted(query))
        unregistered = Road(sa.select(Document), COPIES.to_register(caller.actor.organ or "", Document.id))
        waiting, _more = DOCUMENTS.page(at_desk, [unregistered], limit=20)
        return render_template(
            "document/registry.html",
            entries=entries,
            waiting=waiting,
            show=query.show,
            now=at_desk.store.clock.now(),
            following=cursor(*last) if last else None,
        )

    @pages.get("/registry/export.csv")
    def export_book(query: BookQuery, caller: Caller) -> Response:
        at_desk = desk(caller)
        found, _last = registry.book(at_desk, _wanted(query), limit=_MOST)
        headers = {"Content-Disposition": f'attachment; filename="sent-{query.show}.csv"'}
        text = _csv(found, at_desk.store.clock.now())
        return Response("\ufeff" + text, mimetype="text/csv", headers=headers)


def _wanted(query: BookQuery) -> registry.Wanted:
    after: tuple[str, str] | None = None
    if query.after:
        item, organ = position(query.after, str, str)
        after = (item, organ)
    return registry.Wanted(query.show, query.text, after)


def _csv(entries: Sequence[registry.Entry], now: datetime) -> str:
    language = reader_language()
    out = io.StringIO()
    writer = csv.writer(out)
    heads = [_("文号"), _("标题"), _("机关"), _("主送或抄送"), _("状态"), _("签收期限"), _("签收或退文时间")]
    writer.writerow(heads)
    for each in entries:
        copy = each.copy
        writer.writerow(
            [
                cell(each.document.number or ""),
                cell(each.document.title),
                cell(named(copy.organ, "organ")),
                Role(copy.role).text(language),
                copy.standing(now)(language),
                copy.due.isoformat() if copy.due else "",
                copy.answered_at.isoformat() if copy.answered_at else "",
            ]
        )
    return out.getvalue()
