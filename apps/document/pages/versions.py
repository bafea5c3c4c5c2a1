"""The versions of a document's text, and two of them compared: beside each other or together, to read and to print."""

from collections import Counter
from typing import Literal

from flask import render_template

from apps.document.manuscript import versions
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS
from yinxin.manuscripts import ComparisonQuery
from yinxin.web import Caller, Pages


class Shown(ComparisonQuery):
    """Which versions, and how."""

    view: Literal["beside", "together"] = "beside"


def add(pages: Pages, desk: Desks) -> None:
    """Declare the page."""

    @pages.get("/<document>/versions")
    def versions_of(document: str, query: Shown, caller: Caller) -> str:
        at_desk = desk(caller)
        before, after, lines = versions.comparison(at_desk, document, query.before, query.after)
        counted = Counter(line.change for line in lines)
        return render_template(
            "document/versions.html",
            row=DOCUMENTS.read(at_desk, document),
            versions=versions.versions(at_desk, document),
            before=before,
            after=after,
            lines=lines,
            count={name: counted[name] for name in ("changed", "added", "removed")},
            together=query.view == "together",
        )
