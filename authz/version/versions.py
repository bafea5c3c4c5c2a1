"""Which policies are in force, told cheaply and often; and how others come into force.

A process looks at one row, the newest version's number, and loads a version it has not seen: text and schema must have the hash the row names, and the row the site's signature. What fails is not put in force,
and nothing is decided any more (law 7): a version is checked before it is written, so such a row was tampered with.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from authz.models import PolicySetRow
from authz.policy_set import PolicySet
from authz.proof import require_separation
from authz.version.change import Change
from authz.version.errors import PoliciesForged, PoliciesMoved, PoliciesUnchanged, UnknownVersion
from authz.version.models import PolicyVersion
from yinxin import canonical
from yinxin.act import SYSTEM, Actor
from yinxin.clock import rfc3339
from yinxin.store import Store, as_good
from yinxin.tlog import Note, NoteSigner, NoteVerifier
from yinxin.tlog.errors import BadNoteSignature, MalformedNote, UntrustedNote

VERB = "authz.adopt-policies"


@dataclass(frozen=True, slots=True)
class InForce:
    """The policies in force and their number; None where no version was ever written."""

    policies: PolicySet
    number: int | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version, as it is listed."""

    number: int
    policy_set: str
    shipped: bool
    author: str
    note: str
    proposal: str | None
    in_force_from: datetime
    in_force_until: datetime | None


class Versions:
    """The versions of this site's policies."""

    def __init__(self, store: Store, shipped: PolicySet) -> None:
        self._store = store
        self.shipped = shipped
        self._signers: Sequence[NoteSigner] = ()
        self._current = InForce(shipped, None)

    def sign_with(self, signers: Sequence[NoteSigner]) -> None:
        """From now on versions are signed by these keys, and only such are believed."""
        self._signers = signers

    def current(self) -> InForce:
        """What is in force now; raises PoliciesForged. Whoever decides asks `authz.state`, which knows when to look."""
        with self._store.read() as session:
            row = _newest(session)
            if row is not None and row.number != self._current.number:
                self._current = InForce(self._load(session, row), row.number)
        return self._current

    def version(self, number: int) -> tuple[Version, PolicySet]:
        """One version and its set; raises UnknownVersion, PoliciesForged."""
        with self._store.read() as session:
            row = session.get(PolicyVersion, number)
            if row is None:
                raise UnknownVersion(version=number)
            return _shown(row), self._load(session, row)

    def listed(self, *, before: int | None = None, limit: int = 50) -> tuple[Version, ...]:
        """Versions, newest first, below `before`."""
        query = sa.select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(limit)
        if before is not None:
            query = query.where(PolicyVersion.number < before)
        with self._store.read() as session:
            return tuple(_shown(row) for row in session.scalars(query))

    def set_of(self, digest: str) -> PolicySet | None:
        """A set that was once in force, by its hash; None when it is not known or not what its hash says."""
        with self._store.read() as session:
            row = session.get(PolicySetRow, digest)
        policies = PolicySet(row.text, row.schema) if row is not None else None
        return policies if policies is not None and policies.hash == digest else None

    def adopt_shipped(self) -> None:
        """Put the shipped set in force, recorded, when it is new and nothing was changed at this site.

        A set that was changed here stays in force when the software brings another: the change is made anew from the
        new one and proposed again; until then what is new in the software is not permitted.
        """
        with self._store.read() as session:
            row = _newest(session)
        if row is not None and (row.based_on == self.shipped.hash or row.based_on != row.policy_set):
            return
        number = row.number + 1 if row is not None else 1
        # another process that starts at the same moment may have been quicker; its row is the same
        with (
            suppress(IntegrityError),
            self._store.act(
                SYSTEM, VERB, f"policy-set:{self.shipped.hash}", taken=as_good, version=number
            ) as act,
        ):
            self._write(act.session, self.shipped, PolicyVersion(number=number, author=SYSTEM.id, note=""))

    def check(self, change: Change) -> PolicySet:
        """The set of a change that could come into force now.

        Raises PoliciesRefused, PoliciesUnchanged, or PoliciesMoved when it was not made from the version in force.
        """
        policies = change.policies(self.shipped)
        with self._store.read() as session:
            self._follows(session, change, policies)
        return policies

    def activate(self, session: Session, actor: Actor, change: Change, *, proposal: str | None = None) -> int:
        """Put a change in force within the caller's recorded transaction, and return its number.

        Raises what `check` raises, and PowersNotSeparated.
        """
        policies = change.policies(self.shipped)
        require_separation(policies)
        # of two that come at once the second waits for the row of the first, and then looks again
        session.scalars(_query().with_for_update()).first()
        number = self._follows(session, change, policies) + 1
        row = PolicyVersion(number=number, author=actor.id, note=change.note, proposal=proposal)
        self._write(session, policies, row)
        return number

    def outdated(self) -> bool:
        """Whether the set in force was changed here and made from another shipped set than the software brings."""
        with self._store.read() as session:
            row = _newest(session)
        return row is not None and row.based_on != self.shipped.hash

    def _follows(self, session: Session, change: Change, policies: PolicySet) -> int:
        """The number of the version in force, which the change was made from and differs from."""
        row = _newest(session)
        number = row.number if row is not None else 0
        if number != change.made_from:
            raise PoliciesMoved(made_from=change.made_from, version=number)
        if row is not None and row.policy_set == policies.hash:
            raise PoliciesUnchanged(version=number)
        return number

    def _write(self, session: Session, policies: PolicySet, row: PolicyVersion) -> None:
        """Add the version, signed; the one before it ends at this moment."""
        now = self._store.clock.now()
        if session.get(PolicySetRow, policies.hash) is None:
            session.add(
                PolicySetRow(hash=policies.hash, text=policies.text, schema=policies.schema, adopted=now)
            )
            session.flush()
        before = sa.update(PolicyVersion).where(PolicyVersion.in_force_until.is_(None))
        session.execute(before.values(in_force_until=now))
        row.policy_set, row.based_on, row.in_force_from = policies.hash, self.shipped.hash, now
        if self._signers:
            row.signature = Note.sign(_statement(row), self._signers).encode().decode()
        session.add(row)
        session.flush()

    def _load(self, session: Session, row: PolicyVersion) -> PolicySet:
        kept = session.get(PolicySetRow, row.policy_set)
        policies = PolicySet(kept.text, kept.schema) if kept is not None else None
        if policies is None or policies.hash != row.policy_set:
            raise PoliciesForged(version=row.number, reason="policy_set")
        if self._signers:
            _check(row, [each.verifier for each in self._signers])
        return self.shipped if policies.hash == self.shipped.hash else policies


def _query() -> sa.Select[PolicyVersion]:
    return sa.select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(1)


def _newest(session: Session) -> PolicyVersion | None:
    return session.scalars(_query()).first()


def _statement(row: PolicyVersion) -> str:
    """What the site signs: one line of canonical JSON that nothing else it signs looks like."""
    body = {
        "v": 1,
        "type": "policy-version",
        "number": row.number,
        "policy_set": row.policy_set,
        "based_on": row.based_on,
        "author": row.author,
        "note": row.note,
        "proposal": row.proposal,
        "from": rfc3339(row.in_force_from),
    }
    return canonical.encode(body).decode() + "\n"


def _check(row: PolicyVersion, trusted: Sequence[NoteVerifier]) -> None:
    """Raise PoliciesForged unless the row bears a signature of the site over just what it says."""
    try:
        note = Note.decode((row.signature or "").encode())
        note.verify(trusted)
    except (MalformedNote, UntrustedNote, BadNoteSignature) as error:
        raise PoliciesForged(version=row.number, reason=error.code) from error
    if note.text != _statement(row):
        raise PoliciesForged(version=row.number, reason="signature")


def _shown(row: PolicyVersion) -> Version:
    return Version(
        number=row.number,
        policy_set=row.policy_set,
        shipped=row.policy_set == row.based_on,
        author=row.author,
        note=row.note,
        proposal=row.proposal,
        in_force_from=row.in_force_from,
        in_force_until=row.in_force_until,
    )
