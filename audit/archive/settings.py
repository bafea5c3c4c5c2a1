"""Sealing on a schedule."""

from pydantic import Field

from yinxin.settings import Section


class ArchiveSettings(Section):
    """What becomes of entries past their period."""

    folder: str = ""
    """Folder into which a job seals entries past their period, every day; empty: nothing seals by itself, and an auditor does it."""
    overdue_days: int = Field(default=7, ge=1, le=366)
    """After so many days past its period an entry that is not sealed is overdue, and health says so."""
