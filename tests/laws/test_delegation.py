"""Laws 1, 4 and 7 where somebody acts for the holder of a post: within the signed window alone, on the record, never two powers.

Seen to fail when: `standings` looks at no window; `held` looks at no window; `enter` keeps the powers apart no more.
"""

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ops.data import DataDirectory
from ops.demo.story import SAMPLE
from ops.platform import Platform, Seams
from tests.laws.asking import Desk, in_the_log, refused
from tests.laws.province import client, identity
from yinxin import evidence
from yinxin.clock import ManualClock, SystemClock, rfc3339
from yinxin.crypto import cms
from yinxin.evidence.container import unpack
from yinxin.evidence.judged import NotJudged
from yinxin.randomness import SystemRandomness

pytestmark = pytest.mark.engines("any")
API = "/api/authz/v1"
CHECK = {"action": "authz.read", "resource": {"type": "Directory", "id": "directory", "organ": "platform"}}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(SystemClock().now())


@pytest.fixture
def platform(folder: Path, clock: ManualClock) -> Iterator[Platform]:
    with Platform.open(DataDirectory(folder), (), Seams(clock, SystemRandomness())) as platform:
        yield platform


def give(platform: Platform, of: str, to: str, begins: datetime, ends: datetime) -> httpx.Response:
    """Over HTTP, signed on the delegator's own side."""
    desk = Desk(platform, of)
    wish = {"delegate": to, "reason": "出差", "valid_from": rfc3339(begins), "valid_to": rfc3339(ends)}
    told = desk.send("POST", f"{API}/delegations/statements", json=wish)
    assert told.status_code == 200, told.text
    statement = base64.b64decode(told.json()["statement"])
    signature = cms.sign_detached(identity(platform.data.root, of), statement, signed_at=platform.clock.now())
    signed = {"statement": told.json()["statement"], "signature": base64.b64encode(signature).decode()}
    return desk.send("POST", f"{API}/delegations", json=signed)


def test_within_the_window_and_nowhere_else(platform: Platform, clock: ManualClock) -> None:
    begins, ends = clock.now() + timedelta(days=1), clock.now() + timedelta(days=2)
    given = give(platform, "demo-leader", "demo-clerk", begins, ends)
    assert given.status_code == 201, given.text
    address = f"{API}/delegations/{given.json()['id']}/session"

    def opened() -> httpx.Response:
        return Desk(platform, "demo-clerk").send("POST", address, json={})

    # before it: no session, on the record
    in_the_log(platform, refused(opened(), "authz.delegation_over", 409))
    # never two of the three powers in one person, not even for a day
    problem = refused(give(platform, "demo-officer", "demo-auditor", begins, ends), "authz.powers_meet", 422)
    assert in_the_log(platform, problem)["verb"] == "authz.delegate"

    # within it: in the delegated post, and every record says by which delegation
    clock.advance(ends - clock.now() - timedelta(minutes=45))
    acting = Desk(platform, "demo-clerk")
    session = acting.send("POST", address, json={})
    assert session.status_code == 201, session.text
    entry = _entry(platform, session)
    assert (entry["verb"], entry["facts"]["delegation"]) == ("authz.act-for", given.json()["id"])
    acting.token = session.json()["token"]
    permitted = acting.send("POST", f"{API}/decisions", json=CHECK).json()["record"]
    assert (permitted["allowed"], permitted["delegation"]) == (True, given.json()["id"])

    # past its end the very session is nobody's, and no other is opened
    clock.advance(timedelta(minutes=46))
    problem = refused(acting.send("POST", f"{API}/decisions", json=CHECK), "authz.no_appointment", 401)
    event = in_the_log(platform, problem)
    assert (event["actor"]["id"], event["actor"]["post"]) == ("demo-clerk", given.json()["post"])
    in_the_log(platform, refused(opened(), "authz.delegation_over", 409))


def test_what_is_signed_by_a_delegation_is_proved_with_it(platform: Platform, clock: ManualClock) -> None:
    """Bundle, sealed PDF and sealed OFD carry the signed delegation, and verify offline with words for it; without it, the bundle does not."""
    given = give(platform, "demo-leader", "demo-registrar", clock.now(), clock.now() + timedelta(days=1))
    assert given.status_code == 201, given.text
    clerk, registrar = client(platform, "demo-clerk"), client(platform, "demo-registrar")
    document = clerk.documents.draft(SAMPLE, reference="d", recipients=["city-jia"])
    clerk.documents.submit(document)
    client(platform, "demo-reviewer").documents.approve(document)
    address = f"{API}/delegations/{given.json()['id']}/session"
    acting = client(platform, "demo-registrar")
    acting._connection.token = Desk(platform, "demo-registrar").send("POST", address, json={}).json()["token"]
    found = acting.authz.delegation()
    assert found is not None
    assert found.id == given.json()["id"]
    assert clerk.authz.delegation() is None
    acting.documents.sign_off(document)
    registrar.documents.number(document)
    client(platform, "demo-seal").documents.seal(document)
    bundle = registrar.documents.evidence(document)
    trust = evidence.Trust.load(platform.data.path("trust"))
    held: list[Any] = []
    evidence.verify(bundle, trust, at=clock.now() + timedelta(minutes=1), held=held)
    assert [each for each in held if "acted for" in each.en], held
    files = evidence.Bundle.of(unpack(bundle)[0])
    assert [bool(each.delegation) for each in files.acts] == [True]
    # the sealed files by themselves say it too, and what only the bundle can show
    for sealed in (files.sealed, registrar.documents.file(document, "sealed.ofd")):
        alone: list[Any] = []
        evidence.verify(sealed, trust, at=clock.now() + timedelta(minutes=1), held=alone)
        assert [each.en for each in alone if "acted for" in each.en] == [
            each.en for each in held if "acted for" in each.en
        ]
        assert any(isinstance(each, NotJudged) and "this very delegation" in each.en for each in alone)


def _entry(platform: Platform, response: httpx.Response) -> dict[str, Any]:
    platform.audit.sequence()
    return dict(platform.audit.entry(response.headers["Audit-Entry"].split(", ")[-1]).fields())
