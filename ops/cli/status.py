"""`yinxin status`: where everything is, whether it answers, and how every module is."""

import json
import os
import socket
from typing import Any

import click

from ops.accounts import Account
from ops.cli.context import Context
from ops.data import DataDirectory
from ops.demo.found import directory_file, suites_of
from ops.modules import MODULES
from ops.settings import configuration
from yinxin.errors import YinxinError
from yinxin.text import Text


@click.command()
@click.option("--json", "as_json", is_flag=True, help="机器可读 / machine-readable")
@click.pass_obj
def status(context: Context, as_json: bool) -> None:  # noqa: FBT001 - a click flag
    """运行状态 / Where everything is, and how it is. Exit status 0 when ready, 69 when not."""
    data = context.directory()
    running = _running(data)
    answer: dict[str, Any] = {
        "ready": running is not None,
        "data": str(data.root),
        "urls": _urls(running) if running else {},
        "trust": _trust(data, context),
        "accounts": _accounts(data),
        "credentials": {each.stem: str(each) for each in sorted(data.path("credentials").glob("*.json"))},
        "health": _health(context),
    }
    if as_json:
        context.answer(answer)
    else:
        _say(context, answer)
    if running is None:
        raise click.exceptions.Exit(69)


def _running(data: DataDirectory) -> dict[str, Any] | None:
    """The addresses of the server that serves this directory, if one answers."""
    file = data.path("run", "server.json")
    try:
        where: dict[str, Any] = json.loads(file.read_text("utf-8"))
        os.kill(where["pid"], 0)
        # the plain port: on the other a connection without a handshake is a warning in the server's output
        with socket.create_connection((where["host"], where["plain_port"]), timeout=3):
            return where
    except (OSError, ValueError, KeyError):
        return None


def _urls(where: dict[str, Any]) -> dict[str, str]:
    secure = f"https://{where['host']}:{where['port']}"
    plain = f"http://{where['host']}:{where['plain_port']}"
    return {
        "console": f"{secure}/console",
        "documents": f"{secure}/documents",
        "verify": f"{secure}/verify",
        "api": f"{secure}/api",
        "openapi": f"{secure}/api/openapi.json",
        "est": f"{secure}/.well-known/est",
        "oidc": f"{secure}/.well-known/openid-configuration",
        "scim": f"{secure}/scim/v2",
        "acme": f"{secure}/acme/directory",
        "cmp": f"{plain}/cmp",
        "scep": f"{plain}/scep",
        "ocsp": f"{plain}/ocsp",
        "crl": f"{plain}/crl/intl-issuing.crl",
        "tsa": f"{plain}/tsa/intl",
        "tsa_sm": f"{plain}/tsa/sm",
        "log": f"{plain}/log",
        "witness": f"{plain}/witness",
    } | ({"kmip": f"kmip://{where['kmip']}"} if "kmip" in where else {})


def _trust(data: DataDirectory, context: Context) -> dict[str, str]:
    files = {file.stem: str(file) for file in sorted(data.path("trust").glob("*.pem"))}
    log = data.path("trust", "log.vkey")
    if log.exists():
        settings = configuration(data.config, context.overrides)
        files |= {"log.vkey": str(log), "log.origin": settings.audit.origin}  # type: ignore[attr-defined]
    return files


def _accounts(data: DataDirectory) -> list[dict[str, Any]]:
    """The demo people whose files are here: by person, in the order of the directory."""
    province = directory_file()
    people = {person.id: person for person in province.people}
    posts = {post.id: post for post in province.posts}
    found = []
    for appointment in province.appointments:
        files = {
            suite: Account.of(data, appointment.person, suite) for suite in suites_of(appointment.person)
        }
        if not files["intl"].file.exists():
            continue
        post = posts[appointment.post]
        found.append(
            {
                "person": appointment.person,
                "name": people[appointment.person].name,
                "post": post.id,
                "post_name": {"zh": post.name_zh, "en": post.name_en},
                "organ": post.organ,
                "roles": list(post.roles),
                "pkcs12": str(files["intl"].file),
                "pkcs12_sm": str(files["sm"].file),
                "password_file": str(files["intl"].password_file),
            }
            | ({"pkcs12_pq": str(files["pq"].file)} if "pq" in files else {})
        )
    return found


def _health(context: Context) -> dict[str, Any]:
    """What every module says of itself; a platform that does not open says why."""
    try:
        platform = context.platform()
        states = {module.name: module.health(platform.service(module)) for module in MODULES if module.health}
    except YinxinError as error:
        return {"platform": {"ok": False, "zh": error.text("zh"), "en": error.text("en"), "code": error.code}}
    return {
        name: {"ok": state.ok, "zh": state.text.zh, "en": state.text.en, "facts": dict(state.facts)}
        for name, state in states.items()
    }


def _say(context: Context, answer: dict[str, Any]) -> None:
    ready = answer["ready"]
    context.say(
        Text("正在运行", "serving")
        if ready
        else Text("没有运行（yinxin up 可启动）", "not serving (yinxin up starts it)")
    )
    for name, url in answer["urls"].items():
        click.echo(f"  {name:10} {url}")
    for name, state in answer["health"].items():
        mark = "✓" if state["ok"] else "✗"
        click.echo(f"  {mark} {name:9} " + context.words(Text(state["zh"], state["en"])))
    counted = context.words(Text("个演示账户", "demo accounts"))
    click.echo(f"  {len(answer['accounts'])} {counted}: {answer['data']}/accounts")
