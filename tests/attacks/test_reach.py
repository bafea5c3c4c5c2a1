"""Reaching sideways and upwards: what belongs to another organ, or to a level above one's own, is not even listed.

Seen to fail when: `listing` of `apps.document.find` does not ask what may be read; `segment` of the client gives back
what it is given; `read` is not asked before a statement is looked at; `_names` does not look for repetitions.
"""

import base64
import json
from typing import Any

import pytest
import sqlalchemy as sa

from ops.demo.story import SAMPLE
from ops.platform import Platform
from tests.laws.asking import Desk, refused
from tests.laws.province import client, identity
from yinxin.client import Client
from yinxin.crypto import cms
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
    """The leader may know secrets; the registrar of her organ may not, and does not learn that there is one."""
    secret = clerk.documents.draft(SAMPLE, reference="reach-secret", recipients=["city-jia"])
    with site.store.engine.begin() as connection:
        raise_ = "UPDATE document SET level = 'secret' WHERE id = :id"
        connection.execute(sa.text(raise_), {"id": secret})
    assert secret in {each.id for each in client(site, "demo-leader").documents.list("sent")}
    assert secret not in {each.id for each in client(site, "demo-registrar").documents.list("sent")}


@pytest.mark.parametrize("person", ["city-jia-registrar", "dept-health-registrar"])
@pytest.mark.parametrize("act", ["submission", "approval", "number", "seal", "dispatch", "evidence"])
def test_what_one_may_not_read_does_not_exist(site: Platform, drafted: str, person: str, act: str) -> None:
    """A named document before it is sent, and one that never was: the same words, so that nobody can guess."""
    desk = Desk(site, person)
    answers = [
        refused(desk.send("POST", f"{DOCUMENTS}/{each}/{act}", json={}), "document.not_found", 404)
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
    refused(desk.send("POST", f"{DOCUMENTS}/{drafted}/{path}", json=body), "document.not_found", 404)


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
        ({"recipients": ["city-jia", "dept-health", "city-jia"]}, "document.recipient_twice"),
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
