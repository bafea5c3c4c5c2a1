"""The two trees over the same entries, as they stand in the database."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit.models import EntryRow, NodeRow
from yinxin.crypto.suite import INTL, SM, Suite
from yinxin.tlog import Fetch, Node

#: one tree for each suite, over the suite's hash; a suite added here needs its columns and a rebuild of its tree
TREES: tuple[Suite, ...] = (INTL, SM)


def leaf_column(suite: Suite) -> Any:
    """The column that holds the leaf hashes of this suite's tree."""
    return getattr(EntryRow, f"leaf_{suite.hash.name}")


def log_size(session: Session) -> int:
    """How many entries the log has."""
    last = session.scalar(sa.select(sa.func.max(EntryRow.index)))
    return 0 if last is None else last + 1


def stored(session: Session, suite: Suite) -> Fetch:
    """Nodes of this suite's tree, out of the database; a missing one is a KeyError."""

    def fetch(nodes: Sequence[Node]) -> dict[Node, bytes]:
        found: dict[Node, bytes] = {}
        leaves = [node.index for node in nodes if node.level == 0]
        if leaves:
            rows = session.execute(
                sa.select(EntryRow.index, leaf_column(suite)).where(EntryRow.index.in_(leaves))
            )
            found.update((Node(0, index), hash_) for index, hash_ in rows)
        inner = [(node.level, node.index) for node in nodes if node.level]
        if inner:
            rows = session.execute(
                sa.select(NodeRow.level, NodeRow.index, NodeRow.hash).where(
                    NodeRow.tree == suite.hash.name, sa.tuple_(NodeRow.level, NodeRow.index).in_(inner)
                )
            )
            found.update((Node(level, index), hash_) for level, index, hash_ in rows)
        return found

    return fetch


def run_of(session: Session, suite: Suite, first: Node, count: int) -> list[bytes]:
    """Up to `count` consecutive stored nodes of one level, in order."""
    if first.level == 0:
        query = (
            sa.select(leaf_column(suite))
            .where(EntryRow.index >= first.index, EntryRow.index < first.index + count)
            .order_by(EntryRow.index)
        )
    else:
        query = (
            sa.select(NodeRow.hash)
            .where(
                NodeRow.tree == suite.hash.name,
                NodeRow.level == first.level,
                NodeRow.index >= first.index,
                NodeRow.index < first.index + count,
            )
            .order_by(NodeRow.index)
        )
    return list(session.scalars(query))
