"""Lists that are handed in, judged, and enrolled in the background: for whoever has no shell on the machine.

Everything is asked as `yinxin ca enrol` asks it: each row is judged, permitted and recorded in the name of the officer
who handed the list in. Only she starts it, and it stops when she may not issue any more.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

import sqlalchemy as sa

from authz.directory.tree import reached
from ca.bulk.errors import (  # fmt: skip
    ListNeedsCommand,
    ListsBusy,
    NothingToEnrol,
    NotYourList,
    RowNeedsCommand,
    RowRefusedBefore,
    UnknownList,
    WrongListState,
)
from ca.bulk.forget import forget
from ca.bulk.judge import refusals
from ca.bulk.models import ListFileRow, ListRow, ListState, State
from ca.bulk.read import Table, parsed
from ca.bulk.run import batch_of, counts, outcome
from ca.bulk.service import Bulk
from ca.check import Checker
from ca.context import TOGETHER, Context
from ca.errors import UnknownCertificate
from ca.issue import VERB as ISSUE
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.authz import PLATFORM, Decider, Decision, Resource
from yinxin.errors import YinxinError
from yinxin.text import Text

_log = logging.getLogger("yinxin.ca")

HAND_IN = "ca.hand-in-list"
START = "ca.start-list"
STOP = "ca.stop-list"
READ = "ca.read"
#: rows of one list at a time: other background work comes between
SLICE = 2 * TOGETHER
#: before a list of which nothing could be done is tried again
WAIT = timedelta(minutes=1)
#: what a report tells of each row
COLUMNS = ("row", "state", "holder", "profile", "serial", "code", "reason_zh", "reason_en")


@dataclass(frozen=True, slots=True)
class Standing:
    """A list and how far it is. Before it is started `counts` are those of the dry run."""

    row: ListRow
    counts: Mapping[State, int]

    @property
    def done(self) -> int:
        """Rows that have come to their end."""
        return self.row.rows - self.counts.get(State.PENDING, 0)


class Lists:
    """The lists of one site; one per process, shared by its threads."""

    def __init__(self, ctx: Context, decider: Decider, bulk: Bulk) -> None:
        self._ctx, self._decider, self._bulk = ctx, decider, bulk
        self._checker = Checker(ctx)
        #: held while a list is judged, which takes a thread and memory for as long as thousands of rows do
        self._judging = Lock()
        #: lists of which nothing could be done just now, and when they are tried again
        self._waiting: dict[str, datetime] = {}
        #: pending rows of each that are passed over, for nothing could be done about them: those behind have their turn
        self._passed: Counter[str] = Counter()

    # --- officers ----------------------------------------------------------------------------------------------

    def require(self, actor: Actor) -> Decision:
        """The permission to enrol people of the actor's organ at all; each row is asked for besides. Raises Denied."""
        return self._decider.require(actor, ISSUE, _resource(actor.organ or PLATFORM))

    def hand_in(self, actor: Actor, name: str, data: bytes) -> ListRow:
        """Judge every row and keep the list with what was said of it; nothing is issued.

        One list at a time in a process. Raises Denied, ListsBusy, BadTable.
        """
        decision = self.require(actor)
        store = self._ctx.store
        with store.refusing(actor, HAND_IN, "enrolment-list"), self._alone():
            table = parsed(data, name[:200])
            batch = batch_of(actor, table.digest)
            errors = {**self._before(batch), **dict(refusals(self._bulk.judge(actor, table)))}
            told = [told_of(table, refusal_of(number, errors[number])) for number in sorted(errors)]
        row = ListRow(
            id=store.identifier(),
            officer=actor.id,
            organ=actor.organ or PLATFORM,
            actor=actor.fields(),
            name=name[:200],
            file=table.digest,
            batch=batch,
            rows=len(table.rows),
            refused=len(told),
            by_command=sum(each["code"] == RowNeedsCommand.code for each in told),
            state=ListState.CHECKED,
            created=store.clock.now(),
        )
        with store.act(
            actor, HAND_IN, f"enrolment-list:{row.id}", file=row.file, rows=row.rows, refused=row.refused
        ) as act:
            act.decision = decision.record()
            act.session.add(row)
            act.session.flush()
            act.session.add(ListFileRow(list=row.id, data=data, refusals={"rows": told}))
            act.session.flush()
            act.session.expunge(row)
        return row

    def start(self, actor: Actor, id_: str) -> None:
        """Have a list enrolled in the actor's name, or go on with it. Raises what `_mine` does, ListNeedsCommand, NothingToEnrol, WrongListState."""
        with self._ctx.store.refusing(actor, START, f"enrolment-list:{id_[:26]}"):
            row = _find(self._ctx, id_)
            if row.officer != actor.id:
                raise NotYourList(list=row.id)
            decision = self._decider.require(actor, ISSUE, _resource(row.organ))
            if row.by_command:
                raise ListNeedsCommand(rows=row.by_command)
            if row.refused == row.rows:
                raise NothingToEnrol
        now = self._ctx.store.clock.now()
        values = {"state": ListState.RUNNING, "started": row.started or now, "actor": actor.fields()}
        self._move(actor, START, row, (ListState.CHECKED, ListState.STOPPED), values, decision)

    def stop(self, actor: Actor, id_: str) -> None:
        """Stop a list after the rows in hand; what was issued stands. Whoever may issue there does. Raises Denied, UnknownList, WrongListState."""
        with self._ctx.store.refusing(actor, STOP, f"enrolment-list:{id_[:26]}"):
            row = _find(self._ctx, id_)
            decision = self._decider.require(actor, ISSUE, _resource(row.organ))
        self._move(actor, STOP, row, (ListState.RUNNING,), {"state": ListState.STOPPED}, decision)

    def show(self, actor: Actor, id_: str) -> Standing:
        """One list; raises UnknownList, Denied."""
        row = _find(self._ctx, id_)
        self._decider.require(actor, READ, _looked_at(row.organ))
        return self._standing(row)

    def may(self, actor: Actor, row: ListRow) -> bool:
        """Whether the policies would let the actor start or stop it; for showing a button."""
        return self._decider.check(actor, ISSUE, _resource(row.organ)).allowed

    def search(
        self,
        actor: Actor,
        organ: str | None = None,
        state: str | None = None,
        *,
        after: str = "",
        limit: int = 100,
    ) -> Sequence[Standing]:
        """Lists of an organ, the actor's own else, and those below it, the newest first; raises Denied."""
        organ = organ or actor.organ or PLATFORM
        self._decider.require(actor, READ, _looked_at(organ))
        row = ListRow
        query = sa.select(row).where(sa.or_(row.organ == organ, row.organ.in_(reached(organ))))
        if state is not None:
            query = query.where(row.state == state)
        if after:
            query = query.where(row.id < after)
        with self._ctx.store.read() as session:
            found = session.scalars(query.order_by(row.id.desc()).limit(limit)).all()
        return [self._standing(each) for each in found]

    def rows(self, actor: Actor, id_: str, state: State | None = None) -> Iterator[dict[str, Any]]:
        """What became of each row, or is foretold of it, all or those of a state; raises UnknownList, Denied."""
        row = self.show(actor, id_).row
        return (each for each in self._rows(row) if state is None or each["state"] == state)

    # --- the timer ---------------------------------------------------------------------------------------------

    def tend(self) -> int:
        """Go on with the lists that are running, some rows of each; how many are running. For the timer: safe to repeat."""
        query = sa.select(ListRow).where(ListRow.state == ListState.RUNNING).order_by(ListRow.id)
        now = self._ctx.store.clock.now()
        with self._ctx.store.read() as session:
            running = session.scalars(query).all()
        for each in running:
            if self._waiting.get(each.id, now) > now:
                continue
            try:
                self._go_on(each)
            except YinxinError as error:
                _log.warning("list %s: %s", each.id, error)
                self._put_off(each)
            except Exception:  # noqa: BLE001 - whatever is wrong with one list keeps no other from going on
                _log.exception("list %s could not be gone on with now", each.id)
                self._put_off(each)
        return len(running)

    def forget(self) -> int:
        """Forget lists long over; see `ca.bulk.forget`."""
        return forget(self._ctx.store)

    def _go_on(self, row: ListRow) -> None:
        if (row := _find(self._ctx, row.id)).state != ListState.RUNNING:
            return  # stopped while another list had its turn
        actor = _actor(row.actor)
        if not self._may_still(actor, row):
            self._move(SYSTEM, STOP, row, (ListState.RUNNING,), {"state": ListState.STOPPED}, None)
            return
        before = counts(self._ctx, row.batch).get(State.PENDING, row.rows)
        self._bulk.enrol(actor, self._table(row), progress=_untold, most=SLICE, skip=self._passed[row.id])
        left = counts(self._ctx, row.batch).get(State.PENDING, 0)
        if left == 0:
            ended = {"state": ListState.ENDED, "ended": self._ctx.store.clock.now()}
            with self._ctx.store.act(SYSTEM, "ca.enrol", f"enrolment-list:{row.id}") as act:
                act.session.execute(_running(row).values(**ended))
        elif left == before:
            self._passed[row.id] += SLICE
            self._put_off(row)

    def _may_still(self, actor: Actor, row: ListRow) -> bool:
        """Whether whoever handed it in may issue, and the certificate by which she came is good: her sessions end with it, too."""
        try:
            gone = actor.certificate is not None and self._checker.revoked(actor.certificate)
        except UnknownCertificate:
            gone = True
        return not gone and self._decider.check(actor, ISSUE, _resource(row.organ)).allowed

    def _put_off(self, row: ListRow) -> None:
        self._waiting[row.id] = self._ctx.store.clock.now() + WAIT

    # --- within ------------------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Alone in judging; raises ListsBusy."""
        if not self._judging.acquire(blocking=False):
            raise ListsBusy
        try:
            yield
        finally:
            self._judging.release()

    def _before(self, batch: str) -> Mapping[int, YinxinError]:
        """Rows that were refused when the very same file was enrolled, which they stay."""
        return {
            each["row"]: RowRefusedBefore(reason=Text(each["reason_zh"], each["reason_en"]))
            for each in outcome(self._ctx, batch)
            if each["state"] == State.REFUSED
        }

    def _move(  # noqa: PLR0917 - one step of a state, told by these
        self,
        actor: Actor,
        verb: str,
        row: ListRow,
        known: tuple[ListState, ...],
        values: Mapping[str, Any],
        decision: Decision | None,
    ) -> None:
        with self._ctx.store.act(actor, verb, f"enrolment-list:{row.id}", file=row.file) as act:
            if decision is not None:
                act.decision = decision.record()
            change = sa.update(ListRow).where(ListRow.id == row.id, ListRow.state.in_(known))
            if act.session.execute(change.values(**values)).rowcount != 1:  # type: ignore[attr-defined]
                raise WrongListState(list=row.id)

    def _standing(self, row: ListRow) -> Standing:
        found = counts(self._ctx, row.batch) if row.started else {}
        foretold = {
            State.PENDING: row.rows if row.started else row.rows - row.refused,
            State.REFUSED: row.refused,
        }
        return Standing(row, found or foretold)

    def _table(self, row: ListRow) -> Table:
        with self._ctx.store.read() as session:
            data = session.scalar(sa.select(ListFileRow.data).where(ListFileRow.list == row.id))
        return parsed(data or b"", row.name)

    def _rows(self, row: ListRow) -> Iterator[dict[str, Any]]:
        table = self._table(row)
        known = outcome(self._ctx, row.batch) if row.started else iter(())
        first = next(known, None)
        if first is not None:
            yield told_of(table, first)
            yield from (told_of(table, each) for each in known)
            return
        with self._ctx.store.read() as session:
            said = session.scalar(sa.select(ListFileRow.refusals).where(ListFileRow.list == row.id)) or {}
        refused = {each["row"]: each for each in said.get("rows", ())}
        for number in table.rows:
            yield refused.get(number) or told_of(table, {"row": number, "state": State.PENDING.value})


def refusal_of(number: int, error: YinxinError) -> dict[str, Any]:
    """A row that is refused, as a report tells it."""
    return {
        "row": number,
        "state": State.REFUSED.value,
        "code": error.code,
        "reason_zh": error.text("zh"),
        "reason_en": error.text("en"),
    }


def told_of(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """What a report tells of a row, with whose it is and which profile as the list says them, also where it does not read well."""
    holder, profile = table.named.get(row["row"], ("", ""))
    return row | {name: said for name, said in (("holder", holder), ("profile", profile)) if said}


def _find(ctx: Context, id_: str) -> ListRow:
    with ctx.store.read() as session:
        row = session.get(ListRow, id_)
    if row is None:
        raise UnknownList(list=id_[:26])
    return row


def _untold(_done: int) -> None:
    """How far a list is stands in its batch."""


def _running(row: ListRow) -> sa.Update:
    return sa.update(ListRow).where(ListRow.id == row.id, ListRow.state == ListState.RUNNING)


def _resource(organ: str) -> Resource:
    """Certificates of some profile for people of an organ, nobody of power among them."""
    return Resource("Certificate", "batch", organ=organ, attributes={"profile": "*", "of_power": False})


def _looked_at(organ: str) -> Resource:
    return Resource("Certificate", "*", organ=organ, attributes={"profile": "*"})


def _actor(fields: Mapping[str, Any]) -> Actor:
    """The actor as the log was told of her; her session, and when it proved a key, are over."""
    return Actor(**{**fields, "kind": Kind(fields["kind"])})
