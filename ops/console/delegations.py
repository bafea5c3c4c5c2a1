"""One's own delegations: given by a statement signed on one's own side, ended, and acted by."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from flask import Response, make_response, redirect, render_template, request, url_for
from pydantic import BeforeValidator, Field, ValidationError
from werkzeug.wrappers import Response as BaseResponse

from authz.delegation import Delegation, Wish
from authz.delegation.errors import DelegationStatementWrong
from ops.console.export import csv_file
from ops.console.show import VERBS
from yinxin.clock import rfc3339
from yinxin.errors import YinxinError
from yinxin.faults import BadValue
from yinxin.statement import Statement
from yinxin.text import Text
from yinxin.web import (
    Caller,
    Form,
    Paged,
    Pages,
    current_caller,
    hold_session,
    kit,
    page_of,
    reader_language,
)
from yinxin.web.signing import Act, shown, signed
from yinxin.wire import Model

if TYPE_CHECKING:
    from authz.service import Authz
    from ops.platform import Platform

PAGE = 50
FOUND = 20
#: readers' clocks stand in one zone
_HERE = ZoneInfo("Asia/Shanghai")
COLUMNS = ("id", "post", "delegator", "delegate", "valid_from", "valid_to", "actions", "ended_at")
STATES: Mapping[str, tuple[Text, str]] = {
    "in-force": (Text("现行", "in force"), "done"),
    "future": (Text("尚未开始", "not yet begun"), "waiting"),
    "over": (Text("已届满", "over"), "neutral"),
    "ended": (Text("已终止", "ended"), "refused"),
}
LOST = Text("请回到授权代行页，再次以代行身份登录。", "Go back to the delegations and act by it again.")


def _local(value: object) -> datetime:
    """A time as browsers write it in a form, without a zone: the readers' one."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        raise BadValue(
            "须是日期和时间，例如 2026-05-01T08:30", "Give date and time, such as 2026-05-01T08:30"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=_HERE)


Local = Annotated[datetime, BeforeValidator(_local, json_schema_input_type=str)]


class Wanted(Model):
    """To whom, when and why; the search narrows the choice and means nothing besides."""

    delegate: str = Field(min_length=1, max_length=64)
    valid_from: Local
    valid_to: Local
    reason: str = Field(min_length=1, max_length=400)
    actions: tuple[str, ...] = Field(default=(), max_length=100)
    find: str = ""


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform.authz)
    _add_giving(pages, platform.authz)
    _add_acts(pages, platform.authz)


def _add_looking(pages: Pages, authz: "Authz") -> None:
    @pages.get("/delegations")
    def delegations(query: Paged, caller: Caller) -> str:
        now = authz.store.clock.now()
        found = authz.delegations.of(caller.actor.id, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template(
            "console/delegations.html",
            rows=[(each, state(each, now)) for each in found[:PAGE]],
            following=page.next,
            states=STATES,
            verbs=VERBS,
            me=caller.actor.id,
        )

    @pages.get("/delegations.csv")
    def delegations_export(caller: Caller) -> Response:
        """All that one gave or got."""
        found = authz.delegations.of(caller.actor.id, limit=10_000)
        return csv_file("delegations.csv", map(_line, found), COLUMNS)


def _add_giving(pages: Pages, authz: "Authz") -> None:
    def choices() -> Mapping[str, Any]:
        return {
            "people": _people(authz, request.values.get("find", "").strip()),
            "acts": [
                (name, getattr(VERBS[name], reader_language()))
                for name in sorted(authz.decisions.policies.actions)
                if name in VERBS
            ],
        }

    @pages.form("/delegations/new", "console/delegation_new.html", context=choices)
    def delegation_new(body: Wanted, caller: Caller) -> BaseResponse:
        wish = Wish(
            delegate=body.delegate,
            valid_from=body.valid_from,
            valid_to=body.valid_to,
            reason=body.reason,
            actions=body.actions or None,
        )
        due = partial(authz.delegations.statement, caller.actor, wish)
        signing = shown(due, "console.delegation_give")
        form = Form(kit().store.identifier())
        return make_response(
            render_template("console/delegation_sign.html", form=form, signing=signing, **_of(wish))
        )

    def again() -> Mapping[str, Any]:
        """What she wished, shown once more beside the ways to sign it."""
        return _of(_wish())

    @signed(pages, "/delegations/new/signature", "console/delegation_sign.html", context=again)
    def delegation_give() -> Act:
        actor, wish = current_caller().actor, _wish()
        return Act(
            due=partial(authz.delegations.statement, actor, wish),
            take=partial(authz.delegations.give, actor),
            back=url_for("console.delegations"),
        )


def _add_acts(pages: Pages, authz: "Authz") -> None:
    @pages.act("/delegations/<id>/end")
    def delegation_end(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        authz.delegations.end(caller.actor, id)
        return redirect(url_for("console.delegations"), 303)

    @pages.act("/delegations/<id>/session", secret=LOST)
    def delegation_act(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        """From here on this browser acts in the delegated post; signing in anew goes back to one's own."""
        held = authz.delegations.held(caller.actor, id)
        token, _ = authz.sessions.act_for(caller, held.post, held.id)
        return hold_session(redirect(url_for("console.home"), 303), token)


def state(each: Delegation, now: datetime) -> str:
    """Where a delegation stands at `now`."""
    if each.ended_at is not None and each.ended_at <= now:
        return "ended"
    if now < each.valid_from:
        return "future"
    return "in-force" if now < each.valid_to else "over"


def _wish() -> Wish:
    """What the statement says that was shown; raises DelegationStatementWrong."""
    try:
        data = base64.b64decode(request.form.get("statement", ""), validate=True)
        return Wish.of(Statement.decode(data))
    except (binascii.Error, ValidationError, YinxinError) as error:
        raise DelegationStatementWrong(field="statement") from error


def _of(wish: Wish) -> Mapping[str, Any]:
    return {"wish": wish, "verbs": VERBS}


def _people(authz: "Authz", text: str) -> list[tuple[str, str]]:
    """The people that the search is for; one who was chosen before stays."""
    chosen = request.values.get("delegate", "")
    found = authz.directory.find(text, limit=FOUND) if text else ()
    options = {each.id: f"{each.name.zh} · {each.id}" for each in found if each.kind == "person"}
    if chosen and chosen not in options:
        options[chosen] = chosen
    return list(options.items())


def _line(each: Delegation) -> dict[str, Any]:
    return {
        "id": each.id,
        "post": each.post,
        "delegator": each.delegator,
        "delegate": each.delegate,
        "valid_from": rfc3339(each.valid_from),
        "valid_to": rfc3339(each.valid_to),
        "actions": " ".join(each.actions or ()),
        "ended_at": rfc3339(each.ended_at) if each.ended_at else "",
    }
