"""Attaching files to a draft: each change of them is a new version of its content, which names them by their digests."""

from collections.abc import Sequence
from hashlib import sha256

from apps.document import content as contents
from apps.document import index
from apps.document.desk import Desk, content
from apps.document.models import Content, Document
from apps.document.quota import demand_file
from apps.document.records import DOCUMENTS
from yinxin.store import Act
from yinxin.uploads import AttachmentOut
from yinxin.web import Stored

ATTACH = "document.attach"
DETACH = "document.detach"


def attach(desk: Desk, document: str, upload: str) -> AttachmentOut:
    """Make the drafter's own complete upload a file of her draft.

    Raises NoSuchUpload, NameTaken, TooMany, NotPermitted, WrongState, MovedOn, QuotaExceeded.
    """
    with DOCUMENTS.move(desk, document, ATTACH) as (act, row):
        demand_file(desk.quotas, act.session, row.organ, upload)
        made = desk.attachments.files.attach(act, DOCUMENTS.subject(document), upload)
        _rewritten(desk, act, row)
    return made


def detach(desk: Desk, document: str, attachment: str) -> None:
    """Take a file off the draft; raises NoSuchAttachment, NotPermitted, WrongState, MovedOn."""
    with DOCUMENTS.move(desk, document, DETACH) as (act, row):
        desk.attachments.files.detach(act, DOCUMENTS.subject(document), attachment)
        _rewritten(desk, act, row)


def attached(desk: Desk, document: str) -> Sequence[AttachmentOut]:
    """The files of a document that this person may read; raises NoSuchRecord."""
    DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        return desk.attachments.files.of(session, DOCUMENTS.subject(document))


def handed_out(desk: Desk, document: str, attachment: str) -> Stored:
    """One of them, to be sent; raises NoSuchRecord, NoSuchAttachment, ContentMissing."""
    DOCUMENTS.read(desk, document)
    with desk.store.read() as session:
        found = desk.attachments.files.one(session, DOCUMENTS.subject(document), attachment)
        path = desk.attachments.files.path(session, found)
    return Stored(path, found.media_type, found.name, found.sha256)


def _rewritten(desk: Desk, act: Act, row: Document) -> None:
    """The newest version of the text with the files as they are now, as a version of its own."""
    files = desk.attachments.files.of(act.session, DOCUMENTS.subject(row.id))
    rewritten(act, row, contents.with_files(content(act.session, row.id).data, files))


def rewritten(act: Act, row: Document, data: bytes) -> None:
    """A version of the content that was made from the newest one, within the act."""
    newest = content(act.session, row.id)
    digest = sha256(data).hexdigest()
    act.session.add(
        Content(
            document=row.id,
            revision=newest.revision + 1,
            filename=newest.filename,
            source=newest.source,
            data=data,
            sha256=digest,
        )
    )
    index.put(act.session, row, data)
    act.facts["content_sha256"] = digest
