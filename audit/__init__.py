"""The audit log: append, prove, check. Nothing on this platform happens without an entry here."""

from audit.check import CheckReport
from audit.entries import Entry, Filters
from audit.errors import (
    CheckpointBroken,
    CheckpointFileMissing,
    EntryNotFound,
    LogKeysMismatch,
    LogRolledBack,
    LogStopped,
    LogTampered,
    LogUnavailable,
    NobodyMayAsk,
    NothingSigned,
    NotYetSigned,
    StampBroken,
    TileNotFound,
    UnreadableRecord,
)
from audit.service import Log
from audit.settings import AuditSettings
from audit.stamp import Vouched

__all__ = [
    "AuditSettings",
    "CheckReport",
    "CheckpointBroken",
    "CheckpointFileMissing",
    "Entry",
    "EntryNotFound",
    "Filters",
    "Log",
    "LogKeysMismatch",
    "LogRolledBack",
    "LogStopped",
    "LogTampered",
    "LogUnavailable",
    "NobodyMayAsk",
    "NotYetSigned",
    "NothingSigned",
    "StampBroken",
    "TileNotFound",
    "UnreadableRecord",
    "Vouched",
]
