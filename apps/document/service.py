"""The application as its faces see it: a store, and the core asked in the name of whoever is signed in."""

from collections.abc import Callable
from dataclasses import dataclass

from apps.document.core import Core
from apps.document.desk import Desk
from yinxin.attachment import Attachments
from yinxin.store import Store
from yinxin.web.caller import Caller


@dataclass(frozen=True)
class Documents:
    """Official documents. `core_for` gives the core as seen with a session token."""

    store: Store
    core_for: Callable[[str], Core]
    attachments: Attachments

    def desk(self, caller: Caller, token: str) -> Desk:
        """The desk of a signed-in person."""
        return Desk(self.store, self.core_for(token), caller, self.attachments)
