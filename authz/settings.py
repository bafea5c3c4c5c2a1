"""Settings of identity and authorization."""

from pydantic import Field

from authz.oidc.settings import OidcSettings
from authz.proposal.settings import ProposalSettings
from authz.scim.settings import ScimSettings
from yinxin.settings import Section


class AuthzSettings(Section):
    """Signing in."""

    challenge_seconds: int = Field(default=120, ge=10, le=600)
    """How long a sign-in challenge can be answered, in seconds."""
    session_hours: int = Field(default=8, ge=1, le=24)
    """How long a session lasts at most, in hours; never longer than its certificate."""
    session_idle_minutes: int = Field(default=60, ge=1, le=1440)
    """How long a session may go unused before it is over, in minutes."""
    oidc: OidcSettings = OidcSettings()
    scim: ScimSettings = ScimSettings()
    """Systems that read and feed the directory by SCIM."""
    step_up_minutes: int = Field(default=5, ge=1, le=60)
    """How old the last proof of the certificate's key may be for dangerous acts and for adding a passkey, in minutes."""
    attempts_per_minute: int = Field(default=60, ge=1, le=1000)
    """Sign-ins per certificate and minute, failed or not; only attempts that prove the key are counted."""
    refusals_per_minute: int = Field(default=60, ge=1, le=10000)
    """Refusals recorded per minute, process and certificate (strangers count as one); more are only counted."""
    grant_days: int = Field(default=366, ge=1, le=3660)
    """How long a grant lasts at most, in days; afterwards it is given anew."""
    proposal: ProposalSettings = ProposalSettings()
    """Acts that take several people."""
    delegation_days: int = Field(default=180, ge=1, le=1830)
    """How long a delegation of a post lasts at most, in days."""
