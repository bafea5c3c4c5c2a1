"""Each row as issuance would see it, without issuing: what a dry run tells, and what a run begins with."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ca.bulk.errors import RowTwice
from ca.bulk.read import Entry, Table
from ca.context import Context
from ca.issue import VERB, open_profile
from ca.permit import wanted_for
from ca.request import Application, IssueRequest, Register, examine
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Decider, Denied, Resource
from yinxin.crypto.keys import PrivateKey
from yinxin.crypto.names import Name
from yinxin.crypto.suite import Suite
from yinxin.errors import YinxinError

#: rows whose holders are looked up together
AHEAD = 1000

Decisions = dict[tuple[str, str], Mapping[str, Any] | YinxinError]


class Judge:
    """Judges rows for one officer; one decision for each organ and profile."""

    def __init__(self, ctx: Context, decider: Decider, actor: Actor, suite: Suite) -> None:
        self._ctx, self._decider, self._actor = ctx, decider, actor
        self._decisions: Decisions = {}
        #: stands for the keys that are yet to be made
        self._sample = Application(PrivateKey.generate(suite).public_key, Name.of({}))

    def rows(self, table: Table, only: Collection[int] | None = None) -> dict[int, Entry | YinxinError]:
        """Rows by their number, all or `only` these: the entry, its holder's organ filled in, or what would be refused."""
        judged: dict[int, Entry | YinxinError] = {}
        wanted = [each for each in _told_apart(table) if only is None or each[0] in only]
        register: Register = self._ctx.register
        for place, (number, row) in enumerate(wanted):
            if place % AHEAD == 0:
                register = self._ahead(row for _, row in wanted[place : place + AHEAD])
            judged[number] = row if isinstance(row, YinxinError) else self._judged(row, register)
        return judged

    def _judged(self, row: Entry, register: Register) -> Entry | YinxinError:
        try:
            request = IssueRequest("judged", row.profile, row.csr or self._sample, row.holder, row.days)
            order = examine(request, open_profile(self._ctx, row.profile), register, self._ctx.settings)
            self._ctx.issuers.issuing(order.authority)
            wanted_for("batch", order.holder, row.profile, register)
            self.decision(order.holder.organ or PLATFORM, row.profile)
        except YinxinError as error:
            return error
        return replace(row, holder=order.holder)

    def _ahead(self, rows: Iterable[Entry | YinxinError]) -> Register:
        """The register that knows these people by heart."""
        return self._ctx.register.ahead([row.holder for row in rows if isinstance(row, Entry)])

    def decision(self, organ: str, profile: str) -> Mapping[str, Any]:
        """The permission to issue such certificates; raises Denied, UnknownOrgan. Not recorded: the issuing act is."""
        found = self._decisions.get((organ, profile))
        if found is None:
            found = self._decisions[organ, profile] = self._ask(organ, profile)
        if isinstance(found, YinxinError):
            raise found
        return found

    def _ask(self, organ: str, profile: str) -> Mapping[str, Any] | YinxinError:
        resource = Resource(
            "Certificate", "batch", organ=organ, attributes={"profile": profile, "of_power": False}
        )
        try:
            decision = self._decider.check(self._actor, VERB, resource)
        except YinxinError as error:
            return error
        if not decision.allowed:
            return Denied(action=VERB, resource=str(resource), reason=decision.reason)
        return decision.record()


def refusals(judged: Mapping[int, Entry | YinxinError]) -> Iterable[tuple[int, YinxinError]]:
    """The rows that would be refused, and why."""
    return ((number, row) for number, row in judged.items() if isinstance(row, YinxinError))


def _told_apart(table: Table) -> Iterator[tuple[int, Entry | YinxinError]]:
    """Every row by its number; for one that repeats an earlier one, that it does."""
    first: dict[tuple[str, ...], int] = {}
    for number, row in table.rows.items():
        if isinstance(row, Entry):
            try:
                _once(row, first)
            except RowTwice as error:
                yield number, error
                continue
        yield number, row


def _once(row: Entry, first: dict[tuple[str, ...], int]) -> None:
    """Neither its reference nor its holder in this post and profile stands in an earlier row."""
    holder = row.holder
    keys: list[tuple[str, ...]] = [("holder", holder.kind, holder.id, holder.post or "", row.profile)]
    if row.reference:
        keys.append(("reference", row.reference))
    for key in keys:
        if (earlier := first.setdefault(key, row.number)) != row.number:
            raise RowTwice(row=earlier)
