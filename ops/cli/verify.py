"""`yinxin verify`: check a file offline and say in words what holds."""

from pathlib import Path

import click

from ops.cli.context import Context
from yinxin import evidence
from yinxin.clock import SystemClock
from yinxin.errors import YinxinError
from yinxin.text import Text

#: octets; a larger file is refused before it is read
LARGEST = 512 * 1024 * 1024


class UnreadableFile(evidence.UnknownFile):
    """The file cannot be read at all."""

    code = "ops.unreadable_file"
    exit = 66
    zh = "读不到文件 {file}（{reason}）；请检查路径和权限。"
    en = "File {file} cannot be read ({reason}); check the path and its rights."


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--trust",
    type=click.Path(path_type=Path),
    help="信任的根证书和日志公钥所在目录，省略则用数据目录中的 / folder of roots and log keys; else the data directory's",
)
@click.option("--json", "as_json", is_flag=True, help="机器可读 / machine-readable")
@click.pass_obj
def verify(context: Context, file: Path, trust: Path | None, as_json: bool) -> None:  # noqa: FBT001 - a click flag
    """离线核验证据包（.asice）或盖章的 PDF / Check an evidence bundle or a sealed PDF, offline."""
    held: list[Text] = []
    try:
        data = _read(file)
        folder = trust or context.data / "trust"
        trusted = evidence.Trust.load(folder)
        evidence.verify(data, trusted, at=SystemClock().now(), held=held)
    except YinxinError as error:
        if as_json:
            context.answer(
                {
                    "holds": False,
                    "code": error.code,
                    "zh": error.text("zh"),
                    "en": error.text("en"),
                    "held": _both(held),
                }
            )
            raise click.exceptions.Exit(error.exit) from error
        _say(context, held)
        raise
    if as_json:
        context.answer({"holds": True, "held": _both(held), "trust": str(folder)})
        return
    _say(context, held)
    roots = ", ".join(root.fingerprint[:16] for root in trusted.roots)
    context.say(
        Text(
            f"依据 {folder} 中的 {len(trusted.roots)} 张根证书（{roots}）和 {len(trusted.logs)} 个日志公钥。",
            f"by the {len(trusted.roots)} roots ({roots}) and {len(trusted.logs)} log keys in {folder}.",
        )
    )
    context.say(Text("全部成立。", "Everything holds."))


def _say(context: Context, held: list[Text]) -> None:
    for text in held:
        for language in (context.language,) if context.language else ("zh", "en"):
            click.echo(f"  ✓ {text(language)}")


def _both(held: list[Text]) -> list[dict[str, str]]:
    return [{"zh": text.zh, "en": text.en} for text in held]


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise UnreadableFile(file=str(file), reason=f"> {LARGEST} B")
        return file.read_bytes()
    except OSError as error:
        raise UnreadableFile(file=str(file), reason=error.strerror or str(error)) from error
