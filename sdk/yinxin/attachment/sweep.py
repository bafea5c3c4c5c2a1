"""What nothing refers to is thrown away: uploads that have lapsed, contents that no object has, files that no row knows.

A row goes before its file: a process that dies between them leaves a file that no row knows, which the next round takes.
"""

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from yinxin.act import SYSTEM
from yinxin.attachment.folder import Folder
from yinxin.attachment.models import Attachment, Content, Upload
from yinxin.attachment.receive import Receiving
from yinxin.steps import step
from yinxin.store import Store

DISCARD = "attachment.discard"
#: the state that is locked, looked at and acted on at a time
_BATCH = 100


class Sweeping:
    """The background job."""

    def __init__(self, store: Store, folder: Folder, receiving: Receiving) -> None:
        self._store = store
        self._folder = folder
        self._receiving = receiving

    def sweep(self) -> int:
        """One round; how many files went. Safe to repeat, and beside uploads that are under way."""
        return self._uploads() + self._contents() + self._strays()

    def _uploads(self) -> int:
        with self._store.read() as session:
            lapsed = sa.select(Upload.id).where(Upload.begun_at < self._receiving.lapsed())
            found = list(session.scalars(lapsed))
        for upload in found:
            self._receiving.forget(upload)
        return len(found)

    def _contents(self) -> int:
        with self._store.read() as session:
            query = sa.select(Content.sha256, Content.file).where(_unused())
            found = [tuple(row) for row in session.execute(query.limit(_BATCH))]
        return sum(self._discard(sha256, file) for sha256, file in found)

    def _discard(self, sha256: str, file: str) -> int:
        """The record and the row in one transaction; whoever has begun to refer to it meanwhile wins."""
        with self._store.act(SYSTEM, DISCARD, f"attachment:{sha256}", sha256=sha256) as act:
            gone = self._remove(act.session, sha256)
            act.facts["discarded"] = gone
        step("attachment.discard.1-recorded")
        if gone:
            (self._folder.root / file).unlink(missing_ok=True)
        return int(gone)

    @staticmethod
    def _remove(session: Session, sha256: str) -> bool:
        try:
            with session.begin_nested():
                removed = session.execute(sa.delete(Content).where(Content.sha256 == sha256, _unused()))
        except IntegrityError:  # referred to by a transaction that ended just now
            return False
        return bool(getattr(removed, "rowcount", 0))

    def _strays(self) -> int:
        """Files that no row knows, and that are too old to be on their way."""
        old = self._receiving.lapsed().timestamp()
        gone = 0
        with self._store.read() as session:
            parts = set(session.scalars(sa.select(Upload.id)))
            for path in self._folder.parts():
                if path.name not in parts and path.stat().st_mtime < old:
                    path.unlink(missing_ok=True)
                    gone += 1
            for name, path in self._folder.contents():
                if path.stat().st_mtime < old and not _known(session, name):
                    path.unlink(missing_ok=True)
                    gone += 1
        return gone


def _unused() -> sa.ColumnElement[bool]:
    attached = sa.exists().where(Attachment.sha256 == Content.sha256)
    waiting = sa.exists().where(Upload.content == Content.sha256)
    return sa.and_(~attached, ~waiting)


def _known(session: Session, name: str) -> bool:
    return session.scalar(sa.select(Content.sha256).where(Content.file == name)) is not None
