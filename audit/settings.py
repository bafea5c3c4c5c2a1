"""The log's settings."""

from pydantic import Field

from audit.archive.settings import ArchiveSettings
from audit.forward.settings import ForwardSettings
from audit.renewal.settings import RenewalSettings
from yinxin.settings import Networks, Section


class AuditSettings(Section):
    """The audit log."""

    origin: str = Field(default="yinxin.local/log", pattern=r"^[^\s+]+$", max_length=200)
    """The log's name in its checkpoints, for ever: its public address without https://, such as trust.example.gov.cn/log."""
    checkpoint_file: str = ""
    """File of the newest checkpoint, kept to detect a rolled-back database: empty for log.checkpoint in the data directory; better on another disk."""
    longest_backlog: int = Field(default=30, ge=1, le=3600)
    """Seconds that a record may wait for the log or its signature; when it waits longer, every act is refused."""
    witness_name: str = Field(default="", pattern=r"^[^\s+]*$", max_length=200)
    """The name that this site cosigns others' checkpoints under, for ever: empty for the log's name with /witness after it."""
    witness_every: int = Field(default=60, ge=1, le=86400)
    """Seconds between two requests to one witness of this log; nobody is asked whom no policy names with an address."""
    witness_trust_file: str = ""
    """File of the root certificates (PEM) by which witnesses are known on HTTPS: empty for those the machine trusts."""
    witness_networks: Networks = ()
    """Networks (CIDR) that are not public and in which witnesses of this log may be asked, such as 10.0.0.0/8; public ones need no mention."""
    kept: str = ""
    """Folder of the bundles of evidence in keeping: empty for kept in the folder of the checkpoint file."""
    archive: ArchiveSettings = ArchiveSettings()
    """What becomes of entries past their period."""
    renewal: RenewalSettings = RenewalSettings()
    """Renewing proofs before they end."""
    forward: ForwardSettings = ForwardSettings()
