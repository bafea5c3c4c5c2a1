"""Reading a body: SCIM's media type, JSON of bounded depth, text that both databases can hold."""

import json
from typing import Any

from flask import Request

from authz.scim.errors import BadSyntax
from authz.scim.filter import measure, storable
from yinxin.text import Text
from yinxin.web.errors import UnsupportedMediaType

MEDIA_TYPE = "application/scim+json"
_DEEPEST = 16
#: operations of one PATCH, characters of all their paths, and operations times the values in them: each operation is worked
#: out over the whole resource
MOST_OPERATIONS, LONGEST_PATHS, MOST_WORK = 500, 40_000, 250_000


def read(request: Request) -> dict[str, Any]:
    """The body; raises UnsupportedMediaType, BadSyntax."""
    if request.mimetype not in (MEDIA_TYPE, "application/json"):
        raise UnsupportedMediaType(given=request.mimetype or "-", wanted=MEDIA_TYPE)
    try:
        body = json.loads(request.get_data(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadSyntax(reason=Text("不是有效的 JSON", "it is not JSON")) from error
    if not isinstance(body, dict):
        raise BadSyntax(reason=Text("须是 JSON 对象", "it must be a JSON object"))
    _hold(body, 0)
    _bound(body)
    return body


def _bound(body: dict[str, Any]) -> None:
    """Refuse a PATCH that would keep a process busy for minutes; raises BadSyntax, BadFilter."""
    for name, operations in body.items():
        if name.casefold() != "operations" or not isinstance(operations, list):
            continue
        parts = [part for each in operations if isinstance(each, dict) for part in each.items()]
        paths = [str(value) for key, value in parts if key.casefold() == "path"]
        work = len(operations) * sum(_values(value) for _, value in parts)
        if len(operations) > MOST_OPERATIONS or sum(map(len, paths)) > LONGEST_PATHS or work > MOST_WORK:
            raise BadSyntax(
                reason=Text(
                    f"一次至多 {MOST_OPERATIONS} 个操作、各 {MOST_OPERATIONS} 个值，路径共 {LONGEST_PATHS} 字",
                    f"{MOST_OPERATIONS} operations with as many values at a time, and {LONGEST_PATHS} characters of paths",
                )
            )
        for path in paths:
            measure(path)


def _values(value: Any) -> int:
    """How many values an operation brings, within an object too."""
    if isinstance(value, dict):
        return sum(map(_values, value.values()))
    return len(value) if isinstance(value, list) else 0


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two members of one name, in whatever case, would mean different things to different readers."""
    if len({name.casefold() for name, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def _no_number(_text: str) -> None:
    raise ValueError


def _hold(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise BadSyntax(reason=Text("嵌套过深", "it is nested too deeply"))
    if isinstance(value, str) and not storable(value):
        raise BadSyntax(reason=Text("含控制字符", "it has control characters"))
    if isinstance(value, dict):
        for name, each in value.items():
            _hold(name, depth + 1)
            _hold(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _hold(each, depth + 1)
