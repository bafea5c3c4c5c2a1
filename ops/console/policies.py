"""Policies: the versions and their text; a change is proved and its effect shown before it is proposed."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, make_response, redirect, render_template, request, url_for
from pydantic import Base64Bytes, Field, ValidationError
from werkzeug.wrappers import Response as BaseResponse

from authz.proof import differences
from authz.proof.words import PLACES, what, who
from authz.version import Change, Version
from authz.version.affected import Affected
from authz.version.errors import PoliciesRefused
from authz.version.proposal import ChangeContent
from authz.version.rehearse import Rehearsal, before_of, compare, permit_reading, rehearse, told, wanted
from ops.console.export import csv_file
from ops.console.show import VERBS
from yinxin.authz import PLATFORM, Resource
from yinxin.clock import rfc3339
from yinxin.text import Text
from yinxin.web import Caller, Form, Paged, Pages, Upload, current_caller, kit, page_of
from yinxin.wire import Model, base64_text

if TYPE_CHECKING:
    from authz.service import Authz
    from ops.platform import Platform

PAGE = 50
#: octets of a form that carries a whole set
LARGEST = 4_194_304
COLUMNS = (
    "number",
    "in_force_from",
    "in_force_until",
    "shipped",
    "author",
    "note",
    "proposal",
    "policy_set",
)
CHANGE = "authz.change-policies"
_EMPTY = Text("没有给出策略文本", "no policies were given")


class Given(Model):
    """The changed set, pasted; unless it comes as a file."""

    text: str = Field(default="", max_length=1_000_000)


class Wish(Model):
    """What was shown and shall now be proposed, to the letter, with the reason and the legal basis."""

    text: Base64Bytes = Field(max_length=1_400_000)
    types: Base64Bytes = Field(max_length=1_400_000)
    made_from: int = Field(ge=0)
    reason: str = Field(min_length=8, max_length=2000)
    basis: str = Field(min_length=8, max_length=2000)


@dataclass(frozen=True)
class Told:
    """One difference as a line of the page."""

    allowed: bool
    who: Text
    act: str
    act_text: Text
    thing: Text
    place: Text
    count: int
    names: tuple[str, ...]
    policies: tuple[str, ...]


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    authz = platform.authz
    _add_versions(pages, authz)
    _add_change(pages, authz)


def _add_versions(pages: Pages, authz: "Authz") -> None:
    versions = authz.decisions.versions

    @pages.get("/console/policies")
    def policies(query: Paged, caller: Caller) -> str:
        permit_reading(authz.decisions, caller.actor)
        found = versions.listed(before=query.begin(int), limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.number, show=lambda each: each.number)
        return render_template(
            "console/policies.html",
            rows=found[:PAGE],
            following=page.next,
            current=versions.current(),
            outdated=versions.outdated(),
            templates=versions.current().policies.templates.values(),
            verbs=VERBS,
            may_change=_may_change(authz, caller),
        )

    @pages.get("/console/policies.csv")
    def policies_export(caller: Caller) -> Response:
        """Every version."""
        permit_reading(authz.decisions, caller.actor)

        def rows() -> Iterator[dict[str, Any]]:
            before: int | None = None
            while found := versions.listed(before=before, limit=200):
                yield from map(_line, found)
                before = found[-1].number

        return csv_file("policy-versions.csv", rows(), COLUMNS)

    @pages.get("/console/policies/<int:number>")
    def policy_version(number: int, caller: Caller) -> str:
        permit_reading(authz.decisions, caller.actor)
        version, found = versions.version(number)
        return render_template("console/policy_version.html", version=version, policies=found)

    @pages.get("/console/policies/<int:number>/difference")
    def policy_version_difference(number: int, caller: Caller) -> str:
        """What this version let whom do that the one before it did not."""
        permit_reading(authz.decisions, caller.actor)
        version, after = versions.version(number)
        before = versions.version(number - 1)[1] if number > 1 else after
        return render_template(
            "console/policy_difference.html",
            version=version,
            differences=tuple(map(_told, told(authz.store, differences(before, after)))),
            diff=unified(before.text, after.text),
        )

    @pages.get("/console/policies/<int:number>/<any(policies, schema):part>")
    def policy_text(number: int, part: str, caller: Caller) -> Response:
        """The text as a file: what a change begins from."""
        permit_reading(authz.decisions, caller.actor)
        _, found = versions.version(number)
        text, kind, name = (
            (found.text, "text/plain", f"policies-{number}.cedar")
            if part == "policies"
            else (found.schema, "application/json", f"schema-{number}.json")
        )
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(text, mimetype=kind, headers=headers)


def _add_change(pages: Pages, authz: "Authz") -> None:
    decisions = authz.decisions

    def context() -> Mapping[str, Any]:
        permit_reading(decisions, current_caller().actor)
        return {"current": decisions.versions.current()}

    @pages.form("/console/policies/change", "console/policy_change.html", context=context, limit=LARGEST)
    def policies_change(
        body: Given, policies: Upload | None, schema: Upload | None, caller: Caller
    ) -> BaseResponse:
        text = _read(policies) or body.text.replace("\r\n", "\n")
        if not text.strip():
            raise PoliciesRefused(reason=_EMPTY)
        change = wanted(decisions, text, _read(schema))[1]
        shown = rehearsed(authz, caller, change)
        return make_response(
            render_template("console/policy_rehearsed.html", form=Form(kit().store.identifier()), **shown)
        )

    def again() -> Mapping[str, Any]:
        """What was shown before, shown once more beside what is wrong with the form."""
        try:
            given = {name: request.form[name] for name in ("text", "types", "made_from")}
            wish = Wish.model_validate(given | {"reason": "-" * 8, "basis": "-" * 8})
        except (KeyError, ValidationError) as error:
            raise PoliciesRefused(reason=_EMPTY) from error
        return rehearsed(authz, current_caller(), _change(wish))

    @pages.form(
        "/console/policies/change/proposal", "console/policy_rehearsed.html", context=again, limit=LARGEST
    )
    def policies_propose(body: Wish, caller: Caller) -> BaseResponse:
        change = _change(body)
        content = ChangeContent(
            text=change.text, types=change.schema, note=body.reason, made_from=body.made_from
        )
        made = authz.proposals.propose(caller.actor, CHANGE, content, reason=body.reason, basis=body.basis)
        return redirect(url_for("console.proposal", proposal=made.row.id), 303)


def rehearsed(authz: "Authz", caller: Caller, change: Change) -> Mapping[str, Any]:
    """What the page of a rehearsed change shows."""
    found = rehearse(authz.store, authz.decisions, caller.actor, change)
    before = before_of(authz.decisions, change)
    return {
        **shown(found),
        "change": change,
        "text64": base64_text(change.text.encode()),
        "types64": base64_text(change.schema.encode()),
        "diff": unified(before.text, change.text),
        "schema_diff": unified(before.schema, change.schema),
        "may_change": _may_change(authz, caller),
    }


def shown(found: Rehearsal) -> Mapping[str, Any]:
    """A rehearsal as the templates write it."""
    return {"rehearsal": found, "differences": tuple(map(_told, found.differences))}


def of_proposal(authz: "Authz", content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for a change that was proposed, compared with the version it was made from."""
    wish = ChangeContent.model_validate(content).change()
    before = before_of(authz.decisions, wish)
    after = wish.policies(authz.decisions.versions.shipped)
    found = compare(authz.store, before, after, wish.made_from)
    return {**shown(found), "diff": unified(before.text, wish.text), "schema_diff": unified(before.schema, wish.schema)}  # fmt: skip


def unified(before: str, after: str) -> str:
    """Which lines of the text are others now."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return "\n".join(list(lines)[2:])


def _change(wish: Wish) -> Change:
    return Change(wish.text.decode(), wish.types.decode(), wish.reason, wish.made_from)


def _read(file: Upload | None) -> str | None:
    if file is None:
        return None
    try:
        return file.stream.read().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise PoliciesRefused(reason=str(error)) from error


def _may_change(authz: "Authz", caller: Caller) -> bool:
    resource = Resource("Policies", "policies", PLATFORM)
    return authz.decisions.check(caller.actor, CHANGE, resource).allowed


def _told(each: Affected) -> Told:
    request_ = each.difference.request
    action = request_.action
    return Told(
        each.difference.allowed,
        who(request_.account),
        action,
        VERBS.get(action, Text(action, action)),
        what(request_),
        PLACES[request_.place],
        each.count,
        each.names,
        each.difference.policies,
    )


def _line(version: Version) -> dict[str, Any]:
    until = version.in_force_until
    return {
        "number": version.number,
        "in_force_from": rfc3339(version.in_force_from),
        "in_force_until": rfc3339(until) if until else "",
        "shipped": version.shipped,
        "author": version.author,
        "note": version.note,
        "proposal": version.proposal or "",
        "policy_set": version.policy_set,
    }
