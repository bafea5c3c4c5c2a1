"""Opinions: threaded, corrected and not changed, and nobody else's business.

Seen to fail when: `_one` does not compare the organ; `_corrected` is not asked.
"""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.databases import create_tables
from yinxin.act import Actor, Kind
from yinxin.clock import ManualClock
from yinxin.comment import Comments, NoSuchComment, NotYours
from yinxin.comment.comments import _ordered
from yinxin.comment.models import CommentRow
from yinxin.flow import Desk
from yinxin.randomness import SystemRandomness
from yinxin.store import Store, open_engine
from yinxin.text import Text
from yinxin.web.caller import Caller

COMMENTS = Comments("note")


@pytest.fixture
def store(database_url):
    engine = open_engine(database_url)
    create_tables(engine)
    clock = ManualClock(datetime(2026, 3, 2, 2, 0, tzinfo=UTC))
    yield Store(engine, clock=clock, randomness=SystemRandomness())
    engine.dispose()


def say(store, person, text, *, organ="office", item="n1", **more):
    store.clock.advance(timedelta(milliseconds=1))
    word = Text("岗", "post")
    actor = Actor(Kind.PERSON, person, post=f"{person}-post", organ=organ)
    desk = Desk(store, None, Caller(actor, "session", frozenset(), person, word, word))
    with store.act(actor, "note.comment", f"note:{item}") as act:
        return COMMENTS.add(desk, act, item, text, **more).id


def read(store, organ="office", item="n1"):
    with store.read() as session:
        thread = COMMENTS.thread(session, item, organ)
        return [(each.depth, each.row.text, [row.text for row in each.before]) for each in thread]


def test_a_thread(store):
    first = say(store, "zhang", "同意")
    second = say(store, "li", "数字请核对")
    say(store, "zhang", "已核对", parent=second)
    say(store, "wang", "附议", parent=first)
    corrected = say(store, "li", "附件二的数字请核对", corrects=second)
    assert read(store) == [
        (0, "同意", []),
        (1, "附议", []),
        (0, "附件二的数字请核对", ["数字请核对"]),
        (1, "已核对", []),
    ]
    # once each, by whoever said it; the correction can be corrected
    for person, wrong in (("li", second), ("zhang", corrected)):
        with pytest.raises(NotYours):
            say(store, person, "再改", corrects=wrong)
    say(store, "li", "附件二表三的数字请核对", corrects=corrected)
    say(store, "wang", "同上", parent=corrected)
    assert read(store)[2:] == [
        (0, "附件二表三的数字请核对", ["数字请核对", "附件二的数字请核对"]),
        (1, "已核对", []),
        (1, "同上", []),
    ]


@pytest.mark.engines("any")
def test_nobody_elses(store):
    ours = say(store, "zhang", "内部意见")
    assert read(store, "other") == []
    assert read(store, item="n2") == []
    for more in ({"organ": "other"}, {"item": "n2"}):
        for how in ("parent", "corrects"):
            with pytest.raises(NoSuchComment):
                say(store, "zhang", "插话", **more, **{how: ours})


def test_answers_however_deep_are_read():
    """One person who answers herself over and over does not close the record to her organ. Seen to fail by recursion."""
    rows = [CommentRow(id=f"{at:05}", parent=f"{at - 1:05}" if at else None) for at in range(3000)]
    assert [each.depth for each in _ordered(rows)] == list(range(3000))
