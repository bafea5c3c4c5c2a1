"""Where the first recorded act claims the key: the same promises, without a claim of its own before and a write after."""

import threading

import pytest

from tests.web.test_idempotency import Killed
from yinxin.web.idempotency import LEASE

PATH = "/api/notes/v1/drafts"


def draft(client, key="k1", text="一"):
    return client.post(PATH, json={"text": text}, headers={"Idempotency-Key": key})


def at(place, do):
    def reached(here):
        if here == place:
            do()

    return reached


def refuse():
    from yinxin.store import StoreUnavailable

    raise StoreUnavailable


def kill():
    raise Killed


def test_the_same_answer_again_with_the_same_entries(world):
    first, second = draft(world.client()), draft(world.client())
    assert second.headers["Idempotency-Replayed"] == "true"
    assert (
        (second.status_code, second.json) == (first.status_code, first.json) == (201, {"id": 1, "text": "一"})
    )
    assert second.headers["Audit-Entry"].split(", ")[:2] == [event["id"] for event in world.events()]
    assert world.count("test_note") == 1


def test_a_key_for_other_content_is_refused(world):
    draft(world.client())
    answer = draft(world.client(), text="二")
    assert (answer.status_code, answer.json["code"]) == (422, "request.idempotency_key_reused")
    assert world.count("test_note") == 1


@pytest.mark.parametrize("place", ["begun", "intended"])
def test_a_refused_request_gives_its_key_back(world, place):
    world.reached = at(place, refuse)
    assert draft(world.client()).status_code == 503
    assert world.count("idempotency") == 0
    world.reached = at("", refuse)
    assert draft(world.client()).status_code == 201


def test_who_fails_after_the_last_act_has_answered(world):
    """Seen to fail when `Answers.release` gives the key back whatever was done."""
    world.reached = at("written", refuse)
    assert draft(world.client()).status_code == 503
    world.reached = at("", refuse)
    again = draft(world.client())
    assert (again.status_code, again.json) == (201, {"id": 1, "text": "一"})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert world.count("test_note") == 1


def test_what_is_meant_after_something_was_done_does_not_hide_it(world):
    """Seen to fail when `_MARK_MEANT` overwrites the entry."""
    from yinxin.act import SYSTEM, Outcome
    from yinxin.web.errors import AnswerLost
    from yinxin.web.idempotency import Claim, holding

    answers = world.app.extensions["yinxin.web"].answers
    claim = Claim("person:p1:post1", "k8", "0" * 64, "first")
    assert answers.claim(claim) is None
    with holding(claim):
        for outcome in (Outcome.INTENT, Outcome.DONE, Outcome.INTENT, Outcome.FAILED):
            with world.store.act(SYSTEM, f"notes.{outcome}", "note:new", outcome=outcome):
                pass
    answers.release(claim)
    with pytest.raises(AnswerLost) as lost:
        answers.claim(Claim("person:p1:post1", "k8", "0" * 64, "second"))
    assert [lost.value.facts["act"]] == [
        each["id"] for each in world.events() if each["verb"] == "notes.done"
    ]


@pytest.mark.parametrize("place", ["begun", "intended"])
def test_two_at_once(world, place):
    """Seen to fail (`begun`) when the claim is written whoever has the key: both write their note."""
    inside, go = threading.Event(), threading.Event()
    answers = []

    def wait():
        world.reached = at("", refuse)
        inside.set()
        assert go.wait(10)

    world.reached = at(place, wait)
    thread = threading.Thread(target=lambda: answers.append(draft(world.client())))
    thread.start()
    assert inside.wait(10)
    second = draft(world.client())
    go.set()
    thread.join()
    codes = sorted(each.status_code for each in (answers[0], second))
    refused = next(each for each in (answers[0], second) if each.status_code == 409)
    assert (codes, refused.json["code"]) == ([201, 409], "request.under_way")
    assert refused.headers["Retry-After"]
    assert world.count("test_note") == 1
    again = draft(world.client())
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")


def test_who_died_before_the_first_act_left_nothing(world):
    world.reached = at("begun", kill)
    with pytest.raises(Killed):
        draft(world.client())
    world.reached = at("", kill)
    assert draft(world.client()).status_code == 201
    assert world.count("test_note") == 1


def test_who_died_between_the_acts_is_never_done_again(world):
    """Seen to fail when the first act does not write the claim down."""
    world.reached = at("intended", kill)
    with pytest.raises(Killed):
        draft(world.client())
    world.reached = at("", kill)
    assert draft(world.client()).json["code"] == "request.under_way"
    world.clock.advance(LEASE)
    answer = draft(world.client())
    assert (answer.status_code, answer.json["code"]) == (409, "request.answer_lost")
    assert [answer.json["facts"]["act"]] == [
        event["id"] for event in world.events() if event["verb"] == "notes.intend"
    ]
    assert world.count("test_note") == 0


def test_who_died_after_the_last_act_has_answered(world):
    """Seen to fail when the answer is not kept with the act."""
    world.reached = at("written", kill)
    with pytest.raises(Killed):
        draft(world.client())
    world.reached = at("", kill)
    answer = draft(world.client())
    assert (answer.status_code, answer.json) == (201, {"id": 1, "text": "一"})
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert world.count("test_note") == 1


def test_keys_of_a_group_are_claimed_together_or_not_at_all(world):
    """And their answers kept together. Seen to fail when the rows that were met are not counted."""
    from yinxin.act import SYSTEM
    from yinxin.web.errors import RequestUnderWay
    from yinxin.web.idempotency import Claim, begun, known

    def claim(key, request, caller="p1"):
        return Claim(f"person:{caller}:post1", key, "0" * 64, request)

    def written(*claims, answers=()):
        group = [begun(each, world.store.clock.now()) for each in claims]
        with world.store.act(SYSTEM, "notes.write", "batch:1") as act:
            for each, answer in zip(group, answers, strict=False):
                each.hold.answer(act.session, 201, answer)
            for number, each in enumerate(group):
                each.surroundings.run(act.each, f"entry-{each.hold.claim.request}", f"note:{number}")
        return group

    group = written(claim("a", "r1"), claim("b", "r2"), answers=(b"1", b"2"))
    assert [each.entries for each in group] == [["entry-r1"], ["entry-r2"]]
    for overtaken in (
        (claim("c", "r3"), claim("a", "r4")),  # another has that one
        (claim("d", "r5"), claim("d", "r6")),  # twice in the group
    ):
        with pytest.raises(RequestUnderWay):
            written(*overtaken)
    assert world.count("idempotency") == 2
    written(claim("c", "r7"), claim("a", "r8", "p2"))
    with world.store.look() as look:
        asked = [claim("a", ""), claim("d", ""), claim("a", "", "p2")]
        assert known(look, asked) == {("person:p1:post1", "a"), ("person:p2:post1", "a")}
    answers = world.app.extensions["yinxin.web"].answers
    kept = [answers.look(claim(key, "again")) for key in ("a", "b")]
    assert [(each.status, each.body, each.headers["Audit-Entry"]) for each in kept] == [
        (201, b"1", "entry-r1"),
        (201, b"2", "entry-r2"),
    ]
