"""Between looking and acting: what was signed, laid out or decided on is what is stored, or nothing is.

Seen to fail when: `move` looks at the document anew instead of taking what was `seen`; `in_turn` is not asked before a
page is set.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from apps.document import number
from apps.document.layout import Layout
from apps.document.records import DOCUMENTS
from ops.demo.story import SAMPLE
from ops.platform import Platform
from tests.laws.asking import Desk
from tests.laws.province import client
from yinxin import flow
from yinxin.client import Client
from yinxin.errors import NotPermitted, YinxinError
from yinxin.flow import StaleStatement, WrongState


@pytest.fixture
def document(site: Platform) -> str:
    return client(site, "demo-clerk").documents.draft(
        SAMPLE, reference=site.store.identifier(), recipients=["city-jia"]
    )


def reviewed(site: Platform, document: str) -> None:
    client(site, "demo-clerk").documents.submit(document)
    client(site, "demo-reviewer").documents.approve(document)


def revise(site: Platform, document: str) -> None:
    """Another text in the place of the reviewed one, and approved again."""
    body = {"reference": "x", "kind": "NOTICE", "recipients": ["city-jia"]}
    answer = Desk(site, "demo-clerk").send(
        "POST",
        f"/api/document/v1/documents/{document}/content",
        data={"body": json.dumps(body)},
        files={"content": ("a.md", SAMPLE.read_bytes() + "\n\n另附一段。\n".encode(), "text/markdown")},
    )
    assert answer.status_code == 204, answer.text


def meanwhile(monkeypatch: pytest.MonkeyPatch, module: object, name: str, then: Callable[[], None]) -> None:
    """`then` happens while `module.name` is at work, once."""
    real = getattr(module, name)
    left = [then]

    def slow(*args: Any, **named: Any) -> Any:
        answer = real(*args, **named)
        while left:
            left.pop()()
        return answer

    monkeypatch.setattr(module, name, slow)


def state(site: Platform, document: str) -> str:
    return client(site, "demo-registrar").documents.show(document).document.state


def test_a_text_that_changes_while_it_is_being_signed_is_not_signed_off(
    site: Platform, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewed(site, document)

    def swap() -> None:
        client(site, "demo-reviewer").documents.send_back(document, "再改")
        revise(site, document)
        reviewed(site, document)

    meanwhile(monkeypatch, flow, "accept", swap)
    with pytest.raises(YinxinError) as refusal:
        client(site, "demo-leader").documents.sign_off(document)
    # the first answer is “moved on”; the client tries again, and the statement is of the older text
    assert refusal.value.code == StaleStatement.code
    assert state(site, document) == "reviewed"


def test_no_page_is_set_before_the_sign_off_or_for_whoever_may_not_number(
    site: Platform, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def painted(_elements: object) -> Layout:
        raise AssertionError("a page was set")

    monkeypatch.setattr(number, "render", painted)
    with pytest.raises(YinxinError) as early:
        client(site, "demo-registrar").documents.number(document)
    assert early.value.code == WrongState.code
    reviewed(site, document)
    client(site, "demo-leader").documents.sign_off(document)
    with pytest.raises(NotPermitted):
        client(site, "demo-clerk").documents.number(document)


class Unasked:
    """The documents, but for the question whether it is a page's turn."""

    def __getattr__(self, name: str) -> Any:
        return getattr(DOCUMENTS, name)

    def in_turn(self, _row: object, _verb: str) -> None:
        """Not asked."""


def test_a_page_set_from_an_older_state_is_not_kept(
    site: Platform, document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registrar's page is begun before the sign-off and ends after it: it has neither her date nor her name."""
    reviewed(site, document)
    leader: Client = client(site, "demo-leader")
    monkeypatch.setattr(number, "DOCUMENTS", Unasked())
    meanwhile(monkeypatch, number, "render", lambda: leader.documents.sign_off(document))
    given = client(site, "demo-registrar").documents.number(document)
    assert f"〔{site.clock.now().year}〕" in given, (
        "the page of the client's second try, with the date signed"
    )
