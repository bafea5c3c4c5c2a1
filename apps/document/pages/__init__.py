"""The pages of official documents: work list, composing, one document with its timeline, signing."""

from flask import Blueprint

from apps.document.desk import Desk
from apps.document.pages import (
    acts,
    attach,
    beside,
    compose,
    copies,
    dossier,
    editor,
    files,
    grade,
    inbox,
    intake,
    joint,
    numbered,
    registry,
    sign,
    sign_instruction,
    template,
    versions,
    words,
)
from apps.document.service import Documents
from yinxin.text import Text
from yinxin.web import Caller, NavItem, Pages, session_token

#: who has business with documents; an administrator has none
ROLES = frozenset({"clerk", "reviewer", "leader", "registrar", "seal-keeper"})
NAVIGATION = (
    NavItem(Text("公文", "Documents"), "document.inbox", ROLES),
    NavItem(Text("起草", "Compose"), "document.compose", frozenset({"clerk"})),
    NavItem(Text("收文办理", "Incoming"), "document.intakes", ROLES),
    NavItem(Text("领导阅批", "For the leader"), "document.leader", frozenset({"leader"})),
    NavItem(Text("收发登记", "Registry"), "document.registry_book", frozenset({"registrar"})),
)


def pages(service: Documents) -> tuple[Blueprint, ...]:
    """The blueprint of the pages; templates, static files and words stand in the package above."""
    made = Pages("document", "apps.document", prefix="/documents", navigation=NAVIGATION)

    def desk(caller: Caller) -> Desk:
        return service.desk(caller, session_token())

    for room in (
        inbox,
        compose,
        intake,
        registry,
        dossier,
        files,
        acts,
        joint,
        numbered,
        copies,
        beside,
        grade,
        sign,
        sign_instruction,
        template,
        versions,
    ):
        room.add(made, desk)
    attach.add(made, desk, service.attachments)
    editor.add(made, desk, service.nearby)
    made.blueprint.context_processor(lambda: {"say": words})
    return (made.blueprint,)
