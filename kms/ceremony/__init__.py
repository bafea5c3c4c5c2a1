"""The key centre's ceremony: its tokens and first keys from one reviewed file; a fresh token in the place of a lost one."""

from kms.ceremony.conduct import Done, conduct
from kms.ceremony.plan import PreparePlan, ReplacePlan, read_plan
from kms.ceremony.rehearse import rehearse

__all__ = ["Done", "PreparePlan", "ReplacePlan", "conduct", "read_plan", "rehearse"]
