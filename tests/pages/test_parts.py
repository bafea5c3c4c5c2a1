"""Parts of the console that a running site does not show at will: what is ill, what is busy, how facts are worded."""

import logging
import threading
from datetime import UTC, datetime

import pytest

from ops.console.errors import VerifyBusy
from ops.console.facts import facts_of
from ops.console.state import _state
from ops.console.verify import _turn
from yinxin.module import Health
from yinxin.store import StoreUnavailable
from yinxin.text import Text

TITLE = Text("数据库", "Database")


def test_as_many_files_at_once_and_no_more():
    free = threading.BoundedSemaphore(1)
    with _turn(free), pytest.raises(VerifyBusy) as caught, _turn(free):
        pass
    assert caught.value.retryable
    with pytest.raises(ZeroDivisionError), _turn(free):
        raise ZeroDivisionError
    with _turn(free):  # the turn came back
        pass


def test_a_part_that_refuses_says_why():
    def ask():
        raise StoreUnavailable(reason="locked")

    state = _state("database", TITLE, ask)
    assert not state.ok
    assert "数据库暂不可用" in state.text.zh


def test_a_part_that_breaks_does_not_take_the_page_with_it(caplog):
    def ask():
        raise ZeroDivisionError("secret-detail")

    with caplog.at_level(logging.ERROR):
        state = _state("database", TITLE, ask)
    assert not state.ok
    assert "secret-detail" not in state.text.zh + state.text.en
    assert "secret-detail" in caplog.text


def test_facts_in_words():
    given = {
        "size": 3,
        "missing": [],
        "intl-issuing.crl": "2026-11-23T11:00:00Z",
        "failing": ["a", "b"],
        "new": 1,
    }
    facts = {fact.label.zh: fact for fact in facts_of(given)}
    assert facts.keys() == {"日志记录数", "intl-issuing 撤销列表有效至", "失败待重试", "new"}
    assert facts["intl-issuing 撤销列表有效至"].at == datetime(2026, 11, 23, 11, tzinfo=UTC)
    assert facts["失败待重试"].value == "a, b"


def test_what_is_well_is_said_so():
    state = _state("x", TITLE, lambda: Health(ok=True, text=TITLE, facts={"size": 1}))
    assert state.ok
    assert state.facts[0].value == "1"
