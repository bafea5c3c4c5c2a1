"""A ceremony as a proposal: the plan with the files that it names, approved by several people, then held (law 3).

The general mechanism (`authz.proposal`) keeps the approvals and judges them; here stands what is proposed, how it is
told to its approvers, and how it is held.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from ca.ceremony.conduct import conduct, demand_unheld
from ca.ceremony.errors import FileMissing, PlanRefused
from ca.ceremony.kinds import FilePlan, LaterPlan, Plan
from ca.ceremony.plan import CeremonyPlan
from ca.ceremony.rehearse import rehearse
from yinxin.authz import PLATFORM, Resource
from yinxin.clock import rfc3339
from yinxin.crypto.certificates import Certificate
from yinxin.proposal import Approved, Outcome, ProposalKind, Terms
from yinxin.text import Text
from yinxin.wire import Model, base64_text

if TYPE_CHECKING:
    from ca.service import Authority

NAME = "ca.ceremony"
#: the role that proposes, approves and holds: whoever answers for the authority's security
_OFFICERS = frozenset({"security-officer"})

_KINDS = {
    "found": Text("建立签发机构体系", "found hierarchies"),
    "subordinate": Text("新建下级签发机构", "make a further authority below one of ours"),
    "request": Text("为上级机构生成密钥和证书请求", "make a key and a request for an outside authority"),
    "adopt": Text("启用上级机构签发的证书", "take the certificate of an outside authority into use"),
    "cross": Text("交叉认证", "cross-certify"),
    "rollover": Text("签发机构换代", "make a new generation of an authority"),
    "retire": Text("停止签发", "have an authority issue no more"),
    "revoke": Text("撤销签发机构的证书", "revoke an authority's certificate"),
    "services": Text("签发服务证书", "issue helpers' certificates"),
}
#: fields of plans that are told one by one
_TOLD = {
    "authority": Text("签发机构", "authority"),
    "parent": Text("上级签发机构", "signed by"),
    "suite": Text("算法套件", "suite"),
    "generation": Text("第几代", "generation"),
    "active_from": Text("启用时间", "signs from"),
    "at": Text("停止签发时间", "issues until"),
    "certificate": Text("证书", "certificate"),
    "reason": Text("撤销原因", "reason of the revocation"),
    "instead_of": Text("放弃的仪式", "gives up the ceremony"),
}


class CeremonyContent(Model):
    """The plan, and the files beside it by name, in base64: whoever approves sees what is used."""

    plan: Annotated[CeremonyPlan | LaterPlan, Field(discriminator="kind")]
    files: dict[str, str] = Field(default_factory=dict)


def content_of(plan: Plan, beside: Path, most: int) -> CeremonyContent:
    """The content of a proposal from a plan and its folder; raises FileMissing."""
    given: dict[str, str] = {}
    for each in named(plan):
        path = beside / each.file
        try:
            with path.open("rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            raise FileMissing(file=str(path), reason=error.strerror or str(error)) from error
        if len(data) > most:
            raise FileMissing(file=str(path), reason=f"> {most} B")
        given[each.file] = base64_text(data)
    return CeremonyContent(plan=plan, files=given)


def named(value: Any) -> Iterator[FilePlan]:
    """Every file that a plan names."""
    if isinstance(value, FilePlan):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from named(getattr(value, name))
    elif isinstance(value, tuple):
        for each in value:
            yield from named(each)


@contextmanager
def laid_out(content: CeremonyContent) -> Iterator[Path]:
    """A folder with the files, as long as they are needed; raises PlanRefused for one that the plan does not name."""
    wanted = {each.file for each in named(content.plan)}
    for name in content.files:
        if name not in wanted or name in (".", ".."):
            reason = Text("计划没有写到这个文件", "the plan names no such file")
            raise PlanRefused(field=f"files.{name[:80]}", reason=reason)
    with TemporaryDirectory(prefix="yinxin-ceremony-") as folder:
        for name, text in content.files.items():
            try:
                data = base64.b64decode(text, validate=True)
            except ValueError as error:
                reason = Text("不是有效的 base64", "it is not base64")
                raise PlanRefused(field=f"files.{name[:80]}", reason=reason) from error
            (Path(folder) / name).write_bytes(data)
        yield Path(folder)


def resource_of(plan: Plan) -> Resource:
    """A ceremony as policies see it."""
    return Resource("Ceremony", plan.digest, organ=PLATFORM, attributes={"kind": plan.kind})


def told(made: dict[str, Certificate]) -> dict[str, dict[str, str]]:
    """Certificates by label, for people and machines."""
    return {
        label: {
            "serial": f"{each.serial:x}",
            "subject": each.subject.text,
            "fingerprint": each.fingerprint,
            "not_after": rfc3339(each.not_after),
        }
        for label, each in made.items()
    }


# --- the kind --------------------------------------------------------------------------------------------------


def _terms(authority: "Authority") -> Terms:
    settings = authority.ctx.settings.ceremony
    return Terms(settings.approvals, 1, settings.lasts)


def _check(authority: "Authority", content: CeremonyContent) -> None:
    """The dry run: what could not be held, or was held already, is neither proposed nor approved."""
    demand_unheld(authority.ctx, content.plan)
    with laid_out(content) as beside:
        rehearse(authority.ctx, authority.keys, content.plan, folder=authority.root, beside=beside)


def _describe(_authority: "Authority", content: CeremonyContent) -> tuple[Text, ...]:
    plan = content.plan
    what = _KINDS[plan.kind]
    title = getattr(plan, "title", "") or getattr(plan, "organization", "")
    lines = [Text(f"{what.zh}：{title}", f"{what.en}: {title}")]
    for name, word in _TOLD.items():
        value = getattr(plan, name, None)
        if isinstance(value, BaseModel):
            value = getattr(value, "name", None) or getattr(value, "file", None)
        if value not in (None, "", ()):
            lines.append(Text(f"{word.zh}：{value}", f"{word.en}: {value}"))
    lines += [
        Text(f"文件 {each.file}（SHA-256 {each.sha256}）", f"file {each.file} (SHA-256 {each.sha256})")
        for each in named(plan)
    ]
    lines.append(Text(f"计划摘要：{plan.digest}", f"digest of the plan: {plan.digest}"))
    return tuple(lines)


def _hold(authority: "Authority", approved: Approved[CeremonyContent]) -> Outcome:
    plan = approved.content.plan
    authority.decider.require(approved.actor, NAME, resource_of(plan))
    with laid_out(approved.content) as beside:
        done = conduct(
            authority.ctx,
            authority.keys,
            approved.actor,
            plan,
            authority.root,
            beside=beside,
            approved=approved,
        )
    return {
        "plan": done.plan_digest,
        "kind": plan.kind,
        "certificates": told(done.certificates),
        "trust": {name: str(path) for name, path in done.trust.items()},
        "files": {name: str(path) for name, path in done.files.items()},
    }


CEREMONY: ProposalKind["Authority", Any] = ProposalKind(
    name=NAME,
    title=Text("密钥仪式", "ceremony"),
    content=CeremonyContent,
    proposers=_OFFICERS,
    approvers=_OFFICERS,
    executors=_OFFICERS,
    terms=_terms,
    check=_check,
    describe=_describe,
    execute=_hold,
    repeatable=True,
    key=True,
)
