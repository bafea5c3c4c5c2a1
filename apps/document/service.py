"""The application as its faces see it: a store, and the core asked in the name of whoever is signed in."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from apps.document.core import Core
from apps.document.desk import Desk
from apps.document.intake.records import INTAKES
from apps.document.settings import DocumentSettings
from apps.document.sites.carry import Sites, pack
from apps.document.sites.report import tell
from apps.document.sites.take import Deliveries
from apps.document.states import COPIES
from yinxin.attachment import Attachments
from yinxin.distribution import carry, recount
from yinxin.exchange import Exchanging
from yinxin.store import Store
from yinxin.web.caller import Caller


@dataclass(frozen=True)
class Documents:
    """Official documents. `core_for` gives the core as seen with a session token; `exchange` takes copies to other sites."""

    store: Store
    core_for: Callable[[str], Core]
    attachments: Attachments
    settings: DocumentSettings
    exchange: Exchanging

    def desk(self, caller: Caller, token: str) -> Desk:
        """The desk of a signed-in person."""
        return Desk(self.store, self.core_for(token), caller, self.attachments, self.settings, self.sites)

    @cached_property
    def sites(self) -> Sites:
        """The way to other sites."""
        return Sites(self.store, self.exchange)

    @cached_property
    def deliveries(self) -> Deliveries:
        """What takes in the documents of other sites."""
        return Deliveries(self.store, self.attachments, self.exchange, lambda: self.core_for("").calendar())

    def carry(self) -> int:
        """Send what waits for other sites, and tell them what became of what they sent; how many messages."""
        with TemporaryDirectory(prefix="yinxin-") as spool:
            packing = partial(pack, self.store, self.attachments, Path(spool))
            taken, failed = carry(COPIES, self.store, self.sites, packing)
        told, untold = tell(self.store, self.exchange)
        for error in (*failed, *untold):
            raise error
        return taken + told

    def recount(self) -> int:
        """Count the time to sign for copies, and to handle them, again where the calendar has changed since; how many are due at another time."""
        calendar = self.core_for("").calendar()
        return recount(COPIES, self.store, calendar) + INTAKES.recount(self.store, calendar)
