"""Issuance in bulk: the same five steps as `ca.issue`, each taken by many certificates together.

Every certificate keeps everything it has alone: its serial number, its one-shot token, its own intent on record before
the security module is asked, its own verified signature, its own record of the outcome. What is shared is the
transaction: one that writes all intents down, one that stores what was signed. A certificate that stands in the way of
the others, because a reference, key or appointment changed meanwhile, is taken out and goes its own way.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from authz.bind import Binding, bind_many
from ca.context import Context
from ca.errors import IntentLost, KeyInUse
from ca.issue import (
    VERB,
    Also,
    Issued,
    facts_of,
    give_up,
    intent_row,
    issue,
    keep_names,
    keep_profile,
    open_profile,
    store_issued,
)
from ca.issuer import Issuer
from ca.keycheck import blocked, unburdened
from ca.models import CertificateRow, State
from ca.prepare import Prepared, prepare
from ca.request import IssueRequest, Order, examine
from ca.sign import sign
from yinxin.act import Actor, Outcome
from yinxin.crypto.certificates import Certificate
from yinxin.errors import YinxinError
from yinxin.steps import step

#: certificates that one transaction holds: other writers wait for it
TOGETHER = 200

Answer = Issued | YinxinError


@dataclass(frozen=True)
class Wanted:
    """A request that its caller has authorised; `also` joins the transaction that stores its certificate."""

    request: IssueRequest
    decision: Mapping[str, Any] | None = None
    also: Also | None = None


@dataclass(frozen=True)
class _Work:
    """One certificate on its way."""

    place: int
    wanted: Wanted
    order: Order
    issuer: Issuer
    prepared: Prepared | None = None
    certificate: Certificate | None = None

    @property
    def ready(self) -> Prepared:
        """Octets and token; there from step two on."""
        if self.prepared is None:
            raise TypeError("not prepared")
        return self.prepared


def issue_many(ctx: Context, actor: Actor, wanted: Sequence[Wanted]) -> list[Answer]:
    """The certificate, or what was wrong, for each request, in their order; refusals are recorded each.

    A reference gives one certificate, as with `issue`, also when it stands in the list twice. Raises only what is no
    refusal: a fault of the platform, after which nothing is left but intents that `reconcile` gives up.
    """
    answers: list[Answer] = []
    for begin in range(0, len(wanted), TOGETHER):
        answers += _Batch(ctx, actor, wanted[begin : begin + TOGETHER]).carry_out()
    return answers


class _Batch:
    def __init__(self, ctx: Context, actor: Actor, wanted: Sequence[Wanted]) -> None:
        self._ctx, self._actor, self._wanted = ctx, actor, wanted
        self._answers: dict[int, Answer] = {}
        self._issuers: dict[str, Issuer] = {}

    def carry_out(self) -> list[Answer]:
        # 1. every request is held against its profile, the directory and what its reference already gave
        works = list(self._examined())
        # 2. serial numbers, octets, lint
        works = [ready for each in works if (ready := self._prepared(each)) is not None]
        step("ca.issue-many.2-linted")
        # 3. all intents that the keys' histories allow, in one transaction
        works = self._intended(works) if works else []
        step("ca.issue-many.3-intended")
        # 4. each signed and verified
        works = list(self._signed(works))
        step("ca.issue-many.4-signed")
        # 5. all stored and bound in one transaction; only then handed out
        self._stored(works)
        step("ca.issue-many.5-stored")
        # what could not go with the others: references that stood there before, or twice
        for place, each in enumerate(self._wanted):
            if place not in self._answers:
                self._answers[place] = self._alone(each)
        return [self._answers[place] for place in range(len(self._wanted))]

    def _issuer(self, authority: str) -> Issuer:
        """Who signs for an authority in this batch, with one signer for all of it; raises UnknownAuthority."""
        if authority not in self._issuers:
            issuer = self._ctx.issuers.issuing(authority)
            self._issuers[authority] = replace(issuer, signer=cache(issuer.signer))
        return self._issuers[authority]

    def _alone(self, each: Wanted) -> Answer:
        try:
            return issue(self._ctx, self._actor, each.request, each.decision, also=each.also)
        except YinxinError as error:
            return error

    def _refuse(self, work: _Work, error: YinxinError) -> None:
        self._ctx.store.refuse(self._actor, VERB, f"reference:{work.order.reference}", error)
        self._answers[work.place] = error

    def _examined(self) -> Iterator[_Work]:
        ctx = self._ctx
        register = ctx.register.ahead([each.request.holder for each in self._wanted])
        seen = _used(ctx, [each.request.reference for each in self._wanted])
        for place, each in enumerate(self._wanted):
            request = each.request
            if request.reference in seen:
                continue
            try:
                order = examine(request, open_profile(ctx, request.profile), register, ctx.settings)
                work = _Work(place, each, order, self._issuer(order.authority))
            except YinxinError as error:
                ctx.store.refuse(self._actor, VERB, f"reference:{request.reference}", error)
                self._answers[place] = error
                continue
            seen.add(request.reference)
            yield work

    def _prepared(self, work: _Work) -> _Work | None:
        store = self._ctx.store
        try:
            made = prepare(work.order, work.issuer, self._ctx.settings, store.clock, store.randomness)
        except YinxinError as error:
            self._refuse(work, error)
            return None
        return replace(work, prepared=made)

    def _intended(self, works: list[_Work]) -> list[_Work]:
        ctx, actor = self._ctx, self._actor
        refused: list[tuple[_Work, YinxinError]] = []
        allowed: list[_Work] = []
        try:
            with ctx.store.act(actor, VERB, f"batch:{ctx.store.identifier()}", outcome=Outcome.INTENT) as act:
                mine: dict[str, _Work] = {}
                for work in works:
                    try:
                        unburdened(act.session, work.order)
                        _apart(mine.setdefault(work.order.spki_digest, work), work)
                    except YinxinError as error:
                        refused.append((work, error))
                        continue
                    allowed.append(work)
                for name in {work.order.profile.hash: work for work in allowed}.values():
                    keep_profile(act.session, name.order)
                rows = [intent_row(ctx, actor, each.order, each.issuer, each.ready) for each in allowed]
                act.session.bulk_save_objects(rows)
                keep_names(act.session, *(each.ready for each in allowed))
                for work in allowed:
                    decision = dict(work.wanted.decision) if work.wanted.decision else None
                    facts = facts_of(work.order, work.issuer, work.ready)
                    subject = f"certificate:{work.ready.serial}"
                    act.each(ctx.store.identifier(), subject, decision, **facts)
                act.facts["certificates"] = len(allowed)
        except IntegrityError:
            # another worker took one of the references: nobody's intent was written, each goes its own way
            return []
        for work, reason in refused:
            self._refuse(work, reason)
        return allowed

    def _signed(self, works: list[_Work]) -> Iterator[_Work]:
        for work in works:
            try:
                yield replace(work, certificate=sign(work.ready, work.issuer))
            except YinxinError as error:
                give_up(self._ctx, self._actor, work.ready.serial)
                self._answers[work.place] = error

    def _stored(self, works: list[_Work]) -> None:
        ctx, actor = self._ctx, self._actor
        made = [(work, work.certificate) for work in works if work.certificate is not None]
        if not made:
            return
        try:
            with ctx.store.act(actor, VERB, f"batch:{ctx.store.identifier()}", certificates=len(made)) as act:
                blocked(act.session, [work.order.public_key for work, _ in made])
                _change(act.session, [certificate for _, certificate in made])
                bind_many(act.session, list(_bindings(made)), at=ctx.store.clock.now())
                for work, certificate in made:
                    facts = {"fingerprint": certificate.fingerprint, "reference": work.order.reference}
                    act.each(ctx.store.identifier(), f"certificate:{work.ready.serial}", None, **facts)
                    if work.wanted.also is not None:
                        work.wanted.also(act.session, certificate)
        except (YinxinError, IntegrityError):
            # one of them cannot be stored; which one, each finds out by itself
            for work, certificate in made:
                self._store_alone(work, certificate)
            return
        for work, certificate in made:
            chain = work.issuer.chain or (certificate,)
            self._answers[work.place] = Issued(work.ready.serial, certificate, chain)

    def _store_alone(self, work: _Work, certificate: Certificate) -> None:
        try:
            store_issued(self._ctx, self._actor, work.order, certificate, work.wanted.also)
        except YinxinError as error:
            give_up(self._ctx, self._actor, work.ready.serial)
            self._answers[work.place] = error
        else:
            self._answers[work.place] = Issued(work.ready.serial, certificate, work.issuer.chain)


def _used(ctx: Context, references: Sequence[str]) -> set[str]:
    """Those of the references that already stand for a certificate or an intent."""
    query = sa.select(CertificateRow.reference).where(
        CertificateRow.reference.in_(references), CertificateRow.state != State.ABANDONED
    )
    with ctx.store.read() as session:
        return set(session.scalars(query))


def _apart(first: _Work, work: _Work) -> None:
    """A key stands in the same batch for one holder and profile only; raises KeyInUse."""
    own, other = work.order, first.order
    if (own.holder, own.profile.name) != (other.holder, other.profile.name):
        raise KeyInUse(serial=first.ready.serial)


def _change(session: Session, certificates: Sequence[Certificate]) -> None:
    intent = sa.update(CertificateRow).where(
        CertificateRow.serial == sa.bindparam("of"), CertificateRow.state == State.INTENT
    )
    change = intent.values(state=State.ISSUED, der=sa.bindparam("octets"), fingerprint=sa.bindparam("digest"))
    values = [
        {"of": f"{each.serial:x}", "octets": each.der, "digest": each.fingerprint} for each in certificates
    ]
    if session.connection().execute(change, values).rowcount != len(values):
        raise IntentLost(serial="-")


def _bindings(made: Sequence[tuple[_Work, Certificate]]) -> Iterator[Binding]:
    for work, certificate in made:
        holder = work.order.holder
        if holder.kind == "person" and holder.post is not None:
            yield Binding(certificate, holder.id, holder.post, work.order.profile.binding)
