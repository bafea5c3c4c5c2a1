"""A classified draft written on its page, and what came back to what was sent, as the sender's page shows it."""

from io import BytesIO
from typing import Any

import pytest

from apps.document.intake.models import Answer
from apps.document.models import Document
from authz.models import PersonRow
from ops.demo.story import SAMPLE
from ops.platform import INSIDE, Platform
from tests.laws.province import client
from tests.laws.test_holder import reviewed
from yinxin.act import SYSTEM
from yinxin.authz import Level

pytestmark = [pytest.mark.engines("any"), pytest.mark.slow]
HEADERS = {"Origin": INSIDE, "Sec-Fetch-Site": "same-origin"}


class Clerk:
    """The clerk in her browser, cleared for secrets."""

    def __init__(self, platform: Platform) -> None:
        with platform.store.act(SYSTEM, "test.execute", "person:demo-clerk") as act:
            act.session.get_one(PersonRow, "demo-clerk").clearance = "secret"
        self.own = client(platform, "demo-clerk")
        self.browser = platform.app.test_client()
        self.browser.set_cookie("__Host-yinxin", self.own.sign_in(), domain="localhost", secure=True)
        self.sent = 0

    def send(self, path: str, **fields: str) -> Any:
        self.sent += 1
        file = (BytesIO(SAMPLE.read_bytes()), "notice.md")
        data = {"_key": f"key-{self.sent}", "recipients": "dept-health", "content": file, **fields}
        return self.browser.post(path, data=data, base_url=INSIDE, headers=HEADERS)

    def page(self, path: str) -> str:
        shown = self.browser.get(path, base_url=INSIDE)
        assert shown.status_code == 200, shown.get_data(as_text=True)
        return str(shown.get_data(as_text=True))


def words(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def test_a_classified_draft_from_its_page(platform: Platform) -> None:
    """Seen to fail: the page of a classified document could not be shown at all."""
    clerk = Clerk(platform)
    draft = {"kind": "NOTICE", "level": "confidential", "basis": "目录第三条"}
    too_long = clerk.send("/documents/new", **draft, amount="11")
    assert (too_long.status_code, "期限长短：“秘密”的保密期限最长 10 年" in words(too_long)) == (422, True)
    no_secret = clerk.send("/documents/new", **draft | {"level": "internal"})
    assert (no_secret.status_code, "密级：已填写保密期限" in words(no_secret)) == (422, True)
    made = clerk.send("/documents/new", **draft, amount="5", unit="years")
    assert made.status_code == 303, words(made)
    address = made.headers["Location"]
    document = address.rpartition("/")[2]
    shown = clerk.page(address)
    assert "秘密★5年" in shown
    assert "目录第三条" in shown
    again = clerk.page(f"{address}/revise")
    assert 'id="amount" name="amount" type="number" value="5"' in again
    for amount in ("5", "7"):
        revised = clerk.send(f"{address}/revise", amount=amount, unit="years", basis="目录第三条")
        assert revised.status_code == 303, words(revised)
    grades = clerk.own.documents.show(document).grades
    assert [each.mark for each in grades] == ["秘密★5年", "秘密★7年"]
    basis_alone = clerk.send("/documents/new", **draft)
    assert "秘密★10年" in clerk.page(basis_alone.headers["Location"])


def test_the_sender_sees_what_was_answered_and_no_more_than_she_may(platform: Platform) -> None:
    """Seen to fail when the answer's own level is not asked."""
    asked, answer = reviewed(platform, "answer:1"), reviewed(platform, "answer:2")
    clerk = client(platform, "demo-clerk").documents
    assert clerk.show(asked).answers == []
    now = platform.clock.now()
    with platform.store.act(SYSTEM, "test.execute", f"document:{asked}") as act:
        act.session.add(Answer(document=asked, organ="dept-health", answer=answer, at=now))
    assert [each.id for each in clerk.show(asked).answers] == [answer]
    browser = platform.app.test_client()
    token = client(platform, "demo-clerk").sign_in()
    browser.set_cookie("__Host-yinxin", token, domain="localhost", secure=True)
    page = browser.get(f"/documents/{asked}", base_url=INSIDE).get_data(as_text=True)
    assert f'href="/documents/{answer}"' in page
    above: Level = "top-secret"
    with platform.store.act(SYSTEM, "test.execute", f"document:{answer}") as act:
        act.session.get_one(Document, answer).level = above
    assert clerk.show(asked).answers == []
