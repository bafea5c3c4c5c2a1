"""What a document is found by: its title and number, its text, and the names of its attachments."""

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.desk import content
from apps.document.models import Document
from apps.document.records import DOCUMENTS
from yinxin import canonical, search
from yinxin.store import Store

KIND = "Document"
#: documents that the job takes in at a time
_BATCH = 100


def put(session: Session, row: Document, data: bytes) -> None:
    """Index the document as it is now, with the content `data`; a part of the act that changed it."""
    title = f"{row.title} {row.number}" if row.number else row.title
    search.put(session, KIND, row.id, title=title, body=text(data))


def catch_up(store: Store) -> int:
    """Take in what was there before the index was; how many. Safe to repeat."""
    count = 0
    while True:
        with store.read() as session:
            missing = sa.select(Document.id).where(search.missing(KIND, Document.id)).limit(_BATCH)
            found = list(session.scalars(missing))
        if not found:
            return count
        for document in found:
            with store.housekeep() as session:
                put(session, DOCUMENTS.load(session, document, lock=True), content(session, document).data)
        count += len(found)


def text(data: bytes) -> str:
    """The words of a content, in the order in which they are read."""
    body: Mapping[str, Any] = canonical.decode(data)
    return "\n".join(part for part in _parts(body) if part)


def _parts(body: Mapping[str, Any]) -> Iterator[str]:
    yield from _blocks(body["body"])
    for each in body["attachments"]:
        yield each["title"]
        yield from _blocks(each["body"])
    yield body["notes"] or ""
    yield from (each["name"] for each in body.get("files", ()))


def _blocks(blocks: list[Mapping[str, Any]]) -> Iterator[str]:
    for block in blocks:
        if block["t"] == "table":
            yield from (" ".join(row) for row in block["rows"])
        else:
            yield block["text"] + block.get("rest", "")
