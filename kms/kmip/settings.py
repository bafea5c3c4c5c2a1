"""Settings of KMIP's face."""

from pydantic import Field

from yinxin.settings import Section


class KmipSettings(Section):
    """KMIP 1.2 for storage and databases."""

    address: str = Field(default="", pattern=r"^(([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5})?$")
    """Where KMIP is served over mutual TLS (`host:port`, usually port 5696; port 0 takes a free one); empty serves none."""
    connections: int = Field(default=64, ge=1, le=1000)
    """Connections at the same time; when one more comes, the one that has been quiet longest ends."""
    objects: int = Field(default=10_000, ge=1, le=1_000_000)
    """Keys and secrets that one client keeps here at most; those that it destroyed count until they are overwritten."""
    destruction_days: int = Field(default=30, ge=1, le=365)
    """Days for which the key of an object that a client destroyed can still be brought back by several people; then it is overwritten."""
