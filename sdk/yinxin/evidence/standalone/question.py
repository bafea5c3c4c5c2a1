"""What is asked of the entries of a stretch, for the verifier that is one file."""

import re
import unicodedata
from datetime import datetime
from typing import Any


def _instant(text: str) -> datetime:
    """An instant in its one spelling; raises ValueError, TypeError."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text, re.ASCII):
        raise ValueError("no instant")
    return datetime.fromisoformat(text)


def clear(asked: dict[str, Any]) -> tuple[float, float] | None:
    """The time asked about; None for what no entry could match, or what reads like something else than it is."""
    known = {"since", "until", "subject", "verbs", "actor", "outcome", "none"}
    texts = [asked[name] for name in ("subject", "actor") if name in asked]
    verbs = asked.get("verbs", [])
    since, until = (_instant(asked[name]) for name in ("since", "until"))
    if not (
        asked.keys() <= known
        and all(
            isinstance(each, str) and each and each == each.strip() and each.isprintable() for each in texts
        )
        and all(unicodedata.is_normalized("NFC", each) for each in texts)
        and isinstance(verbs, list)
        and all(re.fullmatch(r"[a-z][a-z0-9-]*\.([a-z][a-z0-9.-]*)?", each) for each in verbs)
        and asked.get("outcome", "done") in ("intent", "done", "refused", "failed")
        and asked.get("none", True) is True
        and since <= until
    ):
        return None
    return since.timestamp(), until.timestamp()


def matches(asked: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether an entry is asked about."""
    parts = {"subject": event["subject"], "actor": event["actor"]["id"], "outcome": event["outcome"]}
    if any(name in asked and asked[name] != value for name, value in parts.items()):
        return False
    verbs, verb = asked.get("verbs"), event["verb"]
    return not verbs or any(verb.startswith(each) if each.endswith(".") else verb == each for each in verbs)
