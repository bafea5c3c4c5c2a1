"""The list of blocked keys as officers keep it: add, withdraw, import, and revoke what a blocked key still has."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import sqlalchemy as sa

from ca.context import Context
from ca.errors import AlreadyRevoked, BadKeyList, KeyStaysBlocked, UnknownBlockedKey
from ca.keycheck.blocked import block, holding
from ca.keycheck.models import BlockedKeyRow
from ca.models import CertificateRow
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Decider, Resource
from yinxin.clock import rfc3339
from yinxin.crypto.status import Reason
from yinxin.crypto.suite import INTL
from yinxin.errors import YinxinError
from yinxin.personal import Personal
from yinxin.steps import step

BLOCK, UNBLOCK = "ca.block", "ca.unblock"
#: why a key is blocked by an officer
BlockReason = Literal["keyCompromise", "knownWeak"]
REASONS: tuple[BlockReason, ...] = get_args(BlockReason)
#: entries of one transaction while a file is imported
_BATCH = 2000
_DIGEST = re.compile(r"[0-9a-f]{64}|[0-9a-f]{20}")


def describe(row: BlockedKeyRow) -> dict[str, str]:
    """An entry as JSON."""
    return {
        "key": row.digest,
        "reason": row.reason,
        "since": rfc3339(row.since),
        "by": row.by,
        "note": row.note,
    }


@dataclass(frozen=True)
class Swept:
    """What became of the certificates of a blocked key: revoked serial numbers, and those that could not be, with why."""

    revoked: tuple[str, ...]
    failed: tuple[tuple[str, YinxinError], ...]


class Blocklist:
    """The list of blocked keys; one per process, shared by its threads."""

    def __init__(self, ctx: Context, decider: Decider, revoke: Callable[[Actor, str, str], object]) -> None:
        self._ctx = ctx
        self._decider = decider
        #: how an officer revokes: `Authority.revoke`, with its decision and record
        self._revoke = revoke

    def add(self, actor: Actor, digest: str, reason: BlockReason, note: str = "") -> bool:
        """Block a key by the SHA-256 of its SubjectPublicKeyInfo (hexadecimal); False when it was; raises Denied."""
        decision = self._decider.require(actor, BLOCK, _resource(digest))
        with self._ctx.store.act(actor, BLOCK, f"key:{digest}", reason=reason) as act:
            act.decision = decision.record()
            if note:
                act.facts["note"] = Personal(note, actor.id)
            at = self._ctx.store.clock.now()
            act.facts["added"] = added = block(act.session, digest, reason, at=at, by=actor.id, note=note)
        step("ca.block.1-recorded")
        return added

    def revoke_all(self, actor: Actor, digest: str) -> Swept:
        """Revoke everything that a blocked key still has, each certificate its own act; raises UnknownBlockedKey.

        Cut off, it is simply asked for again: what is revoked already is not looked at. What the actor may not
        revoke, or a ceremony only can, is told and left.
        """
        self.find(digest)
        with self._ctx.store.read() as session:
            serials = holding(session, digest, self._ctx.store.clock.now())
        revoked: list[str] = []
        failed: list[tuple[str, YinxinError]] = []
        for serial in serials:
            try:
                self._revoke(actor, serial, Reason.KEY_COMPROMISE)
            except AlreadyRevoked:
                continue
            except YinxinError as error:
                failed.append((serial, error))
                continue
            revoked.append(serial)
            step("ca.block.2-revoked")
        return Swept(tuple(revoked), tuple(failed))

    def remove(self, actor: Actor, digest: str) -> None:
        """Take a key off the list; raises UnknownBlockedKey, KeyStaysBlocked, Denied."""
        decision = self._decider.require(actor, UNBLOCK, _resource(digest))
        with self._ctx.store.act(actor, UNBLOCK, f"key:{digest}") as act:
            act.decision = decision.record()
            query = sa.select(CertificateRow.serial).where(
                CertificateRow.spki_digest == digest, CertificateRow.reason == Reason.KEY_COMPROMISE
            )
            if (serial := act.session.scalars(query.limit(1)).first()) is not None:
                raise KeyStaysBlocked(key=digest, serial=serial)
            row = act.session.get(BlockedKeyRow, digest)
            if row is None:
                raise UnknownBlockedKey(key=digest)
            act.session.delete(row)

    def load(self, actor: Actor, file: Path, note: str = "") -> int:
        """Import a file of known weak keys, one a line, `#` begins a remark; how many were new.

        A line is the SHA-256 of a SubjectPublicKeyInfo (64 digits) or an entry of Debian's openssl-blacklist (20).
        Raises BadKeyList, Denied. The file is read as a whole before anything is written; cut off, it is imported again.
        """
        decision = self._decider.require(actor, BLOCK, _resource("file"))
        content = file.read_bytes()
        digests = list(dict.fromkeys(_digests(content.decode("ascii", "replace"), file.name)))
        name, new = INTL.hash.digest(content).hex(), 0
        for start in range(0, len(digests), _BATCH):
            part = digests[start : start + _BATCH]
            with self._ctx.store.act(actor, BLOCK, f"key-list:{name}", first=start) as act:
                act.decision = decision.record()
                act.facts["file_name"] = Personal(file.name, actor.id)
                listed = sa.select(BlockedKeyRow.digest).where(BlockedKeyRow.digest.in_(part))
                known = set(act.session.scalars(listed))
                at = self._ctx.store.clock.now()
                rows = [
                    {"digest": each, "reason": "knownWeak", "since": at, "by": actor.id, "note": note}
                    for each in part
                    if each not in known
                ]
                if rows:
                    act.session.execute(sa.insert(BlockedKeyRow), rows)
                act.facts["added"] = len(rows)
                new += len(rows)
            step("ca.block.3-imported")
        return new

    def find(self, digest: str) -> BlockedKeyRow:
        """One entry; raises UnknownBlockedKey."""
        with self._ctx.store.read() as session:
            row = session.get(BlockedKeyRow, digest)
        if row is None:
            raise UnknownBlockedKey(key=digest[:64])
        return row

    def search(self, actor: Actor, *, after: str = "", limit: int = 100) -> Sequence[BlockedKeyRow]:
        """Entries by digest, from the one after `after`; raises Denied."""
        self._decider.require(actor, "ca.read", _resource("*"))
        query = sa.select(BlockedKeyRow).where(BlockedKeyRow.digest > after)
        with self._ctx.store.read() as session:
            return session.scalars(query.order_by(BlockedKeyRow.digest).limit(limit)).all()


def _digests(text: str, file: str) -> Iterable[str]:
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip().lower()
        if entry and not _DIGEST.fullmatch(entry):
            raise BadKeyList(file=file, line=number)
        if entry:
            yield entry


def _resource(digest: str) -> Resource:
    """A key belongs to no organ: whoever blocks one does so for the whole platform."""
    return Resource("Certificate", f"key/{digest}", organ=PLATFORM, attributes={"profile": "*"})
