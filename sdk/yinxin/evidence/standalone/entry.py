"""The entries of a log, for the verifier that is one file."""

import json
from typing import Any

from yinxin.evidence.standalone.saying import Broken


def json_of(data: bytes) -> Any:
    """JSON in UTF-8, without the numbers that JSON has not; raises ValueError."""

    def none(name: str) -> None:
        raise ValueError(name)

    return json.loads(data.decode(), parse_constant=none)


def entry_of(data: bytes) -> dict[str, Any]:
    """An entry of a log, which has its identifier and what is told of it; raises ValueError, TypeError, KeyError."""
    event = json_of(data)
    if not isinstance(event, dict) or type(event["id"]) is not str or not line_of(event):
        raise ValueError("no entry")
    return event


def line_of(event: dict[str, Any]) -> str:
    """What is told of an entry, in one line."""
    return " ".join((event["time"], event["verb"], event["subject"], event["outcome"], event["actor"]["id"]))


def counted(events: list[dict[str, Any]], begin: int) -> None:
    """Each source's numbers follow each other; where they do not, something was done and never reached the log."""
    last: dict[str, tuple[int, str]] = {}
    for event in events:
        source, number, name = event.get("source"), event.get("number"), event["id"]
        if not isinstance(source, str) or type(number) is not int:
            if last:
                raise Broken(f"记录 {name} 没有编号", f"the record {name} has no number")
            continue
        before, other = last.get(source, (number - 1 if begin else 0, "-"))
        if number != before + 1:
            raise Broken(
                f"来源 {source} 的编号不连续：{other} 为 {before}，{name} 为 {number}",
                f"the numbers of {source} do not follow each other: {other} has {before}, {name} has {number}",
            )
        last[source] = (number, name)
