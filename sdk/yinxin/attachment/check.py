"""The store held against its records: every file that a record names is there, and is the file that was stored."""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from yinxin.act import Actor
from yinxin.attachment.folder import Folder
from yinxin.attachment.kinds import FileKind
from yinxin.attachment.models import Content
from yinxin.authz import PLATFORM, Decider, Resource
from yinxin.store import Store

CHECK = "attachment.check"


@dataclass(frozen=True, slots=True)
class Fault:
    """A content that is not what was stored: `missing`, `size` or `digest`."""

    sha256: str
    file: str
    what: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found."""

    files: int
    octets: int
    faults: tuple[Fault, ...]


def check(store: Store, folder: Folder, decider: Decider, actor: Actor) -> Checked:
    """Read every content on record and compare; what was found is recorded. Raises NotPermitted."""
    decision = decider.require(actor, CHECK, Resource("AttachmentStore", "store", organ=PLATFORM))
    with store.read() as session:
        query = sa.select(Content.sha256, Content.sm3, Content.size, Content.file)
        rows = [
            (sha256, sm3, size, file)
            for sha256, sm3, size, file in session.execute(query.order_by(Content.sha256))
        ]
    faults = tuple(_faults(folder, rows))
    octets = sum(size for _, _, size, _ in rows)
    found = [f"{each.what}:{each.sha256}" for each in faults]
    store.note(
        actor,
        CHECK,
        "attachment:store",
        decision=decision.record(),
        files=len(rows),
        octets=octets,
        faults=found,
    )
    return Checked(len(rows), octets, faults)


def _faults(folder: Folder, rows: list[tuple[str, str, int, str]]) -> Iterator[Fault]:
    for sha256, sm3, size, file in rows:
        path = folder.root / file
        if not path.is_file():
            yield Fault(sha256, file, "missing")
        elif path.stat().st_size != size:
            yield Fault(sha256, file, "size")
        else:
            found = folder.measure(path, FileKind("application/octet-stream", (b"",)))
            if (found.sha256, found.sm3) != (sha256, sm3):
                yield Fault(sha256, file, "digest")
