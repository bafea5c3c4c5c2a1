"""Printing a classified document: the next number is allotted and recorded first, then the pages are drawn with it.

The sealed file is one and the same for everybody: receipts, evidence and the log name it by its digest, so it bears no number, only
the room for one. A print is a picture of it with its number, its holder and whoever printed it on every page; it is kept nowhere, and
what is to be verified is the sealed file.
"""

from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageChops, ImageDraw

from apps.document.content import elements
from apps.document.desk import Desk, content, file
from apps.document.layout.stamped import Stamped, stamped
from apps.document.numbered.allot import allot
from apps.document.numbered.errors import NotNumbered
from apps.document.numbered.models import Medium
from apps.document.preview import drawn
from apps.document.records import DOCUMENTS
from apps.document.seal import SEALED
from yinxin.calendar import local_date
from yinxin.clock import official
from yinxin.grade import CLASSIFIED
from yinxin.steps import step

VERB = "document.print"
#: dots per inch of what goes to a printer
DPI = 200
_QUALITY = 90
_POINTS = 72


@dataclass(frozen=True, slots=True)
class Printed:
    """A print: what stands on it as its number, and the pages as PDF."""

    number: str
    pdf: bytes


def print_copy(desk: Desk, document: str, reader: str = "") -> Printed:
    """Allot the next number to the person's organ, and draw the pages with it; `reader` is for whom, shown on every page.

    A print that was cut short has taken its number: the register says so, and the next one has another. Raises NotNumbered,
    NotPermitted, WrongState, PreviewUnavailable.
    """
    organ = desk.caller.actor.organ or ""
    name = reader.strip()
    with DOCUMENTS.move(desk, document, VERB) as (act, row):
        if row.level not in CLASSIFIED:
            raise NotNumbered(document=document)
        (*_, made) = allot(desk.store, act, row, [organ], medium=Medium.PAPER, reader=name or None)
        act.facts["copy_number"], number = made.number, made.shown
    step("document.print.1-allotted")
    with desk.store.read() as session:
        sealed = file(session, document, SEALED).data
        data = content(session, document).data
    now = desk.store.clock.now()
    holder, date = desk.core.organ(organ).name, local_date(now)
    foot = f"份号 {number}　持有 {holder}　{desk.caller.name} 于 {official(now)} 打印"
    # number, date and signers have no part in where the copy number stands
    shown = elements(data, serial=1, year=date.year, date=date, signers=["　"])
    mark = stamped(shown, number, foot + (f"　阅件人 {name}" if name else ""))
    return Printed(number, _drawn(sealed, row.pages or 1, mark))


def _drawn(sealed: bytes, count: int, mark: Stamped) -> bytes:
    """The pages of the sealed file as pictures, with number and foot over them."""
    pages = []
    for page in range(1, count + 1):
        picture = Image.open(BytesIO(drawn(sealed, page, DPI))).convert("RGB")
        over = Image.open(BytesIO(drawn(mark.pdf, 1 if page == 1 else 2, DPI))).convert("RGB")
        if page == 1:  # of documents that were sealed before copies had numbers
            box = [round(each * DPI / _POINTS) for each in mark.corner]
            ImageDraw.Draw(picture).rectangle(box, fill="white")
        pages.append(ImageChops.multiply(picture, over.resize(picture.size)))
    out = BytesIO()
    first, *rest = pages
    first.save(out, "PDF", save_all=True, append_images=rest, resolution=DPI, quality=_QUALITY)
    return out.getvalue()
