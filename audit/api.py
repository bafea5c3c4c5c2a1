"""The log over HTTP: entries for auditors, proofs for whom they concern, checkpoints and tiles for everybody.

Tiles hold hashes only. An entry carries 80 random bits in its identifier, so its hash gives nothing away; the entries
themselves are served to auditors alone, and there are no public entry bundles.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any, Literal

from flask import Blueprint
from pydantic import Field

from audit import ask
from audit.entries import Entry, Filters
from audit.errors import (
    EntryNotFound,
    NothingSigned,
    TileNotFound,
)
from audit.export import TYPES, octets
from audit.index import IndexBehind
from audit.personal.opened import PersonalField
from audit.prove_api import add_proofs, published
from audit.service import Log
from audit.tree import TREES
from audit.words import Part, part_of_object, part_of_person, verb_of
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.crypto.suite import Suite
from yinxin.tables import Format
from yinxin.text import Text
from yinxin.tlog import MalformedProof, Tile
from yinxin.web import Api, Caller, Page, Paged, Raw, page_of
from yinxin.wire import Instant, Model, Words

_TEXT = "text/plain; charset=utf-8"


class PersonalOut(Model):
    """A personal field of an entry, to which the leaf commits."""

    name: str
    title: Words
    """What the field is called."""
    of: str | None
    """Whose it is: a person's stable identifier."""
    state: Literal["open", "erased", "missing", "altered"]
    """Whether its value is there; `missing` and `altered` are found by a check of the log as well."""
    value: str | None
    erasure: str | None
    """The proposal that decided its erasure."""


class EntryOut(Model):
    """An entry. `event` is the whole record; its canonical JSON (RFC 8785) is the leaf."""

    index: int
    id: str
    time: str
    verb: str
    subject: str
    actor: str
    outcome: str
    request: str | None
    words: Words
    """What the act is called."""
    event: dict[str, Any]
    personal: list[PersonalOut]
    """The values of its personal fields, each verified against the leaf."""


class TimelineOut(EntryOut):
    """An entry of a timeline."""

    part: Literal["acted", "subject", "named"]
    """What part the person or thing had in it: she acted, was acted on, or is named by the record."""


class FilterQuery(Model):
    """Which entries. Every given part must match exactly; times are from `since` until before `until`."""

    verb: str | None = Field(default=None, max_length=80)
    """The act, such as `ca.issue`; with a dot at its end a whole module."""
    subject: str | None = Field(default=None, max_length=300)
    """What was acted on."""
    actor: str | None = Field(default=None, max_length=200)
    """Who acted."""
    outcome: Literal["intent", "done", "refused", "failed"] | None = None
    request: str | None = Field(default=None, max_length=80)
    """The request that it was part of: everything recorded in one has the same."""
    since: Instant | None = None
    until: Instant | None = None
    post: str | None = Field(default=None, max_length=80)
    """In which post she acted."""
    organ: str | None = Field(default=None, max_length=80)
    """For which organ she acted."""
    under: str | None = Field(default=None, max_length=80)
    """As `organ`, for that organ or any below it."""
    person: str | None = Field(default=None, max_length=200)
    """Who acted or was acted on."""
    object: str | None = Field(default=None, max_length=300)
    """What was acted on or is named by the record."""
    kind: str | None = Field(default=None, max_length=40)
    """The kind of what was acted on, such as `certificate`."""
    error: str | None = Field(default=None, max_length=80)
    """The code of the refusal."""

    @property
    def filters(self) -> Filters:
        """The parts that entries are matched with."""
        names = [each.name for each in fields(Filters)]
        return Filters(**{name: getattr(self, name) for name in names})


class EntryQuery(FilterQuery, Paged):
    """Which entries, newest first, and which page of them."""


class ExportQuery(FilterQuery):
    """Which entries, and how they are written."""

    format: Format = "csv"
    """CSV (RFC 4180, with a byte order mark; cells that would begin a formula are marked as text), or the leaves as JSON Lines."""


class TimelineQuery(Paged):
    """Which part of a timeline, newest first."""

    since: Instant | None = None
    until: Instant | None = None


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The operations on `log`, and the static face of each of its trees."""
    return tuple(api.blueprint for api in (_questions(log), *(_tree(log, each) for each in TREES)))


def _questions(log: Log) -> Api:
    api = Api("audit", "/api/audit/v1", Text("审计", "Audit"))

    @api.get("/entries", summary=Text("查阅审计记录", "Read audit entries"), problems=(Denied, IndexBehind))
    def entries(query: EntryQuery, caller: Caller) -> Page[EntryOut]:
        before = query.begin(int)
        found = ask.entries_for(log, caller.actor, query.filters, before=before, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.index, show=partial(shown, log))

    @api.get(
        "/entry-export", summary=Text("导出审计记录", "Entries as a file"), problems=(Denied, IndexBehind)
    )
    def export(query: ExportQuery, caller: Caller) -> Raw:
        found = ask.every_for(log, caller.actor, query.filters)
        headers = {"Content-Disposition": f'attachment; filename="entries.{query.format}"'}
        return Raw(octets(found, query.format), TYPES[query.format], headers)

    @api.get(
        "/people/<id>/timeline",
        summary=Text("某人的全部操作与涉及其本人的操作", "Everything a person did and that was done to her"),
        problems=(Denied, IndexBehind),
    )
    def person_timeline(id: str, query: TimelineQuery, caller: Caller) -> Page[TimelineOut]:  # noqa: A002 - the parameter's name in the address
        return _timeline(Filters(person=id), query, caller, lambda entry: part_of_person(entry, id))

    @api.get(
        "/objects/<path:id>/timeline",
        summary=Text("对某一对象办理的和涉及它的全部操作", "Everything done to a thing and that names it"),
        problems=(Denied, IndexBehind),
    )
    def object_timeline(id: str, query: TimelineQuery, caller: Caller) -> Page[TimelineOut]:  # noqa: A002 - the parameter's name in the address
        return _timeline(Filters(object=id), query, caller, lambda entry: part_of_object(entry, id))

    def _timeline(
        filters: Filters, query: TimelineQuery, caller: Caller, part: Callable[[Entry], Part]
    ) -> Page[TimelineOut]:
        wanted = filters.within(query.since, query.until)
        found = ask.entries_for(log, caller.actor, wanted, before=query.begin(int), limit=query.limit + 1)

        def show(entry: Entry) -> TimelineOut:
            return TimelineOut(**shown(log, entry).model_dump(), part=part(entry).value)

        return page_of(found, query.limit, key=lambda each: each.index, show=show)

    @api.get(
        "/entries/<id>",
        summary=Text("查阅一条审计记录", "Read one audit entry"),
        problems=(Denied, EntryNotFound),
    )
    def entry(id: str, caller: Caller) -> EntryOut:  # noqa: A002 - the parameter's name in the address
        return shown(log, ask.entry_for(log, caller.actor, id))

    add_proofs(api, log)
    return api


def _tree(log: Log, tree: Suite) -> Api:
    """C2SP tlog-tiles without entry bundles, at `/log` for the first tree and `/log/<hash>` for the others."""
    first = tree is TREES[0]
    api = Api(
        "log" if first else f"log_{tree.hash.name}",
        "/log" if first else f"/log/{tree.hash.name}",
        Text(f"日志分块（{tree.hash.name}）", f"Log tiles ({tree.hash.name})"),
    )

    @api.get(
        "/checkpoint",
        summary=Text("最新检查点", "The newest signed checkpoint"),
        problems=(NothingSigned,),
        public=True,
    )
    def checkpoint() -> Raw:
        return published(log, tree)

    @api.get(
        "/tile/<path:address>",
        summary=Text("哈希分块", "A tile of hashes"),
        problems=(TileNotFound,),
        public=True,
    )
    def tile(address: str) -> Raw:
        try:
            wanted = Tile.parse(address)
        except MalformedProof:
            raise TileNotFound(tile=address[:40]) from None
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Raw(log.tile(wanted, tree), "application/octet-stream", headers)

    return api


def shown(log: Log, entry: Entry) -> EntryOut:
    """An entry on the wire."""
    return EntryOut(
        index=entry.index,
        id=entry.event,
        time=rfc3339(entry.time),
        verb=entry.verb,
        subject=entry.subject,
        actor=entry.actor,
        outcome=entry.outcome,
        request=entry.request,
        words=Words.of(verb_of(log.around, entry.verb)),
        event=entry.fields(),
        personal=[personal_out(each) for each in entry.personal()],
    )


def personal_out(field: PersonalField) -> PersonalOut:
    """A personal field on the wire."""
    return PersonalOut(
        name=field.name,
        title=Words.of(field.title),
        of=field.of,
        state=field.state.value,
        value=None if field.opening is None else field.opening.value,
        erasure=field.erasure,
    )
