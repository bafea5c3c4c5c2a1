"""`yinxin authz policy …`: the policies as data."""

import json
from pathlib import Path
from typing import Any

import click

from authz.command import authz_of
from authz.errors import BadPolicies
from authz.policy_set import PolicySet, load_policies
from authz.proof import Proof, differences, prove
from authz.service import Authz
from authz.version.affected import Affected, affected
from authz.version.errors import PoliciesRefused
from authz.version.rehearse import permit_reading
from authz.version.versions import Version
from yinxin.clock import rfc3339
from yinxin.command import acting, as_json_option, print_json


def version_fields(version: Version) -> dict[str, Any]:
    """A version, for people and for scripts."""
    return {
        "number": version.number,
        "policy_set": version.policy_set,
        "shipped": version.shipped,
        "author": version.author,
        "note": version.note,
        "proposal": version.proposal,
        "in_force_from": rfc3339(version.in_force_from),
        "in_force_until": rfc3339(version.in_force_until) if version.in_force_until else None,
    }


def proof_fields(proof: Proof) -> dict[str, Any]:
    """A proof, for people and for scripts."""
    return {
        "policy_set": proof.policy_set,
        "requests": proof.requests,
        "permitted": proof.permitted,
        "broken": [
            {
                "theorem": each.theorem.name,
                "zh": f"{each.theorem.text.zh}：{each.text.zh}",
                "en": f"{each.theorem.text.en}: {each.text.en}",
                "policies": list(each.policies),
            }
            for each in proof.broken
        ],
    }


def affected_fields(each: Affected) -> dict[str, Any]:
    """A difference and whom it touches, for people and for scripts."""
    request = each.difference.request
    return {
        "allowed": each.difference.allowed,
        "roles": sorted(each.difference.roles),
        "action": request.action,
        "type": request.resource.type,
        "place": request.place,
        "levels": list(each.difference.levels),
        "policies": list(each.difference.policies),
        "people": each.count,
        "names": list(each.names),
        "zh": each.text.zh,
        "en": each.text.en,
    }


@click.group(help="授权策略 / the policies")
def policy() -> None:
    """The group of commands."""


@policy.command("list", help="授权策略的各个版本 / the versions of the policies")
@as_json_option
@click.pass_context
def list_(context: click.Context, *, as_json: bool) -> None:
    """Print every version, newest first."""
    authz = permitted(context)
    found: list[Version] = []
    while page := authz.decisions.versions.listed(before=found[-1].number if found else None):
        found += page
    if as_json:
        print_json([version_fields(each) for each in found])
        return
    for each in found:
        until = rfc3339(each.in_force_until) if each.in_force_until else "现行 / in force"
        click.echo(
            f"{each.number:>4} {each.policy_set[:16]} {rfc3339(each.in_force_from)} – {until} {each.note}"
        )


@policy.command(help="输出某一版本的策略或模式 / print one version's policies, or its schema")
@click.argument("version", type=int, required=False)
@click.option("--schema", is_flag=True, help="输出模式 / the schema")
@click.pass_context
def show(context: click.Context, version: int | None, *, schema: bool) -> None:
    """Print the text of a version, the one in force unless another is named: what a change begins from."""
    authz = permitted(context)
    found = authz.decisions.versions.version(version)[1] if version else authz.decisions.policies
    click.echo(found.schema if schema else found.text)


@policy.command("prove", help="穷举证明三员分立等定理 / prove the separation of powers, exhaustively")
@click.argument("version", required=False)
@as_json_option
@click.pass_context
def prove_command(context: click.Context, version: str | None, *, as_json: bool) -> None:
    """Prove a version, a file or a folder of modules' policies; exit 1 when a theorem does not hold."""
    authz = permitted(context)
    proof = prove(_named(authz, version))
    if as_json:
        print_json(proof_fields(proof))
    else:
        click.echo(
            f"{proof.requests} 种抽象请求，允许 {proof.permitted} 种 / {proof.requests} requests, {proof.permitted} permitted"
        )
        for each in proof_fields(proof)["broken"]:
            click.echo(f"不成立 / does not hold: {each['zh']} / {each['en']} [{', '.join(each['policies'])}]")
        if not proof.broken:
            click.echo("全部定理成立 / every theorem holds")
    context.exit(1 if proof.broken else 0)


@policy.command(help="变更会使谁能做什么 / what a change would let whom do")
@click.argument("version")
@as_json_option
@click.pass_context
def difference(context: click.Context, version: str, *, as_json: bool) -> None:
    """Compare a version or a file with what is in force."""
    authz = permitted(context)
    found = differences(authz.decisions.policies, _named(authz, version))
    told = [affected_fields(each) for each in affected(authz.store, found, authz.store.clock.now())]
    if as_json:
        print_json(told)
        return
    for each in told:
        click.echo(f"{each['zh']} / {each['en']} [{', '.join(each['policies'])}]")
    if not told:
        click.echo("不改变任何人的权限 / nobody's permissions change")


@policy.command(help="提出变更授权策略 / propose a change of the policies")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--schema", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="模式文件 / schema file"
)
@click.option("--reason", required=True, help="事由 / the reason")
@click.option("--basis", required=True, help="法律依据 / the legal basis")
@click.option("--dry-run", is_flag=True, help="只检查和证明 / check and prove only")
@as_json_option
@click.pass_context
def change(
    context: click.Context,
    file: Path,
    *,
    schema: Path | None,
    reason: str,
    basis: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Propose the file as the whole new set; it is checked and proved before anybody is asked to approve it."""
    authz = permitted(context)
    current = authz.decisions.versions.current()
    content = {
        "text": file.read_text("utf-8"),
        "types": schema.read_text("utf-8") if schema else current.policies.schema,
        "note": reason,
        "made_from": current.number or 0,
    }
    if dry_run:
        kind = next(each for each in authz.proposals.kinds if each.name == "authz.change-policies")
        sound = kind.content.model_validate(content)
        kind.check(authz, sound)
        told = [{"zh": each.zh, "en": each.en} for each in kind.describe(authz, sound)]
    else:
        shown = authz.proposals.propose(
            acting(context), "authz.change-policies", content, reason=reason, basis=basis
        )
        told = [{"proposal": shown.row.id}]
    if as_json:
        print_json(told)
        return
    for each in told:
        click.echo(" / ".join(each.values()))


def permitted(context: click.Context) -> Authz:
    """The service, for somebody who may read the policies; raises Denied."""
    authz = authz_of(context)
    permit_reading(authz.decisions, acting(context))
    return authz


def _named(authz: Authz, version: str | None) -> PolicySet:
    """A version by number, a file of policies with the schema in force, a folder of modules, or what is in force."""
    versions = authz.decisions.versions
    if version is None:
        return versions.current().policies
    if version.isdecimal():
        return versions.version(int(version))[1]
    place = Path(version)
    try:
        if place.is_dir():
            folders = {each.parent.name: each for each in sorted(place.glob("*/policies"))}
            return load_policies(folders)
        return PolicySet(place.read_text("utf-8"), versions.current().policies.schema)
    except (OSError, UnicodeDecodeError, BadPolicies, json.JSONDecodeError) as error:
        raise PoliciesRefused(reason=str(error)) from error
