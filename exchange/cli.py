"""`yinxin exchange …`: thin commands over the exchange."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from exchange import ask, desk, export
from exchange.check import FAULTS
from exchange.models import State
from exchange.reconcile import DIFFERENCES
from exchange.service import Exchange
from exchange.standing import Standing
from yinxin import files
from yinxin.clock import parse_rfc3339, rfc3339
from yinxin.command import acting, as_json_option, print_json, service
from yinxin.exchange import Enclosed, Outgoing
from yinxin.tables import lines

_FILE = click.Path(dir_okay=False, path_type=Path)
_READABLE = click.Path(dir_okay=False, exists=True, path_type=Path)


@click.group("exchange", help="跨站点交换 / exchange between sites")
def group() -> None:
    """The group of commands."""


@group.command(help="写出本站点名片，交对方接纳 / write this site's card, for another site to admit")
@click.option("--out", type=_FILE, required=True, help="名片文件 / the card's file")
@click.option(
    "--peer", default="", help="改为写出已登记的对方名片 / a peer's card as it is on record instead"
)
@as_json_option
@click.pass_context
def card(context: click.Context, *, out: Path, peer: str, as_json: bool) -> None:
    """Write the card, and say its digest."""
    exchange, actor = _exchange(context), acting(context)
    data, digest = ask.peer_card_for(exchange, actor, peer) if peer else ask.card_for(exchange, actor)
    files.replace(out, data)
    if as_json:
        print_json({"file": str(out), "digest": digest})
    elif peer:
        click.echo(f"{out}：{digest}")
    else:
        click.echo(f"{out}")
        click.echo(f"请用其他途径告知对方核对 / tell the other site by another way: {digest}")


@group.command(help="各站点及收发情况 / the peers, and how exchange with each stands")
@as_json_option
@click.pass_context
def peers(context: click.Context, *, as_json: bool) -> None:
    """Say how exchange with each peer stands."""
    found = [_told(each) for each in ask.peers_for(_exchange(context), acting(context))]
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(f"{each['site']}  {each['name']['zh']} / {each['name']['en']}")
        click.echo(
            f"  发出 {each['sent']}（待送 {each['waiting']}），收到 {each['received']}（待交付 {each['undelivered']}）"
            f" / sent {each['sent']}, {each['waiting']} waiting; received {each['received']}, {each['undelivered']} to deliver"
        )
        if each["claimed"]:
            click.echo(
                f"  ? 名片另列机关，待办理接纳 / organs on its card that nobody decided on: {', '.join(each['claimed'])}"
            )
        if each["error"] or each["stopped"]:
            click.echo(f"  ! {each['error'] or 'stopped'}")


@group.command(help="运行状况，异常时退出码为 65 / how the exchange is; exit 65 when it is not well")
@as_json_option
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Say whether the exchange is well."""
    exchange = _exchange(context)
    ask.peers_for(exchange, acting(context))
    health = exchange.health()
    if as_json:
        print_json({"ok": health.ok, "zh": health.text.zh, "en": health.text.en} | dict(health.facts))
    else:
        click.echo(f"{health.text.zh} / {health.text.en}")
    if not health.ok:
        context.exit(65)


@group.command(help="向其他站点的机关发送 / send to an organ of another site")
@click.option("--from", "sender", required=True, help="本站点的发送机关 / organ of this site")
@click.option("--to", "recipient", required=True, help="接收机关 / receiving organ")
@click.option("--kind", required=True, help="应用 / the application")
@click.option("--object", "object_", required=True, help="事项标识 / what it is about")
@click.option("--grade", default="internal", show_default=True, help="密级 / level of secrecy")
@click.option(
    "--reference",
    required=True,
    help="发送编号，相同编号只发一次 / its reference: the same one sends it once",
)
@click.option("--text", default="", help="说明 / what to say")
@click.argument("enclosed", type=_READABLE, nargs=-1)
@as_json_option
@click.pass_context
def send(
    context: click.Context, /, *, enclosed: tuple[Path, ...], text: str, as_json: bool, **said: Any
) -> None:
    """Put a message into the outbox."""
    wanted = Outgoing(
        reference=said["reference"],
        sender=said["sender"],
        recipient=said["recipient"],
        kind=said["kind"],
        object=said["object_"],
        grade=said["grade"],
        body={"text": text},
        files=tuple(Enclosed(each.name, "application/octet-stream", each) for each in enclosed),
    )
    sent = desk.send_for(_exchange(context), acting(context), wanted)
    if as_json:
        print_json({"id": sent.id, "peer": sent.peer, "seq": sent.seq, "state": str(sent.state)})
    else:
        click.echo(f"{sent.id} → {sent.peer} #{sent.seq}")


@group.command("list", help="消息日志 / the message log")
@click.option(
    "--direction", type=click.Choice(["out", "in"]), default=None, help="发出或收到 / sent or received"
)
@click.option("--peer", default="", help="站点 / the other site")
@click.option("--organ", default="", help="发送或接收机关 / sending or receiving organ")
@click.option("--kind", default="", help="应用 / the application")
@click.option("--object", "object_", default="", help="事项标识 / what it is about")
@click.option("--state", type=click.Choice([*State]), default=None, help="状态 / where it stands")
@click.option("--since", default="", help="起始时间 / from (RFC 3339)")
@click.option("--until", default="", help="截止时间 / until (RFC 3339)")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="最多几条 / how many at most",
)
@click.option("--csv", "as_csv", is_flag=True, help="全部符合条件的，CSV / all that match, as CSV")
@as_json_option
@click.pass_context
def list_(context: click.Context, /, *, limit: int, as_csv: bool, as_json: bool, **said: Any) -> None:
    """List messages, newest first."""
    wanted = ask.Filter(
        direction=said["direction"] or "",
        peer=said["peer"],
        organ=said["organ"],
        kind=said["kind"],
        object=said["object_"],
        state=said["state"] or "",
        since=_instant(said["since"]),
        until=_instant(said["until"]),
    )
    exchange, actor = _exchange(context), acting(context)
    if as_csv:
        rows = (ask.shown(each) for each in ask.every_for(exchange, actor, wanted))
        for line in lines(rows, ask.COLUMNS, "csv"):
            click.echo(line, nl=False)
        return
    found = [ask.shown(each) for each in ask.messages_for(exchange, actor, wanted, limit=limit)]
    if as_json:
        print_json(found)
        return
    for each in found:
        arrow = "→" if each["direction"] == "out" else "←"
        click.echo(
            f"{each['at']} {arrow} {each['peer']} #{each['seq']} {each['kind']} {each['object']} {each['state']} {each['id']}"
        )


@group.command(help="一条消息及其证据 / a message, and its evidence")
@click.argument("message")
@click.option(
    "--direction", type=click.Choice(["out", "in"]), default=None, help="发出或收到 / sent or received"
)
@click.option("--peer", default="", help="对方站点 / the other site")
@click.option(
    "--out", type=_FILE, default=None, help="另存证据包（.asice） / also its evidence, as a bundle (.asice)"
)
@as_json_option
@click.pass_context
def show(
    context: click.Context,
    message: str,
    *,
    direction: str | None,
    peer: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Show a message; with `--out` write what `yinxin verify` checks."""
    exchange, actor = _exchange(context), acting(context)
    wanted = ask.Known(message, peer, direction or "")
    facts = ask.shown(ask.message_for(exchange, actor, wanted))
    if out is not None:
        files.replace(out, export.export_for(exchange, actor, wanted))
        facts["file"] = str(out)
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        click.echo(f"{name}: {'-' if value is None else value}")


@group.group(help="用移动介质传递 / carry by a removable medium")
def carry() -> None:
    """The group of commands."""


@carry.command(
    "out", help="写出给一个站点的全部待送消息与回执 / write all that waits for a peer, and receipts"
)
@click.option("--peer", required=True, help="站点 / the site")
@click.option("--to", "file", type=_FILE, required=True, help="文件 / the file")
@as_json_option
@click.pass_context
def carry_out(context: click.Context, *, peer: str, file: Path, as_json: bool) -> None:
    """Write what travels to a peer."""
    count = ask.carry_out_for(_exchange(context), acting(context), peer, file)
    if as_json:
        print_json({"file": str(file), "messages": count})
    else:
        click.echo(f"{file}：{count} 条消息 / {count} messages")


@carry.command("in", help="收进其他站点写出的文件 / take in a file that another site wrote")
@click.argument("file", type=_READABLE)
@as_json_option
@click.pass_context
def carry_in(context: click.Context, file: Path, *, as_json: bool) -> None:
    """Take in a file."""
    with file.open("rb") as stream:
        found = ask.carry_in_for(_exchange(context), acting(context), stream)
    if as_json:
        print_json(
            {
                "messages": found.messages,
                "early": found.early,
                "settled": found.settled,
                "difference": found.difference,
            }
        )
        return
    click.echo(f"消息 {found.messages} 条，提前到达 {found.early} 批，回执确认 {found.settled} 条")
    click.echo(f"{found.messages} messages, {found.early} runs early, {found.settled} of ours receipted")
    if found.difference:
        said = DIFFERENCES[found.difference]
        click.echo(f"! {said.zh} / {said.en}")


@group.command(
    help="立即收发并对账，不符则退出码为 65 / call and reconcile now; exit 65 when something differs"
)
@click.argument("peer")
@as_json_option
@click.pass_context
def reconcile(context: click.Context, peer: str, *, as_json: bool) -> None:
    """Reconcile with a peer."""
    found = ask.reconcile_for(_exchange(context), acting(context), peer)
    if as_json:
        print_json(
            {
                "peer": found.peer,
                "sent": found.sent.seq,
                "receipted": found.sent.receipted,
                "received": found.received.seq,
                "difference": found.difference,
            }
        )
    else:
        click.echo(
            f"发出 {found.sent.seq}（已回执 {found.sent.receipted}），收到 {found.received.seq}"
            f" / sent {found.sent.seq}, receipted {found.sent.receipted}; received {found.received.seq}"
        )
        if found.difference:
            said = DIFFERENCES[found.difference]
            click.echo(f"! {said.zh} / {said.en}")
    if found.difference:
        context.exit(65)


@group.command(
    "check",
    help="核对全部交换存储：消息头、签名、回执、附件与名录，有问题则退出码为 65 / hold all that is stored against what was signed; exit 65 when something is at fault",
)
@as_json_option
@click.pass_context
def check_(context: click.Context, *, as_json: bool) -> None:
    """Check what is stored, and name what is not as it was signed."""
    found = ask.check_for(_exchange(context), acting(context))
    if as_json:
        faults = [
            {"what": each.what, "peer": each.peer, "direction": each.direction, "place": each.place}
            for each in found.faults
        ]
        counted = {"messages": found.messages, "parts": found.parts, "signatures": found.signatures}
        print_json({**counted, "faults": faults})
    else:
        click.echo(
            f"已核对 {found.messages} 条消息、{found.parts} 个部分、{found.signatures} 个签名，{len(found.faults)} 处有问题"
        )
        click.echo(
            f"checked {found.messages} messages, {found.parts} parts and {found.signatures} signatures; {len(found.faults)} at fault"
        )
        for each in found.faults:
            said, place = FAULTS[each.what], f"{each.peer} {each.direction} {each.place}"
            click.echo(f"  {place} {each.what}: {said.zh} / {said.en}")
    if found.faults:
        context.exit(65)


def _told(found: Standing) -> dict[str, Any]:
    peer = found.peer
    return {
        **found.fields(),
        "name": {"zh": peer.name.zh, "en": peer.name.en},
        "url": peer.url,
        "source": peer.source,
        "stopped": rfc3339(peer.stopped) if peer.stopped else None,
    }


def _instant(text: str) -> datetime | None:
    return parse_rfc3339(text) if text else None


def _exchange(context: click.Context) -> Exchange:
    exchange: Exchange = service(context, "exchange")
    return exchange
