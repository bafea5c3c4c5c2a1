"""Whether the policies let somebody have a certificate issued: asked for each, together where several ask at once.

Whoever has a certificate issued over a key of her own can sign in as its holder. For people of power that takes an
application, which three people take part in (`ca.registration`): here no officer has one issued by herself.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ca.context import Context
from ca.holders import ApplicationNeeded
from ca.request import Holder, IssueRequest, Register
from yinxin.act import Actor
from yinxin.authz import PLATFORM, Resource
from yinxin.errors import YinxinError

if TYPE_CHECKING:
    from ca.issue import Asked

VERB = "ca.issue"


def permit(ctx: Context, actor: Actor, request: IssueRequest, register: Register) -> dict[str, Any]:
    """The record of the permission to issue; raises what the register raises, and Denied, both recorded."""
    try:
        resource = _resource(request, register)
    except YinxinError as error:
        ctx.store.refuse(actor, VERB, f"reference:{request.reference}", error)
        raise
    return ctx.decider.require(actor, VERB, resource).record()


def permitted(ctx: Context, group: Sequence["Asked"], register: Register) -> list[dict[str, Any] | None]:
    """For each, in order, the record of its permission; None where there is none, or it cannot be told: unrecorded."""
    questions: dict[int, tuple[Actor, str, Resource]] = {}
    for place, each in enumerate(group):
        try:
            resource = _resource(each.wanted.request, register)
        except YinxinError:
            continue  # it is asked alone, and hears why
        questions[place] = (each.actor, VERB, resource)
    decisions = dict(zip(questions, ctx.decider.check_all(list(questions.values())), strict=True))
    found = [decisions.get(place) for place in range(len(group))]
    return [each.record() if each is not None and each.allowed else None for each in found]


def permit_all(
    ctx: Context, group: Sequence["Asked"], register: Register
) -> list[dict[str, Any] | YinxinError]:
    """As `permitted`, or why there is no permission: recorded in its own surroundings."""
    answers: list[dict[str, Any] | YinxinError] = []
    for each, decision in zip(group, permitted(ctx, group, register), strict=True):
        if decision is not None:
            answers.append(decision)
            continue
        try:
            request = each.wanted.request
            answers.append(each.surroundings.run(permit, ctx, each.actor, request, register))
        except YinxinError as error:
            answers.append(error)
    return answers


def wanted_for(id_: str, holder: Holder, profile: str, register: Register) -> Resource:
    """What the policies are asked about before a certificate is issued to `holder`, whose organ is filled in.

    Raises ApplicationNeeded for a person of power: the policies forbid it too, but cannot say which way is open.
    """
    of_power = register.of_power(holder)
    if of_power:
        raise ApplicationNeeded(holder=holder.id, profile=profile)
    attributes = {"profile": profile, "of_power": of_power}
    return Resource("Certificate", id_, organ=holder.organ or PLATFORM, attributes=attributes)


def _resource(request: IssueRequest, register: Register) -> Resource:
    holder, _ = register.facts(request.holder)
    return wanted_for(request.reference, holder, request.profile, register)
