"""`yinxin authz session …`: one's own sessions, and other people's."""

import click

from authz.command import authz_of
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_json


@click.group(help="登录 / sessions")
def session() -> None:
    """The group of commands."""


@session.command("list", help="打开的登录，默认本人的 / open sessions, the own ones unless somebody is named")
@click.argument("person", required=False)
@as_json_option
@click.pass_context
def list_(context: click.Context, *, person: str | None, as_json: bool) -> None:
    """Print them, oldest first; of one's own the last is this command's."""
    actor = acting(context)
    found = [
        {
            "id": each.id,
            "post": each.post,
            "way": each.way,
            "created": rfc3339(each.created),
            "used": rfc3339(each.used),
            "expires": rfc3339(each.expires),
        }
        for each in authz_of(context).sessions_of(actor, person or actor.id)
    ]
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo("  ".join(each.values()))


@session.command(help="终止一个登录，默认本人的 / end one session, of the own ones unless somebody is named")
@click.argument("session")
@click.option("--of", "person", metavar="PERSON", help="某人 / whose it is")
@as_json_option
@click.pass_context
def end(context: click.Context, *, session: str, person: str | None, as_json: bool) -> None:
    """End it."""
    authz, actor = authz_of(context), acting(context)
    if person is None:
        authz.sessions.end_one(actor, session)
    else:
        authz.end_session_of(actor, person, session)
    if as_json:
        print_json({"session": session, "ended": True})
        return
    click.echo(f"已终止 / ended {session}")


@session.command("end-all", help="终止某人的全部登录 / end every session of a person")
@click.argument("person")
@as_json_option
@click.pass_context
def end_all(context: click.Context, *, person: str, as_json: bool) -> None:
    """End the sessions, if the acting person may."""
    count = authz_of(context).end_sessions(acting(context), person)
    if as_json:
        print_json({"person": person, "ended": count})
        return
    click.echo(f"已终止 {count} 个登录 / {count} sessions ended")
