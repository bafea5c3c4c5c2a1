"""One document: what it is, where it stands, what this person can do next, its timeline, receipts and proofs."""

from typing import Any

from flask import render_template

from apps.document import find, name_seal
from apps.document.attach import DETACH
from apps.document.desk import Desk, content
from apps.document.joint.models import Part
from apps.document.layout.kinds import Kind
from apps.document.models import State
from apps.document.pages.acts import BUTTONS, PAGES
from apps.document.pages.desks import Desks
from apps.document.records import resource
from apps.document.seal import SEALED
from apps.document.seal_ofd import SEALED_OFD
from apps.document.states import COPIES, LIFE
from yinxin import canonical
from yinxin.client import Client
from yinxin.distribution import OPEN
from yinxin.distribution import State as CopyState
from yinxin.grade import CLASSIFIED
from yinxin.text import Text
from yinxin.web import Caller, Pages, core

EXPORT = "document.export"
GRADING = frozenset({"document.regrade", "document.extend-secrecy", "document.declassify"})
#: what is done to a paper copy by its number
OF_PAPER = frozenset({"document.take-back-copy", "document.destroy-copy", "document.witness-destruction"})
#: acts that are offered in a part of the page of their own
_ELSEWHERE = GRADING | OF_PAPER | {EXPORT, DETACH, "document.comment"}
#: the document itself, in both worlds' format
DOWNLOADS = (SEALED, SEALED_OFD)
#: what depends on more than the state: on what other organs did, on the level
_DEPENDING = frozenset(
    {
        "document.approve",
        "document.approve-joint",
        "document.countersign",
        "document.concur",
        "document.refuse-countersign",
        "document.urge-countersign",
        "document.begin-seal",
        "document.print",
        "document.put-name-seal",
    }
)
_UNSIGNED = ("not-asked", "asked", "void")
_OF_COPIES = frozenset(each.verb for each in COPIES.transitions(()))


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
            acts=[(verb, PAGES.get(verb)) for verb in verbs if verb not in _ELSEWHERE],
            detachable=DETACH in verbs,
            registrable=_registrable(at_desk, found),
            intake=found.intake,
            barred=[(organ, Text(why.text("zh"), why.text("en"))) for organ, why in found.barred.items()],
            paper=OF_PAPER & set(verbs),
            versioned=found.document.organ == at_desk.caller.actor.organ,
            gradable=GRADING & set(verbs),
            opinionable="document.comment" in verbs,
            exportable=EXPORT in verbs and found.site is None,
            downloads=[name for name in DOWNLOADS if name in {each for each, _ in found.files}],
            sealed=found.document.state in (State.SEALED, State.DISPATCHED),
        )


def _permitted(client: Client, desk: Desk, found: find.Dossier) -> list[str]:
    """The acts that fit the state and are permitted to this person."""
    row = found.document
    organ = desk.caller.actor.organ or ""
    known = {*BUTTONS, *PAGES, *_ELSEWHERE}
    here, turn = _here(found, organ), _turn(found, organ)
    verbs = [
        each.verb
        for each in LIFE.onward(row.state)
        if each.verb in known
        and (each.verb not in _OF_COPIES or each.verb in here)
        and (each.verb not in _DEPENDING or each.verb in turn)
    ]
    about = resource(row)
    answers = client.authz.check_many([(verb, about, None) for verb in verbs]) if verbs else ()
    return [verb for verb, answer in zip(verbs, answers, strict=True) if answer.allowed]


def _turn(found: find.Dossier, organ: str) -> set[str]:
    """Of the acts that depend on more than the state, those that are due, and this organ's to do."""
    waiting = {each.row.organ: each.part for each in found.countersigners if each.state in _UNSIGNED}
    verbs = {"document.approve-joint" if waiting else "document.approve"}
    if (part := waiting.get(organ)) is not None:
        verbs |= {"document.refuse-countersign"}
        verbs |= {"document.countersign" if part is Part.JOINT else "document.concur"}
    if waiting:
        verbs |= {"document.urge-countersign"}
    unsealed = [
        each.row.organ for each in found.countersigners if each.part is Part.JOINT and each.state != "sealed"
    ]
    issuing = [found.document.organ, *found.document.joint]
    if found.document.kind == Kind.ORDER and organ in issuing:
        kept = {name for name, _ in found.files}
        if name_seal.name_of(issuing.index(organ) + 1) not in kept:
            verbs |= {"document.put-name-seal"}
    if found.document.level in CLASSIFIED:
        verbs |= {"document.print"}
    if organ in unsealed or (organ == found.document.organ and not unsealed):
        verbs |= {"document.begin-seal"}
    return verbs


def _here(found: find.Dossier, organ: str) -> set[str]:
    """The acts on copies that are this organ's to do: on its own copy, and on those that it sent."""
    verbs: set[str] = set()
    for copy in found.copies:
        if copy.organ == organ and copy.state == CopyState.DELIVERED:
            verbs |= {"document.receive", "document.return"}
        if copy.organ == organ and copy.state == CopyState.RECEIVED:
            verbs |= {"document.redispatch"} | ({"document.give-back"} if copy.recalled_at else set())
        if copy.sender == organ and copy.state in OPEN:
            verbs |= {"document.urge", "document.withdraw"}
        if copy.sender == organ and copy.state == CopyState.RECEIVED and not copy.recalled_at:
            verbs |= {"document.recall"}
    return verbs


def _registrable(desk: Desk, found: find.Dossier) -> bool:
    """Whether this person's organ has signed for it, has not registered it, and she is its registrar."""
    organ = desk.caller.actor.organ
    signed = any(each.organ == organ and each.state == CopyState.RECEIVED for each in found.copies)
    return signed and found.intake is None and "registrar" in desk.caller.roles


def _text(desk: Desk, document: str) -> Any:
    """The text as it will be laid out, for those who decide before there is a page to look at."""
    with desk.store.read() as session:
        return canonical.decode(content(session, document).data)
