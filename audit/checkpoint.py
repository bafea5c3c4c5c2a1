"""Checkpoints: what the log commits to, signed for each tree, guarded by the checkpoint file.

Two checkpoints of one log can never contradict each other, because both are computed from committed entries that
nothing changes. So signing needs no lock, and the database is not held while a security module works.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from audit.checkpoint_file import CheckpointFile
from audit.errors import CheckpointFileMissing, LogKeysMismatch, LogRolledBack
from audit.models import CheckpointRow
from audit.tree import TREES, log_size, stored
from yinxin.crypto.keys import Signer
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Sql, Store, Within
from yinxin.tlog import Checkpoint, Note, NoteSigner, root


def origin_of(origin: str, suite: Suite) -> str:
    """The name of one of the log's two trees: the log's own for the first, with the hash's name for the others."""
    return origin if suite is TREES[0] else f"{origin}/{suite.hash.name}"


def note_signers(origin: str, signers: Iterable[Signer]) -> dict[str, NoteSigner]:
    """The log's signers by hash name; raises LogKeysMismatch unless there is exactly one for each tree."""
    given = list(signers)
    named = {each.public_key.suite.hash.name: each for each in given}
    needed = {suite.hash.name: origin_of(origin, suite) for suite in TREES}
    if len(given) != len(named) or set(named) != set(needed):
        algorithms = ", ".join(each.public_key.algorithm for each in given)
        raise LogKeysMismatch(needed=", ".join(suite.name for suite in TREES), given=algorithms or "none")
    return {name: NoteSigner(needed[name], named[name]) for name in needed}


class Checkpointer:
    """Signs, stores and guards the checkpoints of one log."""

    def __init__(self, store: Store, file: CheckpointFile, signers: Mapping[str, NoteSigner]) -> None:
        self._store = store
        self._file = file
        self._signers = signers

    def run(self) -> bool:
        """Sign a checkpoint if the log has grown since the last; whether it did. Raises what the signers raise."""
        remembered = self._read()
        with self._store.look() as look:
            # 1. What is there, and that it continues what the file remembers.
            self._compare(look, remembered)
            size = log_size(look)
            if size == signed_size(look):
                return False
            texts = {
                suite.hash.name: Checkpoint(
                    self._signers[suite.hash.name].name, size, root(suite.hash, size, stored(look, suite))
                ).text()
                for suite in TREES
            }
        step("audit.checkpoint.1-computed")
        # 2. Signed, and held against the public keys: a fault in a security module must not leave the house.
        notes = {name: Note.sign(text, [self._signers[name]]) for name, text in texts.items()}
        for name, note in notes.items():
            note.verify([self._signers[name].verifier], strict=True)
        step("audit.checkpoint.2-signed")
        # 3. Remembered apart from the database, before anybody can see it.
        self._file.advance(notes)
        step("audit.checkpoint.3-remembered")
        # 4. Stored: from here on it is published.
        self._insert(size, notes)
        step("audit.checkpoint.4-stored")
        return True

    def compare(self) -> None:
        """Hold the database against the file; raises LogRolledBack or CheckpointFileMissing."""
        remembered = self._read()
        with self._store.look() as look:
            self._compare(look, remembered)

    def _read(self) -> Mapping[str, Note] | None:
        """What the file remembers, to be held against a view that is opened afterwards: it has at least as much.

        Raises CheckpointFileMissing where there is no file and ought to be.
        """
        remembered = self._file.read()
        if remembered is not None:
            return remembered
        with self._store.look() as look:
            signed = signed_size(look)
        # another process may have signed the log's first checkpoint in between: look again
        if signed and (remembered := self._file.read()) is None:
            raise CheckpointFileMissing(file=str(self._file.path), reason="FileNotFoundError")
        return remembered

    def _compare(self, within: Within, remembered: Mapping[str, Note] | None) -> None:
        if remembered is None:
            return
        size = log_size(within)
        for suite in TREES:
            checkpoint = self._remembered(remembered, suite)
            try:
                held = size >= checkpoint.size and checkpoint.root == root(
                    suite.hash, checkpoint.size, stored(within, suite)
                )
            except KeyError:
                held = False  # a node is gone
            if not held:
                raise LogRolledBack(file=str(self._file.path), file_size=checkpoint.size, log_size=size)

    def _remembered(self, notes: Mapping[str, Note], suite: Suite) -> Checkpoint:
        try:
            checkpoint, _ = Checkpoint.open(
                notes[suite.hash.name], [self._signers[suite.hash.name].verifier], strict=True
            )
        except (KeyError, YinxinError) as error:
            raise CheckpointFileMissing(file=str(self._file.path), reason=type(error).__name__) from error
        return checkpoint

    def _insert(self, size: int, notes: Mapping[str, Note]) -> None:
        """Like the sequencer, the checkpointer writes on the engine: what it writes is the record."""
        row = {f"note_{name}": note.encode() for name, note in notes.items()}
        try:
            with self._store.engine.begin() as connection:
                _STORED.run(connection, {"size": size, "time": self._store.clock.now(), **row})
        except IntegrityError:
            return  # another process signed the same entries first; its notes are as good


class Signed(Protocol):
    """A stored checkpoint as it is read: `CheckpointRow`, or a row of a prepared statement."""

    @property
    def size(self) -> int:
        """How many entries it covers."""
        ...

    @property
    def time(self) -> datetime:
        """When it was stored."""
        ...


_CHECKPOINT = cast("sa.Table", CheckpointRow.__table__)
_STORED = Sql(sa.insert(_CHECKPOINT).inline(), *_CHECKPOINT.c.keys())
_SIGNED = Sql(sa.select(sa.func.max(_CHECKPOINT.c.size).label("size")))
_NEWEST = Sql(sa.select(_CHECKPOINT).order_by(_CHECKPOINT.c.size.desc()).limit(1))
_OF_SIZE = Sql(sa.select(_CHECKPOINT).where(_CHECKPOINT.c.size == sa.bindparam("of")))


def signed_size(within: Within) -> int:
    """How many entries the newest stored checkpoint covers; 0 when there is none."""
    return _SIGNED.scalars(within, {})[0] or 0


def newest(within: Within) -> Signed | None:
    """The newest stored checkpoint."""
    return _NEWEST.first(within, {})


def of_size(within: Within, size: int) -> Signed | None:
    """The stored checkpoint of that size."""
    return _OF_SIZE.first(within, {"of": size})


def note_of(row: Signed, suite: Suite) -> Note:
    """One tree's note of a stored checkpoint; raises MalformedNote."""
    data: bytes = getattr(row, f"note_{suite.hash.name}")
    return Note.decode(data)
