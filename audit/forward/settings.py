"""Who is sent copies, how, and how much of each entry."""

import re
from ipaddress import ip_address
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from yinxin.settings import Section

_TAG = r"^[A-Za-z0-9_.-]{1,100}$"
_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"


def _here(host: str) -> bool:
    """Whether the address is this machine's own."""
    if host == "localhost" or host.startswith("unix://"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class ReceiverSettings(Section):
    """One receiver of audit copies."""

    host: str = Field(min_length=1, max_length=253)
    """Its name or address."""
    port: int = Field(default=24224, ge=1, le=65535)
    """Its TCP port."""
    tag: str = Field(default="yinxin.audit", pattern=_TAG)
    """The tag of every event."""
    tls: bool = True
    """Whether the connection is TLS; without it the receiver must be on this machine."""
    ca_file: str = ""
    """The anchors its certificate is verified by; empty for the machine's own."""
    server_name: str = ""
    """The name that its certificate must carry; empty for `host`."""
    certificate_file: str = ""
    """Our client certificate with its chain (PEM); empty for none."""
    key_file: str = ""
    """The client certificate's key (PEM, encrypted or not)."""
    key_password_file: str = ""
    """The file with the password of that key."""
    shared_key_file: str = ""
    """The file with the key shared with the receiver (HELO, PING, PONG); empty when it asks for none."""
    username: str = ""
    """The user, where the receiver asks for one."""
    password_file: str = ""
    """The file with the user's password."""
    content: Literal["hash", "header", "whole"] = "whole"
    """How much of an entry is sent: its hashes; also identifier, time, verb and outcome; or the whole record, which names people."""
    modules: tuple[str, ...] = ()
    """Modules whose entries are sent as `content` says; of the others the hashes only. Empty for all modules."""
    timeout: int = Field(default=10, ge=1, le=30)
    """Seconds that the receiver has to connect, to take a batch and to acknowledge it."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.tls and not _here(self.host):
            raise ValueError("tls = false is for a receiver on this machine only")
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file belong together")
        if bool(self.username) != bool(self.password_file):
            raise ValueError("username and password_file belong together")
        if self.username and not self.shared_key_file:
            raise ValueError("username needs shared_key_file: it is sent in the same handshake")
        return self


class OperationalSettings(Section):
    """Operational logs, handed to an agent on this machine."""

    host: str = ""
    """The agent's loopback address or unix:// socket; empty sends none. The library speaks no TLS, so it must be on this machine."""
    port: int = Field(default=24224, ge=1, le=65535)
    """The agent's TCP port."""
    tag: str = Field(default="yinxin.log", pattern=_TAG)
    """The tag of every event."""
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """The least level that is sent."""
    waiting: int = Field(default=10_000, ge=1, le=1_000_000)
    """Lines that may wait for the agent; what comes then is dropped and counted."""
    buffer: int = Field(default=1 << 20, ge=1024, le=1 << 28)
    """Octets that are kept while the agent does not answer; what is more is dropped and counted."""

    @field_validator("host")
    @classmethod
    def _near(cls, host: str) -> str:
        if host and not _here(host):
            raise ValueError("the agent must be on this machine: 127.0.0.1, ::1, localhost or unix://PATH")
        return host


class ForwardSettings(Section):
    """Copies outward."""

    receivers: dict[str, ReceiverSettings] = Field(default_factory=dict, max_length=16)
    """Receivers of audit copies by name: [audit.forward.receivers.NAME] with host, port, tls, shared_key_file, content, modules and more (docs/audit/forwarding.md)."""
    alarm_after: int = Field(default=600, ge=1, le=86_400)
    """Seconds that a receiver may fail before an alarm is recorded."""
    operational: OperationalSettings = OperationalSettings()

    @field_validator("receivers")
    @classmethod
    def _named(cls, receivers: dict[str, ReceiverSettings]) -> dict[str, ReceiverSettings]:
        for name in receivers:
            if len(name) > 40 or not re.fullmatch(_NAME, name):
                raise ValueError(f"a receiver's name is small letters, digits and dashes: {name[:60]!r}")
        return receivers
