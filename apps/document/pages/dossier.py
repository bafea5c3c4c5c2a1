"""One document: what it is, where it stands, what this person can do next, its timeline, receipts and proofs."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, redirect, render_template, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.wrappers import Response as Answered

from apps.document import dispatch, export, find, number, preview, review, seal
from apps.document.desk import Desk, file, read, resource
from apps.document.models import DeliveryState, State
from apps.document.pages.desks import Desks
from apps.document.states import TRANSITIONS
from yinxin.authz import Resource
from yinxin.client import Client
from yinxin.evidence import MEDIA_TYPE
from yinxin.web import Caller, Pages, core

#: the acts that are one button on the document's page
BUTTONS: Mapping[str, Callable[[Desk, str], object]] = {
    "document.submit": review.submit,
    "document.approve": review.approve,
    "document.number": number.number,
    "document.begin_seal": seal.seal,
    "document.dispatch": dispatch.dispatch,
}
#: the acts that have a page of their own, with the endpoint of that page
PAGES = {
    "document.send_back": "document.send_back",
    "document.sign_off": "document.sign",
    "document.receive": "document.sign",
    "document.return": "document.give_reason",
}


class Reason(BaseModel):
    """Why a document goes back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1, max_length=2000)


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""
    _reading(pages, desk)
    _acting(pages, desk)


def _reading(pages: Pages, desk: Desks) -> None:
    @pages.get("/<document>")
    def show(document: str, caller: Caller) -> str:
        at_desk = desk(caller)
        found = find.dossier(at_desk, document)
        with core() as client:
            names = {each.id: each.name for each in client.authz.organs()}
            possible = _possible(client, at_desk, found)
        return render_template("document/dossier.html", found=found, names=names, possible=possible)

    @pages.get("/<document>/files/<name>")
    def download(document: str, name: str, caller: Caller) -> Response:
        at_desk = desk(caller)
        read(at_desk, document)
        with at_desk.store.read() as session:
            data = file(session, document, name).data
        media = "application/pdf" if name.endswith(".pdf") else "application/pkcs7-signature"
        return Response(data, mimetype=media, headers={"Content-Disposition": f'inline; filename="{name}"'})

    @pages.get("/<document>/pages/<int:page>.png")
    def picture(document: str, page: int, caller: Caller) -> Response:
        at_desk = desk(caller)
        row = read(at_desk, document)
        name = seal.SEALED if row.state in (State.SEALED, State.DISPATCHED) else number.LAYOUT
        with at_desk.store.read() as session:
            data = file(session, document, name).data
        headers = {"Cache-Control": "private, max-age=600"}
        return Response(preview.picture(data, page), mimetype="image/png", headers=headers)


def _acting(pages: Pages, desk: Desks) -> None:
    @pages.act("/<document>/acts/<verb>")
    def act(document: str, verb: str, caller: Caller) -> Answered:
        BUTTONS[verb](desk(caller), document)
        return redirect(url_for("document.show", document=document), 303)

    @pages.act("/<document>/evidence")
    def evidence(document: str, caller: Caller) -> Response:
        data = export.export(desk(caller), document)
        headers = {"Content-Disposition": f'attachment; filename="{document}.asice"'}
        return Response(data, mimetype=MEDIA_TYPE, headers=headers)

    @pages.form("/<document>/send-back", "document/reason.html", context=_back)
    def send_back(document: str, body: Reason, caller: Caller) -> Answered:
        review.send_back(desk(caller), document, body.reason)
        return redirect(url_for("document.show", document=document), 303)

    @pages.form("/<document>/return", "document/reason.html", context=_returned)
    def give_reason(document: str, body: Reason, caller: Caller) -> Answered:  # noqa: ARG001 - the form is shown to people signed in
        return redirect(url_for("document.sign", document=document, verb="document.return", reason=body.reason), 303)


def _back(document: str) -> Mapping[str, Any]:
    return {"document": document, "verb": "document.send_back"}


def _returned(document: str) -> Mapping[str, Any]:
    return {"document": document, "verb": "document.return"}


def _possible(client: Client, desk: Desk, found: find.Dossier) -> list[tuple[str, str | None]]:
    """The acts that fit the state and are permitted to this person: verb, and its page when it is no button."""
    row = found.document
    verbs = [verb for verb, rule in TRANSITIONS.items() if row.state in rule.sources and verb in {**BUTTONS, **PAGES}]
    waiting = {copy.organ for copy in found.deliveries if copy.state == DeliveryState.SENT}
    if desk.caller.actor.organ not in waiting:
        verbs = [verb for verb in verbs if verb not in ("document.receive", "document.return")]
    about: Resource = resource(row)
    answers = client.authz.check_many([(verb, about, None) for verb in verbs]) if verbs else ()
    return [(verb, PAGES.get(verb)) for verb, answer in zip(verbs, answers, strict=True) if answer.allowed]


