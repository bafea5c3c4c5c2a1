"""The log's settings."""

from pydantic import Field

from yinxin.settings import Section


class AuditSettings(Section):
    """The audit log."""

    origin: str = Field(default="yinxin.local/log", pattern=r"^[^\s+]+$", max_length=200)
    """The log's name in its checkpoints, for ever: its public address without https://, such as trust.example.gov.cn/log."""
    checkpoint_file: str = ""
    """File of the newest checkpoint, kept to detect a rolled-back database: empty for log.checkpoint in the data directory; better on another disk."""
    longest_backlog: int = Field(default=30, ge=1, le=3600)
    """Seconds that a record may wait for the log or its signature; when it waits longer, every act is refused."""
