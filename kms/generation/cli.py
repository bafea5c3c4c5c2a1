"""`yinxin kms rotate | rewrap | generations | destroy-generation`: the key that wraps others, generation by generation."""

import click

from authz.command import propose
from kms.command import centre_of
from kms.generation.proposal import NAME
from kms.generation.service import Generation, Generations
from yinxin.command import acting, as_json_option, print_facts, print_json


@click.command(
    help="启用新一代密钥加密密钥，原有密文由后台重新加密 / begin the next generation of the wrapping key"
)
@as_json_option
@click.pass_context
def rotate(context: click.Context, *, as_json: bool) -> None:
    """Begin the next generation."""
    print_facts(_of(context).rotate(acting(context)).fields(), as_json=as_json)


@click.command(help="各代密钥加密密钥及其下密文数 / list the generations and what lies under each")
@as_json_option
@click.pass_context
def generations(context: click.Context, *, as_json: bool) -> None:
    """List the generations."""
    found = _of(context).list_for(acting(context))
    if as_json:
        print_json([each.fields() for each in found])
        return
    for each in found:
        click.echo(_line(each))


@click.command(help="现在就重新加密，直到完成（平时由后台进行） / rewrap now, to the end, as the timer does")
@as_json_option
@click.pass_context
def rewrap(context: click.Context, *, as_json: bool) -> None:
    """Rewrap until nothing more moves, telling how far it is."""
    known, actor = _of(context), acting(context)
    before = {each.number: each.moved for each in known.list_for(actor)}
    while known.rewrap():
        if not as_json:
            for each in known.list_for(actor):
                if each.state == "rewrapping":
                    click.echo(_line(each))
    after = known.list_for(actor)
    moved = sum(each.moved - before.get(each.number, 0) for each in after)
    print_facts({"moved": moved, "left": sum(sum(each.left.values()) for each in after if each.state == "rewrapping")}, as_json=as_json)  # fmt: skip


@click.command(
    "destroy-generation", help="提出销毁已停用一代的密钥 / propose to destroy a retired generation's key"
)
@click.argument("number", type=click.IntRange(min=1))
@click.option("--reason", required=True, help="事由 / reason")
@click.option("--basis", default="", help="法律依据 / legal basis")
@as_json_option
@click.pass_context
def destroy(context: click.Context, *, number: int, reason: str, basis: str, as_json: bool) -> None:
    """Propose the destruction."""
    propose(context, NAME, {"generation": number}, reason=reason, basis=basis, as_json=as_json)


COMMANDS = (rotate, generations, rewrap, destroy)


def _line(each: Generation) -> str:
    left = sum(each.left.values())
    told = f"{each.number:>3} {each.label:<16} {each.state:<10}"
    return f"{told}  其下 left {left:>9}  已移出 moved {each.moved:>9}  打不开 unopened {each.unopened}"


def _of(context: click.Context) -> Generations:
    return centre_of(context).generations
