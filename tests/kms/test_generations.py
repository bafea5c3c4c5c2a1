"""Generations of the wrapping key: begun, rewrapped to, retired when empty, destroyed by several; no ciphertext is lost."""

import ast
import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa
from pkcs11 import Attribute
from sqlalchemy.exc import IntegrityError

from kms.errors import KeyLost, KeyNotActive, WrappedKeyAltered
from kms.escrow.models import UserKeyRow
from kms.escrow.pool import Wanted
from kms.generation import rewrap as rewrapping
from kms.generation.errors import GenerationInUse, GenerationUnknown, RotatedMeanwhile
from kms.generation.rotate import begin, label_of
from ops.modules import MODULES
from ops.schema import import_tables
from tests.authz.killing import PROCESSES
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.module import imported
from yinxin.steps import listen
from yinxin.store import Base

from .conftest import OFFICER, World

ROOT = Path(__file__).parents[2]
REST = timedelta(minutes=11)


def wanted(number: int) -> Wanted:
    return Wanted(f"pair/{number}", "ecdsa-p256", "person", "zhang", "county")


def furnish(world: World, keys: int = 3) -> list[Callable[[], object]]:
    """Something of each sort under the wrapping key, and how each is used."""
    world.centre.create(SYSTEM, label="seal", purpose="seal", algorithm="sm2")
    given = [world.centre.escrow.give(SYSTEM, wanted(number)).id for number in range(keys)]

    def open_(id_: str) -> None:
        key = world.centre.escrow.key(id_)
        with world.centre.escrow.opened(key) as private:
            assert private.public_key == key.public_key

    return [
        lambda: world.centre.signer("seal").sign(b"x"),
        *(lambda id_=id_: open_(id_) for id_ in given),  # type: ignore[misc]
    ]


def ended(world: World) -> None:
    """Rewrap to the end, and let the time pass after which an empty generation retires."""
    while world.centre.generations.rewrap():
        pass
    world.store.clock.advance(REST)  # type: ignore[attr-defined]
    world.centre.generations.rewrap()


def test_the_next_generation_takes_new_ciphertexts_and_the_old_one_still_opens(world: World) -> None:
    uses = furnish(world)
    begun = world.centre.generations.rotate(OFFICER)
    assert (begun.number, begun.label, begun.state) == (2, "kek-2", "current")
    for use in uses:
        use()
    assert world.centre.escrow.give(SYSTEM, wanted(9)).wrapped.kek == "kek-2"
    kept = world.centre.protect(SYSTEM, {"type": "test"}, b"secret")
    assert kept.kek == "kek-2"
    first, second = world.centre.generations.list_for(OFFICER)
    assert (first.state, sum(first.left.values()), sum(second.left.values())) == ("rewrapping", 4, 1)


def test_everything_moves_and_the_empty_generation_retires(either: World) -> None:
    """Seen to fail when: a table is left out; the additional data names the old key; it retires before its rest."""
    uses = furnish(either)
    kept = either.centre.signer("seal")
    either.centre.generations.rotate(OFFICER)
    assert either.centre.generations.rewrap() == 4
    assert either.centre.generations.get(1).state == "rewrapping"
    ended(either)
    first = either.centre.generations.get(1)
    assert (first.state, first.moved, first.unopened) == ("retired", 4, 0)
    for use in uses:
        use()
    with pytest.raises(KeyNotActive):
        either.centre.key("kek-1")
    kept.sign(b"x")
    moved = [event["facts"]["number"] for event in either.events("kms.rewrap") if "number" in event["facts"]]
    assert sum(moved) == 4


def test_nothing_is_put_under_a_generation_that_has_ended(either: World) -> None:
    """The database refuses it. Seen to fail when the column refers to nothing."""
    furnish(either)
    old = either.centre.key("kek-1")
    either.centre.generations.rotate(OFFICER)
    ended(either)
    late = UserKeyRow(
        id="l" * 26,
        algorithm="sm2",
        standing="standby",
        spki=b"s",
        spki_digest="0" * 64,
        kek=old.label,
        nonce=b"n",
        blob=b"b",
        created=either.store.clock.now(),
    )
    with pytest.raises(IntegrityError), either.store.act(SYSTEM, "kms.make-user-keys", "test") as act:
        act.session.add(late)


def test_a_generation_that_holds_something_cannot_retire(either: World) -> None:
    from kms.generation.retire import retire

    furnish(either)
    either.centre.generations.rotate(OFFICER)
    with pytest.raises(IntegrityError):
        retire(either.store, 1, "kek-1")
    assert either.centre.generations.get(1).state == "rewrapping"
    assert either.centre.key("kek-1")


def test_what_was_altered_stays_is_told_and_keeps_the_generation(world: World) -> None:
    furnish(world)
    world.forge("seal", owner="somebody-else")
    world.centre.generations.rotate(OFFICER)
    ended(world)
    first = world.centre.generations.get(1)
    assert (first.state, first.moved, first.unopened, first.left["kms_key"]) == ("rewrapping", 3, 1, 1)
    health = world.centre.health()
    assert (health.ok, health.facts["unopened"]) == (False, ["kek-1: 1"])
    told = world.events("kms.rewrap")
    assert told[-1]["facts"]["which"] == ["kms_key:" + world.centre.key("seal").id]
    count = len(told)
    world.centre.generations.rewrap()
    assert len(world.events("kms.rewrap")) == count
    with pytest.raises(WrappedKeyAltered):
        world.centre.signer("seal").sign(b"x")
    world.forge("seal", owner="platform")
    world.store.clock.advance(timedelta(days=1))  # type: ignore[attr-defined]
    ended(world)
    assert world.centre.generations.get(1).state == "retired"


@pytest.mark.parametrize("processes", [0, 1])
def test_more_than_one_call_moves(world: World, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    """Fewer at a time than there are: each lies under its own new nonce, the one that does not open where it lay."""
    monkeypatch.setattr(rewrapping, "AT_ONCE", 2)
    world.restarted(processes=processes)
    uses = furnish(world, keys=5)
    world.centre.generations.rotate(OFFICER)
    bad = world.centre.escrow.give(SYSTEM, wanted(3)).id
    with world.store.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE kms_user_key SET blob = zeroblob(150) WHERE id = :id"), {"id": bad}
        )
    assert world.centre.generations.rewrap() == 5
    ended(world)
    first = world.centre.generations.get(1)
    assert (first.moved, first.unopened, first.left["kms_user_key"]) == (5, 1, 1)
    for number, use in enumerate(uses):
        if number != 4:
            use()
    with world.store.read() as session:
        nonces = session.scalars(sa.select(UserKeyRow.nonce)).all()
    assert len(set(nonces)) == len(nonces) == 5


@pytest.mark.parametrize("gone", ["kek-1", "kek-2"])
def test_a_wrapping_key_that_is_gone_stops_it_and_is_named(world: World, gone: str) -> None:
    furnish(world)
    world.centre.generations.rotate(OFFICER)
    world.centre.engine.destroy(world.centre.key(gone).reference)
    for _ in range(2):
        with pytest.raises(KeyLost, match=gone):
            world.centre.generations.rewrap()
    first = world.centre.generations.get(1)
    assert (first.moved, first.unopened) == (0, 0)


def test_a_row_that_changed_since_it_was_read_is_not_written_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail when the statement asks for the key alone."""
    furnish(world)
    world.centre.generations.rotate(OFFICER)
    changing = rewrapping._change

    def meanwhile(move: Any, each: Any, changes: Any, gone: Any) -> None:
        world.forge("seal", nonce=b"somebody else's")
        changing(move, each, changes, gone)

    monkeypatch.setattr(rewrapping, "_change", meanwhile)
    world.centre.generations.rewrap()
    row = world.centre.key("seal").wrapped
    assert row is not None
    assert (row.kek, row.nonce) == ("kek-1", b"somebody else's")


def test_it_goes_on_while_keys_are_used_and_made(either: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewrapping, "BATCH", 2)
    uses = furnish(either, 12)
    either.centre.generations.rotate(OFFICER)
    stop, faults = Event(), list[BaseException]()

    def using() -> None:
        number = 100
        try:
            while not stop.is_set():
                for use in uses:
                    use()
                either.centre.escrow.give(SYSTEM, wanted(number))
                number += 1
        except BaseException as error:  # noqa: BLE001 - told by the test
            faults.append(error)

    thread = Thread(target=using)
    thread.start()
    while either.centre.generations.rewrap():
        pass
    stop.set()
    thread.join()
    assert faults == []
    assert sum(either.centre.generations.get(1).left.values()) == 0
    for use in uses:
        use()


# --- the end ------------------------------------------------------------------------------------------------------


def test_only_a_retired_generation_is_destroyed_and_its_key_is_gone(world: World) -> None:
    uses = furnish(world)
    kept, handle = world.centre.signer("seal"), world.centre.key("kek-1").handle
    world.centre.generations.rotate(OFFICER)
    for number in (1, 2):
        with pytest.raises(GenerationInUse):
            world.centre.generations.destroy(OFFICER, number)
    with pytest.raises(GenerationUnknown):
        world.centre.generations.destroy(OFFICER, 3)
    ended(world)
    assert world.centre.generations.destroy(OFFICER, 1).state == "destroyed"
    assert world.centre.generations.destroy(OFFICER, 1).state == "destroyed"
    assert world.centre.token.use(lambda s: list(s.get_objects({Attribute.ID: handle}))) == []
    for use in uses:
        use()
    kept.sign(b"x")  # a signer that was kept from before reads anew where its key lies
    assert world.centre.health().ok
    world.forge("seal", kek=None)


def test_rotating_is_for_whom_the_policies_permit_it(world: World) -> None:
    world.decider.allowed = lambda *_: False
    with pytest.raises(Denied):
        world.centre.generations.rotate(OFFICER)
    with pytest.raises(Denied):
        world.centre.generations.list_for(OFFICER)


def test_two_who_rotate_at_once_begin_one_generation(world: World) -> None:
    furnish(world)
    begin(world.store, world.centre, OFFICER, number=2, label="kek-2")
    with pytest.raises(RotatedMeanwhile):
        begin(world.store, world.centre, OFFICER, number=2, label="kek-2")
    assert [each.label for each in world.centre.generations.list_for(OFFICER)] == ["kek-1", "kek-2"]


def test_labels_follow_the_first_one() -> None:
    assert label_of("kek-1", 2) == "kek-2"
    assert label_of("wrapping", 2) == "wrapping-2"
    assert label_of("kek-1", 2, {"kek-2", "kek-3"}) == "kek-4"


# --- killed at each step ------------------------------------------------------------------------------------------

STEPS = [
    "kms.rotate.1-made",
    "kms.rewrap.1-wrapped",
    "kms.rewrap.2-moved",
    "kms.retire-generation.1-recorded",
    "kms.destroy-generation.1-destroyed",
    "kms.destroy-generation.2-recorded",
]


def test_killed_at_each_step(either: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key is lost, none lies under a key that is gone, and whoever goes on ends it.

    Seen to fail when: key and ciphertext move apart; the module's object goes before the generation has retired.
    """
    monkeypatch.setattr(rewrapping, "BATCH", 3)
    uses = furnish(either)

    def life(world: World) -> None:
        if len(world.centre.generations.list_for(OFFICER)) < 2:
            world.centre.generations.rotate(OFFICER)
        ended(world)
        world.centre.generations.destroy(OFFICER, 1)

    for at in STEPS:
        either.centre.close()
        either.store.engine.dispose()

        def child(at: str = at) -> None:
            listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == at else None)
            life(either)
            os._exit(3)

        process = PROCESSES.Process(target=child)
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, f"{at} was not reached"
        either.restarted()
        for use in uses:
            use()
    life(either)
    first, second = either.centre.generations.list_for(OFFICER)
    assert (first.state, second.state, sum(second.left.values())) == ("destroyed", "current", 4)
    with pytest.raises(KeyNotActive):
        either.centre.key("kek-1")


# --- the one list -------------------------------------------------------------------------------------------------


def tables() -> Iterator[sa.Table]:
    import_tables()
    for table in Base.metadata.tables.values():
        if "kek" in table.c or any(key.column.table.name == "kms_generation" for key in table.foreign_keys):
            yield table


@pytest.mark.engines("any")
def test_every_table_with_ciphertexts_is_rewrapped() -> None:
    """A module that keeps a `Wrapped`: its column `kek` refers to OPEN_GENERATION, and its `Held` stands in MODULE.wrapped."""
    held = {imported(name).table for module in MODULES for name in module.wrapped}
    assert {table.name for table in tables()} == {table.name for table in held}
    for table in held:
        assert {str(key.column) for key in table.c.kek.foreign_keys} == {"kms_generation.open_label"}
        assert len(list(table.primary_key)) == 1


@pytest.mark.engines("any")
def test_every_file_that_reads_a_ciphertext_says_how_it_is_bound() -> None:
    """So that a table whose columns are called otherwise is not forgotten either."""
    saying = {name.partition(":")[0] for module in MODULES for name in module.wrapped}
    #: the kit of the centre itself, whose rows are those of `kms.generation.held:KEYS`
    kit = {"kms.info", "kms.wrap", "kms.generation.rewrap"}
    reading = set()
    for file in (each for part in ("kms", "seal", "ca", "authz", "audit", "apps", "backup", "monitor", "exchange", "ops") for each in (ROOT / part).rglob("*.py")):  # fmt: skip
        text = file.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if "Wrapped(" in text else ():
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Wrapped":
                reading.add(".".join(file.relative_to(ROOT).with_suffix("").parts))
    assert reading <= saying | kit
