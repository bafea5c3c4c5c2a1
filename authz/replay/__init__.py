"""Decisions taken again: what an entry of the log records, decided anew with the policies and facts of that time."""

from authz.replay.replay import Replayed, Replays

__all__ = ["Replayed", "Replays"]
