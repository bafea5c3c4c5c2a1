"""Entries as a file: CSV for spreadsheets, or JSON Lines that are the leaves themselves, each provable as it stands."""

from collections.abc import Iterable, Iterator, Mapping

from audit.entries import Entry
from audit.index.terms import requests_of
from yinxin import canonical
from yinxin.clock import rfc3339
from yinxin.crypto.suite import INTL
from yinxin.tables import Format, lines
from yinxin.tlog import leaf_hash

TYPES: Mapping[Format, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
COLUMNS = (
    "index",
    "id",
    "time",
    "verb",
    "outcome",
    "error",
    "actor_kind",
    "actor",
    "post",
    "organ",
    "via",
    "certificate",
    "subject",
    "request",
    "policies",
    "leaf_sha256",
    "personal",
)


def octets(entries: Iterable[Entry], kind: Format) -> Iterator[bytes]:
    """The file, a line at a time as entries are read.

    A line of JSON Lines is the octets that were hashed: its SHA-256 after a zero octet is the leaf of the log (RFC 9162
    2.1.1), with commitments to personal fields. CSV has their values, or in words why not, and begins with a byte order mark, for spreadsheets would take it for another encoding.
    """
    if kind == "jsonl":
        for entry in entries:
            yield (entry.data or canonical.encode(entry.fields())) + b"\n"
        return
    yield b"\xef\xbb\xbf"
    for line in lines(map(row_of, entries), COLUMNS, "csv"):
        yield line.encode()


def row_of(entry: Entry) -> dict[str, str | int | None]:
    """An entry as a row of the table."""
    event = entry.fields()
    actor = event["actor"]
    return {
        "index": entry.index,
        "id": entry.event,
        "time": rfc3339(entry.time),
        "verb": event["verb"],
        "outcome": event["outcome"],
        "error": event.get("error"),
        "actor_kind": actor["kind"],
        "actor": actor["id"],
        **{name: actor.get(name) for name in ("post", "organ", "via", "certificate")},
        "subject": event["subject"],
        "request": event.get("request") or " ".join(requests_of(event)) or None,
        "policies": " ".join((event.get("decision") or {}).get("policies", ())),
        "leaf_sha256": None if entry.sealed else leaf_hash(INTL.hash, entry.data).hex(),
        "personal": "; ".join(f"{each.name}: {each.text.zh}" for each in entry.personal()) or None,
    }
