"""A leader whose key stays in the key centre: made, certified by others, signed in with, and a document signed off by it."""

import pytest

from kms.holder.errors import WrongHolderPin
from ops.demo.story import SAMPLE
from ops.platform import INSIDE, Platform
from tests.laws.province import client, small
from tests.support.authenticator import Authenticator
from yinxin.client import Client, in_process
from yinxin.crypto.jose import decode64
from yinxin.crypto.keys import Identity

pytestmark = [pytest.mark.engines("any"), pytest.mark.slow]
PIN = "杭州西湖-2718"
PASSWORDLESS = "https://localhost"


def certified(platform: Platform, suite: str) -> tuple[Client, str, Identity]:
    """The leader's own client, the key she keeps in the key centre, and the identity that it makes."""
    leader = client(platform, "demo-leader")
    key = leader.kms.holders.create(PIN, suite=suite)
    post = next(each.post for each in small().appointments if each.person == "demo-leader")
    csr = leader.kms.holders.request(key.id, PIN)
    holder = {"kind": "person", "id": "demo-leader", "post": post}
    row = leader.ca.registrations.submit("holder-1", "person-signing", csr, holder)
    client(platform, "demo-officer").ca.registrations.vet(row.id, {"身份证件": "与本人相符"})
    client(platform, "demo-deputy").ca.registrations.approve(row.id)
    own, *above = leader.ca.registrations.certificate(row.id)
    return leader, key.id, leader.kms.holders.identity(key.id, PIN, own, tuple(above))


def as_her(platform: Platform, identity: Identity | None, token: str | None = None) -> Client:
    return Client(
        INSIDE,
        identity=identity,
        token=token,
        transport=in_process(platform.app),
        clock=platform.clock,
        sleep=lambda _: None,
    )


def reviewed(platform: Platform, reference: str) -> str:
    """A document that waits for her signature."""
    clerk = client(platform, "demo-clerk")
    document = clerk.documents.draft(SAMPLE, reference=reference, recipients=("dept-health",))
    clerk.documents.submit(document)
    client(platform, "demo-reviewer").documents.approve(document)
    return document


@pytest.mark.parametrize("suite", ["sm", "pq"])
def test_from_a_pin_to_a_signed_document(platform: Platform, suite: str) -> None:
    leader, key, identity = certified(platform, suite)
    document = reviewed(platform, "holder:1")
    with as_her(platform, identity) as her:
        assert her.authz.whoami().person == "demo-leader"
        her.documents.sign_off(document)
        assert her.documents.show(document).document.state == "signed_off"
    used = [(each.purpose, each.subject.partition(":")[0]) for each in leader.kms.holders.uses(key)]
    assert used == [
        ("document.sign-off", "document"),
        ("authz.sign-in", "challenge"),
        ("ca.apply", "holder-key"),
    ]
    wrong = leader.kms.holders.identity(key, "not the PIN", identity.certificate, identity.chain)
    with pytest.raises(WrongHolderPin):
        as_her(platform, wrong).sign_in()


def test_a_passkey_opens_session_and_key(platform: Platform) -> None:
    """Enrolled in a session of the key's own certificate; from then on no PIN and no file is needed."""
    _, key, identity = certified(platform, "sm")
    device = Authenticator("localhost", PASSWORDLESS)
    with as_her(platform, identity) as her:
        her.authz.enrol_passkey(device.make(dict(her.authz.passkey_options())), "办公室")
        asked = her.kms.holders.challenge(key)
        answer = device.agree(decode64(asked.challenge, "test"), decode64(asked.salt, "test"))
        her.kms.holders.add_passkey(key, PIN, nonce=asked.nonce, credential=answer)
    with as_her(platform, None) as anew:
        anew.authz.open_session_by_passkey(device.answer(anew.authz.challenge()))
        digest = identity.certificate.public_key.prehash(b"yes")
        what = {"purpose": "document.receive", "subject": "document:42"}
        asked = anew.kms.holders.challenge(key, digest, **what)
        answer = device.agree(decode64(asked.challenge, "test"), decode64(asked.salt, "test"))
        signature = anew.kms.holders.sign_by_passkey(
            key, digest, nonce=asked.nonce, credential=answer, **what
        )
        identity.certificate.public_key.verify(signature, b"yes")


def test_signing_on_the_page_with_the_pin(platform: Platform) -> None:
    _, key, identity = certified(platform, "intl")
    document = reviewed(platform, "holder:2")
    token = as_her(platform, identity).sign_in()
    browser = platform.app.test_client()
    browser.set_cookie("__Host-yinxin", token, domain="localhost", secure=True)
    address = f"/documents/{document}/sign/document.sign-off"
    page = browser.get(address, base_url=INSIDE).get_data(as_text=True)
    (statement,) = {part.split('"')[0] for part in page.split('name="statement" value="')[1:]}
    headers = {"Origin": INSIDE, "Sec-Fetch-Site": "same-origin"}
    sent = {"statement": statement, "reason": ""}
    wrong = browser.post(
        f"{address}/pin", data=sent | {"pin": "not the PIN"}, base_url=INSIDE, headers=headers
    )
    assert wrong.status_code == 422
    assert "口令不对" in wrong.get_data(as_text=True)
    assert "not the PIN" not in wrong.get_data(as_text=True)
    done = browser.post(f"{address}/pin", data=sent | {"pin": PIN}, base_url=INSIDE, headers=headers)
    assert done.status_code == 303, done.get_data(as_text=True)
    assert client(platform, "demo-leader").documents.show(document).document.state == "signed_off"
    for path in ("/signing-keys", f"/signing-keys/{key}", f"/signing-keys/{key}/pin", f"/signing-keys/{key}/application", f"/signing-keys/{key}/passkey"):  # fmt: skip
        shown = browser.get(path, base_url=INSIDE)
        assert shown.status_code == 200, path
