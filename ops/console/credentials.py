"""What officers granted to protocols, and which keys are never certified again: two lists, and withdrawing."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from ca.enrolment.credential import ANY_DOMAIN, Credential
from ca.keycheck.blocklist import describe
from ops.console.export import csv_file
from yinxin.authz import PLATFORM
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, page_of

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50
EXPORT_PAGE = 200
CREDENTIAL_COLUMNS = (
    *("id", "protocol", "organ", "holder_kind", "holder", "post", "profiles", "domains", "uses_left"),
    *("created", "created_by", "expires", "withdrawn_at"),
)
BLOCKED_COLUMNS = ("key", "reason", "since", "by", "note")
WHY: Mapping[str, Text] = {
    "keyCompromise": Text("密钥已泄露或可能泄露", "the key is, or may be, known to others"),
    "knownWeak": Text("公开的弱密钥", "a weak key that is publicly known"),
}


class Look(Paged):
    """Whose credentials; no organ is the own one with those below."""

    organ: str = Field(default="", max_length=64)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_credentials(pages, platform)
    _add_blocked(pages, platform)


def _add_credentials(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/credentials")
    def credential_list(query: Look, caller: Caller) -> str:
        found = platform.ca.enrolment.search(
            caller.actor, _organ(query, caller), after=query.begin(str) or "", limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        now, known = platform.clock.now(), platform.ca.ctx.profiles
        return render_template(
            "console/credentials.html",
            rows=[(each, *_state(each, now)) for each in found[:PAGE]],
            following=page.next,
            titles={name: profile.text for name, profile in known.items()},
            any_domain=ANY_DOMAIN,
        )

    @pages.get("/console/credentials.csv")
    def credentials_export(query: Look, caller: Caller) -> Response:
        """Every credential that matches, without its secret."""
        organ = _organ(query, caller)
        first = platform.ca.enrolment.search(caller.actor, organ, limit=EXPORT_PAGE)

        def rows() -> Iterator[dict[str, Any]]:
            page = first
            while page:
                for each in page:
                    fields = each.fields()
                    yield fields | {name: " ".join(fields[name]) for name in ("profiles", "domains")}
                page = platform.ca.enrolment.search(caller.actor, organ, after=page[-1].id, limit=EXPORT_PAGE)

        return csv_file("credentials.csv", rows(), CREDENTIAL_COLUMNS)

    @pages.act("/console/credentials/<id_>/withdrawal")
    def credential_withdraw(id_: str, caller: Caller) -> BaseResponse:
        platform.ca.enrolment.withdraw(caller.actor, id_)
        return redirect(url_for("console.credential_list"), 303)


def _add_blocked(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/blocked-keys")
    def blocked_keys(query: Paged, caller: Caller) -> str:
        found = platform.ca.blocklist.search(caller.actor, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(found, PAGE, key=lambda row: row.digest, show=lambda row: row.digest)
        return render_template("console/blocked_keys.html", rows=found[:PAGE], following=page.next, why=WHY)

    @pages.get("/console/blocked-keys.csv")
    def blocked_keys_export(caller: Caller) -> Response:
        """Every blocked key."""
        first = platform.ca.blocklist.search(caller.actor, limit=EXPORT_PAGE)

        def rows() -> Iterator[dict[str, str]]:
            page = first
            while page:
                yield from map(describe, page)
                page = platform.ca.blocklist.search(caller.actor, after=page[-1].digest, limit=EXPORT_PAGE)

        return csv_file("blocked-keys.csv", rows(), BLOCKED_COLUMNS)


def _organ(query: Look, caller: Caller) -> str:
    return query.organ or caller.actor.organ or PLATFORM


def _state(each: Credential, now: datetime) -> tuple[Text, str]:
    if each.withdrawn_at is not None:
        return Text("已撤回", "withdrawn"), "neutral"
    if each.grant.expires <= now:
        return Text("已到期", "expired"), "neutral"
    if each.grant.uses == 0:
        return Text("已用完", "used up"), "neutral"
    return Text("可用", "usable"), "done"
