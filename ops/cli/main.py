"""The command line: our own commands, and every module's, each imported only when it is used.

`--data`, `--set`, `--lang`, `--as` and `--password-file` may stand anywhere in the command.
"""

import gc
import logging
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ops.cli.context import Context
from yinxin.errors import Invalid, YinxinError
from yinxin.module import imported

#: command → (import name, help); the heavy code behind a command is loaded only when it runs
COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": (
        "ops.cli.demo:demo",
        "一个小省份，从无到有，把主要工作做一遍 / A miniature province, from nothing, does the main job",
    ),
    "up": ("ops.cli.up:up", "前台运行 / Serve in the foreground"),
    "serve": (
        "ops.cli.serve:serve",
        "运行已建立的平台，或只运行密钥管理中心 / Serve what is founded, or the key centre alone",
    ),
    "kms-services": (
        "ops.cli.serve:kms_services",
        "签发密钥管理中心的服务证书 / Issue the key centre's service certificates",
    ),
    "status": ("ops.cli.status:status", "运行状态 / Where everything is, and how it is"),
    "verify": (
        "ops.cli.verify:verify",
        "离线核验证据包或盖章文件 / Check evidence or a sealed document offline",
    ),
    "sign": (
        "ops.cli.sign:sign",
        "用自己的密钥签署声明或文件 / Sign a statement or a file with your own key",
    ),
    "export-documents": (
        "ops.cli.export_documents:export_documents",
        "导出本机关全部公文的证据与附件 / Export the evidence and files of the own organ's documents",
    ),
    "sign-in": ("ops.cli.sign:sign_in", "签署登录挑战 / Answer a sign-in challenge"),
    "bench": ("ops.cli.bench:bench", "性能，以比值表示 / Performance, as ratios"),
    "errors": ("ops.cli.errors:errors", "错误一览 / The table of errors"),
    "settings": ("ops.cli.settings:settings", "配置项一览 / The table of settings"),
    "metrics": ("ops.cli.metrics:metrics", "监控指标一览 / The list of figures for monitoring"),
    "audit": ("audit.cli:group", "审计日志 / The audit log"),
    "kms": ("kms.cli:group", "密钥管理中心 / The key centre"),
    "authz": ("authz.cli:group", "机构、人员与授权 / Organs, people and authorization"),
    "ca": ("ca.cli:group", "数字认证中心 / The certificate authority"),
    "exchange": ("exchange.cli:group", "跨站点交换 / Exchange between sites"),
    "seal": ("seal.cli:group", "印章与用印登记 / Seals and the register of their uses"),
    "calendar": (
        "yinxin.calendar.register.cli:group",
        "工作日历与期限 / Working-day calendars and deadlines",
    ),
    "attachment": ("yinxin.attachment.cli:group", "附件存储 / The store of attachments"),
}


#: objects that are made before what nobody refers to is looked for: nearly all that a command makes at first is modules, which stay,
#: and looking through them again and again took a quarter of a start
_YOUNG = 100_000


class FileTrouble(Invalid):
    """A file named on the command line can be neither read nor written."""

    code = "ops.file_trouble"
    exit = 74
    zh = "文件 {file} 无法读写（{reason}）；请检查路径、权限和磁盘空间。"
    en = "File {file} cannot be read or written ({reason}); check the path, its rights and the disk's free space."


class Commands(click.Group):
    """The commands by name, imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = imported(COMMANDS[cmd_name][0])
        _everywhere(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _remember(name: str) -> Any:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        context = ctx.find_root().obj
        if value is None or value == ():
            return
        if name == "overrides":
            context.overrides.extend(value)
        else:
            setattr(context, name, value)

    return callback


def _shared() -> list[click.Parameter]:
    def option(flags: list[str], name: str, text: str, **more: Any) -> click.Option:
        return click.Option(flags, help=text, expose_value=False, callback=_remember(name), **more)

    path = click.Path(path_type=Path)
    return [
        option(["--data"], "data", "数据目录 / data directory", type=path, metavar="DIR"),
        option(
            ["--set"], "overrides", "覆盖一项配置 / override one setting", multiple=True, metavar="KEY=VALUE"
        ),
        option(["--lang"], "language", "语言 / language", type=click.Choice(["zh", "en"])),
        option(["--as"], "identity", "以此证书的持有人行事 / act as its holder", type=path, metavar="P12"),
        option(
            ["--password-file"],
            "password_file",
            "该证书的口令文件 / its password file",
            type=path,
            metavar="FILE",
        ),
    ]


def _everywhere(command: click.Command) -> None:
    """Let the shared options stand after any command; once per command object."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _everywhere(below)
        if not command.invoke_without_command:
            return
    if not any(parameter.name == "data" for parameter in command.params):
        command.params.extend(_shared())


root = Commands(
    "yinxin", help="Yinxin 印信", params=_shared(), context_settings={"help_option_names": ["-h", "--help"]}
)


def main() -> None:
    """Run the command; the exit status is that of the error, if one is raised.

    No core file is ever written: one would hold keys and PINs in the clear (law 2). Child processes inherit this.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    context = Context()
    status = 0
    try:
        with context.closing:
            # click gives the status of an Exit back instead of raising it; commands themselves return nothing
            status = root.main(prog_name="yinxin", obj=context, standalone_mode=False) or 0
    except YinxinError as error:
        context.fail(error, as_json="--json" in sys.argv)
        status = error.exit
    except OSError as error:
        status = _of_a_file(context, error)
    except click.Abort:
        status = 130
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    sys.exit(status)


def _of_a_file(context: Context, error: OSError) -> int:
    """Say which file gave trouble; an error that names no file goes on."""
    if not isinstance(error.filename, str | Path):
        raise error
    trouble = FileTrouble(file=str(error.filename), reason=error.strerror or str(error))
    context.fail(trouble, as_json="--json" in sys.argv)
    return trouble.exit
