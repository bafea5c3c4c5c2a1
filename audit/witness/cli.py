"""`yinxin audit witness …`: thin commands over witnessing."""

from pathlib import Path
from typing import Any, cast

import click

from audit.command import log_of
from audit.options import out_option, suite_option
from audit.witness import by_file
from audit.witness.proposals import QuorumContent
from yinxin import files
from yinxin.command import acting, as_json_option, print_json
from yinxin.crypto.suite import suite as suite_named
from yinxin.text import Text
from yinxin.tlog import Checkpoint, MalformedPolicy, Policy

_FILE = click.Path(dir_okay=False, path_type=Path)
_READABLE = click.Path(dir_okay=False, exists=True, path_type=Path)
_code_option = click.option("--qr", "code", type=_FILE, help="另存为二维码（SVG） / also as a QR code (SVG)")


@click.group("witness", help="见证：互相联署检查点 / witnesses: sites that cosign each other's checkpoints")
def group() -> None:
    """The group of commands."""


@group.command(help="见证方、见证规则与告警 / witnesses, policy and alarms")
@as_json_option
@click.pass_context
def show(context: click.Context, *, as_json: bool) -> None:
    """Say how witnessing stands, both ways."""
    found = by_file.read_for(log_of(context), acting(context))
    if as_json:
        print_json(found)
        return
    click.echo(f"已签发 {found['signed']} 条 / {found['signed']} entries signed")
    for tree, size in found["witnessed"].items():
        click.echo(f"  {tree}：达到见证规则的有 {size} 条 / {size} with a quorum")
    for each in found["witnesses"]:
        said = "-" if each["size"] is None else f"{each['size']} @ {each['at']}"
        click.echo(f"  {each['tree']:<8} {each['witness']:<20} {said} {each['error'] or ''}".rstrip())
    for each in found["contradictions"]:
        click.echo(f"  ! {each}")
    click.echo("本站点的见证公钥 / this site's witness keys:")
    for tree, key in found["keys"].items():
        click.echo(f"  {tree}: {key}")
    for each in found["logs"]:
        state = "已停止 / stopped" if each["stopped"] else each["size"]
        click.echo(f"  {each['tree']:<8} {each['origin']} {state}")


@group.command(help="立即请见证方联署 / ask the witnesses now")
@as_json_option
@click.pass_context
def ask(context: click.Context, *, as_json: bool) -> None:
    """Ask every witness that has an address."""
    count = by_file.ask_for(log_of(context), acting(context))
    if as_json:
        print_json({"cosigned": count})
    else:
        click.echo(f"{count} 个见证方已联署 / {count} cosigned")


@group.command(help="把见证规则文件做成提案内容 / make a proposal's content of a policy file")
@click.argument("policy", type=_READABLE)
@suite_option
@out_option
def draft(policy: Path, *, suite: str, out: Path) -> None:
    """Hold a policy file to its format, and write it as `audit.set-quorum` takes it."""
    read = Policy.parse(policy.read_bytes())
    try:
        text = read.source.decode()
    except (
        UnicodeDecodeError
    ) as error:  # the format takes any octets; a proposal, which people read, takes text
        raise MalformedPolicy(line=0, reason=Text("不是 UTF-8 文本", "not UTF-8")) from error
    content = QuorumContent(suite=cast("Any", suite), policy=text)
    files.replace(out, content.model_dump_json().encode())
    words = read.words()
    click.echo(f"可信条件：{words.zh}")
    click.echo(f"believed when cosigned by: {words.en}")


@group.command(
    help="取得现行见证规则文件，供核验者放入信任目录 / the policy in force, for a verifier's folder of trust"
)
@suite_option
@out_option
@click.pass_context
def policy(context: click.Context, *, suite: str, out: Path) -> None:
    """Write the policy in force; it is public."""
    files.replace(out, log_of(context).witnesses.policy_file(suite_named(suite)))


@group.command(help="导出检查点，交见证方联署 / export a checkpoint for a witness to cosign")
@click.argument("witness")
@suite_option
@click.option("--old", type=click.IntRange(min=0), help="见证方上次联署的规模 / the size it cosigned last")
@out_option
@_code_option
@as_json_option
@click.pass_context
def export(
    context: click.Context,
    witness: str,
    *,
    suite: str,
    old: int | None,
    out: Path,
    code: Path | None,
    as_json: bool,
) -> None:
    """Write what travels to the witness."""
    made = by_file.export_for(log_of(context), acting(context), suite_named(suite), witness, old)
    size = Checkpoint.parse(made.checkpoint.text).size
    _write(made.encode(), out, code)
    _say({"file": str(out), "old": made.old, "size": size}, as_json=as_json)


@group.command(help="核验并联署他方日志的检查点 / verify and cosign another log's checkpoint")
@click.argument("submission", type=_READABLE)
@out_option
@_code_option
@as_json_option
@click.pass_context
def cosign(context: click.Context, submission: Path, *, out: Path, code: Path | None, as_json: bool) -> None:
    """Cosign what came in a file; write what travels back."""
    answer = by_file.cosign_for(log_of(context), acting(context), submission.read_bytes())
    _write(answer, out, code)
    _say({"file": str(out)}, as_json=as_json)


@group.command("import", help="导入见证方的联署 / import a witness's cosignature")
@click.argument("answer", type=_READABLE)
@as_json_option
@click.pass_context
def import_(context: click.Context, answer: Path, *, as_json: bool) -> None:
    """Take the cosignatures of an answer."""
    _say(by_file.import_for(log_of(context), acting(context), answer.read_bytes()), as_json=as_json)


def _write(data: bytes, out: Path, code: Path | None) -> None:
    if code is not None:
        by_file.write_code(code, data)
    files.replace(out, data)


def _say(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        click.echo(f"{name}: {', '.join(value) if isinstance(value, list) else value}")
