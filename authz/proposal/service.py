"""Proposals as one service: what commands, interfaces, pages and the modules themselves call."""

from collections.abc import Iterator
from typing import Any

from authz.checker import CertificateChecker
from authz.decide import Decisions
from authz.proposal import approve, find, refuse, withdraw
from authz.proposal.concerned import apart_from_concerned
from authz.proposal.context import READ, Context, Registered, Timestamps
from authz.proposal.execute import VERB as EXECUTE
from authz.proposal.execute import execute
from authz.proposal.expire import expire
from authz.proposal.find import Filter, Shown
from authz.proposal.judge import VERB as APPROVE
from authz.proposal.propose import propose
from authz.proposal.settings import ProposalSettings
from yinxin.act import Actor
from yinxin.crypto import cms
from yinxin.crypto.keys import Identity
from yinxin.errors import YinxinError
from yinxin.proposal import ProposalKind
from yinxin.store import Store

#: proposals that an export reads at a time
_PAGE = 200


class Proposals:
    """The proposals of this site. `site` names it in every statement that is signed."""

    def __init__(
        self,
        store: Store,
        decider: Decisions,
        checker: CertificateChecker,
        settings: ProposalSettings,
        *,
        site: str,
    ) -> None:
        self._ctx = Context(store, decider, checker, settings, site)

    # --- at assembly -------------------------------------------------------------------------------------------

    def register(self, kind: ProposalKind[Any, Any], service: Any) -> None:
        """Let `service` carry out proposals of this kind."""
        if kind.name in self._ctx.kinds:
            raise TypeError(f"two modules carry out {kind.name}")
        self._ctx.kinds[kind.name] = Registered(kind, service)

    def timestamped_by(self, authority: Timestamps) -> None:
        """From here on approvals are timestamped where `authority` can."""
        self._ctx.timestamps[:] = [authority]

    # --- asking ------------------------------------------------------------------------------------------------

    @property
    def kinds(self) -> tuple[ProposalKind[Any, Any], ...]:
        """The kinds by name."""
        return tuple(self._ctx.kinds[name].kind for name in sorted(self._ctx.kinds))

    def show(self, actor: Actor, id_: str) -> Shown:
        """One proposal; raises ProposalUnknown, DocumentAltered."""
        return find.show(self._ctx, self._ctx.seen(actor, READ, id_))

    def search(
        self, actor: Actor, wanted: Filter | None = None, *, after: str = "", limit: int = 50
    ) -> list[dict[str, Any]]:
        """Proposals that the actor may see, the newest first, a line each."""
        rows = find.search(self._ctx, actor, wanted or Filter(), after=after, limit=limit)
        return [find.line(self._ctx, row) for row in rows]

    def every(self, actor: Actor, wanted: Filter) -> Iterator[dict[str, Any]]:
        """All of them, page by page as they are taken."""
        page = self.search(actor, wanted, limit=_PAGE)
        while page:
            yield from page
            page = self.search(actor, wanted, after=page[-1]["id"], limit=_PAGE) if len(page) == _PAGE else []

    def executed(self, id_: str) -> find.CarriedOut | None:
        """A proposal, if it is on record, its document fits and it was carried out, with the approvals whose signatures hold.

        Who of the approvers was not entitled then is told apart (`authz.proposal.then`).
        """
        return find.executed(self._ctx, id_)

    def may(self, actor: Actor, verb: str, id_: str) -> bool:
        """Whether the actor would be let do this to it, as far as it is her affair alone; for showing a button."""
        row = self._ctx.seen(actor, READ, id_)
        if verb in (APPROVE, EXECUTE):
            try:
                apart_from_concerned(self._ctx, row, actor)
            except YinxinError:
                return False
        return self._ctx.decider.check(actor, verb, self._ctx.resource(row, given=row.needed)).allowed

    # --- acting ------------------------------------------------------------------------------------------------

    def propose(self, actor: Actor, kind: str, content: Any, *, reason: str = "", basis: str = "") -> Shown:
        """A new proposal; see `authz.proposal.propose`."""
        return find.show(self._ctx, propose(self._ctx, actor, kind, content, reason=reason, basis=basis))

    def statement(self, actor: Actor, id_: str) -> bytes:
        """What the actor signs to approve; see `authz.proposal.approve.statement`."""
        return approve.statement(self._ctx, actor, id_)

    def approve(self, actor: Actor, id_: str, signed: bytes, signature: bytes) -> Shown:
        """The actor's own approval; see `authz.proposal.approve.approve`."""
        return find.show(self._ctx, approve.approve(self._ctx, actor, id_, signed, signature))

    def sign(self, actor: Actor, identity: Identity, id_: str) -> bytes:
        """The actor's approval as a file, statement inside, for `submit`; signed on her own side. Raises as `statement`."""
        signed = self.statement(actor, id_)
        return cms.sign_attached(identity, signed, signed_at=self._ctx.store.clock.now())

    def submit(self, actor: Actor, id_: str, signature: bytes) -> Shown:
        """An approval that was signed elsewhere; see `authz.proposal.approve.submit`."""
        return find.show(self._ctx, approve.submit(self._ctx, actor, id_, signature))

    def refuse(self, actor: Actor, id_: str, reason: str) -> Shown:
        """End it; see `authz.proposal.refuse`."""
        return find.show(self._ctx, refuse.refuse(self._ctx, actor, id_, reason))

    def withdraw(self, actor: Actor, id_: str) -> Shown:
        """Take it back; see `authz.proposal.withdraw`."""
        return find.show(self._ctx, withdraw.withdraw(self._ctx, actor, id_))

    def execute(self, actor: Actor, id_: str) -> Shown:
        """Carry it out; see `authz.proposal.execute`."""
        return find.show(self._ctx, execute(self._ctx, actor, id_))

    def expire(self) -> int:
        """Close what is past its time; for the timer."""
        return expire(self._ctx)
