"""Joint issue on pages: naming who issues a draft jointly and who countersigns it, refusing to, and urging."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response

from apps.document.joint import countersign
from apps.document.joint.name import name
from apps.document.pages.acts import Reason
from apps.document.pages.desks import Desks
from apps.document.pages.tree import tree
from apps.document.records import DOCUMENTS
from apps.document.sites.choose import elsewhere
from yinxin.documents_beside import MOST_CONSULTED, MOST_JOINT
from yinxin.web import Caller, Pages, current_caller
from yinxin.wire import Model


class Named(Model):
    """Joint organs and those that are consulted; `find` narrows the list and means nothing for the document."""

    joint: tuple[str, ...] = Field(default=(), max_length=MOST_JOINT)
    consulted: tuple[str, ...] = Field(default=(), max_length=MOST_CONSULTED)
    find: str = ""


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    def named(document: str) -> Mapping[str, Any]:
        here = desk(current_caller())
        row = DOCUMENTS.read(here, document)
        before = {"joint": row.joint, "consulted": row.consulted}
        if request.values:
            before = {each: request.values.getlist(each) for each in before}
        ticked = (*before["joint"], *before["consulted"])
        return {
            "row": row,
            "named_before": before,
            "organs": tree(ticked, without=elsewhere(here, row.organ)),
        }

    @pages.form("/<document>/countersigners", "document/countersigners.html", context=named)
    def name_countersigners(document: str, body: Named, caller: Caller) -> Response:
        name(desk(caller), document, body.joint, body.consulted)
        return redirect(url_for("document.show", document=document) + "#countersigners", 303)

    def refused(document: str) -> Mapping[str, Any]:
        row = DOCUMENTS.read(desk(current_caller()), document)
        return {"row": row, "verb": "document.refuse-countersign"}

    @pages.form("/<document>/refuse-countersign", "document/reason.html", context=refused)
    def refuse_countersign(document: str, body: Reason, caller: Caller) -> Response:
        countersign.refuse(desk(caller), document, body.reason)
        return redirect(url_for("document.show", document=document), 303)
