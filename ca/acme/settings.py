"""Configuration of ACME: `[ca.acme]` in the file."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal

from pydantic import Field

from yinxin.settings import Networks, Section


class AcmeSettings(Section):
    """ACME (RFC 8555)."""

    eab: Literal["required", "optional", "off"] = "required"
    """Whether a new account must prove a credential (external account binding). `optional` and `off` let anybody who reaches the server have certificates on `open_credential`: for trials only."""
    open_credential: str = Field(default="", max_length=26)
    """The credential behind accounts that bring none, while `eab` is not `required`; empty: they are refused all the same."""
    terms_url: str = ""
    """Address of the terms that a new account must agree to; empty: none."""
    website: str = ""
    """Address of a page about this service, for clients that show it."""
    http01_port: int = Field(default=80, ge=1, le=65535)
    """Port that http-01 is validated on."""
    tlsalpn01_port: int = Field(default=443, ge=1, le=65535)
    """Port that tls-alpn-01 is validated on."""
    dns_resolver: str = Field(default="", pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[0-9.]+):\d{1,5}$")
    """Address and port (`10.0.0.53:53`, `[fd00::53]:53`) of the resolver that names are looked up at; empty: the system's."""
    allow_networks: Networks = ()
    """Networks that validation may connect to; empty: any that is not denied."""
    deny_networks: Networks = ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "fe80::/10", "ff00::/8")
    """Networks that validation never connects to. A server that does not validate names of its own machine adds 127.0.0.0/8 and ::1/128."""
    validation_attempts: int = Field(default=4, ge=1, le=20)
    """How often a challenge is tried before it has failed."""
    validation_wait_seconds: int = Field(default=5, ge=1, le=600)
    """Time between two attempts; doubled after each."""
    validation_timeout_seconds: int = Field(default=10, ge=1, le=60)
    """Longest time of one attempt."""
    validators: int = Field(default=4, ge=1, le=64)
    """Challenges that one process validates at the same time."""
    authorization_days: int = Field(default=30, ge=0, le=398)
    """How long a validated name may be ordered again without a new challenge; 0: every order is validated anew."""
    order_hours: int = Field(default=168, ge=1, le=720)
    """How long an order, and a challenge that was not answered, can be completed."""
    most_identifiers: int = Field(default=100, ge=1, le=1000)
    """Most names in one order."""
    nonce_minutes: int = Field(default=60, ge=1, le=1440)
    """How long a nonce can be used."""
    renew_check_hours: int = Field(default=6, ge=1, le=168)
    """How often a client is told to ask for renewal information (RFC 9773)."""
    accounts_per_hour: int = Field(default=100, ge=1, le=1_000_000)
    """New accounts from one address, per process."""
    orders_per_hour: int = Field(default=10_000, ge=1, le=100_000_000)
    """New orders of one account, per process."""
    failures_per_hour: int = Field(default=100, ge=1, le=1_000_000)
    """Failed challenges of one account, per process; beyond, its challenges are not tried."""

    @property
    def allowed(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`allow_networks`, read."""
        return tuple(map(ip_network, self.allow_networks))

    @property
    def denied(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """`deny_networks`, read."""
        return tuple(map(ip_network, self.deny_networks))
