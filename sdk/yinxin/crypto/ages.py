"""Until when algorithms are believed: a table, so that it can be changed without a new version of anything.

A hash is named as in `suite` ("sha256"), a key by its kind ("ecdsa-p256", "rsa-2048", "sm2"). What is not in the table has
no end that is known.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Self

#: last days, UTC, as published: NIST SP 800-57 part 1 revision 5 table 4 (112 bits of strength until 2030), and the first
#: public draft of NIST IR 8547 tables 2 and 4 (RSA and elliptic curves disallowed after 2035). None has been published for SM2 and SM3
PUBLISHED: Mapping[str, date] = {
    "rsa-2048": date(2030, 12, 31),
    "rsa-3072": date(2035, 12, 31),
    "rsa-4096": date(2035, 12, 31),
    "ecdsa-p256": date(2035, 12, 31),
    "ecdsa-p384": date(2035, 12, 31),
    "ed25519": date(2035, 12, 31),
}


@dataclass(frozen=True)
class Ages:
    """The last day of each algorithm that has one."""

    until: Mapping[str, date] = field(default_factory=lambda: PUBLISHED)

    @classmethod
    def of(cls, changes: Mapping[str, date]) -> Self:
        """The published table with these days in place of, or beside, its own."""
        return cls({**PUBLISHED, **changes})

    @classmethod
    def load(cls, file: Path) -> Self:
        """The published table with the changes in `file` (TOML: a table `until` of days); raises ValueError, OSError."""
        until = tomllib.loads(file.read_text("utf-8")).get("until", {})
        # a TOML date-time is a date too, to Python
        if not isinstance(until, dict) or any(type(each) is not date for each in until.values()):
            raise ValueError(f"{file.name}: until is a table of days")
        return cls.of(until)

    def end(self, name: str) -> datetime | None:
        """The first instant at which this algorithm is no longer believed; None when none is known."""
        last = self.until.get(name)
        if last is None:
            return None
        return datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)

    def first(self, names: Iterable[str]) -> tuple[datetime, str] | None:
        """Which of these ends first, and when."""
        ends = [(end, name) for name in names if (end := self.end(name)) is not None]
        return min(ends, default=None)
