"""Signing on a page by passkey: one answer, one signature, over what was shown; and what is tried against it."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from ops.platform import INSIDE, Platform
from tests.laws.province import client, opened
from tests.laws.test_holder import PASSWORDLESS, PIN, as_her, certified, reviewed
from tests.support.authenticator import Authenticator
from yinxin.client.holders import HolderUse
from yinxin.crypto.jose import decode64

pytestmark = [pytest.mark.engines("any"), pytest.mark.slow]
HEADERS = {"Origin": INSIDE, "Sec-Fetch-Site": "same-origin"}


class Desk:
    """The leader in her browser, with the authenticator that opens session and key."""

    def __init__(self, platform: Platform, suite: str = "sm") -> None:
        self.leader, self.key, identity = certified(platform, suite)
        self.device = Authenticator("localhost", PASSWORDLESS)
        with as_her(platform, identity) as her:
            her.authz.enrol_passkey(self.device.make(dict(her.authz.passkey_options())), "办公室")
            asked = her.kms.holders.challenge(self.key)
            answer = self.agree(asked.challenge, asked.salt)
            her.kms.holders.add_passkey(self.key, PIN, nonce=asked.nonce, credential=answer)
        self.platform = platform
        self.token = self.signed_in()

    def signed_in(self) -> str:
        with as_her(self.platform, None) as anew:
            return anew.authz.open_session_by_passkey(self.device.answer(anew.authz.challenge()))

    def agree(self, challenge: str, salt: str) -> str:
        return self.device.agree(decode64(challenge, "test"), decode64(salt, "test"))

    def open(self, address: str, sent: dict[str, str] | None = None, *, token: str = "") -> Any:
        browser = self.platform.app.test_client()
        browser.set_cookie("__Host-yinxin", token or self.token, domain="localhost", secure=True)
        if sent is None:
            return browser.get(address, base_url=INSIDE)
        return browser.post(address, data=sent, base_url=INSIDE, headers=HEADERS)

    def asked(self, address: str, token: str = "") -> dict[str, str]:
        """What the page would send once the passkey has answered."""
        shown = self.open(address, token=token).get_data(as_text=True)
        assert "用通行密钥签名" in shown
        sent = {name: field(shown, name) for name in ("statement", "reason") if f'name="{name}"' in shown}
        answer = self.open(f"{address}/passkey/challenge", sent, token=token)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200, page
        found = {
            name: re.findall(rf'data-{name}="([^"]+)"', page)[0] for name in ("challenge", "salt", "host")
        }
        assert found["host"] == "localhost"
        answered = self.agree(found["challenge"], found["salt"])
        return sent | {"nonce": field(page, "nonce"), "credential": answered}

    def uses(self) -> list[HolderUse]:
        return [each for each in self.leader.kms.holders.uses(self.key) if each.way == "passkey"]


def field(page: str, name: str) -> str:
    return unescape(re.findall(rf'name="{name}"[^>]* value="([^"]*)"', page)[0])


def words(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def address(document: str) -> str:
    return f"/documents/{document}/sign/document.sign-off"


def state(desk: Desk, document: str) -> str:
    return desk.leader.documents.show(document).document.state


@pytest.mark.parametrize("suite", ["sm", "intl", "pq"])
def test_one_answer_signs_what_was_shown(platform: Platform, suite: str) -> None:
    desk = Desk(platform, suite)
    document = reviewed(platform, "passkey:1")
    sent = desk.asked(address(document))
    done = desk.open(f"{address(document)}/passkey", sent)
    assert done.status_code == 303, words(done)
    assert state(desk, document) == "signed_off"
    (use,) = desk.uses()
    assert (use.purpose, use.subject) == ("document.sign-off", f"document:{document}")
    again = desk.open(f"{address(document)}/passkey", sent)
    assert again.status_code == 409  # the document is not in turn any more, so nothing is even tried
    assert len(desk.uses()) == 1


def test_an_answer_is_good_for_nothing_else(platform: Platform) -> None:
    """Other documents, sessions and words; a second time; by a copied passkey. The key signs nothing of it."""
    desk = Desk(platform)
    elsewhere = desk.signed_in()
    one, other = reviewed(platform, "passkey:1"), reviewed(platform, "passkey:2")
    sent = desk.asked(address(one))
    # another document, with its own statement and with this one's
    theirs = field(words(desk.open(address(other))), "statement")
    stale = desk.open(f"{address(other)}/passkey", sent)
    assert (stale.status_code, "当前内容不一致" in words(stale)) == (409, True)
    wrong = desk.open(f"{address(other)}/passkey", sent | {"statement": theirs})
    assert (wrong.status_code, "不是在您本次登录中" in words(wrong)) == (422, True)
    # that used it up: nothing is left of it for the right one either
    assert desk.open(f"{address(one)}/passkey", sent).status_code == 422
    # her own other session neither has it nor uses it up
    sent = desk.asked(address(one))
    assert desk.open(f"{address(one)}/passkey", sent, token=elsewhere).status_code == 422
    # nor does an answer to another asking fit
    later = desk.asked(address(one))
    mixed = desk.open(f"{address(one)}/passkey", later | {"credential": sent["credential"]})
    assert (mixed.status_code, "未能为个人签名密钥" in words(mixed)) == (422, True)
    assert desk.uses() == []
    done = desk.open(f"{address(one)}/passkey", sent)
    assert done.status_code == 303, words(done)
    # a copy of the passkey, whose counter is behind: refused, and the passkey ends
    copied = desk.asked(address(other))
    desk.device.counter = 0
    shown = {name: copied[name] for name in ("statement",)}
    page = words(desk.open(f"{address(other)}/passkey/challenge", shown))
    challenge, salt = (re.findall(rf'data-{name}="([^"]+)"', page)[0] for name in ("challenge", "salt"))
    behind = shown | {"nonce": field(page, "nonce"), "credential": desk.agree(challenge, salt)}
    refused = desk.open(f"{address(other)}/passkey", behind)
    assert (refused.status_code, "复制" in words(refused)) == (422, True)
    assert desk.open(f"{address(other)}/passkey", copied).status_code == 422
    assert len(desk.uses()) == 1
    # the PIN still signs
    pin = desk.open(f"{address(other)}/pin", shown | {"pin": PIN})
    assert pin.status_code == 303, words(pin)


def test_what_changed_meanwhile_is_not_signed(platform: Platform, tmp_path: Path) -> None:
    """Sent back and given another attachment between asking and answer; signed in another tab; the key ended."""
    file = tmp_path / "表.txt"
    file.write_text("附表", "utf-8")
    desk = Desk(platform)
    changed, twice, third = (reviewed(platform, f"passkey:{number}") for number in (1, 2, 3))
    sent = desk.asked(address(changed))
    reviewer, clerk = client(platform, "demo-reviewer"), client(platform, "demo-clerk")
    desk.leader.documents.send_back(changed, "改一处")
    clerk.documents.attach(changed, file)
    clerk.documents.submit(changed)
    reviewer.documents.approve(changed)
    stale = desk.open(f"{address(changed)}/passkey", sent)
    assert (stale.status_code, "请重新取得待签内容" in words(stale)) == (409, True)
    tabs = [desk.asked(address(twice)) for _ in range(2)]
    assert [desk.open(f"{address(twice)}/passkey", each).status_code for each in tabs] == [303, 409]
    assert [each.subject for each in desk.uses()] == [f"document:{twice}"]
    sent = desk.asked(address(third))
    desk.leader.kms.holders.end(desk.key)
    ended = desk.open(f"{address(third)}/passkey", sent)
    assert ended.status_code == 410
    assert state(desk, third) == "reviewed"


def test_it_is_answered_after_a_restart(folder: Path) -> None:
    with opened(folder) as platform:
        desk = Desk(platform)
        document = reviewed(platform, "passkey:1")
        sent = desk.asked(address(document))
    with opened(folder) as platform:
        desk.platform, desk.leader = platform, client(platform, "demo-leader")
        done = desk.open(f"{address(document)}/passkey", sent)
        assert done.status_code == 303, words(done)
        assert state(desk, document) == "signed_off"


def test_delegations_are_signed_by_it_too(platform: Platform) -> None:
    desk = Desk(platform)
    now = platform.clock.now()
    wish = {
        "delegate": "demo-reviewer",
        "valid_from": f"{now.replace(year=now.year + 1):%Y-%m-%dT%H:%M}",
        "valid_to": f"{now.replace(year=now.year + 1, hour=23, minute=59):%Y-%m-%dT%H:%M}",
        "reason": "出差",
        "_key": "once",
    }
    shown = words(desk.open("/delegations/new", wish))
    sent = {"statement": field(shown, "statement")}
    page = words(desk.open("/delegations/new/signature/passkey/challenge", sent))
    challenge, salt = (re.findall(rf'data-{name}="([^"]+)"', page)[0] for name in ("challenge", "salt"))
    sent |= {"nonce": field(page, "nonce"), "credential": desk.agree(challenge, salt)}
    done = desk.open("/delegations/new/signature/passkey", sent)
    assert done.status_code == 303, words(done)
    assert "尚未开始" in words(desk.open("/delegations"))
    (use,) = desk.uses()
    assert use.purpose == "authz.delegate"
