"""What a document's page shows and hands out: its files, and its pages as pictures."""

from urllib.parse import quote

from flask import Response, render_template

from apps.document import number, preview, seal, seal_ofd
from apps.document.desk import file, media_type
from apps.document.models import Document, State
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS
from yinxin.web import Caller, Pages

_ENDINGS = {
    seal.SEALED: ".pdf",
    seal_ofd.SEALED_OFD: ".ofd",
    number.LAYOUT_OFD: ".layout.ofd",
    seal.SEALED_SM: ".pdf.sm.p7s",
    number.LAYOUT: ".layout.pdf",
}


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    @pages.get("/<document>/files/<name>")
    def download(document: str, name: str, caller: Caller) -> Response:
        at_desk = desk(caller)
        row = DOCUMENTS.read(at_desk, document)
        with at_desk.store.read() as session:
            data = file(session, document, name).data
        return handed_out(data, media_type(name), file_name(row, name))

    @pages.get("/<document>/pages/<int:page>.png")
    def picture(document: str, page: int, caller: Caller) -> Response:
        at_desk = desk(caller)
        row = DOCUMENTS.read(at_desk, document)
        name = seal.SEALED if row.state in (State.SEALED, State.DISPATCHED) else number.LAYOUT
        with at_desk.store.read() as session:
            data = file(session, document, name).data
        return _drawn(data, page, "private, max-age=600")

    @pages.get("/<document>/preview")
    def preview_page(document: str, caller: Caller) -> str:
        at_desk = desk(caller)
        row = DOCUMENTS.read(at_desk, document)
        laid_out = preview.as_printed(at_desk, row)
        return render_template("document/preview.html", row=row, pages=laid_out.pages)

    @pages.get("/<document>/preview/<int:page>.png")
    def preview_picture(document: str, page: int, caller: Caller) -> Response:
        at_desk = desk(caller)
        laid_out = preview.as_printed(at_desk, DOCUMENTS.read(at_desk, document))
        return _drawn(laid_out.pdf, page, "no-store")  # the draft may be another one in a moment


def _drawn(pdf: bytes, page: int, kept: str) -> Response:
    return Response(preview.picture(pdf, page), mimetype="image/png", headers={"Cache-Control": kept})


def file_name(row: Document, name: str) -> str:
    """What a reader's own disk should call a file: by the document's number, once it has one."""
    return f"{row.number or row.id}{_ENDINGS.get(name, f'.{name}')}"


def handed_out(data: bytes, media: str, name: str) -> Response:
    """A file to keep, under `name` (RFC 6266; in UTF-8 by RFC 8187, for numbers are Chinese)."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(data, mimetype=media, headers={"Content-Disposition": disposition})
