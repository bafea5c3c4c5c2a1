"""An entry as the commands print it."""

from typing import Any

from audit.entries import Entry
from yinxin.clock import rfc3339


def entry_fields(entry: Entry) -> dict[str, Any]:
    """For machines."""
    shown: dict[str, Any] = {"index": entry.index, "time": rfc3339(entry.time), "event": entry.fields()}
    personal = [each.fields() for each in entry.personal()]
    return shown | ({"personal": personal} if personal else {})


def entry_line(fields: dict[str, Any]) -> str:
    """What `entry_fields` gave, as one line for people: index, time, outcome, verb, subject, actor, error, identifier."""
    event = fields["event"]
    error = f" {event['error']}" if "error" in event else ""
    return (
        f"{fields['index']:>8} {fields['time'][:19]}Z {event['outcome']:<8} {event['verb']:<24} "
        f"{event['subject']} {event['actor']['id']}{error} {event['id']}"
    )
