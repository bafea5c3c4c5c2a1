"""Settings of the OpenID Connect provider."""

from pydantic import Field

from yinxin.settings import Section


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
    trust_file: str = ""
    """PEM file of the only anchors believed when clients are told of a logout; empty believes the system's."""
