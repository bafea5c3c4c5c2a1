"""Making changes of the directory: asked first, then made in one recorded act, or rehearsed and undone."""

from typing import Any

from authz.change.base import Change, Differences
from authz.decide import Decisions
from authz.directory.errors import NothingChanges
from authz.directory.rehearse import rehearsal
from yinxin.act import Actor
from yinxin.authz import Resource
from yinxin.store import Store


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
        return differences

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

    def _permit(self, actor: Actor, change: Change) -> dict[str, Any]:
        """The record of the decision about the first thing asked about; all of them must be permitted."""
        with self._store.read() as session:
            asked = list(change.resources(session, self._store.clock.now()))
        decisions = [self._decisions.require(actor, change.verb, each) for each in asked]
        return decisions[0].record()
