"""List questions: what somebody may see of a table, as a condition in SQL that agrees with every single decision."""

from authz.visible.columns import Columns
from authz.visible.errors import NotExpressible
from authz.visible.visible import visible

__all__ = ["Columns", "NotExpressible", "visible"]
