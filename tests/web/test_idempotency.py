"""One key, one act: replayed, refused, waited for, taken over, and never done twice even when the process dies."""

import threading
from datetime import timedelta

import pytest

from yinxin.web.idempotency import LEASE, Claim, holding

PATH = "/api/notes/v1/notes"


def write(client, key="k1", text="一"):
    return client.post(PATH, json={"text": text}, headers={"Idempotency-Key": key} if key else {})


def test_the_same_answer_again(world):
    first, second = write(world.client()), write(world.client())
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (second.status_code, second.json) == (first.status_code, first.json)
    assert "Idempotency-Replayed" not in first.headers
    assert world.count("test_note") == 1


def test_another_caller_or_key_is_another_act(world):
    write(world.client())
    assert "Idempotency-Replayed" not in write(world.client("token-li")).headers
    assert "Idempotency-Replayed" not in write(world.client(), key="k2").headers
    assert world.count("test_note") == 3


def test_a_key_for_other_content_is_refused(world):
    write(world.client())
    answer = write(world.client(), text="二")
    assert (answer.status_code, answer.json["code"]) == (422, "request.idempotency_key_reused")
    assert world.count("test_note") == 1


@pytest.mark.parametrize("key", [None, "", "a b", "x" * 129, "键"])
def test_an_act_needs_a_proper_key(world, key):
    client = world.client()
    if key is not None:
        client.environ_base["HTTP_IDEMPOTENCY_KEY"] = key.encode().decode("latin-1")
    answer = client.post(PATH, json={"text": "一"})
    assert (answer.status_code, answer.json["code"]) == (400, "request.idempotency_key_needed")
    assert world.count("test_note") == 0


def test_a_question_needs_none(world):
    assert world.client().post("/api/notes/v1/questions", json={"text": "问"}).status_code == 200


def unavailable(*_arguments, **_more):
    from yinxin.store import StoreUnavailable

    raise StoreUnavailable


def test_a_refused_request_gives_its_key_back(world, monkeypatch):
    monkeypatch.setattr(world.store, "act", unavailable)
    assert write(world.client()).status_code == 503
    monkeypatch.undo()
    assert write(world.client()).status_code == 201


@pytest.mark.parametrize("fault", [unavailable, lambda: 1 // 0])
def test_a_request_that_fails_after_its_act_never_acts_again(world, fault):
    """Seen to fail when `Answers.release` gives the key back whatever was done."""
    world.before_answer = fault
    assert write(world.client()).status_code >= 500
    world.before_answer = None
    again = write(world.client())
    assert (again.status_code, again.json["code"]) == (409, "request.answer_lost")
    assert [again.json["facts"]["act"]] == [
        each["id"] for each in world.events() if each["verb"] == "notes.write"
    ]
    assert write(world.client(), text="二").json["code"] == "request.idempotency_key_reused"
    assert world.count("test_note") == 1


def test_two_at_once(world):
    inside, go = threading.Event(), threading.Event()
    answers = []

    def wait():
        inside.set()
        assert go.wait(10)

    world.before_answer = wait
    thread = threading.Thread(target=lambda: answers.append(write(world.client())))
    thread.start()
    assert inside.wait(10)
    second = write(world.client())
    go.set()
    thread.join()
    assert (second.status_code, second.json["code"]) == (409, "request.under_way")
    assert second.headers["Retry-After"]
    assert answers[0].status_code == 201
    assert world.count("test_note") == 1


class Killed(BaseException):
    """Stands for a process that dies: nothing after it runs."""


def die(world, monkeypatch, *, after_act):
    """Serve one request whose process dies before or after the act's commit."""

    def killed(*_arguments, **_more):
        raise Killed

    if after_act:
        world.before_answer = killed
    else:
        monkeypatch.setattr(world.store, "act", killed)
    with pytest.raises(Killed):
        write(world.client())
    world.before_answer = None
    monkeypatch.undo()


def test_a_holder_that_died_before_the_act_frees_the_key_when_its_lease_ends(world, monkeypatch):
    die(world, monkeypatch, after_act=False)
    assert write(world.client()).json["code"] == "request.under_way"
    world.clock.advance(LEASE + timedelta(seconds=1))
    assert write(world.client()).status_code == 201
    assert world.count("test_note") == 1


def test_a_holder_that_died_after_the_act_never_lets_it_happen_twice(world, monkeypatch):
    die(world, monkeypatch, after_act=True)
    world.clock.advance(LEASE + timedelta(seconds=1))
    answer = write(world.client())
    assert (answer.status_code, answer.json["code"]) == (409, "request.answer_lost")
    done = [event["id"] for event in world.events() if event["verb"] == "notes.write"]
    assert [answer.json["facts"]["act"]] == done
    assert world.count("test_note") == 1


def test_a_holder_that_overslept_its_lease_has_its_act_undone(world):
    """The first request stalls before its act, another takes the key over; then the first wakes up."""
    answers = world.app.extensions["yinxin.web"].answers
    sleeper = Claim("person:p1:post1", "k9", "0" * 64, "first")
    other = Claim("person:p1:post1", "k9", "0" * 64, "second")
    assert answers.claim(sleeper) is None
    world.clock.advance(LEASE + timedelta(seconds=1))
    assert answers.claim(other) is None
    from yinxin.act import SYSTEM
    from yinxin.web.errors import RequestUnderWay

    with pytest.raises(RequestUnderWay), holding(sleeper), world.store.act(SYSTEM, "notes.write", "note:new"):
        pass
    assert [event["outcome"] for event in world.events()] == ["refused"]


def test_answers_are_forgotten(world):
    write(world.client())
    world.clock.advance(timedelta(hours=25))
    assert "Idempotency-Replayed" not in write(world.client(), text="二").headers
    world.clock.advance(timedelta(hours=25))
    world.app.extensions["yinxin.web"].answers.sweep()
    assert world.count("idempotency") == 0
