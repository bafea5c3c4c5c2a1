"""List questions: what somebody may see of a table, as a condition that agrees with every single decision."""

from authz.visible.errors import NotExpressible
from authz.visible.listed import Listed
from authz.visible.visible import asker_of, visible

__all__ = ["Listed", "NotExpressible", "asker_of", "visible"]
