"""Writing: a resource is made, replaced, patched or deleted by changes of the directory, in one recorded act.

What a client wants is worked out as the resource should be; what differs becomes changes (`authz.scim.plan`). They are
decided one by one, and made together, if the resource is still as the client saw it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from scim2_models import Context, PatchOp, SCIMException, ScimPolicy
from sqlalchemy.orm import Session

from authz.change import Changes
from authz.change.roles import of_power, proposed_only
from authz.directory.errors import AlreadyThere, NothingChanges
from authz.errors import UnknownOrgan
from authz.models import PersonRow, PostRow
from authz.scim import external
from authz.scim.client import WRITE, ScimClient
from authz.scim.errors import BadAttribute, MovedOn, NotByScim, Stale, Taken, TakesSeveral
from authz.scim.plan import Plan, creation, difference, removal
from authz.scim.problems import from_library
from authz.scim.seek import ORGANS, USERS, Kind
from authz.scim.service import Scim
from yinxin.authz import Denied, Resource
from yinxin.errors import YinxinError
from yinxin.store import Act, Store
from yinxin.text import Text

VERB = "authz.scim-write"
#: what is not kept here is passed over when a whole resource is sent, as the answer shows; in a PATCH it is an error
_WHOLE = ScimPolicy(unknown=ScimPolicy.Unknown.ignore)
_PATCH = ScimPolicy(remove_value_as_filter=ScimPolicy.RemoveValue.apply)
#: how often a change is worked out anew when others change the resource meanwhile
_TRIES = 3
#: whether a version (an entity tag) is one that the client named
Matches = Callable[[str], bool]


class Write:
    """Changes of the directory by SCIM."""

    def __init__(self, store: Store, scim: Scim, changes: Changes) -> None:
        self._store = store
        self._scim = scim
        self._changes = changes

    def create(self, client: ScimClient, kind: Kind, body: Any) -> Any:
        """The new resource; raises Taken, BadAttribute, BadSyntax, TakesSeveral, Denied."""
        with self._refusable(client, kind, "new"):
            wanted = kind.model.model_validate(
                body, scim_ctx=Context.RESOURCE_CREATION_REQUEST, scim_policy=_WHOLE
            )
            plan = creation(kind, client, wanted, self._store.identifier)
            with self._store.read() as session:
                self._members(session, client, plan)
            try:
                self._carry_out(client, kind, plan)
            except AlreadyThere as error:
                taken = Taken(attribute="userName", value=plan.id)
                taken.entry = error.entry
                raise taken from error
            return self._again(client, kind, plan.id)

    def replace(self, client: ScimClient, kind: Kind, id_: str, body: Any, matches: Matches | None) -> Any:
        """The resource as it is now; raises NoResource, Stale, NotMutable besides what `create` raises."""

        def wish(before: Any) -> Any:
            after = kind.model.model_validate(
                body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST, scim_policy=_WHOLE
            )
            after.replace(before)
            return after

        return self._alter(client, kind, id_, wish, matches)

    def modify(self, client: ScimClient, kind: Kind, id_: str, body: Any, matches: Matches | None) -> Any:
        """The resource as it is now; raises as `replace`, and BadPath, NoTarget."""

        def wish(before: Any) -> Any:
            patch: Any = PatchOp[kind.model].model_validate(  # type: ignore[name-defined]
                body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=_PATCH
            )
            after = before.model_copy(deep=True)
            patch.patch(after, scim_policy=_PATCH)
            return after

        return self._alter(client, kind, id_, wish, matches)

    def remove(self, client: ScimClient, kind: Kind, id_: str, matches: Matches | None) -> None:
        """Retire the person, or give up the post: it is gone for SCIM and stays on record; raises as `replace`."""
        with self._refusable(client, kind, id_):
            before = self._before(client, kind, id_, matches)
            self._carry_out(client, kind, removal(kind, before), before)

    def _alter(
        self, client: ScimClient, kind: Kind, id_: str, wish: Callable[[Any], Any], matches: Matches | None
    ) -> Any:
        with self._refusable(client, kind, id_):
            for attempt in range(_TRIES):
                before = self._before(client, kind, id_, matches)
                plan = difference(kind, before, wish(before))
                if not plan:
                    return before
                with self._store.read() as session:
                    self._members(session, client, plan)
                try:
                    self._carry_out(client, kind, plan, before)
                except MovedOn:
                    if attempt == _TRIES - 1:
                        raise
                else:
                    break
            return self._again(client, kind, id_)

    def _before(self, client: ScimClient, kind: Kind, id_: str, matches: Matches | None) -> Any:
        with self._store.read() as session:
            before = self._scim.look(session, client, kind, id_)
        if before is None:
            raise self._scim.unseen(client, kind, id_)
        if matches is not None and not matches(before.meta.version):
            raise Stale
        return before

    def _again(self, client: ScimClient, kind: Kind, id_: str) -> Any:
        """The resource after the change; gone from sight, it is told as it last was."""
        with self._store.read() as session:
            found = self._scim.look(session, client, kind, id_)
        if found is None:
            raise self._scim.unseen(client, kind, id_)
        return found

    def _members(self, session: Session, client: ScimClient, plan: Plan) -> None:
        """Nobody out of sight is given a post: she is answered like somebody who is not there; raises BadAttribute."""
        if plan.joining:
            seen = self._scim.seen_of(session, client, USERS, plan.joining)
            plan.hold_joining(seen)

    def _carry_out(self, client: ScimClient, kind: Kind, plan: Plan, before: Any = None) -> None:
        """Decide and make it; raises TakesSeveral for what a system may not and several people may."""
        try:
            self._changes.make_all(
                client.actor,
                (VERB, f"{kind.word}:{plan.id}"),
                Resource("Directory", plan.id, plan.organ or client.organ),
                plan.asked,
                within=lambda act, at: self._hold(
                    act, at, client=client, kind=kind, plan=plan, before=before
                ),
                taken=lambda: _first(plan, before),
            )
        except Denied as error:
            raise self._worded(plan, error) from error
        except UnknownOrgan as error:
            none = Text(f"没有机关 {plan.organ}", f"there is no organ {plan.organ}")
            raise BadAttribute(reason=none) from error
        except NothingChanges as error:
            raise MovedOn from error

    def _hold(
        self, act: Act, at: datetime, *, client: ScimClient, kind: Kind, plan: Plan, before: Any
    ) -> None:
        """Within the act: it is still as it was seen, and the client's own name for it is put down."""
        if before is not None:
            act.session.get(PersonRow if kind is USERS else PostRow, plan.id, with_for_update=True)
            now = self._scim.look(act.session, client, kind, plan.id)
            if now is None or now.meta.version != before.meta.version:
                raise MovedOn
        external.put(act, client, kind, plan, at)

    def _worded(self, plan: Plan, error: Denied) -> YinxinError:
        with self._store.read() as session:
            for change, given in plan.asked:
                resources = list(given or change.resources(session, self._store.clock.now()))
                if proposed_only(change, resources) or of_power(resources):
                    worded = TakesSeveral(subject=change.subject)
                    worded.entry = error.entry
                    return worded
        return error

    @contextmanager
    def _refusable(self, client: ScimClient, kind: Kind, id_: str) -> Iterator[None]:
        """What a client may not write at all is refused; what is refused inside is recorded, in our words."""
        try:
            try:
                client.need(WRITE)
                if kind is ORGANS:
                    raise NotByScim
                yield
            except (ValidationError, SCIMException) as error:
                raise from_library(error) from error
        except YinxinError as error:
            if error.status < 500:
                self._scim.refusals.record(client.actor, VERB, f"{kind.word}:{id_[:64]}", error)
            raise


__all__ = ["VERB", "Write"]


def _first(plan: Plan, before: Any) -> YinxinError:
    """What it means that another was first: to the name, or to the change."""
    if before is None and plan.external is None:
        return Taken(attribute="userName", value=plan.id)
    return MovedOn()
