"""`yinxin authz …`: thin commands over the directory, the decisions and the sessions."""

from typing import Any

import click

from authz.command import authz_of
from authz.commands.delegation import delegation
from authz.commands.organ import organ
from authz.commands.person import appointment, person
from authz.commands.post import post
from authz.commands.review import review
from authz.commands.roster import import_
from authz.commands.session import session
from authz.grant.cli import group as grant_commands
from authz.oidc.cli import client
from authz.proposal.cli import group as proposal_commands
from authz.scim.cli import scim
from authz.tenant.cli import group as tenant_commands
from authz.version.cli import policy
from yinxin.authz import LEVELS, PLATFORM, Decision, Level, Resource
from yinxin.command import acting, as_json_option, print_facts, print_json


def answer(decision: Decision) -> dict[str, Any]:
    """A decision, for people and for scripts."""
    return decision.record() | {"reason": {"zh": decision.reason.zh, "en": decision.reason.en}}


@click.group("authz", help="机构、人员与授权 / organs, people and authorization")
def group() -> None:
    """The group of commands."""


group.add_command(client)
group.add_command(scim)
group.add_command(tenant_commands)


@group.command(help="本人能否执行某操作 / may the acting person do this?")
@click.argument("action")
@click.option("--type", "kind", required=True, help="对象类型 / the resource's type")
@click.option("--id", "identifier", default="any", show_default=True, help="对象标识 / its identifier")
@click.option("--organ", default=PLATFORM, show_default=True, help="所属机关 / the organ that owns it")
@click.option(
    "--level", type=click.Choice(LEVELS), default="public", show_default=True, help="密级 / its level"
)
@click.option("--attribute", "attributes", multiple=True, metavar="NAME=TEXT", help="属性 / an attribute")
@as_json_option
@click.pass_context
def check(
    context: click.Context,
    action: str,
    *,
    kind: str,
    identifier: str,
    organ: str,
    level: Level,
    attributes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Print the decision; exit 1 when it is no."""
    given = dict(each.partition("=")[::2] for each in attributes)
    resource = Resource(kind, identifier, organ, level, given)
    (decision,) = authz_of(context).answers.ask(acting(context), [(action, resource, None)])
    if as_json:
        print_json(answer(decision))
    else:
        word = "允许 / permitted" if decision.allowed else "不允许 / not permitted"
        click.echo(f"{word}: {decision.reason.zh} / {decision.reason.en} [{', '.join(decision.policies)}]")
    context.exit(0 if decision.allowed else 1)


@group.command(help="按记录重新判定 / decide again what a log entry records")
@click.argument("entry")
@as_json_option
@click.pass_context
def replay(context: click.Context, entry: str, *, as_json: bool) -> None:
    """Decide again with the policies and the entities of that time; an error when it comes out otherwise."""
    found = authz_of(context).replays.replay(acting(context), entry)
    if found.again is not None:
        print_facts(found.again.fields(), as_json=as_json)
        return
    if found.decision is None:
        assert found.differs is not None  # noqa: S101 - one of the two is always there
        raise found.differs
    if as_json:
        print_json(answer(found.decision))
        return
    word = "允许 / permitted" if found.decision.allowed else "不允许 / not permitted"
    reason = found.decision.reason
    click.echo(f"与记录一致 / as recorded: {word}: {reason.zh} / {reason.en}")


group.add_command(proposal_commands)
for _commands in (
    organ,
    post,
    person,
    appointment,
    delegation,
    import_,
    review,
    session,
    policy,
    grant_commands,
):
    group.add_command(_commands)
