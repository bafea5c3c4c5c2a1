"""Errors on the wire: RFC 9457, in the reader's language, with nothing of the inside in them."""

import importlib
import logging
import pkgutil
import re
import sqlite3
from string import Formatter
from typing import get_args

import pytest
from pydantic_core import core_schema
from sqlalchemy.exc import OperationalError

import yinxin
from yinxin.errors import registered
from yinxin.faults import SENTENCES, sentence
from yinxin.store import StoreFull, StoreUnavailable
from yinxin.web import problem_of

from .test_idempotency import write

pytestmark = pytest.mark.engines("any")


def test_a_problem_document(world):
    answer = world.client().get("/api/notes/v1/notes/7", headers={"Accept-Language": "en-GB,zh;q=0.5"})
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Content-Language"] == "en"
    assert answer.json == {
        "type": "urn:yinxin:error:test.no_such_note",
        "title": "Not found",
        "status": 404,
        "detail": "There is no note 7; check the number.",
        "code": "test.no_such_note",
        "facts": {"id": 7},
        "request": answer.headers["Request-Id"],
        "retryable": False,
    }


@pytest.mark.parametrize(
    ("query", "cookie", "header", "expected"),
    [
        ("", None, None, "zh"),
        ("", None, "fr", "zh"),
        ("", None, "en", "en"),
        ("", None, "fr, en-US;q=0.7, zh;q=0.3", "en"),
        ("", None, "zh-Hans-CN, en;q=0.9", "zh"),
        ("", None, "en;q=0, zh;q=0.1", "zh"),
        ("", "en", "zh", "en"),
        ("?lang=zh", "en", "en", "zh"),
        ("?lang=klingon", "en", "zh", "en"),
    ],
)
def test_whose_language(world, query, cookie, header, expected):
    client = world.client()
    if cookie:
        client.set_cookie("yinxin-language", cookie, domain="trust.example.gov.cn")
    answer = client.get(
        f"/api/notes/v1/notes/7{query}", headers={"Accept-Language": header} if header else {}
    )
    assert answer.json["title"] == {"zh": "没有找到", "en": "Not found"}[expected]
    assert "Accept-Language" in answer.headers["Vary"]


def test_retryable_says_when(world):
    answer = world.client().get("/api/notes/v1/offline")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json["retryable"]) == (503, "5", True)


def test_the_unexpected_stays_inside(world, caplog):
    with caplog.at_level(logging.ERROR, "yinxin.web"):
        answer = world.client().get("/api/notes/v1/bug")
    assert answer.status_code == 500
    assert answer.json["code"] == "internal"
    assert "secret-detail" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert "secret-detail" in caplog.text
    assert answer.json["facts"]["request"] in caplog.text


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ("database is locked", 503, StoreUnavailable.code),
        ("database or disk is full", 507, StoreFull.code),
    ],
)
def test_trouble_of_the_database_is_tried_again(world, said, status, code):
    """Met past the store's transactions. Seen to fail (500, right after a crash) while only these told it."""

    def unready():
        raise OperationalError("BEGIN", None, sqlite3.OperationalError(said))

    world.before_answer = unready
    answer = write(world.client())
    assert (answer.status_code, answer.headers["Retry-After"], answer.json["code"]) == (status, "5", code)


def test_the_http_layer_joins_the_tree(world):
    answer = world.client().post("/api/notes/v1/notes/7")
    assert (answer.status_code, answer.json["code"]) == (405, "request.method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "DELETE"}
    answer = world.client().get("/api/nowhere")
    assert (answer.status_code, answer.json["facts"]["path"]) == (404, "/api/nowhere")


def test_a_refused_act_of_a_signed_in_caller_is_recorded(world):
    answer = world.client().post("/api/notes/v1/notes", json={}, headers={"Idempotency-Key": "k"})
    (event,) = world.events()
    assert (event["verb"], event["outcome"], event["error"]) == ("web.request", "refused", "request.invalid")
    assert event["actor"]["id"] == "p1"
    assert answer.json["entry"] == event["id"] == answer.headers["Audit-Entry"]


def test_a_strangers_noise_is_not(world):
    world.client(None).post("/api/notes/v1/notes", json={})
    assert world.events() == []


def test_browsers_get_a_page(world):
    answer = world.client().get("/nowhere", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "没有 /nowhere 这个地址" in answer.text
    assert answer.headers["Request-Id"] in answer.text


def import_kit() -> None:
    for module in pkgutil.walk_packages(yinxin.__path__, "yinxin."):
        importlib.import_module(module.name)


class Anything:
    """A fact of whatever shape a sentence wants."""

    def __getitem__(self, _key):
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __int__(self):
        return 400

    def __format__(self, _form):
        return "3"

    def __str__(self):
        return "3"


def test_every_error_class_renders_in_both_languages():
    import_kit()
    assert len(registered()) > 20
    for code, kind in registered().items():
        if not kind.__module__.startswith("yinxin."):
            continue  # another test's, or an application's, whose English may quote the Chinese it speaks of
        names = {re.split(r"[.\[]", name)[0] for _, name, _, _ in Formatter().parse(kind.zh) if name}
        error = kind(**{name: Anything() for name in names})
        zh, en = (problem_of(error, language, "r1") for language in ("zh", "en"))
        assert has_chinese(zh["detail"]), code
        assert has_chinese(zh["title"]), code
        assert not has_chinese(re.sub(r"[“”]", "", en["detail"] + en["title"])), code


def has_chinese(text):
    return any("一" <= character <= "鿿" for character in text)


def test_every_fault_pydantic_knows_has_a_chinese_sentence():
    assert set(get_args(core_schema.ErrorType)) == set(SENTENCES)
    for code in SENTENCES:
        text = sentence({"type": code, "msg": "English", "ctx": {}})
        assert text.zh
        assert text.en == "English"
