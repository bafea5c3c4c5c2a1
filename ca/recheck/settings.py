"""Configuration of the re-check: `[ca.recheck]` in the file."""

from pydantic import Field

from yinxin.settings import Section


class RecheckSettings(Section):
    """The re-check of everything stored."""

    hours: int = Field(default=24, ge=1, le=720)
    """A new pass begins this long after the last one began, or when that one ends."""
    batch: int = Field(default=500, ge=1, le=10000)
    """Certificates that are checked in one go, each minute while a pass is under way; a hundred take about a second of CPU."""
