"""The unit of work: a change and its record commit together, or neither does (law 1).

`Store.act` is the only way to change business data. It opens a transaction, gives it to the caller, adds the event to
the outbox and commits. When the caller raises, everything is rolled back and the refusal is recorded in a transaction
of its own. `Store.read` gives a transaction in which the database itself refuses writing; `Store.housekeep` one that
may only touch tables marked as housekeeping.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from yinxin.act import Actor, Event, Outcome
from yinxin.canonical import NotCanonical
from yinxin.clock import Clock
from yinxin.errors import YinxinError
from yinxin.personal import PersonalInClear, Salted, UndeclaredPersonal, salted
from yinxin.randomness import Randomness, identifier
from yinxin.store._begun import Act
from yinxin.store._engine import hasty_engine, reading_engine
from yinxin.store._guard import guard, is_housekeeping, is_note, is_nothing, nothing_left
from yinxin.store._inside import INSIDE, inside
from yinxin.store._number import Numbering
from yinxin.store._number import Taken as TakenNumbers
from yinxin.store._outbox import OutboxRow
from yinxin.store._prepared import GUARD, ROWS, Raw, Sql, Within
from yinxin.store._raw import RawConnections
from yinxin.store._request import ENTRIES, REQUEST, mark_all
from yinxin.store._rows import Changed, listen
from yinxin.store._several import Several
from yinxin.store._taken import Overtaken, Taken, meant
from yinxin.store._together import Together
from yinxin.store._trouble import translated
from yinxin.store._written import Written

_log = logging.getLogger("yinxin.store")

#: a record on its way to the log
_RECORD = Sql(sa.insert(OutboxRow.__table__).inline(), "id", "data", "personal")  # type: ignore[arg-type]


class Store:
    """The database of one process, shared by its threads."""

    def __init__(self, engine: sa.Engine, *, clock: Clock, randomness: Randomness) -> None:
        self.engine = engine
        self.clock = clock
        self.randomness = randomness
        reading = reading_engine(engine)
        self._reading = reading.execution_options(**{GUARD: is_nothing})
        self._housekeeping = engine.execution_options(**{GUARD: is_housekeeping})
        hasty = hasty_engine(engine)
        self._hasty = hasty.execution_options(**{GUARD: is_housekeeping})
        self._noting = hasty.execution_options(**{GUARD: is_note})
        self._glancing = self._reading.execution_options(isolation_level="AUTOCOMMIT")
        for each in (self._reading, self._housekeeping, self._hasty, self._glancing, self._noting):
            event.listen(each, "before_cursor_execute", guard)
        #: for prepared statements alone, where the driver's own connections are used (SQLite)
        self._looking, self._jotting = (
            RawConnections.of(reading, "BEGIN"),
            RawConnections.of(hasty, "BEGIN IMMEDIATE"),
        )
        self._acting = engine.execution_options()
        listen(self._acting)
        self._numbering = Numbering()
        self.written = Written()
        #: each is asked before an act begins and raises when the act could not be recorded (law 7)
        self.gates: list[Callable[[], None]] = []
        #: called after a commit that recorded something: wakes the log's sequencer
        self.recorded: list[Callable[[], None]] = []
        #: which personal facts the records of a verb may have; None while nobody has said it: any of the vocabulary
        self.personal: Mapping[str, frozenset[str]] | None = None
        #: the tables whose rows the log accounts for, by name: the record of an act says what it made of them
        self.accounted: Mapping[str, sa.Table] = {}

    def identifier(self) -> str:
        """A new identifier (see `yinxin.randomness.identifier`)."""
        return identifier(self.clock, self.randomness)

    @property
    def acting(self) -> bool:
        """Whether an act is under way in these surroundings, so that nothing else can be written."""
        return INSIDE.get()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view; any attempt to write is refused by the database."""
        with translated(), Session(self._reading, autoflush=False) as session:
            yield session
            nothing_left(session)

    @contextmanager
    def look(self) -> Iterator[Within]:
        """As `read`, for `Sql` statements alone; a fifth of what it costs on SQLite."""
        with translated():
            if self._looking is None:
                with self._reading.connect() as connection:
                    yield connection
                return
            with self._looking.transaction() as driver:
                yield Raw(driver, self.engine.dialect)

    def glance(self, statement: str) -> Any:
        """The first column of the first row of a SELECT (text), as it is committed now; None without a row.

        A tenth of what `read` costs on SQLite, for what is asked before everything else.
        """
        with translated():
            if self._looking is None:
                with self._glancing.connect() as connection:
                    return connection.exec_driver_sql(statement).scalar()
            return self._looking.first(statement)

    @contextmanager
    def jot(self) -> Iterator[Within]:
        """As `housekeep` that is not lasting, for `Sql` statements alone; a fifth of what it costs on SQLite."""
        if INSIDE.get():
            raise RuntimeError("something was jotted down inside an act")
        with translated():
            if self._jotting is None:
                with self._hasty.begin() as connection:
                    yield connection
                return
            with self._jotting.transaction() as driver:
                yield Raw(driver, self.engine.dialect, is_housekeeping)

    @contextmanager
    def housekeep(self, *, lasting: bool = True) -> Iterator[Session]:
        """A transaction that may change housekeeping tables only, unrecorded; never inside an act.

        One that is not `lasting` does not wait for the disk. No process's death undoes it, and after a power cut it is
        there if anything is that was committed later.
        """
        if INSIDE.get():
            raise RuntimeError("housekeeping was begun inside an act")
        engine = self._housekeeping if lasting else self._hasty
        with translated(), Session(engine) as session, session.begin():
            yield session

    @contextmanager
    def act(
        self,
        actor: Actor,
        verb: str,
        subject: str,
        *,
        outcome: Outcome = Outcome.DONE,
        taken: Taken | None = None,
        **facts: Any,
    ) -> Iterator[Act]:
        """One recorded transaction; raises what the caller raises, StoreUnavailable or StoreFull.

        `taken` says, once all is rolled back, what it means that another was first to something that is there once, such as a
        name (an IntegrityError): the refusal, which is recorded and raised; or None where the other's work is taken for the
        own: nothing was done and nothing refused, and the IntegrityError is raised for the caller to look up what is there.

        Acts do not nest: an act inside an act would commit apart from it.
        """
        if INSIDE.get():
            raise RuntimeError(f"{verb} was begun inside another act")
        act = Act(self.identifier(), actor, verb, subject, None, outcome, dict(facts))
        try:
            with meant(taken), inside():
                for gate in self.gates:
                    gate()
                with translated(), self._acting.begin() as connection:
                    act.within = connection
                    changed = Changed(self.accounted)
                    connection.execution_options(**{ROWS: changed})
                    try:
                        yield act
                        act.rows = changed.record(act.connection, act.id, self.randomness)
                        acts = [act, *act.further]
                        records = [self._event(each, act.outcome) for each in acts]
                        numbers = self._record(connection, *records)
                        marks = [
                            (each.mark, record)
                            for each, record in zip(acts, records, strict=True)
                            if each.mark is not None and (each is act or each.mark is not act.mark)
                        ]
                        mark_all(connection, marks)
                    finally:
                        if "session" in vars(act):
                            act.session.close()
                self._numbering.committed(numbers)
        except YinxinError as error:
            self._refused(act, Outcome.REFUSED, error.code)
            error.entry = error.entry or act.id
            raise
        except Overtaken:
            raise
        except Exception:
            self._refused(act, Outcome.FAILED, "internal")
            raise
        self._after(act)

    @contextmanager
    def together(self, *, lasting: bool = True) -> Iterator[Together]:
        """One transaction for acts of several requests, in nobody's surroundings; without one nothing is written.

        Where it raises, nothing was done and nothing recorded: whoever asked goes on alone, and is then refused in her own
        name. One that is not `lasting` is committed as `note` commits, and changes as little.
        """
        if INSIDE.get():
            raise RuntimeError("acts were begun together inside another act")
        with inside():
            for gate in self.gates:
                gate()
            with translated(), (self._acting if lasting else self._noting).begin() as connection:
                several, changed = Together(connection, self.written), Changed(self.accounted)
                connection.execution_options(**{ROWS: changed})
                yield several
                changed.none()
                if not several.joined:
                    connection.rollback()
                    return
                taken = self._numbering.take(connection, len(several.joined))
                _RECORD.run_many(connection, several.rows(self.clock.now(), taken, self._told_apart))
            if lasting:
                self._numbering.committed(taken)
        for wake in self.recorded:
            wake()

    @contextmanager
    def several(self) -> Iterator[Several]:
        """One transaction for acts of several requests, each recorded as it would be alone; without one nothing is written.

        Where it raises, nothing was done and nothing recorded: whoever asked goes on alone, and is then refused in her own name.
        """
        if INSIDE.get():
            raise RuntimeError("several acts were begun inside another act")
        with inside():
            for gate in self.gates:
                gate()
            with translated(), self._acting.begin() as connection:
                several = Several(connection, self)
                yield several
                several.close()
                if not several.acts:
                    connection.rollback()
                    return
                records = [self._event(each, each.outcome) for each in several.acts]
                numbers = self._record(connection, *records)
                marks = zip(several.acts, records, strict=True)
                mark_all(connection, [(act.mark, record) for act, record in marks if act.mark is not None])
            self._numbering.committed(numbers)
        for act in several.acts:
            self._after(act)

    def refuse(self, actor: Actor, verb: str, subject: str, error: YinxinError) -> None:
        """Record a refusal that happened before any act could begin; sets `error.entry`.

        Inside an act it does nothing: the act it ends is recorded as refused.
        """
        if error.entry is None and not INSIDE.get():
            act = Act(self.identifier(), actor, verb, subject, None)
            self._refused(act, Outcome.REFUSED, error.code)
            error.entry = act.id

    @contextmanager
    def refusing(self, actor: Actor, verb: str, subject: str) -> Iterator[None]:
        """Record whatever is refused inside, as `refuse` does, and raise it on."""
        try:
            yield
        except YinxinError as error:
            self.refuse(actor, verb, subject, error)
            raise

    def note(
        self,
        actor: Actor,
        verb: str,
        subject: str,
        *,
        within: Callable[[sa.Connection], None] | None = None,
        decision: dict[str, Any] | None = None,
        **facts: Any,
    ) -> str:
        """Record something that changed nothing, such as an answer; the entry's identifier. Never inside an act.

        Committed before it returns, as an act is, but not waiting for the disk: the death of a process does not undo
        it, and after a power cut it is there if anything is that was committed later. `within` may write housekeeping
        tables in the same transaction. Raises what the gates raise, StoreUnavailable or StoreFull.
        """
        if INSIDE.get():
            raise RuntimeError(f"{verb} was noted inside an act")
        for gate in self.gates:
            gate()
        clear, personal = self._told_apart(verb, facts)
        event_ = Event(
            self.identifier(),
            self.clock.now(),
            actor,
            verb,
            subject,
            Outcome.DONE,
            request=REQUEST.get(),
            decision=decision,
            facts=clear,
            personal=personal,
        )
        with translated(), self._noting.begin() as connection:
            if within is not None:
                within(connection)
            # not remembered as committed: it may be lost with the database's memory
            numbered = self._numbering.take(connection, 1).number(event_)
            _RECORD.run(connection, self.written.row(numbered))
        if (told := ENTRIES.get()) is not None:
            told.append(event_.id)
        for wake in self.recorded:
            wake()
        return event_.id

    def _told_apart(self, verb: str, facts: Mapping[str, Any]) -> tuple[Mapping[str, Any], dict[str, Salted]]:
        return salted(verb, facts, self.randomness, self.personal)

    def _event(self, act: Act, outcome: Outcome, error: str | None = None) -> Event:
        clear, personal = self._told_apart(act.verb, act.facts)
        return Event(
            id=act.id,
            time=self.clock.now(),
            actor=act.actor,
            verb=act.verb,
            subject=act.subject,
            outcome=outcome,
            request=act.request,
            error=error,
            decision=act.decision,
            facts=clear,
            personal=personal,
            rows=act.rows if error is None else None,
        )

    def _record(self, connection: sa.Connection, *records: Event) -> TakenNumbers:
        taken = self._numbering.take(connection, len(records))
        rows = [self.written.row(taken.number(each, at)) for at, each in enumerate(records)]
        _RECORD.run_many(connection, rows)
        return taken

    def _refused(self, act: Act, outcome: Outcome, code: str) -> None:
        """A refusal that cannot be recorded is still a refusal: say so to the operator and go on raising.

        Facts that cannot be encoded, or must not be, are what it was refused for, so it is recorded without them.
        """
        try:
            try:
                record = self._event(act, outcome, code)
                record.encode()
            except (NotCanonical, PersonalInClear, UndeclaredPersonal):
                record = self._event(replace(act, facts={}, decision=None), outcome, code)
            with translated(), self.engine.begin() as connection:
                taken = self._record(connection, record)
            self._numbering.committed(taken)
        except YinxinError:
            _log.critical("refusal of %s (%s) could not be recorded: entry %s", act.verb, code, act.id)
        else:
            self._after(act)

    def _after(self, act: Act) -> None:
        # of many things at once a request is told the whole; who joined from another request, the own part
        for each in (act, *(other for other in act.further if other.told is not act.told)):
            if each.told is not None:
                each.told.append(each.id)
        for wake in self.recorded:
            wake()
