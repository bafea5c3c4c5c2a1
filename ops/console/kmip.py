"""KMIP: the storage and databases that keep their keys here: an organ's list, one with its objects, a new one, and ending one."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, redirect, render_template, url_for
from pydantic import Field
from werkzeug.wrappers import Response as BaseResponse

from kms.kmip.client import KmipClient
from kms.kmip.words import State
from ops.console.export import csv_file
from yinxin.authz import PLATFORM, Resource
from yinxin.text import Text
from yinxin.web import Caller, Paged, Pages, page_of
from yinxin.wire import Model

if TYPE_CHECKING:
    from ops.platform import Platform

PAGE = 50
STATES: Mapping[State, tuple[Text, str]] = {
    State.PRE_ACTIVE: (Text("未激活", "pre-active"), "waiting"),
    State.ACTIVE: (Text("已激活", "active"), "done"),
    State.DEACTIVATED: (Text("已停用", "deactivated"), "neutral"),
    State.COMPROMISED: (Text("已泄露", "compromised"), "refused"),
    State.DESTROYED: (Text("已销毁", "destroyed"), "refused"),
    State.DESTROYED_COMPROMISED: (Text("泄露后销毁", "destroyed, compromised"), "refused"),
}
COLUMNS = ("id", "organ", "created", "ended", "certificates")


class Look(Paged):
    """Whose clients; no organ is the own one."""

    organ: str = Field(default="", max_length=64)


class NewKmipClient(Model):
    """The form."""

    id: str = Field(min_length=1, max_length=64)
    organ: str = Field(min_length=1, max_length=64)
    certificate: str = Field(min_length=1, max_length=1 << 16)


def add(pages: Pages, platform: "Platform") -> None:
    """Declare the pages."""
    _add_looking(pages, platform)
    _add_acting(pages, platform)


def _add_looking(pages: Pages, platform: "Platform") -> None:
    @pages.get("/console/kmip")
    def kmip_list(query: Look, caller: Caller) -> str:
        organ = query.organ or caller.actor.organ or PLATFORM
        found = platform.kms.kmip.clients_of(
            caller.actor, organ, after=query.begin(str) or "", limit=PAGE + 1
        )
        page = page_of(found, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template(
            "console/kmip.html",
            rows=found[:PAGE],
            following=page.next,
            organ=organ,
            may=_may(platform, caller, "kms.register-kmip-client", "*", organ),
        )

    @pages.get("/console/kmip.csv")
    def kmip_export(query: Look, caller: Caller) -> Response:
        """Every client of the organ."""
        organ = query.organ or caller.actor.organ or PLATFORM
        first = platform.kms.kmip.clients_of(caller.actor, organ, limit=200)

        def rows() -> Iterator[dict[str, Any]]:
            page = first
            while page:
                yield from map(_line, page)
                page = platform.kms.kmip.clients_of(caller.actor, organ, after=page[-1].id, limit=200)

        return csv_file("kmip-clients.csv", rows(), COLUMNS)

    @pages.get("/console/kmip/<id>")
    def kmip_client(id: str, query: Paged, caller: Caller) -> str:  # noqa: A002 - the field's name
        found = platform.kms.kmip.show(caller.actor, id)
        kept = platform.kms.kmip.objects_of(caller.actor, id, after=query.begin(str) or "", limit=PAGE + 1)
        page = page_of(kept, PAGE, key=lambda each: each.id, show=lambda each: each.id)
        return render_template(
            "console/kmip_client.html",
            client=found,
            rows=kept[:PAGE],
            following=page.next,
            states=STATES,
            may_end=found.ended is None and _may(platform, caller, "kms.end-kmip-client", id, found.organ),
        )


def _add_acting(pages: Pages, platform: "Platform") -> None:
    @pages.form("/console/kmip/new", "console/kmip_new.html")
    def kmip_new(body: NewKmipClient, caller: Caller) -> BaseResponse:
        platform.kms.kmip.register(caller.actor, body.id, body.organ, body.certificate.encode())
        return redirect(url_for("console.kmip_client", id=body.id), 303)

    @pages.act("/console/kmip/<id>/end")
    def kmip_end(id: str, caller: Caller) -> BaseResponse:  # noqa: A002 - the field's name
        platform.kms.kmip.end(caller.actor, id)
        return redirect(url_for("console.kmip_client", id=id), 303)


def _may(platform: "Platform", caller: Caller, verb: str, id_: str, organ: str) -> bool:
    return platform.authz.decisions.check(caller.actor, verb, Resource("KmipClient", id_, organ)).allowed


def _line(client: KmipClient) -> dict[str, Any]:
    told = client.fields()
    return told | {"certificates": " ".join(each["fingerprint"] for each in told["certificates"])}
