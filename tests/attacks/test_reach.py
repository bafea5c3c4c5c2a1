"""Reaching sideways and upwards: what belongs to another organ, or to a level above one's own, is not even listed.

Seen to fail when: `listing` of `apps.document.find` does not ask what may be read; `segment` of the client gives back
what it is given; `read` is not asked before a statement is looked at; `_names` does not look for repetitions.
"""

import base64
import json
import random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from apps.document.models import Document, State
from apps.document.records import resource
from apps.document.states import COPIES
from authz.models import PersonRow
from ops.demo.story import SAMPLE
from ops.platform import Platform
from tests.laws.asking import Desk, refused
from tests.laws.province import PEOPLE, client, identity
from yinxin.act import SYSTEM
from yinxin.authz import LEVELS, Resource
from yinxin.client import Client
from yinxin.crypto import cms
from yinxin.distribution import Copy
from yinxin.errors import NotFound

DOCUMENTS = "/api/document/v1/documents"


@pytest.fixture(scope="module")
def clerk(site: Platform) -> Client:
    return client(site, "demo-clerk")


@pytest.fixture(scope="module")
def drafted(clerk: Client) -> str:
    return clerk.documents.draft(SAMPLE, reference="reach", recipients=["city-jia"])


@pytest.mark.parametrize("box", ["sent", "received", "todo"])
def test_an_administrator_sees_no_title_in_any_list(site: Platform, drafted: str, box: str) -> None:
    administrator = client(site, "demo-administrator")
    with pytest.raises(NotFound):
        administrator.documents.show(drafted)
    assert list(administrator.documents.list(box)) == []


def test_a_list_shows_nothing_above_the_readers_clearance(site: Platform, clerk: Client) -> None:
    """The leader may know secrets; the registrar of her organ, whose clearance was lowered, may not, and does not learn that there is one."""
    secret = clerk.documents.draft(SAMPLE, reference="reach-secret", recipients=["city-jia"])
    with site.store.act(SYSTEM, "test.execute", "person:demo-registrar") as act:
        act.session.get_one(PersonRow, "demo-registrar").clearance = "internal"
    with site.store.engine.begin() as connection:
        raise_ = "UPDATE document SET level = 'secret' WHERE id = :id"
        connection.execute(sa.text(raise_), {"id": secret})
    assert secret in {each.id for each in client(site, "demo-leader").documents.list("sent")}
    assert secret not in {each.id for each in client(site, "demo-registrar").documents.list("sent")}


def scattered(site: Platform, drafted: str) -> list[Resource]:
    """Documents of several organs in every state and level, as rows of the table; and all of them as policies see them."""
    chance = random.Random(20261129)
    organs = ["province-office", "city-jia", "dept-health", "county-zi"]
    with Session(site.store.engine) as session, session.begin():
        pattern = session.get_one(Document, drafted)
        same = {c.key: getattr(pattern, c.key) for c in sa.inspect(Document).columns}
        for number in range(300):
            recipients = chance.sample(organs, chance.choice([0, 1, 2]))
            state = chance.choice([State.DRAFT, State.SEALED, State.DISPATCHED, State.DISPATCHED])
            other = {
                "id": f"1{number:025}",
                "reference": f"scattered-{number}",
                "organ": chance.choice(organs),
            }
            other |= {
                "level": chance.choice(["public", "internal", *LEVELS]),
                "recipients": recipients,
                "holders": recipients,
            }
            session.add(Document(**{**same, **other, "state": state, "number": None}))
            session.flush()
            # copies before the dispatch, as a fault might leave them, let nobody read
            for organ in recipients:
                where = {"flow": "document", "item": other["id"], "organ": organ, "sender": other["organ"]}
                made = {"made_at": same["created_at"], "urged": 0, "provisional": False, "away": False}
                session.add(Copy(**where, **made, role="main", state="delivered"))
    with site.store.read() as session:
        return [resource(row) for row in session.scalars(sa.select(Document))]


def test_every_list_shows_exactly_what_may_be_read_one_by_one(site: Platform, drafted: str) -> None:
    """Seen to fail when: `_sent_to` takes a document that was not yet dispatched, or `all` is not asked what is permitted."""
    documents = scattered(site, drafted)
    counts = set()
    for person in sorted(PEOPLE):
        api = client(site, person)
        organ, may = api.authz.whoami().organ, set()
        for start in range(0, len(documents), 100):
            some = documents[start : start + 100]
            rulings = api.authz.check_many([("document.read", each, None) for each in some])
            may |= {each.id for each, ruling in zip(some, rulings, strict=True) if ruling.allowed}
        listed = {box: [each.id for each in api.documents.list(box)] for box in ("all", "sent", "received")}
        assert listed["all"] == sorted(may, reverse=True), person
        assert set(listed["sent"]) == {each.id for each in documents if each.organ == organ} & may
        with site.store.read() as session:
            sent_to = set(
                session.scalars(sa.select(Copy.item).where(COPIES.sent_to(organ or "", Copy.item).on))
            )
        assert set(listed["received"]) == sent_to & may
        counts.add(len(may))
    assert max(counts) > 60
    assert 0 in counts


@pytest.mark.parametrize("person", ["city-jia-registrar", "dept-health-registrar"])
@pytest.mark.parametrize("act", ["submission", "approval", "number", "seal", "dispatch", "evidence"])
def test_what_one_may_not_read_does_not_exist(site: Platform, drafted: str, person: str, act: str) -> None:
    """A named document before it is sent, and one that never was: the same words, so that nobody can guess."""
    desk = Desk(site, person)
    answers = [
        refused(desk.send("POST", f"{DOCUMENTS}/{each}/{act}", json={}), "flow.not_found", 404)
        for each in (drafted, "0" * 26)
    ]
    assert len({each["detail"].replace(drafted, "0" * 26) for each in answers}) == 1


@pytest.mark.parametrize("path", ["sign-off", "answers/document.receive"])
def test_a_statement_is_not_held_against_what_one_may_not_read(
    site: Platform, drafted: str, path: str
) -> None:
    """Else “stale: content” against “no such document” would tell guesses about drafts apart."""
    me = identity(site.data.root, "city-jia-registrar")
    desk = Desk(site, "city-jia-registrar")
    statement = client(site, "demo-clerk").documents.statement(drafted, "document.sign-off")
    signature = cms.sign_detached(me, statement, signed_at=None)
    body = {name: base64.b64encode(each).decode() for name, each in _parts(statement, signature)}
    refused(desk.send("POST", f"{DOCUMENTS}/{drafted}/{path}", json=body), "flow.not_found", 404)


def _parts(statement: bytes, signature: bytes) -> tuple[tuple[str, bytes], ...]:
    return ("statement", statement), ("signature", signature)


@pytest.mark.parametrize(
    "recipient",
    [
        "city-jia/../dept-health",
        "city-jia?x=1",
        "city-jia#x",
        "../people/demo-leader",
        "../sessions/current",
        ".",
        "..",
        "\n",
        "city-jia/",
        "//other.example/",
    ],
)
def test_an_identifier_leads_to_no_other_address(site: Platform, recipient: str) -> None:
    """The name of one organ over the delivery to another: what the leader would sign is not what would be sent."""
    desk = Desk(site, "demo-clerk")
    refused(desk.draft(SAMPLE.read_bytes(), recipients=[recipient]), "document.unknown_recipient", 422)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"recipients": ["city-jia", "dept-health", "city-jia"]}, "distribution.recipient_twice"),
        ({"recipients": [f"city-{number}" for number in range(501)]}, "request.invalid"),
    ],
)
def test_recipients_are_named_once_and_in_bounds(site: Platform, form: dict[str, Any], code: str) -> None:
    """Two copies for one organ could be signed for once: the document would be stuck, sealed, at dispatch."""
    refused(Desk(site, "demo-clerk").draft(SAMPLE.read_bytes(), **form), code, 422)


@pytest.mark.parametrize("change", [{"level": "public"}, {"kind": "LETTER"}])
def test_a_revision_changes_neither_kind_nor_level(
    site: Platform, drafted: str, change: dict[str, str]
) -> None:
    """The policies were asked about the document as it was drafted."""
    desk = Desk(site, "demo-clerk")
    body = {"reference": "reach", "kind": "NOTICE", "level": "internal", "recipients": ["city-jia"]}
    answer = desk.send(
        "POST",
        f"{DOCUMENTS}/{drafted}/content",
        data={"body": json.dumps(body | change)},
        files={"content": ("a.md", SAMPLE.read_bytes(), "text/markdown")},
    )
    refused(answer, "document.kind_or_level_fixed", 422)
