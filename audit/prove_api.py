"""What the log proves, over HTTP: one entry, every entry of a time, the newest checkpoint, and who must have cosigned it."""

from typing import Literal

from pydantic import Field

from audit import ask
from audit.errors import (
    ActorUnknown,
    EntryNotFound,
    KindUnknown,
    LogUnavailable,
    NoCheckpointThen,
    NoStamp,
    NothingSigned,
    StretchTooLong,
    TimeReversed,
    VerbUnknown,
)
from audit.renewal.errors import NoRecord
from audit.renewal.ledger import CHECKPOINT, checkpoint_name
from audit.renewal.now import record_now
from audit.service import Log
from audit.stretch import prove_for
from audit.witness.errors import NoQuorum
from yinxin.authz import Denied
from yinxin.crypto.suite import Suite, suite
from yinxin.evidence import Question, QuestionUnclear
from yinxin.text import Text
from yinxin.web import Api, Caller, Raw
from yinxin.wire import Instant, Model

_TEXT = "text/plain; charset=utf-8"


class TreeQuery(Model):
    """Which of the log's trees."""

    suite: Literal["intl", "sm"] = "intl"


class StretchQuery(TreeQuery):
    """A time, and what is asked of the entries in it; every given part must match."""

    since: Instant
    until: Instant
    subject: str | None = Field(default=None, max_length=300)
    verb: str | None = Field(default=None, max_length=80)
    actor: str | None = Field(default=None, max_length=200)
    outcome: Literal["intent", "done", "refused", "failed"] | None = None
    none: bool = False
    anybody: bool = False
    """The actor is meant though nobody knows it: known by a certificate alone, or erased since."""

    def question(self) -> Question:
        """The question that goes into the file."""
        verbs = (self.verb,) if self.verb else ()
        return Question(self.since, self.until, self.subject, verbs, self.actor, self.outcome, self.none)


def add_proofs(api: Api, log: Log) -> None:
    """The operations that prove, beside those that ask."""

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
        return published(log, suite(query.suite))

    @api.get(
        "/stretch",
        summary=Text("证明一段时间内的全部记录", "Prove what was done, and what was not, in a time"),
        problems=(
            Denied,
            NoCheckpointThen,
            StretchTooLong,
            TimeReversed,
            QuestionUnclear,
            VerbUnknown,
            KindUnknown,
            ActorUnknown,
        ),
    )
    def stretch(query: StretchQuery, caller: Caller) -> Raw:
        made = prove_for(log, caller.actor, query.question(), suite(query.suite), anybody=query.anybody)
        headers = {"Content-Disposition": 'attachment; filename="log.stretch"'}
        return Raw(made.encode(), "application/json", headers)

    @api.get(
        "/checkpoints/<int:size>/timestamp",
        summary=Text("检查点的时间戳", "The timestamp over a checkpoint"),
        problems=(NoStamp,),
        public=True,
    )
    def timestamp(size: int, query: TreeQuery) -> Raw:
        token = log.stamp_on(size, suite(query.suite))
        if token is None:
            raise NoStamp(size=size)
        return Raw(
            token, "application/timestamp-token", {"Cache-Control": "public, max-age=31536000, immutable"}
        )

    @api.get(
        "/checkpoints/<int:size>/record",
        summary=Text("检查点的证据记录", "The evidence record of a checkpoint"),
        problems=(NoRecord,),
        public=True,
    )
    def record(size: int, query: TreeQuery) -> Raw:
        name = checkpoint_name(suite(query.suite).hash.name, size)
        found = record_now(log, CHECKPOINT, name)
        return Raw(found.encode(), "application/octet-stream", {"Cache-Control": "no-cache"})

    @api.get(
        "/policy",
        summary=Text("见证规则", "The policy of witnesses in force"),
        problems=(NoQuorum,),
        public=True,
    )
    def policy(query: TreeQuery) -> Raw:
        return Raw(log.witnesses.policy_file(suite(query.suite)), _TEXT, {"Cache-Control": "no-cache"})


def published(log: Log, tree: Suite) -> Raw:
    """The checkpoint that the world is told."""
    return Raw(log.published(tree).encode(), _TEXT, {"Cache-Control": "no-cache"})
