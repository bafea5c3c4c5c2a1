"""Imports over HTTP: rehearsed with every fault, proposed, and carried out with the very tables that were approved."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import Any

from flask import Blueprint
from pydantic import Field, JsonValue

from authz.proposal import errors as proposals
from authz.roster import errors
from authz.roster.read import TABLES, digest
from authz.roster.roster import IMPORT, Report, RosterContent
from authz.service import Authz
from yinxin.act import Actor
from yinxin.authz import Denied
from yinxin.text import Text
from yinxin.web import Api, Caller, Upload
from yinxin.wire import Model, Words

_READ = (Denied, errors.RosterUnreadable)


class FindingOut(Model):
    """One fault: where it is, and what is wrong with the remedy."""

    file: str
    line: int
    field: str
    text: Words


class DifferenceOut(Model):
    """One field, as it is and as it would be; `*` stands for a whole that is new."""

    subject: str
    field: str
    before: JsonValue
    after: JsonValue


class ReportOut(Model):
    """What the import would come to: counts by table, the first differences, the first faults and how many there are."""

    digest: str
    counts: dict[str, dict[str, int]]
    faults: int
    findings: list[FindingOut]
    differences: list[DifferenceOut]


class WhyIn(Model):
    """Why the tables are imported, and on which legal basis."""

    reason: str = Field(max_length=4000)
    basis: str = Field(default="", max_length=4000)


class ProposedOut(Model):
    """The proposal, and the digest of exactly these tables."""

    proposal: str
    digest: str
    needed: int


class CarriedOutOut(Model):
    """The proposal as it stands, and what was entered by table."""

    proposal: str
    state: str
    counts: dict[str, Any]


def routes(authz: Authz) -> tuple[Blueprint, ...]:
    """The operations on imports."""
    api = Api("authz_imports", "/api/authz/v1/imports", Text("名录导入", "Imports of the directory"))

    @api.post("/rehearsal", repeatable=True, problems=_READ, summary=Text("试算导入", "Rehearse an import"))
    def rehearse_import(
        organs: Upload | None,
        posts: Upload | None,
        people: Upload | None,
        appointments: Upload | None,
        caller: Caller,
    ) -> ReportOut:
        with laid_out(organs, posts, people, appointments) as folder:
            return _report(authz.roster.rehearse(caller.actor, folder))

    @api.post(
        "",
        status=201,
        problems=(*_READ, errors.RosterFaulty, proposals.BadProposal),
        summary=Text("提出导入", "Propose an import, rehearsed first"),
    )
    def propose_import(
        *,
        body: WhyIn,
        organs: Upload | None,
        posts: Upload | None,
        people: Upload | None,
        appointments: Upload | None,
        caller: Caller,
    ) -> ProposedOut:
        with laid_out(organs, posts, people, appointments) as folder:
            report = authz.roster.rehearse(caller.actor, folder)
        report.require_sound()
        content = RosterContent(digest=report.digest, counts=report.counts)
        shown = authz.proposals.propose(
            caller.actor, IMPORT.name, content, reason=body.reason, basis=body.basis
        )
        return ProposedOut(proposal=shown.row.id, digest=report.digest, needed=shown.needed)

    @api.post(
        "/<proposal>/execution",
        status=201,
        problems=(
            *_READ,
            errors.RosterChanged,
            errors.ComesToElse,
            errors.RosterFaulty,
            errors.GivesToDecider,
            proposals.ProposalUnknown,
            proposals.ApprovalsMissing,
            proposals.ProposalClosed,
        ),
        summary=Text("执行导入，交出获批的表", "Carry out an import, with the tables that were approved"),
    )
    def execute_import(
        *,
        proposal: str,
        organs: Upload | None,
        posts: Upload | None,
        people: Upload | None,
        appointments: Upload | None,
        caller: Caller,
    ) -> CarriedOutOut:
        with laid_out(organs, posts, people, appointments) as folder:
            state, counts = carry_out(authz, caller.actor, proposal, folder)
        return CarriedOutOut(proposal=proposal, state=state, counts=dict(counts))

    return (api.blueprint,)


@contextmanager
def laid_out(
    organs: Upload | None, posts: Upload | None, people: Upload | None, appointments: Upload | None
) -> Iterator[Path]:
    """The tables as files of one folder, for as long as they are looked at."""
    given = dict(zip(TABLES, (organs, posts, people, appointments), strict=True))
    with TemporaryDirectory(prefix="yinxin-import-") as folder:
        for name, upload in given.items():
            if upload is not None:
                with (Path(folder) / f"{name}.csv").open("wb") as out:
                    copyfileobj(upload.stream, out)
        yield Path(folder)


def carry_out(authz: Authz, actor: Actor, proposal: str, folder: Path) -> tuple[str, Mapping[str, Any]]:
    """Carry an approved import out with these tables: its state, and what was entered.

    Tables that are not the approved ones are refused before the proposal is touched (RosterChanged).
    """
    approved = str(authz.proposals.show(actor, proposal).document.content.get("digest", "-"))
    if (found := digest(folder)) != approved:
        raise errors.RosterChanged(approved=approved[:16], found=found[:16])
    with authz.roster.offered(folder):
        shown = authz.proposals.execute(actor, proposal)
    return shown.state.value, shown.row.outcome or {}


def _report(report: Report) -> ReportOut:
    told = report.fields()
    findings = [
        FindingOut(file=each.file, line=each.line, field=each.field, text=Words.of(each.text))
        for each in report.findings
    ]
    return ReportOut.model_validate(
        {**told, "findings": findings, "differences": [DifferenceOut.model_validate(each) for each in told["differences"]]}
    )  # fmt: skip
