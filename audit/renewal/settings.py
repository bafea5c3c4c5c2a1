"""When proofs are renewed, and until when algorithms are believed."""

from datetime import date

from pydantic import Field

from yinxin.settings import Section


class RenewalSettings(Section):
    """Renewing proofs before their certificates and algorithms end."""

    before_days: int = Field(default=90, ge=1, le=3650)
    """How many days before its end a proof is renewed; when half of them have passed without, health says so."""
    until: dict[str, date] = Field(default_factory=dict)
    """Last days of algorithms, in place of or beside the published ones, by name: hashes (sha256, sm3), keys (ecdsa-p256, rsa-3072, sm2)."""
