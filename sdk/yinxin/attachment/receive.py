"""Uploads: a file comes in parts or at once, is held to what its sender said of it, and becomes a content of the store.

Who sends it must be asked for permission before (`attachment.upload`); an upload is hers alone, so that knowing the digest of
somebody else's file is no way to it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from yinxin.act import Actor
from yinxin.attachment.errors import (
    ContentMissing,
    DigestDiffers,
    FileLarger,
    Incomplete,
    KindNotTaken,
    NameNotTaken,
    NoSuchUpload,
    NotWhatItSays,
    TooMuchWaiting,
)
from yinxin.attachment.folder import Folder, Measured
from yinxin.attachment.kinds import KINDS, LONGEST_NAME, FileKind, ending, nameable
from yinxin.attachment.models import Content, Upload
from yinxin.attachment.settings import AttachmentSettings
from yinxin.crypto.suite import INTL, SM
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Store
from yinxin.uploads import UploadIn, UploadOut

UPLOAD = "attachment.upload"
#: whose upload it is, in the log
SUBJECT = "upload"


class Receiving:
    """The verbs of uploads."""

    def __init__(self, store: Store, settings: AttachmentSettings, folder: Folder) -> None:
        self._store = store
        self._settings = settings
        self._folder = folder

    def begin(self, actor: Actor, wanted: UploadIn) -> UploadOut:
        """An upload to send parts to; begun again for the same file it is the one that is under way.

        Raises NameNotTaken, FileLarger, KindNotTaken, TooMuchWaiting.
        """
        self.kind(wanted.name)
        if wanted.size > self._settings.largest:
            raise FileLarger(name=wanted.name, size=wanted.size, limit=self._settings.largest)
        with self._store.housekeep() as session:
            _one_by_one(session, actor)
            row = self._same(session, actor, wanted)
            if row is None:
                self._room(session, actor, wanted.size)
                row = Upload(
                    id=self._store.identifier(),
                    person=actor.id,
                    name=wanted.name,
                    size=wanted.size,
                    sha256=wanted.sha256,
                    sm3=wanted.sm3,
                    content=None,
                    begun_at=self._store.clock.now(),
                )
                session.add(row)
                session.flush()
            return self._out(row)

    def show(self, actor: Actor, upload: str) -> UploadOut:
        """How far an upload has come; raises NoSuchUpload."""
        return self._out(self._mine(actor, upload))

    def write(self, actor: Actor, upload: str, offset: int, stream: BinaryIO) -> UploadOut:
        """Take a part, which begins at `offset`; on disk when this returns.

        Raises NoSuchUpload, WrongOffset, UploadBusy, PartLarger.
        """
        row = self._mine(actor, upload)
        if row.content is None:
            limit = min(self._settings.part, max(row.size - offset, 0))
            self._folder.append(upload, offset, stream, limit)
        return self._out(row)

    def complete(self, actor: Actor, upload: str, decision: Mapping[str, Any] | None = None) -> UploadOut:
        """The whole has arrived: check it, and take it into the store. Done again it changes nothing.

        1. The file is read once, closed to parts that still arrive: size, digests, kind. What differs is refused, on record, and thrown away. 2. It gets its
        place among the contents. 3. Content and record are one transaction. A process that dies in between leaves a
        file that nothing refers to, and the same call goes on from there.

        Raises NoSuchUpload, Incomplete, UploadBusy, DigestDiffers, NotWhatItSays.
        """
        row = self._mine(actor, upload)
        if row.content is not None:
            return self._out(row)
        name = self._folder.name(row.sha256, upload)
        placed = self._folder.root / name
        path = placed if placed.exists() else self._folder.part(upload)
        received = path.stat().st_size if path.exists() else 0
        if received < row.size:
            raise Incomplete(upload=upload, received=received, size=row.size)
        with self._folder.closed(upload, path):
            measured = self._folder.measure(path, self.kind(row.name))
            try:
                _hold(row, measured)
            except YinxinError as error:
                self._store.refuse(actor, UPLOAD, f"{SUBJECT}:{upload}", error)
                self.forget(upload)
                raise
            step("attachment.upload.1-checked")
            self._folder.publish(upload, name)
        step("attachment.upload.2-placed")
        self._keep(actor, row, name, measured, decision)
        step("attachment.upload.3-kept")
        return self.show(actor, upload)

    def take(
        self, actor: Actor, name: str, size: int, stream: BinaryIO, decision: Mapping[str, Any] | None = None
    ) -> UploadOut:
        """A file that is here as a whole and can be sought, such as a form's; raises what `begin` and `complete` raise."""
        kind = self.kind(name)
        if size > self._settings.form:
            raise FileLarger(name=name, size=size, limit=self._settings.form)
        incoming = self._store.identifier()
        self._folder.append(incoming, 0, stream, size)
        try:
            found = self._folder.measure(self._folder.part(incoming), kind)
            wanted = UploadIn(name=name, size=found.size, sha256=found.sha256, sm3=found.sm3)
            begun = self.begin(actor, wanted)
            if not begun.complete:
                self._folder.part(incoming).rename(self._folder.part(begun.id))
        finally:
            self._folder.discard(incoming)
        return self.complete(actor, begun.id, decision)

    def kind(self, name: str) -> FileKind:
        """What a name's ending says; raises NameNotTaken, KindNotTaken."""
        if not nameable(name):
            shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in name)
            raise NameNotTaken(name=shown[:LONGEST_NAME])
        taken = [each for each in KINDS if each in (self._settings.endings or KINDS)]
        if (found := ending(name)) not in taken:
            raise KindNotTaken(name=name, known=", ".join(taken))
        return KINDS[found]

    def forget(self, upload: str) -> None:
        """Throw an upload away, and what has arrived of it."""
        with self._store.housekeep() as session:
            session.execute(sa.delete(Upload).where(Upload.id == upload))
        self._folder.discard(upload)

    def _keep(
        self, actor: Actor, row: Upload, name: str, measured: Measured, decision: Mapping[str, Any] | None
    ) -> None:
        """Enter the content, unless another upload brought the same; then ours is one too many."""
        facts: dict[str, Any] = {"sha256": measured.sha256, "sm3": measured.sm3, "size": measured.size}
        with self._store.act(actor, UPLOAD, f"{SUBJECT}:{row.id}", **facts) as act:
            act.decision = None if decision is None else dict(decision)
            kept = self._entered(act.session, measured, name)
            if kept != name and not (self._folder.root / kept).is_file():
                raise ContentMissing(name=row.name, sha256=row.sha256)
            referring = sa.update(Upload).where(Upload.id == row.id)
            act.session.execute(referring.values(content=row.sha256, sm3=measured.sm3))
        if kept != name:
            (self._folder.root / name).unlink(missing_ok=True)

    def _entered(self, session: Session, measured: Measured, name: str) -> str:
        """The place of the content on record: `name`, or where it was already."""
        made = {
            "sha256": measured.sha256,
            "sm3": measured.sm3,
            "size": measured.size,
            "file": name,
            "stored_at": self.now(),
        }
        insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert
        session.execute(insert(Content).values(made).on_conflict_do_nothing(index_elements=["sha256"]))
        query = sa.select(Content.file).where(Content.sha256 == measured.sha256)
        return session.scalars(query.with_for_update(read=True, key_share=True)).one()

    def _same(self, session: Session, actor: Actor, wanted: UploadIn) -> Upload | None:
        query = sa.select(Upload).where(
            Upload.person == actor.id,
            Upload.sha256 == wanted.sha256,
            Upload.name == wanted.name,
            Upload.size == wanted.size,
            Upload.begun_at >= self.lapsed(),
        )
        return session.scalars(query.order_by(Upload.id.desc()).limit(1)).first()

    def _room(self, session: Session, actor: Actor, size: int) -> None:
        held = sa.select(sa.func.coalesce(sa.func.sum(Upload.size), 0)).where(Upload.person == actor.id)
        waiting = int(session.scalar(held) or 0)
        if waiting + size > self._settings.waiting:
            raise TooMuchWaiting(waiting=waiting, limit=self._settings.waiting)

    def _mine(self, actor: Actor, upload: str) -> Upload:
        with self._store.read() as session:
            row = session.get(Upload, upload)
            if row is None or row.person != actor.id or row.begun_at < self.lapsed():
                raise NoSuchUpload(upload=upload)
            session.expunge(row)
            return row

    def now(self) -> datetime:
        """The present instant."""
        return self._store.clock.now()

    def lapsed(self) -> datetime:
        """Uploads begun before this have lapsed."""
        return self.now() - timedelta(hours=self._settings.kept_hours)

    def _out(self, row: Upload) -> UploadOut:
        complete = row.content is not None
        return UploadOut(
            id=row.id,
            name=row.name,
            media_type=self.kind(row.name).media_type,
            size=row.size,
            received=row.size if complete else self._folder.received(row.id),
            part=self._settings.part,
            sha256=row.sha256,
            sm3=row.sm3,
            complete=complete,
        )


def _one_by_one(session: Session, actor: Actor) -> None:
    """What one person begins at once counts each other; SQLite has one writer anyhow."""
    if session.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(INTL.hash.digest(f"{UPLOAD}/{actor.id}".encode())[:8], signed=True)
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def _hold(row: Upload, found: Measured) -> None:
    """Raise unless what arrived is what its sender declared."""
    if found.size != row.size or found.sha256 != row.sha256:
        raise DigestDiffers(name=row.name, algorithm=INTL.hash.name.upper())
    if row.sm3 is not None and found.sm3 != row.sm3:
        raise DigestDiffers(name=row.name, algorithm=SM.hash.name.upper())
    if not found.fits:
        raise NotWhatItSays(name=row.name, kind=ending(row.name).upper())
