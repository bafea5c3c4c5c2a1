"""Renewing what ends soon, and giving its first timestamp to what is new in keeping: one timestamp for many, through a hash tree.

Timestamp renewal where certificates or the signature's algorithms end, hash renewal where the hash does (RFC 4998 5.2). Who dies
before the last step leaves a timestamp that nothing rests on, and everything as it was.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from audit.renewal.errors import KeptFileLost, NoYoungerTimestamp, RenewalBroken, RenewalUnderWay
from audit.renewal.ledger import (
    CHECKPOINT,
    Standing,
    checkpoint_name,
    content,
    encode_path,
    ending,
    record,
    unbegun,
    unentered,
)
from audit.renewal.models import BranchRow, LinkRow
from audit.stamp import Timestamps, Vouched
from yinxin.act import SYSTEM, Actor
from yinxin.authz import Decision
from yinxin.crypto.suite import INTL, PQ, SM, HashAlgorithm, Suite, hash_algorithm
from yinxin.crypto.timestamps import Token
from yinxin.errors import YinxinError
from yinxin.evidence.record import (
    Ages,
    EvidenceRecord,
    HashPath,
    Link,
    end_of,
    fits,
    hash_preimage,
    joined,
    names_of,
)
from yinxin.evidence.record.tree import root_of
from yinxin.steps import step
from yinxin.store import alone

if TYPE_CHECKING:
    from audit.service import Log

_log = logging.getLogger("yinxin.audit")

RENEW = "audit.renew"
#: proofs under one timestamp, and looked at in one run
MOST = 4096
_SUITES = (INTL, SM, PQ)
_SECOND = timedelta(seconds=1)


@dataclass
class Renewed:
    """What a run did, or would do: proofs by kind, timestamps made, files that were not there, proofs that do not hold."""

    begun: Counter[str] = field(default_factory=Counter)
    renewed: Counter[str] = field(default_factory=Counter)
    rehashed: Counter[str] = field(default_factory=Counter)
    timestamps: int = 0
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """The same as text and numbers."""
        counts = {name: dict(getattr(self, name)) for name in ("begun", "renewed", "rehashed")}
        return counts | {"timestamps": self.timestamps, "lost": self.lost, "broken": self.broken}

    def note(self, standing: Standing) -> None:
        """Count what is done with a proof."""
        kind = self.begun if standing.position < 0 else self.rehashed if standing.rehash else self.renewed
        kind[standing.proof.kind] += 1


@dataclass(frozen=True)
class _Gathered:
    """A proof, and its record and data as far as the renewal needs them."""

    standing: Standing
    record: EvidenceRecord | None
    data: bytes

    def preimage(self, hash_: HashAlgorithm) -> bytes:
        if self.record is None:
            return self.data
        return hash_preimage(hash_, self.data, self.record.chains) if self.standing.rehash else self.data


def ages_of(log: "Log") -> Ages:
    """Until when this site believes in algorithms."""
    return Ages.of(log.settings.renewal.until)


def horizon(log: "Log") -> datetime:
    """What ends before this is renewed now."""
    return log.store.clock.now() + timedelta(days=log.settings.renewal.before_days)


def plan(log: "Log", look_in: Iterable[str] = ()) -> Renewed:
    """What a run would do now; nothing is changed and no timestamp asked for."""
    found = Renewed()
    with log.store.read() as session:
        for standing in (*unbegun(session, MOST), *ending(session, ages_of(log), horizon(log), MOST)):
            found.note(standing)
            if standing.rehash:
                try:
                    content(session, standing.proof, look_in)
                except KeptFileLost as error:
                    found.lost.append(str(error.facts["file"]))
    return found


def renew(
    log: "Log", actor: Actor = SYSTEM, decision: Decision | None = None, look_in: Iterable[str] = ()
) -> Renewed:
    """Begin and renew what is due; raises RenewalUnderWay, NoYoungerTimestamp, and what the authority fails by.

    A file that is away, and a proof that does not hold, are named and passed over: the others are renewed.
    """
    done = Renewed()
    if log.stamps.authority is None:
        return done
    with alone(log.store.engine, RENEW) as mine:
        if not mine:
            raise RenewalUnderWay
        _enter_stamps(log, log.stamps.authority, done)
        with log.store.read() as session:
            due = [*unbegun(session, MOST), *ending(session, ages_of(log), horizon(log), MOST)]
            groups = list(_groups(session, due, tuple(look_in), done))
        for hash_, group in groups:
            _renew(_Run(log, log.stamps.authority, actor, decision), hash_, group, done)
    return done


def _groups(
    session: Session, due: Sequence[Standing], look_in: tuple[str, ...], done: Renewed
) -> Iterator[tuple[HashAlgorithm | None, list[_Gathered]]]:
    """What is renewed together: by the hash that is kept, or all that takes a new one (None)."""
    groups: dict[str, list[_Gathered]] = {}
    for standing in due:
        try:
            gathered = _gather(session, standing, look_in)
        except KeptFileLost as error:
            done.lost.append(str(error.facts["file"]))
        except YinxinError as error:
            _log.critical("%s %s cannot be renewed: %s", standing.proof.kind, standing.proof.name, error)
            done.broken.append(f"{standing.proof.kind} {standing.proof.name}")
        else:
            groups.setdefault("" if standing.rehash else standing.hash, []).append(gathered)
    for name, group in groups.items():
        yield (hash_algorithm(name) if name else None), group


def _gather(session: Session, standing: Standing, look_in: tuple[str, ...]) -> _Gathered:
    """What the next link is over. Nothing is renewed whose record does not fit its data: that would launder it."""
    if standing.position < 0:
        return _Gathered(standing, None, content(session, standing.proof, look_in))
    held = record(session, standing.proof)
    if len(held.links) != standing.position + 1:
        raise RenewalBroken(kind=standing.proof.kind, name=standing.proof.name, reason=str(len(held.links)))
    if not standing.rehash:
        return _Gathered(standing, held, held.last.token.der)
    data = content(session, standing.proof, look_in)
    fits(held, data)
    return _Gathered(standing, held, data)


@dataclass(frozen=True)
class _Run:
    log: "Log"
    authority: Timestamps
    actor: Actor
    decision: Decision | None


def _renew(run: _Run, kept: HashAlgorithm | None, group: Sequence[_Gathered], done: Renewed) -> None:
    log = run.log
    ends = [_end(run, each.record.last) for each in group if each.record is not None]
    tried = []
    for suite in _candidates(log, kept):
        hash_ = kept or suite.hash
        # 1. What one timestamp must be over, to cover them all.
        preimages = [each.preimage(hash_) for each in group]
        message, paths = joined(hash_, preimages)
        step("audit.renew.1-joined")
        # 2. The timestamp, held against it, and against what it is to outlast.
        made = run.authority.stamp(message, suite.name, run.actor, hash_.name)
        tried.append(suite.name)
        if made is None:
            continue
        token = Token.load(made)
        token.check_imprint(message)
        for preimage, path in zip(preimages, paths, strict=True):
            if root_of(hash_, hash_.digest(preimage), path) != token.digest:
                raise RenewalBroken(kind="link", name=suite.name, reason="path")
        vouched = run.authority.standing(made)
        if end_of(Link(token), vouched.path, ages_of(log))[0] <= max(ends, default=log.store.clock.now()):
            continue
        step("audit.renew.2-stamped")
        # 3. In one transaction: link, branches, and the record of the act.
        link = Link(token, (), *_beside(run, token, vouched, group))
        _enter(run, suite, link, vouched, list(zip(group, paths, strict=True)))
        step("audit.renew.3-entered")
        done.timestamps += 1
        for each in group:
            done.note(each.standing)
        return
    raise NoYoungerTimestamp(tried=", ".join(tried) or "-", count=len(group))


def _candidates(log: "Log", kept: HashAlgorithm | None) -> list[Suite]:
    """Suites whose own algorithms outlast what is to be renewed, the one of the kept hash first."""
    ages, before = ages_of(log), horizon(log)
    ordered = sorted(_SUITES, key=lambda each: each.hash is not kept)
    found = []
    for suite in ordered:
        first = ages.first([suite.key_algorithm, *(() if kept else (suite.hash.name,))])
        if first is None or first[0] > before:
            found.append(suite)
    return found


def _end(run: _Run, link: Link) -> datetime:
    return end_of(link, run.authority.standing(link.token.der).path, ages_of(run.log))[0]


def _beside(
    run: _Run, token: Token, vouched: Vouched, group: Sequence[_Gathered]
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Certificates and lists that the new token is judged with, and now for the last time the ones before it."""
    certificates, lists = dict.fromkeys(vouched.certificates), dict.fromkeys(vouched.crls)
    signers = {token.check_signature(vouched.path.certificates)}
    for each in group:
        if each.record is None:
            continue
        old = each.record.last.token
        before = run.authority.standing(old.der)
        if before.path.leaf not in signers:
            signers.add(before.path.leaf)
            certificates |= dict.fromkeys(before.certificates)
            lists |= dict.fromkeys(before.crls)
    return tuple(certificates), tuple(lists)


def _enter(
    run: _Run, suite: Suite, link: Link, vouched: Vouched, group: Sequence[tuple[_Gathered, HashPath]]
) -> None:
    facts: Mapping[str, Any] = {
        "count": len(group),
        "kinds": dict(Counter(each.standing.proof.kind for each, _ in group)),
        "suite": suite.name,
        "hash": link.hash.name,
        "imprint": link.token.digest.hex(),
        "token": INTL.hash.digest(link.token.der).hex(),
    }
    name = run.log.store.identifier()
    with run.log.store.act(run.actor, RENEW, f"renewal:{name}", **facts) as act:
        act.decision = None if run.decision is None else run.decision.record()
        row = _row(link, vouched, link.encode())
        act.session.add(row)
        act.session.flush()
        act.session.add_all(
            BranchRow(
                kind=each.standing.proof.kind,
                name=each.standing.proof.name,
                position=each.standing.position + 1,
                link=row.number,
                opens=each.standing.rehash,
                path=encode_path(path),
            )
            for each, path in group
        )


def _row(link: Link, vouched: Vouched, data: bytes) -> LinkRow:
    return LinkRow(
        at=link.token.at,
        ends=min(each.not_after for each in vouched.path.certificates) + _SECOND,
        algorithms=" ".join(names_of(link, vouched.path)),
        hash=link.hash.name,
        data=data,
    )


def _enter_stamps(log: "Log", authority: Timestamps, done: Renewed) -> None:
    """The checkpoints that were stamped since the last look become proofs: what is derived, so no act of its own."""
    with log.store.read() as session:
        stamps = [(row.tree, row.size, row.token) for row in unentered(session, MOST)]
    rows = []
    for tree, size, encoded in stamps:
        try:
            link = Link(Token.load(encoded))
            rows.append((checkpoint_name(tree, size), _row(link, authority.standing(encoded), b"")))
        except YinxinError as error:
            _log.critical("the timestamp of checkpoint %s %s is not believed: %s", tree, size, error)
            done.broken.append(f"{CHECKPOINT} {checkpoint_name(tree, size)}")
    with Session(log.store.engine) as session, session.begin():
        for name, row in rows:
            session.add(row)
            session.flush()
            session.add(
                BranchRow(kind=CHECKPOINT, name=name, position=0, link=row.number, opens=True, path=b"")
            )
