"""The pages of official documents: work list, composing, one document with its timeline, signing."""

from flask import Blueprint

from apps.document.desk import Desk
from apps.document.pages import compose, dossier, inbox, sign, words
from apps.document.service import Documents
from yinxin.text import Text
from yinxin.web import Caller, NavItem, Pages, session_token

NAVIGATION = (
    NavItem(Text("公文", "Documents"), "document.inbox"),
    NavItem(Text("起草", "Compose"), "document.compose", frozenset({"clerk"})),
)


def pages(service: Documents) -> tuple[Blueprint, ...]:
    """The blueprint of the pages."""
    made = Pages("document", __name__, prefix="/documents", navigation=NAVIGATION)

    def desk(caller: Caller) -> Desk:
        return service.desk(caller, session_token())

    for room in (inbox, compose, dossier, sign):
        room.add(made, desk)
    made.blueprint.context_processor(lambda: {"say": words})
    return (made.blueprint,)
