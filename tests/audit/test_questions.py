"""Asking over HTTP: filters, timelines, files, saved questions; and who may."""

import csv
import io
import json
from datetime import timedelta

import pytest

from audit import EntryNotFound
from audit.api import routes
from audit.entries import Filters
from audit.question import (
    QuestionNotFound,
    delete_for,
    keep_for,
    question_for,
    questions_for,
    share_for,
)
from audit.question.api import routes as question_routes
from tests.support.databases import create_tables
from yinxin.act import Actor, Kind
from yinxin.authz import Denied
from yinxin.crypto.suite import INTL
from yinxin.tlog import leaf_hash
from yinxin.web import WebSettings, create_app

from .people import POSTS, Deciding, People, actor

ORIGIN = "https://trust.example.gov.cn"
pytestmark = pytest.mark.engines("any")


class Everybody(Deciding):
    """A second auditor besides the people of the other tests."""

    def check(self, asking, action, resource, context=None):
        known = actor("auditor") if asking.id == "auditor-two" else asking
        return super().check(known, action, resource, context)


@pytest.fixture
def decided(site):
    create_tables(site.engine)
    site.log.decider = Everybody(site.store)
    with site.store.act(actor("clerk"), "document.seal", "document:7", text="=cmd|' /C calc'!A0"):
        pass
    with site.store.act(actor("officer"), "authz.appoint", "person:clerk", organ="o-office"):
        pass
    with site.store.act(actor("outsider"), "document.receive", "=HYPERLINK(1)"):
        pass
    site.log.sequence()
    return site


@pytest.fixture
def http(decided, clock):
    app = create_app(
        authenticator=People(), store=decided.store, clock=clock, settings=WebSettings(public_url=ORIGIN)
    )
    for blueprint in (*routes(decided.log), *question_routes(decided.log)):
        app.register_blueprint(blueprint)
    client = app.test_client()

    def call(path, who="auditor", method="GET", key=None, **body):
        headers = {"Authorization": f"Bearer {who}"} | ({"Idempotency-Key": key} if key else {})
        more = {"json": body} if method in ("POST", "PUT") else {}
        return client.open(f"/api/audit/v1{path}", method=method, headers=headers, base_url=ORIGIN, **more)

    return call


SECOND = Actor(Kind.PERSON, "auditor-two", post="post-auditor", organ="o-audit")


def test_timelines_tell_the_part_and_are_themselves_recorded(decided, http):
    story = http("/people/clerk/timeline").json["items"]
    assert [(each["verb"], each["part"]) for each in story] == [
        ("authz.appoint", "subject"),
        ("document.seal", "acted"),
    ]
    assert story[0]["words"] == {
        "zh": "authz.appoint",
        "en": "authz.appoint",
    }  # nobody above tells the words here
    dossier = http("/objects/organ:o-office/timeline").json["items"]
    assert [(each["verb"], each["part"]) for each in dossier] == [("authz.appoint", "named")]
    assert http("/people/clerk/timeline?until=2020-01-01T00:00:00Z").json["items"] == []
    assert http("/people/clerk/timeline", "officer").status_code == 403
    decided.log.sequence()
    asked = [
        entry.fields()["facts"] for entry in decided.log.entries(Filters(verb="audit.read", outcome="done"))
    ]
    assert {"filters": {"object": "organ:o-office"}, "count": 1} in asked


def test_a_page_follows_the_other(http):
    first = http("/entries?limit=2").json
    second = http(f"/entries?limit=2&after={first['next']}").json
    # what was asked in between is newer than the first page's end, and moves nothing
    assert [each["index"] for each in first["items"] + second["items"]] == [2, 1, 0]
    assert http("/entries?since=yesterday").status_code == 422
    assert http("/entries?outcome=perhaps").status_code == 422


def test_files_are_safe_to_open_and_lines_are_leaves(decided, http):
    answer = http("/entry-export?format=csv&verb=document.")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["subject"] for row in rows] == ["'=HYPERLINK(1)", "document:7"]
    lines = http("/entry-export?format=jsonl&verb=document.").data.splitlines()
    leaves = [leaf_hash(INTL.hash, each).hex() for each in lines]
    assert leaves == [row["leaf_sha256"] for row in rows]
    assert json.loads(lines[1])["facts"]["text"].startswith("=cmd")
    assert http("/entry-export", "clerk").status_code == 403


def test_questions_are_kept_shared_and_asked_again(decided, http):
    body = {"name": "office", "filters": {"organ": "o-office"}, "days": 7}
    kept = http("/questions", method="POST", key="k1", **body)
    assert (kept.status_code, kept.json["filters"], kept.json["shared"]) == (
        201,
        {"organ": "o-office"},
        False,
    )
    name = kept.json["id"]
    assert http("/questions", method="POST", key="k2", **body).json["code"] == "audit.question_name_taken"
    empty = http("/questions", method="POST", key="k3", name="all")
    assert (empty.status_code, empty.json["code"]) == (422, "audit.question_empty")
    assert [each["verb"] for each in http(f"/questions/{name}/answer").json["items"]] == ["document.seal"]
    # another auditor knows nothing of it until it is shared, and changes nothing of it ever
    assert questions_for(decided.log, SECOND) == ()
    with pytest.raises(QuestionNotFound):
        question_for(decided.log, SECOND, name)
    assert http(f"/questions/{name}/sharing", method="PUT", shared=True).json["shared"] is True
    assert [each.id for each in questions_for(decided.log, SECOND)] == [name]
    for change in (
        lambda: delete_for(decided.log, SECOND, name),
        lambda: share_for(decided.log, SECOND, name, shared=False),
    ):
        with pytest.raises(QuestionNotFound):
            change()
    assert http(f"/questions/{name}", method="DELETE").status_code == 204
    assert http(f"/questions/{name}/answer").status_code == 404
    decided.log.sequence()
    about = [(each.verb, each.outcome) for each in decided.log.entries(Filters(subject=f"question:{name}"))]
    assert about == [
        ("audit.read", "refused"),
        ("audit.delete-question", "done"),
        ("audit.share-question", "refused"),
        ("audit.delete-question", "refused"),
        ("audit.share-question", "done"),
        ("audit.read", "refused"),
        ("audit.keep-question", "done"),
    ]


def test_what_counts_back_counts_from_now(decided, clock):
    kept = keep_for(decided.log, actor("auditor"), "of late", Filters(organ="o-office"), days=1)
    clock.advance(timedelta(days=2))
    wanted = question_for(decided.log, actor("auditor"), kept.id).at(clock.now())
    assert decided.log.entries(wanted) == ()
    with decided.store.act(actor("clerk"), "document.seal", "document:8"):
        pass
    decided.log.sequence()
    assert [entry.subject for entry in decided.log.entries(wanted)] == ["document:8"]


def test_nobody_else_asks(decided):
    for asking in map(actor, sorted(set(POSTS) - {"auditor"})):
        for question in (
            lambda asking: questions_for(decided.log, asking),
            lambda asking: question_for(decided.log, asking, "x"),
            lambda asking: keep_for(decided.log, asking, "x", Filters(actor="clerk")),
            lambda asking: share_for(decided.log, asking, "x", shared=True),
            lambda asking: delete_for(decided.log, asking, "x"),
        ):
            with pytest.raises(Denied):
                question(asking)


def test_no_entry_no_answer(decided):
    with pytest.raises(EntryNotFound):
        decided.log.entry("nothing")
