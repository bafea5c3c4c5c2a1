"""Answers that are kept back until a challenge was tried: the client's first look finds it decided, and nobody can make others wait."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from ca.acme import trials, validate
from ca.acme.errors import WrongResponse
from ca.acme.validators import Validators
from tests.ca.acme.client import HOST, AcmeClient
from tests.ca.acme.conftest import HOME, Desk
from tests.ca.acme.quickly import begun, told
from tests.ca.acme.test_quick_connections import Caller
from tests.support.working import Link, Post, working
from yinxin.store.errors import StoreUnavailable
from yinxin.web import Held, Reply, SignedBegun

pytestmark = pytest.mark.engines("any")


class Gate:
    """Hosts that answer when they are let; then as `end` says."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached: Queue[str] = Queue()
        self.end: Exception | None = None

    def probe(self, _reach: Any, _kind: str, name: str, *_: Any) -> None:
        self.reached.put(name)
        self.open.wait(30)
        if self.end is not None:
            raise self.end


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate()
    monkeypatch.setitem(validate._PROBES, "http-01", made.probe)
    yield made
    made.open.set()


def asked(desk: Desk, client: AcmeClient, url: str, payload: Any, most: int = 0) -> tuple[SignedBegun, Any]:
    """The request, and what its window gave."""
    body = json.dumps(client.signed(url, payload)).encode().ljust(most)
    one = begun(desk.app, url.removeprefix(HOST), body)
    assert one is not None
    (given,) = one.wished.window.serve([one.wished.wish])
    return one, given


def challenged(client: AcmeClient, name: str = HOME) -> tuple[str, str]:
    """The addresses of a new authorization and of its challenge."""
    (authorization,) = client.order(name)[1]["authorizations"]
    return authorization, client.challenge(authorization)["url"]


def said(desk: Desk, one: SignedBegun, given: Any) -> tuple[str, str | None]:
    """The status that the answer tells, and after how long to ask again."""
    answer = told(desk.app, one, given)
    assert answer is not None
    assert answer.status_code == 200
    assert len(answer.headers["Replay-Nonce"]) == 43
    return json.loads(answer.data)["status"], answer.headers.get("Retry-After")


def test_the_answer_comes_when_the_challenge_was_tried(desk: Desk, gate: Gate) -> None:
    client = desk.client()
    authorization, challenge = challenged(client)
    one, given = asked(desk, client, challenge, {})
    assert isinstance(given, Held)
    assert gate.reached.get(timeout=30) == HOME
    assert not given.released
    gate.open.set()
    assert said(desk, one, given) == ("valid", None)
    assert client.get(authorization)["status"] == "valid"
    # asked again, it is told at once
    assert isinstance(asked(desk, client, challenge, {})[1], Reply)


def test_a_look_meanwhile_is_kept_back_too(desk: Desk, gate: Gate) -> None:
    """Of one account there is one at a time; the first has been sent when the second comes."""
    client = desk.client()
    authorization, challenge = challenged(client)
    first, given = asked(desk, client, challenge, {})
    assert isinstance(asked(desk, client, authorization, None)[1], Reply)
    given.release()
    assert said(desk, first, given) == ("processing", "1")
    second, looked = asked(desk, client, authorization, None)
    assert isinstance(looked, Held)
    gate.open.set()
    assert said(desk, second, looked) == ("valid", None)


def test_whoever_waited_for_long_enough_is_answered_once(desk: Desk, gate: Gate) -> None:
    client = desk.client()
    _, challenge = challenged(client)
    one, given = asked(desk, client, challenge, {})
    sent: Queue[Any] = Queue()
    given.then(sent.put)
    assert sent.empty()
    given.release()
    assert json.loads(sent.get(timeout=30).body)["status"] == "processing"
    gate.open.set()
    desk.acme.validators.idle()
    given.release()
    assert sent.empty()
    assert desk.acme.parts.trials._held == 0
    assert desk.acme.parts.trials._going == {}
    assert one.status == 0


def test_a_moment_that_ends_while_its_trial_does_hurts_nobody() -> None:
    """Seen to fail: what was kept back was asked for twice, and gone in between; the validator said that it tries later."""

    class Ending:
        account = "x"

        def __init__(self, *given: Held | None) -> None:
            self.given = list(given)

        @property
        def held(self) -> Held | None:
            return self.given.pop(0)

    going = trials.Trials()
    going.begin("a", "x")
    held = going.hold("a", lambda: Reply(200, (), b""))
    going._going["a"] = Ending(held, None)  # type: ignore[assignment]
    going.end("a")
    assert held is not None
    assert held.released


def test_what_fails_is_told_as_it_stands(desk: Desk, gate: Gate) -> None:
    client = desk.client()
    _, challenge = challenged(client)
    gate.end = WrongResponse(where="http://a/", seen="-")
    one, given = asked(desk, client, challenge, {})
    assert isinstance(given, Held)
    gate.open.set()
    assert said(desk, one, given) == ("invalid", None)


def test_nobody_waits_for_a_trial_that_could_not_be_written_down(
    desk: Desk, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    client = desk.client()
    _, challenge = challenged(client)
    gate.end = StoreUnavailable()
    one, given = asked(desk, client, challenge, {})
    assert isinstance(given, Held)
    gate.open.set()
    assert said(desk, one, given) == ("processing", "1")
    desk.acme.validators.idle()
    assert desk.acme.parts.trials._going == {}
    assert "tried later" in caplog.text


def test_many_names_of_one_account_are_tried_side_by_side(desk: Desk, gate: Gate) -> None:
    """Only the first answer is kept back: a client that answers one challenge after the other is not slowed down by each."""
    client, other = desk.client(), desk.client()
    proofs = [challenged(client, f"h{number}.example.gov.cn") for number in range(3)]
    given = [asked(desk, client, challenge, {})[1] for _, challenge in proofs]
    assert [type(each) for each in given] == [Held, Reply, Reply]
    given[0].release()
    assert isinstance(asked(desk, client, proofs[1][0], None)[1], Reply)
    assert isinstance(asked(desk, other, challenged(other)[1], {})[1], Held)


def test_what_is_kept_back_is_bounded(desk: Desk, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "_MOST", 2)
    clients = [desk.client() for _ in range(4)]
    proofs = [challenged(client) for client in clients]
    # a long body would be kept with its answer
    assert isinstance(asked(desk, clients[3], proofs[3][1], {}, most=1 << 13)[1], Reply)
    given = [
        asked(desk, client, challenge, {})[1] for client, (_, challenge) in zip(clients, proofs, strict=True)
    ]
    assert [type(each) for each in given] == [Held, Held, Reply, Reply]
    given[0].release()
    assert isinstance(asked(desk, clients[2], proofs[2][0], None)[1], Held)


def test_what_finds_no_validator_is_told_at_once(
    desk: Desk, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Validators, "submit", lambda *_: False)
    client = desk.client()
    assert isinstance(asked(desk, client, challenged(client)[1], {})[1], Reply)
    assert desk.acme.parts.trials._going == {}


# --- on the wire -----------------------------------------------------------------------------------------------


@pytest.fixture
def post(desk: Desk, tmp_path: Path) -> Iterator[Post]:
    with working(desk.app, tmp_path) as serving:
        yield serving


def known(desk: Desk, post: Post, link: Link, name: str) -> tuple[Caller, str, str]:
    """An account whose name for us is known, with the addresses of an authorization and its challenge."""
    client = desk.client()
    authorization, challenge = challenged(client, name)
    caller = Caller(client, post)
    assert caller.heard(link, authorization, None)[0] == 200
    return caller, authorization, challenge


def test_on_the_wire_the_first_answer_is_the_last(
    desk: Desk, post: Post, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And others, who come to the same window meanwhile, are answered."""
    monkeypatch.setattr(trials, "MOMENT", 60)
    with post.link() as link, post.link() as beside:
        caller, authorization, challenge = known(desk, post, link, HOME)
        other, shown, _ = known(desk, post, beside, "b.example.gov.cn")
        link.send(caller.octets(challenge, {}))
        gate.reached.get(timeout=30)
        for _ in range(3):
            assert other.heard(beside, shown, None)[2]["status"] == "pending"
        # what the same connection says meanwhile waits its turn
        link.send(caller.octets(authorization, None))
        assert other.heard(beside, shown, None)[2]["status"] == "pending"
        gate.open.set()
        assert [link.heard()[2]["status"] for _ in range(2)] == ["valid", "valid"]


def test_on_the_wire_a_slow_host_is_not_waited_for(
    desk: Desk, post: Post, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "MOMENT", 0.02)
    with post.link() as link:
        caller, authorization, challenge = known(desk, post, link, HOME)
        status, fields, body = caller.heard(link, challenge, {})
        assert (status, body["status"], fields["retry-after"]) == (200, "processing", "1")
        gate.open.set()
        desk.acme.validators.idle()
        assert caller.heard(link, authorization, None)[2]["status"] == "valid"


def test_whoever_left_meanwhile_is_not_missed(
    desk: Desk, post: Post, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "MOMENT", 60)
    with post.link() as link:
        caller, authorization, challenge = known(desk, post, link, HOME)
        link.send(caller.octets(challenge, {}))
        gate.reached.get(timeout=30)
    gate.open.set()
    desk.acme.validators.idle()
    with post.link() as link:
        assert caller.heard(link, authorization, None)[2]["status"] == "valid"
    assert desk.acme.parts.trials._held == 0
