"""The libraries of encryption keys: standby, in use, history; filled to their marks, never overfilled; only keys that decrypt."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.exc import DBAPIError, IntegrityError

from kms.cli import group
from kms.escrow import ALGORITHMS, Standing, Why
from kms.escrow import pool as pools
from kms.escrow.models import UserKeyRow
from kms.escrow.pool import Wanted
from kms.escrow.service import FILLING, Look
from kms.metrics import METRICS
from tests.authz.killing import PROCESSES
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.crypto.suite import INTL, PQ, SM
from yinxin.store import Queue

from .conftest import OFFICER, World


def give(world: World, number: int = 1, algorithm: Any = "ecdsa-p256", days: int = 365) -> str:
    """A key in use under a certificate that ends after so many days."""
    key = world.centre.escrow.give(SYSTEM, Wanted(f"pair/{number}", algorithm, "person", "zhang", "county"))
    with world.store.act(SYSTEM, "kms.give-user-key", "test") as act:
        ends = world.store.clock.now() + timedelta(days=days)
        world.centre.escrow.certified(act.session, key.id, f"5e{number}", ends)
    return key.id


def change(world: World, id_: str, **values: Any) -> None:
    """What somebody with the database's password does behind our back."""
    with world.store.engine.begin() as connection:
        connection.execute(sa.update(UserKeyRow).where(UserKeyRow.id == id_).values(**values))


# --- from library to library --------------------------------------------------------------------------------------


def test_a_key_whose_certificate_has_ended_goes_into_the_history(either: World) -> None:
    """Seen to fail when the timer asks for the certificates that end later."""
    ends, stays = give(either, 1, days=10), give(either, 2, days=100)
    assert either.centre.escrow.archive() == 0
    either.store.clock.advance(timedelta(days=10))  # type: ignore[attr-defined]
    assert either.centre.escrow.archive() == 1
    kept = either.centre.escrow.key(ends)
    assert (kept.standing, kept.why, kept.certificate) == (Standing.HISTORY, Why.EXPIRED, "5e1")
    assert kept.keep_until is not None
    assert kept.ended is not None
    assert (kept.keep_until - kept.ended).days >= 3652
    assert either.centre.escrow.key(stays).standing is Standing.IN_USE
    assert [event["subject"] for event in either.events("kms.archive-user-key")] == [f"user-key:{ends}"]


def test_many_end_at_once_each_on_record(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "TOGETHER", 2)
    ids = {give(world, number, days=1) for number in range(5)}
    world.store.clock.advance(timedelta(days=2))  # type: ignore[attr-defined]
    assert world.centre.escrow.archive() == 5
    told = [event["subject"] for event in world.events("kms.archive-user-key")]
    assert sorted(told) == sorted(f"user-key:{id_}" for id_ in ids)


def test_what_is_replaced_early_is_kept_from_the_end_of_its_certificate_on(world: World) -> None:
    id_ = give(world, days=300)
    with world.store.act(SYSTEM, "kms.archive-user-key", "test") as act:
        world.centre.escrow.to_history(act.session, id_, Why.REPLACED)
    kept = world.centre.escrow.key(id_)
    assert kept.keep_until is not None
    assert kept.expires is not None
    assert kept.keep_until - kept.expires == world.centre.settings.keep


@pytest.mark.parametrize(
    "values",
    [
        {"standing": "standby"},
        {"holder": "li"},
        {"reference": "pair/other"},
        {"organ": "province"},
        {"spki": b"another"},
        {"algorithm": "sm2"},
        {"standing": "history"},
        {"standing": "lost"},
    ],
)
def test_the_database_lets_no_key_go_back_or_to_another_holder(either: World, values: dict[str, Any]) -> None:
    """Seen to fail without the triggers and constraints."""
    id_ = give(either)
    with pytest.raises(DBAPIError):
        change(either, id_, **values)
    assert either.centre.escrow.key(id_).holder == "zhang"


def test_a_key_is_never_deleted_and_its_history_stays(either: World) -> None:
    id_ = give(either, days=1)
    with pytest.raises(DBAPIError), either.store.engine.begin() as connection:
        connection.execute(sa.delete(UserKeyRow))
    either.store.clock.advance(timedelta(days=2))  # type: ignore[attr-defined]
    either.centre.escrow.archive()
    for values in ({"standing": "in-use"}, {"why": "revoked"}, {"keep_until": either.store.clock.now()}):
        with pytest.raises(DBAPIError):
            change(either, id_, **values)
    change(either, id_, keep_until=either.store.clock.now() + timedelta(days=36500))


# --- only keys that decrypt ---------------------------------------------------------------------------------------


def test_a_signing_key_has_no_way_in_by_type() -> None:
    """`Wanted` takes the kinds of `EncryptionAlgorithm` alone, and none of them does nothing but sign."""
    kinds = set(get_args(get_type_hints(Wanted)["algorithm"]))
    assert kinds == set(ALGORITHMS)
    assert kinds <= {each for suite in (INTL, SM, PQ) for each in suite.encryption_keys}
    assert not kinds & {"ed25519", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"}


@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-65", "aes-256"])
def test_the_database_takes_no_signing_key(either: World, algorithm: str) -> None:
    """Seen to fail without the constraint."""
    kek = either.centre.wrapping_key(SYSTEM)
    row = UserKeyRow(id="s" * 26, algorithm=algorithm, standing="standby", spki=b"s", spki_digest="0" * 64, kek=kek.label, nonce=b"n", blob=b"b", created=either.store.clock.now())  # fmt: skip
    with pytest.raises(IntegrityError), either.store.engine.begin() as connection:
        connection.execute(
            sa.insert(UserKeyRow).values(
                **{column.name: getattr(row, column.name) for column in UserKeyRow.__table__.columns}
            )
        )


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["rsa-3072", "rsa-4096"])
def test_rsa_keys_are_made_ahead_too(world: World, algorithm: str) -> None:
    centre = world.restarted(pool={algorithm: 1})
    assert centre.escrow.fill() == 1
    key = centre.escrow.give(SYSTEM, Wanted("pair/1", algorithm, "person", "zhang", "county"))  # type: ignore[arg-type]
    with centre.escrow.opened(key) as private:
        assert private.public_key == key.public_key


def test_beside_rsa_goes_rsa() -> None:
    for signing, beside in (
        ("rsa-2048", "rsa-3072"),
        ("rsa-3072", "rsa-3072"),
        ("rsa-4096", "rsa-4096"),
        ("rsa-8192", "rsa-4096"),
    ):
        assert INTL.encryption_for(signing) == beside
    assert INTL.encryption_for("ecdsa-p384") == "ecdsa-p256"


# --- pools --------------------------------------------------------------------------------------------------------


def test_pools_tell_their_marks_and_what_is_low(world: World) -> None:
    centre = world.restarted(pool={"sm2": 4, "ecdsa-p256": 2}, pool_low={"sm2": 3})
    assert {
        (each.algorithm, each.low, each.high, each.state) for each in centre.escrow.pools() if each.high
    } == {
        ("sm2", 3, 4, "low"),
        ("ecdsa-p256", 1, 2, "low"),
    }
    assert centre.escrow.trouble() is None  # the timer has not run yet
    centre.escrow.fill()
    with world.store.housekeep() as session:
        now = world.store.clock.now()
        session.add(Queue(key=FILLING, kind=FILLING, payload={}, due=now, last_done=now))
    assert {each.state for each in centre.escrow.pools() if each.high} == {"full"}
    assert centre.health().ok
    give(world, 1, "sm2")
    assert "filling" in {each.state for each in centre.escrow.pools()}
    give(world, 2, "sm2")
    health = centre.health()
    assert (health.ok, "sm2 2/3" in health.text.zh) == (False, True)
    assert health.facts["pool"] == ["ecdsa-p256: 2/2", "sm2: 2/4"]
    (figures,) = (each for each in METRICS if each.part == "kms.pools")
    assert {(each.figure.name, *each.labels, int(each.value)) for each in figures.read(centre)} == {
        *(("yinxin_kms_pool_keys", "sm2", 2), ("yinxin_kms_pool_keys", "ecdsa-p256", 2)),
        *(("yinxin_kms_pool_low_keys", "sm2", 3), ("yinxin_kms_pool_low_keys", "ecdsa-p256", 1)),
        *(("yinxin_kms_pool_kept_keys", "sm2", 4), ("yinxin_kms_pool_kept_keys", "ecdsa-p256", 2)),
    }


def test_filling_ends_with_its_time_and_goes_on_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail when it looks at the clock only once."""
    monkeypatch.setattr(pools, "BATCH", 2)
    centre = world.restarted(pool={"sm2": 6, "ecdsa-p256": 0})
    making = pools.make

    def slowly(*arguments: Any) -> Any:
        world.store.clock.advance(timedelta(seconds=6))  # type: ignore[attr-defined]
        return making(*arguments)

    monkeypatch.setattr(pools, "make", slowly)
    assert centre.escrow.fill(timedelta(seconds=20)) == 4
    assert centre.escrow.fill(timedelta(seconds=20)) == 2
    assert centre.escrow.levels()["sm2"] == 6


def test_several_processes_never_overfill(either: World) -> None:
    """Seen to fail without the lock around filling."""
    either.restarted(pool={"sm2": 12, "ecdsa-p256": 12})
    either.centre.close()
    either.store.engine.dispose()
    gate = PROCESSES.Barrier(3)

    def child() -> None:
        gate.wait()
        either.centre.escrow.fill()

    children = [PROCESSES.Process(target=child) for _ in range(3)]
    for process in children:
        process.start()
    for process in children:
        process.join(60)
        assert process.exitcode == 0
    either.centre.escrow.fill()
    assert {each.level for each in either.centre.escrow.pools() if each.high} == {12}


# --- what officers see --------------------------------------------------------------------------------------------


def test_the_libraries_are_counted_and_searched_by_whom_the_policies_permit(world: World) -> None:
    centre = world.restarted(pool={"sm2": 2, "ecdsa-p256": 0})
    centre.escrow.fill()
    one, two = give(world, 1), give(world, 2, "sm2", days=1)
    world.store.clock.advance(timedelta(days=2))  # type: ignore[attr-defined]
    centre.escrow.archive()
    assert centre.escrow.counts_for(OFFICER) == {
        "standby": {"sm2": 1},
        "in-use": {"ecdsa-p256": 1},
        "history": {"sm2": 1},
    }
    found = lambda **part: [each.id for each in centre.escrow.library_for(OFFICER, Look(**part))]  # noqa: E731 - one line, five times
    assert found(standing="in-use") == [one]
    assert found(certificate="5E2") == [two]
    assert sorted(found(holder="zhang")) == sorted([one, two])
    assert found(organ="province") == []
    assert len(centre.escrow.library_for(OFFICER, Look(), limit=2)) == 2
    world.decider.allowed = lambda *_: False
    for ask in (
        centre.escrow.pools_for,
        centre.escrow.counts_for,
        lambda who: centre.escrow.library_for(who, Look()),
    ):
        with pytest.raises(Denied):
            ask(OFFICER)


def test_the_commands(world: World) -> None:
    centre = world.restarted(pool={"sm2": 2, "ecdsa-p256": 0})

    def run(*arguments: str) -> Any:
        context = SimpleNamespace(platform=lambda: SimpleNamespace(kms=centre), actor=lambda: OFFICER)
        return CliRunner().invoke(group, list(arguments), obj=context)

    low = run("pool", "--json")
    assert low.exit_code == 1
    assert [each for each in json.loads(low.stdout) if each["high"]] == [
        {"algorithm": "sm2", "level": 0, "low": 1, "high": 2, "state": "low"}
    ]
    centre.escrow.fill()
    assert run("pool").exit_code == 0
    id_ = give(world, 1, "sm2")
    (told,) = json.loads(run("library", "--standing", "in-use", "--json").stdout)
    assert (told["id"], told["certificate"], told["holder"]) == (id_, "5e1", "person:zhang")
    rotated = json.loads(run("rotate", "--json").stdout)
    assert (rotated["number"], rotated["state"]) == (2, "current")
    assert json.loads(run("rewrap", "--json").stdout) == {"moved": 2, "left": 0}
    assert [each["label"] for each in json.loads(run("generations", "--json").stdout)] == ["kek-1", "kek-2"]
    assert "kek-2" in run("generations").stdout
