"""Certificate profiles: what a kind of certificate says, as data under `ca/profiles`, known by a hash of its content."""

from ca.profile.constraints import Constraints
from ca.profile.library import FOLDER, Profiles
from ca.profile.model import HolderKind, NameRule, Profile

__all__ = ["FOLDER", "Constraints", "HolderKind", "NameRule", "Profile", "Profiles"]
