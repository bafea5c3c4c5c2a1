"""Issuance in bulk: the same five steps as `ca.issue`, each taken by many certificates together.

Every certificate keeps everything it has alone: its serial number, its one-shot token, its own intent on record before
the security module is asked, its own verified signature, its own record of the outcome. What is shared is the
transaction: one that writes all intents down, one that stores what was signed. A certificate that stands in the way of
the others, because a reference, key or appointment changed meanwhile, is taken out and goes its own way.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextvars import Context as Surroundings
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from authz.bind import Binding, bind_many
from ca.context import TOGETHER, Context
from ca.errors import KeyInUse
from ca.intent import complete, facts_of, intent_row, keep_intents, keep_profile
from ca.issue import (
    VERB,
    Asked,
    Issued,
    Wanted,
    completed,
    give_up,
    issue_alone,
    open_profile,
    store_issued,
)
from ca.issuer import Issuer
from ca.keycheck import blocked, burdens, held
from ca.models import CertificateRow, State
from ca.permit import permit_all
from ca.prepare import Prepared, prepare
from ca.request import Order, Register, examine
from ca.sign import sign
from yinxin.act import SYSTEM, Actor, Outcome
from yinxin.errors import YinxinError
from yinxin.steps import step
from yinxin.store import Act, Sql, as_good, listed

__all__ = ["Answer", "Batch", "Wanted", "Work", "issue_each", "issue_many", "issue_together"]

_log = logging.getLogger("yinxin.ca")

Answer = Issued | YinxinError


@dataclass(eq=False)
class Work:
    """One certificate on its way, step by step."""

    place: int
    asked: Asked
    order: Order
    issuer: Issuer
    decision: Mapping[str, Any] | None
    prepared: Prepared | None = None
    #: its intent, as written down
    row: Mapping[str, Any] = field(default_factory=dict)
    issued: Issued | None = None

    @property
    def ready(self) -> Prepared:
        """Octets and token; there from step two on."""
        if self.prepared is None:
            raise TypeError("not prepared")
        return self.prepared


def issue_many(ctx: Context, actor: Actor, wanted: Sequence[Wanted]) -> list[Answer]:
    """The certificate, or what was wrong, for each request, in their order; refusals are recorded each.

    A reference gives one certificate, as with `issue`, also when it stands in the list twice. Raises only what is no
    refusal: a fault of the platform, after which the intents are given up, at once or by `reconcile`.
    """
    answers: list[Answer] = []
    for begin in range(0, len(wanted), TOGETHER):
        asked = [Asked(actor, each) for each in wanted[begin : begin + TOGETHER]]
        batch = Batch(ctx, actor, asked)
        batch.carry_out()
        for place, each in enumerate(asked):
            # what could not go with the others: references that stood there before, or twice
            answer = batch.answers.get(place) or _alone(ctx, each)
            if not isinstance(answer, Answer):
                raise answer
            answers.append(answer)
    return answers


def issue_together(ctx: Context, group: Sequence[Asked]) -> list[Issued | Exception | None]:
    """The same for requests of several callers, each recorded as its own; None for one that must go alone.

    The batch itself is the platform's act, in no request's surroundings. It raises nothing: when it fails as a whole,
    each goes alone and finds its own reason.
    """
    batch = Batch(ctx, SYSTEM, group)
    try:
        Surroundings().run(batch.carry_out)
    except Exception:  # noqa: BLE001 - whatever it was, each finds its own reason
        _log.exception("%d requests could not be issued together and go alone", len(group))
    return [batch.answers.get(place) for place in range(len(group))]


def issue_each(ctx: Context, group: Sequence[Asked]) -> list[Issued | Exception]:
    """The same for whoever brings several callers' requests: who must go alone does so here, in its own surroundings."""
    answers = issue_together(ctx, group) if len(group) > 1 else [None]
    return [
        each or asked.surroundings.run(_alone_at_least, ctx, asked)
        for each, asked in zip(answers, group, strict=True)
    ]


def _alone_at_least(ctx: Context, asked: Asked) -> Issued | Exception:
    try:
        return issue_alone(ctx, asked)
    except Exception as error:  # noqa: BLE001 - it is this request's answer, and nobody else's
        return error


def _alone(ctx: Context, asked: Asked) -> Answer:
    try:
        return issue_alone(ctx, asked)
    except YinxinError as error:
        return error


class Batch:
    """Requests on their way together; `actor` is whose act the batch itself is."""

    def __init__(self, ctx: Context, actor: Actor, group: Sequence[Asked]) -> None:
        self._ctx, self._actor, self._group = ctx, actor, group
        #: by place in the group
        self.answers: dict[int, Issued | Exception] = {}
        self._issuers: dict[str, Issuer] = {}

    def carry_out(self) -> None:
        # one batch at a time thinks: two would take the interpreter from each other at every statement
        with self._ctx.turn:
            # 1. every request is held against its profile, the directory and what its reference already gave
            works = list(self._examined())
            # 2. serial numbers, octets, lint
            works = [ready for each in works if (ready := self._prepared(each)) is not None]
            step("ca.issue-many.2-linted")
            # 3. all intents that the keys' histories allow, in one transaction
            works = self._intended(works) if works else []
            step("ca.issue-many.3-intended")
        # 4. each signed and verified; another batch goes on while the module is waited for
        works = list(self._signed(works))
        step("ca.issue-many.4-signed")
        with self._ctx.turn:
            # 5. all stored and bound in one transaction; only then handed out
            self._stored(works)
            step("ca.issue-many.5-stored")

    def _issuer(self, authority: str) -> Issuer:
        """Who signs for an authority in this batch, with one signer for all of it; raises UnknownAuthority."""
        if authority not in self._issuers:
            issuer = self._ctx.issuers.issuing(authority)
            self._issuers[authority] = replace(issuer, signer=cache(issuer.signer))
        return self._issuers[authority]

    def _refuse(self, place: int, asked: Asked, error: YinxinError) -> None:
        subject = f"reference:{asked.wanted.request.reference}"
        asked.surroundings.run(self._ctx.store.refuse, asked.actor, VERB, subject, error)
        self.answers[place] = error

    def _give_up(self, work: Work, error: Exception) -> None:
        work.asked.surroundings.run(give_up, self._ctx, work.asked.actor, work.ready.serial)
        self.answers[work.place] = error

    def _examined(self) -> Iterator[Work]:
        ctx, requests = self._ctx, [each.wanted.request for each in self._group]
        register = ctx.register.ahead([each.holder for each in requests])
        seen = _used(ctx, [each.reference for each in requests])
        decisions = dict(self._permitted(register))
        for place, (asked, request) in enumerate(zip(self._group, requests, strict=True)):
            if place not in decisions or request.reference in seen:
                continue
            try:
                profile, reserved = open_profile(ctx, request.profile), asked.wanted.reserved
                order = examine(request, profile, register, ctx.settings, reserved=reserved)
                work = Work(place, asked, order, self._issuer(order.authority), decisions[place])
            except YinxinError as error:
                self._refuse(place, asked, error)
                continue
            seen.add(request.reference)
            yield work

    def _permitted(self, register: Register) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
        """The decision that permits each, by place; who is refused has the answer."""
        asking = [place for place, each in enumerate(self._group) if each.wanted.ask]
        said = permit_all(self._ctx, [self._group[place] for place in asking], register) if asking else []
        for place, answer in zip(asking, said, strict=True):
            if isinstance(answer, YinxinError):
                self.answers[place] = answer
            else:
                yield place, answer
        for place, each in enumerate(self._group):
            if not each.wanted.ask:
                yield place, each.wanted.decision

    def _prepared(self, work: Work) -> Work | None:
        store = self._ctx.store
        try:
            made = prepare(work.order, work.issuer, self._ctx.settings, store.clock, store.randomness)
        except YinxinError as error:
            self._refuse(work.place, work.asked, error)
            return None
        work.prepared = made
        return work

    def _intended(self, works: list[Work]) -> list[Work]:
        ctx = self._ctx
        refused: list[tuple[Work, YinxinError]] = []
        allowed: list[Work] = []
        try:
            subject = f"batch:{ctx.store.identifier()}"
            with ctx.store.act(self._actor, VERB, subject, outcome=Outcome.INTENT, taken=as_good) as act:
                mine, now = dict[str, Work](), ctx.store.clock.now()
                held(act.session, [work.order for work in works])
                works = self._still(act, works)
                against = burdens(act.session, [work.order for work in works])
                for work, burden in zip(works, against, strict=True):
                    reason = burden or _together(mine.setdefault(work.order.spki_digest, work), work)
                    if reason is not None:
                        refused.append((work, reason))
                    else:
                        work.row = intent_row(work.asked.actor, work.order, work.issuer, work.ready, at=now)
                        allowed.append(work)
                # in one order everywhere, as are the intents
                for _, work in sorted({work.order.profile.hash: work for work in allowed}.items()):
                    keep_profile(act.session, work.order)
                if allowed:
                    keep_intents(act.session, *((each.ready, each.row) for each in allowed))
                for work in allowed:
                    facts = facts_of(work.order, work.issuer, work.ready)
                    _record(ctx, act, work, work.decision, facts)
                act.facts["certificates"] = len(allowed)
        except IntegrityError:
            # another worker took one of the references: nobody's intent was written, each goes its own way
            return []
        for work, reason in refused:
            self._refuse(work.place, work.asked, reason)
        return allowed

    def _still(self, act: Act, works: list[Work]) -> list[Work]:  # noqa: ARG002 - it may be asked there
        """Those who go on, as is asked in the transaction of the intents."""
        return works

    def _signed(self, works: list[Work]) -> Iterator[Work]:
        for work in works:
            try:
                work.issued = completed(work.row, sign(work.ready, work.issuer), work.issuer)
                yield work
            except Exception as error:  # noqa: BLE001 - it is this request's answer, and raised to who asked
                self._give_up(work, error)

    def _stored(self, works: list[Work]) -> None:
        ctx = self._ctx
        made = [(work, work.issued) for work in works if work.issued is not None]
        if not made:
            return
        try:
            subject = f"batch:{ctx.store.identifier()}"
            with ctx.store.act(self._actor, VERB, subject, certificates=len(made)) as act:
                blocked(act.session, [work.order.public_key for work, _ in made])
                complete(
                    act.session,
                    [issued.certificate for _, issued in made],
                    [issued.values for _, issued in made],
                )
                bind_many(act.session, list(_bindings(made)), at=ctx.store.clock.now())
                for work, issued in made:
                    fingerprint, wanted = issued.certificate.fingerprint, work.asked.wanted
                    facts = {"fingerprint": fingerprint, "reference": work.order.reference}
                    _record(ctx, act, work, None, facts)
                    if wanted.also is not None:
                        wanted.also(act.session, issued.certificate)
                    if wanted.told is not None:
                        wanted.told(act.session, issued)
        except Exception:  # noqa: BLE001 - one of them cannot be stored; which one, each finds out by itself
            for work, issued in made:
                self._store_alone(work, issued)
            return
        for work, issued in made:
            self.answers[work.place] = issued

    def _store_alone(self, work: Work, issued: Issued) -> None:
        asked, wanted = work.asked, work.asked.wanted
        try:
            store = partial(store_issued, also=wanted.also, told=wanted.told)
            asked.surroundings.run(store, self._ctx, asked.actor, work.order, issued)
        except Exception as error:  # noqa: BLE001 - as where it is signed
            self._give_up(work, error)
        else:
            self.answers[work.place] = issued


def _record(
    ctx: Context, act: Act, work: Work, decision: Mapping[str, Any] | None, facts: Mapping[str, Any]
) -> None:
    """The certificate's own record, in the surroundings of whoever asked for it."""
    asked, subject = work.asked, f"certificate:{work.ready.serial}"
    kept = dict(decision) if decision else None
    asked.surroundings.run(act.each, ctx.store.identifier(), subject, kept, asked.actor, **facts)


def _used(ctx: Context, references: Sequence[str]) -> set[str]:
    """Those of the references that already stand for a certificate or an intent."""
    with ctx.store.look() as look:
        return set(_USED.scalars(look, {"references": references}))


_ROW = cast("sa.Table", CertificateRow.__table__).c
_USED = Sql(
    sa.select(_ROW.reference).where(listed(_ROW.reference, "references"), _ROW.state != State.ABANDONED)
)


def _together(first: Work, work: Work) -> KeyInUse | None:
    """What stands against a key in one batch with its first use: another holder, or another profile."""
    own, other = work.order, first.order
    same = (own.holder, own.profile.name) == (other.holder, other.profile.name)
    return None if same else KeyInUse(serial=first.ready.serial)


def _bindings(made: Sequence[tuple[Work, Issued]]) -> Iterator[Binding]:
    for work, issued in made:
        holder = work.order.holder
        if holder.kind == "person" and holder.post is not None:
            yield Binding(issued.certificate, holder.id, holder.post, work.order.profile.binding)
