"""Rows to certificates: batches of hundreds, each row marked in the transaction that stores its certificate."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ca.bulk.judge import Judge
from ca.bulk.keys import KeyFolder
from ca.bulk.models import BatchEntryRow, BatchRow, State
from ca.bulk.read import Entry, Table
from ca.context import TOGETHER, Context
from ca.intent import columns_of
from ca.inventory import find
from ca.issue import Also, Issued, Wanted
from ca.issue_many import issue_many
from ca.request import IssueRequest
from yinxin.act import Actor
from yinxin.authz import PLATFORM
from yinxin.crypto.certificates import Certificate
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.errors import Misconfigured, Unavailable, YinxinError
from yinxin.steps import step

VERB = "ca.enrol"

#: told after each batch: rows done so far
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Run:
    """One enrolment under way."""

    ctx: Context
    actor: Actor
    judge: Judge
    keys: KeyFolder | None

    def carry_out(self, table: Table, progress: Progress, most: int | None = None, skip: int = 0) -> str:
        """Enrol what is pending of the table, or `most` of it; the batch's identifier, under which each row's fate stands.

        Of that `skip` rows are passed over, in a round. Safe to repeat after any crash, and to do twice at once: every row gives one certificate.
        """
        # 1. the batch and its rows are on record
        batch = self._begin(table)
        step("ca.enrol.1-begun")
        # 2. hundreds at a time: keys first, then certificates, then files
        pending = [number for number in self._in_state(batch, State.PENDING) if number in table.rows]
        done = len(table.rows) - len(pending)
        pending = pending[skip % max(len(pending), 1) :][:most]
        judged = self.judge.rows(table, None if most is None else frozenset(pending))
        self._deliver(batch, judged)
        for begin in range(0, len(pending), TOGETHER):
            numbers = pending[begin : begin + TOGETHER]
            self._together(batch, {number: judged[number] for number in numbers})
            step("ca.enrol.2-together")
            done += len(numbers)
            progress(done)
        return batch

    def _begin(self, table: Table) -> str:
        store = self.ctx.store
        batch = batch_of(self.actor, table.digest)
        with store.read() as session:
            if session.get(BatchRow, batch) is not None:
                return batch
        row = {"id": batch, "officer": self.actor.id, "file": table.digest, "rows": len(table.rows)}
        entries = [{"batch": batch, "number": number, "state": State.PENDING} for number in table.rows]
        with store.act(self.actor, VERB, f"batch:{batch}", file=table.digest, rows=len(entries)) as act:
            # two that begin the same file at once are both content
            _add(act.session, BatchRow, [{**row, "created": store.clock.now()}])
            _add(act.session, BatchEntryRow, entries)
        return batch

    def _deliver(self, batch: str, judged: Mapping[int, Entry | YinxinError]) -> None:
        """Write the files of certificates that were issued when an earlier run was cut off."""
        for number, serial in self._in_state(batch, State.ISSUED).items() if self.keys else ():
            entry = judged.get(number)
            if self.keys is not None and isinstance(entry, Entry) and self.keys.waits(entry):
                row = find(self.ctx, serial)
                chain = self.ctx.issuers.get(row.authority).chain
                self.keys.deliver(entry, Issued(serial, Certificate(row.der or b""), chain, columns_of(row)))

    def _in_state(self, batch: str, state: State) -> dict[int, str]:
        """The rows in this state, in their order, with their serial numbers."""
        query = sa.select(BatchEntryRow.number, BatchEntryRow.serial).where(
            BatchEntryRow.batch == batch, BatchEntryRow.state == state
        )
        with self.ctx.store.read() as session:
            found = session.execute(query.order_by(BatchEntryRow.number))
            return {number: serial or "" for number, serial in found}

    def _together(self, batch: str, rows: Mapping[int, Entry | YinxinError]) -> None:
        refused = {n: row for n, row in rows.items() if isinstance(row, YinxinError) and _stands(row)}
        entries = [row for row in rows.values() if isinstance(row, Entry)]
        wanted = [self._wanted(batch, entry) for entry in entries]
        issued: dict[int, str] = {}
        for entry, answer in zip(entries, issue_many(self.ctx, self.actor, wanted), strict=True):
            if isinstance(answer, Issued):
                issued[entry.number] = answer.serial
                if entry.csr is None and self.keys is not None:
                    self.keys.deliver(entry, answer)
            elif _stands(answer):
                refused[entry.number] = answer
        self._settle(batch, refused, issued)

    def _wanted(self, batch: str, entry: Entry) -> Wanted:
        if entry.csr is not None:
            csr = entry.csr
        elif self.keys is not None:
            csr = self.keys.request(entry, self.ctx.store.clock.now())
        else:
            raise TypeError("a row without a request needs a folder for keys")
        request = IssueRequest(reference_of(entry, csr), entry.profile, csr, entry.holder, entry.days)
        decision = self.judge.decision(entry.holder.organ or PLATFORM, entry.profile)
        return Wanted(request, decision, _mark(batch, entry.number))

    def _settle(self, batch: str, refused: Mapping[int, YinxinError], issued: Mapping[int, str]) -> None:
        """Mark what was refused, and what had its certificate before this batch asked for it."""
        with self.ctx.store.read() as session:
            query = sa.select(BatchEntryRow.number).where(
                BatchEntryRow.batch == batch,
                BatchEntryRow.number.in_(issued),
                BatchEntryRow.state == State.PENDING,
            )
            before = session.scalars(query).all()
        if not refused and not before:
            return
        with self.ctx.store.act(self.actor, VERB, f"batch:{batch}", refused=len(refused)) as act:
            for number, error in refused.items():
                told = {"code": error.code, "reason_zh": error.text("zh"), "reason_en": error.text("en")}
                act.session.execute(_entry(batch, number).values(state=State.REFUSED, **told))
            for number in before:
                act.session.execute(_entry(batch, number).values(state=State.ISSUED, serial=issued[number]))


def batch_of(actor: Actor, digest: str) -> str:
    """The batch of this officer's file, by the file's digest."""
    return INTL.hash.digest(f"{actor.id} {digest}".encode()).hex()


def counts(ctx: Context, batch: str) -> Mapping[State, int]:
    """How many rows of the batch stand where; nothing of a batch that was not begun."""
    row = BatchEntryRow
    query = sa.select(row.state, sa.func.count()).where(row.batch == batch).group_by(row.state)
    with ctx.store.read() as session:
        return {State(state): count for state, count in session.execute(query)}


def _stands(error: YinxinError) -> bool:
    """Whether it says something against the row, which what an operator mends, a token or its PIN, does not."""
    return not (error.retryable or isinstance(error, Unavailable | Misconfigured))


def reference_of(entry: Entry, csr: bytes) -> str:
    """The issuance's reference: the row's own, or made of holder, profile and key."""
    if entry.reference:
        return f"enrol/{entry.reference}"
    holder = entry.holder
    key = INTL.hash.digest(CertificationRequest.load(csr).public_key.spki).hex()[:32]
    return f"enrol/{holder.kind}:{holder.id[:64]}:{entry.profile}:{key}"


def outcome(ctx: Context, batch: str) -> Iterator[dict[str, Any]]:
    """What became of each row, in their order."""
    query = sa.select(BatchEntryRow).where(BatchEntryRow.batch == batch).order_by(BatchEntryRow.number)
    with ctx.store.read() as session:
        for row in session.scalars(query):
            yield {
                "row": row.number,
                "state": row.state,
                "serial": row.serial,
                "code": row.code,
                "reason_zh": row.reason_zh,
                "reason_en": row.reason_en,
            }


def _mark(batch: str, number: int) -> Also:
    def mark(session: Session, certificate: Certificate) -> None:
        session.execute(_entry(batch, number).values(state=State.ISSUED, serial=f"{certificate.serial:x}"))

    return mark


def _entry(batch: str, number: int) -> sa.Update:
    return sa.update(BatchEntryRow).where(
        BatchEntryRow.batch == batch, BatchEntryRow.number == number, BatchEntryRow.state == State.PENDING
    )


def _add(session: Session, table: type[BatchRow] | type[BatchEntryRow], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(table).on_conflict_do_nothing(), rows)
