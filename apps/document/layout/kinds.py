"""The fifteen kinds of official document (Regulation on Party and government official documents, 2012, art. 8)."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Direction(StrEnum):
    """Which way a document goes between organs."""

    DOWN = "down"
    UP = "up"
    LEVEL = "level"
    PUBLIC = "public"
    CONGRESS = "congress"
    ANY = "any"


class Kind(StrEnum):
    """文种 by code."""

    RESOLUTION = "RESOLUTION"
    DECISION = "DECISION"
    ORDER = "ORDER"
    COMMUNIQUE = "COMMUNIQUE"
    PROCLAMATION = "PROCLAMATION"
    PUBLIC_NOTICE = "PUBLIC_NOTICE"
    OPINION = "OPINION"
    NOTICE = "NOTICE"
    CIRCULAR = "CIRCULAR"
    REPORT = "REPORT"
    REQUEST = "REQUEST"
    REPLY = "REPLY"
    MOTION = "MOTION"
    LETTER = "LETTER"
    MINUTES = "MINUTES"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """What the regulation says of one kind; `addressed` means that it must name a main recipient."""

    zh: str
    en: str
    direction: Direction
    addressed: bool
    endings: tuple[str, ...]
    """How a title of this kind may end."""


def _facts(
    zh: str, en: str, direction: Direction, *, addressed: bool, endings: tuple[str, ...] = ()
) -> KindFacts:
    return KindFacts(zh, en, direction, addressed, endings or (zh,))


KINDS = MappingProxyType(
    {
        Kind.RESOLUTION: _facts("决议", "resolution", Direction.DOWN, addressed=False),
        Kind.DECISION: _facts("决定", "decision", Direction.DOWN, addressed=False),
        Kind.ORDER: _facts("命令（令）", "order", Direction.DOWN, addressed=False, endings=("命令", "令")),
        Kind.COMMUNIQUE: _facts("公报", "communiqué", Direction.PUBLIC, addressed=False),
        Kind.PROCLAMATION: _facts("公告", "announcement", Direction.PUBLIC, addressed=False),
        Kind.PUBLIC_NOTICE: _facts("通告", "public notice", Direction.PUBLIC, addressed=False),
        Kind.OPINION: _facts("意见", "opinion", Direction.ANY, addressed=True),
        Kind.NOTICE: _facts("通知", "notice", Direction.DOWN, addressed=True),
        Kind.CIRCULAR: _facts("通报", "circular", Direction.DOWN, addressed=True),
        Kind.REPORT: _facts("报告", "report", Direction.UP, addressed=True),
        Kind.REQUEST: _facts("请示", "request for instructions", Direction.UP, addressed=True),
        Kind.REPLY: _facts("批复", "reply", Direction.DOWN, addressed=True),
        Kind.MOTION: _facts("议案", "motion", Direction.CONGRESS, addressed=True),
        Kind.LETTER: _facts("函", "letter", Direction.LEVEL, addressed=True, endings=("函",)),
        Kind.MINUTES: _facts("纪要", "minutes", Direction.ANY, addressed=False),
    }
)
