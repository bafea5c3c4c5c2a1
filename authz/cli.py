"""`yinxin authz …`: thin commands over the directory, the decisions and the sessions."""

from typing import Any

import click

from audit.ask import entry_for
from authz.commands.delegation import delegation
from authz.commands.organ import organ
from authz.commands.person import appointment, person
from authz.commands.post import post
from authz.commands.review import review
from authz.commands.roster import import_
from authz.directory import Directory, Organ, Person
from authz.errors import NothingDecided
from authz.grant.cli import grant, grants, revoke_grant, templates
from authz.oidc.cli import client
from authz.proposal.cli import group as proposal_commands
from authz.service import Authz
from authz.version.cli import change_policies, difference, policies, prove_command, versions
from yinxin.act import Actor, Kind
from yinxin.authz import LEVELS, PLATFORM, Decision, Level, Resource
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_json, service


def organ_line(organ: Organ) -> str:
    """One organ, indented by its depth."""
    return f"{'  ' * (len(organ.path) - 1)}{organ.id:<24} {organ.level:<10} {organ.division:<12} {organ.name.zh} / {organ.name.en}"


def who(directory: Directory, person: Person) -> dict[str, Any]:
    """A person with every appointment, for people and for scripts."""
    appointments = [
        {
            "post": each.post,
            "organ": directory.post(each.post).organ,
            "roles": sorted(directory.post(each.post).roles),
            "valid_from": rfc3339(each.valid_from),
            "valid_to": rfc3339(each.valid_to) if each.valid_to else None,
        }
        for each in directory.appointments_of(person.id)
    ]
    return {
        "id": person.id,
        "name": person.name,
        "clearance": person.clearance,
        "appointments": appointments,
    }


def answer(decision: Decision) -> dict[str, Any]:
    """A decision, for people and for scripts."""
    return decision.record() | {"reason": {"zh": decision.reason.zh, "en": decision.reason.en}}


@click.group("authz", help="机构、人员与授权 / organs, people and authorization")
def group() -> None:
    """The group of commands."""


group.add_command(client)


@group.command(help="机关名录 / the organs")
@click.option("--under", help="只列此机关及其下级 / only this organ and those below")
@as_json_option
@click.pass_context
def organs(context: click.Context, under: str | None, *, as_json: bool) -> None:
    """Print the tree, or a part of it."""
    found: list[Organ] = []
    directory = _authz(context).directory_for(acting(context))
    while page := directory.organs(under=under, after=found[-1].id if found else ""):
        found += page
    found.sort(key=lambda organ: organ.path[::-1])
    if as_json:
        print_json([{"id": each.id, "parent": each.parent, "name": each.name.zh} for each in found])
        return
    for each in found:
        click.echo(organ_line(each))


@group.command(help="人员名录 / the people")
@as_json_option
@click.pass_context
def people(context: click.Context, *, as_json: bool) -> None:
    """Print everybody, by identifier."""
    found: list[Person] = []
    directory = _authz(context).directory_for(acting(context))
    while page := directory.people(after=found[-1].id if found else ""):
        found += page
    if as_json:
        print_json([{"id": each.id, "name": each.name, "clearance": each.clearance} for each in found])
        return
    for each in found:
        click.echo(f"{each.id:<32} {each.clearance:<13} {each.name}")


@group.command("who", help="某人的任职 / a person and the appointments")
@click.argument("id", metavar="PERSON")
@as_json_option
@click.pass_context
def who_command(context: click.Context, id: str, *, as_json: bool) -> None:  # noqa: A002 - the field's name
    """Print one person."""
    directory = _authz(context).directory_for(acting(context))
    found = who(directory, directory.person(id))
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['id']} {found['name']} ({found['clearance']})")
    for each in found["appointments"]:
        period = f"{each['valid_from']} – {each['valid_to'] or ''}"
        click.echo(f"  {each['organ']} {each['post']} [{', '.join(each['roles'])}] {period}")


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
    decision = _authz(context).decisions.check(acting(context), action, resource)
    if as_json:
        print_json(answer(decision))
    else:
        word = "允许 / permitted" if decision.allowed else "不允许 / not permitted"
        click.echo(f"{word}: {decision.reason.zh} / {decision.reason.en} [{', '.join(decision.policies)}]")
    context.exit(0 if decision.allowed else 1)


@group.command(help="本人的登录 / the acting person's open sessions")
@as_json_option
@click.pass_context
def sessions(context: click.Context, *, as_json: bool) -> None:
    """Print the open sessions of whoever acts, oldest first; the last is this command's own."""
    found = [
        {
            "id": each.id,
            "post": each.post,
            "way": each.way,
            "created": rfc3339(each.created),
            "used": rfc3339(each.used),
            "expires": rfc3339(each.expires),
        }
        for each in _authz(context).sessions.open_of(acting(context).id)
    ]
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo("  ".join(each.values()))


@group.command("end-session", help="终止本人的一个登录 / end one of the acting person's sessions")
@click.argument("session")
@click.pass_context
def end_session(context: click.Context, session: str) -> None:
    """End it."""
    _authz(context).sessions.end_one(acting(context), session)
    click.echo(f"已终止 / ended {session}")


@group.command("sign-out", help="终止某人的全部登录 / end every session of a person")
@click.argument("id", metavar="PERSON")
@click.pass_context
def sign_out(context: click.Context, id: str) -> None:  # noqa: A002 - the field's name
    """End the sessions, if the acting person may."""
    count = _authz(context).end_sessions(acting(context), id)
    click.echo(f"已终止 {count} 个登录 / {count} sessions ended")


@group.command(help="按记录重新判定 / decide again what a log entry records")
@click.argument("entry")
@as_json_option
@click.pass_context
def replay(context: click.Context, entry: str, *, as_json: bool) -> None:
    """Decide again with the policies and the entities of that time; an error when it comes out otherwise."""
    found = entry_for(service(context, "audit"), acting(context), entry).fields()
    record = found.get("decision")
    if record is None:
        raise NothingDecided(entry=entry)
    actor = Actor(Kind(found["actor"]["kind"]), found["actor"]["id"])
    decision = _authz(context).decisions.replay(actor, record)
    if as_json:
        print_json(answer(decision))
    else:
        word = "允许 / permitted" if decision.allowed else "不允许 / not permitted"
        click.echo(f"与记录一致 / as recorded: {word}: {decision.reason.zh} / {decision.reason.en}")


group.add_command(proposal_commands)
for _commands in (organ, post, person, appointment, delegation, import_, review):
    group.add_command(_commands)
for _command in (versions, policies, prove_command, difference, change_policies):
    group.add_command(_command)
for _command in (templates, grants, grant, revoke_grant):
    group.add_command(_command)


def _authz(context: click.Context) -> Authz:
    authz: Authz = service(context, "authz")
    return authz
