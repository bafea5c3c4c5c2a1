"""Extracts over HTTP, and what was erased on what ground."""

from flask import Blueprint
from pydantic import Field

from audit.api import FilterQuery
from audit.archive.errors import EntrySealed
from audit.errors import EntryNotFound, LogUnavailable, OpeningBroken
from audit.index import IndexBehind
from audit.personal.erasures import Erasure, erasures_for
from audit.personal.errors import ExtractTooLarge, NothingToExtract, UnknownPersonalField
from audit.personal.extract import extract_for
from audit.personal.holds import HoldOrder, holds_for
from audit.personal.proposals import GROUNDS
from audit.prove_api import TreeQuery
from audit.question.errors import QuestionNotFound
from audit.service import Log
from yinxin.authz import Denied
from yinxin.crypto.suite import suite
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, Raw, page_of
from yinxin.wire import Model, Words


class ErasureOut(Model):
    """An erasure of personal data."""

    proposal: str
    """The proposal that decided it."""
    at: str
    person: str | None
    ground: str
    """The case of 个人信息保护法 art. 47."""
    words: Words
    """What the case is called."""
    basis: str
    fields: int
    entries: int
    archived: int
    """Of those entries, how many stand in archives; archives hold commitments only."""
    archives: list[str]
    digest: str
    """SHA-256 of the list of fields, as the entry of the erasure has it."""


class HoldOut(Model):
    """An order to keep personal data, or that it is kept no longer."""

    proposal: str
    """The proposal that decided it."""
    person: str | None
    """Whose data; null for everybody's."""
    held: bool
    """Whether it is to be kept; false ends an earlier order."""
    basis: str
    since: str
    standing: bool
    """Whether data is kept by this very order now."""


class HoldsQuery(Paged):
    """Which orders."""

    standing: bool = False
    """Only those by which data is kept now."""


class ExtractQuery(FilterQuery, TreeQuery):
    """Which entries: one by its identifier, or all that match; and which personal fields are not opened."""

    entry: str | None = Field(default=None, max_length=40)
    """One entry's identifier; the other parts do not count then."""
    question: str | None = Field(default=None, max_length=40)
    """A saved question; of the other parts only `since` and `until` count then."""
    withhold: list[str] = Field(default_factory=list, max_length=20)
    """Names of personal fields that are not opened."""


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The operations."""
    api = Api("audit-personal", "/api/audit/v1", Text("个人信息", "Personal data in the log"))

    @api.get(
        "/extract",
        summary=Text("导出审计摘录", "Export an extract, with personal fields opened or withheld"),
        problems=(
            *(Denied, EntryNotFound, EntrySealed, UnknownPersonalField, NothingToExtract, ExtractTooLarge),
            *(OpeningBroken, QuestionNotFound, IndexBehind, LogUnavailable),
        ),
    )
    def extract(query: ExtractQuery, caller: Caller) -> Raw:
        made = extract_for(
            log,
            caller.actor,
            query.entry or query.filters,
            query.withhold,
            question=query.question,
            suite=suite(query.suite),
        )
        headers = {"Content-Disposition": 'attachment; filename="log.extract"'}
        return Raw(made.encode(), "application/json", headers)

    @api.get(
        "/erasures", summary=Text("列出个人信息的删除", "List erasures of personal data"), problems=(Denied,)
    )
    def erasures(query: Paged, caller: Caller) -> Page[ErasureOut]:
        found = erasures_for(log, caller.actor, before=query.begin(str), limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.proposal, show=_out)

    @api.get(
        "/holds", summary=Text("列出个人信息的保全", "List orders to keep personal data"), problems=(Denied,)
    )
    def holds(query: HoldsQuery, caller: Caller) -> Page[HoldOut]:
        found = holds_for(
            log, caller.actor, standing=query.standing, before=query.begin(str), limit=query.limit + 1
        )
        return page_of(found, query.limit, key=lambda each: each.proposal, show=_hold_out)

    return (api.blueprint,)


def _hold_out(order: HoldOrder) -> HoldOut:
    return HoldOut(**order.told())


def _out(erasure: Erasure) -> ErasureOut:
    return ErasureOut(**erasure.told(), words=Words.of(GROUNDS[erasure.ground]))
