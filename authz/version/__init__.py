"""Policies as data: numbered, signed versions, of which the newest is in force."""

from authz.version.change import Change
from authz.version.versions import InForce, Version, Versions

__all__ = ["Change", "InForce", "Version", "Versions"]
