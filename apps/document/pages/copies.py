"""What is done to copies from a document's page: urging, withdrawing, recalling, passing down; of all or of the organs chosen."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from flask import redirect, request, url_for
from pydantic import Field
from werkzeug.wrappers import Response

from apps.document import dispatch
from apps.document.desk import Desk
from apps.document.pages.desks import Desks
from apps.document.pages.elsewhere import elsewhere
from apps.document.pages.tree import tree as organs_below
from apps.document.records import DOCUMENTS
from apps.document.states import COPIES
from yinxin.authz import Level
from yinxin.distribution import OPEN, State
from yinxin.web import Caller, Pages, current_caller
from yinxin.wire import Model

#: which copies of one's own sending an act is for
_OF = {"document.urge": OPEN, "document.withdraw": OPEN, "document.recall": (State.RECEIVED,)}


class Chosen(Model):
    """Which recipients; none is all."""

    organs: tuple[str, ...] = Field(default=(), max_length=500)


class ChosenReason(Chosen):
    """Which recipients, and why."""

    reason: str = Field(min_length=1, max_length=2000)


class Down(Model):
    """Whom it is passed down to; `find` narrows the list and means nothing for the act."""

    organs: tuple[str, ...] = Field(min_length=1, max_length=500)
    find: str = ""


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    def about(verb: str) -> Callable[[str], Mapping[str, Any]]:
        return lambda document: _about(desk(current_caller()), document, verb)

    def back(document: str) -> Response:
        return redirect(url_for("document.show", document=document), 303)

    @pages.form("/<document>/urge", "document/copies.html", context=about("document.urge"))
    def urge(document: str, body: Chosen, caller: Caller) -> Response:
        dispatch.urge(desk(caller), document, body.organs)
        return back(document)

    @pages.form("/<document>/withdraw", "document/copies.html", context=about("document.withdraw"))
    def withdraw(document: str, body: ChosenReason, caller: Caller) -> Response:
        dispatch.withdraw(desk(caller), document, body.reason, body.organs)
        return back(document)

    @pages.form("/<document>/recall", "document/copies.html", context=about("document.recall"))
    def recall(document: str, body: ChosenReason, caller: Caller) -> Response:
        dispatch.recall(desk(caller), document, body.reason, body.organs)
        return back(document)

    def tree(document: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        own = at_desk.caller.actor.organ or ""
        row = DOCUMENTS.read(at_desk, document)
        below = [
            each
            for each in at_desk.carrier.reached(own)
            if each.relation == "child" and each.organ not in row.holders
        ]
        return {
            "row": row,
            "organs": organs_below(
                request.values.getlist("organs"),
                under=own,
                without={*row.holders, *(each.organ for each in below)},
            ),
            "elsewhere": elsewhere(below, cast("Level", row.level), ()),
        }

    @pages.form("/<document>/redispatch", "document/redispatch.html", context=tree)
    def redispatch(document: str, body: Down, caller: Caller) -> Response:
        dispatch.redispatch(desk(caller), document, body.organs)
        return back(document)


def _about(desk: Desk, document: str, verb: str) -> Mapping[str, Any]:
    """The document, and the copies of one's own sending that the act is for."""
    row = DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        copies: Sequence[Any] = COPIES.copies(session, document)
        session.expunge_all()
    own = desk.caller.actor.organ
    mine = [each for each in copies if each.sender == own and each.state in _OF[verb]]
    return {"row": row, "verb": verb, "copies": mine, "now": desk.store.clock.now()}
