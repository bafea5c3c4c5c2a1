"""Keys that nobody should certify: those that arithmetic shows to be weak, and those known to be in other hands."""

from ca.keycheck.blocked import block, blocked, burdens, held, unburdened
from ca.keycheck.sound import sound

__all__ = ["block", "blocked", "burdens", "held", "sound", "unburdened"]
