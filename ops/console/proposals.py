"""Proposals: the list, one with its story, what it would do and who still may approve; approving, refusing, carrying out."""

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from authz.proposal import Filter, Shown, State
from authz.proposal.models import PENDING
from authz.proposal.words import STATES
from ops.console import policies
from ops.console.export import csv_file
from ops.console.show import AUDITOR, OUTCOMES, VERBS
from yinxin.clock import parse_rfc3339
from yinxin.errors import YinxinError
from yinxin.web import Caller, Paged, Pages, core, current_caller, page_of
from yinxin.web.signing import Act, signed
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.proposal import Proposals
    from ops.platform import Platform

#: who proposes, approves or looks on
ROLES = frozenset({"registration-officer", "security-officer", "administrator", "leader", AUDITOR})
PAGE = 50
COLUMNS = ("id", "kind", "state", "organ", "proposer", "created", "expires", "needed", "given", "digest")
COLOURS: Mapping[State, str] = {
    State.OPEN: "waiting",
    State.APPROVED: "waiting",
    State.EXECUTING: "waiting",
    State.EXECUTED: "done",
    State.FAILED: "refused",
    State.REFUSED: "refused",
    State.WITHDRAWN: "neutral",
    State.EXPIRED: "neutral",
}
_BUTTONS = {
    "approve": "authz.approve",
    "refuse": "authz.refuse-proposal",
    "withdraw": "authz.withdraw-proposal",
    "execute": "authz.execute",
}


class Look(Paged):
    """What to look for; a field left empty is anything."""

    kind: str = Field(default="", max_length=80)
    state: Literal[
        "", "open", "approved", "executing", "executed", "failed", "refused", "withdrawn", "expired"
    ] = ""
    organ: str = Field(default="", max_length=64)
    proposer: str = Field(default="", max_length=80)

    @property
    def filter(self) -> Filter:
        """As the service takes it."""
        return Filter(self.kind, State(self.state) if self.state else None, self.organ, self.proposer)


class Refusal(Model):
    """Why it is refused."""

    reason: str = Field(min_length=1, max_length=2000)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    proposals = platform.authz.proposals
    _add_looking(pages, platform)
    _add_signing(pages, proposals)
    _add_ending(pages, proposals)


def _add_looking(pages: Pages, platform: "Platform") -> None:
    proposals = platform.authz.proposals

    @pages.get("/console/proposals")
    def proposal_list(query: Look, caller: Caller) -> str:
        after = query.begin(str) or ""
        rows = proposals.search(caller.actor, query.filter, after=after, limit=PAGE + 1)
        page = page_of(rows, PAGE, key=lambda row: row["id"], show=lambda row: row["id"])
        return render_template(
            "console/proposals.html",
            rows=[_line(row) for row in rows[:PAGE]],
            following=page.next,
            states=STATES,
            kinds=proposals.kinds,
        )

    @pages.get("/console/proposals.csv")
    def proposals_export(query: Look, caller: Caller) -> Response:
        """Every proposal that matches, a line each as they are read."""
        rows = proposals.every(caller.actor, query.filter)
        return csv_file(
            "proposals.csv", ({name: str(row[name]) for name in COLUMNS} for row in rows), COLUMNS
        )

    @pages.get("/console/proposals/<proposal>")
    def proposal(proposal: str, caller: Caller) -> str:
        shown = proposals.show(caller.actor, proposal)
        return render_template(
            "console/proposal.html",
            shown=shown,
            state=STATES[shown.state],
            colour=COLOURS[shown.state],
            content=json.dumps(shown.document.content, ensure_ascii=False, indent=2),
            approvals=[{**each, "at": parse_rfc3339(each["at"])} for each in shown.approvals],
            buttons=_buttons(proposals, caller, shown),
            entries=_entries(shown.row.id) if AUDITOR in caller.roles else None,
            verbs=VERBS,
            outcomes=OUTCOMES,
            **_effect(platform, shown),
        )


def _add_signing(pages: Pages, proposals: "Proposals") -> None:
    def context(proposal: str) -> Mapping[str, Any]:
        return {"shown": proposals.show(current_caller().actor, proposal)}

    path = "/console/proposals/<proposal>/approval"

    @signed(pages, path, "console/proposal_approve.html", context=context)
    def proposal_approve(proposal: str) -> Act:
        actor = current_caller().actor
        return Act(
            due=partial(proposals.statement, actor, proposal),
            take=partial(proposals.approve, actor, proposal),
            back=url_for("console.proposal", proposal=proposal),
        )


def _add_ending(pages: Pages, proposals: "Proposals") -> None:
    def context(proposal: str) -> Mapping[str, Any]:
        return {"shown": proposals.show(current_caller().actor, proposal)}

    @pages.form("/console/proposals/<proposal>/refusal", "console/proposal_refuse.html", context=context)
    def proposal_refuse(proposal: str, body: Refusal, caller: Caller) -> BaseResponse:
        proposals.refuse(caller.actor, proposal, body.reason)
        return _back(proposal)

    @pages.act("/console/proposals/<proposal>/withdrawal")
    def proposal_withdraw(proposal: str, caller: Caller) -> BaseResponse:
        proposals.withdraw(caller.actor, proposal)
        return _back(proposal)

    @pages.act("/console/proposals/<proposal>/execution")
    def proposal_execute(proposal: str, caller: Caller) -> BaseResponse:
        proposals.execute(caller.actor, proposal)
        return _back(proposal)


def _effect(platform: "Platform", shown: Shown) -> Mapping[str, Any]:
    """What the page of a change of policies shows besides: the proof, and whose permissions would change.

    Once it has been carried out there is nothing to foresee: the version's own page says what it changed.
    """
    if shown.row.kind != policies.CHANGE or shown.state is State.EXECUTED:
        return {}
    try:
        return policies.of_proposal(platform.authz, shown.document.content)
    except YinxinError:  # `Shown.trouble` says what is wrong
        return {}


def _back(proposal: str) -> BaseResponse:
    return redirect(url_for("console.proposal", proposal=proposal), 303)


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    state = State(row["state"])
    return {**row, "created": parse_rfc3339(row["created"]), "state": STATES[state], "colour": COLOURS[state]}


def _buttons(proposals: "Proposals", caller: Caller, shown: Shown) -> frozenset[str]:
    """What this person could do now, as far as policies and state tell; the acts themselves judge again."""
    wanted: set[str] = set()
    if shown.state in PENDING:
        wanted = {"refuse", "withdraw"}
        people = {each["person"] for each in shown.approvals}
        wanted |= set() if caller.actor.id in people | {shown.row.proposer} else {"approve"}
    if shown.state in (State.APPROVED, State.FAILED, State.EXECUTING):
        wanted.add("execute")
    return frozenset(name for name in wanted if proposals.may(caller.actor, _BUTTONS[name], shown.row.id))


def _entries(proposal: str) -> list[Mapping[str, Any]]:
    """The story in the log, asked for in the auditor's name, by policy and on the record: oldest first."""
    subject = f"proposal:{proposal}"
    with core() as client:
        found = [*client.audit.entries(subject=subject), *client.audit.entries(request=subject)]
    told = {entry["id"]: {**entry, "time": parse_rfc3339(entry["time"])} for entry in found}
    return sorted(told.values(), key=lambda entry: entry["index"])
