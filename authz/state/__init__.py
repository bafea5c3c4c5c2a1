"""The state that decisions rest on: numbered by the database, looked up once and kept while the number stays."""

from authz.state.state import Acting, Facts, Moved, State

__all__ = ["Acting", "Facts", "Moved", "State"]
