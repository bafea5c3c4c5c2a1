"""The application as its faces see it: a store, and the core asked in the name of whoever is signed in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from apps.document.core import Core
from apps.document.desk import Desk
from apps.document.intake.records import INTAKES
from apps.document.manuscript.begin import sweep
from apps.document.manuscript.facts import Nearby
from apps.document.records import DOCUMENTS
from apps.document.settings import DocumentSettings
from apps.document.sites.advise import VERB as ADVISE
from apps.document.sites.advise import advise
from apps.document.sites.carry import Sites, pack
from apps.document.sites.report import VERB as REPORT
from apps.document.sites.report import tell
from apps.document.sites.take import Deliveries
from apps.document.states import COPIES
from yinxin.attachment import Attachments
from yinxin.clock import rfc3339
from yinxin.distribution import carry, longest, recount
from yinxin.exchange import Exchanging
from yinxin.module import Health
from yinxin.quota import Quotas
from yinxin.store import Store
from yinxin.text import Text
from yinxin.web.caller import Caller

#: what could not be taken to another site for so long is said
_LATE = timedelta(hours=1)


@dataclass(frozen=True)
class Documents:
    """Official documents. `core_for` gives the core as seen with a session token; `exchange` takes copies to other sites; `quotas` are kept elsewhere."""

    store: Store
    core_for: Callable[[str], Core]
    attachments: Attachments
    settings: DocumentSettings
    exchange: Exchanging
    quotas: Quotas

    def desk(self, caller: Caller, token: str) -> Desk:
        """The desk of a signed-in person."""
        return Desk(
            self.store, self.core_for(token), caller, self.attachments, self.settings, self.sites, self.quotas
        )

    @cached_property
    def sites(self) -> Sites:
        """The way to other sites."""
        return Sites(self.store, self.exchange)

    @cached_property
    def deliveries(self) -> Deliveries:
        """What takes in the documents of other sites."""
        return Deliveries(self.store, self.attachments, self.exchange, lambda: self.core_for("").calendar())

    @cached_property
    def nearby(self) -> Nearby:
        """The tree of organs as it was a moment ago, for those who type."""
        return Nearby()

    def sweep(self) -> int:
        """Give up manuscripts that nobody has touched for long; how many."""
        return sweep(self.store, self.settings.manuscript_days)

    def carry(self) -> int:
        """Send what waits for other sites, and tell them what became of what they sent and of what they have; how many messages.

        What cannot go rests and holds up nothing else; `health` says so when it lasts.
        """
        with TemporaryDirectory(prefix="yinxin-") as spool:
            packing = partial(pack, self.store, self.attachments, Path(spool))
            taken, _ = carry(COPIES, self.store, self.sites, packing)
        told, _ = tell(self.store, self.exchange)
        advised, _ = advise(self.store, self.exchange)
        return taken + told + advised

    def health(self) -> Health:
        """Whether what is for other sites gets into the outbox."""
        number, since, error = longest(self.store, COPIES.flow, REPORT, ADVISE)
        late = since is not None and since < self.store.clock.now() - _LATE
        facts = {"resting": number, "since": since and rfc3339(since), "error": error}
        if late:
            said = Text(
                f"{number} 份公文或回报超过一小时不能交给跨站点交换：{error}",
                f"documents or reports have waited for over an hour to be taken into the exchange: {number} ({error})",
            )
            return Health(ok=False, text=said, facts=facts)
        return Health(ok=True, text=Text("公文发送正常", "documents get away"), facts=facts)

    def recount(self) -> int:
        """Count the time to sign for copies, to countersign drafts, and to handle what came in, again where the calendar has changed since; how many are due at another time."""
        calendar = self.core_for("").calendar()
        of_copies = recount(COPIES, self.store, calendar)
        return of_copies + sum(each.recount(self.store, calendar) for each in (DOCUMENTS, INTAKES))
