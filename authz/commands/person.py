"""`yinxin authz person …` and `yinxin authz appointment …`."""

from typing import Any

import click

from authz.change import AlterPerson, Appoint, EndAppointment, Register, Reinstate, Retire, Transfer
from authz.change.base import wire
from authz.command import authz_of
from authz.commands.common import INSTANT, build, make, proposable
from authz.commands.organ import versions_of
from authz.directory import Appointment, Directory, Person
from yinxin.authz import LEVELS
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.group(help="人员 / people")
def person() -> None:
    """The group of commands."""


@person.command("list", help="人员名录 / the people")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print everybody, by identifier."""
    found: list[Person] = []
    directory = authz_of(context).directory_for(acting(context))
    while page := directory.people(after=found[-1].id if found else ""):
        found += page
    if as_json:
        print_json([{"id": each.id, "name": each.name, "clearance": each.clearance} for each in found])
        return
    for each in found:
        click.echo(f"{each.id:<32} {each.clearance:<13} {each.name}")


@person.command(help="某人的任职 / a person and the appointments")
@click.argument("id")
@as_json_option
@click.pass_context
def show(context: click.Context, id: str, *, as_json: bool) -> None:  # noqa: A002 - the field's name
    """Print one person."""
    directory = authz_of(context).directory_for(acting(context))
    found = facts(directory, directory.person(id))
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['id']} {found['name']} ({found['clearance']})")
    for each in found["appointments"]:
        period = f"{each['valid_from']} – {each['valid_to'] or ''}"
        click.echo(f"  {each['organ']} {each['post']} [{', '.join(each['roles'])}] {period}")


@person.command(help="某人的经历：何时任何职 / who was what, when")
@click.argument("id")
@as_json_option
@click.pass_context
def history(context: click.Context, id: str, *, as_json: bool) -> None:  # noqa: A002 - the field's name
    """Print every version and every appointment, with the organ and the roles of its time."""
    directory = authz_of(context).directory_for(acting(context))
    facts = {
        "versions": versions_of(directory.history("person", id)),
        "appointments": [career_line(each) for each in directory.career(id)],
    }
    print_facts(facts, as_json=as_json)


@person.command(help="登记人员 / enter a person")
@click.argument("id")
@click.option("--name", required=True, help="姓名 / name")
@click.option("--clearance", type=click.Choice(LEVELS), default="internal", help="涉密等级 / clearance")
@click.option("--organ", required=True, help="登记机关 / the organ that enters her")
@proposable
@as_json_option
@click.pass_context
def register(context: click.Context, /, *, organ: str, dry_run: bool, as_json: bool, **entry: Any) -> None:
    """Enter a person."""
    make(context, build(Register, person=entry, organ=organ), dry_run=dry_run, as_json=as_json)


@person.command(help="更改姓名或涉密等级 / change a name or clearance")
@click.argument("person")
@click.option("--name", help="姓名 / name")
@click.option("--clearance", type=click.Choice(LEVELS), help="涉密等级 / clearance")
@proposable
@as_json_option
@click.pass_context
def alter(context: click.Context, /, *, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Change what is given."""
    make(context, build(AlterPerson, **given), dry_run=dry_run, as_json=as_json)


@person.command(help="离职：终止其一切任职、授权、登录与证书 / leave the service: everything held ends")
@click.argument("person")
@proposable
@as_json_option
@click.pass_context
def retire(context: click.Context, *, person: str, dry_run: bool, as_json: bool) -> None:
    """Let her go."""
    make(context, build(Retire, person=person), dry_run=dry_run, as_json=as_json)


@person.command(help="复职：可以重新任用 / come back: may be appointed again")
@click.argument("person")
@proposable
@as_json_option
@click.pass_context
def reinstate(context: click.Context, *, person: str, dry_run: bool, as_json: bool) -> None:
    """Let her be appointed again."""
    make(context, build(Reinstate, person=person), dry_run=dry_run, as_json=as_json)


@click.group(help="任职 / appointments")
def appointment() -> None:
    """The group of commands."""


_kind_option = click.option(
    "--kind",
    type=click.Choice(["substantive", "acting"]),
    default="substantive",
    help="任职种类：正式或代理 / substantive or acting",
)
_from_option = click.option(
    "--from", "valid_from", type=INSTANT, help="开始，默认现在 / begins, now if left out"
)
_to_option = click.option("--until", "valid_to", type=INSTANT, help="届满 / ends before this")


@appointment.command(help="任职 / give a person a post")
@click.argument("person")
@click.argument("post")
@_kind_option
@_from_option
@_to_option
@proposable
@as_json_option
@click.pass_context
def make_(context: click.Context, /, *, dry_run: bool, as_json: bool, **entry: Any) -> None:
    """Appoint."""
    make(context, build(Appoint, appointment=_entry(entry)), dry_run=dry_run, as_json=as_json)


@appointment.command(help="免职 / end what a person holds of a post")
@click.argument("person")
@click.argument("post")
@click.option("--at", type=INSTANT, help="何时，默认现在 / when, now if left out")
@proposable
@as_json_option
@click.pass_context
def end(context: click.Context, /, *, dry_run: bool, as_json: bool, **given: Any) -> None:
    """End it."""
    make(context, build(EndAppointment, **given), dry_run=dry_run, as_json=as_json)


@appointment.command(help="调任 / transfer a person from one post to another")
@click.argument("person")
@click.argument("of")
@click.argument("post")
@_kind_option
@_from_option
@_to_option
@proposable
@as_json_option
@click.pass_context
def transfer(context: click.Context, /, *, of: str, dry_run: bool, as_json: bool, **entry: Any) -> None:
    """End one and begin the other."""
    make(context, build(Transfer, of=of, to=_entry(entry)), dry_run=dry_run, as_json=as_json)


appointment.add_command(make_, "make")


def facts(directory: Directory, person: Person) -> dict[str, Any]:
    """A person with every appointment, for people and for scripts."""
    appointments = [
        {
            "post": each.post,
            "organ": directory.post(each.post).organ,
            "roles": sorted(directory.post(each.post).roles),
            "valid_from": wire(each.valid_from),
            "valid_to": wire(each.valid_to),
        }
        for each in directory.appointments_of(person.id)
    ]
    return {
        "id": person.id,
        "name": person.name,
        "clearance": person.clearance,
        "appointments": appointments,
    }


def career_line(each: tuple[Appointment, str, str]) -> dict[str, Any]:
    """An appointment with the organ and its name of that time."""
    held, organ, name = each
    return {
        "post": held.post,
        "organ": organ,
        "organ_name": name,
        "kind": held.kind,
        "valid_from": wire(held.valid_from),
        "valid_to": wire(held.valid_to),
        "ended": held.ended,
        "delegation": held.delegation,
    }


def _entry(entry: dict[str, Any]) -> dict[str, Any]:
    """What was given."""
    return {name: value for name, value in entry.items() if value is not None}
