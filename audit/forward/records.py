"""What of an entry goes to a receiver.

Every index goes to every receiver, so that a gap shows; what differs is how much is said of it.
"""

from typing import Any

from audit.checkpoint import Signed, note_of
from audit.forward.settings import ReceiverSettings
from audit.models import EntryRow
from audit.tree import TREES
from yinxin.clock import rfc3339

HASH, HEADER, WHOLE = "hash", "header", "whole"


def entry_record(row: EntryRow, settings: ReceiverSettings, site: str) -> dict[str, Any]:
    """One entry, as much of it as the receiver is to know; `record` is the leaf's own bytes as text."""
    record: dict[str, Any] = {"kind": "entry", "site": site, "index": row.index}
    record |= {f"leaf_{suite.hash.name}": getattr(row, f"leaf_{suite.hash.name}").hex() for suite in TREES}
    shown = not settings.modules or row.verb.partition(".")[0] in settings.modules
    if shown and settings.content in (HEADER, WHOLE):
        record |= {"id": row.event, "time": rfc3339(row.time), "verb": row.verb, "outcome": row.outcome}
    if shown and settings.content == WHOLE and row.data:  # what stands in an archive was sent before it left
        record["record"] = row.data.decode()
    return record


def checkpoint_record(row: Signed, site: str) -> dict[str, Any]:
    """A signed checkpoint: with it the holder of all copies can recompute and judge the log."""
    notes = {suite.hash.name: note_of(row, suite).encode().decode() for suite in TREES}
    return {"kind": "checkpoint", "site": site, "size": row.size, **notes}
