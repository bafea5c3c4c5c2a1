"""A store of attachments: a database, a folder, a clock of the test's own, and two people who send files."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.kms.conftest import Deciding
from tests.support.databases import create_tables
from yinxin import canonical
from yinxin.act import Actor, Kind
from yinxin.attachment import Attachments, AttachmentSettings
from yinxin.clock import ManualClock
from yinxin.randomness import SystemRandomness
from yinxin.store import OutboxRow, Store, open_engine
from yinxin.uploads import AttachmentOut, UploadIn, UploadOut

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CLERK = Actor(Kind.PERSON, "p-clerk", post="post-clerk", organ="o-office")
OTHER = Actor(Kind.PERSON, "p-other", post="post-other", organ="o-office")
PDF = b"%PDF-1.7\n" + b"page " * 40
PART = 1 << 16


def wanted(data: bytes = PDF, name: str = "plan.pdf") -> UploadIn:
    return UploadIn(name=name, size=len(data), sha256=sha256(data).hexdigest())


class World:
    """Attachments on a database and a folder, opened as a process opens them."""

    def __init__(self, url: str, root: Path, **settings: object) -> None:
        self.url, self.root, self.clock = url, root, ManualClock(AT)
        self.store = Store(open_engine(url), clock=self.clock, randomness=SystemRandomness())
        chosen = AttachmentSettings.model_validate({"part": PART, **settings})
        self.attachments = Attachments(self.store, chosen, Deciding(self.store), default=root)
        self.receiving = self.attachments.receiving

    def send(self, data: bytes = PDF, name: str = "plan.pdf", actor: Actor = CLERK) -> UploadOut:
        """A whole upload, part by part."""
        begun = self.receiving.begin(actor, wanted(data, name))
        for at in range(begun.received, len(data), PART):
            self.receiving.write(actor, begun.id, at, BytesIO(data[at : at + PART]))
        return self.receiving.complete(actor, begun.id)

    def attach(self, upload: str, subject: str = "note:1", actor: Actor = CLERK) -> AttachmentOut:
        with self.store.act(actor, "note.attach", subject) as act:
            return self.attachments.files.attach(act, subject, upload)

    def detach(self, attachment: str, subject: str = "note:1") -> None:
        with self.store.act(CLERK, "note.detach", subject) as act:
            self.attachments.files.detach(act, subject, attachment)

    def of(self, subject: str = "note:1") -> list[AttachmentOut]:
        with self.store.read() as session:
            return self.attachments.files.of(session, subject)

    def path(self, attachment: AttachmentOut) -> Path:
        with self.store.read() as session:
            return self.attachments.files.path(session, attachment)

    def files(self) -> list[str]:
        """Everything that lies in the folder."""
        return sorted(str(each.relative_to(self.root)) for each in self.root.rglob("*") if each.is_file())

    def records(self) -> list[dict[str, object]]:
        with self.store.read() as session:
            rows = session.scalars(sa.select(OutboxRow).order_by(OutboxRow.number)).all()
            return [canonical.decode(row.data) for row in rows]


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    made = World(database_url, tmp_path / "attachments")
    create_tables(made.store.engine)
    yield made
    made.store.engine.dispose()
