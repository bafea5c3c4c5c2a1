"""Proposals over HTTP: the contract, the signature that is posted, and what nobody may do to another's proposal."""

from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from authz.api import routes as sign_in_routes
from authz.proposal.api import routes
from tests.authz.conftest import ORIGIN, Site
from tests.authz.offices import REASON, Office
from yinxin.crypto import cms
from yinxin.web import WebSettings, create_app

pytestmark = pytest.mark.engines("any")
PATH = "/api/authz/v1/proposals"


class Desk:
    """The application, and people at it."""

    def __init__(self, office: Office) -> None:
        site = office.site
        app = create_app(authenticator=site.authz.sessions, store=site.store, clock=site.clock, settings=WebSettings(public_url=ORIGIN))  # fmt: skip
        for blueprint in (*sign_in_routes(site.authz), *routes(site.authz)):
            app.register_blueprint(blueprint)
        self.office = office
        self.client: FlaskClient = app.test_client()
        self._keys = 0
        self._tokens: dict[str, str] = {}

    def call(self, person: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and body."""
        if person not in self._tokens:
            actor = self.office.actor(person)
            self._tokens[person] = self.office.site.sign_in(self.office.identity(person, actor.post or ""))
        self._keys += 1
        headers = {"Authorization": f"Bearer {self._tokens[person]}", "Idempotency-Key": f"key-{self._keys:08}", "Accept-Language": "en"}  # fmt: skip
        self.office.site.clock.advance(timedelta(milliseconds=1))
        answer = self.client.open(PATH + path, method=method, json=body, headers=headers, base_url=ORIGIN)
        return answer.status_code, answer.get_json()

    def propose(self, person: str = "zhao", **content: Any) -> str:
        """The number of a new proposal."""
        body = {"kind": "test.within", "content": {"text": "甲", **content}, "reason": REASON}
        status, made = self.call(person, "POST", "", body)
        assert status == 201, made
        return str(made["id"])

    def approve(self, person: str, id_: str) -> tuple[int, Any]:
        """As a client does: get the statement, sign it, post it."""
        status, given = self.call(person, "GET", f"/{id_}/statement")
        assert status == 200, given
        actor = self.office.actor(person)
        identity = self.office.identity(person, actor.post or "")
        signature = cms.sign_detached(identity, b64decode(given["statement"]), signed_at=None)
        body = {"statement": given["statement"], "signature": b64encode(signature).decode()}
        return self.call(person, "POST", f"/{id_}/approvals", body)


@pytest.fixture
def desk(site: Site) -> Desk:
    return Desk(Office.of(site))


def test_from_the_proposal_to_its_execution(desk: Desk) -> None:
    id_ = desk.propose()
    assert desk.approve("qin", id_)[1]["state"] == "open"
    status, shown = desk.approve("han", id_)
    assert (status, shown["state"], len(shown["approvals"])) == (201, "approved", 2)
    status, done = desk.call("zhao", "POST", f"/{id_}/execution", {})
    assert (status, done["state"], done["outcome"]) == (201, "executed", {"written": "甲"})
    status, again = desk.call("zhao", "POST", f"/{id_}/execution", {})
    assert (status, again["type"]) == (409, "urn:yinxin:error:authz.proposal_closed")
    _, page = desk.call("qin", "GET", "?state=executed&limit=1")
    assert [each["id"] for each in page["items"]] == [id_]


def test_an_approval_by_file_and_its_ends(desk: Desk) -> None:
    id_, office = desk.propose(), desk.office
    file = office.proposals.sign(office.actor("qin"), office.identity("qin", "officer-qin"), id_)
    status, shown = desk.call("zhao", "POST", f"/{id_}/approvals", {"signature": b64encode(file).decode()})
    assert (status, shown["approvals"][0]["person"]) == (201, "qin")
    status, ended = desk.call("han", "POST", f"/{id_}/refusal", {"reason": "依据不足"})
    assert (status, ended["state"], ended["note"]) == (201, "refused", "依据不足")
    other = desk.propose()
    assert desk.call("zhao", "POST", f"/{other}/withdrawal", {})[1]["state"] == "withdrawn"


@pytest.mark.parametrize("extra", ["state", "approvals", "needed", "proposer"])
def test_nothing_is_smuggled_in(desk: Desk, extra: str) -> None:
    """Beside the content, and inside it."""
    body = {"kind": "test.within", "content": {"text": "甲"}, "reason": REASON}
    for wrong in (body | {extra: "approved"}, body | {"content": {"text": "甲", extra: "approved"}}):
        status, problem = desk.call("zhao", "POST", "", wrong)
        assert status == 422, problem
    assert desk.call("zhao", "GET", "")[1]["items"] == []


def test_another_organs_proposal_is_answered_like_none(desk: Desk) -> None:
    """Octet for octet, but for the number and the record."""
    id_ = desk.propose(organ="county-a")
    for method, what, body in (
        ("GET", "", None),
        ("GET", "/statement", None),
        ("POST", "/approvals", {"signature": "AA=="}),
        ("POST", "/refusal", {"reason": "依据不足"}),
        ("POST", "/withdrawal", {}),
        ("POST", "/execution", {}),
    ):
        told = []
        for asked in (id_, "01234567890123456789012345"):
            status, problem = desk.call("bo", method, f"/{asked}{what}", body)
            assert status == 404, problem
            told.append({k: str(v).replace(asked, "?") for k, v in problem.items() if k not in ("entry", "instance", "audit_entry", "request")})  # fmt: skip
        assert told[0] == told[1]
    assert desk.call("bo", "GET", "")[1]["items"] == []


def test_a_signature_of_nobody(desk: Desk) -> None:
    id_ = desk.propose()
    for body in ({"signature": "AA=="}, {"statement": "AA==", "signature": "AA=="}):
        status, problem = desk.call("qin", "POST", f"/{id_}/approvals", body)
        assert status == 422, problem
    assert desk.call("qin", "GET", f"/{id_}")[1]["approvals"] == []
