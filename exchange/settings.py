"""Configuration of the exchange between sites."""

from typing import Literal

from pydantic import Field

from yinxin.settings import Networks, Section

#: a site's identifier, for ever: it stands in every header and receipt
SITE = r"^[a-z][a-z0-9]*([.-][a-z0-9]+)*$"


class NatsSettings(Section):
    """A NATS server with JetStream between sites, for peers of the carrier `nats`. It carries, and is no record."""

    url: str = Field(default="", pattern=r"^$|^tls://[A-Za-z0-9._\-\[\]:]+$")
    """The server, such as tls://nats.example.gov.cn:4222; empty: none. Nothing is ever said to it in the clear."""
    ca_file: str = ""
    """PEM file with the roots by which the server is known; empty: those of the operating system."""
    certificate_file: str = ""
    """PEM file with the certificate, and those above it, that is shown to the server; empty: none."""
    key_file: str = ""
    """PEM file with that certificate's key, mode 0600; empty: it is in the same file."""
    credentials_file: str = ""
    """File with what else the server wants of us, mode 0600: credentials of `nsc`, a user's seed, `user:password` or a token; empty: nothing."""
    prefix: str = Field(default="yinxin", pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$", max_length=80)
    """What the subjects begin with, and with it the streams' names; all sites of one server have the same."""
    most: int = Field(default=8 << 30, ge=1 << 20)
    """Octets that the inbox of this site may hold there; what is more waits at its sender."""
    replicas: Literal[1, 3, 5] = 1
    """How many servers of a cluster keep the inbox of this site."""
    again: int = Field(default=120, ge=1, le=86400)
    """Seconds until a message that has no receipt is sent again; doubled each time, up to an hour."""


class ExchangeSettings(Section):
    """Exchange with other sites."""

    site: str = Field(default="", pattern=rf"^$|{SITE}", max_length=64)
    """This site's identifier among all sites, for ever, such as jia.example; empty: it exchanges nothing."""
    organs: tuple[str, ...] = ()
    """Organs of the directory that this site receives for; each gets an encryption certificate."""
    suite: Literal["intl", "sm"] = "intl"
    """Suite of this site's keys for the exchange: it signs with it, and others encrypt to its organs by it."""
    clearance: Literal["public", "internal", "confidential", "secret", "top-secret"] = "internal"
    """Highest level of secrecy that this site is built to hold, as it states to others; they may trust it with less."""
    url: str = ""
    """Where other sites reach this one, such as https://jia.example.gov.cn; empty: it is not reached, and asks others itself."""
    folder: str = ""
    """Folder of the messages' parts: empty is `exchange/` in the data directory. Several processes share it."""
    networks: Networks = ()
    """Networks (CIDR) that are not public and in which other sites may be called, such as 10.0.0.0/8."""
    every: int = Field(default=5, ge=1, le=3600)
    """Seconds between two calls to one site while something waits for it; after a failure they double, up to an hour."""
    ask_every: int = Field(default=30, ge=1, le=86400)
    """Seconds between two questions to a site that cannot reach this one, whether something waits."""
    inline: int = Field(default=1 << 20, ge=0, le=64 << 20)
    """Largest part of a message, in octets, that travels with its header; a larger one goes by itself and can go on where it broke off."""
    largest: int = Field(default=2 << 30, ge=1024, le=1 << 40)
    """Largest part of a message that is taken, in octets."""
    nats: NatsSettings = NatsSettings()
    """A NATS server between sites."""
