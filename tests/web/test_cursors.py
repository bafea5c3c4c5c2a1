"""Cursors come back as they were given; anything else is refused."""

import pytest

from yinxin.web import cursor, position
from yinxin.web.errors import BadCursor


def test_there_and_back():
    assert position(cursor("云岭", 7), str, int) == ("云岭", 7)
    assert position(cursor(), *()) == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "W10",
        "WzFd",
        "WyJhIiwgMV0",
        "WyJhIixdXQ",
        cursor("a"),
        cursor(1, "a"),
        cursor("a", 1) + "A",
        "é",
    ],
)
def test_what_we_did_not_write(text):
    with pytest.raises(BadCursor):
        position(text, str, int)


def test_true_is_no_number():
    with pytest.raises(BadCursor):
        position("W3RydWVd", int)
