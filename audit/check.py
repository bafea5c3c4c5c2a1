"""The whole log, held against itself: every leaf, tile, column and checkpoint recomputed from the entries, every number counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.archive.models import SealedRow
from audit.checkpoint import note_of
from audit.decisions import Decisions
from audit.errors import CheckpointBroken, LogTampered
from audit.models import CheckpointRow, EntryRow, TileRow
from audit.personal.check import Openings
from audit.sequence import columns_of
from audit.surroundings import Surroundings
from audit.tree import HEIGHT, TREES
from yinxin import canonical
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.evidence.numbers import Tally
from yinxin.store import OutboxRow, SourceRow, name_of
from yinxin.text import Text
from yinxin.tlog import WIDTH, Checkpoint, Frontier, Node, NoteVerifier, leaf_hash

#: entries held in memory at once
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A log that holds: how many entries and checkpoints, and the roots by hash name."""

    size: int
    checkpoints: int
    roots: Mapping[str, bytes]
    #: by witnesses, each verified
    cosignatures: int = 0
    #: timestamps over checkpoints, each held against its own
    stamps: int = 0
    #: personal fields whose values are there, each held against its commitment, and erased ones
    opened: int = 0
    erased: int = 0
    #: rows of other tables, each held against the newest act about it
    rows: int = 0
    #: evidence records, each held against what it proves
    records: int = 0
    #: how far each source has numbered its records
    sources: Mapping[str, int] = field(default_factory=dict)
    #: numbers that do not follow each other, in words; `Log.check` raises them last
    misnumbered: Sequence[Text] = ()

    def fields(self) -> dict[str, Any]:
        """The report as text and numbers."""
        roots = {name: root.hex() for name, root in self.roots.items()}
        counts = {
            "size": self.size,
            "checkpoints": self.checkpoints,
            "cosignatures": self.cosignatures,
            "stamps": self.stamps,
            "opened": self.opened,
            "erased": self.erased,
            "rows": self.rows,
            "records": self.records,
        }
        return counts | {"roots": roots, "sources": dict(self.sources)}


def check(
    session: Session,
    verifiers: Mapping[str, NoteVerifier],
    around: Surroundings,
    accounted: Mapping[str, sa.Table],
) -> CheckReport:
    """Recompute the log in the session's one view, and hold against it what stands beside it: the `accounted` tables too.

    Raises LogTampered with the first bad entry, OpeningBroken, CheckpointBroken or StateBroken.
    """
    # here: the modules of these tables know the log's service, which knows this one
    from audit.state import AccountedRows, Recorded, check_decided

    decisions, recorded = Decisions(around), Recorded()
    openings = Openings(decisions)
    accounts = AccountedRows(session, accounted)
    frontiers = {suite: Frontier(suite.hash) for suite in TREES}
    tiles = {suite: _Tiles(session, suite) for suite in TREES}
    signed = session.scalars(sa.select(CheckpointRow.size).order_by(CheckpointRow.size)).all()
    due = list(reversed(signed))
    size = held = 0
    tally = Tally(whole=True)
    while rows := session.scalars(
        sa.select(EntryRow).where(EntryRow.index >= size).order_by(EntryRow.index).limit(_CHUNK)
    ).all():
        sealed = _sealed(session, size, rows[-1].index)
        for row in rows:
            _entry(row, size, sealed.get(row.index), tally)
            decisions.note(row)
            recorded.note(row)
            for suite, frontier in frontiers.items():
                tiles[suite].take(_leaf(row, frontier))
            size += 1
            while due and due[-1] == size:
                _checkpoint(session, size, held, verifiers, frontiers)
                held = due.pop()
        openings.take(session, rows)
        accounts.take(rows)
        session.expunge_all()
    if due:
        raise CheckpointBroken(
            size=due[-1], held=held, reason=Text(f"日志只有 {size} 条", f"the log has {size} entries")
        )
    for each in tiles.values():
        each.end(size)
    decisions.wait(session)
    recorded.wait(session)
    openings.end(session)
    check_decided(session, decisions)
    recorded.check(session)
    accounts.end()
    _waiting(session, tally)
    roots = {suite.hash.name: each.root() for suite, each in frontiers.items()}
    return CheckReport(
        size,
        len(signed),
        roots,
        opened=openings.opened,
        erased=openings.erased,
        rows=accounts.held,
        sources=tally.highest,
        misnumbered=tally.faults(),
    )


def _sealed(session: Session, first: int, last: int) -> dict[int, SealedRow]:
    """What stands in an archive of the entries in a range."""
    query = sa.select(SealedRow).where(SealedRow.index >= first, SealedRow.index <= last)
    return {row.index: row for row in session.scalars(query)}


def _waiting(session: Session, tally: Tally) -> None:
    """What is on its way, and how far the sources' own counters are: all in the one view."""
    for row in session.scalars(sa.select(OutboxRow).order_by(OutboxRow.number)):
        try:
            event = canonical.decode(row.data)
        except YinxinError:
            event = {}  # the sequencer will say so
        tally.entry({**event, "id": row.id})
    counters = {
        name_of(source): last for source, last in session.execute(sa.select(SourceRow.source, SourceRow.last))
    }
    for source in sorted(tally.highest.keys() | counters):
        tally.counter(source, counters.get(source, 0))


def _entry(row: EntryRow, index: int, sealed: SealedRow | None, tally: Tally) -> None:
    if row.index != index:
        raise LogTampered(index=index, part="index")
    if sealed is not None:
        # its content is elsewhere: the hashes are held against the archive's here, and against the trees like all others
        if row.data or row.subject or row.actor or row.request is not None:
            raise LogTampered(index=index, part="data")
        if (sealed.leaf_sha256, sealed.leaf_sm3) != (row.leaf_sha256, row.leaf_sm3):
            raise LogTampered(index=index, part="leaf_sha256")
        tally.entry({"id": row.event, "source": sealed.source, "number": sealed.number}, index)
        return
    try:
        event = canonical.decode(row.data)
        expected = columns_of(event)
    except (YinxinError, KeyError, TypeError, AttributeError) as error:
        raise LogTampered(index=index, part="data") from error
    for name, value in expected.items():
        if getattr(row, name) != value:
            raise LogTampered(index=index, part=name)
    tally.entry(event, index)


def _leaf(row: EntryRow, frontier: Frontier) -> list[tuple[Node, bytes]]:
    """Hold the stored leaf hash against the data; gives the nodes that it completes, itself first."""
    column = f"leaf_{frontier.algorithm.name}"
    leaf = leaf_hash(frontier.algorithm, row.data) if row.data else getattr(row, column)
    if getattr(row, column) != leaf:
        raise LogTampered(index=row.index, part=column)
    return frontier.append(leaf)


def _checkpoint(
    session: Session,
    size: int,
    held: int,
    verifiers: Mapping[str, NoteVerifier],
    frontiers: Mapping[Suite, Frontier],
) -> None:
    row = session.get_one(CheckpointRow, size)
    for suite, frontier in frontiers.items():
        try:
            checkpoint, _ = Checkpoint.open(note_of(row, suite), [verifiers[suite.hash.name]], strict=True)
        except YinxinError as error:
            raise CheckpointBroken(size=size, held=held, reason=error.code) from error
        if (checkpoint.size, checkpoint.root) != (size, frontier.root()):
            raise CheckpointBroken(
                size=size,
                held=held,
                reason=Text(f"{suite.hash.name} 树根不同", f"another root of {suite.hash.name}"),
            )


class _Tiles:
    """The tiles of one tree, each held against its row as soon as its last hash is known."""

    def __init__(self, session: Session, suite: Suite) -> None:
        self._session = session
        self._suite = suite
        #: the hashes of the tile under way at each level of tiles
        self._open: dict[int, list[bytes]] = {}

    def take(self, nodes: Sequence[tuple[Node, bytes]]) -> None:
        """Nodes that became complete, lower levels first; raises LogTampered."""
        for node, hash_ in nodes:
            level, within = divmod(node.level, HEIGHT)
            if within == 0:
                if level:
                    self._hold(level - 1, node.index, hash_)
                self._open.setdefault(level, []).append(hash_)

    def end(self, size: int) -> None:
        """No tile is there that no entry accounts for; raises LogTampered."""
        query = sa.select(sa.func.count()).where(TileRow.tree == self._suite.hash.name)
        expected, full = 0, size // WIDTH
        while full:
            expected, full = expected + full, full // WIDTH
        if self._session.scalar(query) != expected:
            raise LogTampered(index=size, part=f"tile_{self._suite.hash.name}")

    def _hold(self, level: int, index: int, root: bytes) -> None:
        hashes, name = self._open.pop(level), self._suite.hash.name
        row = self._session.get(TileRow, (name, level, index))
        there = b"" if row is None else row.hashes
        size = self._suite.hash.size
        for at, hash_ in enumerate(hashes):
            if there[at * size : (at + 1) * size] != hash_:
                first = (index * WIDTH + at) << (level * HEIGHT)
                raise LogTampered(index=first, part=f"tile_{name}_{level}")
        if row is None or len(there) != len(hashes) * size or row.root != root:
            raise LogTampered(index=(index * WIDTH) << (level * HEIGHT), part=f"tile_{name}_{level}")
