"""Templates as records: made, changed, retired; how the policies see one, and where the tables keep that."""

from collections.abc import Sequence
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from apps.document.desk import Desk
from apps.document.layout.kinds import Kind
from apps.document.template.errors import NameInUse, NoSuchVersion, TemplateMovedOn
from apps.document.template.models import State, Template, TemplateVersion
from yinxin.authz import Level, Resource
from yinxin.flow import Life, Records, Transition
from yinxin.manuscripts import TemplateIn
from yinxin.store import Columns
from yinxin.text import Text

MAKE, CHANGE, RETIRE, RESUME = (
    f"document.{verb}" for verb in ("make-template", "change-template", "retire-template", "resume-template")
)
#: templates that an organ is shown at once
MOST = 200

LIFE = Life(
    name="template",
    module="document",
    thing=Text("模板", "template"),
    states={State.IN_USE: Text("在用", "in use"), State.RETIRED: Text("停用", "retired")},
    transitions=(
        Transition(MAKE, Text("新建模板", "make a template"), to=State.IN_USE),
        Transition(CHANGE, Text("修改模板", "change a template"), (State.IN_USE,)),
        Transition(RETIRE, Text("停用模板", "retire a template"), (State.IN_USE,), State.RETIRED),
        Transition(RESUME, Text("恢复模板", "take a template up again"), (State.RETIRED,), State.IN_USE),
    ),
)


def resource(row: Template) -> Resource:
    """The template as the policies see it."""
    return Resource(
        "Template",
        row.id,
        organ=row.organ,
        level=cast("Level", row.level),
        attributes={"kind": row.kind, "state": row.state},
    )


TEMPLATES: Records[Template] = Records(
    life=LIFE,
    table=Template,
    resource=resource,
    columns=Columns(Template.organ, Template.level, {"kind": Template.kind, "state": Template.state}),
)


def make(desk: Desk, new: TemplateIn) -> str:
    """Make a template of one's organ; raises NameInUse, NotPermitted."""
    row = Template(
        id=desk.store.identifier(), organ=desk.caller.actor.organ or "", level="internal", kind=new.kind
    )
    row.name, row.revision = new.name, 1
    try:
        with TEMPLATES.begin(desk, row, MAKE, kind=new.kind) as act:
            _free(act.session, row, new.name)
            act.session.add(row)
            act.session.flush()
            act.session.add(_version(desk, row.id, 1, new))
    except IntegrityError:
        raise NameInUse(name=new.name) from None
    return row.id


def change(desk: Desk, template: str, new: TemplateIn, *, base: int | None = None) -> int:
    """Give it a new version; the earlier ones stay. The number of the version.

    `base` is the version that it was made from. Raises NoSuchRecord, WrongState, MovedOn, TemplateMovedOn,
    NameInUse, NotPermitted.
    """
    seen = TEMPLATES.read(desk, template)
    try:
        with TEMPLATES.move(desk, template, CHANGE, seen=seen) as (act, row):
            if base is not None and base != row.revision:
                raise TemplateMovedOn(base=base, newest=row.revision)
            if new.name != row.name:
                _free(act.session, row, new.name)
            row.name, row.kind, row.revision = new.name, new.kind, row.revision + 1
            act.session.add(_version(desk, template, row.revision, new))
            act.facts["revision"] = row.revision
    except IntegrityError:
        raise NameInUse(name=new.name) from None
    return row.revision


def retire(desk: Desk, template: str) -> None:
    """Offer it no more; raises NoSuchRecord, WrongState, NotPermitted."""
    with TEMPLATES.move(desk, template, RETIRE):
        pass


def resume(desk: Desk, template: str) -> None:
    """Offer it again; raises NoSuchRecord, WrongState, NotPermitted."""
    with TEMPLATES.move(desk, template, RESUME):
        pass


def offered(desk: Desk, *, retired: bool = False) -> Sequence[Template]:
    """The templates of one's organ that one may see, the newest first; those retired as well if asked for."""
    query = sa.select(Template).where(Template.organ == (desk.caller.actor.organ or ""))
    if not retired:
        query = query.where(Template.state == State.IN_USE)
    return TEMPLATES.page(desk, query, limit=MOST)[0]


def version(desk: Desk, template: str, revision: int | None = None) -> TemplateVersion:
    """A version of a template that this person may read, the newest by default; raises NoSuchRecord, NoSuchVersion."""
    row = TEMPLATES.read(desk, template)
    with desk.store.read() as session:
        found = session.get(TemplateVersion, (template, revision or row.revision))
        if found is None:
            raise NoSuchVersion(revision=revision)
        session.expunge(found)
        return found


def versions(desk: Desk, template: str) -> Sequence[TemplateVersion]:
    """Its versions, the first one first; raises NoSuchRecord."""
    TEMPLATES.read(desk, template)
    mine = TemplateVersion.template == template
    with desk.store.read() as session:
        rows = session.scalars(
            sa.select(TemplateVersion).where(mine).order_by(TemplateVersion.revision)
        ).all()
        session.expunge_all()
    return rows


def _free(session: Session, row: Template, name: str) -> None:
    """Raise NameInUse unless no other template of the organ has the name."""
    other = sa.select(Template.id).where(
        Template.organ == row.organ, Template.name == name, Template.id != row.id
    )
    if session.scalar(other) is not None:
        raise NameInUse(name=name)


def _version(desk: Desk, template: str, revision: int, new: TemplateIn) -> TemplateVersion:
    return TemplateVersion(
        template=template,
        revision=revision,
        name=new.name,
        kind=Kind(new.kind).value,
        text=new.text.model_dump(mode="json"),
        phrases=list(new.phrases),
        person=desk.caller.actor.id,
        at=desk.store.clock.now(),
    )
