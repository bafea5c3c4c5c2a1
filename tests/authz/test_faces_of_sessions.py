"""Clients of the sign-on, sessions, delegations and decisions taken again: for whom they are, and for whom they are not."""

import re
from base64 import b64decode, b64encode
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from audit.errors import EntryNotFound
from authz.oidc.models import GrantRow
from tests.authz.hall import OTHERS, hall, refused
from yinxin.act import SYSTEM
from yinxin.crypto import cms
from yinxin.web.idempotency import AnswerRow

__all__ = ["hall"]

pytestmark = pytest.mark.engines("any")
MAIL = {
    "id": "mail",
    "name_zh": "电子邮件",
    "name_en": "Mail",
    "organ": "county-a",
    "scopes": ["openid", "profile"],
    "redirect_uris": "https://mail.example.gov.cn/cb\nhttps://mail.example.gov.cn/other",
}


def test_a_client_from_its_registration_to_its_end(hall):
    """Seen to fail when: `secret` is left out of the form, and the answer with the secret is kept."""
    assert hall.page("zhao", "/console/clients/new").status_code == 200
    wrong = hall.page("zhao", "/console/clients/new", {**MAIL, "redirect_uris": "http://mail.example"})
    assert (wrong.status_code, "redirect_uris" in wrong.text) == (422, True)
    for person in (*OTHERS, "sun"):
        assert hall.page(person, "/console/clients/new", MAIL).status_code == 403
    made = hall.page("zhao", "/console/clients/new", MAIL)
    secret = re.search(r'id="secret">([^<]+)<', made.text)[1]
    assert len(secret) == 43
    with hall.store.read() as session:
        kept = session.scalars(sa.select(AnswerRow.body)).all()
    assert not any(secret.encode() in (body or b"") for body in kept)
    for person in ("zhao", "sun"):
        assert "电子邮件" in hall.page(person, "/console/clients").text
        assert hall.api(person, "GET", "/clients/mail")[1]["registration"]["organ"] == "county-a"
    assert (
        "mail,电子邮件,Mail,county-a,secret,openid profile" in hall.page("sun", "/console/clients.csv").text
    )
    assert hall.api("zhao", "GET", "/clients?under=county-b")[1]["items"] == []
    renewed = hall.page("zhao", "/console/clients/mail/secret", {})
    assert re.search(r'id="secret">([^<]+)<', renewed.text)[1] != secret
    now = hall.clock.now()
    caller = hall.authz.sessions.open_of("zhang")[0] if hall.headers("zhang") else None
    with hall.store.act(SYSTEM, "test.sign-on", "client:mail") as act:
        act.session.add(
            GrantRow(
                id="g-1", client="mail", session=caller.id, person="zhang", post="clerk-a",
                certificate=caller.certificate, scope="openid", way="signature", proved=now, created=now,
                expires=caller.expires,
            )
        )  # fmt: skip
    assert "张喆" in hall.page("zhao", "/console/clients/mail").text
    (signed_on,) = hall.api("sun", "GET", "/clients/mail/sessions")[1]["items"]
    assert (signed_on["person"], signed_on["scopes"]) == ("zhang", ["openid"])
    for path in ("/clients", "/clients/mail", "/clients/mail/sessions"):
        refused(hall, "GET", path)
    for person in OTHERS:
        for path in ("/console/clients", "/console/clients.csv", "/console/clients/mail"):
            assert hall.page(person, path).status_code == 403
    assert hall.page("sun", "/console/clients/mail/end", {}).status_code == 403
    assert hall.page("zhao", "/console/clients/mail/end", {}).status_code == 303
    assert "已停用" in hall.page("sun", "/console/clients/mail").text
    assert hall.api("zhao", "GET", "/clients?in_use=true")[1]["items"] == []


def test_somebody_elses_sessions(hall):
    """Seen to fail when: `sessions_of` asks nobody; `end_of` ends whatever session it is told."""
    hall.headers("li")
    mine = hall.authz.sessions.open_of("li")[0].id
    for person in ("zhao", "sun"):
        assert [each["id"] for each in hall.api(person, "GET", "/people/li/sessions")[1]["items"]] == [mine]
        assert "李堃的登录" in hall.page(person, "/console/people/li/sessions").text
    assert "终止其全部登录" not in hall.page("sun", "/console/people/li/sessions").text
    assert mine in hall.page("zhao", "/console/people/li/sessions.csv").text
    refused(hall, "GET", "/people/li/sessions", people=(*OTHERS, "bo"))
    refused(hall, "DELETE", f"/people/li/sessions/{mine}", people=(*OTHERS, "sun", "bo"))
    others = hall.authz.sessions.open_of("zhang")[0].id
    status, problem = hall.api("zhao", "DELETE", f"/people/li/sessions/{others}")
    assert (status, problem["code"]) == (404, "authz.unknown_session")
    end = f"/console/people/li/sessions/{mine}/end"
    assert hall.page("sun", end, {}).status_code == 403
    assert hall.page("zhao", end, {}).status_code == 303
    assert hall.authz.sessions.open_of("li") == []
    assert hall.api("li", "GET", "/sessions/current")[0] == 401
    hall.forget("li")
    hall.headers("li")
    assert hall.page("zhao", "/console/people/li/sessions/end", {}).status_code == 303
    assert hall.authz.sessions.open_of("li") == []
    hall.forget("li")
    assert "查看其登录" in hall.page("zhao", "/console/people/li").text
    assert "查看其登录" not in hall.page("zhang", "/console/people/li").text


def test_a_delegation_on_its_pages(hall):
    """Seen to fail when: the act button shows for the delegator."""
    assert "张喆 · zhang" in hall.page("li", "/delegations/new?find=张").text
    form = {
        "delegate": "zhang",
        "valid_from": "2026-11-22T09:30",
        "valid_to": "2026-11-29T09:30",
        "reason": "出差",
    }
    wrong = hall.page("li", "/delegations/new", {**form, "valid_to": "tomorrow"})
    assert (wrong.status_code, "error-summary" in wrong.text) == (422, True)
    shown = hall.page("li", "/delegations/new", form)
    assert "2026-11-22 09:30" in shown.text
    statement = re.search(r'name="statement" value="([^"]+)"', shown.text)[1]
    identity = hall.office.identity("li", "leader-city")
    other = hall.office.identity("zhao", "officer")
    for signer, expected in ((other, 422), (identity, 303)):
        signature = b64encode(cms.sign_detached(signer, b64decode(statement), signed_at=None)).decode()
        sent = {"statement": statement, "signature": signature}
        answer = hall.page("li", "/delegations/new/signature", sent)
        assert answer.status_code == expected, answer.text
    assert "以此身份登录" not in hall.page("li", "/delegations").text
    page = hall.page("zhang", "/delegations").text
    act = re.search(r'action="([^"]+/session)"', page)[1]
    assert hall.page("bo", act, {}).status_code == 404
    acting = hall.page("zhang", act, {})
    assert acting.status_code == 303
    token = re.search(r"__Host-yinxin=([^;]+)", acting.headers["Set-Cookie"])[1]
    assert hall.authz.sessions.authenticate(token).actor.post == "leader-city"
    assert "clerk-a" not in hall.page("li", "/delegations.csv").text
    end = re.search(r'action="([^"]+/end)"', page)[1]
    assert hall.page("bo", end, {}).status_code == 403
    assert hall.page("li", end, {}).status_code == 303
    assert "已终止" in hall.page("zhang", "/delegations").text


def test_a_recorded_decision_is_taken_again(hall, monkeypatch):
    """Seen to fail when: a difference is raised instead of told."""
    entries = {}

    def entry_for(_log, actor, id_):
        if actor.id != "sun":
            hall.authz.decisions.require(actor, "authz.read-sessions", _platform())
        if id_ not in entries:
            raise EntryNotFound(event=id_)
        return SimpleNamespace(fields=lambda: entries[id_])

    monkeypatch.setattr("authz.replay.replay.entry_for", entry_for)
    hall.authz.replays.log = lambda: None
    refused(hall, "GET", "/policies/in-force", people=("zhang",))
    denied = hall.last()
    entries[denied["id"]] = denied
    status, told = hall.api("sun", "GET", f"/replays/{denied['id']}")
    assert (status, told["agrees"], told["allowed"], told["actor"]) == (200, True, False, "zhang")
    assert told["reason"]["en"] == "no policy permits it"
    page = hall.page("sun", f"/console/replay?entry={denied['id']}").text
    for words in ("重新判定与记录一致", "不允许", "张喆", "查看授权策略", "没有规则允许"):
        assert words in page
    entries[denied["id"]] = denied | {"decision": denied["decision"] | {"allowed": True}}
    assert hall.api("sun", "GET", f"/replays/{denied['id']}")[1]["differs"] == "allowed"
    assert "重新判定与记录不一致" in hall.page("sun", f"/console/replay?entry={denied['id']}").text
    entries["bare"] = {**denied, "decision": None}
    assert hall.api("sun", "GET", "/replays/bare")[1]["code"] == "authz.nothing_decided"
    assert hall.api("sun", "GET", "/replays/none")[0] == 404
    assert "记录号" in hall.page("sun", "/console/replay").text
    for person in ("zhao", "zhang"):
        assert hall.page(person, "/console/replay").status_code == 403
        assert hall.page(person, f"/console/replay?entry={denied['id']}").status_code == 403


def _platform():
    from yinxin.authz import PLATFORM, Resource

    return Resource("Session", "*", PLATFORM)
