"""Those that witness this site's log, as one service: the policy, what they said, and what they found."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy.orm import Session

from audit.checkpoint import Signed, newest, note_of, signed_size
from audit.errors import NothingSigned
from audit.models import CheckpointRow
from audit.tree import TREES, stored
from audit.witness.contradiction import Contradiction, standing
from audit.witness.cosignatures import check, keep, last_of, newest_witnessed
from audit.witness.errors import LogContradicted, NoHttp, NoQuorum, NothingToTake, UnknownWitness
from audit.witness.gather import Gatherer, taking
from audit.witness.quorum import ever_named, in_force
from yinxin.clock import rfc3339
from yinxin.crypto.suite import Suite
from yinxin.store import Store, alone
from yinxin.text import Text
from yinxin.tlog import (
    Checkpoint,
    CosignatureVerifier,
    Note,
    NoteVerifier,
    Policy,
    PolicyWitness,
    Submission,
    consistency_proof,
)
from yinxin.tlog.policy import NONE
from yinxin.tlog.submission import encode_lines

_log = logging.getLogger("yinxin.audit.witness")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one witness of one tree stands."""

    tree: str
    name: str
    key: CosignatureVerifier
    url: str | None
    #: the largest size it has cosigned, and when it said so last
    size: int | None
    at: datetime | None
    #: why it could not be asked last, if it could not
    error: str | None

    def fields(self) -> dict[str, Any]:
        """The parts as text and numbers."""
        return {
            "tree": self.tree,
            "witness": self.name,
            "key": self.key.encode(),
            "url": self.url,
            "size": self.size,
            "at": None if self.at is None else rfc3339(self.at),
            "error": self.error,
        }


class Witnesses:
    """The witnesses of one site's log. Shared by the threads of a process."""

    def __init__(
        self,
        store: Store,
        verifiers: Mapping[str, NoteVerifier],
        *,
        every: timedelta,
        http: Callable[[], httpx.Client] | None = None,
    ) -> None:
        """`verifiers` are the log's own keys by hash name; `http` makes the client that asks; without it nobody is asked."""
        self._store = store
        self._verifiers = dict(verifiers)
        self._ticking = threading.Lock()
        self._thread: threading.Thread | None = None
        self._gatherer = Gatherer(store, self._verifiers, http or _no_way_out, every)

    def policy(self, suite: Suite) -> Policy | None:
        """The policy in force for a tree."""
        with self._store.read() as session:
            return in_force(session, suite)

    def policy_file(self, suite: Suite) -> bytes:
        """The policy in force, as readers take it into their trust; raises NoQuorum."""
        return self._policy(suite).source

    def keys(self, suite: Suite) -> tuple[CosignatureVerifier, ...]:
        """The keys of every witness that a policy of the tree has ever named."""
        with self._store.read() as session:
            return tuple(ever_named(session, suite).values())

    def gather(self, *, at_once: bool = False) -> int:
        """Ask the witnesses that are due, or all `at_once`; how many cosigned. Raises NoHttp."""
        if not at_once and not self._gatherer.due():
            return 0
        return self._gatherer.run(at_once=at_once)

    def tick(self) -> None:
        """Have whoever is due asked, in the background: who does not answer must not keep the log from being signed.

        A job of a few seconds; returns at once.
        """
        with self._ticking:
            if (self._thread is None or not self._thread.is_alive()) and self._gatherer.due():
                self._thread = threading.Thread(target=self._in_turn, name="witnesses", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Wait for the answers that are on their way."""
        if self._thread is not None:
            self._thread.join()

    def _in_turn(self) -> None:
        """Ask, unless another process does."""
        try:
            with alone(self._store.engine, "witnesses") as held:
                if held:
                    self._gatherer.run()
        except Exception:  # noqa: BLE001 - a thread of its own: what it cannot do is said to the operator, and tried again
            _log.exception("the witnesses could not be asked")

    def submission(self, suite: Suite, witness: str, old: int | None = None) -> Submission:
        """What to hand to a witness in a file: the newest checkpoint, from what it cosigned last, or from `old`.

        Raises NoQuorum, UnknownWitness, and NothingSigned or NothingToTake when `old` is none of this log's sizes.
        """
        key = self._named(suite, witness).verifier
        with self._store.read() as session:
            row, last = self._newest(session), last_of(session, suite, key.name, key.key_id.hex())
            if old is None:
                old = last[0] if last else 0
            if not 0 <= old <= row.size:
                raise NothingToTake(
                    reason=Text(f"日志只签发到 {row.size} 条", f"{row.size} entries of the log are signed")
                )
            hashes = consistency_proof(suite.hash, old, row.size, stored(session, suite))
            return Submission(old, hashes, note_of(row, suite))

    def take(self, data: bytes) -> tuple[str, int, tuple[str, ...]]:
        """Store the cosignatures of a witness's answer in a file, a cosigned checkpoint: (tree, size, who).

        Raises NothingToTake, MalformedNote, BadNoteSignature.
        """
        note = Note.decode(data)
        checkpoint = Checkpoint.parse(note.text)
        suite = next(
            (each for each in TREES if self._verifiers[each.hash.name].name == checkpoint.origin), None
        )
        if suite is None:
            raise NothingToTake(
                reason=Text(f"检查点属于 {checkpoint.origin}", f"the checkpoint is of {checkpoint.origin}")
            )
        policy = self._policy(suite)
        with self._store.read() as session:
            row = session.get(CheckpointRow, checkpoint.size)
            ours = row is not None and note_of(row, suite).text == note.text
        if not ours:
            raise NothingToTake(
                reason=Text(
                    f"本日志没有签发过规模 {checkpoint.size} 的这个检查点",
                    f"this log has not signed that checkpoint of size {checkpoint.size}",
                )
            )
        own = self._verifiers[suite.hash.name]
        lines = [each for each in note.signatures if (each.name, each.key_id) != (own.name, own.key_id)]
        keys = [each.verifier for each in policy.witnesses.values()]
        taken = taking(note, encode_lines(note.text, lines), keys) if lines else []
        if not taken:
            raise NothingToTake(
                reason=Text("没有规则中见证方的联署", "no cosignature by a witness of the policy")
            )
        keep(self._store, suite, checkpoint.size, taken)
        return suite.hash.name, checkpoint.size, tuple(each.by.name for each, _ in taken)

    def standing(self) -> tuple[Standing, ...]:
        """Every witness of the policies in force."""
        found = []
        for suite in TREES:
            policy = self.policy(suite)
            for each in policy.witnesses.values() if policy else ():
                key = each.verifier
                with self._store.read() as session:
                    last = last_of(session, suite, key.name, key.key_id.hex())
                error = self._gatherer.asked(suite, key).error
                size, at = last or (None, None)
                found.append(Standing(suite.hash.name, each.name, key, each.url, size, at, error))
        return tuple(found)

    def witnessed_size(self, session: Session, suite: Suite) -> int | None:
        """How many entries the newest checkpoint with a quorum covers; None without a policy."""
        if in_force(session, suite) is None:
            return None
        row = newest_witnessed(session, suite)
        return 0 if row is None else row.size

    def contradictions(self) -> tuple[Contradiction, ...]:
        """The alarms that stand about this log: what is proved, and what the quorum has not answered.

        A witness that refuses without proof is shown as one that fails; it cannot keep the log in alarm against the others.
        """
        with self._store.read() as session:
            return self._alarms(session)

    def check(self, session: Session) -> int:
        """Verify every stored cosignature; how many. Raises CosignatureBroken, LogContradicted."""
        count = sum(check(session, suite) for suite in TREES)
        for each in self._alarms(session):
            raise LogContradicted(witness=each.witness, finding=each.text())
        return count

    def facts(self) -> dict[str, Any]:
        """What `status` says of witnesses."""
        with self._store.read() as session:
            signed = signed_size(session)
            sizes = {suite.hash.name: self.witnessed_size(session, suite) for suite in TREES}
        return {
            "signed": signed,
            "witnessed": {tree: size for tree, size in sizes.items() if size is not None},
            "witnesses": [each.fields() for each in self.standing()],
            "contradictions": [each.text().en for each in self.contradictions()],
        }

    def _alarms(self, session: Session) -> tuple[Contradiction, ...]:
        found = standing(session, [each.name for each in self._verifiers.values()])
        return tuple(each for each in found if each.proven or not _outvoted(session, each))

    def _policy(self, suite: Suite) -> Policy:
        policy = self.policy(suite)
        if policy is None:
            raise NoQuorum(suite=suite.name)
        return policy

    def _named(self, suite: Suite, witness: str) -> PolicyWitness:
        found = self._policy(suite).witnesses.get(witness)
        if found is None:
            raise UnknownWitness(witness=witness[:80])
        return found

    @staticmethod
    def _newest(session: Session) -> Signed:
        row = newest(session)
        if row is None:
            raise NothingSigned
        return row


def _outvoted(session: Session, found: Contradiction) -> bool:
    """Whether a quorum has cosigned a checkpoint that was made after the refusal: it knows no other history."""
    suite = next(each for each in TREES if each.hash.name == found.tree)
    policy = in_force(session, suite)
    if policy is None or policy.quorum == NONE:
        return False
    row = newest_witnessed(session, suite)
    return row is not None and row.time > found.at


def _no_way_out() -> httpx.Client:
    raise NoHttp
