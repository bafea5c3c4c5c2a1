"""The log's service: what the rest of the platform asks of it."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import sqlalchemy as sa
from sqlalchemy.orm import Session

from audit import entries, health
from audit.archive.errors import EntrySealed
from audit.archive.seal import archive_of, check_archives, seal_name
from audit.check import CheckReport, check
from audit.checkpoint import Checkpointer, Signed, newest, note_signers, signed_size
from audit.checkpoint_file import CheckpointFile
from audit.entries import Entry, Filters
from audit.errors import (
    EntryNotFound,
    LogStopped,
    LogUnavailable,
    NothingSigned,
    NotYetSigned,
    RecordsMissing,
    TileNotFound,
)
from audit.forward.courier import Courier
from audit.index import Index, check_index
from audit.index.search import search
from audit.models import EntryRow
from audit.part import WHOLE, Part, hosts
from audit.renewal.ledger import check as check_records
from audit.sequence import Sequencer, columns
from audit.settings import AuditSettings
from audit.stamp import Stamper, newest_stamped, token_on
from audit.stamp import check as check_stamps
from audit.surroundings import Alone, Surroundings
from audit.tree import TREES, Tiles, stored, tile_hashes
from audit.witness.cosignatures import has_quorum, newest_witnessed, with_cosignatures
from audit.witness.cosigner import Cosigner
from audit.witness.witnesses import Witnesses
from yinxin.authz import Decider
from yinxin.crypto.keys import Signer
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.evidence.numbers import told
from yinxin.module import Health
from yinxin.store import OutboxRow, Store, Within
from yinxin.tlog import (
    CosignatureSigner,
    LogProof,
    Note,
    NoteSigner,
    NoteVerifier,
    Tile,
    inclusion_proof,
)

#: how long an answer of the gate is good for, and how long a failed attempt is not repeated
_PAUSE = timedelta(seconds=1)
#: entries read at a time where all are wanted
_PAGE = 500


@dataclass(frozen=True, slots=True)
class _Failure:
    at: datetime
    code: str
    #: whether it passes by itself
    passes: bool

    @property
    def error(self) -> LogUnavailable:
        """What an act is told."""
        return LogUnavailable(reason=self.code) if self.passes else LogStopped(reason=self.code)


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
        around: Surroundings | None = None,
        cosigners: Iterable[Signer] = (),
        http: Callable[[], httpx.Client] | None = None,
    ) -> None:
        """`signers`: one Ed25519 and one SM2 key, in any order; `data`: where the checkpoint file is unless set elsewhere.

        `decider` says who may ask the log (`audit.ask`); without one nobody may. `around` is what higher floors know.
        `cosigners` are the keys by which this site witnesses others' logs; `http` makes the client that asks this log's
        witnesses. Raises LogKeysMismatch. Nothing is read or installed before `start`.
        """
        self.store = store
        self.settings = settings
        self.decider = decider
        self.around: Surroundings = around or Alone()
        self.checkpoint_file = Path(settings.checkpoint_file or data / "log.checkpoint")
        signers = list(signers)
        named = note_signers(settings.origin, signers)
        #: the same keys, under the name by which they seal archives
        self.archivers = [NoteSigner(seal_name(settings.origin), each) for each in signers]
        self.verifiers: dict[str, NoteVerifier] = {name: signer.verifier for name, signer in named.items()}
        self.index = Index(store)
        #: copies outward
        self.forward = Courier(store, settings.forward, site=settings.origin)
        self._tiles = Tiles()
        self._sequencer = Sequencer(store)
        self._checkpointer = Checkpointer(store, CheckpointFile(self.checkpoint_file), named)
        every = timedelta(seconds=settings.witness_every)
        self.witnesses = Witnesses(store, self.verifiers, every=every, http=http)
        name = settings.witness_name or f"{settings.origin}/witness"
        self.cosigner = Cosigner(
            store, [CosignatureSigner(name, each) for each in cosigners], data / "witnessed"
        )
        self.stamps = Stamper(store)
        #: bundles of evidence in keeping
        self.kept = Path(settings.kept or data / "kept")
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

    def close(self) -> None:
        """Let what runs beside the requests end."""
        self.witnesses.close()
        self.forward.close()

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
            with self.store.look() as look:
                found, signed = entries.leaf(look, event), signed_size(look)
            if found is None:
                self.sequence()
            if found is None or found[0] >= signed:
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
                raise failure.error
            if failure is None and self._current is not None and abs(now - self._current) < _PAUSE:
                return
            if failure is not None or self._overdue():
                self.sequence()
                self.checkpoint()
            self._current = now

    # --- asking ------------------------------------------------------------------------------------------------

    def entry(self, event: str) -> Entry:
        """One entry, by its event's identifier; raises EntryNotFound."""
        with self.store.read() as session:
            return self._found(session, event)

    def entries(
        self,
        filters: Filters | None = None,
        before: int | None = None,
        limit: int = 50,
        part: Part = WHOLE,
    ) -> tuple[Entry, ...]:
        """Up to `limit` matching entries of a part of the log, newest first, of indexes below `before` (the cursor).

        Raises IndexBehind. It may bring the index up to date first, so it is not asked inside an act.
        """
        wanted = filters or Filters()
        organs = () if wanted.under is None else self.around.below(wanted.under)
        self.index.current()
        with self.store.read() as session:
            return search(session, wanted, before, limit, organs, part)

    def hosts(self) -> Part:
        """The part of the log that is no tenant's."""
        return hosts(self.around.tenants())

    def every(self, filters: Filters, before: int | None = None, part: Part = WHOLE) -> Iterator[Entry]:
        """All matching entries of a part of the log, newest first, read a page at a time."""
        while True:
            page = self.entries(filters, before, _PAGE, part)
            yield from page
            if len(page) < _PAGE:
                return
            before = page[-1].index

    def proof(self, event: str, suite: Suite = TREES[0]) -> LogProof:
        """The self-contained proof; raises EntryNotFound, NotYetSigned.

        Against the newest checkpoint that covers the entry, is timestamped and carries a quorum of witnesses; while there
        is none, with a quorum; while there is none, the newest.
        """
        with self.store.look() as look:
            found = entries.leaf(look, event)
            if found is None:
                raise EntryNotFound(event=event)
            index, data = found
            if not data:
                raise EntrySealed(event=event, archive=archive_of(look, index) or "-")
            row = self._proving(look, suite, index + 1)
            if row is None or row.size <= index:
                raise NotYetSigned(event=event)
            hashes = inclusion_proof(suite.hash, index, row.size, stored(look, suite, self._tiles))
            return LogProof(data, index, hashes, with_cosignatures(look, row, suite))

    def stamp_on(self, size: int, suite: Suite = TREES[0]) -> bytes | None:
        """The timestamp token over the checkpoint of that size, DER, if it has one."""
        with self.store.look() as look:
            return token_on(look, suite, size)

    def places(
        self, indexes: Sequence[int], suite: Suite = TREES[0], *, proving: bool = False
    ) -> tuple[Note, list[tuple[bytes, ...]]]:
        """The newest checkpoint, and from each of these entries the hashes that lead to its root; raises NotYetSigned.

        With `proving` the checkpoint that `proof` would choose for the last of them.
        """
        with self.store.look() as look:
            row = self._proving(look, suite, max(indexes) + 1) if proving else newest(look)
            if row is None or (indexes and row.size <= max(indexes)):
                raise NotYetSigned(event=str(max(indexes, default=0)))
            fetch = stored(look, suite, self._tiles)
            hashes = [inclusion_proof(suite.hash, index, row.size, fetch) for index in indexes]
            return with_cosignatures(look, row, suite), hashes

    def signed(self, suite: Suite = TREES[0]) -> Note:
        """The newest signed checkpoint of one tree, with what witnesses said of it; raises NothingSigned."""
        with self.store.look() as look:
            return self._newest(look, suite)

    def published(self, suite: Suite = TREES[0]) -> Note:
        """What the world is told: the newest checkpoint that carries the quorum of the policy in force.

        The newest of all while there is no policy, and until one has a quorum. Raises NothingSigned.
        """
        with self.store.look() as look:
            row = newest_witnessed(look, suite)
            return self._newest(look, suite) if row is None else with_cosignatures(look, row, suite)

    def covered(self) -> tuple[int, datetime] | None:
        """How many entries the newest checkpoint commits to, and its time; None before the first."""
        with self.store.look() as look:
            row = newest(look)
            return None if row is None else (row.size, row.time)

    def tile(self, tile: Tile, suite: Suite = TREES[0]) -> bytes:
        """The hashes of a tile that lies within the newest checkpoint; raises TileNotFound."""
        with self.store.look() as look:
            if not tile.within(signed_size(look)):
                raise TileNotFound(tile=tile.path())
            return b"".join(tile_hashes(look, suite, tile.level, tile.index)[: tile.width])

    def check(self) -> CheckReport:
        """Recompute everything.

        Raises LogTampered, OpeningBroken, StateBroken, IndexBroken, ArchiveBroken, StampBroken, CheckpointBroken, LogRolledBack,
        CheckpointFileMissing, CosignatureBroken, WitnessRolledBack, LogContradicted, RecordsMissing.
        """
        with self.store.read() as session:
            report = check(session, self.verifiers, self.around, self.store.accounted)
            check_index(session)
            check_archives(session, self.settings.origin, self.verifiers)
        self._checkpointer.compare()
        self.cosigner.check()
        with self.store.read() as session:
            report = replace(
                report,
                cosignatures=self.witnesses.check(session),
                stamps=check_stamps(session),
                records=check_records(session),
            )
        if report.misnumbered:
            # last, because it stays: what else is found is not hidden behind it
            raise RecordsMissing(faults=told(list(report.misnumbered)))
        return report

    def health(self) -> Health:
        """How far the log is, and whether acts can be recorded."""
        return health.of(self)

    def failures(self) -> dict[str, str]:
        """What failed last, by step."""
        return {step: failure.code for step, failure in self._failures.copy().items()}

    def behind(self, session: Session) -> tuple[datetime | None, bool]:
        """Since when the oldest record waits to be entered and signed, and whether that is too long."""
        since = self._waiting_since(session)
        return since, since is not None and self.store.clock.now() - since > self._longest

    # --- inside ------------------------------------------------------------------------------------------------

    @staticmethod
    def _proving(within: Within, suite: Suite, covering: int) -> Signed | None:
        stamped = newest_stamped(within, suite, covering=covering)
        if stamped is not None and has_quorum(within, suite, stamped.size):
            return stamped
        return newest_witnessed(within, suite, covering=covering) or newest(within)

    @staticmethod
    def _newest(within: Within, suite: Suite) -> Note:
        row = newest(within)
        if row is None:
            raise NothingSigned
        return with_cosignatures(within, row, suite)

    @property
    def _longest(self) -> timedelta:
        return timedelta(seconds=self.settings.longest_backlog)

    def _overdue(self) -> bool:
        with self.store.read() as session:
            return self.behind(session)[1]

    def _waiting_since(self, session: Session) -> datetime | None:
        """The time of the oldest record that is not yet entered and signed."""
        unsigned = session.scalar(sa.select(EntryRow.time).where(EntryRow.index == signed_size(session)))
        if unsigned is not None:
            return unsigned
        data = session.scalar(sa.select(OutboxRow.data).order_by(OutboxRow.number).limit(1))
        return None if data is None else _time(data)

    @contextmanager
    def _watched(self, step: str) -> Iterator[None]:
        """Remember whether the step works, for the gate; any failure leaves as LogUnavailable or LogStopped with its cause."""
        try:
            yield
        except Exception as error:
            code = error.code if isinstance(error, YinxinError) else type(error).__name__
            passes = not isinstance(error, YinxinError) or error.retryable
            failure = self._failures[step] = _Failure(self.store.clock.now(), code, passes)
            raise failure.error from error
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
