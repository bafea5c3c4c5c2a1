"""Applications as one service: applicants submit and withdraw, officers vet and decide."""

from collections.abc import Sequence
from typing import Any

from ca.context import Context
from ca.registration import decide, find, finish, submit, vet
from ca.registration.errors import NotYourRegistration
from ca.registration.find import Wanted, resource_of
from ca.registration.models import RegistrationRow
from ca.registration.vet import Check
from ca.request import IssueRequest, Order
from yinxin.act import Actor, Kind
from yinxin.authz import PLATFORM, Decider, Resource
from yinxin.crypto.certificates import Certificate
from yinxin.errors import YinxinError

READ = "ca.read"


class Registrations:
    """The applications of this site; one per process, shared by its threads."""

    def __init__(self, ctx: Context, decider: Decider) -> None:
        self._ctx = ctx
        self._decider = decider

    # --- applicants --------------------------------------------------------------------------------------------

    def submit(self, actor: Actor, request: IssueRequest, *, pair: bool = False) -> RegistrationRow:
        """Apply for a certificate of one's own, or of one's organ or its services; or for a pair, whose signing half it is.

        Raises Denied, RegistrationReused, TooManyOpen, and what `ca.registration.submit.examined` finds wrong.
        """
        try:
            order = submit.examined(self._ctx, request, pair=pair)
        except YinxinError as error:
            self._ctx.store.refuse(actor, submit.VERB, f"registration:{request.reference}", error)
            raise
        decision = self._may_apply(actor, order)
        return submit.submit(self._ctx, actor, request, order, decision, pair=pair)

    def withdraw(self, actor: Actor, id_: str) -> RegistrationRow:
        """Take one's own application back; raises UnknownRegistration, NotYourRegistration, WrongState."""
        row = self._found(actor, decide.WITHDRAW, id_)
        if row.applicant != actor.id:
            error = NotYourRegistration(registration=row.id)
            self._ctx.store.refuse(actor, decide.WITHDRAW, f"registration:{row.id}", error)
            raise error
        return decide.withdraw(self._ctx, actor, row.id, {"own": True})

    # --- officers ----------------------------------------------------------------------------------------------

    def vet(self, actor: Actor, id_: str, checks: Sequence[Check]) -> RegistrationRow:
        """Record what was checked; raises UnknownRegistration, Denied, BadCheck, WrongState."""
        row = self._found(actor, vet.VERB, id_)
        return vet.vet(self._ctx, actor, row.id, checks, self._permitted(actor, vet.VERB, row))

    def approve(self, actor: Actor, id_: str) -> RegistrationRow:
        """Approve and issue; raises UnknownRegistration, Denied, WrongState, and what issuing raises."""
        row = self._found(actor, decide.APPROVE, id_)
        return decide.approve(self._ctx, actor, row, self._permitted(actor, decide.APPROVE, row))

    def refuse(self, actor: Actor, id_: str, reason: str) -> RegistrationRow:
        """Refuse, for a reason that the applicant will read; raises UnknownRegistration, Denied, BadCheck, WrongState."""
        row = self._found(actor, decide.REFUSE, id_)
        return decide.refuse(self._ctx, actor, row.id, reason, self._permitted(actor, decide.REFUSE, row))

    def may(self, actor: Actor, verb: str, row: RegistrationRow) -> bool:
        """Whether the policies would let the actor; for showing a button."""
        return self._decider.check(actor, verb, resource_of(row)).allowed

    # --- readers -----------------------------------------------------------------------------------------------

    def show(self, actor: Actor, id_: str) -> RegistrationRow:
        """One application; raises UnknownRegistration, Denied."""
        row = find.find(self._ctx.store, id_)
        self._permitted(actor, READ, row)
        return row

    def certificate(self, actor: Actor, id_: str) -> tuple[Certificate, ...]:
        """The certificate of an application and those above it; raises UnknownRegistration, Denied, WrongState."""
        return find.certificate_of(self._ctx, self.show(actor, id_))

    def search(
        self, actor: Actor, wanted: Wanted, *, after: str = "", limit: int = 100
    ) -> Sequence[RegistrationRow]:
        """A page of one's own applications, or of those of the organ that is asked for; raises Denied, UnknownOrgan."""
        if wanted.applicant != actor.id:
            organ = wanted.organ or actor.organ or PLATFORM
            wanted = Wanted(organ, wanted.state, wanted.applicant, wanted.holder)
            everybody = {"profile": "*", "applicant": "*", "person": "*", "vetter": "*"}
            self._decider.require(actor, READ, Resource("Registration", "*", organ, attributes=everybody))
        return find.search(self._ctx.store, wanted, after=after, limit=limit)

    def tend(self) -> None:
        """Expire what is over, issue what was approved and cut off; for the timer."""
        finish.tend(self._ctx)

    def _may_apply(self, actor: Actor, order: Order) -> dict[str, Any]:
        holder = order.holder
        if actor.kind is Kind.PERSON and (holder.kind, holder.id) == ("person", actor.id):
            return {"own": True}
        person = holder.id if holder.kind == "person" else ""
        attributes = {"profile": order.profile.name, "applicant": actor.id, "person": person, "vetter": ""}
        resource = Resource("Registration", "new", holder.organ or PLATFORM, attributes=attributes)
        return self._decider.require(actor, submit.VERB, resource).record()

    def _found(self, actor: Actor, verb: str, id_: str) -> RegistrationRow:
        try:
            return find.find(self._ctx.store, id_)
        except YinxinError as error:
            self._ctx.store.refuse(actor, verb, f"registration:{id_[:40]}", error)
            raise

    def _permitted(self, actor: Actor, verb: str, row: RegistrationRow) -> dict[str, Any]:
        return self._decider.require(actor, verb, resource_of(row)).record()
