"""Configuration of the certificate authority: `[ca]` in the file."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from ca.acme.settings import AcmeSettings
from ca.attribute.settings import AttributeSettings
from ca.outside.settings import OutsideSettings
from ca.recheck.settings import RecheckSettings
from ca.status.settings import StatusSettings
from yinxin.settings import Section


class RegistrationSettings(Section):
    """Applications, renewals and what becomes of certificates whose holders left."""

    expires_days: int = Field(default=30, ge=1, le=366)
    """After this time an application that nobody decided on expires."""
    most_open: int = Field(default=20, ge=1, le=10000)
    """Applications of one applicant that may wait to be decided on."""

    renew_days: int = Field(default=30, ge=1, le=366)
    """How long before its end a certificate can be renewed by its holder."""
    notice_days: tuple[int, ...] = (90, 30, 7)
    """How many days before its end a certificate is announced as ending."""
    departed_days: int = Field(default=7, ge=0, le=366)
    """How long after its holder left the post a certificate is revoked (affiliationChanged)."""

    @property
    def lasts(self) -> timedelta:
        """How long an application waits."""
        return timedelta(days=self.expires_days)


class CeremonySettings(Section):
    """Ceremonies after the founding."""

    approvals: int = Field(default=2, ge=2, le=9)
    """How many people must approve a ceremony after the founding, in different posts; never fewer than two."""
    approval_days: int = Field(default=30, ge=1, le=366)
    """How long a proposed ceremony waits for its approvals and for being held, in days."""

    @property
    def lasts(self) -> timedelta:
        """The same as a span of time."""
        return timedelta(days=self.approval_days)


class CaSettings(Section):
    """The certificate authority."""

    public_url: str = Field(default="http://127.0.0.1:8080", pattern=r"^https?://[^/\s]+(/[^\s]*[^/\s])?$")
    """Address under which OCSP, CRLs and certificates are reached, without a slash at its end; it is written into every certificate. Plain HTTP by RFC 5280."""
    node: int = Field(default=1, ge=1, le=127)
    """First octet of every serial number; give each site that shares a hierarchy its own."""
    dns_domains: tuple[str, ...] = ()
    """Domains (with all below them) that server certificates may name; empty: any name the registration officer enters."""
    profiles: str = ""
    """Folder with profiles of this installation's own, from the data directory; one with a shipped profile's name replaces it."""
    backdate_seconds: int = Field(default=60, ge=0, le=3600)
    """How far before the present a certificate begins, for readers whose clocks are behind."""
    intent_seconds: int = Field(default=60, ge=10, le=3600)
    """After this time an issuance that has not ended is given up and its serial number revoked."""
    crl_hours: int = Field(default=24, ge=1, le=168)
    """Validity of a revocation list; a new one is made at every revocation and at the latest after half this time."""
    ocsp_minutes: int = Field(default=60, ge=1, le=10080)
    """Validity of an OCSP answer."""
    status: StatusSettings = StatusSettings()
    recheck: RecheckSettings = RecheckSettings()
    """Revocation lists and OCSP answers."""
    tsa_policy: str = Field(
        default="2.25.147690556251596880135077170744976928781.1", pattern=r"^[0-2](\.\d+)+$"
    )
    """Object identifier of the policy under which timestamps are issued."""
    tsa_accuracy_seconds: int = Field(default=1, ge=1, le=60)
    """Accuracy stated in timestamps; also how far the clock may stand before the last timestamp issued."""
    tsa_clock_report: str = ""
    """File that a timer rewrites with `chronyc -c tracking`; timestamps are refused unless it is fresh and says that the clock is synchronised within the stated accuracy. Empty: nobody is asked."""
    tsa_clock_report_seconds: int = Field(default=120, ge=10, le=3600)
    """Age from which that report counts as missing."""
    tsa_outside: dict[
        Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)], OutsideSettings
    ] = Field(default_factory=dict)
    """Outside timestamp authorities by name, asked in this order for what the platform itself has stamped (checkpoints, renewals, approvals); our own unit stands in."""
    rejections_per_minute: int = Field(default=60, ge=1, le=10000)
    """Timestamp requests of strangers whose rejection is recorded, per minute and process; more are only counted."""
    registration: RegistrationSettings = RegistrationSettings()
    """Applications for certificates."""
    ceremony: CeremonySettings = CeremonySettings()
    """Ceremonies after the founding."""
    acme: AcmeSettings = AcmeSettings()
    attributes: AttributeSettings = AttributeSettings()
    """Attribute certificates."""
    cmp_confirm_minutes: int = Field(default=60, ge=1, le=10080)
    """Time in which a CMP client confirms its certificate; one that is not confirmed is revoked."""
    cmp_clock_seconds: int = Field(default=300, ge=1, le=86400)
    """How far the time in a CMP message may be from ours."""
    most_request_bytes: int = Field(default=65536, ge=1024, le=1048576)
    """Largest PKCS#10, OCSP, timestamp or enrolment message that is read."""
