"""The log over HTTP: entries for auditors, proofs for whom they concern, checkpoints and tiles for everybody.

Tiles hold hashes only. An entry carries 80 random bits in its identifier, so its hash gives nothing away; the entries
themselves are served to auditors alone, and there are no public entry bundles.
"""

from typing import Any, Literal

from flask import Blueprint
from pydantic import Field

from audit import ask
from audit.entries import Entry, Filters
from audit.errors import EntryNotFound, LogUnavailable, NothingSigned, TileNotFound
from audit.service import Log
from audit.tree import TREES
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.crypto.suite import Suite, suite
from yinxin.text import Text
from yinxin.tlog import MalformedProof, Tile
from yinxin.web import Api, Caller, Page, Paged, Raw, page_of
from yinxin.wire import Instant, Model

_TEXT = "text/plain; charset=utf-8"


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
    event: dict[str, Any]


class EntryQuery(Paged):
    """Which entries, newest first. Every given part must match; a `verb` that ends in a dot is a whole module."""

    verb: str | None = Field(default=None, max_length=80)
    subject: str | None = Field(default=None, max_length=300)
    actor: str | None = Field(default=None, max_length=200)
    outcome: str | None = Field(default=None, max_length=20)
    request: str | None = Field(default=None, max_length=80)
    since: Instant | None = None
    until: Instant | None = None

    def filters(self) -> Filters:
        """The parts that entries are matched with."""
        return Filters(
            self.verb, self.subject, self.actor, self.outcome, self.request, self.since, self.until
        )


class TreeQuery(Model):
    """Which of the log's trees."""

    suite: Literal["intl", "sm"] = "intl"


def routes(log: Log) -> tuple[Blueprint, ...]:
    """The operations on `log`, and the static face of each of its trees."""
    return tuple(api.blueprint for api in (_questions(log), *(_tree(log, each) for each in TREES)))


def _questions(log: Log) -> Api:
    api = Api("audit", "/api/audit/v1", Text("审计", "Audit"))

    @api.get("/entries", summary=Text("查阅审计记录", "Read audit entries"), problems=(Denied,))
    def entries(query: EntryQuery, caller: Caller) -> Page[EntryOut]:
        before = query.begin(int)
        found = ask.entries_for(log, caller.actor, query.filters(), before=before, limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.index, show=_out)

    @api.get(
        "/entries/<id>",
        summary=Text("查阅一条审计记录", "Read one audit entry"),
        problems=(Denied, EntryNotFound),
    )
    def entry(id: str, caller: Caller) -> EntryOut:  # noqa: A002 - the parameter's name in the address
        return _out(ask.entry_for(log, caller.actor, id))

    @api.get(
        "/entries/<id>/proof",
        summary=Text("导出一条记录的证明", "Export the proof of one entry"),
        problems=(Denied, EntryNotFound, LogUnavailable),
    )
    def proof(id: str, query: TreeQuery, caller: Caller) -> Raw:  # noqa: A002 - the parameter's name in the address
        data = ask.export_for(log, caller.actor, id, suite(query.suite)).encode()
        return Raw(data, _TEXT, {"Content-Disposition": 'attachment; filename="entry.tlog-proof"'})

    @api.get(
        "/checkpoint",
        summary=Text("最新检查点", "The newest signed checkpoint"),
        problems=(NothingSigned,),
        public=True,
    )
    def checkpoint(query: TreeQuery) -> Raw:
        return _checkpoint(log, suite(query.suite))

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
        return _checkpoint(log, tree)

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


def _checkpoint(log: Log, tree: Suite) -> Raw:
    return Raw(log.signed(tree).encode(), _TEXT, {"Cache-Control": "no-cache"})


def _out(entry: Entry) -> EntryOut:
    return EntryOut(
        index=entry.index,
        id=entry.event,
        time=rfc3339(entry.time),
        verb=entry.verb,
        subject=entry.subject,
        actor=entry.actor,
        outcome=entry.outcome,
        request=entry.request,
        event=entry.fields(),
    )
