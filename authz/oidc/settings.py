"""Settings of the OpenID Connect provider."""

from pydantic import Field

from yinxin.settings import Networks, Section


class OidcSettings(Section):
    """One sign-on for other systems."""

    code_seconds: int = Field(default=60, ge=10, le=600)
    """How long an authorization code can be exchanged, in seconds."""
    access_minutes: int = Field(default=10, ge=1, le=60)
    """How long an access token and an ID token last, in minutes; never longer than the session."""
    request_minutes: int = Field(default=10, ge=1, le=60)
    """How long a person may think about a consent, in minutes."""
    device_minutes: int = Field(default=10, ge=1, le=30)
    """How long a device waits for its person, in minutes."""
    key_days: int = Field(default=90, ge=1, le=400)
    """Age at which the key that signs ID tokens is replaced, in days; the next one is published a day before it signs."""
    logout_networks: Networks = ()
    """Networks (CIDR) that are not public and in which clients may be told of a logout, such as 10.0.0.0/8; public ones need no mention."""
    trust_file: str = ""
    """PEM file of the only anchors believed when clients are told of a logout; empty believes the system's."""
