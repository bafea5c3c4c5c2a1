"""Which outside timestamp authorities there are."""

from typing import Literal

from pydantic import Field

from yinxin.settings import Section


class OutsideSettings(Section):
    """One outside timestamp authority."""

    url: str = Field(pattern=r"^https?://[^/\s]+(/\S*)?$", max_length=400)
    """Where requests are posted to (RFC 3161 3.4). Tokens are signed, so plain HTTP does; it is asked directly, by no proxy."""
    suite: Literal["intl", "sm", "pq"] = "intl"
    """Whose tokens it gives in our place: those of this suite, over this suite's hash."""
    trust_file: str = Field(min_length=1)
    """Its root certificates (PEM), and those between that its tokens do not bring; give the roots to readers too."""
    lists_file: str = ""
    """Its revocation lists (PEM), which somebody keeps current; empty: revocation is not known, and readers are told so."""
    policy: str = Field(default="", pattern=r"^([0-2](\.\d+)+)?$")
    """The policy that is asked for and must be answered, as an object identifier; empty for whichever it has."""
    timeout: float = Field(default=10, gt=0, le=60)
    """Seconds that it may take to answer; then the next in order is asked."""
    clock_seconds: int = Field(default=60, ge=1, le=3600)
    """How far the time of a token may be from ours."""
    tls_trust_file: str = ""
    """The anchors (PEM) by which it is known on HTTPS: empty for those the machine trusts."""
