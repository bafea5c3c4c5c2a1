"""`yinxin serve`: serve an installation that is founded; with `--only kms`, the key centre alone."""

from typing import Any

import click

from ops.cli.context import Context
from yinxin.errors import YinxinError
from yinxin.text import Text


@click.command()
@click.option(
    "--only",
    type=click.Choice(["kms"]),
    help="只运行密钥管理中心，由它独占密码机 / the key centre alone, the only process that opens the HSM",
)
@click.pass_obj
def serve(context: Context, only: str | None) -> None:
    """在前台运行已建立的平台 / Serve, in the foreground, an installation that is founded."""
    from ops.cli.up import keep_serving, opened
    from ops.settings import configuration

    data = context.directory()
    settings = configuration(data.config, context.overrides)
    secrets = opened(context, data, settings)
    if only == "kms":
        from ops.key_centre import serve_key_centre

        serve_key_centre(
            data,
            context.overrides,
            settings,
            secrets,
            (lambda where: _say(context, where), lambda trouble: _say_not(context, trouble)),
        )
        return
    keep_serving(context, settings, secrets)


def _say(context: Context, where: dict[str, Any]) -> None:
    address = f"{where['host']}:{where['port']}"
    context.say(Text(f"密钥管理中心已就绪：{address}", f"key centre ready: {address}"))


def _say_not(context: Context, trouble: YinxinError) -> None:
    context.say(
        Text(
            f"密钥管理中心尚未就绪（{trouble.code}）：{trouble.text('zh')}",
            f"key centre not ready ({trouble.code}): {trouble.text('en')}",
        )
    )


@click.command("kms-services")
@click.option("--json", "as_json", is_flag=True, help="机器可读 / machine-readable")
@click.pass_obj
def kms_services(context: Context, *, as_json: bool) -> None:
    """签发密钥管理中心与其调用方的服务证书 / Issue the certificates of the key centre and of those that call it."""
    from kms.settings import CALLER
    from ops.acting import acting_person
    from ops.platform import Platform
    from ops.service_certificates import issue_service_certificates
    from ops.service_pins import pins_file

    data = context.directory()
    # the first time there is nobody to call yet: this machine's own module issues them
    first = not (data.path("tls", f"{CALLER}.pem").exists() and pins_file(data).exists())
    with Platform.open(data, context.overrides, holds_keys=first) as platform:
        officer = acting_person(platform, context.identity, context.password_file)
        issued = issue_service_certificates(platform, officer)
    if as_json:
        context.answer({service: str(file) for service, file in issued.items()})
        return
    for service, file in issued.items():
        click.echo(f"  {service:20} {file}")
