"""The log's service: what the rest of the platform asks of it."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit import entries
from audit.check import CheckReport, check
from audit.checkpoint import Checkpointer, newest, note_of, note_signers, signed_size
from audit.checkpoint_file import CheckpointFile
from audit.entries import Entry, Filters
from audit.errors import EntryNotFound, LogUnavailable, NothingSigned, NotYetSigned, TileNotFound
from audit.models import EntryRow
from audit.sequence import Sequencer, columns
from audit.settings import AuditSettings
from audit.tree import TREES, log_size, run_of, stored
from yinxin.authz import Decider
from yinxin.crypto.keys import Signer
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.module import Health
from yinxin.store import OutboxRow, Store
from yinxin.text import Text
from yinxin.tlog import LogProof, Note, NoteVerifier, Tile, inclusion_proof

#: how long an answer of the gate is good for, and how long a failed attempt is not repeated
_PAUSE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Failure:
    at: datetime
    code: str


class Log:
    """The audit log of one site. Shared by the threads of a process; any number of processes may have one."""

    def __init__(
        self,
        store: Store,
        settings: AuditSettings,
        signers: Iterable[Signer],
        *,
        data: Path,
        decider: Decider | None = None,
    ) -> None:
        """`signers`: one Ed25519 and one SM2 key, in any order; `data`: where the checkpoint file is unless set elsewhere.

        `decider` says who may ask the log (`audit.ask`); without one nobody may. Raises LogKeysMismatch. Nothing is read or installed before `start`.
        """
        self.store = store
        self.settings = settings
        self.decider = decider
        self.checkpoint_file = Path(settings.checkpoint_file or data / "log.checkpoint")
        named = note_signers(settings.origin, signers)
        self.verifiers: dict[str, NoteVerifier] = {name: signer.verifier for name, signer in named.items()}
        self._sequencer = Sequencer(store)
        self._checkpointer = Checkpointer(store, CheckpointFile(self.checkpoint_file), named)
        self._failures: dict[str, _Failure] = {}
        self._settling = threading.Lock()
        self._asked = threading.Lock()
        self._current: datetime | None = None

    def start(self) -> None:
        """Hold the database against the checkpoint file, then stand before every act of the store.

        Raises LogRolledBack or CheckpointFileMissing; then nothing may be served.
        """
        self._checkpointer.compare()
        self.store.gates.append(self.gate)

    # --- writing -----------------------------------------------------------------------------------------------

    def sequence(self) -> int:
        """Enter what waits in the outbox; the number of entries made. Raises LogUnavailable."""
        with self._watched("sequence"):
            return self._sequencer.run()

    def checkpoint(self) -> bool:
        """Sign a checkpoint if the log has grown; whether it did. Raises LogUnavailable, caused by whatever failed."""
        with self._watched("checkpoint"):
            return self._checkpointer.run()

    def settle(self, event: str, suite: Suite = TREES[0]) -> LogProof:
        """The proof of an event whose act has committed, entering and signing it now if that is still to be done.

        Raises EntryNotFound, LogUnavailable.
        """
        with self._settling:  # those who waited here find their events entered and signed by who went before
            with self.store.read() as session:
                entry, signed = entries.find(session, event), signed_size(session)
            if entry is None:
                self.sequence()
            if entry is None or entry.index >= signed:
                self.checkpoint()
        return self.proof(event, suite)

    def gate(self) -> None:
        """Refuse an act that could not be recorded; raises LogUnavailable.

        A log that has failed, or is behind by more than `longest_backlog`, is first given the chance to catch up.
        """
        with self._asked:
            now = self.store.clock.now()
            failure = next(iter(list(self._failures.values())), None)
            if failure is not None and abs(now - failure.at) < _PAUSE:
                raise LogUnavailable(reason=failure.code)
            if failure is None and self._current is not None and abs(now - self._current) < _PAUSE:
                return
            if failure is not None or self._overdue(now):
                self.sequence()
                self.checkpoint()
            self._current = now

    # --- asking ------------------------------------------------------------------------------------------------

    def entry(self, event: str) -> Entry:
        """One entry, by its event's identifier; raises EntryNotFound."""
        with self.store.read() as session:
            return self._found(session, event)

    def entries(
        self, filters: Filters | None = None, before: int | None = None, limit: int = 50
    ) -> tuple[Entry, ...]:
        """Up to `limit` matching entries, newest first, of indexes below `before` (the cursor)."""
        with self.store.read() as session:
            return entries.search(session, filters or Filters(), before, limit)

    def proof(self, event: str, suite: Suite = TREES[0]) -> LogProof:
        """The self-contained proof against the newest checkpoint; raises EntryNotFound, NotYetSigned."""
        with self.store.read() as session:
            entry, row = self._found(session, event), newest(session)
            if row is None or row.size <= entry.index:
                raise NotYetSigned(event=event)
            hashes = inclusion_proof(suite.hash, entry.index, row.size, stored(session, suite))
            return LogProof(entry.data, entry.index, hashes, note_of(row, suite))

    def signed(self, suite: Suite = TREES[0]) -> Note:
        """The newest signed checkpoint of one tree; raises NothingSigned."""
        with self.store.read() as session:
            row = newest(session)
            if row is None:
                raise NothingSigned
            return note_of(row, suite)

    def tile(self, tile: Tile, suite: Suite = TREES[0]) -> bytes:
        """The hashes of a tile that lies within the newest checkpoint; raises TileNotFound."""
        with self.store.read() as session:
            if not tile.within(signed_size(session)):
                raise TileNotFound(tile=tile.path())
            return b"".join(run_of(session, suite, tile.first(), tile.width))

    def check(self) -> CheckReport:
        """Recompute everything; raises LogTampered, CheckpointBroken, LogRolledBack or CheckpointFileMissing."""
        with self.store.read() as session:
            report = check(session, self.verifiers)
        self._checkpointer.compare()
        return report

    def health(self) -> Health:
        """How far the log is, and whether acts can be recorded."""
        now = self.store.clock.now()
        with self.store.read() as session:
            size, signed, since = log_size(session), signed_size(session), self._waiting_since(session)
            waiting = session.scalar(sa.select(sa.func.count()).select_from(OutboxRow))
        overdue = since is not None and now - since > self._longest
        ok = not overdue and not self._failures
        facts = {
            "size": size,
            "signed": signed,
            "waiting": waiting,
            "oldest_seconds": 0 if since is None else max(0, int((now - since).total_seconds())),
            "failures": {step: failure.code for step, failure in self._failures.copy().items()},
            "keys": {name: verifier.encode() for name, verifier in self.verifiers.items()},
        }
        if ok:
            return Health(ok, Text("审计日志正常", "The audit log is recording"), facts)
        return Health(
            ok,
            Text("审计日志无法记录，各项操作已停止", "The audit log cannot record; acts are refused"),
            facts,
        )

    # --- inside ------------------------------------------------------------------------------------------------

    @property
    def _longest(self) -> timedelta:
        return timedelta(seconds=self.settings.longest_backlog)

    def _overdue(self, now: datetime) -> bool:
        with self.store.read() as session:
            since = self._waiting_since(session)
        return since is not None and now - since > self._longest

    def _waiting_since(self, session: Session) -> datetime | None:
        """The time of the oldest record that is not yet entered and signed."""
        unsigned = session.scalar(sa.select(EntryRow.time).where(EntryRow.index == signed_size(session)))
        if unsigned is not None:
            return unsigned
        data = session.scalar(sa.select(OutboxRow.data).order_by(OutboxRow.number).limit(1))
        return None if data is None else _time(data)

    @contextmanager
    def _watched(self, step: str) -> Iterator[None]:
        """Remember whether the step works, for the gate; any failure leaves as LogUnavailable with its cause."""
        try:
            yield
        except Exception as error:
            code = error.code if isinstance(error, YinxinError) else type(error).__name__
            self._failures[step] = _Failure(self.store.clock.now(), code)
            raise LogUnavailable(reason=code) from error
        else:
            self._failures.pop(step, None)

    @staticmethod
    def _found(session: Session, event: str) -> Entry:
        entry = entries.find(session, event)
        if entry is None:
            raise EntryNotFound(event=event)
        return entry


def _time(data: bytes) -> datetime:
    """When an event happened; what is no event has waited for ever, and the sequencer will say why."""
    try:
        at: datetime = columns(data)["time"]
    except (YinxinError, KeyError, TypeError, AttributeError):
        return datetime.min.replace(tzinfo=UTC)
    return at
