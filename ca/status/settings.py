"""Configuration of certificate status: `[ca.status]` in the file."""

from pydantic import Field

from yinxin.settings import Section


class StatusSettings(Section):
    """Revocation lists, OCSP answers, and where they are published."""

    shards: int = Field(default=8, ge=0, le=4096)
    """Lists that the certificates of an issuing authority are spread over; 0: one whole list. A change concerns new certificates only: each certificate names its own list for ever."""
    list_certificates: int = Field(default=2000, ge=0, le=1_000_000)
    """Certificates after which a list is full: new ones then get as many new lists as `shards` says. It bounds every list, and with it what a revocation costs; 0: no bound."""
    shards_of: dict[str, int] = {}  # noqa: RUF012 - pydantic copies defaults
    """Other numbers of lists for single authorities, by name: `{ "intl-issuing" = 128 }`."""

    presigned_hours: int = Field(default=24, ge=0, le=168)
    """Validity of the OCSP answers that are kept ready for every certificate and signed anew after half this time; 0: every answer is signed on demand. A revocation replaces the answer at once."""
    http_seconds: int = Field(default=0, ge=0, le=3600)
    """How long HTTP caches may keep OCSP answers and lists without asking again; a revocation is late by as much for whoever sits behind such a cache."""
    publish_folder: str = ""
    """Folder for static files of lists, certificates and kept OCSP answers, for nginx to serve; empty: none."""

    def shards_for(self, authority: str) -> int:
        """How many lists new certificates of an issuing authority are spread over."""
        return self.shards_of.get(authority, self.shards)
