"""Policies over HTTP: versions, their text, the proof of a set, and what a change would let whom do.

A change itself is proposed like every act that takes several people: `POST /proposals`, kind `authz.change-policies`.
"""

from flask import Blueprint
from pydantic import Field

from authz.proof import Proof, prove
from authz.service import Authz
from authz.version import errors
from authz.version.affected import Affected
from authz.version.rehearse import permit_reading, rehearse, verdicts, wanted
from authz.version.versions import Version
from yinxin.authz import Denied
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Api, Caller, Page, Paged, page_of
from yinxin.wire import Model, Words

#: octets of a body that carries a whole set
_LARGEST = 8_388_608


class VersionOut(Model):
    """A version: in force from a moment on, until the next. `shipped`: as the software brought it, unchanged here."""

    number: int
    policy_set: str
    shipped: bool
    author: str
    note: str
    proposal: str | None
    in_force_from: str
    in_force_until: str | None


class VersionTextOut(VersionOut):
    """A version with its policies (`text`, Cedar) and its schema (`types`, JSON)."""

    text: str
    types: str


class PoliciesIn(Model):
    """A whole set of policies, and its schema; the schema in force if left out."""

    text: str = Field(min_length=1, max_length=1_000_000)
    types: str | None = Field(default=None, min_length=1, max_length=1_000_000)


class TheoremOut(Model):
    """A theorem; where it does not hold, the simplest counterexample in words and the policies that permit it."""

    name: str
    text: Words
    holds: bool
    counterexample: Words | None
    policies: list[str]


class ProofOut(Model):
    """What was asked of the set `policy_set`, what of it was permitted, and every theorem."""

    policy_set: str
    requests: int
    permitted: int
    holds: bool
    theorems: list[TheoremOut]


class DifferenceOut(Model):
    """One kind of act that would become allowed, or would be so no more, for whoever holds `roles`."""

    allowed: bool
    roles: list[str]
    action: str
    type: str
    place: str
    levels: list[str]
    policies: list[str]
    people: int
    """How many people it touches now; `names` are the first of them."""
    names: list[str]
    text: Words


class RehearsalOut(Model):
    """What the change would come to; `sound` when it could be proposed."""

    made_from: int
    sound: bool
    proof: ProofOut
    differences: list[DifferenceOut]


def routes(authz: Authz) -> tuple[Blueprint, ...]:
    """The operations on policies."""
    api = Api("authz_policies", "/api/authz/v1/policies", Text("授权策略", "Policies"))
    _add_versions(api, authz)
    _add_rehearsals(api, authz)
    return (api.blueprint,)


def _add_versions(api: Api, authz: Authz) -> None:
    versions = authz.decisions.versions

    @api.get(
        "/versions", problems=(Denied,), summary=Text("授权策略的各个版本", "The versions, newest first")
    )
    def policy_versions(query: Paged, caller: Caller) -> Page[VersionOut]:
        permit_reading(authz.decisions, caller.actor)
        found = versions.listed(before=query.begin(int), limit=query.limit + 1)
        return page_of(found, query.limit, key=lambda each: each.number, show=_version)

    @api.get(
        "/versions/<int:number>",
        problems=(Denied, errors.UnknownVersion, errors.PoliciesForged),
        summary=Text("某一版本的策略全文", "One version with its text"),
    )
    def policy_version(number: int, caller: Caller) -> VersionTextOut:
        permit_reading(authz.decisions, caller.actor)
        return _with_text(authz, number)

    @api.get(
        "/in-force",
        problems=(Denied, errors.UnknownVersion, errors.PoliciesForged),
        summary=Text("现行策略全文", "The version in force, with its text"),
    )
    def policies_in_force(caller: Caller) -> VersionTextOut:
        permit_reading(authz.decisions, caller.actor)
        return _with_text(authz, versions.current().number or 0)


def _add_rehearsals(api: Api, authz: Authz) -> None:
    @api.post(
        "/proof",
        repeatable=True,
        problems=(Denied, errors.PoliciesRefused),
        limit=_LARGEST,
        summary=Text("证明三员分立等定理", "Prove the separation of powers of a set"),
    )
    def prove_policies(body: PoliciesIn, caller: Caller) -> ProofOut:
        permit_reading(authz.decisions, caller.actor)
        change = wanted(authz.decisions, body.text, body.types)[1]
        return _proof(prove(change.policies(authz.decisions.versions.shipped)))

    @api.post(
        "/difference",
        repeatable=True,
        problems=(Denied, errors.PoliciesRefused, errors.PoliciesUnchanged, errors.PoliciesMoved),
        limit=_LARGEST,
        summary=Text("变更会使谁能做什么", "What a change would let whom do, with its proof"),
    )
    def compare_policies(body: PoliciesIn, caller: Caller) -> RehearsalOut:
        change = wanted(authz.decisions, body.text, body.types)[1]
        found = rehearse(authz.store, authz.decisions, caller.actor, change)
        return RehearsalOut(
            made_from=found.made_from,
            sound=found.sound,
            proof=_proof(found.proof),
            differences=[_difference(each) for each in found.differences],
        )


def _version(version: Version) -> VersionOut:
    until = version.in_force_until
    return VersionOut(
        number=version.number,
        policy_set=version.policy_set,
        shipped=version.shipped,
        author=version.author,
        note=version.note,
        proposal=version.proposal,
        in_force_from=rfc3339(version.in_force_from),
        in_force_until=rfc3339(until) if until else None,
    )


def _with_text(authz: Authz, number: int) -> VersionTextOut:
    version, policies = authz.decisions.versions.version(number)
    return VersionTextOut(**_version(version).model_dump(), text=policies.text, types=policies.schema)


def _proof(proof: Proof) -> ProofOut:
    return ProofOut(
        policy_set=proof.policy_set,
        requests=proof.requests,
        permitted=proof.permitted,
        holds=not proof.broken,
        theorems=[
            TheoremOut(
                name=theorem.name,
                text=Words.of(theorem.text),
                holds=violation is None,
                counterexample=Words.of(violation.text) if violation else None,
                policies=list(violation.policies) if violation else [],
            )
            for theorem, violation in verdicts(proof)
        ],
    )


def _difference(each: Affected) -> DifferenceOut:
    request = each.difference.request
    return DifferenceOut(
        allowed=each.difference.allowed,
        roles=sorted(each.difference.roles),
        action=request.action,
        type=request.resource.type,
        place=request.place,
        levels=list(each.difference.levels),
        policies=list(each.difference.policies),
        people=each.count,
        names=list(each.names),
        text=Words.of(each.text),
    )
