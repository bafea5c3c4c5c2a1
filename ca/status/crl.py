"""Revocation lists: the whole of an authority and its shards, numbered without a gap, checked before they replace.

A list knows the number of the newest change it contains. Whoever asks for it while a newer change is on record causes
a new one, so that a crash between a revocation and its list cannot hide it.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ca.context import Context
from ca.errors import NoDelta, StatusUnavailable, UnknownAuthority
from ca.issuer import Issuer
from ca.models import AuthorityRow, CertificateRow
from ca.status import changes, delta, publish
from ca.status.compose import body_after, check
from ca.status.lease import leased
from ca.status.line import Line, lines
from ca.status.models import CrlRow
from ca.status.open_lists import open_lists
from yinxin.act import SYSTEM
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.status import CertificateList, build_crl
from yinxin.crypto.suite import INTL
from yinxin.errors import Unavailable, YinxinError
from yinxin.steps import step
from yinxin.store import as_good
from yinxin.text import Text

_log = logging.getLogger("yinxin.ca")

VERB = "ca.crl"
#: attempts while other processes make lists at the same time
TRIES = 4


@dataclass(frozen=True, slots=True)
class Published:
    """A list and its delta, DER; the delta is None for the first list of a line."""

    line: Line
    number: int
    this_update: datetime
    next_update: datetime
    der: bytes
    delta: bytes | None
    #: the newest change it knows
    through: int

    @property
    def half(self) -> datetime:
        """When the next one is due, if nothing changes before."""
        return self.this_update + (self.next_update - self.this_update) / 2


def current(ctx: Context, name: str, shard: int = 0) -> CertificateList:
    """The list in force of an authority, or of its shard; see `in_force`."""
    return CertificateList(in_force(ctx, Line(name, shard)).der)


def in_force(ctx: Context, line: Line) -> Published:
    """The list in force of a line, made anew when a change is missing or half its time is over.

    Raises UnknownAuthority; and what the security module raises, unless the list in force is complete.
    """
    issuer = ctx.issuers.get(line.authority)
    now = ctx.store.clock.now()
    with ctx.store.read() as session:
        row = _latest(session, line)
        there = _published(line, row) if row is not None and _complete(session, line, row) else None
        if row is None and line not in _open(ctx, session, line.authority) and not _is_named(session, line):
            raise UnknownAuthority(name=line.path[:60])
    if there is not None and now < there.half:
        return there
    try:
        return renew(ctx, issuer, line.shard)
    except Unavailable:
        if there is not None and now < there.next_update:
            return there
        raise


def brought_up(ctx: Context, line: Line, *others: Line) -> int | None:
    """Bring lists up to a change that was just recorded; the number of the first, None when that cannot be done now.

    Nothing depends on it: they are known to be out of date, and whoever asks for them next causes new ones.
    """
    try:
        number = in_force(ctx, line).number
        for other in others:
            in_force(ctx, other)
    except YinxinError:
        _log.exception("the revocation lists of %s could not be made now", line.authority)
        return None
    return number


def delta_in_force(ctx: Context, line: Line) -> bytes:
    """The delta made with the list in force, DER; raises NoDelta for the first list of a line, and as `in_force`."""
    if (difference := in_force(ctx, line).delta) is None:
        raise NoDelta(name=line.path)
    return difference


def renew_all(ctx: Context) -> None:
    """Open new lists where they are full, and make the lists that are due; for the timer."""
    open_lists(ctx)
    now = ctx.store.clock.now()
    # no certificate outlives its issuer: after an authority's end there is no status left to tell
    ends = {name: ctx.issuers.get(name).not_after for name in ctx.issuers.names()}
    told = [line for line in known(ctx) if (end := ends[line.authority]) is not None and now <= end]
    with ctx.store.read() as session:
        due = [line for line in told if _is_due(session, line, now)]
    for line in due:
        in_force(ctx, line)


def _is_due(session: Session, line: Line, now: datetime) -> bool:
    row = _latest(session, line)
    return row is None or now >= _half(row) or not _complete(session, line, row)


def known(ctx: Context) -> tuple[Line, ...]:
    """Every line that is configured, or of which there is a list."""
    with ctx.store.read() as session:
        made = {Line(*row) for row in session.execute(sa.select(CrlRow.authority, CrlRow.shard).distinct())}
        wanted = {each for name in ctx.issuers.names() for each in _open(ctx, session, name)}
    return tuple(sorted(made | wanted, key=lambda line: (line.authority, line.shard)))


def _open(ctx: Context, session: Session, name: str) -> tuple[Line, ...]:
    """The lines that new certificates of an authority name now, and its whole one."""
    return lines(ctx.settings, ctx.issuers.get(name), session.get_one(AuthorityRow, name).lists_full)


def renew(ctx: Context, issuer: Issuer, shard: int = 0) -> Published:
    """A new list of `issuer`; raises CrlNotNewer, StatusUnavailable, and what the security module raises."""
    line = Line(issuer.name, shard)
    with ctx.store.read() as session:
        row = _latest(session, line)
        before = row.number if row else 0
    with leased(ctx, line):
        # whoever held the lease may have made the list that was missing
        if (made := _made_meanwhile(ctx, line, before)) is not None:
            return made
        for _ in range(TRIES):
            if (made := _next(ctx, issuer, line)) is not None:
                return made
    raise StatusUnavailable(authority=line.path, reason=Text("撤销列表", "revocation list"))


def _made_meanwhile(ctx: Context, line: Line, before: int) -> Published | None:
    with ctx.store.read() as session:
        row = _latest(session, line)
        if row is None or row.number <= before or not _complete(session, line, row):
            return None
        return _published(line, row)


def _next(ctx: Context, issuer: Issuer, line: Line) -> Published | None:
    """The next list of a line, in force; None when another process was first."""
    own = _own(issuer)
    # 1. number, change and revocations in one view: a list is never older than the one before
    with ctx.store.read() as session:
        row = _latest(session, line)
        through = changes.newest(session, line)
        scheduled = row is None or row.through >= through
        body = body_after(session, line, row, scheduled=scheduled)
        told = delta.since_base(session, line, row)
    # 2. signed, read back, checked
    # what is published may be ahead of tables that come from a backup, and never goes back
    number = max(row.number if row else 0, publish.number(ctx, line)) + 1
    this_update = ctx.store.clock.now().replace(microsecond=0)
    next_update = this_update + timedelta(hours=ctx.settings.crl_hours)
    scope = line.scope(ctx.settings)
    signer = issuer.signer()
    encoded = build_crl(
        signer=signer,
        issuer=own,
        number=number,
        this_update=this_update,
        next_update=next_update,
        revoked=body.added,
        entries=body.kept,
        scope=scope,
        freshest=line.freshest(ctx.settings),
    )
    check(own, line, encoded, number=number, body=body, scope=scope)
    difference = None
    if row is not None:
        difference = build_crl(
            signer=signer,
            issuer=own,
            number=number,
            this_update=this_update,
            next_update=next_update,
            revoked=told,
            scope=scope,
            delta_base=row.base,
        )
        delta.check(own, line, difference, number=number, base=row.base, told=told)
    step("ca.crl.2-signed")
    # 3. in force, unless another process was first
    rebased = scheduled or len(told) >= delta.MOST
    new = CrlRow(
        authority=line.authority,
        shard=line.shard,
        number=number,
        this_update=this_update,
        next_update=next_update,
        entries=body.count,
        through=through,
        base=number if rebased or row is None else row.base,
        base_through=through if rebased or row is None else row.base_through,
        earliest=body.earliest,
        der=encoded,
        delta=difference,
    )
    published = _published(line, new)
    try:
        _store(ctx, line, new)
    except IntegrityError:
        return None
    step("ca.crl.3-stored")
    # 4. for everybody to fetch; what is missed here the timer does
    try:
        publish.a_list(ctx, line, number, encoded, difference)
    except OSError:
        _log.exception("the list %s could not be published now", line.path)
    return published


def _store(ctx: Context, line: Line, new: CrlRow) -> None:
    digest = INTL.hash.digest
    with ctx.store.act(SYSTEM, VERB, f"crl:{line.path}:{new.number}", taken=as_good) as act:
        act.facts |= {"entries": new.entries, "digest": digest(new.der or b"").hex()}
        if new.delta is not None:
            act.facts["delta"] = digest(new.delta).hex()
        act.session.add(new)
        act.session.flush()
        superseded = sa.update(CrlRow).where(
            CrlRow.authority == line.authority,
            CrlRow.shard == line.shard,
            CrlRow.number < new.number,
            CrlRow.der.is_not(None),
        )
        act.session.execute(superseded.values(der=None, delta=None))


def _complete(session: Session, line: Line, row: CrlRow) -> bool:
    # the octets, which are loaded for it, last
    return row.through >= changes.newest(session, line) and row.der is not None


def _published(line: Line, row: CrlRow) -> Published:
    return Published(
        line, row.number, row.this_update, row.next_update, row.der or b"", row.delta, row.through
    )


def _half(row: CrlRow) -> datetime:
    return row.this_update + (row.next_update - row.this_update) / 2


def _own(issuer: Issuer) -> Certificate:
    if issuer.certificate is None:
        raise StatusUnavailable(authority=issuer.name, reason=Text("尚无证书", "it has no certificate yet"))
    return issuer.certificate


def _latest(session: Session, line: Line) -> CrlRow | None:
    """The newest list of a line; its octets are loaded when they are asked for."""
    mine = sa.select(CrlRow).where(CrlRow.authority == line.authority, CrlRow.shard == line.shard)
    return session.scalars(mine.order_by(CrlRow.number.desc()).limit(1)).first()


def _is_named(session: Session, line: Line) -> bool:
    """Whether a certificate names this shard, of a time when there were more of them."""
    named = sa.select(CertificateRow.serial).where(
        CertificateRow.authority == line.authority, CertificateRow.shard == line.shard
    )
    return session.scalar(named.limit(1)) is not None
