"""The log as a machine of states: acts, refusals, entering, signing, crashes between any two steps, restarts, rollbacks.

Whatever the order: what was acknowledged is there once and in order; what was published never goes back, and is remembered
apart from the database; a database that was put back is refused. Mutants of our own code break one of these.
"""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audit import CheckpointBroken, EntryNotFound, LogRolledBack, LogUnavailable
from yinxin import steps
from yinxin.act import SYSTEM
from yinxin.tlog import Checkpoint

from .mutants import acknowledge_first, publish_first, publish_unentered
from .site import Site, make_keys
from .test_crashes import STEPS

pytestmark = pytest.mark.engines("any")


class Killed(BaseException):
    """Ends what is under way, as SIGKILL does; the database undoes what was not committed."""


class LogMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="yinxin-model-"))
        self.data = self.folder / "data"
        self.data.mkdir()
        make_keys(self.data)
        self.acknowledged, self.published, self.kept = [], 0, None
        self.site = Site(self.url, self.data)
        self.site.create()
        self.site.log.start()

    @property
    def database(self):
        return self.folder / "test.sqlite"

    @property
    def url(self):
        return f"sqlite:///{self.database}"

    def remembered(self):
        """How many entries the file apart from the database proves."""
        notes = self.site.log._checkpointer._file.read()
        return Checkpoint.parse(notes["sha256"].text).size if notes else 0

    def entered(self):
        with self.site.engine.connect() as connection:
            found = connection.exec_driver_sql('SELECT event FROM audit_entry ORDER BY "index"')
            return found.scalars().all()

    def teardown(self):
        self.site.close()
        shutil.rmtree(self.folder)

    @rule(count=st.integers(1, 3))
    def act(self, count):
        for _ in range(count):
            self.acknowledged.append(self.site.act())

    @rule()
    def refuse(self):
        with pytest.raises(EntryNotFound) as refused, self.site.store.act(SYSTEM, "test.refused", "thing:1"):
            raise EntryNotFound(event="x")
        self.acknowledged.append(refused.value.entry)

    @rule()
    def sequence(self):
        self.site.log.sequence()

    @rule()
    def checkpoint(self):
        self.site.log.checkpoint()
        self.see()

    @rule(at=st.sampled_from(["mutant.published", *STEPS]))
    def crash(self, at):
        def die(name):
            if name == at:
                raise Killed

        steps.listen(die)
        try:
            self.site.log.sequence()
            self.site.log.checkpoint()
        except Killed:
            pass
        finally:
            steps.listen(None)
        self.restart()

    @rule()
    def restart(self):
        self.site.close()
        self.site = Site(self.url, self.data)
        self.site.log.start()
        self.see()

    @rule()
    def keep(self):
        """A backup of the database, in the hands of whoever will put it back; and how many entries it has, signed or not."""
        entries = len(self.entered())
        self.site.close()
        self.kept = (self.database.read_bytes(), entries)
        self.site = Site(self.url, self.data)
        self.site.log.start()

    @precondition(lambda self: self.kept is not None)
    @rule()
    def roll_back(self):
        """The old database beside the present file: refused when it lacks what was signed since, and only then.

        One that was kept when everything was entered that is signed by now has lost nothing that anybody was shown. Either way
        the present one goes on.
        """
        self.site.close()
        present, (old, entries) = self.database.read_bytes(), self.kept
        self.database.write_bytes(old)
        site = Site(self.url, self.data)
        try:
            if entries < self.remembered():
                with pytest.raises(LogRolledBack):
                    site.log.start()
            else:
                site.log.start()
                site.log.check()
        finally:
            site.close()
        self.database.write_bytes(present)
        self.site = Site(self.url, self.data)
        self.site.log.start()

    def see(self):
        """What a reader sees published: never less than before."""
        try:
            size = Checkpoint.parse(self.site.log.signed().text).size
        except Exception:  # noqa: BLE001 - nothing is signed yet
            size = 0
        assert size >= self.published
        self.published = size
        assert self.remembered() >= size, "published before it was remembered"

    @invariant()
    def acknowledged_is_there(self):
        entered = self.entered()
        with self.site.engine.connect() as connection:
            waiting = connection.exec_driver_sql("SELECT id FROM outbox ORDER BY number").scalars().all()
        mine = set(self.acknowledged)
        assert [each for each in [*entered, *waiting] if each in mine] == self.acknowledged
        assert self.published <= len(entered)
        self.site.log.check()


def run(examples, length):
    plain = settings(
        max_examples=examples,
        stateful_step_count=length,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(LogMachine, settings=plain)


def test_the_log_as_a_machine():
    run(2, 10)


@pytest.mark.slow
def test_the_log_as_a_machine_at_length():
    run(150, 40)


@pytest.mark.parametrize(
    "mutant",
    [
        acknowledge_first,
        pytest.param(publish_first, marks=pytest.mark.slow),
        pytest.param(publish_unentered, marks=pytest.mark.slow),
    ],
)
def test_mutants_are_caught(monkeypatch, mutant):
    mutant(monkeypatch.setattr)
    with pytest.raises((AssertionError, LogUnavailable, LogRolledBack, CheckpointBroken)):
        run(60, 20)
