"""`yinxin audit question …`: saved questions."""

import json
from typing import Any

import click

from audit import ask
from audit.command import log_of
from audit.entries import Filters
from audit.options import filter_options
from audit.printed import entry_fields, entry_line
from audit.question.questions import (
    Question,
    delete_for,
    keep_for,
    question_for,
    questions_for,
    share_for,
)
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.group("question", help="已保存的查询 / saved questions")
def group() -> None:
    """The group of commands."""


@group.command("list", help="列出自己的和共享的 / list one's own and those shared")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print them, a line each."""
    for each in questions_for(log_of(context), acting(context), limit=1000):
        if as_json:
            print_json(_fields(each))
        else:
            click.echo(
                f"{each.id}  {each.name}  {each.owner}  {json.dumps(each.filters.fields(), ensure_ascii=False)}"
            )


@group.command("keep", help="保存一个查询 / keep a question")
@click.argument("name")
@filter_options
@click.option(
    "--days", type=click.IntRange(1, 3660), help="每次只看最近这些天 / of the last so many days, each time"
)
@click.option("--shared", is_flag=True, help="与其他审计员共享 / let the other auditors ask it")
@as_json_option
@click.pass_context
def keep_(
    context: click.Context,
    name: str,
    *,
    filters: Filters,
    days: int | None,
    shared: bool,
    as_json: bool,
) -> None:
    """Keep it."""
    kept = keep_for(log_of(context), acting(context), name, filters, days=days, shared=shared)
    print_facts(_fields(kept), as_json=as_json)


@group.command("ask", help="执行一个查询 / ask one")
@click.argument("question")
@click.option(
    "-n", "--count", type=click.IntRange(1, 1000), default=50, show_default=True, help="条数 / how many"
)
@as_json_option
@click.pass_context
def ask_(context: click.Context, *, question: str, count: int, as_json: bool) -> None:
    """Print what it finds now, newest first, as `audit find` does."""
    log, actor = log_of(context), acting(context)
    wanted = question_for(log, actor, question).at(log.store.clock.now())
    for entry in ask.entries_for(log, actor, wanted, limit=count):
        fields = entry_fields(entry)
        click.echo(json.dumps(fields, ensure_ascii=False) if as_json else entry_line(fields))


@group.command("share", help="共享，或用 --no 收回 / share, or with --no no longer")
@click.argument("question")
@click.option("--no", "ended", is_flag=True, help="不再共享 / no longer")
@as_json_option
@click.pass_context
def share_(context: click.Context, *, question: str, ended: bool, as_json: bool) -> None:
    """Share it, or no longer."""
    print_facts(
        _fields(share_for(log_of(context), acting(context), question, shared=not ended)), as_json=as_json
    )


@group.command("delete", help="删除自己的一个查询 / delete one of one's own")
@click.argument("question")
@as_json_option
@click.pass_context
def delete_(context: click.Context, *, question: str, as_json: bool) -> None:
    """Delete it."""
    delete_for(log_of(context), acting(context), question)
    if as_json:
        print_json({"question": question, "deleted": True})
    else:
        click.echo(f"已删除 / deleted {question}")


def _fields(question: Question) -> dict[str, Any]:
    return {
        "id": question.id,
        "name": question.name,
        "owner": question.owner,
        "shared": question.shared,
        "filters": question.filters.fields(),
        "days": question.days,
        "created": rfc3339(question.created),
    }
