"""The registers of seals as one service: what commands, interfaces and pages call."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from audit.entries import Entry
from audit.errors import EntryNotFound
from authz.directory import Directory
from ca.service import Authority
from kms.service import KeyCentre
from seal import change, find, make, status, use
from seal.change import Reason
from seal.find import Filter, Registered, Use, UseFilter
from seal.plan import SealPlan
from yinxin.act import SYSTEM, Actor
from yinxin.authz import PLATFORM, Decider, Resource
from yinxin.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

READ = "seal.read"
#: rows that an export reads at a time
_PAGE = 200


class Log(Protocol):
    """The log, as far as the approval of a use is looked for in it."""

    def entry(self, event: str) -> Entry: ...

    def sequence(self) -> int: ...


class Seals:
    """Seals of this site: who has which, what became of them, and every use."""

    def __init__(
        self,
        store: Store,
        keys: KeyCentre,
        authority: Authority,
        *,
        directory: Directory,
        decider: Decider,
        log: "Callable[[], Log]",
    ) -> None:
        self.store = store
        self.keys = keys
        self.authority = authority
        self.directory = directory
        self.decider = decider
        self._log = log

    def entry(self, event: str) -> Entry:
        """An entry of the log, entered now if it still waits to be; raises EntryNotFound."""
        log = self._log()
        try:
            return log.entry(event)
        except EntryNotFound:
            log.sequence()
            return log.entry(event)

    # --- looking -----------------------------------------------------------------------------------------------

    def show(self, actor: Actor, id_: str) -> Registered:
        """One seal; raises SealUnknown, Denied."""
        found = find.seal(self.store, id_)
        self.decider.require(actor, READ, found.resource())
        return found

    def of_organ(self, actor: Actor, organ: str) -> Registered:
        """The organ's own seal in use; raises NoSealOfOrgan, Denied."""
        self._may_read(actor, organ)
        return find.of_organ(self.store, organ)

    def search(self, actor: Actor, wanted: Filter, *, after: str = "", limit: int = 50) -> list[Registered]:
        """Seals of an organ and those below (the actor's own, unless the filter names one); raises Denied."""
        organ = wanted.organ or actor.organ or PLATFORM
        self._may_read(actor, organ)
        return find.search(self.store, replace(wanted, organ=organ), after=after, limit=limit)

    def uses(self, actor: Actor, wanted: UseFilter, *, after: str = "", limit: int = 50) -> list[Use]:
        """Uses of the seals of an organ and those below, or of one seal; raises SealUnknown, Denied."""
        organ = find.seal(self.store, wanted.seal).organ if wanted.seal else wanted.organ
        organ = organ or actor.organ or PLATFORM
        self._may_read(actor, organ)
        return find.uses(self.store, replace(wanted, organ=organ), after=after, limit=limit)

    def every_use(self, actor: Actor, wanted: UseFilter) -> Iterator[Use]:
        """All of them, page by page as they are taken; raises as `uses`, before the first."""
        page = self.uses(actor, wanted, limit=_PAGE)
        while page:
            yield from page
            page = self.uses(actor, wanted, after=page[-1].id, limit=_PAGE) if len(page) == _PAGE else []

    def status_list(self) -> bytes:
        """How every seal of this site stands, signed by the seal maker; see `seal.status`. Raises NoSealMaker."""
        return status.status_list(self)

    def may(self, actor: Actor, verb: str, found: Registered) -> bool:
        """Whether the policies would let the actor; for showing a button."""
        return self.decider.check(actor, verb, found.resource()).allowed

    def _may_read(self, actor: Actor, organ: str) -> None:
        attributes = {"sort": "", "keeper": "", "holder": "", "approval": ""}
        self.decider.require(actor, READ, Resource("Seal", "*", organ=organ, attributes=attributes))

    # --- acting ------------------------------------------------------------------------------------------------

    def found(self, plan: SealPlan, reference: str) -> Registered:
        """A seal that belongs to the founding of the site, which has nobody yet to approve it; see `seal.make.make`."""
        return make.make(self, SYSTEM, plan, reference)

    def suspend(self, actor: Actor, id_: str, reason: Reason) -> Registered:
        """Take it out of use at once; see `seal.change.suspend`."""
        return change.suspend(self, actor, id_, reason)

    def hand_over(self, actor: Actor, id_: str, post: str) -> Registered:
        """Another post keeps it; see `seal.change.hand_over`."""
        return change.hand_over(self, actor, id_, post)

    def begin_use(self, actor: Actor, id_: str, purpose: use.Purpose) -> Use:
        """Begin a use; see `seal.use.begin`."""
        return use.begin(self, actor, id_, purpose)

    def sign(self, actor: Actor, id_: str, suite: str, digest: bytes) -> bytes:
        """A signature of a use; see `seal.use.sign`."""
        return use.sign(self, actor, id_, suite, digest)

    def finish_use(self, actor: Actor, id_: str, *, sha256: str, sm3: str) -> Use:
        """The end of a use; see `seal.use.finish`."""
        return use.finish(self, actor, id_, sha256=sha256, sm3=sm3)
