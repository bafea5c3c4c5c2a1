"""`yinxin verify`: check a file offline and say in words what holds."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from ops.cli.context import Context
from yinxin import evidence, report
from yinxin.clock import SystemClock
from yinxin.crypto.certificates import Certificate
from yinxin.errors import YinxinError
from yinxin.evidence.record import EvidenceRecord, follow
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
    multiple=True,
    type=click.Path(path_type=Path),
    help="信任的根证书和日志公钥所在目录，可给多个，省略则用数据目录中的 / folder of roots and log keys, or several; else the data directory's",
)
@click.option("--json", "as_json", is_flag=True, help="机器可读 / machine-readable")
@click.option(
    "--holder",
    type=click.Path(path_type=Path),
    help="属性证书：出示者的证书 / for an attribute certificate: the certificate that was shown",
)
@click.option(
    "--with",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="属性证书：另有的证书和撤销列表（PEM）/ certificates and lists given apart",
)
@click.option(
    "--attached",
    "attached",
    multiple=True,
    type=click.Path(path_type=Path),
    help="证据所载的附件，与签发的摘要核对 / a file that the evidence names: it is held against what was signed",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    help="证据记录（.ers），按续期链核验 / the file's evidence record: its renewals are followed",
)
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
    help="按此时刻核验，省略则为现在 / judge for this instant; else now",
)
@click.option(
    "--as-target", "names", multiple=True, help="属性证书：使用方的网址或域名 / by which name it is used here"
)
@click.option("--as-member-of", "groups", multiple=True, help="属性证书：使用方所属的组 / groups of the user")
@click.pass_obj
def verify(
    context: Context,
    /,
    *,
    file: Path,
    trust: tuple[Path, ...],
    as_json: bool,
    at: datetime | None,
    record: Path | None,
    **beside: Any,
) -> None:
    """离线核验证据包（.asice）、盖章的 PDF 和 OFD、审计报告、属性证书、日志区间或摘录 / Check evidence, a sealed PDF or OFD, a report, an attribute certificate, a stretch or an extract of the log, offline."""
    held: list[Text] = []
    try:
        data = _read(file)
        folders = trust or (context.data / "trust",)
        folder = ", ".join(map(str, folders))
        trusted = evidence.Trust.of(folders)
        when = at or SystemClock().now()
        renewals = _read(record) if record else None
        if report.is_report(data):
            if renewals is not None:
                when = follow(
                    EvidenceRecord.decode(renewals), data, trusted.roots, trusted.ages, at=when, held=held
                ).since
            report.verify(data, trusted, at=when, held=held)
        else:
            evidence.verify(data, trusted, at=when, held=held, beside=_beside(**beside), record=renewals)
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
        context.answer({"holds": True, "held": _both(held), "trust": folder})
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


def _beside(
    *,
    holder: Path | None,
    files: tuple[Path, ...],
    names: tuple[str, ...],
    groups: tuple[str, ...],
    attached: tuple[Path, ...],
) -> evidence.Beside:
    """What the file is judged with besides itself."""
    return evidence.Beside(
        tuple(map(_read, files)),
        Certificate.load(_read(holder)) if holder else None,
        frozenset(names),
        frozenset(groups),
        tuple(map(_digested, attached)),
    )


def _digested(file: Path) -> evidence.Attached:
    """An attached file of any size."""
    try:
        return evidence.Attached.of(file)
    except OSError as error:
        raise UnreadableFile(file=str(file), reason=error.strerror or str(error)) from error


def _say(context: Context, held: list[Text]) -> None:
    for text in held:
        mark = "!" if isinstance(text, evidence.NotJudged) else "✓"
        for language in (context.language,) if context.language else ("zh", "en"):
            click.echo(f"  {mark} {text(language)}")


def _both(held: list[Text]) -> list[dict[str, str]]:
    return [{"zh": text.zh, "en": text.en} for text in held]


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise UnreadableFile(file=str(file), reason=f"> {LARGEST} B")
        return file.read_bytes()
    except OSError as error:
        raise UnreadableFile(file=str(file), reason=error.strerror or str(error)) from error
