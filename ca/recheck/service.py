"""The re-check as one service: bounded batches for the timer, a whole pass for an officer, and what was found.

A pass goes over everything by its primary key and remembers where it is, so that it goes on after a restart and holds
nobody up. A fault is recorded once when it is found, and when it becomes another; it stays on the list while it is there,
and its end is recorded. A certificate that was there before a rule that it breaks is on the list too, and nobody is alarmed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from ca.context import Context
from ca.errors import RecheckFound
from ca.lint import EDITION
from ca.models import CertificateRow
from ca.recheck.certificate import LATER, Certificates
from ca.recheck.lists import faults_of_list
from ca.recheck.models import FindingRow, PassRow
from ca.reconcile import reconcile
from ca.status.models import CrlRow
from yinxin.act import SYSTEM, Actor
from yinxin.clock import rfc3339
from yinxin.steps import step

VERB = "ca.recheck"
#: lists in one go: each may hold a hundred thousand entries
_LISTS = 4
#: how a row begins that says since when rules of an edition are in use; beside the passes, since they alone ask for it
_RULES = "rules."

#: (subject, faults) of what was looked at, and the name of the last one
Looked = tuple[Sequence[tuple[str, tuple[str, ...]]], str]


@dataclass(frozen=True, slots=True)
class Found:
    """A subject with its faults, as they stand."""

    subject: str
    faults: str
    first_seen: str
    last_seen: str

    @property
    def is_later(self) -> bool:
        """Whether nothing is wrong but that a rule came when the certificate was there."""
        return self.faults.startswith(LATER)


class Recheck:
    """Checks everything stored again; one per process, shared by its threads."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._passes: Mapping[str, Callable[[str], Looked]] = {
            "certificates": self._certificates,
            "lists": self._lists,
        }

    def tick(self) -> None:
        """One batch of each pass that is under way or due; for the timer."""
        self._note_edition()
        for what in self._passes:
            if self._due(what):
                self._batch(what, SYSTEM)

    def run(self, actor: Actor) -> int:
        """A whole pass over everything, from the beginning, now; how much was checked."""
        checked = 0
        self._note_edition()
        for what in self._passes:
            self._begin(what)
            while (done := self._batch(what, actor)) is not None:
                checked += done
        return checked

    def found(self) -> Sequence[Found]:
        """Every subject that is not as it should be, as last seen."""
        with self._ctx.store.read() as session:
            rows = session.scalars(sa.select(FindingRow).order_by(FindingRow.subject)).all()
        return [
            Found(row.subject, row.faults, rfc3339(row.first_seen), rfc3339(row.last_seen)) for row in rows
        ]

    def facts(self) -> dict[str, Any]:
        """For `status`: when each pass last ended, and how many certificates break rules that came after them."""
        later = sa.select(sa.func.count()).where(FindingRow.faults.startswith(LATER))
        with self._ctx.store.read() as session:
            rows = session.scalars(sa.select(PassRow)).all()
            count = session.scalar(later)
        ended = {f"recheck.{row.what}": rfc3339(row.ended) for row in rows if row.ended is not None}
        return ended | ({"recheck.later_rules": str(count)} if count else {})

    def sound(self) -> None:
        """Raises RecheckFound while anything stored is not as it should be, and was not so before there was a rule."""
        wrong = sa.not_(FindingRow.faults.startswith(LATER))
        with self._ctx.store.read() as session:
            count = session.scalar(sa.select(sa.func.count()).where(wrong))
            first = session.scalars(
                sa.select(FindingRow).where(wrong).order_by(FindingRow.subject).limit(1)
            ).first()
        if count and first is not None:
            raise RecheckFound(count=count, subject=first.subject, faults=first.faults)

    def _note_edition(self) -> None:
        """Note since when certificates are made here by the linter's rules of this version."""
        what = f"{_RULES}{EDITION}"
        with self._ctx.store.read() as session:
            if session.get(PassRow, what) is not None:
                return
        with self._ctx.store.housekeep() as session:
            session.merge(PassRow(what=what, cursor="", began=self._ctx.store.clock.now(), checked=0))

    def _began(self, edition: int) -> datetime | None:
        """Since when the linter's rules of this edition, or of a later one, are in use here."""
        with self._ctx.store.read() as session:
            rows = session.scalars(sa.select(PassRow).where(PassRow.what.startswith(_RULES))).all()
        known = [row.began for row in rows if row.began and int(row.what.removeprefix(_RULES)) >= edition]
        return min(known, default=None)

    # --- a pass ------------------------------------------------------------------------------------------------

    def _due(self, what: str) -> bool:
        with self._ctx.store.read() as session:
            row = session.get(PassRow, what)
        if row is not None and row.cursor:
            return True
        period = timedelta(hours=self._ctx.settings.recheck.hours)
        if row is not None and row.began is not None and self._ctx.store.clock.now() < row.began + period:
            return False
        self._begin(what)
        return True

    def _begin(self, what: str) -> None:
        reconcile(self._ctx)
        with self._ctx.store.housekeep() as session:
            row = session.get(PassRow, what) or PassRow(what=what, ended=None)
            row.cursor, row.began, row.checked = " ", self._ctx.store.clock.now(), 0
            session.add(row)

    def _batch(self, what: str, actor: Actor) -> int | None:
        """Check the next ones; how many, None when the pass is at its end."""
        with self._ctx.store.read() as session:
            row = session.get_one(PassRow, what)
            cursor = row.cursor.strip()
        # 1. looked at
        looked, last = self._passes[what](cursor)
        # 2. what is new, and what is gone, recorded
        self._keep(actor, looked)
        step("ca.recheck.2-kept")
        # 3. and only then passed over
        with self._ctx.store.housekeep() as session:
            row = session.get_one(PassRow, what)
            row.cursor, row.checked = last, row.checked + len(looked)
            if not looked:
                row.cursor, row.ended = "", self._ctx.store.clock.now()
        return len(looked) if looked else None

    def _keep(self, actor: Actor, looked: Sequence[tuple[str, tuple[str, ...]]]) -> None:
        now = self._ctx.store.clock.now()
        subjects = [subject for subject, _ in looked]
        with self._ctx.store.read() as session:
            standing = sa.select(FindingRow.subject, FindingRow.faults).where(
                FindingRow.subject.in_(subjects)
            )
            known = {row.subject: row.faults for row in session.execute(standing)}
        same = [subject for subject, faults in looked if faults and known.get(subject) == "; ".join(faults)]
        if same:
            with self._ctx.store.housekeep() as session:
                seen = sa.update(FindingRow).where(FindingRow.subject.in_(same))
                session.execute(seen.values(last_seen=now))
        for subject, faults in looked:
            if subject in same or (not faults and subject not in known):
                continue
            with self._ctx.store.act(actor, VERB, subject, faults="; ".join(faults)[:2000]) as act:
                row = act.session.get(FindingRow, subject)
                if not faults and row is not None:
                    act.session.delete(row)
                elif faults:
                    row = row or FindingRow(subject=subject, first_seen=now)
                    row.faults, row.last_seen = "; ".join(faults), now
                    act.session.add(row)

    # --- what is looked at -------------------------------------------------------------------------------------

    def _certificates(self, after: str) -> Looked:
        query = sa.select(CertificateRow).where(CertificateRow.serial > after).order_by(CertificateRow.serial)
        with self._ctx.store.read() as session:
            rows = session.scalars(query.limit(self._ctx.settings.recheck.batch)).all()
        checks = Certificates(self._ctx, cache(self._began))
        looked = [(f"certificate:{row.serial}", checks.faults(row)) for row in rows]
        return looked, rows[-1].serial if rows else ""

    def _lists(self, after: str) -> Looked:
        looked = []
        last = ""
        for name, row in self._kept(after):
            looked.append((f"list:{name}", faults_of_list(self._ctx, row)))
            last = name
        return looked, last

    def _kept(self, after: str) -> Iterator[tuple[str, CrlRow]]:
        """The next lists whose octets are kept, by authority, shard and number."""
        key = (CrlRow.authority, CrlRow.shard, CrlRow.number)
        query = sa.select(CrlRow).options(sa.orm.undefer(CrlRow.der), sa.orm.undefer(CrlRow.delta))
        query = query.where(CrlRow.der.is_not(None)).order_by(*key).limit(_LISTS)
        if after:
            authority, shard, number = after.rsplit(":", 2)
            query = query.where(sa.tuple_(*key) > sa.tuple_(authority, int(shard), int(number)))
        with self._ctx.store.read() as session:
            rows = session.scalars(query).all()
        for row in rows:
            yield f"{row.authority}:{row.shard}:{row.number}", row
