"""Attaching: an upload of one's own becomes a file of an object, within the act of the application that says so."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from yinxin.attachment.errors import ContentMissing, NameTaken, NoSuchAttachment, NoSuchUpload, TooMany
from yinxin.attachment.folder import Folder
from yinxin.attachment.models import Attachment, Content, Upload
from yinxin.attachment.receive import Receiving
from yinxin.store import Act
from yinxin.uploads import AttachmentOut


class Attaching:
    """The verbs of an object's files. Who may is the application's to ask; these join its act."""

    def __init__(self, folder: Folder, receiving: Receiving, most: int) -> None:
        self._folder = folder
        self._receiving = receiving
        self._most = most

    def attach(self, act: Act, subject: str, upload: str) -> AttachmentOut:
        """Make the actor's complete upload a file of `subject`; the record names its digests.

        Raises NoSuchUpload (also before it is complete), NameTaken, TooMany.
        """
        row = act.session.get(Upload, upload, with_for_update=True)
        if (
            row is None
            or row.content is None
            or row.person != act.actor.id
            or row.begun_at < self._receiving.lapsed()
        ):
            raise NoSuchUpload(upload=upload)
        there = self.of(act.session, subject)
        if row.name in (each.name for each in there):
            raise NameTaken(subject=subject, name=row.name)
        if len(there) >= self._most:
            raise TooMany(subject=subject, limit=self._most)
        act.session.add(
            Attachment(
                id=upload,
                subject=subject,
                name=row.name,
                media_type=self._receiving.kind(row.name).media_type,
                sha256=row.content,
                person=act.actor.id,
                at=self._receiving.now(),
            )
        )
        act.session.delete(row)
        act.session.flush()
        made = self.one(act.session, subject, upload)
        act.facts["attachment"] = {name: getattr(made, name) for name in ("id", "sha256", "sm3", "size")}
        return made

    def detach(self, act: Act, subject: str, attachment: str) -> AttachmentOut:
        """Take a file off `subject`; what nothing refers to is swept later. Raises NoSuchAttachment."""
        gone = self.one(act.session, subject, attachment)
        act.session.execute(sa.delete(Attachment).where(Attachment.id == attachment))
        act.facts["attachment"] = {name: getattr(gone, name) for name in ("id", "sha256", "sm3", "size")}
        return gone

    def of(self, session: Session, subject: str) -> list[AttachmentOut]:
        """The files of `subject`, in the order in which they were attached."""
        rows = session.execute(_joined().where(Attachment.subject == subject).order_by(Attachment.id))
        return [_out(file, content) for file, content in rows]

    def one(self, session: Session, subject: str, attachment: str) -> AttachmentOut:
        """One file of `subject`; raises NoSuchAttachment."""
        query = _joined().where(Attachment.subject == subject, Attachment.id == attachment)
        row = session.execute(query).one_or_none()
        if row is None:
            raise NoSuchAttachment(subject=subject, attachment=attachment)
        return _out(*row)

    def path(self, session: Session, attachment: AttachmentOut) -> Path:
        """Where its content lies; raises ContentMissing when it is not there as it was stored."""
        file = session.scalar(sa.select(Content.file).where(Content.sha256 == attachment.sha256))
        path = self._folder.root / (file or "")
        if file is None or not path.is_file() or path.stat().st_size != attachment.size:
            raise ContentMissing(name=attachment.name, sha256=attachment.sha256)
        return path


def _joined() -> sa.Select[Attachment, Content]:
    return sa.select(Attachment, Content).join(Content, Attachment.sha256 == Content.sha256)


def _out(file: Attachment, content: Content) -> AttachmentOut:
    return AttachmentOut(
        id=file.id,
        name=file.name,
        media_type=file.media_type,
        size=content.size,
        sha256=content.sha256,
        sm3=content.sm3,
        person=file.person,
        at=file.at,
    )
