"""Settings of proposals, for the kinds whose module has none of its own."""

from datetime import timedelta

from pydantic import Field

from yinxin.proposal import Terms
from yinxin.settings import Section


class ProposalSettings(Section):
    """Acts that take several people."""

    approvals: int = Field(default=2, ge=2, le=9)
    """How many people in distinct posts must approve a proposal, where its module says nothing else; never fewer than two."""
    days: int = Field(default=30, ge=1, le=366)
    """How long a proposal waits for its approvals and for being carried out, in days."""
    most_bytes: int = Field(default=4_194_304, ge=65_536, le=67_108_864)
    """Largest content of a proposal, in octets of its canonical form."""

    @property
    def terms(self) -> Terms:
        """These as the terms of a kind."""
        return Terms(self.approvals, 1, timedelta(days=self.days))
