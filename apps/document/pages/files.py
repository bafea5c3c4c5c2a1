"""What a document's page shows and hands out: its files, and its pages as pictures."""

from urllib.parse import quote

from flask import Response

from apps.document import number, preview, seal
from apps.document.desk import file
from apps.document.models import Document, State
from apps.document.pages.desks import Desks
from apps.document.records import DOCUMENTS
from yinxin.web import Caller, Pages

_ENDINGS = {seal.SEALED: ".pdf", seal.SEALED_SM: ".pdf.sm.p7s", number.LAYOUT: ".layout.pdf"}


def add(pages: Pages, desk: Desks) -> None:
    """Declare the pages."""

    @pages.get("/<document>/files/<name>")
    def download(document: str, name: str, caller: Caller) -> Response:
        at_desk = desk(caller)
        row = DOCUMENTS.read(at_desk, document)
        with at_desk.store.read() as session:
            data = file(session, document, name).data
        media = "application/pdf" if name.endswith(".pdf") else "application/pkcs7-signature"
        return handed_out(data, media, file_name(row, name))

    @pages.get("/<document>/pages/<int:page>.png")
    def picture(document: str, page: int, caller: Caller) -> Response:
        at_desk = desk(caller)
        row = DOCUMENTS.read(at_desk, document)
        name = seal.SEALED if row.state in (State.SEALED, State.DISPATCHED) else number.LAYOUT
        with at_desk.store.read() as session:
            data = file(session, document, name).data
        headers = {"Cache-Control": "private, max-age=600"}
        return Response(preview.picture(data, page), mimetype="image/png", headers=headers)


def file_name(row: Document, name: str) -> str:
    """What a reader's own disk should call a file: by the document's number, once it has one."""
    return f"{row.number or row.id}{_ENDINGS.get(name, f'.{name}')}"


def handed_out(data: bytes, media: str, name: str) -> Response:
    """A file to keep, under `name` (RFC 6266; in UTF-8 by RFC 8187, for numbers are Chinese)."""
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(data, mimetype=media, headers={"Content-Disposition": disposition})
