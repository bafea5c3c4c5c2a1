"""Nobody is enough alone: proposals, signed approvals, and carrying out exactly once. See README.md."""

from authz.proposal.find import Filter, Shown
from authz.proposal.models import State
from authz.proposal.service import Proposals

__all__ = ["Filter", "Proposals", "Shown", "State"]
