"""Issuance on the quick way (`yinxin.web.quick`): those who ask for one certificate each, read by the server's own thread, are a batch.

The steps are those of `ca.issue_many`, and so are the records. Two things are different. What it rests on that a caller is who
she is (session, certificate, appointments, and by their number directory, grants and policies) is asked before anything is done, and
once more in the transaction of the intents, which also claims the idempotency keys; the transaction of the results keeps the answers. And nobody
is refused here: whoever cannot be served goes the ordinary way, with nothing recorded and the key free, and is refused there.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import Context as Surroundings
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from ca.context import Context
from ca.issue import Asked, Issued, Wanted, give_up
from ca.issue_many import Batch, Work
from ca.permit import permitted
from ca.request import IssueRequest, Register
from yinxin import premise
from yinxin.act import SYSTEM
from yinxin.errors import YinxinError
from yinxin.gather import Window
from yinxin.store import Act
from yinxin.web import Bid, Known, QuickAnswer, Wished
from yinxin.web.idempotency import Begun, Claim, Hold, begun, holding, known, release

_log = logging.getLogger("yinxin.ca")

#: certificates that share a transaction here: who comes while they are made waits for them
MOST = 64
#: of the answer that is kept
_CREATED = 201


@dataclass(frozen=True, slots=True)
class Wish:
    """A certificate that somebody who is known asks for."""

    known: Known
    claim: Claim
    request: IssueRequest


class QuickIssue:
    """The quick way (`yinxin.web.quick.Quick`) of the operation that issues one certificate: of bodies as `request_of` reads them.

    `out` is what is said of a certificate.
    """

    def __init__(
        self, ctx: Context, request_of: Callable[[Any], IssueRequest], out: Callable[[Issued], BaseModel]
    ) -> None:
        self._ctx = ctx
        self._request_of = request_of
        self._out = out
        self.window: Window[Wish, QuickAnswer] = Window(MOST, self._serve)

    def __call__(self, known: Known, bid: Bid, body: Any, **_path: str) -> QuickAnswer | None:
        """Issue it together with whoever asks at the same time; None where it has to go the ordinary way."""
        wish = self._wish(known, bid, body)
        return None if wish is None else self.window.join(wish)

    def wished(self, known: Known, bid: Bid, body: Any, **_path: str) -> Wished | None:
        """The certificate, to be asked for at the window."""
        wish = self._wish(known, bid, body)
        return None if wish is None else Wished(self.window, wish, _as_it_is)

    def _wish(self, known: Known, bid: Bid, body: Any) -> Wish | None:
        return None if bid.claim is None else Wish(known, bid.claim, self._request_of(body))

    def _serve(self, group: Sequence[Wish]) -> Sequence[QuickAnswer | None]:
        """Each one's answer; None for one that nothing was done for, or that is answered by what was kept for it."""
        now = self._ctx.store.clock.now()
        answers: list[QuickAnswer | None] = [None] * len(group)
        try:
            fresh = {place: begun(group[place].claim, now) for place in self._fresh(group, now)}
        except YinxinError:  # nothing was done: each finds its own reason
            return answers
        if not fresh:
            return answers
        asked = [
            Asked(
                group[place].known.caller.actor,
                Wanted(group[place].request, told=partial(self._told, each.hold), ask=True),
                each.surroundings,
            )
            for place, each in fresh.items()
        ]
        batch = _Quickly(self._ctx, asked, [group[place].known for place in fresh])
        try:
            Surroundings().run(batch.carry_out)
        except Exception:  # noqa: BLE001 - whatever it was, each finds its own reason
            _log.exception("%d requests could not be issued together and go alone", len(asked))
        for number, (place, each) in enumerate(fresh.items()):
            answers[place] = self._answer(each, batch.answers.get(number))
        return answers

    def _fresh(self, group: Sequence[Wish], now: datetime) -> Sequence[int]:
        """The places of callers who are still who they were, and whose key nobody has or had, nor another one before them here."""
        fresh: list[int] = []
        with self._ctx.store.look() as look:
            seen = set(known(look, [each.claim for each in group]))
            holds = _Holding(premise.Asked(look, now))
            for place, each in enumerate(group):
                key = (each.claim.caller, each.claim.key)
                if key not in seen and holds(each.known):
                    seen.add(key)
                    fresh.append(place)
        return fresh

    def _told(self, hold: Hold, session: Session, issued: Issued) -> None:
        hold.answer(session, _CREATED, self._out(issued).model_dump_json().encode())

    def _answer(self, own: Begun, made: Issued | Exception | None) -> QuickAnswer | None:
        hold = own.hold
        if isinstance(made, Issued) and hold.kept is not None:
            return QuickAnswer(hold.kept.body, ", ".join(own.entries))
        if hold.tried:
            # an intent that was given up, or none: the key is free. What may have been done all the same stays under it
            try:
                release(self._ctx.store, hold.claim)
            except YinxinError:
                _log.exception("a key could not be given back; it is free when its lease ends")
        return None


class _Quickly(Batch):
    """A batch of callers who are `known`, by the places of the group; nobody is refused."""

    def __init__(self, ctx: Context, group: Sequence[Asked], callers: Sequence[Known]) -> None:
        super().__init__(ctx, SYSTEM, group)
        self._callers = callers

    def _refuse(self, place: int, asked: Asked, error: YinxinError) -> None:
        """It goes the ordinary way, and hears it there."""

    def _permitted(self, register: Register) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
        for place, decision in enumerate(permitted(self._ctx, self._group, register)):
            if decision is not None:
                yield place, decision

    def _still(self, act: Act, works: list[Work]) -> list[Work]:
        """Those whose callers are still who they were."""
        holds = _Holding(premise.Asked(act.connection, self._ctx.store.clock.now()))
        return [work for work in works if holds(self._callers[work.place])]

    def _give_up(self, work: Work, error: Exception) -> None:  # noqa: ARG002 - it is met again on the ordinary way
        """Recorded for its request, and no act under its key: that is given back."""
        work.asked.surroundings.run(_unclaimed, self._ctx, work)


def _unclaimed(ctx: Context, work: Work) -> None:
    with holding(None):
        give_up(ctx, work.asked.actor, work.ready.serial)


class _Holding:
    """Whether callers are still who they were, each asked once."""

    def __init__(self, asked: premise.Asked) -> None:
        self._asked = asked
        self._held: dict[Known, bool] = {}

    def __call__(self, caller: Known) -> bool:
        if caller not in self._held:
            try:
                self._asked.hold(caller.premises)
                self._held[caller] = True
            except premise.Outdated:
                self._held[caller] = False
        return self._held[caller]


def _as_it_is(answer: QuickAnswer) -> QuickAnswer:
    return answer
