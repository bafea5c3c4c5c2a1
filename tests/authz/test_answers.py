"""Answers without an act: one entry for a call, by digest, and decided again when everything has changed since."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from authz.answers import VERB, Again
from authz.change import MoveOrgan
from authz.directory import DirectoryFile
from authz.errors import ReplayDiffers, UnknownAction
from authz.version.models import AnswersRow, EntitiesRow
from yinxin.act import STRANGER, SYSTEM
from yinxin.authz import Resource
from yinxin.store import StoreUnavailable

from .test_decide import LI, ZHANG, paper
from .test_grants import OFFICER, give, wanted

pytestmark = pytest.mark.engines("any")


@pytest.fixture
def answers(site):
    site.authz.decisions.adopt()
    return site.authz.answers


def papers(*organs):
    return [
        ("test.read", Resource("Paper", each, each, "internal", {"author": "x"}), None) for each in organs
    ]


def turned_over(site):
    """Everything the answers rested on becomes another."""
    site.make(MoveOrgan(organ="county-a", parent="province"))
    people = [{"id": each, "name": "某", "clearance": "public"} for each in ("zhang", "li")]
    site.authz.directory.load(SYSTEM, DirectoryFile.parse({"people": people}))


@pytest.mark.engines("both")
def test_a_call_is_one_entry_and_is_decided_again_years_later(site, answers, events, clock):
    """Seen to fail when: what was known of the actor is not kept, or `replay` does not look at the answers."""
    given = give(site, wanted())
    asked = papers("county-a", "county-b", "city", "county-a")
    before = len(events())
    told = answers.ask(ZHANG, [*asked, ("test.edit", paper(), None)])
    assert [each.allowed for each in told] == [True, True, False, True, True]
    (entry,) = events()[before:]
    assert (entry["verb"], entry["outcome"], entry["actor"]["id"]) == (VERB, "done", "zhang")
    facts = entry["facts"]
    assert (facts["asked"], facts["allowed"], facts["version"]) == (5, 4, 1)
    assert entry["subject"] == f"answers:{facts['answers']}"
    site.authz.grants.revoke(OFFICER, given.id, "到岗")
    turned_over(site)
    clock.advance(timedelta(days=1000))
    assert answers.replay(ZHANG, facts) == Again(5, 4)
    with pytest.raises(ReplayDiffers):
        answers.replay(LI, facts)


@pytest.mark.engines("both")
def test_a_list_is_one_entry_and_is_worked_out_again(site, answers, events):
    """Seen to fail when: the organs below are not kept."""
    condition = answers.ask_list(LI, "test.read", "Paper")
    facts = events()[-1]["facts"]
    assert condition == site.authz.decisions.visible(LI, "test.read", "Paper")
    turned_over(site)
    assert site.authz.decisions.visible(LI, "test.read", "Paper") != condition
    assert answers.replay(LI, facts) == Again(1, 1)
    assert answers.ask_list(STRANGER, "test.read", "Paper").nothing
    assert answers.replay(STRANGER, events()[-1]["facts"]) == Again(1, 0)


def test_the_same_answers_are_kept_once(answers, events, store):
    for _ in range(3):
        answers.ask(ZHANG, papers("county-a"))
        answers.ask_list(ZHANG, "test.read", "Paper")
    with store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AnswersRow)) == 2
    assert len([each for each in events() if each["verb"] == VERB]) == 6


@pytest.mark.parametrize("table", [AnswersRow, EntitiesRow])
def test_what_was_altered_does_not_replay(answers, events, store, table):
    """Seen to fail when: the digest is not compared."""
    answers.ask(ZHANG, papers("county-a"))
    facts = events()[-1]["facts"]
    with store.engine.begin() as connection:
        altered = sa.update(table).values(data=sa.func.replace(table.data, "county-a", "county-b"))
        connection.execute(altered)
    with pytest.raises(ReplayDiffers):
        answers.replay(ZHANG, facts)
    with pytest.raises(ReplayDiffers):
        answers.replay(ZHANG, {**facts, "answers": "0" * 64})


def test_a_wrong_answer_that_was_kept_well_does_not_replay(answers, events, monkeypatch):
    decisions = answers._decisions
    check_many = decisions.check_many

    def lies(*asked):
        return tuple(replace(each, allowed=not each.allowed) for each in check_many(*asked))

    monkeypatch.setattr(decisions, "check_many", lies)
    answers.ask(ZHANG, papers("county-b"))
    with pytest.raises(ReplayDiffers) as caught:
        answers.replay(ZHANG, events()[-1]["facts"])
    assert caught.value.facts["field"] == "allowed"


def test_without_a_log_there_is_no_answer(answers, store, events):
    """Seen to fail when: `note` does not ask the gates."""

    def shut():
        raise StoreUnavailable

    before = len(events())
    store.gates.append(shut)
    with pytest.raises(StoreUnavailable):
        answers.ask(ZHANG, papers("county-a"))
    with pytest.raises(StoreUnavailable):
        answers.ask_list(ZHANG, "test.read", "Paper")
    store.gates.remove(shut)
    assert len(events()) == before


def test_a_note_is_no_way_around_an_act(store):
    """Seen to fail when: `is_note` lets every table through."""
    from authz.models import PersonRow
    from yinxin.store import UnrecordedChange

    with pytest.raises(UnrecordedChange):
        store.note(SYSTEM, VERB, "x", within=lambda connection: connection.execute(sa.delete(PersonRow)))
    with store.act(SYSTEM, "test.act", "x"), pytest.raises(RuntimeError):
        store.note(SYSTEM, VERB, "x")


def test_a_question_that_cannot_be_answered_is_none(answers, events):
    before = len(events())
    with pytest.raises(UnknownAction):
        answers.ask(ZHANG, [("test.fly", paper(), None)])
    assert answers.ask(ZHANG, []) == ()
    assert len(events()) == before
