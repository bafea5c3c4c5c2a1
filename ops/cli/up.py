"""`yinxin up`: serve in the foreground."""

from typing import Any

import click

from ops.cli.context import Context
from yinxin.text import Text


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), help="TLS 端口，0 为任一空闲端口 / TLS port, 0 for a free one"
)
@click.pass_obj
def up(context: Context, port: int | None) -> None:
    """在前台运行；第一次运行时建立演示省份 / Serve in the foreground; the first start founds the miniature province."""
    from ops.demo.found import found
    from ops.init import prepare
    from ops.listening import PortTaken
    from ops.server import see_that_ports_are_free

    data = context.directory(make=True)
    unconfigured = data.config is None
    settings = prepare(data, context.overrides, port)
    try:
        see_that_ports_are_free(settings)
    except PortTaken:
        if unconfigured:  # or the next start, with another port, would stand beside this one's plain port
            data.path("config.toml").unlink()
        raise
    context.secrets = opened(context, data, settings)
    first = not data.path("tls", "tls-server.pem").exists()
    found(context.platform(), context.say if first else _quietly)
    secrets = context.release()
    keep_serving(context, settings, secrets)


def opened(context: Context, data: Any, settings: Any) -> Any:
    """The secrets, after enough custodians have entered their shares where they have sealed any."""
    from ops.secrets import secrets_of, wait_for_custodians
    from yinxin.clock import SystemClock

    def told(gathering: Any) -> None:
        entered, threshold = gathering.sealed.threshold - gathering.missing, gathering.sealed.threshold
        context.say(
            Text(
                f"封存中：已输入 {entered} / {threshold} 份额（yinxin kms custodians enter）",
                f"sealed: {entered} of {threshold} shares entered (yinxin kms custodians enter)",
            )
        )

    clock = SystemClock()
    secrets = secrets_of(data, settings, clock)
    wait_for_custodians(data, secrets, clock, told)
    return secrets


def _quietly(_text: Text) -> None:
    """A province that is founded already is only looked over."""


def keep_serving(context: Context, settings: Any, secrets: Any) -> None:
    """Serve until stopped, and say where."""
    from ops.server import serve
    from ops.settings import demand_shared

    demand_shared(settings)

    def announce(where: dict[str, Any]) -> None:
        address = f"https://{where['host']}:{where['port']}"
        context.say(Text(f"已就绪：{address}（Ctrl-C 停止）", f"ready: {address} (Ctrl-C stops it)"))

    serve(context.directory(), context.overrides, settings, secrets, announce)
