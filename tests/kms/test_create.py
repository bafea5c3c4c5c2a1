"""A key is made once, whatever crashes and however many ask; database and token agree afterwards."""

import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, cast

import pytest
from pkcs11 import Attribute, ObjectClass

from kms import KeyCentre, KeyInfo
from kms.create import KeyRequest, request_key
from kms.errors import BadKeyRequest, HsmGone, HsmMissing, LabelTaken
from kms.models import Place, Purpose, State
from yinxin import steps
from yinxin.act import SYSTEM
from yinxin.authz import Denied
from yinxin.clock import ManualClock
from yinxin.crypto.errors import UnknownSuite
from yinxin.crypto.suite import INTL, PQ, SM, suite_of_key

from .conftest import OFFICER, World

ALGORITHMS = ("ecdsa-p256", "ecdsa-p384", "rsa-3072", "rsa-4096", "ed25519", "sm2", "ml-dsa-65", "aes-256")


def held(world: World, info: KeyInfo | None = None) -> list[ObjectClass]:
    """Classes of the objects in the token, of one key or of all."""
    wanted = {Attribute.ID: info.handle} if info else {}
    found = world.centre.token.use(
        lambda session: [each[Attribute.CLASS] for each in session.get_objects(wanted)]
    )
    return sorted(found)


def assert_agreement(world: World, info: KeyInfo) -> None:
    """One row, active; in the token its objects and no others of that kind; and the key works."""
    assert [each.label for each in world.centre.register()] == sorted(
        {info.label} | ({"kek-1"} if info.place is Place.WRAPPED else set())
    )
    health = world.centre.health()
    assert health.ok
    assert health.facts["unfinished"] == []
    if info.purpose is Purpose.KEK or info.place is Place.WRAPPED:
        assert held(world) == [ObjectClass.SECRET_KEY]
    else:
        assert held(world) == held(world, info) == [ObjectClass.PUBLIC_KEY, ObjectClass.PRIVATE_KEY]
    if info.purpose is not Purpose.KEK:
        assert info.public_key is not None
        info.public_key.verify(world.centre.signer(info.label).sign(b"x"), b"x")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_made_once(world: World, algorithm: str) -> None:
    purpose = "kek" if algorithm == "aes-256" else "seal"
    label = "kek-1" if algorithm == "aes-256" else "key"
    first = world.centre.create(SYSTEM, label=label, purpose=purpose, algorithm=algorithm)
    recorded = len(world.events())
    second = world.centre.create(SYSTEM, label=label, purpose=purpose, algorithm=algorithm)
    assert first == second == world.centre.key(label)
    assert len(world.events()) == recorded
    assert first.suite == ("intl" if algorithm == "aes-256" else suite_of_key(algorithm).name)
    assert_agreement(world, first)


def test_on_both_engines(either: World) -> None:
    for suite in (INTL, SM, PQ):
        info = either.centre.create(SYSTEM, label=suite.name, purpose="ca", suite=suite)
        assert either.restarted().key(suite.name) == info
        assert info.public_key is not None
        info.public_key.verify(either.centre.signer(suite.name).sign(b"x"), b"x")


def test_what_the_log_is_told(world: World) -> None:
    info = world.centre.create(OFFICER, label="seal", purpose="seal", suite=INTL, owner="o-office")
    intent, done = world.events("kms.create")
    assert (intent["outcome"], done["outcome"]) == ("intent", "done")
    assert intent["subject"] == done["subject"] == "key:seal"
    assert done["actor"]["id"] == "p-officer"
    assert info.public_key is not None
    assert done["facts"] == {
        "id": info.id,
        "purpose": "seal",
        "algorithm": "ecdsa-p256",
        "suite": "intl",
        "owner": "o-office",
        "place": "hsm",
        "key_id": info.public_key.key_id.hex(),
    }
    assert "key_id" not in intent["facts"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"purpose": "evidence"}, "purpose"),
        ({"algorithm": "ecdsa-p384"}, "algorithm"),
        ({"owner": "o-2"}, "owner"),
    ],
)
def test_a_label_names_one_kind_of_key(world: World, changed: dict[str, str], field: str) -> None:
    asked = {"label": "seal", "purpose": "seal", "algorithm": "ecdsa-p256", "owner": "o-1"}
    world.centre.create(SYSTEM, **asked)  # type: ignore[arg-type]
    with pytest.raises(LabelTaken, match=field):
        world.centre.create(SYSTEM, **(asked | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"label": ""}, "label"),
        ({"label": "Seal"}, "label"),
        ({"label": "印章"}, "label"),
        ({"label": "a/../b"}, "label"),
        ({"label": "x" * 65}, "label"),
        ({"label": "seal\n"}, "label"),
        ({"owner": ""}, "owner"),
        ({"owner": "o 1"}, "owner"),
        ({"purpose": "fun"}, "purpose"),
        ({"purpose": "kek"}, "purpose"),
        ({"algorithm": "dsa"}, "algorithm"),
        ({"algorithm": "aes-256"}, "purpose"),
        ({"algorithm": None}, "algorithm"),
        ({"suite": "intl"}, "algorithm"),
    ],
)
def test_a_bad_request_names_the_field(wanted: dict[str, str], field: str) -> None:
    asked = {"label": "seal", "purpose": "seal", "algorithm": "ecdsa-p256"} | wanted
    with pytest.raises(BadKeyRequest) as caught:
        request_key(**asked)  # type: ignore[arg-type]
    assert caught.value.facts["field"] == field


def test_an_unknown_suite() -> None:
    with pytest.raises(UnknownSuite):
        request_key("seal", "seal", suite="dsa")


def test_only_whom_the_policies_permit(world: World) -> None:
    wanted = KeyRequest("evidence-office", Purpose.EVIDENCE, "ecdsa-p256", "o-office")
    world.decider.allowed = lambda *_: False
    with pytest.raises(Denied):
        world.centre.create_for(OFFICER, wanted)
    assert world.centre.register() == []
    assert [event["outcome"] for event in world.events("kms.create")] == ["refused"]
    world.decider.allowed = lambda *_: True
    world.centre.create_for(OFFICER, wanted)
    who, action, resource = world.decider.asked[-1]
    assert (who, action, resource.organ, resource.attributes) == (
        "p-officer",
        "kms.create",
        "o-office",
        {"purpose": "evidence"},
    )
    assert [event["decision"]["policies"] for event in world.events("kms.create")] == [["test.any"]] * 3


def test_one_officer_makes_no_key_that_another_act_makes(world: World) -> None:
    """Neither an authority's, before its ceremony, nor one that takes the label of the next that the platform makes by itself. Seen to
    fail when an officer may make a key of any purpose, or of any label."""
    refused = [(each, f"evidence-{each}", "purpose") for each in Purpose if each is not Purpose.EVIDENCE]
    for purpose, label, field in (*refused, (Purpose.EVIDENCE, "oidc-20261201", "label")):
        algorithm = "aes-256" if purpose is Purpose.KEK else "ecdsa-p256"
        with pytest.raises(BadKeyRequest) as caught:
            world.centre.create_for(OFFICER, KeyRequest(label, purpose, algorithm, "o-office"))
        assert caught.value.facts["field"] == field
        assert world.events("kms.create")[-1]["error"] == "kms.bad_key_request"
    assert world.centre.register() == []


def test_a_token_lost_in_the_middle_is_recorded_and_made_good(world: World) -> None:
    world.centre.token.open()
    (world.folder / "tokens").rename(world.root / "away")
    with pytest.raises(HsmGone):
        world.centre.create(SYSTEM, label="seal", purpose="seal", suite=INTL)
    assert [event["outcome"] for event in world.events("kms.create")] == ["intent", "refused"]
    (world.root / "away").rename(world.folder / "tokens")
    info = world.centre.create(SYSTEM, label="seal", purpose="seal", suite=INTL)
    assert [event["outcome"] for event in world.events("kms.create")] == ["intent", "refused", "done"]
    assert_agreement(world, info)


def test_no_token_no_key(world: World) -> None:
    centre = world.restarted(token="none")
    with pytest.raises(HsmMissing):
        centre.create(SYSTEM, label="seal", purpose="seal", suite=INTL)
    assert [each["outcome"] for each in world.events("kms.create")] == ["refused"]
    assert world.restarted().health().facts["unfinished"] == []


def test_a_key_that_nobody_finishes_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is older than the making of any key may take: until then somebody may be at it."""
    monkeypatch.setattr("kms.create._secret", killed_here)
    with pytest.raises(Killed):
        world.centre.create(SYSTEM, label="seal", purpose="seal", suite=INTL)
    monkeypatch.undo()
    clock = cast("ManualClock", world.store.clock)
    clock.advance(timedelta(seconds=299))
    assert world.centre.health().ok
    clock.advance(timedelta(seconds=2))
    health = world.centre.health()
    assert (health.ok, health.facts["unfinished"]) == (False, ["seal"])
    assert "seal" in health.text.zh
    assert "seal" in health.text.en
    world.centre.create(SYSTEM, label="seal", purpose="seal", suite=INTL)
    assert world.centre.health().ok


class Killed(BaseException):
    """As a process that ends there."""


def killed_here(*_: object) -> NoReturn:
    raise Killed


# --- crashes


def begin(world: World, act: Callable[[KeyCentre], object], step: str | None = None) -> int:
    """A child process that does `act`, and kills itself when it reaches `step`; its number. Nothing is open across the fork."""
    world.centre.close()
    world.store.engine.dispose()
    child = os.fork()
    if child == 0:
        try:
            steps.listen(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None)
            act(world.another())
            os._exit(0)
        finally:
            os._exit(1)
    return child


def killed(world: World, act: Callable[[KeyCentre], object], step: str) -> None:
    _, status = os.waitpid(begin(world, act, step), 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def finished(*children: int) -> None:
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * len(children)


def making(label: str, algorithm: str) -> Callable[[KeyCentre], object]:
    purpose = "kek" if algorithm == "aes-256" else "seal"
    return lambda centre: centre.create(SYSTEM, label=label, purpose=purpose, algorithm=algorithm)


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ed25519", "sm2", "ml-dsa-65", "aes-256"])
@pytest.mark.parametrize("step", ["kms.create.1-intended", "kms.create.2-made", "kms.create.3-done"])
def test_killed_at_any_step_there_is_one_key(world: World, algorithm: str, step: str) -> None:
    label = "kek-1" if algorithm == "aes-256" else "key"
    if algorithm in ("sm2", "ml-dsa-65"):  # the key that wraps it is made first, and killed first
        killed(world, making(label, algorithm), step)
    killed(world, making(label, algorithm), step)
    if step == "kms.create.1-intended":
        killed(world, making(label, algorithm), "kms.create.2-made")
    finished(begin(world, making(label, algorithm)))
    info = world.centre.key(label)
    assert info.state is State.ACTIVE
    assert_agreement(world, info)
    assert [
        event["outcome"] for event in world.events("kms.create") if event["subject"] == f"key:{label}"
    ] == [
        "intent",
        "done",
    ]


@pytest.mark.parametrize(
    "step", ["kms.initialise.1-intended", "kms.initialise.2-made", "kms.initialise.3-done"]
)
def test_killed_at_any_step_there_is_one_token(tmp_path: Path, step: str) -> None:
    world = World(f"sqlite:///{tmp_path / 'test.sqlite'}", tmp_path)
    for _ in range(3):
        killed(world, lambda centre: centre.initialise(SYSTEM), step)
    finished(begin(world, lambda centre: centre.initialise(SYSTEM)))
    assert len(list((world.folder / "tokens").iterdir())) == 1
    outcomes = [event["outcome"] for event in world.events("kms.initialise")]
    assert outcomes[0] == "intent"
    assert outcomes.count("intent") == 1
    assert outcomes[-1] == "done"
    world.centre.create(SYSTEM, label="seal", purpose="seal", suite=INTL)
    world.close()


@pytest.mark.parametrize("kept", [ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY])
def test_half_a_pair_is_made_anew(world: World, kept: ObjectClass) -> None:
    killed(world, making("key", "ecdsa-p256"), "kms.create.2-made")

    def halve(session: object) -> None:
        for each in list(session.get_objects({})):  # type: ignore[attr-defined]
            if each[Attribute.CLASS] != kept:
                each.destroy()

    world.centre.token.use(halve)
    assert held(world) == [kept]
    assert_agreement(world, world.centre.create(SYSTEM, label="key", purpose="seal", algorithm="ecdsa-p256"))


def test_halves_of_two_pairs_are_made_anew(world: World) -> None:
    for label in ("a", "b"):
        killed(world, making(label, "ecdsa-p256"), "kms.create.2-made")
    a, b = world.centre.register()

    def swap(session: object) -> None:
        for info in (a, b):
            found = list(
                session.get_objects({Attribute.ID: info.handle, Attribute.CLASS: ObjectClass.PUBLIC_KEY})  # type: ignore[attr-defined]
            )
            other = b if info is a else a
            found[0].copy({Attribute.ID: other.handle + b"x"})
            found[0].destroy()
        for info in (a, b):
            (found,) = session.get_objects({Attribute.ID: info.handle + b"x"})  # type: ignore[attr-defined]
            found.copy({Attribute.ID: info.handle})
            found.destroy()

    world.centre.token.use(swap)
    made = world.centre.create(SYSTEM, label="a", purpose="seal", algorithm="ecdsa-p256")
    assert held(world, made) == [ObjectClass.PUBLIC_KEY, ObjectClass.PRIVATE_KEY]
    assert made.public_key is not None
    made.public_key.verify(world.centre.signer("a").sign(b"x"), b"x")


def test_many_ask_at_once(world: World) -> None:
    made: list[KeyInfo] = []

    def ask() -> None:
        made.append(world.centre.create(SYSTEM, label="key", purpose="seal", algorithm="ecdsa-p256"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 6
    assert {info.id for info in made} == {world.centre.key("key").id}
    assert_agreement(world, made[0])


def test_many_processes_ask_at_once(world: World) -> None:
    finished(*[begin(world, making("key", "ecdsa-p256")) for _ in range(4)])
    assert_agreement(world, world.centre.key("key"))


def test_a_key_made_by_another_process_is_found(world: World) -> None:
    """A command makes a key while the server is running with an open session."""
    reading, writing = os.pipe()
    world.centre.close()
    world.store.engine.dispose()
    child = os.fork()
    if child == 0:
        try:
            os.read(reading, 1)
            making("late", "ecdsa-p256")(world.another())
            os._exit(0)
        finally:
            os._exit(1)
    world.centre.create(SYSTEM, label="early", purpose="seal", algorithm="ecdsa-p256")
    world.centre.signer("early").sign(b"x")
    os.write(writing, b"!")
    finished(child)
    world.centre.signer("late").sign(b"x")
    assert world.centre.health().ok
    os.close(reading)
    os.close(writing)
