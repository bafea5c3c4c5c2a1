"""Fields of a payload, each held to its type; unknown ones are passed over (RFC 8555 7)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ca.acme.errors import Malformed
from yinxin.clock import BadInstant, parse_rfc3339
from yinxin.text import Text

#: longest text that any field may have
_LONGEST = 4096


def needed(payload: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The payload, where POST-as-GET makes no sense; raises Malformed."""
    if payload is None:
        raise _wrong("payload", "不能为空", "it must not be empty")
    return payload


def nothing(payload: Mapping[str, Any] | None) -> None:
    """Raise Malformed unless it is POST-as-GET."""
    if payload is not None:
        raise _wrong("payload", "此资源只能以空载荷读取", "this resource is read with an empty payload")


def text(payload: Mapping[str, Any], name: str) -> str:
    """A text, empty when absent or null."""
    value = payload.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise _wrong(name, "应为字符串", "it must be a string")
    return value


def flag(payload: Mapping[str, Any], name: str) -> bool:
    """A boolean, false when absent or null."""
    value = payload.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _wrong(name, "应为 true 或 false", "it must be true or false")
    return value


def many(payload: Mapping[str, Any], name: str, most: int) -> list[Any]:
    """A list, empty when absent or null."""
    value = payload.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise _wrong(name, f"应为至多 {most} 项的列表", f"it must be a list of at most {most}")
    return value


def instant(payload: Mapping[str, Any], name: str) -> datetime | None:
    """An RFC 3339 instant, None when absent or null."""
    value = text(payload, name)
    try:
        return parse_rfc3339(value) if value else None
    except (BadInstant, OverflowError) as error:
        raise _wrong(name, "应为 RFC 3339 时间", "it must be an RFC 3339 time") from error


def _wrong(field: str, zh: str, en: str) -> Malformed:
    return Malformed(field=field, reason=Text(zh, en))
