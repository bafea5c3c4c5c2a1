"""The state that decisions rest on: numbered by the database, looked up once and kept while the number stays."""

from authz.state.state import Acting, AtNumber, Facts, Moved, State, number_now

__all__ = ["Acting", "AtNumber", "Facts", "Moved", "State", "number_now"]
