"""Templates: the organ's list, making and changing one in the editor's blocks, its versions."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from apps.document.desk import Desk
from apps.document.layout.draft import TEXT_LIMIT
from apps.document.manuscript.text import composed
from apps.document.pages.blocks import apply, blank, written
from apps.document.pages.desks import Desks
from apps.document.template import records
from apps.document.template.models import State
from yinxin.faults import sentence
from yinxin.manuscripts import TemplateIn, TextIn
from yinxin.web import Caller, Form, Pages, current_caller, kit
from yinxin.web.errors import Fault, InvalidRequest

_LIMIT = 10 * TEXT_LIMIT
_ROLES = frozenset({"clerk", "registrar"})


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""
    _looking(pages, desk)
    _changing(pages, desk)


def _looking(pages: Pages, desk: Desks) -> None:
    @pages.get("/templates")
    def templates(caller: Caller) -> str:
        rows = records.offered(desk(caller), retired=True)
        return render_template(
            "document/templates.html", rows=rows, keeps=bool(_ROLES & caller.roles), retired=State.RETIRED
        )

    @pages.get("/templates/<template>")
    def template(template: str, caller: Caller) -> str:
        at_desk = desk(caller)
        return render_template(
            "document/template_shown.html",
            row=records.TEMPLATES.read(at_desk, template),
            versions=tuple(reversed(records.versions(at_desk, template))),
            keeps=bool(_ROLES & caller.roles),
            retired=State.RETIRED,
            draft=lambda found: composed(TextIn.model_validate(found.text)).draft,
        )


def _changing(pages: Pages, desk: Desks) -> None:
    def new() -> Mapping[str, Any]:
        return _context(TemplateIn(name="-", kind="NOTICE", text=TextIn()), "")

    @pages.form("/templates/new", "document/template.html", context=new, limit=_LIMIT)
    def make_template(caller: Caller) -> str | Response:
        if request.form.get("do"):
            return _again(new())
        return redirect(url_for("document.template", template=records.make(desk(caller), _sent())), 303)

    def before(template: str) -> Mapping[str, Any]:
        at_desk = desk(current_caller())
        return _shown(at_desk, template)

    @pages.form("/templates/<template>/change", "document/template.html", context=before, limit=_LIMIT)
    def change_template(template: str, caller: Caller) -> str | Response:
        if request.form.get("do"):
            return _again(before(template))
        base = request.form.get("base", "")
        records.change(desk(caller), template, _sent(), base=int(base) if base.isdecimal() else None)
        return redirect(url_for("document.template", template=template), 303)

    @pages.act("/templates/<template>/retirement")
    def retire_template(template: str, caller: Caller) -> Response:
        records.retire(desk(caller), template)
        return redirect(url_for("document.template", template=template), 303)

    @pages.act("/templates/<template>/resumption")
    def resume_template(template: str, caller: Caller) -> Response:
        records.resume(desk(caller), template)
        return redirect(url_for("document.template", template=template), 303)


def _again(context: Mapping[str, Any]) -> str:
    """The form after one of its buttons was pressed that changes the text alone."""
    return render_template("document/template.html", form=Form(kit().store.identifier()), **context)


def _sent() -> TemplateIn:
    try:
        return TemplateIn.model_validate(
            {
                "name": request.form.get("name", "").strip(),
                "kind": request.form.get("of_kind", ""),
                "text": written(request.form),
                "phrases": _phrases(),
            }
        )
    except ValidationError as error:
        faults = tuple(
            Fault("form", f"/{each['loc'][0] if each['loc'] else ''}", each["type"], sentence(each))
            for each in error.errors(include_url=False, include_input=False)
        )
        raise InvalidRequest(faults=faults) from error


def _phrases() -> list[str]:
    return [line.strip() for line in request.form.get("phrases", "").splitlines() if line.strip()]


def _shown(desk: Desk, template: str) -> Mapping[str, Any]:
    found = records.version(desk, template)
    kept = TemplateIn.model_validate(
        {"name": found.name, "kind": found.kind, "text": found.text, "phrases": found.phrases}
    )
    return _context(kept, found.name) | {"row": template, "base": found.revision}


def _context(kept: TemplateIn, name: str) -> dict[str, Any]:
    """What the form shows: what was just sent, else what there is."""
    text, kind, phrases = kept.text, str(kept.kind), list(kept.phrases)
    if request.method == "POST":
        try:
            text = written(request.form)
        except ValidationError:
            text = kept.text
        name, kind, phrases = request.form.get("name", ""), request.form.get("of_kind", kind), _phrases()
    if request.form.get("do"):
        text, _ = apply(text, request.form["do"])
    if not text.blocks:
        text = text.model_copy(update={"blocks": (blank("p"),)})
    return {
        "name": name,
        "of_kind": kind,
        "text": text,
        "phrases": "\n".join(phrases),
        "labels": [*composed(text).labels, *[""] * len(text.blocks)],
        "row": None,
        "base": "",
        "blank": blank,
    }
