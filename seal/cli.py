"""`yinxin seal …`: seals applied for, looked at, taken out of use; and the register of their uses."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import click

from authz.command import propose
from seal import draw
from seal.change import DESTROY, RESUME
from seal.find import USE_COLUMNS, Filter, UseFilter
from seal.make import VERB
from seal.models import Sort, State
from seal.service import Seals
from seal.words import REASONS
from yinxin import canonical, files
from yinxin.clock import parse_rfc3339
from yinxin.command import acting, as_json_option, print_facts, print_json, service
from yinxin.crypto import cms
from yinxin.tables import lines

_seal = click.argument("seal")
_reason = click.option(
    "--reason",
    type=click.Choice([each for each in REASONS if each != "replaced"]),
    required=True,
    help="原因 / why",
)
_why = click.option("--why", required=True, help="提案的理由 / the proposal's reasons")
_out = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="写入文件 / file to write"
)


@click.group("seal", help="印章与用印登记 / seals and the register of their uses")
def group() -> None:
    """The group of commands."""


@group.command(
    help="申请制章：提出提案，经多人批准后制作 / apply for a seal: a proposal, made once several people have approved"
)
@click.option("--organ", required=True, help="机关 / the organ")
@click.option("--keeper", required=True, help="保管岗位 / the post that keeps it")
@click.option(
    "--sort",
    type=click.Choice([each.value for each in Sort]),
    default=Sort.UNIT.value,
    show_default=True,
    help="单位章或人名章 / a unit's or a personal one",
)
@click.option("--holder", default="", help="人名章的持有人 / the holder of a personal seal")
@click.option(
    "--name",
    default="",
    help="印文，默认为机关或持有人名称 / what it reads, else the organ's or the holder's name",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="透明底 PNG，默认由平台绘制 / a PNG with a transparent ground, else drawn here",
)
@click.option("--width", type=click.IntRange(0, 80), default=0, help="宽（毫米） / width in mm")
@click.option(
    "--height",
    type=click.IntRange(0, 80),
    default=0,
    help="高（毫米），默认同宽 / height in mm, else the width",
)
@click.option("--replaces", default="", help="换发：被替换的印章 / renewal: the seal it takes the place of")
@_why
@as_json_option
@click.pass_context
def make(context: click.Context, /, *, picture: Path | None, why: str, as_json: bool, **plan: Any) -> None:
    """Propose a new seal, if the actor may."""
    encoded = b64encode(picture.read_bytes()).decode() if picture else ""
    propose(context, VERB, plan | {"picture": encoded}, reason=why, as_json=as_json)


@group.command("list", help="列出印章 / list seals")
@click.option(
    "--organ", default="", help="机关及其下级，默认本机关 / the organ and those below, else one's own"
)
@click.option(
    "--state", type=click.Choice([each.value for each in State]), default=None, help="状态 / how they stand"
)
@as_json_option
@click.pass_context
def list_(context: click.Context, *, organ: str, state: str | None, as_json: bool) -> None:
    """Print the register, as far as the actor may see it."""
    found = _seals(context).search(acting(context), Filter(organ=organ, state=state or ""), limit=1000)
    if as_json:
        print_json([each.fields() for each in found])
        return
    for each in found:
        click.echo(f"{each.id:<34} {each.state.value:<10} {each.organ:<24} {each.name}")


@group.command(help="查看一枚印章 / show a seal")
@_seal
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="另存印章数据（DER） / write the structure (DER) to a file",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="另存印模 / write the picture to a file",
)
@as_json_option
@click.pass_context
def show(context: click.Context, *, seal: str, out: Path | None, picture: Path | None, as_json: bool) -> None:
    """Print one seal, and write its parts where that is asked."""
    found = _seals(context).show(acting(context), seal)
    for place, data in ((out, found.der), (picture, found.structure.picture.data)):
        if place:
            files.replace(place, data)
    print_facts(found.fields(), as_json=as_json)


@group.command(help="用印登记簿 / the register of uses")
@click.option(
    "--organ", default="", help="机关及其下级，默认本机关 / the organ and those below, else one's own"
)
@click.option("--seal", default="", help="只看此印章 / only this seal")
@click.option("--person", default="", help="只看此人 / only this person")
@click.option("--subject", default="", help="只看此对象，如 document:… / only this object")
@click.option("--since", default="", help="自此时起（RFC 3339） / begun from this instant on")
@click.option("--until", default="", help="至此时止（RFC 3339） / begun until this instant")
@click.option(
    "--csv", "csv_file", type=click.Path(path_type=Path, dir_okay=False), help="导出 CSV / export as CSV"
)
@as_json_option
@click.pass_context
def uses(
    context: click.Context,
    /,
    *,
    since: str,
    until: str,
    csv_file: Path | None,
    as_json: bool,
    **wanted: str,
) -> None:
    """Print or export the uses, as far as the actor may see them."""
    begin, end = (parse_rfc3339(text) if text else None for text in (since, until))
    chosen = UseFilter(**wanted, since=begin, until=end)
    found = [each.fields() for each in _seals(context).every_use(acting(context), chosen)]
    if csv_file:
        files.replace(csv_file, "".join(lines(found, USE_COLUMNS, "csv")).encode("utf-8-sig"))
    elif as_json:
        print_json(found)
    else:
        for each in found:
            click.echo(
                f"{each['begun']} {each['person']:<20} {each['impressions']:>3} {each['subject']:<40} {each['title']}"
            )


@group.command(help="立即停用印章 / take a seal out of use at once")
@_seal
@_reason
@as_json_option
@click.pass_context
def suspend(context: click.Context, *, seal: str, reason: Any, as_json: bool) -> None:
    """Suspend a seal, if the actor may."""
    print_facts(_seals(context).suspend(acting(context), seal, reason).fields(), as_json=as_json)


@group.command(help="恢复使用：提出提案 / put a seal back in use: a proposal")
@_seal
@_why
@as_json_option
@click.pass_context
def resume(context: click.Context, *, seal: str, why: str, as_json: bool) -> None:
    """Propose that a suspended seal comes back."""
    propose(context, RESUME, {"seal": seal}, reason=why, as_json=as_json)


@group.command(help="注销印章：提出提案 / destroy a seal: a proposal")
@_seal
@_reason
@_why
@as_json_option
@click.pass_context
def destroy(context: click.Context, *, seal: str, reason: str, why: str, as_json: bool) -> None:
    """Propose the end of a seal."""
    propose(context, DESTROY, {"seal": seal, "reason": reason}, reason=why, as_json=as_json)


@group.command("hand-over", help="移交保管 / hand a seal over to another post")
@_seal
@click.option("--post", required=True, help="新的保管岗位 / the post that keeps it from here on")
@as_json_option
@click.pass_context
def hand_over(context: click.Context, *, seal: str, post: str, as_json: bool) -> None:
    """Change the keeper, if the actor may."""
    print_facts(_seals(context).hand_over(acting(context), seal, post).fields(), as_json=as_json)


@group.command("status-list", help="印章状态清单，由制章者签名 / how the seals stand, signed by their maker")
@_out
@as_json_option
@click.pass_context
def status_list(context: click.Context, *, out: Path, as_json: bool) -> None:
    """Write the signed list to a file, and say how many seals it names and how long it speaks for."""
    made = _seals(context).status_list()
    files.replace(out, made)
    said = canonical.decode(cms.verify_attached(made)[0])
    told = {"file": str(out), "ended": len(said["ended"]), "next_update": said["next_update"]}
    print_facts(told, as_json=as_json)


@group.command("draw", help="预览平台绘制的印模 / preview the picture that would be drawn")
@click.argument("name")
@click.option("--personal", is_flag=True, help="人名章 / a personal seal")
@click.option("--size", type=click.IntRange(10, 80), help="直径或边长（毫米） / diameter or side in mm")
@_out
@as_json_option
def draw_(*, name: str, personal: bool, size: int | None, out: Path, as_json: bool) -> None:
    """Draw a picture into a file; nothing is made or recorded."""
    size = size or (draw.SIDE if personal else draw.DIAMETER)
    drawn = draw.name_seal(name, size) if personal else draw.round_seal(name, size)
    files.replace(out, drawn)
    print_facts({"file": str(out), "name": name, "millimetres": size}, as_json=as_json)


def _seals(context: click.Context) -> Seals:
    found: Seals = service(context, "seal")
    return found
