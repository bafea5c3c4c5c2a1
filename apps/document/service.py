"""The application as its faces see it: a store, and the core asked in the name of whoever is signed in."""

from collections.abc import Callable
from dataclasses import dataclass, field

from apps.document.core import Core
from apps.document.desk import Desk
from apps.document.intake.records import INTAKES
from apps.document.settings import DocumentSettings
from apps.document.states import COPIES
from yinxin.attachment import Attachments
from yinxin.distribution import Carrier, NoOtherSites, recount
from yinxin.store import Store
from yinxin.web.caller import Caller


@dataclass(frozen=True)
class Documents:
    """Official documents. `core_for` gives the core as seen with a session token; `carrier` takes copies to other sites."""

    store: Store
    core_for: Callable[[str], Core]
    attachments: Attachments
    settings: DocumentSettings
    carrier: Carrier = field(default_factory=NoOtherSites)

    def desk(self, caller: Caller, token: str) -> Desk:
        """The desk of a signed-in person."""
        return Desk(self.store, self.core_for(token), caller, self.attachments, self.settings, self.carrier)

    def recount(self) -> int:
        """Count the time to sign for copies, and to handle them, again where the calendar has changed since; how many are due at another time."""
        calendar = self.core_for("").calendar()
        return recount(COPIES, self.store, calendar) + INTAKES.recount(self.store, calendar)
