"""The ceremony: hierarchies and service certificates made from one reviewed file."""

from ca.ceremony.conduct import Done, conduct
from ca.ceremony.plan import CeremonyPlan
from ca.ceremony.rehearse import rehearse

__all__ = ["CeremonyPlan", "Done", "conduct", "rehearse"]
