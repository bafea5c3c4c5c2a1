"""Certificate profiles: what a kind of certificate says, as data under `ca/profiles`, known by a hash of its content."""

from ca.profile.library import FOLDER, Profiles
from ca.profile.model import HolderKind, NameRule, Profile

__all__ = ["FOLDER", "HolderKind", "NameRule", "Profile", "Profiles"]
