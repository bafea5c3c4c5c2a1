"""Numbering and layout: the registrar gives the next number and the page is set, once, from the signed content."""

import datetime as dt
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from apps.document import content as contents
from apps.document import index, name_seal
from apps.document.desk import Desk, content
from apps.document.errors import NumberTaken
from apps.document.joint import parts, signed
from apps.document.layout import Layout, render
from apps.document.layout.kinds import Kind
from apps.document.layout.model import Elements, SealBox
from apps.document.models import Document, File, Numbering
from apps.document.records import DOCUMENTS, resource
from yinxin.steps import step

LAYOUT = "layout.pdf"
LAYOUT_OFD = "layout.ofd"
#: the year under which the serial of an organ's orders is kept: they are numbered on through the years
OF_ORDERS = 0

#: side of the place that is kept free where the organ has no seal yet, in mm
USUAL_SEAL = 42

#: how often a number may be taken by somebody else while the page is being set
TRIES = 5


def number(desk: Desk, document: str) -> str:
    """Give the next number of the organ's year, lay the page out and keep both; the number as printed.

    The page takes a second to set, so it is set outside the transaction for the number that is expected; if somebody
    else takes that number meanwhile, it is set again. A page that cannot be set takes no number: no gap, no repeat.
    """
    row = DOCUMENTS.read(desk, document)
    desk.core.require("document.number", resource(row))  # a page costs a second: not for anybody who may read
    DOCUMENTS.in_turn(row, "document.number")
    with desk.store.read() as session:
        joint = [each.seal_width for each in parts.joint(session, row.id)]
    widths = [desk.core.seal_size(row.organ), *joint]
    wide = max(each or USUAL_SEAL for each in widths)
    for attempt in range(TRIES):
        with desk.store.read() as session:
            elements = _elements(session, row)
        laid_out = render(elements, seal_mm=float(wide))
        files = {LAYOUT: laid_out.pdf, LAYOUT_OFD: laid_out.ofd}
        step("document.number.1-laid-out")
        try:
            _keep(desk, row, elements, (laid_out, widths), files)
        except NumberTaken:
            if attempt + 1 == TRIES:
                raise
        else:
            break
    return str(elements.number)


def _elements(session: Session, row: Document) -> Elements:
    dated = dt.date.fromisoformat(row.dated) if row.dated else dt.date(1949, 10, 1)
    data, joint = content(session, row.id).data, parts.joint(session, row.id)
    return contents.elements(
        data,
        serial=_last(session, row.organ, OF_ORDERS if row.kind == Kind.ORDER else dated.year) + 1,
        year=dated.year,
        date=dated,
        name_seals=name_seal.shown(session, row),
        signers=[row.signer_name or "", *(each.signer_name or "" for each in joint)],
        titles=signed.titles(data, row, joint),
    )


def _box(place: SealBox, width: int | None) -> dict[str, Any]:
    box = {"page": place.page, "x": place.x_mm, "y": place.y_mm, "size": place.size_mm}
    return box if width is None else box | {"width": width}


def _last(session: Session, organ: str, year: int) -> int:
    counter = session.get(Numbering, (organ, year))
    return counter.last if counter else 0


def _keep(
    desk: Desk,
    seen: Document,
    elements: Elements,
    made: tuple[Layout, Sequence[int | None]],
    files: Mapping[str, bytes],
) -> None:
    """Store number and pages in one act, with the places of the seals, whose widths in mm are known or not; raises NumberTaken when somebody else was quicker, MovedOn.

    The page was set from the document as `seen`, and is kept for that very version of it only.
    """
    laid_out, widths = made
    digests = {name: sha256(data).hexdigest() for name, data in files.items()}
    expected = elements.number
    assert expected.serial is not None  # noqa: S101 - `_elements` gave one
    facts: dict[str, Any] = {
        "number": str(expected),
        "layout_sha256": digests[LAYOUT],
        "layout_ofd_sha256": digests[LAYOUT_OFD],
    }
    series = OF_ORDERS if expected.of_order else expected.year
    with DOCUMENTS.move(desk, seen.id, "document.number", seen=seen, **facts) as (act, row):
        counter = act.session.get(Numbering, (row.organ, series), with_for_update=True)
        if counter is None:
            counter = Numbering(organ=row.organ, year=series, last=0)
            act.session.add(counter)
        if counter.last + 1 != expected.serial:
            raise NumberTaken(number=str(expected))
        counter.last = expected.serial
        row.number, row.number_year, row.number_serial = str(expected), expected.year, expected.serial
        row.pages = laid_out.pages
        if laid_out.seals:
            own, *others = map(_box, laid_out.seals, widths)
            row.seal_box = own
            for each, box in zip(parts.joint(act.session, row.id), others, strict=True):
                each.seal_box = box
        act.session.add_all(
            File(document=row.id, name=name, sha256=digests[name], data=data) for name, data in files.items()
        )
        newest = content(act.session, row.id)
        index.put(act.session, row, newest.data)
        act.facts["content_sha256"] = newest.sha256
