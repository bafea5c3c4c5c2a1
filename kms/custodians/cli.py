"""`yinxin kms custodians …`: shares are printed once, entered by their holders, and stand on no command line."""

import base64
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click

from kms.custodians.door import visit
from kms.custodians.errors import NobodyWaits
from kms.custodians.gather import Gathering
from kms.custodians.make import Hand, Making, Wanted
from kms.custodians.sealed import FILE, Custodian, SealedSet
from kms.custodians.shares import MOST, Share
from kms.secrets.files import SecretFiles
from yinxin import files
from yinxin.clock import SystemClock
from yinxin.command import acting, as_json_option, folder, print_facts, service, unsealed
from yinxin.errors import YinxinError

#: what a set of shares is made with, for the first and for every later one
_SET = (
    click.option(
        "--threshold",
        type=click.IntRange(2, MOST),
        required=True,
        metavar="M",
        help="解封所需的份额数 / shares that are enough",
    ),
    click.option(
        "--shares", type=click.IntRange(2, MOST), required=True, metavar="N", help="份额总数 / shares in all"
    ),
    click.option(
        "--person",
        "people",
        multiple=True,
        metavar="ID",
        help="持有人，每份一人，依次写出 / who holds each, in order",
    ),
    click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        help="每份写入此目录的一个文件（0600），供打印 / a file for each in this folder, to be printed",
    ),
)


def _set_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options above; the command gets them as `wanted` and `out`."""

    @wraps(command)
    def gathered(
        *given: Any, threshold: int, shares: int, people: tuple[str, ...], out: Path | None, **named: Any
    ) -> None:
        command(*given, wanted=Wanted(threshold, shares, people), out=out, **named)

    whole: Callable[..., None] = gathered
    for option in reversed(_SET):
        whole = option(whole)
    return whole


@click.group("custodians", help="秘密由多位保管人的份额封存 / secrets under the shares of several custodians")
def group() -> None:
    """The group of commands."""


@group.command(help="建立保管人份额，封存 secrets 中的秘密 / make shares and seal the secrets")
@_set_options
@as_json_option
@click.pass_context
def init(context: click.Context, *, wanted: Wanted, out: Path | None, as_json: bool) -> None:
    """Make the first set."""
    hand = _hand(out)
    making = _making(context, wanted.people)
    sealed, _ = making.make(acting(context), wanted, hand)
    _say(sealed, making.plain, out, as_json=as_json)


@group.command(
    help="更换全部份额，旧份额作废；须足够多的保管人到场 / new shares in place of the old, which are void"
)
@_set_options
@as_json_option
@click.pass_context
def renew(context: click.Context, *, wanted: Wanted, out: Path | None, as_json: bool) -> None:
    """Make a new set, with enough custodians of the old one present."""
    hand = _hand(out)
    file = folder(context) / "secrets" / FILE
    key = _present(SealedSet.load(file))
    unsealed(context, key)
    making = _making(context, wanted.people)
    sealed, key = making.renew(acting(context), wanted, key, hand)
    unsealed(context, key)
    with suppress(NobodyWaits):  # a server that runs goes on with the new key
        visit(folder(context), {"do": "renewed", "key": base64.b64encode(key).decode()})
    _say(sealed, making.plain, out, as_json=as_json)


@group.command(help="输入自己的份额，供正在等待的启动使用 / enter one's share at a start that waits")
@as_json_option
@click.pass_context
def enter(context: click.Context, *, as_json: bool) -> None:
    """Enter a share: asked for on the terminal and not shown, or one line of standard input."""
    if visit(folder(context), {"do": "status"})["state"] != "sealed":  # nobody says her words to no end
        raise NobodyWaits(folder=str(folder(context)))
    words = _words("份额 / your share")
    print_facts(visit(folder(context), {"do": "enter", "words": words}), as_json=as_json)


@group.command(help="封存与解封状态、保管人名单 / the state, and who holds shares")
@as_json_option
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Say who holds shares, and how far a start is that waits."""
    secrets = folder(context) / "secrets"
    facts: dict[str, Any] = {"state": "stopped", **SealedSet.load(secrets / FILE).fields()}
    with suppress(NobodyWaits):
        facts |= visit(folder(context), {"do": "status"})
    print_facts(facts | {"plain": SecretFiles(secrets).names()}, as_json=as_json)


# --- words, in and out -------------------------------------------------------------------------------------------


def _words(prompt: str) -> str:
    """One share, from a terminal that does not show it or from standard input, where lines of remarks are passed over."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True))
    for line in sys.stdin:
        if line.strip() and not line.startswith("#"):
            return line
    raise click.UsageError("标准输入中没有更多份额 / standard input holds no more shares")


def _present(sealed: SealedSet) -> bytes:
    """The key, from shares of those who are present; on a terminal a slip is told and entered again."""
    gathering = Gathering(sealed, SystemClock(), timedelta(days=1))
    while gathering.missing:
        try:
            gathering.enter(_words(f"份额 / a share ({gathering.missing})"))
        except YinxinError as error:
            if not sys.stdin.isatty():
                raise
            click.echo(f"{error.text('zh')}\n{error.text('en')}", err=True)
    return gathering.key()


def _hand(out: Path | None) -> Hand:
    """How each custodian is given her share."""
    if out is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise click.UsageError(
                "份额只在终端上显示；或用 --out DIR 写入文件 / shares are shown on a terminal only; or write them to files with --out DIR"
            )
        return _show
    out.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(custodian: Custodian, share: Share) -> None:
        text = f"# Yinxin 印信: share {custodian.number} {custodian.person}\n{share.words}\n"
        file = _file(out, custodian.number)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii" if text.isascii() else "utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        files.sync_folder(out)

    return write


def _file(out: Path, number: int) -> Path:
    return out / f"share-{number}.txt"


def _show(custodian: Custodian, share: Share) -> None:
    """One custodian at a time: the next sees an empty screen."""
    click.clear()
    click.echo(f"份额 / share {custodian.number} {custodian.person}\n")
    words = share.words.split()
    for start in range(0, len(words), 4):
        click.echo(
            "  ".join(
                f"{start + place:2} {word:<10}" for place, word in enumerate(words[start : start + 4], 1)
            )
        )
    while not click.confirm("\n已抄写并核对 / written down and compared", default=False):
        pass
    click.clear()


def _say(sealed: SealedSet, plain: SecretFiles, out: Path | None, *, as_json: bool) -> None:
    facts = sealed.fields() | {
        "files": [str(_file(out, each.number)) for each in sealed.custodians] if out else [],
        "plain": plain.names(),
    }
    print_facts(facts, as_json=as_json)


def _making(context: click.Context, people: tuple[str, ...]) -> Making:
    """What a set is made with; raises NotFound for a person whom the directory does not know."""
    directory = service(context, "authz").directory
    for person in people:
        directory.person(person)
    making: Making = service(context, "custodians")
    return making
