"""The whole log, held against itself: every leaf, node, column and checkpoint recomputed from the entries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.checkpoint import note_of
from audit.errors import CheckpointBroken, LogTampered
from audit.models import CheckpointRow, EntryRow, NodeRow
from audit.sequence import columns
from audit.tree import TREES, run_of
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.text import Text
from yinxin.tlog import Checkpoint, Frontier, Node, NoteVerifier, leaf_hash

#: entries held in memory at once
_CHUNK = 1024


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A log that holds: how many entries and checkpoints, and the roots by hash name."""

    size: int
    checkpoints: int
    roots: Mapping[str, bytes]

    def fields(self) -> dict[str, Any]:
        """The report as text and numbers."""
        roots = {name: root.hex() for name, root in self.roots.items()}
        return {"size": self.size, "checkpoints": self.checkpoints, "roots": roots}


def check(session: Session, verifiers: Mapping[str, NoteVerifier]) -> CheckReport:
    """Recompute the log in the session's one view; raises LogTampered with the first bad entry, or CheckpointBroken."""
    frontiers = {suite: Frontier(suite.hash) for suite in TREES}
    signed = session.scalars(sa.select(CheckpointRow.size).order_by(CheckpointRow.size)).all()
    due = list(reversed(signed))
    size = held = 0
    while rows := session.scalars(
        sa.select(EntryRow).where(EntryRow.index >= size).order_by(EntryRow.index).limit(_CHUNK)
    ).all():
        made: dict[Suite, dict[Node, bytes]] = {suite: {} for suite in TREES}
        for row in rows:
            _entry(row, size)
            for suite, frontier in frontiers.items():
                made[suite].update(_leaf(row, frontier))
            size += 1
            while due and due[-1] == size:
                _checkpoint(session, size, held, verifiers, frontiers)
                held = due.pop()
        for suite, nodes in made.items():
            _nodes(session, suite, nodes)
        session.expunge_all()
    if due:
        raise CheckpointBroken(
            size=due[-1], held=held, reason=Text(f"日志只有 {size} 条", f"the log has {size} entries")
        )
    _surplus(session, size)
    return CheckReport(size, len(signed), {suite.hash.name: each.root() for suite, each in frontiers.items()})


def _entry(row: EntryRow, index: int) -> None:
    if row.index != index:
        raise LogTampered(index=index, part="index")
    try:
        expected = columns(row.data)
    except (YinxinError, KeyError, TypeError, AttributeError) as error:
        raise LogTampered(index=index, part="data") from error
    for name, value in expected.items():
        if getattr(row, name) != value:
            raise LogTampered(index=index, part=name)


def _leaf(row: EntryRow, frontier: Frontier) -> list[tuple[Node, bytes]]:
    """Hold the stored leaf hash against the data; gives the inner nodes that it completes."""
    column = f"leaf_{frontier.algorithm.name}"
    leaf = leaf_hash(frontier.algorithm, row.data)
    if getattr(row, column) != leaf:
        raise LogTampered(index=row.index, part=column)
    return frontier.append(leaf)[1:]


def _nodes(session: Session, suite: Suite, nodes: Mapping[Node, bytes]) -> None:
    for level in sorted({node.level for node in nodes}):
        expected = [(node, hash_) for node, hash_ in nodes.items() if node.level == level]
        found = run_of(session, suite, expected[0][0], len(expected))
        for at, (node, hash_) in enumerate(expected):
            if found[at : at + 1] != [hash_]:  # a missing node shifts those after it
                raise LogTampered(index=node.index << level, part=f"node_{suite.hash.name}_{level}")


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


def _surplus(session: Session, size: int) -> None:
    """Nodes that no entry accounts for: every tree of n leaves has n - popcount(n) inner complete subtrees."""
    for suite in TREES:
        count = session.scalar(sa.select(sa.func.count()).where(NodeRow.tree == suite.hash.name))
        if count != size - size.bit_count():
            raise LogTampered(index=size, part=f"node_{suite.hash.name}")
