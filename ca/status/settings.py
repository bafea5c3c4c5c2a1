"""Configuration of certificate status: `[ca.status]` in the file."""

from pydantic import Field

from yinxin.settings import Section


class StatusSettings(Section):
    """Revocation lists, OCSP answers, and where they are published."""

    shards: int = Field(default=8, ge=0, le=4096)
    """Lists that the certificates of an issuing authority are spread over; 0: one whole list. A change concerns new certificates only: each certificate names its own list for ever."""
    shards_of: dict[str, int] = {}  # noqa: RUF012 - pydantic copies defaults
    """Other numbers of lists for single authorities, by name: `{ "intl-issuing" = 128 }`."""

    def shards_for(self, authority: str) -> int:
        """How many lists new certificates of an issuing authority are spread over."""
        return self.shards_of.get(authority, self.shards)
