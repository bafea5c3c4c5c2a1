"""Asking the witnesses, by HTTPS: the newest checkpoint goes to each, and its cosignature comes back.

Each witness is asked at most every `witness_every` seconds and only when there is something new, or its last word is
an hour old; one that fails is asked ever more seldom, up to once an hour. Nobody is asked whom the policy in force
does not name with an address.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import httpx

from audit.checkpoint import newest, note_of
from audit.tree import TREES, stored
from audit.witness.contradiction import Contradiction, Kind, judge, record
from audit.witness.cosignatures import keep, last_of
from audit.witness.cosigner import address_of
from audit.witness.models import AskedRow
from audit.witness.quorum import in_force
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError
from yinxin.store import Store
from yinxin.tlog import (
    Checkpoint,
    CosignatureVerifier,
    Cosigned,
    Note,
    NoteVerifier,
    PolicyWitness,
    Signature,
    Submission,
    consistency_proof,
    cosigned,
)
from yinxin.tlog.note import LARGEST_NOTE
from yinxin.tlog.submission import SIZE_TYPE, decode_lines

#: a witness's word is renewed after so long even when nothing was done meanwhile: it says "still"
_FRESH = timedelta(hours=1)
_LONGEST_WAIT = timedelta(hours=1)
#: seconds in which an answer must have come whole; what is waited for between two of its octets is the client's to say
_PATIENCE = 30.0
#: the largest size that a log can have here; a larger one could not even be written down
_LARGEST = 2**63 - 1


class _Refused(Exception):
    """The witness answered with something that helps nobody; the argument says what, for the status."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    kind: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """How asking a witness went last."""

    size: int
    due: datetime | None
    failures: int
    error: str | None


class Gatherer:
    """Asks the witnesses of this site's log."""

    def __init__(
        self,
        store: Store,
        verifiers: dict[str, NoteVerifier],
        http: Callable[[], httpx.Client],
        every: timedelta,
    ) -> None:
        """`verifiers` are the log's own keys by hash name."""
        self._store = store
        self._verifiers = verifiers
        self._http = http
        self._every = every

    def run(self, *, at_once: bool = False) -> int:
        """Ask every witness that is due, or each `at_once`; how many cosigned. It takes as long as they take to answer."""
        count, reachable = 0, self._reachable()
        if not reachable:
            return count
        with self._http() as http:
            for suite, witness in reachable:
                if at_once or self._is_due(suite, witness):
                    count += self._ask(http, suite, witness)
        return count

    def due(self) -> bool:
        """Whether there is anybody to ask."""
        return any(self._is_due(suite, witness) for suite, witness in self._reachable())

    def _reachable(self) -> list[tuple[Suite, PolicyWitness]]:
        """Every witness that a policy in force names with an address."""
        with self._store.read() as session:
            policies = [(suite, in_force(session, suite)) for suite in TREES]
        return [
            (suite, witness)
            for suite, policy in policies
            if policy is not None
            for witness in policy.witnesses.values()
            if witness.url is not None
        ]

    def asked(self, suite: Suite, key: CosignatureVerifier) -> Asked:
        """How asking a witness went last."""
        with self._store.read() as session:
            row = session.get(AskedRow, (suite.hash.name, key.name, key.key_id.hex()))
            return Asked(row.size, row.due, row.failures, row.error) if row else Asked(0, None, 0, None)

    def _is_due(self, suite: Suite, witness: PolicyWitness) -> bool:
        now, key = self._store.clock.now(), witness.verifier
        asked = self.asked(suite, key)
        if asked.due is not None and asked.due > now:
            return False
        with self._store.read() as session:
            row, last = newest(session), last_of(session, suite, key.name, key.key_id.hex())
        return row is not None and (last is None or last[0] < row.size or now - last[1] >= _FRESH)

    def _ask(self, http: httpx.Client, suite: Suite, witness: PolicyWitness) -> bool:
        """Ask one witness; whether it cosigned. Whatever goes wrong is remembered, and others are asked all the same."""
        key = witness.verifier
        try:
            size = self._exchange(http, suite, witness)
        except _Refused as refusal:
            self._note(suite, key, error=str(refusal))
        except httpx.HTTPError as error:
            self._note(suite, key, error=type(error).__name__)
        except YinxinError as error:
            self._note(suite, key, error=error.code)
        else:
            if size is not None:
                self._note(suite, key, size=size)
                return True
        return False

    def _exchange(self, http: httpx.Client, suite: Suite, witness: PolicyWitness) -> int | None:
        old = self.asked(suite, witness.verifier).size
        with self._store.read() as session:
            last = last_of(session, suite, witness.verifier.name, witness.verifier.key_id.hex())
        old = max(old, last[0] if last else 0)
        for _ in range(2):  # a witness that is elsewhere says where, and is asked once more from there
            made = self._submission(suite, old)
            if made is None:
                return None
            submission, checkpoint = made
            answer = self._send(http, witness, "POST", "add-checkpoint", submission.encode())
            if answer.status == httpx.codes.OK:
                self._take(suite, witness.verifier, submission.checkpoint, answer.body)
                return checkpoint.size
            if answer.status == httpx.codes.CONFLICT and answer.kind == SIZE_TYPE:
                theirs = _size(answer.body)
                if theirs > checkpoint.size:
                    self._contradicted(http, suite, witness, (Kind.ROLLED_BACK, checkpoint.size, theirs))
                if theirs == old:
                    break
                old = theirs
            elif answer.status == httpx.codes.UNPROCESSABLE_ENTITY and old:
                self._contradicted(http, suite, witness, (Kind.FORKED, checkpoint.size, old))
            else:
                raise _Refused(f"HTTP {answer.status}")
        raise _Refused("HTTP 409")

    def _submission(self, suite: Suite, old: int) -> tuple[Submission, Checkpoint] | None:
        with self._store.read() as session:
            row = newest(session)
            if row is None:
                return None
            old = min(old, row.size)
            hashes = consistency_proof(suite.hash, old, row.size, stored(session, suite))
            note = note_of(row, suite)
        return Submission(old, hashes, note), Checkpoint.parse(note.text)

    def _take(self, suite: Suite, key: CosignatureVerifier, note: Note, body: bytes) -> None:
        taken = taking(note, body, [key])
        if not taken:
            raise _Refused("no cosignature")
        keep(self._store, suite, Checkpoint.parse(note.text).size, taken)

    def _contradicted(
        self, http: httpx.Client, suite: Suite, witness: PolicyWitness, seen: tuple[Kind, int, int]
    ) -> None:
        """Look for proof in what the witness shows of our log, and raise the alarm unless that clears it.

        `seen`: the kind, our size, and theirs.
        """
        kind, size, theirs = seen
        own = self._verifiers[suite.hash.name]
        try:
            shown = self._send(http, witness, "GET", f"{address_of(own.name)}/checkpoint")
            note = shown.body if shown.status == httpx.codes.OK else None
        except (httpx.HTTPError, _Refused):
            note = None
        with self._store.read() as session:
            ours, proven = judge(session, suite, own, note)
            row = newest(session)
        if ours and not proven:
            raise _Refused("refused without cause")
        if kind is Kind.ROLLED_BACK and row is not None and row.size >= theirs and not proven:
            raise _Refused("HTTP 409")  # another process has signed more meanwhile
        now = self._store.clock.now()
        found = Contradiction(suite.hash.name, witness.verifier.name, kind, size, theirs, proven, now)
        record(self._store, own.name, witness.verifier, found, note if proven else None)
        raise _Refused(kind.value)

    def _send(
        self, http: httpx.Client, witness: PolicyWitness, method: str, path: str, body: bytes | None = None
    ) -> _Answer:
        url = f"{(witness.url or '').rstrip('/')}/{path}"
        # nothing compressed: a small answer could become a large one before it is measured
        with http.stream(method, url, content=body, headers={"Accept-Encoding": "identity"}) as answer:
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise _Refused("an encoded answer")
            data, late = b"", monotonic() + _PATIENCE
            for part in answer.iter_bytes():
                data += part
                if monotonic() > late:
                    raise _Refused("too slow an answer")
                if len(data) > LARGEST_NOTE:
                    raise _Refused("too long an answer")
            return _Answer(
                answer.status_code, answer.headers.get("Content-Type", "").partition(";")[0].strip(), data
            )

    def _note(
        self, suite: Suite, key: CosignatureVerifier, *, size: int | None = None, error: str | None = None
    ) -> None:
        place = (suite.hash.name, key.name, key.key_id.hex())
        now = self._store.clock.now()
        with self._store.housekeep(lasting=False) as session:
            row = session.get(AskedRow, place)
            if row is None:
                row = AskedRow(tree=place[0], name=place[1], key_id=place[2], size=0, due=now, failures=0)
                session.add(row)
            row.error = None if error is None else error[:80]
            row.failures = 0 if error is None else row.failures + 1
            row.size = row.size if size is None else size
            wait = self._every * 2 ** min(row.failures, 12)
            row.due = now + (self._every if error is None else max(self._every, min(wait, _LONGEST_WAIT)))


def taking(note: Note, body: bytes, keys: list[CosignatureVerifier]) -> list[tuple[Cosigned, Signature]]:
    """The cosignatures over `note` in a witness's answer that are by `keys`; others are dropped.

    Raises MalformedNote, BadNoteSignature, UntrustedNote.
    """
    lines = decode_lines(note.text, body)
    found = cosigned(Note(note.text, lines), keys)
    by = {(each.name, each.key_id): each for each in lines}
    return [(each, by[each.by.name, each.by.key_id]) for each in found]


def _size(body: bytes) -> int:
    text = body.decode("ascii", "replace")
    if not (text.endswith("\n") and text[:-1].isdigit() and text.isascii() and len(text) <= 20):
        raise _Refused("no size in the answer")
    if (size := int(text)) > _LARGEST:
        raise _Refused("no size in the answer")
    return size
