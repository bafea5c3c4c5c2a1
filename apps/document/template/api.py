"""The HTTP face of templates."""

from collections.abc import Callable

from apps.document.desk import Desk
from apps.document.layout.draft import TEXT_LIMIT
from apps.document.template import records
from apps.document.template.errors import NameInUse, NoSuchVersion
from apps.document.template.models import Template, TemplateVersion
from yinxin.documents import DocumentRef
from yinxin.errors import NotPermitted
from yinxin.flow import REFUSALS, NoSuchRecord
from yinxin.manuscripts import (
    TemplateIn,
    TemplateOut,
    TemplatesOut,
    TemplatesQuery,
    TemplateVersionOut,
    TemplateVersionsOut,
    TextIn,
)
from yinxin.text import Text
from yinxin.web import Api, Caller

Desks = Callable[[Caller], Desk]


def declare(api: Api, desk: Desks) -> None:
    """Add it to the API of documents."""

    @api.get("/templates", summary=Text("本机关模板", "The templates of one's organ"))
    def templates(query: TemplatesQuery, caller: Caller) -> TemplatesOut:
        found = records.offered(desk(caller), retired=query.retired)
        return TemplatesOut(items=[template_out(row) for row in found])

    @api.post(
        "/templates",
        status=201,
        limit=2 * TEXT_LIMIT,
        problems=(NotPermitted, NameInUse),
        summary=Text("新建模板", "Make a template"),
    )
    def make_template(body: TemplateIn, caller: Caller) -> DocumentRef:
        return DocumentRef(id=records.make(desk(caller), body))

    @api.post(
        "/templates/<template>/versions",
        status=204,
        limit=2 * TEXT_LIMIT,
        problems=(*REFUSALS, NameInUse),
        summary=Text("修改模板", "Change a template"),
    )
    def change_template(template: str, body: TemplateIn, caller: Caller) -> None:
        records.change(desk(caller), template, body)

    @api.get(
        "/templates/<template>/versions",
        problems=(NoSuchRecord, NoSuchVersion),
        summary=Text("模板的各版本", "The versions of a template"),
    )
    def template_versions(template: str, caller: Caller) -> TemplateVersionsOut:
        found = records.versions(desk(caller), template)
        return TemplateVersionsOut(items=[version_out(each) for each in found])

    @api.post(
        "/templates/<template>/retirement",
        status=204,
        problems=REFUSALS,
        summary=Text("停用模板", "Retire a template"),
    )
    def retire_template(template: str, caller: Caller) -> None:
        records.retire(desk(caller), template)

    @api.post(
        "/templates/<template>/resumption",
        status=204,
        problems=REFUSALS,
        summary=Text("恢复模板", "Take a template up again"),
    )
    def resume_template(template: str, caller: Caller) -> None:
        records.resume(desk(caller), template)


def template_out(row: Template) -> TemplateOut:
    """A template as the API shows it."""
    return TemplateOut.model_validate({name: getattr(row, name) for name in TemplateOut.model_fields})


def version_out(found: TemplateVersion) -> TemplateVersionOut:
    """A version as the API shows it."""
    return TemplateVersionOut(
        revision=found.revision,
        name=found.name,
        kind=found.kind,
        text=TextIn.model_validate(found.text),
        phrases=list(found.phrases),
        person=found.person,
        at=found.at,
    )
