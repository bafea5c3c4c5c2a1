"""Saved questions over HTTP."""

from typing import Any

from flask import Blueprint
from pydantic import Field

from audit import ask
from audit.api import EntryOut, FilterQuery, shown
from audit.index import IndexBehind
from audit.question.errors import QuestionEmpty, QuestionNameTaken, QuestionNotFound
from audit.question.questions import (
    Question,
    delete_for,
    keep_for,
    question_for,
    questions_for,
    share_for,
)
from audit.service import Log
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model


class QuestionIn(Model):
    """A question to be kept."""

    name: str = Field(min_length=1, max_length=100)
    filters: FilterQuery = FilterQuery()
    days: int | None = Field(default=None, ge=1, le=3660)
    """Of the last so many days, counted whenever it is asked."""
    shared: bool = False
    """Whether the other auditors may ask it."""


class Sharing(Model):
    """Whether the other auditors may ask it."""

    shared: bool


class QuestionOut(Model):
    """A saved question."""

    id: str
    name: str
    owner: str
    shared: bool
    filters: dict[str, Any]
    days: int | None
    created: str


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The operations."""
    api = Api("audit-questions", "/api/audit/v1", Text("审计查询", "Saved questions to the log"))

    @api.get("/questions", summary=Text("列出已保存的查询", "List saved questions"), problems=(Denied,))
    def questions(query: Paged, caller: Caller) -> Page[QuestionOut]:
        after = query.begin(str) or ""
        found = questions_for(log, caller.actor, after=after, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.id, show=_out)

    @api.post(
        "/questions",
        summary=Text("保存查询", "Keep a question"),
        status=201,
        problems=(Denied, QuestionEmpty, QuestionNameTaken),
    )
    def keep(body: QuestionIn, caller: Caller) -> QuestionOut:
        kept = keep_for(
            log, caller.actor, body.name, body.filters.filters, days=body.days, shared=body.shared
        )
        return _out(kept)

    @api.get(
        "/questions/<id>/answer",
        summary=Text("执行已保存的查询", "Ask a saved question"),
        problems=(Denied, QuestionNotFound, IndexBehind),
    )
    def answer(id: str, query: Paged, caller: Caller) -> Page[EntryOut]:  # noqa: A002 - the parameter's name in the address
        wanted = question_for(log, caller.actor, id).at(log.store.clock.now())
        before = query.begin(int)
        found = ask.entries_for(log, caller.actor, wanted, before=before, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.index, show=lambda each: shown(log, each))

    @api.put(
        "/questions/<id>/sharing",
        summary=Text("共享或不再共享查询", "Share a question, or no longer"),
        problems=(Denied, QuestionNotFound),
    )
    def share(id: str, body: Sharing, caller: Caller) -> QuestionOut:  # noqa: A002 - the parameter's name in the address
        return _out(share_for(log, caller.actor, id, shared=body.shared))

    @api.delete(
        "/questions/<id>",
        summary=Text("删除查询", "Delete a question"),
        problems=(Denied, QuestionNotFound),
    )
    def delete(id: str, caller: Caller) -> None:  # noqa: A002 - the parameter's name in the address
        delete_for(log, caller.actor, id)

    return (api.blueprint,)


def _out(question: Question) -> QuestionOut:
    return QuestionOut(
        id=question.id,
        name=question.name,
        owner=question.owner,
        shared=question.shared,
        filters=question.filters.fields(),
        days=question.days,
        created=rfc3339(question.created),
    )
