"""An answer that holds a secret is given once and kept nowhere; its act is not done again.

Seen to fail when: `Answers.keep` stores it as any other; `_use_up` gives the key back; `Claim` is made without its `secret`.
"""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.web.conftest import SECRET
from tests.web.test_idempotency import Killed
from yinxin.web import Api
from yinxin.web.idempotency import LEASE, AnswerRow

pytestmark = pytest.mark.engines("any")
PATH = "/api/notes/v1/keys"


def make(world, text="一", **headers):
    return world.client(**headers).post(PATH, json={"text": text}, headers={"Idempotency-Key": "k1"})


def rows(world):
    with world.store.read() as session:
        return session.execute(sa.select(AnswerRow)).all()


def test_it_is_given_once_and_kept_nowhere(world):
    first = make(world)
    assert (first.status_code, first.json) == (201, {"secret": f"{SECRET}-一"})
    with world.store.read() as session:
        (kept,) = session.scalars(sa.select(AnswerRow)).all()
        assert (kept.status, kept.headers, kept.body) == (None, None, None)
        assert kept.entry == first.headers["Audit-Entry"]


def test_who_asks_again_hears_what_to_do_and_nothing_is_done(world):
    entry = make(world).headers["Audit-Entry"]
    again = make(world, accept_language="en")
    assert (again.status_code, again.json["code"]) == (409, "request.answer_lost")
    assert again.json["facts"] == {"act": entry, "remedy": {"zh": "请更换口令", "en": "renew the secret"}}
    assert "renew the secret" in again.json["detail"]
    assert "请更换口令" in make(world).json["detail"]
    assert SECRET not in again.text
    assert world.count("test_note") == 1


def test_other_content_under_its_key_is_refused(world):
    make(world)
    assert make(world, "二").json["code"] == "request.idempotency_key_reused"


def test_a_refused_request_gives_its_key_back(world):
    assert make(world, "无此文").status_code == 404
    assert rows(world) == []


def test_a_process_that_died_after_the_act_says_the_same(world):
    def die():
        raise Killed

    world.before_answer = die
    with pytest.raises(Killed):
        make(world)
    world.before_answer = None
    world.clock.advance(LEASE + timedelta(seconds=1))
    again = make(world)
    assert (again.status_code, again.json["facts"]["remedy"]["en"]) == (409, "renew the secret")
    assert world.count("test_note") == 1


def test_what_is_claimed_by_its_act_cannot_be_secret(world):
    from yinxin.text import Text

    api = Api("x", "/x", Text("甲", "A"))
    with pytest.raises(TypeError, match="not kept"):
        api.post("/y", summary=Text("乙", "B"), claimed_by_act=True, secret=Text("丙", "C"))
