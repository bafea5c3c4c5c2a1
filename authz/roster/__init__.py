"""Import of the directory from tables: a province's organs, posts, people and appointments as CSV."""

from authz.roster.check import Finding
from authz.roster.roster import Report, Roster, RosterContent

__all__ = ["Finding", "Report", "Roster", "RosterContent"]
