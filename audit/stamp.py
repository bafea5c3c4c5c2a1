"""Timestamps (RFC 3161) over checkpoints, one an hour and tree: what was in the log by then, in the word of the timestamp authority.

Signing keys can be lost or broken later; a checkpoint that was timestamped before is none that was made afterwards. What
is stamped is the text of the checkpoint that the world is told, so cosignatures that come later change nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from audit.checkpoint import Signed, newest, note_of, of_size
from audit.errors import StampBroken
from audit.models import CheckpointRow, EntryRow, StampRow
from audit.tree import TREES
from audit.witness.cosignatures import newest_witnessed
from yinxin.act import SYSTEM, Actor
from yinxin.crypto.path import ValidatedPath
from yinxin.crypto.suite import Suite
from yinxin.crypto.timestamps import Token
from yinxin.errors import YinxinError
from yinxin.store import Sql, Store, Within

EVERY = timedelta(hours=1)
#: the records of tokens, our own unit's and outside ones', are no news that would ask for the next
_OWN = ("ca.timestamp", "ca.timestamp-outside")


@dataclass(frozen=True)
class Vouched:
    """What is known of the authority of a token: its path, good when it stamped, and what a reader needs to see that (DER)."""

    path: ValidatedPath
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]


class Timestamps(Protocol):
    """The authority above, handed in at assembly."""

    def stamp(
        self, message: bytes, suite_name: str, actor: Actor, hash_name: str | None = None
    ) -> bytes | None:
        """A token over `message`, DER; None where no unit of this suite has been made. `hash_name`: else the suite's own hash."""
        ...

    def standing(self, token: bytes) -> Vouched:
        """What is known of a token's authority now; raises what signatures and paths fail by."""
        ...


class Stamper:
    """Has the log's checkpoints timestamped."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.authority: Timestamps | None = None

    def run(self) -> int:
        """Stamp each tree's checkpoint when an hour has passed and something was done; how many were. Raises as the authority."""
        return sum(self._stamp(suite) for suite in TREES)

    def _stamp(self, suite: Suite) -> bool:
        with self._store.read() as session:
            row = newest_witnessed(session, suite) or newest(session)
            if self.authority is None or row is None or not self._due(session, suite, row):
                return False
            text, size = note_of(row, suite).text.encode(), row.size
        made = self.authority.stamp(text, suite.name, SYSTEM)
        if made is None:
            return False
        values = {"tree": suite.hash.name, "size": size, "at": Token.load(made).at, "token": made}
        try:
            with self._store.engine.begin() as connection:
                connection.execute(sa.insert(StampRow).values(**values))
        except IntegrityError:
            return False  # another process had the same checkpoint stamped
        return True

    def _due(self, session: Session, suite: Suite, row: Signed) -> bool:
        """Whether the oldest entry that no token covers is an hour old; entries that record tokens do not count."""
        last = (
            session.scalar(sa.select(sa.func.max(StampRow.size)).where(StampRow.tree == suite.hash.name)) or 0
        )
        oldest = session.scalar(
            sa.select(EntryRow.time)
            .where(EntryRow.index >= last, EntryRow.index < row.size, EntryRow.verb.not_in(_OWN))
            .order_by(EntryRow.index)
            .limit(1)
        )
        return oldest is not None and self._store.clock.now() - oldest >= EVERY


_STAMP = cast("sa.Table", StampRow.__table__).c
_ON_TREE = _STAMP.tree == sa.bindparam("tree")
_STAMPED = Sql(
    sa.select(sa.func.max(_STAMP.size).label("size")).where(
        _ON_TREE, _STAMP.size >= sa.bindparam("covering", type_=sa.BigInteger)
    )
)
_TOKEN = Sql(sa.select(_STAMP.token).where(_ON_TREE, _STAMP.size == sa.bindparam("of", type_=sa.BigInteger)))


def newest_stamped(within: Within, suite: Suite, *, covering: int = 0) -> Signed | None:
    """The newest timestamped checkpoint over `covering` entries at least."""
    (size,) = _STAMPED.scalars(within, {"tree": suite.hash.name, "covering": covering})
    return None if size is None else of_size(within, size)


def token_on(within: Within, suite: Suite, size: int) -> bytes | None:
    """The token over the checkpoint of that size."""
    return next(iter(_TOKEN.scalars(within, {"tree": suite.hash.name, "of": size})), None)


def check(session: Session) -> int:
    """Hold every token against its checkpoint; how many there are. Raises StampBroken with the first bad one.

    Whether its authority is to be believed is the reader's to judge, with her own roots.
    """
    count = 0
    for suite in TREES:
        query = sa.select(StampRow).where(StampRow.tree == suite.hash.name).order_by(StampRow.size)
        for row in session.scalars(query).yield_per(1000):
            stored = session.get(CheckpointRow, row.size)
            try:
                token = Token.load(row.token)
                held = stored is not None and token.at == row.at
                if stored is not None:
                    token.check_imprint(note_of(stored, suite).text.encode())
                token.check_signature()
            except YinxinError as error:
                raise StampBroken(size=row.size, tree=row.tree) from error
            if not held:
                raise StampBroken(size=row.size, tree=row.tree)
            count += 1
    return count
