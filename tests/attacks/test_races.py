"""Twelve at once: an act is done once, and whoever comes late is told so; nobody meets an internal error.

Seen to fail when: `draft` lets IntegrityError through; `transition` neither locks nor compares the version; `answer`
does not look at the copy's state.
"""

import base64
import threading
from collections import Counter
from collections.abc import Callable

import httpx
import pytest

from apps.document.intake.models import Intake
from ops.demo.story import SAMPLE
from ops.platform import Platform
from tests.laws.asking import Desk
from tests.laws.province import client, identity
from yinxin.act import SYSTEM
from yinxin.crypto import cms
from yinxin.documents import SecrecyIn

DOCUMENTS = "/api/document/v1/documents"
AT_ONCE = 12


def at_once(send: Callable[[int], httpx.Response]) -> Counter[int]:
    """The status of each answer, all sent at the same moment."""
    statuses: list[int] = []
    together = threading.Barrier(AT_ONCE)

    def run(number: int) -> None:
        together.wait()
        statuses.append(send(number).status_code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return Counter(statuses)


@pytest.fixture(scope="module")
def document(site: Platform) -> str:
    """Reviewed, waiting for the leader."""
    made = client(site, "demo-clerk").documents.draft(
        SAMPLE, reference="races", recipients=["city-jia", "dept-health"]
    )
    client(site, "demo-clerk").documents.submit(made)
    client(site, "demo-reviewer").documents.approve(made)
    return made


def signed(site: Platform, person: str, statement: bytes) -> dict[str, str]:
    signature = cms.sign_detached(identity(site.data.root, person), statement, signed_at=None)
    return {
        "statement": base64.b64encode(statement).decode(),
        "signature": base64.b64encode(signature).decode(),
    }


def test_drafts_under_one_reference_are_one_document(site: Platform) -> None:
    clerk = Desk(site, "demo-clerk")
    found: set[str] = set()

    def send(_number: int) -> httpx.Response:
        answer = clerk.draft(SAMPLE.read_bytes(), reference="races-one")
        found.add(answer.json().get("id", answer.text))
        return answer

    assert at_once(send) == {201: AT_ONCE}
    assert len(found) == 1


def test_one_sign_off_one_dispatch_and_one_answer(site: Platform, document: str) -> None:
    leader, registrar = Desk(site, "demo-leader"), Desk(site, "demo-registrar")
    statement = client(site, "demo-leader").documents.statement(document, "document.sign-off")
    body = signed(site, "demo-leader", statement)
    once = {204: 1, 409: AT_ONCE - 1}
    assert at_once(lambda _: leader.send("POST", f"{DOCUMENTS}/{document}/sign-off", json=body)) == once
    client(site, "demo-registrar").documents.number(document)
    client(site, "demo-seal").documents.seal(document)
    assert at_once(lambda _: registrar.send("POST", f"{DOCUMENTS}/{document}/dispatch")) == once

    city = Desk(site, "city-jia-registrar")
    asked = client(site, "city-jia-registrar").documents
    receipt = signed(site, "city-jia-registrar", asked.statement(document, "document.receive"))
    returned = signed(site, "city-jia-registrar", asked.statement(document, "document.return", "缺页"))

    def answer(number: int) -> httpx.Response:
        verb, body = (
            ("document.receive", receipt)
            if number % 2
            else ("document.return", returned | {"reason": "缺页"})
        )
        return city.send("POST", f"{DOCUMENTS}/{document}/answers/{verb}", json=body)

    assert at_once(answer) == once
    verbs = [step.verb for step in asked.show(document).steps]
    assert len(verbs) == len({verb for verb in verbs if verb != "document.begin-seal"}) + 1


def test_one_registration(site: Platform, document: str) -> None:
    """One number of the register, and none is lost: the next document has the next one.

    Seen to fail when regrading leaves what was registered at the level that it had, and when the answer is shown to all.
    """
    health = Desk(site, "dept-health-registrar")
    client(site, "dept-health-registrar").documents.receive(document)
    registered = at_once(lambda _: health.send("POST", f"{DOCUMENTS}/{document}/registration"))
    assert registered == {201: 1, 409: AT_ONCE - 1}
    (intake,) = health.send("GET", "/api/document/v1/intakes?box=all").json()["items"]
    assert intake["number"].endswith("〕1号")
    # nor does she read there what she may not elsewhere
    hidden = client(site, "demo-clerk").documents.draft(SAMPLE, reference="hidden", recipients=["city-jia"])
    with site.store.act(SYSTEM, "test.execute", f"intake:{intake['id']}") as act:
        act.session.get_one(Intake, intake["id"]).answer = hidden
    shown = health.send("GET", f"/documents/intake/{intake['id']}")
    assert shown.status_code == 200
    assert f"/documents/{document}" in shown.text
    assert hidden not in shown.text
    # what is graded higher since is no longer for her eyes here either
    period = SecrecyIn(amount=1, basis="第 1 项")
    client(site, "demo-leader").documents.regrade(document, "top-secret", period, "定密有误")
    assert health.send("GET", f"/api/document/v1/intakes/{intake['id']}").status_code == 404
