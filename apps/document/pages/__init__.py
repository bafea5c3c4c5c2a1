"""The pages of official documents: work list, composing, one document with its timeline, signing."""

from flask import Blueprint

from apps.document.desk import Desk
from apps.document.pages import acts, attach, compose, copies, dossier, files, inbox, sign, words
from apps.document.service import Documents
from yinxin.text import Text
from yinxin.web import Caller, NavItem, Pages, session_token

#: who has business with documents; an administrator has none
ROLES = frozenset({"clerk", "reviewer", "leader", "registrar", "seal-keeper"})
NAVIGATION = (
    NavItem(Text("公文", "Documents"), "document.inbox", ROLES),
    NavItem(Text("起草", "Compose"), "document.compose", frozenset({"clerk"})),
)


def pages(service: Documents) -> tuple[Blueprint, ...]:
    """The blueprint of the pages; templates, static files and words stand in the package above."""
    made = Pages("document", "apps.document", prefix="/documents", navigation=NAVIGATION)

    def desk(caller: Caller) -> Desk:
        return service.desk(caller, session_token())

    for room in (inbox, compose, dossier, files, acts, copies, sign):
        room.add(made, desk)
    attach.add(made, desk, service.attachments)
    made.blueprint.context_processor(lambda: {"say": words})
    return (made.blueprint,)
