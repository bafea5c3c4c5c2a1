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
    from ops.server import PortTaken, see_that_ports_are_free

    data = context.directory(make=True)
    unconfigured = data.config is None
    settings = prepare(data, context.overrides, port)
    try:
        see_that_ports_are_free(settings)
    except PortTaken:
        if unconfigured:  # or the next start, with another port, would stand beside this one's plain port
            data.path("config.toml").unlink()
        raise
    first = not data.path("tls", "tls-server.pem").exists()
    found(context.platform(), context.say if first else _quietly)
    context.release()
    keep_serving(context, settings)


def _quietly(_text: Text) -> None:
    """A province that is founded already is only looked over."""


def keep_serving(context: Context, settings: Any) -> None:
    """Serve until stopped, and say where."""
    from ops.server import serve

    def announce(where: dict[str, Any]) -> None:
        address = f"https://{where['host']}:{where['port']}"
        context.say(Text(f"已就绪：{address}（Ctrl-C 停止）", f"ready: {address} (Ctrl-C stops it)"))

    serve(context.directory(), context.overrides, settings, announce)
