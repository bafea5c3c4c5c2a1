"""One document: what it is, where it stands, what this person can do next, its timeline, receipts and proofs."""

from typing import Any

from flask import render_template

from apps.document import find
from apps.document.attach import DETACH
from apps.document.desk import Desk, content
from apps.document.models import DeliveryState, State
from apps.document.pages.acts import BUTTONS, PAGES
from apps.document.pages.desks import Desks
from apps.document.records import resource
from apps.document.states import LIFE
from yinxin import canonical
from yinxin.client import Client
from yinxin.web import Caller, Pages, core

_ANSWERS = frozenset({"document.receive", "document.return"})
EXPORT = "document.export"


def add(pages: Pages, desk: Desks) -> None:
    """Declare the page."""

    @pages.get("/<document>")
    def show(document: str, caller: Caller) -> str:
        at_desk = desk(caller)
        found = find.dossier(at_desk, document)
        with core() as client:
            verbs = _permitted(client, at_desk, found)
        return render_template(
            "document/dossier.html",
            found=found,
            row=found.document,
            text=_text(at_desk, document) if found.document.pages is None else None,
            acts=[(verb, PAGES.get(verb)) for verb in verbs if verb not in (EXPORT, DETACH)],
            detachable=DETACH in verbs,
            exportable=EXPORT in verbs,
            sealed=found.document.state in (State.SEALED, State.DISPATCHED),
        )


def _permitted(client: Client, desk: Desk, found: find.Dossier) -> list[str]:
    """The acts that fit the state and are permitted to this person."""
    row = found.document
    known = {*BUTTONS, *PAGES, EXPORT, DETACH}
    waiting = {copy.organ for copy in found.deliveries if copy.state == DeliveryState.SENT}
    verbs = [
        each.verb
        for each in LIFE.onward(row.state)
        if each.verb in known and (each.verb not in _ANSWERS or desk.caller.actor.organ in waiting)
    ]
    about = resource(row)
    answers = client.authz.check_many([(verb, about, None) for verb in verbs]) if verbs else ()
    return [verb for verb, answer in zip(verbs, answers, strict=True) if answer.allowed]


def _text(desk: Desk, document: str) -> Any:
    """The text as it will be laid out, for those who decide before there is a page to look at."""
    with desk.store.read() as session:
        return canonical.decode(content(session, document).data)
