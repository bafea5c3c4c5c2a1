"""A text as it will print: set by the engine that sets the document, at every key that is pressed, with what is to be said of it."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from apps.document import content, direction
from apps.document.core import Organ
from apps.document.desk import Desk
from apps.document.errors import UnknownRecipient
from apps.document.layout.blocks import Composed
from apps.document.layout.errors import DoesNotFit, ElementMissing
from apps.document.layout.kinds import Kind
from apps.document.layout.model import Block, Draft, Elements, Heading, Paragraph, Table
from apps.document.layout.remarks import Remark, remarks, shown, unplaced
from apps.document.layout.render import DEFAULT_FACES, Layout, lay_out
from apps.document.layout.rows import RECIPIENTS
from apps.document.manuscript.text import composed
from apps.document.sites.choose import Addressable
from apps.document.template.placeholders import PLACEHOLDER
from yinxin.authz import Level
from yinxin.calendar import local_date
from yinxin.errors import Invalid
from yinxin.manuscripts import TextIn
from yinxin.text import Text
from yinxin.uploads import AttachmentOut

#: what stands where the writer has not yet written
_TITLE, _BODY, _ANNEX = "（标题）", "（正文）", "（附件标题）"
_TITLE_RULE = "document.rule.title_without_kind"
_AT = re.compile(r"^(/body/\d+|/attachments/\d+/(?:title|body/\d+))((?:/rows/\d+/\d+)?)$")
#: characters that are set as somebody types: some 150 pages
MOST = 100_000
_TOO_LONG = Remark(
    "",
    "document.remark.too_long",
    Text(
        f"正文超过 {MOST} 字，不再边写边排：请保存后用“预览版面”查看。",
        f"The text has more than {MOST} characters and is not set as you type: save it and look at its preview.",
    ),
)
#: room for the name of whoever signs it off
SIGNER = "　　　"


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a document, beside its text, shows on its pages or rules them."""

    kind: Kind
    recipients: tuple[str, ...] = ()
    copied_to: tuple[str, ...] = ()
    urgency: str | None = None
    level: Level = "internal"
    skips: str | None = None
    mark: str = ""
    files: Sequence[AttachmentOut] = ()
    joint: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """The pages, or None where the text finds no place on them, and the remarks by the editor's own places."""

    layout: Layout | None
    text: Composed
    remarks: tuple[Remark, ...]


def view(text: TextIn, facts: Facts, own: Organ, known: Addressable, today: dt.date) -> View:
    """The text as it would print today. Nothing is refused; what would be is a grave remark."""
    made = composed(text)
    found = [*_missing(made.draft), *_ruled(facts, own, known)]
    draft = _filled(made.draft)
    elements = _elements(draft, facts, own, known, today)
    layout = None
    try:
        layout = None if _long(text) else lay_out(_shown(elements))
    except DoesNotFit as error:
        found.append(unplaced(error))
    if layout is None and _long(text):
        found.append(_TOO_LONG)
    untitled = not made.draft.title
    found += (
        each
        for each in remarks(elements, layout.placed if layout else None, DEFAULT_FACES)
        if not (untitled and each.code == _TITLE_RULE)
    )
    placed = [_where(made, each) for each in found]
    return View(layout, made, tuple(sorted([*placed, *_astray(made), *_left(text)], key=_order)))


def _long(text: TextIn) -> bool:
    """Whether it is too long to be set at every key that is pressed."""
    cells = (cell for block in text.blocks for row in block.rows for cell in row)
    return sum(map(len, (*(block.text for block in text.blocks), *cells))) > MOST


def _elements(draft: Draft, facts: Facts, own: Organ, known: Addressable, today: dt.date) -> Elements:
    names, copied = (
        [known.organs[each].name if each in known.organs else each for each in named]
        for named in (facts.recipients, facts.copied_to)
    )
    data = content.encode(
        draft,
        kind=facts.kind,
        organ={"id": own.id, "name": own.name, "code": own.code},
        recipients=facts.recipients,
        names=names,
        copied_to=copied,
        urgency=facts.urgency,
        secrecy=facts.mark,
        joint=[
            {"id": each, "name": known.organs[each].name if each in known.organs else each}
            for each in facts.joint
        ],
        files=facts.files,
    )
    signers = [SIGNER] * (1 + len(facts.joint))
    return content.elements(data, serial=None, year=today.year, date=today, signers=signers)


def today_of(desk: Desk) -> dt.date:
    """The day that the pages are dated by while nobody has signed."""
    return local_date(desk.store.clock.now())


def _missing(draft: Draft) -> Iterator[Remark]:
    if not draft.title:
        yield Remark.of(ElementMissing(element="标题 title"), "/title")
    if not draft.blocks:
        yield Remark.of(ElementMissing(element="正文 body"), "")
    for number, each in enumerate(draft.attachments):
        if not each.title:
            error = ElementMissing(element="附件标题 title of an attachment")
            yield Remark.of(error, f"/attachments/{number}/title")


def _ruled(facts: Facts, own: Organ, known: Addressable) -> Iterator[Remark]:
    """The rules that need the tree of organs."""
    try:
        for each in (*facts.recipients, *facts.copied_to):
            if each not in known.organs:
                raise UnknownRecipient(organ=each)
        known.demand_cleared((*facts.recipients, *facts.copied_to), facts.level)
        direction.check(
            facts.kind, own.id, known, main=facts.recipients, copies=facts.copied_to, skips=facts.skips
        )
    except Invalid as error:
        yield Remark.of(error, RECIPIENTS)


def _filled(draft: Draft) -> Draft:
    """With something in the place of what is not written yet, so that there are pages to look at."""
    annexes = tuple(replace(each, title=each.title or _ANNEX) for each in draft.attachments)
    body = draft.blocks or (Paragraph(_BODY),)
    return replace(draft, title=draft.title or _TITLE, blocks=body, attachments=annexes)


def _shown(elements: Elements) -> Elements:
    """With what can be shown of every text: a character that cannot stand is remarked upon."""
    return replace(
        elements,
        title=_show(elements.title) or _TITLE,
        body=tuple(map(_block, elements.body)),
        notes=_show(elements.notes) if elements.notes else None,
        attachments=tuple(
            replace(each, title=_show(each.title) or _ANNEX, blocks=tuple(map(_block, each.blocks)))
            for each in elements.attachments
        ),
    )


def _show(text: str) -> str:
    return shown(text, DEFAULT_FACES)


def _block(block: Block) -> Block:
    match block:
        case Paragraph(text):
            return Paragraph(_show(text))
        case Heading(level, text, rest):
            return Heading(level, _show(text), _show(rest))
        case Table(rows):
            return Table(tuple(tuple(map(_show, row)) for row in rows))


def _where(made: Composed, remark: Remark) -> Remark:
    """The remark at the place where the editor has it."""
    ends = {RECIPIENTS: "recipients", "/copied_to": "recipients", "/title": "title", "/notes": "notes"}
    match = _AT.match(remark.at)
    if match is None:
        return replace(remark, at=ends.get(remark.at, ""))
    place = made.places.get(match[1])
    if place is None:
        return replace(remark, at="")
    start = max(remark.start + (0 if match[2] else place.shift), 0)
    return replace(remark, at=f"blocks/{place.block}{match[2]}", start=start)


def _astray(made: Composed) -> Iterator[Remark]:
    for block, due in made.astray.items():
        yield Remark(
            f"blocks/{block}",
            "document.remark.number_astray",
            Text(
                f"这一级标题的下一个序号应为“{due}”：删去自带的序号即自动编号。",
                f"The next number of this level is “{due}”: without a number of its own it is given that.",
            ),
        )


def _left(text: TextIn) -> Iterator[Remark]:
    """What is still to be filled in."""
    parts = [("title", text.title), ("notes", text.notes)]
    for index, block in enumerate(text.blocks):
        parts.append((f"blocks/{index}", block.text))
        for row, cells in enumerate(block.rows):
            parts += ((f"blocks/{index}/rows/{row}/{column}", cell) for column, cell in enumerate(cells))
    for at, part in parts:
        for match in PLACEHOLDER.finditer(part):
            yield Remark(
                at,
                "document.remark.placeholder",
                Text(f"待填项{match[0]}还没有填写。", f"{match[0]} is still to be filled in."),
                start=match.start(),
            )


def _order(remark: Remark) -> tuple[bool, tuple[int, ...], int]:
    """What keeps it from being saved first; then in the order of the page."""
    heads = {"": 0, "recipients": 1, "title": 2, "notes": 10**6}
    numbers = tuple(int(part) for part in remark.at.split("/") if part.isdecimal())
    first = heads.get(remark.at, 3)
    return not remark.grave, (first, *numbers), remark.start
