"""Making changes of the directory: asked first, then made in one recorded act, or rehearsed and undone."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from authz.change.base import Change, Differences
from authz.decide import Decisions
from authz.directory.errors import NothingChanges
from authz.directory.rehearse import rehearsal
from yinxin.act import Actor
from yinxin.authz import Resource
from yinxin.steps import step
from yinxin.store import Act, Store, Taken


class Changes:
    """The way every change of the directory goes, but for loading a whole file."""

    def __init__(self, store: Store, decisions: Decisions) -> None:
        self._store = store
        self._decisions = decisions

    def make(self, actor: Actor, change: Change) -> Differences:
        """Make the change and record it: one transaction, or nothing.

        Raises Denied, NothingChanges when all is so already, and what the change raises; refusals are recorded.
        """
        decision = self._permit(actor, change)
        with self._store.act(actor, change.verb, change.subject) as act:
            act.decision = decision
            differences = change.apply(act, self._store.clock.now())
            if not differences:
                raise NothingChanges(subject=change.subject)
            act.facts["differences"] = len(differences)
            step("authz.change.1-made")
        step("authz.change.2-recorded")
        return differences

    def make_all(
        self,
        actor: Actor,
        name: tuple[str, str],
        resource: Resource,
        changes: Sequence[tuple[Change, Sequence[Resource] | None]],
        *,
        within: Callable[[Act, datetime], None],
        taken: Taken | None = None,
    ) -> None:
        """Make several changes in one act of this (verb, subject), each with a record of its own; all, or nothing.

        `resource` is what the policies are asked about for the verb; of each change they are asked as when it is made
        alone, or about the resources beside it, for what is not there yet. `within` is called first inside the act; `taken`
        as `Store.act` has it.
        Raises as `make` does.
        """
        asked = [(change, self._permit(actor, change, given)) for change, given in changes]
        permission = self._decisions.require(actor, name[0], resource)
        with self._store.act(actor, *name, taken=taken) as act:
            act.decision = permission.record()
            at = self._store.clock.now()
            within(act, at)
            for change, decision in asked:
                id_ = self._store.identifier()
                one = Act(id_, actor, change.verb, change.subject, act.session, decision=decision)
                differences = change.apply(one, at)
                if not differences:
                    raise NothingChanges(subject=change.subject)
                one.facts["differences"] = len(differences)
                act.further.append(one)
            act.facts["changes"] = len(asked)

    def rehearse(self, actor: Actor, change: Change) -> Differences:
        """What the change would make different; raises as `make` does and changes nothing.

        Whoever may propose it may rehearse it, also what nobody makes alone.
        """
        with self._store.read() as session:
            asked = list(change.resources(session, self._store.clock.now()))
        for organ in sorted({each.organ for each in asked}):
            self._decisions.require(actor, "authz.rehearse-change", Resource("Directory", "directory", organ))
        with rehearsal(self._store, actor, change.verb, change.subject) as act:
            differences = change.apply(act, self._store.clock.now())
        if not differences:
            raise NothingChanges(subject=change.subject)
        return differences

    def _permit(
        self, actor: Actor, change: Change, given: Sequence[Resource] | None = None
    ) -> dict[str, Any]:
        """The record of the decision about the first thing asked about; all of them must be permitted."""
        with self._store.read() as session:
            asked = list(given or change.resources(session, self._store.clock.now()))
        decisions = [self._decisions.require(actor, change.verb, each) for each in asked]
        return decisions[0].record()
