"""Tables beside the entries whose rows the log accounts for: what was decided, and what was done and kept."""

from audit.state.decided import check_decided
from audit.state.recorded import Recorded
from audit.state.rows import AccountedRows

__all__ = ["AccountedRows", "Recorded", "check_decided"]
