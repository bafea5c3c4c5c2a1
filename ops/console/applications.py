"""Applications for certificates in the browser: applied for, vetted, approved, refused, withdrawn; by three people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from ca.registration.decide import APPROVE, REFUSE
from ca.registration.find import Wanted, describe
from ca.registration.models import OPEN, STATES, RegistrationRow, State
from ca.registration.vet import VERB as VET
from ca.registration.vet import Check
from ca.request import Holder, IssueRequest
from ops.console.certificates import ROLES
from ops.console.export import csv_file
from yinxin.crypto.requests import CertificationRequest
from yinxin.crypto.suite import INTL
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, Upload, current_caller, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50
#: octets of a request that is sent as a file
LARGEST = 64 * 1024
COLOURS: Mapping[State, str] = {
    State.SUBMITTED: "waiting",
    State.VETTED: "waiting",
    State.APPROVED: "waiting",
    State.ISSUED: "done",
    State.REFUSED: "refused",
    State.WITHDRAWN: "neutral",
    State.EXPIRED: "neutral",
}
#: what comes next, by state
NEXT: Mapping[State, Text] = {
    State.SUBMITTED: Text("等待证书注册员核验。", "A registration officer has to vet it."),
    State.VETTED: Text(
        "已核验，等待另一名证书注册员批准。", "It is vetted; another registration officer has to approve it."
    ),
    State.APPROVED: Text(
        "已批准，密码机恢复后自动签发，无须再次批准。",
        "It is approved, and issued by itself as soon as the security module is back; do not approve again.",
    ),
    State.ISSUED: Text("证书已签发，可以下载。", "The certificate is issued and can be downloaded."),
    State.REFUSED: Text(
        "已驳回，理由见下；更正后可以重新申请。",
        "It was refused, for the reason below; put it right and apply again.",
    ),
    State.WITHDRAWN: Text("申请人已撤回。", "The applicant took it back."),
    State.EXPIRED: Text(
        "无人在期限内办理，已失效；可以重新申请。", "Nobody decided on it in time; apply again."
    ),
}
COLUMNS = (
    *("id", "state", "profile", "holder_kind", "holder", "post", "organ", "pair", "applicant", "submitted"),
    *("expires", "vetted_by", "vetted_at", "decided_by", "decided_at", "reason", "serial"),
)


class Look(Paged):
    """What to look for; a field left empty is anything."""

    state: State | Literal[""] = ""
    holder: str = Field(default="", max_length=80)
    organ: str = Field(default="", max_length=64)
    #: whose: those of the organ, for officers, or one's own
    own: Literal["", "yes"] = ""


class NewApplication(Model):
    """The form of an application: for oneself, for the own organ, for a service of it, or for somebody else of the region."""

    profile: str = Field(min_length=1, max_length=60)
    kind: Literal["own", "organ", "service", "person"] = "own"
    holder: str = Field(default="", max_length=80)
    post: str = Field(default="", max_length=64)
    pair: Literal["", "yes"] = ""
    csr: str = Field(default="", max_length=LARGEST)


class Vetting(Model):
    """Up to three things that were checked, and what was found of each."""

    subject_1: str = Field(default="", max_length=500)
    finding_1: str = Field(default="", max_length=500)
    subject_2: str = Field(default="", max_length=500)
    finding_2: str = Field(default="", max_length=500)
    subject_3: str = Field(default="", max_length=500)
    finding_3: str = Field(default="", max_length=500)

    def checks(self) -> list[Check]:
        """Those of which something was found."""
        pairs = [(getattr(self, f"subject_{n}"), getattr(self, f"finding_{n}")) for n in (1, 2, 3)]
        return [Check(subject, finding) for subject, finding in pairs if finding.strip()]


class Refusal(Model):
    """Why it is refused; the applicant reads it."""

    reason: str = Field(min_length=1, max_length=500)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform)
    _add_applying(pages, platform)
    _add_deciding(pages, platform)


def _add_looking(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/applications")
    def applications(query: Look, caller: Caller) -> str:
        found = platform.ca.registrations.search(
            caller.actor, _wanted(query, caller), after=query.begin(str) or "", limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda row: row.id, show=lambda row: row.id)
        return render_template(
            "console/applications.html",
            rows=[(row, *_state(row), _profile(platform, row)) for row in found[:PAGE]],
            following=page.next,
            states=[(state.value, text) for state, text in STATES.items()],
            officer=bool(caller.roles & ROLES),
        )

    @pages.get("/console/applications.csv")
    def applications_export(query: Look, caller: Caller) -> Response:
        """Every application that matches."""
        wanted = _wanted(query, caller)
        first = platform.ca.registrations.search(caller.actor, wanted)

        def rows() -> Any:
            found = first
            while found:
                yield from map(describe, found)
                found = platform.ca.registrations.search(caller.actor, wanted, after=found[-1].id)

        return csv_file("applications.csv", rows(), COLUMNS)

    @pages.get("/console/applications/<id_>")
    def application(id_: str, caller: Caller) -> str:
        row = platform.ca.registrations.show(caller.actor, id_)
        return render_template("console/application.html", **_shown(platform, caller, row))

    @pages.get("/console/applications/<id_>/certificate.pem")
    def application_certificate(id_: str, caller: Caller) -> Response:
        """The certificate and those above it."""
        pem = "".join(each.pem for each in platform.ca.registrations.certificate(caller.actor, id_))
        headers = {"Content-Disposition": f'attachment; filename="{id_}.pem"'}
        return Response(pem, mimetype="application/x-pem-file", headers=headers)


def _add_applying(pages: Pages, platform: "Platform") -> None:
    def choices() -> Mapping[str, Any]:
        caller = current_caller()
        profiles = platform.ca.ctx.profiles.values()
        open_ = [each for each in profiles if not each.ceremony_only and not each.escrow]
        return {
            "profiles": [(each.name, each.text) for each in open_],
            "officer": bool(caller.roles & (ROLES - {"auditor"})),
        }

    @pages.form("/console/applications/new", "console/application_new.html", context=choices)
    def application_new(body: NewApplication, file: Upload | None, caller: Caller) -> BaseResponse:
        csr = file.stream.read(LARGEST + 1) if file else body.csr.encode()
        reference = f"page/{platform.store.identifier()}"
        request = IssueRequest(reference, body.profile, csr, _holder(body, caller, csr))
        return _back(platform.ca.registrations.submit(caller.actor, request, pair=body.pair == "yes").id)

    @pages.act("/console/applications/<id_>/withdrawal")
    def application_withdraw(id_: str, caller: Caller) -> BaseResponse:
        return _back(platform.ca.registrations.withdraw(caller.actor, id_).id)


def _add_deciding(pages: Pages, platform: "Platform") -> None:
    def one(id_: str) -> Mapping[str, Any]:
        caller = current_caller()
        return _shown(platform, caller, platform.ca.registrations.show(caller.actor, id_))

    @pages.form("/console/applications/<id_>/vetting", "console/application_vet.html", context=one)
    def application_vet(id_: str, body: Vetting, caller: Caller) -> BaseResponse:
        return _back(platform.ca.registrations.vet(caller.actor, id_, body.checks()).id)

    @pages.act("/console/applications/<id_>/approval")
    def application_approve(id_: str, caller: Caller) -> BaseResponse:
        return _back(platform.ca.registrations.approve(caller.actor, id_).id)

    @pages.form("/console/applications/<id_>/refusal", "console/application_refuse.html", context=one)
    def application_refuse(id_: str, body: Refusal, caller: Caller) -> BaseResponse:
        return _back(platform.ca.registrations.refuse(caller.actor, id_, body.reason).id)


def _wanted(query: Look, caller: Caller) -> Wanted:
    """Officers and auditors see their region's unless they want their own; everybody else has only her own."""
    own = query.own == "yes" or not caller.roles & ROLES
    return Wanted(
        query.organ or None, query.state or None, caller.actor.id if own else None, query.holder or None
    )


def _holder(body: NewApplication, caller: Caller, csr: bytes) -> Holder:
    if body.kind == "own":
        return Holder("person", caller.actor.id, caller.actor.post)
    if body.kind == "organ":
        return Holder("organ", caller.actor.organ or "", None, caller.actor.organ)
    if body.kind == "service":
        named = body.holder or CertificationRequest.load(csr).subject.common_name or ""
        return Holder("service", named, None, caller.actor.organ)
    return Holder("person", body.holder, body.post)


def _profile(platform: "Platform", row: RegistrationRow) -> Text:
    """What the profile is called; its name where there is none of that name any more."""
    known = platform.ca.ctx.profiles
    return known[row.profile].text if row.profile in known else Text(row.profile, row.profile)


def _state(row: RegistrationRow) -> tuple[Text, str]:
    state = State(row.state)
    return STATES[state], COLOURS[state]


def _shown(platform: "Platform", caller: Caller, row: RegistrationRow) -> dict[str, Any]:
    registrations, state = platform.ca.registrations, State(row.state)
    text, colour = _state(row)
    asked = CertificationRequest(row.csr)
    return {
        "row": row,
        "state": text,
        "colour": colour,
        "following": NEXT[state],
        "profile": _profile(platform, row),
        "asked": asked,
        "key": INTL.hash.digest(asked.public_key.spki).hex(),
        "may": {
            "vet": state is State.SUBMITTED and registrations.may(caller.actor, VET, row),
            "approve": state is State.VETTED and registrations.may(caller.actor, APPROVE, row),
            "refuse": state in OPEN and registrations.may(caller.actor, REFUSE, row),
            "withdraw": state in OPEN and row.applicant == caller.actor.id,
        },
        "inventory": bool(caller.roles & ROLES),
    }


def _back(id_: str) -> BaseResponse:
    return redirect(url_for("console.application", id_=id_), 303)
