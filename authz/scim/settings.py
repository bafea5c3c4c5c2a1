"""Settings of the SCIM service."""

from pydantic import Field

from yinxin.settings import Networks, Section


class ScimSettings(Section):
    """Reading and feeding the directory by SCIM 2.0."""

    page: int = Field(default=100, ge=1, le=1000)
    """Resources in an answer that was asked for without `count`."""
    networks: Networks = ()
    """Networks (CIDR) that are not public and in which systems may be told of the directory, such as 10.0.0.0/8."""
    trust_file: str = ""
    """PEM file of the only anchors believed when systems are told of the directory; empty believes the system's."""
    secrets: str = ""
    """Folder with the secrets of systems that are told of the directory, a file each (mode 0600, one line); empty tells none."""
    leaving_most: int = Field(default=50, ge=1, le=100000)
    """People and posts that may leave a receiver in one turn before somebody has to confirm it."""
    push_page: int = Field(default=500, ge=1, le=5000)
    """People and posts that a receiver's turn looks at, besides those that were touched."""
    page_most: int = Field(default=500, ge=1, le=5000)
    """Resources in an answer at most, whatever `count` says."""
