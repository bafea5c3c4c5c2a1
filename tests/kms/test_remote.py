"""The engine over HTTP: the same calls, refused before they are read to whoever may not make them, waited for in between."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from kms.engine.face import EngineFace
from kms.engine.remote import PATH, TYPE, RemoteEngine
from kms.engine.share import RECEIVER
from kms.errors import (
    BadEngineMessage,
    CentreUnreachable,
    KeyLost,
    KeyNotForCall,
    NotOffered,
    NotOurService,
)
from kms.info import KeyInfo
from kms.offer import VERB, Offer
from kms.wrap import bound_to
from yinxin import canonical
from yinxin.act import SYSTEM, Actor, Kind
from yinxin.canonical import NotCanonical
from yinxin.client import in_process
from yinxin.errors import YinxinError

from .conftest import World

OURS, ANOTHERS = b"our service", b"another's"
CALLER = Actor(Kind.SERVICE, "caller")


def admit(certificate: bytes | None) -> Actor:
    if certificate != OURS:
        raise NotOurService(subject="another", reason="test")
    return CALLER


class Away(httpx.BaseTransport):
    """A centre that is away for so many calls."""

    def __init__(self, real: httpx.BaseTransport, calls: int) -> None:
        self.real, self.calls = real, calls

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.calls -= 1
        if self.calls >= 0:
            raise httpx.ConnectError("away", request=request)
        return self.real.handle_request(request)


def remote(world: World, certificate: bytes | None = OURS, away: int = 0) -> RemoteEngine:
    face = EngineFace(world.centre.token, admit, Offer(world.store))
    real = in_process(face, certificate=certificate)
    time = [0.0]

    def sleep(seconds: float) -> None:
        time[0] += seconds

    return RemoteEngine(
        "centre.internal:8445",
        lambda: Away(real, away),
        deadline=10,
        patience=1,
        sleep=sleep,
        now=lambda: time[0],
    )


def test_the_same_calls_from_afar(world: World) -> None:
    near = world.centre
    far = world.another()
    far.engine = far.escrow._engine = remote(world)
    far.remote = True
    assert far.initialise(SYSTEM) is False
    for label, algorithm in (("p256", "ecdsa-p256"), ("ed", "ed25519"), ("sm", "sm2"), ("pq", "ml-dsa-65")):
        info = far.create(SYSTEM, label=label, purpose="seal", algorithm=algorithm)
        assert info == near.key(label)
        assert info.public_key is not None
        info.public_key.verify(far.signer(label).sign(b"x"), b"x")
        info.public_key.verify(near.signer(label).sign(b"x"), b"x")
    secret = far.protect(SYSTEM, {"for": "test"}, b"a secret")
    assert near.reveal({"for": "test"}, secret) == b"a secret"
    assert far.health().ok
    near.token.destroy(near.key("p256").reference)
    with pytest.raises(KeyLost, match="p256"):
        far.signer("p256").sign(b"x")
    assert far.health().facts["missing"] == ["p256"]


@pytest.mark.parametrize("certificate", [None, ANOTHERS])
def test_nobody_else_is_heard(
    world: World, monkeypatch: pytest.MonkeyPatch, certificate: bytes | None
) -> None:
    touched: list[str] = []
    monkeypatch.setattr(world.centre.token, "use", lambda _operation: touched.append("used"))
    with pytest.raises(NotOurService) as caught:
        remote(world, certificate).facts()
    assert not caught.value.retryable
    assert touched == []


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "GET"},
        {"url": "/engine/x"},
        {"headers": {"Content-Type": "application/json"}},
        {"content": b"\xc1"},
        {"content": b""},
    ],
)
def test_what_is_no_call_is_refused(world: World, request_: dict[str, Any]) -> None:
    transport = in_process(EngineFace(world.centre.token, admit, Offer(world.store)), certificate=OURS)
    call = {"method": "POST", "url": PATH, "headers": {"Content-Type": TYPE}, "content": b"x"} | request_
    with httpx.Client(base_url="https://centre.internal", transport=transport) as client:
        answer = client.request(**call)
    assert answer.status_code == BadEngineMessage.status
    assert answer.json()["code"] == BadEngineMessage.code


def key_of(world: World, label: str, algorithm: str = "ecdsa-p256") -> KeyInfo:
    return world.centre.create(SYSTEM, label=label, purpose="seal", algorithm=algorithm)


def refusals(world: World) -> list[tuple[str, str, str]]:
    return [
        (each["actor"]["id"], each["subject"], each["error"])
        for each in world.events(VERB)
        if each["outcome"] == "refused"
    ]


def test_what_tokens_ask_of_each_other_is_not_for_callers(world: World) -> None:
    """By them a key in use would be replaced by one whose secret the caller can read, or be given to a token of his."""
    info, near = key_of(world, "a"), world.centre
    receiver = near.token.receiver()
    shared = near.token.make_shared(info.reference, receiver, b"")
    held = near.token.inventory()
    arguments: dict[str, tuple[Any, ...]] = {
        "make_shared": (info.reference, receiver, b""),
        "take_shared": (info.reference, shared),
        "receiver": (),
        "pass_on": (shared, receiver),
    }
    for operation, given in arguments.items():
        with pytest.raises(NotOffered, match=operation):
            remote(world).call(operation, *given)
        assert near.token.inventory() == held
    assert refusals(world) == [("caller", f"engine:{each}", NotOffered.code) for each in arguments]


def test_only_what_is_retired_is_destroyed_from_afar(world: World) -> None:
    info, far = key_of(world, "a"), remote(world)
    for state in ("active", "making"):
        world.forge("a", state=state)
        with pytest.raises(KeyNotForCall, match="a"):
            far.destroy(info.reference)
        assert world.centre.token.inventory()
    with pytest.raises(KeyNotForCall):
        far.destroy(replace(info.reference, identifier=RECEIVER))
    assert refusals(world) == [("caller", "engine:destroy", KeyNotForCall.code)] * 3
    world.forge("a", state="retired")
    far.destroy(info.reference)
    assert world.centre.token.inventory() == []


@pytest.mark.parametrize("state", ["active", "retired"])
def test_only_what_is_begun_is_made_from_afar(world: World, state: str) -> None:
    info, far = key_of(world, "a"), remote(world)
    world.centre.token.destroy(info.reference)
    world.forge("a", state=state)
    for reference in (info.reference, replace(info.reference, identifier=RECEIVER)):
        with pytest.raises(KeyNotForCall):
            far.make_key(reference)
    world.forge("a", state="making")
    with pytest.raises(KeyNotForCall):
        far.make_key(replace(info.reference, algorithm="rsa-3072"))
    assert world.centre.token.inventory() == []
    assert len(refusals(world)) == 3


def test_nor_is_a_key_beside_the_module(world: World) -> None:
    info, far = key_of(world, "sm", "sm2"), remote(world)
    assert info.wrapped is not None
    kek = world.centre.key(info.wrapped.kek)
    bound = bound_to(info, kek.label)
    wrong: list[tuple[bytes, type[YinxinError]]] = [
        (bound, KeyNotForCall),
        (b"{}", NotOffered),
        (b"[]", NotOffered),
        (b"x", NotCanonical),
    ]
    for told, error in wrong:
        with pytest.raises(error):
            far.make_protected(kek.reference, "sm2", bytes(12), told)
    assert len(refusals(world)) == 4
    user = canonical.encode({"v": 1, "type": "kms.user-key", "id": "x", "algorithm": "sm2", "kek": kek.label})
    assert far.make_protected(kek.reference, "sm2", bytes(12), user)


def test_a_restart_is_waited_for(world: World) -> None:
    assert remote(world, away=3).facts().label == "yinxin"


def test_and_not_for_ever(world: World) -> None:
    with pytest.raises(CentreUnreachable) as caught:
        remote(world, away=1_000).facts()
    assert caught.value.retryable


def test_keys_are_made_one_at_a_time(world: World) -> None:
    """A caller that lost the answer asks again while the first making is under way: the second waits, and finds the key."""
    import threading

    inside: list[int] = []
    together: list[int] = []

    class Slow:
        def make_key(self, _key: object) -> None:
            inside.append(1)
            together.append(len(inside))
            threading.Event().wait(0.05)
            inside.pop()

    slow: Any = Slow()
    face = EngineFace(slow, admit, Offer(world.store))
    engine = RemoteEngine(
        "centre.internal:1", lambda: in_process(face, certificate=OURS), deadline=10, patience=1
    )
    key = world.centre.create(SYSTEM, label="a", purpose="seal", algorithm="ecdsa-p256").reference
    world.forge("a", state="making")
    asking: Callable[[], object] = lambda: engine.make_key(key)  # noqa: E731 - given to threads
    threads = [threading.Thread(target=asking) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert together == [1, 1, 1, 1]
