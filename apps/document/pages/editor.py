"""Writing in the browser: the text as blocks on the left, the pages as they will print on the right; with scripts and without."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response as Answered

from apps.document.comparison import aligned, parts
from apps.document.desk import Desk, content
from apps.document.draft import LARGEST
from apps.document.layout.draft import TEXT_LIMIT
from apps.document.layout.paint_svg import MEDIA_TYPE
from apps.document.manuscript import begin, keep
from apps.document.manuscript.errors import ManuscriptMovedOn, TextMovedOn
from apps.document.manuscript.facts import Nearby, shown
from apps.document.manuscript.models import Manuscript
from apps.document.manuscript.parts import parts_of
from apps.document.manuscript.text import text_of
from apps.document.manuscript.view import today_of
from apps.document.models import Document
from apps.document.pages.blocks import apply, blank, written
from apps.document.pages.desks import Desks
from apps.document.preview import PreviewUnavailable
from apps.document.records import DOCUMENTS
from apps.document.template.records import version
from yinxin.documents import DraftIn
from yinxin.faults import sentence
from yinxin.manuscripts import TextIn
from yinxin.web import Caller, Pages, current_caller
from yinxin.web.errors import Fault, InvalidRequest
from yinxin.web.recording import record_refusal

#: octets of a form: Chinese takes nine in an address-like one
_LIMIT = 10 * TEXT_LIMIT
assert _LIMIT <= LARGEST  # noqa: S101 - a form is never more than a file


def add(pages: Pages, desk: Desks, nearby: Nearby) -> None:
    """Declare the pages."""
    _writing(pages, desk, nearby)
    _saving(pages, desk, nearby)


def _writing(pages: Pages, desk: Desks, nearby: Nearby) -> None:
    @pages.get("/<document>/edit")
    def edit(document: str, caller: Caller) -> Answered:
        return redirect(url_for("document.write", manuscript=begin.begin_from(desk(caller), document)), 303)

    def before(manuscript: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        return _context(at_desk, nearby, begin.mine(at_desk, manuscript))

    @pages.form("/write/<manuscript>", "document/editor.html", context=before, limit=_LIMIT, unkept=True)
    def write(manuscript: str, caller: Caller) -> Answered:
        text, at = apply(_sent(), request.form.get("do", ""))
        row = begin.mine(desk(caller), manuscript)
        try:
            keep.keep(desk(caller), manuscript, _turn(), text)
        except ManuscriptMovedOn as error:
            return _elsewhere(row, text, error)
        there = f"block-{at}" if at is not None else None
        return redirect(url_for("document.write", manuscript=manuscript, _anchor=there), 303)

    @pages.get("/write/<manuscript>/pages/<int:page>.svg")
    def manuscript_page(manuscript: str, page: int, caller: Caller) -> Response:
        at_desk = desk(caller)
        row = begin.mine(at_desk, manuscript)
        layout = shown(at_desk, nearby, row, TextIn.model_validate(row.text)).layout
        if layout is None or not 1 <= page <= layout.pages:
            raise PreviewUnavailable(reason="no such page")
        picture = layout.svg()[page - 1]
        return Response(picture, mimetype=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def _saving(pages: Pages, desk: Desks, nearby: Nearby) -> None:
    def before(manuscript: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        return _context(at_desk, nearby, begin.mine(at_desk, manuscript))

    @pages.form("/write/<manuscript>/version", "document/editor.html", context=before, limit=_LIMIT)
    def save_version(manuscript: str, caller: Caller) -> Answered:
        at_desk = desk(caller)
        over = request.form.get("over", "")
        row = begin.mine(at_desk, manuscript)
        text = TextIn.model_validate(row.text) if over else _sent()
        try:
            document = keep.save(
                at_desk, manuscript, _turn(), text, over=int(over) if over.isdecimal() else None
            )
        except ManuscriptMovedOn as error:
            return _elsewhere(row, text, error)
        except TextMovedOn as error:
            return _newer(at_desk, manuscript, error)
        return redirect(url_for("document.show", document=document), 303)

    @pages.act("/write/<manuscript>/newest")
    def take_newest(manuscript: str, caller: Caller) -> Answered:
        at_desk = desk(caller)
        row = begin.mine(at_desk, manuscript)
        with at_desk.store.read() as session:
            newest = content(session, row.document or "")
            revision, theirs = newest.revision, text_of(newest.data)
        keep.rebase(at_desk, manuscript, row.turn, theirs=theirs, base=revision)
        return redirect(url_for("document.write", manuscript=manuscript), 303)

    @pages.act("/write/<manuscript>/discarding")
    def discard(manuscript: str, caller: Caller) -> Answered:
        at_desk = desk(caller)
        row = begin.mine(at_desk, manuscript)
        begin.discard(at_desk, manuscript)
        if row.document:
            return redirect(url_for("document.show", document=row.document), 303)
        return redirect(url_for("document.compose"), 303)


def _sent() -> TextIn:
    """The text that the form holds; raises InvalidRequest with every fault."""
    try:
        return written(request.form)
    except ValidationError as error:
        faults = tuple(
            Fault("form", f"/{each['loc'][0] if each['loc'] else ''}", each["type"], sentence(each))
            for each in error.errors(include_url=False, include_input=False)
        )
        raise InvalidRequest(faults=faults) from error


def _turn() -> int:
    turn = request.form.get("turn", "")
    return int(turn) if turn.isdecimal() else -1


def _context(desk: Desk, nearby: Nearby, row: Manuscript) -> Mapping[str, Any]:
    """What the editor shows: what was just sent, where it was refused, else what is kept."""
    kept = TextIn.model_validate(row.text)
    try:
        text = written(request.form) if request.method == "POST" and "kind" in request.form else kept
    except ValidationError:
        text = kept
    if not text.blocks:
        text = text.model_copy(update={"blocks": (blank("p"),)})
    found = shown(desk, nearby, row, text)
    document: Document | None = DOCUMENTS.read(desk, row.document) if row.document else None
    facts = DraftIn.model_validate(row.facts) if row.facts else None
    by_place: dict[str, list[Any]] = {}
    for each in found.remarks:
        by_place.setdefault(_field(each.at), []).append(each)
    template = version(desk, row.template, row.template_revision) if row.template else None
    return {
        "row": row,
        "document": document,
        "kind": document.kind if document else facts.kind if facts else "NOTICE",
        "recipients": document.recipients if document else facts.recipients if facts else (),
        "level": document.level if document else facts.level if facts else "internal",
        "text": text,
        "labels": [*found.text.labels, *[""] * len(text.blocks)],
        "remarks": by_place,
        "grave": sum(each.grave for each in found.remarks),
        "said": len(found.remarks),
        "pages": found.layout.pages if found.layout else 0,
        "overtaken": keep.overtaken(desk, row),
        "phrases": tuple(template.phrases) if template else (),
        "template": template,
        "today": today_of(desk),
        "blank": blank,
    }


def _field(at: str) -> str:
    """The block or field that a remark stands at."""
    return "/".join(at.split("/")[:2])


def _elsewhere(row: Manuscript, text: TextIn, error: ManuscriptMovedOn) -> Response:
    """Both texts beside each other, and hers in the form, so that she decides."""
    record_refusal(error)
    other = TextIn.model_validate(row.text)
    page = render_template(
        "document/conflict.html",
        row=row,
        mine=text,
        turn=row.turn,
        problem=error,
        lines=aligned(parts_of(other), parts_of(text)),
    )
    return Response(page, error.status)


def _newer(desk: Desk, manuscript: str, error: TextMovedOn) -> Response:
    """The version that was saved meanwhile beside the text that is kept."""
    row = begin.mine(desk, manuscript)
    with desk.store.read() as session:
        data = content(session, row.document or "").data
    own = parts_of(TextIn.model_validate(row.text))
    theirs: Sequence[Any] = [each for each in parts(data) if each.what in {part.what for part in own} | _TEXT]
    page = render_template(
        "document/conflict.html",
        row=row,
        mine=None,
        turn=row.turn,
        problem=error,
        newest=error.facts["newest"],
        lines=aligned(theirs, own),
    )
    return Response(page, error.status)


_TEXT = frozenset({"title", "p", "h1", "h2", "h3", "h4", "row", "annex", "notes"})
